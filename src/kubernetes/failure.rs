//! Errors of the Kubernetes API, classified by reason in one table.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use kube::Error;
use kube::core::Status;

use crate::engine::{Failure, FailureClass, chain};

/// The action of a failure to reach a cluster's API at all.
pub const CONNECT: &str = "connect";
/// The code of a failure to reach an API whose name cannot be resolved.
pub const UNRESOLVED: &str = "Unresolved";

/// The cause of a conflict between field managers.
pub(super) const MANAGER_CONFLICT: &str = "FieldManagerConflict";
/// The cause of a refusal in a namespace that is being removed.
const TERMINATING: &str = "NamespaceTerminating";

/// Reasons by class. A reason that is not here is classified by HTTP status.
const REASONS: &[(FailureClass, &[&str])] = &[
    (FailureClass::Throttled, &["TooManyRequests"]),
    (FailureClass::Unavailable, &["ServiceUnavailable"]),
    (FailureClass::UnknownOutcome, &["InternalError", "ServerTimeout", "Timeout"]),
    (FailureClass::Gone, &["NotFound"]),
    (FailureClass::AlreadyExists, &["AlreadyExists"]),
    (FailureClass::Unauthenticated, &["Unauthorized"]),
    (FailureClass::Denied, &["Forbidden"]),
    (
        FailureClass::Invalid,
        &[
            "BadRequest",
            "Invalid",
            "MethodNotAllowed",
            "NotAcceptable",
            "RequestEntityTooLarge",
            "UnsupportedMediaType",
        ],
    ),
];

/// A conflict with another field manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldConflict {
    /// The field, for example `spec.replicas`.
    pub(super) field: String,
    /// The manager that set it.
    pub(super) owner: String,
}

/// A failed call: the classified failure, and its conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiRefusal {
    pub(super) failure: Failure,
    pub(super) conflicts: Vec<FieldConflict>,
}

impl From<ApiRefusal> for Failure {
    fn from(refusal: ApiRefusal) -> Self {
        refusal.failure
    }
}

