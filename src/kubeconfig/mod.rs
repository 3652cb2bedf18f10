//! Kubeconfigs: the files in which kubectl and similar tools find clusters. Pure: `cli` reads and writes them.

mod document;
mod entry;
mod error;
mod exec;
mod merge;
mod yaml;

#[cfg(test)]
mod tests;

pub use document::KubeconfigDocument;
pub use entry::{ExecPlugin, KubeconfigEntry, KubeconfigUser};
pub use error::KubeconfigError;
pub use exec::credential;
pub use merge::{FileChange, merge};
