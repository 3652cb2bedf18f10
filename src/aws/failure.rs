//! AWS's answers, classified by code: a table of those that several kinds share, and each kind's own.

use std::time::SystemTime;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::operation::BuildError;
use aws_smithy_types::retry::ErrorKind;

use super::error_context::{ErrorContext, situate};
use crate::engine::{Failure, FailureClass, chain};

/// Codes of AWS's answers, by class.
pub(super) type ErrorCodes = &'static [(FailureClass, &'static [&'static str])];

/// Returns the class of a code that one kind alone answers with.
pub(super) type KindCodes = fn(&str) -> Option<FailureClass>;

/// Codes that several kinds share or no kind has, by class. A kind's own are in `AwsKind::CODES`.
const CODES: ErrorCodes = &[
    (
        FailureClass::Throttled,
        &[
            "EntityTemporarilyUnmodifiable",
            "ConcurrentModification",
            "ConcurrentModificationException",
            "ConflictingOperation",
            "EC2ThrottledException",
            "OperationAborted",
            "PriorRequestNotComplete",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "ResourceContention",
            "ResourceContentionFault",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ],
    ),
    (
        // The service has no machines, or no answer, to give at the moment; nothing was made.
        FailureClass::Unavailable,
        &[
            "InsufficientCapacity",
            "InsufficientHostCapacity",
            "InsufficientInstanceCapacity",
            "InsufficientVolumeCapacity",
            "ServiceUnavailable",
            "TemporaryRedirect",
            "Unavailable",
        ],
    ),
    (
        // A server that failed may have done what it was asked before it did.
        FailureClass::UnknownOutcome,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceFailure",
        ],
    ),
    (
        // Auto Scaling and EC2 answer with their most general code when a role, profile, template or group was made
        // a moment ago; ELB and IAM have a code of their own for it.
        FailureClass::MaybeNotYetConsistent,
        &[
            "InvalidConfigurationRequest",
            "InvalidParameterValue",
            "InvalidSecurityGroup",
            "InvalidSubnet",
            "InvalidVPCId",
            "MalformedPolicyDocument",
            "ValidationError",
        ],
    ),
    (FailureClass::Gone, &["404", "NoSuchEntity", "NoSuchKey", "NoSuchResourceException", "NotFound"]),
    (
        FailureClass::AlreadyExists,
        &[
            "IdempotentParameterMismatch",
            "AlreadyExists",
            "AlreadyExistsFault",
            "EntityAlreadyExists",
            "Resource.AlreadyAssociated",
        ],
    ),
    (
        FailureClass::Held,
        &[
            "DeleteConflict",
            "DependencyViolation",
            "IncorrectInstanceState",
            "IncorrectState",
            "ResourceInUse",
            "ResourceInUseFault",
            "ScalingActivityInProgress",
            "ScalingActivityInProgressFault",
        ],
    ),
    (
        FailureClass::Unauthenticated,
        &[
            "TokenRefreshRequired",
            "InvalidToken",
            "AuthFailure",
            "AuthorizationHeaderMalformed",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
    ),
    (FailureClass::Clock, &["RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"]),
    (FailureClass::NotEnabled, &["Blocked", "OptInRequired", "PendingVerification", "RegionDisabledException"]),
    (FailureClass::Denied, &["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"]),
    (
        FailureClass::Elsewhere,
        &["IllegalLocationConstraintException", "IncorrectEndpoint", "PermanentRedirect", "Redirect"],
    ),
    (
        // Refused for what the request is, whenever it is sent.
        FailureClass::Invalid,
        &["InvalidParameterCombination", "Unsupported"],
    ),
    (
        FailureClass::Quota,
        &[
            "AddressLimitExceeded",
            "InstanceLimitExceeded",
            "LimitExceeded",
            "LimitExceededException",
            "LimitExceededFault",
            "MaxSpotInstanceCountExceeded",
            "VcpuLimitExceeded",
        ],
    ),
];

/// Returns the class of a service's answer: by code, else by HTTP status.
pub(super) fn class_of(code: Option<&str>, status: Option<u16>, kind_codes: KindCodes) -> FailureClass {
    let listed = code.and_then(|code| {
        let shared = CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|(class, _)| *class);
        shared.or_else(|| kind_codes(code)).or_else(|| {
            // EC2 has a code a kind: `InvalidVpcID.NotFound`, `InvalidSubnetID.NotFound`, …
            code.ends_with(".NotFound").then_some(FailureClass::Gone)
        })
    });
    listed.unwrap_or(match status {
        Some(429) => FailureClass::Throttled,
        Some(503) => FailureClass::Unavailable,
        // It is unknown whether a server that failed had already made the change.
        Some(500..) => FailureClass::UnknownOutcome,
        Some(404) => FailureClass::Gone,
        Some(401 | 403) => FailureClass::Denied,
        Some(400..) => FailureClass::Invalid,
        _ => FailureClass::Fatal,
    })
}

