//! The limits of AWS and Kubernetes: lengths, characters, counts and reserved words of all parts of a cluster.
//!
//! One place for each kind. The rules of the cluster file, the blueprint and the sandbox all read it, so that a file which
//! passes `check` is not refused later, and so that the sandbox refuses what AWS would. Pure; depends on nothing.

pub mod aws;
pub mod kubernetes;
pub mod tags;
mod text;

pub use text::{AllowedValue, AttributeLimit, TextLimit, policy_length};

/// The reason why a service refuses a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitViolation {
    /// Too short or too long.
    #[error("{found} characters; {least} to {most} are possible")]
    Length {
        /// Number of characters of the text.
        found: usize,
        /// Minimum number of characters.
        least: usize,
        /// Maximum number of characters.
        most: usize,
    },
    /// A character that is not allowed.
    #[error("{0:?} cannot stand in it")]
    Character(char),
    /// Another reason, as a short text.
    #[error("{0}")]
    Form(&'static str),
}
