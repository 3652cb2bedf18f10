//! Kubeconfigs: the files by which kubectl and its kin know clusters. Pure: reading and writing them is `cli`'s.

mod document;
mod entry;
mod error;
mod exec;
mod merge;
mod yaml;

#[cfg(test)]
mod tests;

pub use document::Document;
pub use entry::{Entry, Plugin, User};
pub use error::KubeconfigError;
pub use exec::credential;
pub use merge::{Change, merge};
