//! Collects what is wrong with a file, and proves it: where a value is missing, an error was reported.

use super::diagnostic::{Diagnostic, Severity};

/// Proof that an error was reported. Only a [`DiagnosticSink`] makes it, so a function that returns
/// `Result<T, ErrorReported>` contains a value, or the error was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReported(());

/// The diagnostics of one file, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct DiagnosticSink {
    found: Vec<Diagnostic>,
}

impl DiagnosticSink {
    /// Reports an error.
    pub(super) fn error(&mut self, problem: Diagnostic) -> ErrorReported {
        self.found.push(Diagnostic { severity: Severity::Error, ..problem });
        ErrorReported(())
    }

    /// Reports a warning or a hint.
    pub(super) fn warn(&mut self, problem: Diagnostic) {
        self.found.push(problem);
    }

    /// Takes over what was found elsewhere.
    pub(super) fn extend(&mut self, problems: impl IntoIterator<Item = Diagnostic>) {
        self.found.extend(problems);
    }

    /// The proof, if an error was reported already.
    pub(super) fn reported(&self) -> Option<ErrorReported> {
        self.found.iter().any(Diagnostic::is_error).then_some(ErrorReported(()))
    }

    /// For what follows from an earlier error: reports `problem` only when there is none.
    pub(super) fn reported_or(&mut self, problem: impl FnOnce() -> Diagnostic) -> ErrorReported {
        match self.reported() {
            Some(proof) => proof,
            None => self.error(problem()),
        }
    }

    /// The value, unless any error was reported; and everything that was found.
    pub(super) fn finish<T>(self, value: Result<T, ErrorReported>) -> (Result<T, ErrorReported>, Vec<Diagnostic>) {
        let value = match self.reported() {
            Some(proof) => Err(proof),
            None => value,
        };
        (value, self.found)
    }
}

/// All of the values, or the proof that one is missing. Every reader runs, so that every error is found.
pub(super) fn all<T, C: FromIterator<T>>(
    values: impl IntoIterator<Item = Result<T, ErrorReported>>,
) -> Result<C, ErrorReported> {
    let values: Vec<_> = values.into_iter().collect();
    values.into_iter().collect()
}
