//! The console output of a machine, from EC2.

use aws_sdk_ec2::operation::get_console_output::GetConsoleOutputOutput;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::AwsProvider;
use super::ec2::EC2;
use crate::engine::{Failure, FailureClass};

/// Returns the latest console output of a machine, at most 64 KiB; empty if there is none yet.
pub(super) async fn console_output(aws: &AwsProvider, instance: &str) -> Result<String, Failure> {
    let answer = match ask(aws, instance, true).await {
        // Only machines of the Nitro system have the latest output. All others have that of the last start or stop.
        Err(failure) if is_unsupported(&failure) => ask(aws, instance, false).await?,
        answer => answer?,
    };
    let encoded: String = answer.output.unwrap_or_default().split_whitespace().collect();
    let bytes = STANDARD.decode(encoded).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn ask(aws: &AwsProvider, instance: &str, latest: bool) -> Result<GetConsoleOutputOutput, Failure> {
    let request = || aws.ec2.get_console_output().instance_id(instance).latest(latest).send();
    aws.read(EC2, "GetConsoleOutput", request).await
}

fn is_unsupported(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Invalid | FailureClass::MaybeNotYetConsistent)
}
