//! Failures of calls to a cloud.

use std::fmt;

/// A call that failed, classified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// The class, which decides how the failure is handled.
    pub class: FailureClass,
    /// The service, for example `ec2`.
    pub service: String,
    /// The action, for example `CreateSubnet`.
    pub action: String,
    /// The service's own code, for example `InvalidSubnet.Conflict`.
    pub code: Option<String>,
    /// The service's own message.
    pub message: String,
    /// The request's id, for support.
    pub request_id: Option<String>,
}

/// The meaning of a failure for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// Too many calls: wait and retry.
    Throttled,
    /// The service had an internal error, or the connection failed: the change was not made, retry.
    Unavailable,
    /// The request was sent and there was no answer: the change may have been made. Check before a retry.
    UnknownOutcome,
    /// Something that was just created is not visible yet: retry for a while.
    NotYetConsistent,
    /// Either wrong, or about something that was just created: retry only if something was.
    MaybeNotYetConsistent,
    /// The object does not exist (any more).
    Gone,
    /// An object of that name exists.
    AlreadyExists,
    /// Another object still uses it: retry for a while, then name that object.
    Held,
    /// The caller is unknown: no credentials, wrong ones, or expired ones.
    Unauthenticated,
    /// The clock of this machine is wrong, so the service does not accept the signature of the request.
    Clock,
    /// The account, or the region in it, is not enabled for what was asked.
    NotEnabled,
    /// Access denied.
    Denied,
    /// A retention rule protects the object from every caller.
    Protected,
    /// The object is in another region.
    Elsewhere,
    /// A quota of the account is used up.
    Quota,
    /// The run does not wait for what the change needs: a later run makes the change. Nothing is wrong.
    Deferred,
    /// The request is invalid.
    Invalid,
    /// Anything else.
    Fatal,
}

impl FailureClass {
    /// Every class.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 18] = [
        Self::Throttled,
        Self::Unavailable,
        Self::UnknownOutcome,
        Self::NotYetConsistent,
        Self::MaybeNotYetConsistent,
        Self::Gone,
        Self::AlreadyExists,
        Self::Held,
        Self::Unauthenticated,
        Self::Clock,
        Self::NotEnabled,
        Self::Denied,
        Self::Protected,
        Self::Elsewhere,
        Self::Quota,
        Self::Deferred,
        Self::Invalid,
        Self::Fatal,
    ];

    /// Returns `true` if the failure is temporary for any call: a read is simply retried. Before a change is retried, the
    /// engine checks whether it was made.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::UnknownOutcome)
    }

    /// Returns `true` if a retry of the same change can succeed: because the failure is temporary, or because a dependency was
    /// just created, or just released.
    pub fn is_transient(self) -> bool {
        self.is_temporary() || matches!(self, Self::NotYetConsistent | Self::MaybeNotYetConsistent | Self::Held)
    }
}

impl Failure {
    /// Returns an internal failure: no service was called, or none is the cause.
    pub(crate) fn own(class: FailureClass, action: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            service: "quorate".to_owned(),
            action: action.to_owned(),
            code: None,
            message: message.into(),
            request_id: None,
        }
    }
}

/// Returns the error and its causes, from the outermost to the innermost, without repetitions.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut messages: Vec<String> = Vec::new();
    for error in std::iter::successors(Some(error), |error| error.source()) {
        let text = error.to_string();
        if !messages.iter().any(|before| before.contains(&text)) {
            messages.push(text);
        }
    }
    messages.join(": ")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.service, self.action)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)
    }
}
