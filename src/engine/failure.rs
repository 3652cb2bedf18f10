//! What a cloud answers when it does not do what it was asked.

use std::fmt;

/// A call that failed, classified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// What to do about it.
    pub class: Class,
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

/// What a failure means for who made the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Too many calls: wait and send it again.
    Throttled,
    /// The service had an error of its own, or the connection was not made: nothing happened, send it again.
    Unavailable,
    /// The request was sent and no answer came: it may have happened. Look before sending it again.
    UnknownOutcome,
    /// Something made a moment ago is not visible yet: send it again for a while.
    NotYetConsistent,
    /// Either wrong, or about something made a moment ago: send it again only if something was.
    MaybeNotYetConsistent,
    /// The object does not exist (any more).
    Gone,
    /// An object of that name exists already.
    AlreadyExists,
    /// Another object still uses it: send it again for a while, then say which.
    Held,
    /// Nobody knows who asks: no credentials, wrong ones, or ones that have expired.
    Unauthenticated,
    /// The clock of this machine is wrong, so that the service does not take the request's signature.
    Clock,
    /// The account, or the region in it, is not enabled for what was asked.
    NotEnabled,
    /// Not allowed.
    Denied,
    /// A rule of retention keeps the object, whoever asks.
    Protected,
    /// The object is in another region.
    Elsewhere,
    /// A quota of the account is used up.
    Quota,
    /// The request cannot be right.
    Invalid,
    /// Anything else.
    Fatal,
}

impl Class {
    /// Every class.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 17] = [
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
        Self::Invalid,
        Self::Fatal,
    ];

    /// Whether time alone heals it, whatever was asked: a read is simply sent again. A change is another matter; the
    /// engine looks first whether it happened.
    pub fn passes(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::UnknownOutcome)
    }

    /// Whether sending the same change again can help: because the failure passes, or because what the change needs was
    /// made, or given free, a moment ago.
    pub fn is_transient(self) -> bool {
        self.passes() || matches!(self, Self::NotYetConsistent | Self::MaybeNotYetConsistent | Self::Held)
    }
}

impl Failure {
    /// A failure of our own: no service was asked, or none is to blame.
    pub(crate) fn own(class: Class, action: &str, message: impl Into<String>) -> Self {
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

/// What went wrong and why, from the outside in, each thing once.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for error in std::iter::successors(Some(error), |error| error.source()) {
        let text = error.to_string();
        if !told.iter().any(|before| before.contains(&text)) {
            told.push(text);
        }
    }
    told.join(": ")
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
