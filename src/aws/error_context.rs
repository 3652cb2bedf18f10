//! The context of an AWS answer beside its code: the region of the bucket, the time at AWS, the reason that keeps an object.
//!
//! One code has many reasons, and each needs another remedy. The code stays as AWS returned it; the class, and with it the
//! hint, follows the reason.

use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::engine::{Failure, FailureClass};

/// Maximum clock difference. AWS refuses requests beyond it; S3 accepts 15 minutes.
const MAX_SKEW: Duration = Duration::from_mins(5);

/// The regions that every account of the partition `aws` has. All others have to be enabled first.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const REGIONS_OF_EVERYBODY: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Services that have one endpoint for all regions.
const GLOBAL: [&str; 3] = ["iam", "pricing", "route53"];

/// The error codes of a region that is not enabled: it does not know any identity of the account.
const UNKNOWN_CALLER: [&str; 4] =
    ["AuthFailure", "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"];

/// The context that AWS sends beside the error itself.
#[derive(Debug, Default)]
pub(super) struct ErrorContext {
    /// The HTTP status.
    pub(super) status: Option<u16>,
    /// The region of the bucket according to S3.
    pub(super) bucket_region: Option<String>,
    /// Time of the answer, by the clock of AWS.
    pub(super) date: Option<SystemTime>,
}

impl ErrorContext {
    /// Reads the headers.
    pub(super) fn of(response: &HttpResponse) -> Self {
        let date = response.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        Self {
            status: Some(response.status().as_u16()),
            bucket_region: response.headers().get("x-amz-bucket-region").map(str::to_owned),
            date: date.and_then(|date| date.try_into().ok()),
        }
    }
}

/// Returns the failure with the class of its context. `now` is this machine's time, `region` the cluster's.
pub(super) fn situate(failure: Failure, answer: &ErrorContext, region: &str, now: SystemTime) -> Failure {
    let failure = elsewhere(failure, answer, region);
    let failure = clock(failure, answer, now);
    lasting(failure)
}

/// Returns `true` if a region must be enabled in an account before it accepts the account's keys.
pub(super) fn is_opt_in(region: &str) -> bool {
    let other_partition = ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"].iter().any(|start| region.starts_with(start));
    !other_partition && !REGIONS_OF_EVERYBODY.contains(&region)
}

/// Returns `true` if a successful call proves that the region is enabled.
pub(super) fn names_region(service: &str) -> bool {
    !GLOBAL.contains(&service)
}

/// Reclassifies an unknown caller whose keys may be right: the region is not enabled.
pub(super) fn not_enabled(failure: Failure) -> Failure {
    let unknown = failure.code.as_deref().is_some_and(|code| UNKNOWN_CALLER.contains(&code));
    if unknown && names_region(&failure.service) {
        return Failure { class: FailureClass::NotEnabled, ..failure };
    }
    failure
}

fn elsewhere(failure: Failure, answer: &ErrorContext, region: &str) -> Failure {
    let refused = matches!(answer.status, Some(300..=499)) && answer.status != Some(404);
    if failure.service != "s3" || !refused {
        return failure;
    }
    let expected = failure.message.split_once("expecting '").and_then(|(_, rest)| rest.split('\'').next());
    let found = answer.bucket_region.as_deref().or(expected).filter(|found| *found != region);
    let Some(found) = found.map(str::to_owned) else {
        // A redirect that does not name the region.
        let class = if answer.status == Some(301) { FailureClass::Elsewhere } else { failure.class };
        return Failure { class, ..failure };
    };
    Failure {
        class: FailureClass::Elsewhere,
        code: failure.code.or_else(|| Some("PermanentRedirect".to_owned())),
        message: format!(
            "{}: the bucket is in {found}, the cluster in {region}",
            failure.message.trim_end_matches('.')
        ),
        ..failure
    }
}

fn clock(failure: Failure, answer: &ErrorContext, now: SystemTime) -> Failure {
    let names_clock =
        ["Signature expired", "Signature not yet current"].iter().any(|text| failure.message.contains(text));
    let doubted =
        matches!(failure.class, FailureClass::Unauthenticated | FailureClass::Clock) && failure.code.is_some();
    if !doubted {
        return failure;
    }
    let ahead = answer.date.map(|date| match now.duration_since(date) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    });
    let skew = ahead.filter(|(skew, _)| *skew > MAX_SKEW);
    let class = if names_clock || skew.is_some() { FailureClass::Clock } else { failure.class };
    let message = match skew.filter(|_| class == FailureClass::Clock) {
        Some((skew, side)) => {
            let minutes = skew.as_secs() / 60;
            let message = failure.message.trim_end_matches('.');
            format!("{message}: the clock of this machine is {minutes} minutes {side} that of AWS")
        }
        None => failure.message,
    };
    Failure { class, message, ..failure }
}

/// Corrects the class of failures that only seem temporary, or only seem to be a missing permission.
fn lasting(failure: Failure) -> Failure {
    let class = match (failure.service.as_str(), failure.action.as_str(), failure.class) {
        // A volume that is changed was not made a moment ago.
        ("ec2", "ModifyVolume", FailureClass::MaybeNotYetConsistent) => FailureClass::Invalid,
        // S3 has no code of its own for it.
        ("s3", _, FailureClass::Denied) if failure.message.to_ascii_lowercase().contains("object lock") => {
            FailureClass::Protected
        }
        (_, _, class) => class,
    };
    Failure { class, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_that_everybody_has_are_not_opt_in() {
        for region in ["us-east-1", "eu-west-3", "sa-east-1", "cn-north-1", "us-gov-west-1"] {
            assert!(!is_opt_in(region), "{region}");
        }
        for region in ["me-south-1", "af-south-1", "eu-south-2", "ap-east-1", "mx-central-1"] {
            assert!(is_opt_in(region), "{region}");
        }
    }
}