impl ApiRefusal {
    /// Returns `true` if it is a conflict about these fields only. The server names an atomic map as a whole.
    pub(super) fn is_about(&self, fields: &BTreeSet<String>) -> bool {
        let known: BTreeSet<String> = fields.iter().map(|field| plain(field)).collect();
        let is_known = |conflict: &FieldConflict| {
            let field = plain(&conflict.field);
            known
                .iter()
                .any(|known| known.strip_prefix(&field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        };
        !self.conflicts.is_empty() && self.conflicts.iter().all(is_known)
    }
}

/// Normalizes a path: `containers[name="chat"].image` and `containers[chat].image` are the same.
fn plain(path: &str) -> String {
    let mut steps: Vec<String> = Vec::new();
    for step in path.split(['.', '[', ']', '/', ',']).filter(|step| !step.is_empty()) {
        let value = step.split_once('=').map_or(step, |(_, value)| value);
        steps.push(value.trim_matches('"').to_owned());
    }
    steps.join(".")
}

/// Returns an internal failure.
pub(super) fn own(class: FailureClass, action: &str, message: impl Into<String>) -> Failure {
    Failure { service: "kubernetes".to_owned(), ..Failure::own(class, action, message) }
}

/// Classifies the error of a call.
pub(super) fn classify(action: &str, error: &Error) -> ApiRefusal {
    match error {
        Error::Api(status) => ApiRefusal { failure: answered(action, status), conflicts: conflicts(status) },
        other => ApiRefusal { failure: own(class_of_silence(other), action, chain(other)), conflicts: Vec::new() },
    }
}

/// Returns a failure to connect to a server. The request only reads: it can be retried whatever its result was.
pub(super) fn unreachable(server: &str, failure: Failure) -> Failure {
    // Only the name of the failed step distinguishes a name without an address from an address without a server.
    let unresolved = failure.message.contains("dns error").then(|| UNRESOLVED.to_owned());
    Failure {
        class: if failure.class == FailureClass::UnknownOutcome { FailureClass::Unavailable } else { failure.class },
        action: CONNECT.to_owned(),
        code: failure.code.or(unresolved),
        message: format!("{server}: {}", failure.message),
        ..failure
    }
}

/// Returns `true` if a failure is about this request only: the server has answered, and has accepted the caller. Any other
/// failure would affect every other request, too.
pub(super) fn is_alone(failure: &Failure) -> bool {
    let answered = failure.code.is_some();
    match failure.class {
        FailureClass::Unauthenticated => false,
        FailureClass::Unavailable | FailureClass::UnknownOutcome | FailureClass::Fatal => {
            answered && failure.action != CONNECT
        }
        _ => true,
    }
}

fn answered(action: &str, status: &Status) -> Failure {
    let reason = Some(status.reason.clone()).filter(|reason| !reason.is_empty());
    let code = reason.or_else(|| Some(status.code.to_string()));
    Failure { code, ..own(class_of(status), action, status.message.clone()) }
}

fn class_of(status: &Status) -> FailureClass {
    let caused_by = |reason: &str| causes(status).any(|cause| cause.reason == reason);
    if is_schema_error(status) {
        return FailureClass::Invalid;
    }
    if caused_by(TERMINATING) {
        return FailureClass::Held;
    }
    if status.reason == "Conflict" {
        // A field of another manager stays theirs; a lost race for a version is retried.
        return if caused_by(MANAGER_CONFLICT) { FailureClass::Invalid } else { FailureClass::Throttled };
    }
    let listed = REASONS.iter().find(|(_, reasons)| reasons.contains(&status.reason.as_str()));
    listed.map_or_else(|| class_of_code(status.code), |(class, _)| *class)
}

/// Server-side apply answers a body that does not match the schema (a field that does not exist, a number instead of text)
/// with 500 and no reason of its own: only its message distinguishes it from a failed server, and it must not be retried
/// for 15 minutes.
fn is_schema_error(status: &Status) -> bool {
    status.code == 500 && status.message.contains("failed to create typed patch object")
}

fn class_of_code(code: u16) -> FailureClass {
    match code {
        401 => FailureClass::Unauthenticated,
        403 => FailureClass::Denied,
        404 | 410 => FailureClass::Gone,
        429 => FailureClass::Throttled,
        503 => FailureClass::Unavailable,
        // A server that fails may have done before what it was asked.
        500.. => FailureClass::UnknownOutcome,
        400.. => FailureClass::Invalid,
        _ => FailureClass::Fatal,
    }
}

fn causes(status: &Status) -> impl Iterator<Item = &kube::core::response::StatusCause> {
    status.details.iter().flat_map(|details| &details.causes)
}

/// Returns the reason if a disruption budget does not allow an eviction now.
pub(super) fn budget_refusal(error: &Error) -> Option<String> {
    let Error::Api(status) = error else { return None };
    if status.code != 429 {
        return None;
    }
    // `The disruption budget chat needs 2 healthy pods and has 2 currently`
    let cause = causes(status).find(|cause| cause.reason == "DisruptionBudget");
    Some(cause.map_or_else(|| status.message.clone(), |cause| cause.message.clone()))
}

/// Returns the time after which the server asks for a retry, in seconds.
pub(super) fn retry_after(error: &Error) -> Option<u64> {
    let Error::Api(status) = error else { return None };
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (status.code == 429 && seconds > 0).then_some(u64::from(seconds))
}

fn conflicts(status: &Status) -> Vec<FieldConflict> {
    let of_managers = causes(status).filter(|cause| cause.reason == MANAGER_CONFLICT);
    of_managers
        .map(|cause| FieldConflict {
            field: cause.field.trim_start_matches('.').to_owned(),
            // `conflict with "kubectl-scale" using apps/v1`
            owner: cause.message.split('"').nth(1).unwrap_or("another manager").to_owned(),
        })
        .collect()
}

/// Classifies a missing answer: the change may have been made only if the request arrived.
fn class_of_silence(error: &Error) -> FailureClass {
    let io = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
        .find_map(|error| error.downcast_ref::<std::io::Error>());
    match (error, io.map(std::io::Error::kind)) {
        (Error::Service(_) | Error::HyperError(_) | Error::ReadEvents(_), kind) => match kind {
            // What TLS refuses is not there another time.
            Some(ErrorKind::InvalidData) => FailureClass::Fatal,
            Some(
                ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::NotConnected
                | ErrorKind::AddrNotAvailable,
            ) => FailureClass::Unavailable,
            _ => FailureClass::UnknownOutcome,
        },
        _ => FailureClass::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};

    use super::*;

    fn status(code: u16, reason: &str, message: &str, causes: &[(&str, &str, &str)]) -> Status {
        let cause = |(reason, field, message): &(&str, &str, &str)| StatusCause {
            reason: (*reason).to_owned(),
            field: (*field).to_owned(),
            message: (*message).to_owned(),
        };
        let details = StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: causes.iter().map(cause).collect(),
            retry_after_seconds: 0,
        };
        Status::failure(message, reason).with_code(code).with_details(details)
    }

    fn class(code: u16, reason: &str) -> FailureClass {
        class_of(&status(code, reason, "", &[]))
    }

    #[test]
    fn a_reason_decides_before_the_status() {
        assert_eq!(class(429, "TooManyRequests"), FailureClass::Throttled);
        assert_eq!(class(422, "Invalid"), FailureClass::Invalid);
        assert_eq!(class(409, "AlreadyExists"), FailureClass::AlreadyExists);
        assert_eq!(class(403, "Forbidden"), FailureClass::Denied);
        assert_eq!(class(401, "Unauthorized"), FailureClass::Unauthenticated);
        assert_eq!(class(404, ""), FailureClass::Gone);
        assert_eq!(class(502, "BadGateway"), FailureClass::UnknownOutcome);
    }

    #[test]
    fn a_body_that_does_not_fit_the_schema_is_not_sent_again() {
        let message = "failed to create typed patch object (default/chat; apps/v1, Kind=Deployment): \
                       .spec.replica: field not declared in schema";
        assert_eq!(class_of(&status(500, "", message, &[])), FailureClass::Invalid);
        assert_eq!(
            class_of(&status(500, "InternalError", "etcdserver: leader changed", &[])),
            FailureClass::UnknownOutcome
        );
    }

    #[test]
    fn a_conflict_names_the_field_and_its_owner() {
        let conflict = (MANAGER_CONFLICT, ".spec.replicas", "conflict with \"kubectl-scale\" using apps/v1");
        let status = status(409, "Conflict", "Apply failed with 1 conflict", &[conflict]);
        assert_eq!(class_of(&status), FailureClass::Invalid);
        let found = conflicts(&status);
        assert_eq!(found, [FieldConflict { field: "spec.replicas".to_owned(), owner: "kubectl-scale".to_owned() }]);
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        for (ours, theirs) in [
            ("spec.template.spec.containers[chat].image", ".spec.template.spec.containers[name=\"chat\"].image"),
            ("spec.ports[80/TCP].port", ".spec.ports[port=80,protocol=\"TCP\"].port"),
            ("metadata.labels[app.kubernetes.io/name]", ".metadata.labels.app.kubernetes.io/name"),
        ] {
            assert_eq!(plain(ours), plain(theirs));
        }
    }

    #[test]
    fn a_conflict_about_a_whole_map_is_about_its_fields_and_about_no_neighbour() {
        let about = |field: &str, changed: &str| {
            let conflict = FieldConflict { field: field.to_owned(), owner: "them".to_owned() };
            let refusal = ApiRefusal { failure: own(FailureClass::Invalid, "apply", ""), conflicts: vec![conflict] };
            refusal.is_about(&BTreeSet::from([changed.to_owned()]))
        };
        assert!(about("spec.selector", "spec.selector.app") && about("spec.selector", "spec.selector"));
        assert!(!about("spec.replicas", "spec.replicasets") && !about("spec.selector.app", "spec.selector"));
    }

    #[test]
    fn a_lost_race_is_run_again_and_a_leaving_namespace_waited_for() {
        assert_eq!(class(409, "Conflict"), FailureClass::Throttled);
        let leaving = status(403, "Forbidden", "", &[(TERMINATING, "", "")]);
        assert_eq!(class_of(&leaving), FailureClass::Held);
    }

    #[test]
    fn an_answer_is_about_one_question_and_silence_about_all_of_them() {
        let answer = |code: u16, reason: &str| is_alone(&answered("apply", &status(code, reason, "", &[])));
        assert!(answer(500, "InternalError") && answer(503, "ServiceUnavailable") && answer(500, ""));
        assert!(answer(403, "Forbidden") && !answer(401, "Unauthorized"));
        assert!(!is_alone(&own(FailureClass::UnknownOutcome, "apply", "the connection was reset")));
        assert!(!is_alone(&unreachable(
            "https://api",
            answered("get /readyz", &status(500, "InternalError", "", &[]))
        )));
    }

    #[test]
    fn a_refused_connection_was_not_made_and_a_broken_one_may_have_been_heard() {
        let io = |kind: ErrorKind| Error::Service(std::io::Error::new(kind, "no").into());
        assert_eq!(class_of_silence(&io(ErrorKind::ConnectionRefused)), FailureClass::Unavailable);
        assert_eq!(class_of_silence(&io(ErrorKind::ConnectionReset)), FailureClass::UnknownOutcome);
        assert_eq!(class_of_silence(&io(ErrorKind::InvalidData)), FailureClass::Fatal);
    }
}
