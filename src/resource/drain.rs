//! The progress of a machine's drain.

/// The progress of a machine's drain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrainProgress {
    /// No pod is left that could run elsewhere.
    Done,
    /// Pods are moving; the text names their number.
    Moving(String),
    /// A disruption budget does not allow an eviction now; the text names the pod and the budget.
    Blocked(String),
}
