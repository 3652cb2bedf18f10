//! What an answer of AWS says beside its code: where the bucket is, what time it is there, what keeps an object.
//!
//! One code has many reasons, and each asks for something else. The code stays what AWS says; the class, and with it the
//! hint, follows the reason.

use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::engine::{Class, Failure};

/// A request whose time differs by more is refused by AWS; S3 bears 15 minutes.
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

/// Services that answer in one place for all regions.
const GLOBAL: [&str; 2] = ["iam", "route53"];

/// What a region that is not enabled says: it does not know anybody of the account.
const UNKNOWN_CALLER: [&str; 4] =
    ["AuthFailure", "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"];

/// What AWS said beside the error itself.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: Option<u16>,
    /// The region that S3 says the bucket is in.
    pub(super) bucket_region: Option<String>,
    /// When AWS wrote the answer, by its clock.
    pub(super) date: Option<SystemTime>,
}

impl Answer {
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

/// The failure with the class that its situation gives it. `now` is this machine's time, `region` the cluster's.
pub(super) fn situate(failure: Failure, answer: &Answer, region: &str, now: SystemTime) -> Failure {
    let failure = elsewhere(failure, answer, region);
    let failure = clock(failure, answer, now);
    lasting(failure)
}

/// Whether a region has to be enabled in an account before it knows the account's keys.
pub(super) fn is_opt_in(region: &str) -> bool {
    let other_partition = ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"].iter().any(|start| region.starts_with(start));
    !other_partition && !REGIONS_OF_EVERYBODY.contains(&region)
}

/// Whether a call that succeeded proves that the region is enabled.
pub(super) fn proves_region(service: &str) -> bool {
    !GLOBAL.contains(&service)
}

/// The failure of a caller whom a region does not know, although the keys may be right: the region is not enabled.
pub(super) fn not_enabled(failure: Failure) -> Failure {
    let unknown = failure.code.as_deref().is_some_and(|code| UNKNOWN_CALLER.contains(&code));
    if unknown && proves_region(&failure.service) {
        return Failure { class: Class::NotEnabled, ..failure };
    }
    failure
}

fn elsewhere(failure: Failure, answer: &Answer, region: &str) -> Failure {
    let refused = matches!(answer.status, Some(300..=499)) && answer.status != Some(404);
    if failure.service != "s3" || !refused {
        return failure;
    }
    let expected = failure.message.split_once("expecting '").and_then(|(_, rest)| rest.split('\'').next());
    let found = answer.bucket_region.as_deref().or(expected).filter(|found| *found != region);
    let Some(found) = found.map(str::to_owned) else {
        // A redirect without a word about where to.
        let class = if answer.status == Some(301) { Class::Elsewhere } else { failure.class };
        return Failure { class, ..failure };
    };
    Failure {
        class: Class::Elsewhere,
        code: failure.code.or_else(|| Some("PermanentRedirect".to_owned())),
        message: format!(
            "{}: the bucket is in {found}, the cluster in {region}",
            failure.message.trim_end_matches('.')
        ),
        ..failure
    }
}

fn clock(failure: Failure, answer: &Answer, now: SystemTime) -> Failure {
    let said = ["Signature expired", "Signature not yet current"].iter().any(|said| failure.message.contains(said));
    let doubted = matches!(failure.class, Class::Unauthenticated | Class::Clock) && failure.code.is_some();
    if !doubted {
        return failure;
    }
    let ahead = answer.date.map(|date| match now.duration_since(date) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    });
    let skew = ahead.filter(|(skew, _)| *skew > MAX_SKEW);
    let class = if said || skew.is_some() { Class::Clock } else { failure.class };
    let message = match skew.filter(|_| class == Class::Clock) {
        Some((skew, side)) => {
            let minutes = skew.as_secs() / 60;
            let message = failure.message.trim_end_matches('.');
            format!("{message}: the clock of this machine is {minutes} minutes {side} that of AWS")
        }
        None => failure.message,
    };
    Failure { class, message, ..failure }
}

/// What looks as if it could pass, or as if a permission were missing, and is neither.
fn lasting(failure: Failure) -> Failure {
    let class = match (failure.service.as_str(), failure.action.as_str(), failure.class) {
        // A volume that is changed was not made a moment ago.
        ("ec2", "ModifyVolume", Class::MaybeNotYetConsistent) => Class::Invalid,
        // S3 has no code of its own for it.
        ("s3", _, Class::Denied) if failure.message.to_ascii_lowercase().contains("object lock") => Class::Protected,
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
