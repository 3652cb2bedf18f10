//! The errors of a kubeconfig.

/// The reason why a kubeconfig cannot be changed. It never shows the contents, which may include passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// The text is not valid YAML.
    #[error("it is not one document of YAML{}", .line.map(|line| format!(" (line {line})")).unwrap_or_default())]
    Yaml {
        /// The line of the error.
        line: Option<u64>,
    },
    /// The YAML has another structure.
    #[error("`{0}` in it is not what it is in a kubeconfig")]
    Shape(&'static str),
    /// The kubeconfig cannot be represented in YAML.
    #[error("it cannot be written as YAML")]
    Unwritable,
}
