//! What AWS and Kubernetes take: lengths, characters, counts and reserved words of everything that a cluster is made of.
//!
//! One place for each kind. The rules of the cluster file, the blueprint and the sandbox all read it, so that a file which
//! passes `check` is not refused later, and so that the sandbox refuses what AWS would. Pure; depends on nothing.

pub mod aws;
pub mod kubernetes;
pub mod tags;
mod text;

pub use text::{Limit, Takes, Text, policy_length};

/// What about a text is not as a service takes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Too short or too long.
    #[error("{found} characters; {least} to {most} are possible")]
    Length {
        /// How many characters it has.
        found: usize,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// A character that cannot stand in it.
    #[error("{0:?} cannot stand in it")]
    Character(char),
    /// Something else, in a few words.
    #[error("{0}")]
    Form(&'static str),
}