/// Returns the answer; `None` if the object does not exist.
pub(super) fn if_there<T>(outcome: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if failure.class == FailureClass::Gone => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Classifies a failure of a creation's later calls: an object that they do not find was created by the first call.
pub(super) fn just_made(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::Gone => Failure { class: FailureClass::NotYetConsistent, ..failure },
        _ => failure,
    }
}

/// Returns the failure of a request that lacks a parameter: a bug.
pub(super) fn incomplete(error: &BuildError) -> Failure {
    internal("build", error.to_string())
}

/// Returns an internal failure.
pub(super) fn internal(action: &str, message: String) -> Failure {
    Failure::own(FailureClass::Fatal, action, message)
}

/// Converts an SDK error to a [`Failure`].
pub(super) fn classify<E>(
    service: &str,
    action: &str,
    region: &str,
    error: &SdkError<E, HttpResponse>,
    kind_codes: KindCodes,
) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
    let code = metadata.and_then(|meta| meta.code()).map(str::to_owned);
    let credentials = cause::<CredentialsError>(error);
    let status = error.raw_response().map(|response| response.status().as_u16());
    let class = match error {
        _ if credentials.is_some() => FailureClass::Unauthenticated,
        SdkError::ServiceError(_) => class_of(code.as_deref(), status, kind_codes),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => FailureClass::UnknownOutcome,
        SdkError::DispatchFailure(failure) => {
            let passing = failure.as_other() == Some(ErrorKind::TransientError);
            // The connection may have broken after the request was sent: whether it took effect is open.
            if failure.is_io() || failure.is_timeout() || passing {
                FailureClass::UnknownOutcome
            } else {
                FailureClass::Fatal
            }
        }
        _ => FailureClass::Fatal,
    };
    let failure = Failure {
        class,
        service: service.to_owned(),
        action: action.to_owned(),
        message: metadata
            .and_then(|meta| meta.message())
            .map_or_else(|| credentials.map_or_else(|| chain(error), without_credentials), str::to_owned),
        code,
        request_id: error.request_id().map(str::to_owned),
    };
    let answer = error.raw_response().map(ErrorContext::of).unwrap_or_default();
    situate(failure, &answer, region, SystemTime::now())
}

/// Returns the first cause of this type.
fn cause<'a, T: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// Returns the reason why there are no credentials, in one line.
fn without_credentials(error: &CredentialsError) -> String {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            "no AWS credentials: neither in the environment, nor in a profile, nor from this machine's role".to_owned()
        }
        other => format!("no AWS credentials: {}", chain(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kind;

    #[test]
    fn a_code_decides_before_the_status() {
        assert_eq!(class_of(Some("RequestLimitExceeded"), Some(503), kind::class_of), FailureClass::Throttled);
        assert_eq!(class_of(Some("DependencyViolation"), Some(400), kind::class_of), FailureClass::Held);
        assert_eq!(class_of(Some("InvalidRouteTableID.NotFound"), Some(400), kind::class_of), FailureClass::Gone);
    }

    #[test]
    fn a_server_error_without_a_known_code_leaves_the_outcome_open() {
        assert_eq!(class_of(None, Some(500), kind::class_of), FailureClass::UnknownOutcome);
        assert_eq!(class_of(Some("Weird"), Some(502), kind::class_of), FailureClass::UnknownOutcome);
        assert_eq!(class_of(Some("Weird"), Some(400), kind::class_of), FailureClass::Invalid);
    }

    #[test]
    fn no_code_is_in_two_classes() {
        let mut codes: Vec<_> = CODES.iter().chain(kind::codes()).flat_map(|(_, codes)| codes.iter()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
