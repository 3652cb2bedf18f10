//! DNS names and labels, as cluster names and elsewhere.

use thiserror::Error;

use super::cluster::ClusterName;

/// Error of a text that is not a cluster's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Too long for tags and load balancer names, although Route 53 and certificates would accept it.
    #[error("it has {0} characters, and 63 are the most")]
    TooLong(usize),
    /// Without a dot, `internal.<name>` and `api.<name>` would be names at the top of the DNS.
    #[error("it has no dot")]
    NoDot,
    /// A part between two dots is not a DNS label.
    #[error("{0}")]
    Label(#[from] LabelError),
}

/// Error of a text that is not a DNS label.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LabelError {
    /// Nothing between two dots.
    #[error("a part of it is empty")]
    Empty,
    /// Longer than 63 characters.
    #[error("the part `{0}` has more than 63 characters")]
    TooLong(String),
    /// A character that is not `a-z`, `0-9` or `-`.
    #[error("{0:?} cannot stand in it")]
    Character(char),
    /// A hyphen at an end.
    #[error("the part `{0}` starts or ends with a hyphen")]
    Hyphen(String),
}

impl ClusterName {
    /// Maximum length of a name, in characters.
    pub const MAX: usize = 63;

    /// Parses a lower-case DNS name with at least one dot and at most 63 characters.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_domain(text)?;
        let length = text.chars().count();
        if length > Self::MAX {
            return Err(NameError::TooLong(length));
        }
        if !text.contains('.') {
            return Err(NameError::NoDot);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Checks that a text is a lower-case DNS name (without the dot at its end).
pub(super) fn check_domain(text: &str) -> Result<(), LabelError> {
    text.split('.').try_for_each(check_label)
}

/// Returns `true` if Kubernetes accepts the text as the key of a label or taint: a name, or a DNS name, a slash and a name.
pub(super) fn is_label_key(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    is_label_value(name) && prefix.is_none_or(|prefix| prefix.len() <= 253 && check_domain(prefix).is_ok())
}

/// Returns `true` if Kubernetes accepts the text as the value of a label or taint, and it is not empty.
pub(super) fn is_label_value(text: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| end(c) || "-._".contains(c);
    (1..=63).contains(&text.len()) && text.starts_with(end) && text.ends_with(end) && text.chars().all(inner)
}

/// Checks that a text is a lower-case DNS label.
pub(super) fn check_label(text: &str) -> Result<(), LabelError> {
    let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
    if text.is_empty() {
        Err(LabelError::Empty)
    } else if let Some(other) = text.chars().find(|c| !allowed(c)) {
        Err(LabelError::Character(other))
    } else if text.len() > 63 {
        Err(LabelError::TooLong(text.to_owned()))
    } else if text.starts_with('-') || text.ends_with('-') {
        Err(LabelError::Hyphen(text.to_owned()))
    } else {
        Ok(())
    }
}

/// Returns `true` if `name` is `zone` or ends in `.zone`.
pub(super) fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_names() {
        assert!(ClusterName::parse("chat.poeticoding.com").is_ok());
        assert_eq!(ClusterName::parse("chat"), Err(NameError::NoDot));
        assert_eq!(ClusterName::parse(""), Err(LabelError::Empty.into()));
        assert_eq!(ClusterName::parse("a..b"), Err(LabelError::Empty.into()));
        assert_eq!(ClusterName::parse("Chat.a"), Err(LabelError::Character('C').into()));
        assert_eq!(ClusterName::parse("-a.b"), Err(LabelError::Hyphen("-a".to_owned()).into()));
        let long = format!("{}.{}", "a".repeat(40), "b".repeat(40));
        assert_eq!(ClusterName::parse(&long), Err(NameError::TooLong(81)));
    }

    #[test]
    fn within_a_zone_is_by_labels() {
        assert!(is_within("chat.poeticoding.com", "poeticoding.com"));
        assert!(is_within("poeticoding.com", "poeticoding.com"));
        assert!(!is_within("notpoeticoding.com", "poeticoding.com"));
    }
}
