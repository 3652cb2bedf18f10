//! Changes of recorded versions.

use std::fmt;

/// A component with another version than the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// The component, for example `Kubernetes`.
    pub component: String,
    /// The recorded version.
    pub from: String,
    /// The other version: the newest one, or that of a plan.
    pub to: String,
}

impl VersionChange {
    /// The name of Kubernetes among the components.
    pub const KUBERNETES: &'static str = "Kubernetes";
}

impl fmt::Display for VersionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.component, self.from, self.to)
    }
}
