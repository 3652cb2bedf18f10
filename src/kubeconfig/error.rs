//! What can be wrong with a kubeconfig.

/// Why a text is no kubeconfig that can be changed. It never shows what is in it: there may be passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// It is no YAML.
    #[error("it is not one document of YAML{}", .line.map(|line| format!(" (line {line})")).unwrap_or_default())]
    Yaml {
        /// Where it stops making sense.
        line: Option<u64>,
    },
    /// It is YAML of another shape.
    #[error("`{0}` in it is not what it is in a kubeconfig")]
    Shape(&'static str),
    /// It has no form as YAML.
    #[error("it cannot be written as YAML")]
    Unwritable,
}
