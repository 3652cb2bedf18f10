//! Access to machines: console output from EC2, commands and sessions of Systems Manager.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_ssm::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_ssm::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ssm::error::BoxError;
use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationOutput;
use aws_sdk_ssm::types::CommandInvocationStatus;
use serde_json::json;

use super::AwsProvider;
use super::console::console_output;
use super::failure::if_there;
use crate::cloud::{MachineAccess, MachineSession, ScriptOutput, SessionAnswer};
use crate::engine::{Backoff, BoxFuture, Failure, FailureClass, PollLoop};

/// The service's name, for failures and limits.
const SSM: &str = "ssm";

/// The document that runs shell scripts.
const RUN_SHELL_SCRIPT: &str = "AWS-RunShellScript";

/// Seconds in which a machine must have received a command: the fewest that Systems Manager accepts.
const DELIVERY_SECONDS: i32 = 30;
/// Seconds after which the agent ends a script.
const EXECUTION_SECONDS: u64 = 30;
/// Maximum time to wait for the output of a script.
const PATIENCE: Duration = Duration::from_secs(75);
/// The pauses between two questions for the output of a script.
const BACKOFF: Backoff = Backoff::Growing { first: Duration::from_millis(400), longest: Duration::from_secs(2) };

/// Codes of answers about a machine that is not connected.
const NOT_CONNECTED: [&str; 2] = ["InvalidInstanceId", "TargetNotConnected"];
/// The code while a command that was sent a moment ago is not known yet.
const NOT_KNOWN_YET: &str = "InvocationDoesNotExist";

impl MachineAccess for AwsProvider {
    fn console_output<'a>(&'a self, instance: &'a str) -> BoxFuture<'a, Result<String, Failure>> {
        Box::pin(console_output(self, instance))
    }

    fn run_script<'a>(
        &'a self,
        instance: &'a str,
        script: &'a str,
    ) -> BoxFuture<'a, Result<Option<ScriptOutput>, Failure>> {
        Box::pin(run_script(self, instance, script))
    }

    fn start_session<'a>(&'a self, instance: &'a str) -> BoxFuture<'a, Result<Option<MachineSession>, Failure>> {
        Box::pin(start_session(self, instance))
    }

    fn end_session<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let request = || self.ssm.terminate_session().session_id(session).send();
            if_there(self.read(SSM, "TerminateSession", request).await).map(|_| ())
        })
    }
}

async fn run_script(aws: &AwsProvider, instance: &str, script: &str) -> Result<Option<ScriptOutput>, Failure> {
    let request = || {
        let request = aws.ssm.send_command().document_name(RUN_SHELL_SCRIPT).instance_ids(instance);
        let request = request.parameters("commands", vec![script.to_owned()]);
        let request = request.parameters("executionTimeout", vec![EXECUTION_SECONDS.to_string()]);
        request.timeout_seconds(DELIVERY_SECONDS).comment("quorate logs").send()
    };
    // The script only reads, so it may be sent again.
    let Some(sent) = if_connected(aws.read(SSM, "SendCommand", request).await)? else { return Ok(None) };
    let command = sent.command.and_then(|command| command.command_id).unwrap_or_default();
    let mut poll = PollLoop::new(BACKOFF).lasting(PATIENCE);
    loop {
        match progress(aws, &command, instance).await? {
            ScriptProgress::Finished(output) => return Ok(Some(output)),
            ScriptProgress::Waiting | ScriptProgress::Running if poll.has_time() => poll.pause().await,
            // Systems Manager does not deliver a command that waited for so long any more.
            ScriptProgress::NotDelivered | ScriptProgress::Waiting => return Ok(None),
            ScriptProgress::Running => {
                let message = format!("{instance} did not finish a command in {} s", PATIENCE.as_secs());
                return Err(Failure {
                    service: SSM.to_owned(),
                    ..Failure::own(FailureClass::Fatal, "SendCommand", message)
                });
            }
        }
    }
}

/// The progress of a script on its machine.
#[derive(Debug, PartialEq, Eq)]
enum ScriptProgress {
    Waiting,
    Running,
    NotDelivered,
    Finished(ScriptOutput),
}

async fn progress(aws: &AwsProvider, command: &str, instance: &str) -> Result<ScriptProgress, Failure> {
    let request = || aws.ssm.get_command_invocation().command_id(command).instance_id(instance).send();
    match aws.read(SSM, "GetCommandInvocation", request).await {
        Ok(answer) => progress_of(answer),
        Err(failure) if failure.code.as_deref() == Some(NOT_KNOWN_YET) => Ok(ScriptProgress::Waiting),
        Err(failure) => Err(failure),
    }
}

fn progress_of(answer: GetCommandInvocationOutput) -> Result<ScriptProgress, Failure> {
    // `Delivery Timed Out` in the documentation, `DeliveryTimedOut` in answers.
    let details = answer.status_details.unwrap_or_default().replace(' ', "");
    let output = || ScriptOutput {
        out: answer.standard_output_content.unwrap_or_default(),
        err: answer.standard_error_content.unwrap_or_default(),
    };
    if ["DeliveryTimedOut", "Undeliverable"].contains(&details.as_str()) {
        return Ok(ScriptProgress::NotDelivered);
    }
    match answer.status {
        Some(CommandInvocationStatus::Success | CommandInvocationStatus::Failed) => {
            Ok(ScriptProgress::Finished(output()))
        }
        Some(CommandInvocationStatus::InProgress) => Ok(ScriptProgress::Running),
        Some(CommandInvocationStatus::Pending | CommandInvocationStatus::Delayed) | None => Ok(ScriptProgress::Waiting),
        Some(ended) => {
            let message = format!("the command on the machine ended as {}: {details}", ended.as_str());
            Err(Failure { service: SSM.to_owned(), ..Failure::own(FailureClass::Fatal, "SendCommand", message) })
        }
    }
}

async fn start_session(aws: &AwsProvider, instance: &str) -> Result<Option<MachineSession>, Failure> {
    let endpoint = RequestEndpoint::default();
    let request = aws.ssm.start_session().target(instance).reason("quorate shell").customize();
    let request = request.interceptor(endpoint.clone()).send();
    let Some(answer) = if_connected(aws.send(SSM, "StartSession", request).await)? else { return Ok(None) };
    let id = answer.session_id.unwrap_or_default();
    let json = json!({ "SessionId": id, "TokenValue": answer.token_value, "StreamUrl": answer.stream_url });
    Ok(Some(MachineSession {
        region: aws.scope.region.clone(),
        endpoint: endpoint.url(),
        answer: SessionAnswer::new(json.to_string()),
        id,
    }))
}

/// Returns the answer; `None` if the machine is not connected to Systems Manager.
fn if_connected<T>(outcome: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if failure.code.as_deref().is_some_and(|code| NOT_CONNECTED.contains(&code)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Keeps the URL that a request was sent to: the SDK does not return the endpoint.
#[derive(Debug, Clone, Default)]
struct RequestEndpoint(Arc<Mutex<String>>);

impl RequestEndpoint {
    fn url(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for RequestEndpoint {
    fn name(&self) -> &'static str {
        "RequestEndpoint"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri = context.request().uri().trim_end_matches('/').to_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = uri;
        Ok(())
    }
}
