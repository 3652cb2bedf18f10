//! A problem in a cluster file: its place, the rule, the message and the fix.

use serde::Serialize;

use super::rules::Rule;
use super::source::{SourceText, Span};

/// Severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file does not describe a cluster.
    Error,
    /// The file describes a cluster, but perhaps not the intended one.
    Warning,
    /// The file describes a cluster, and only its author knows whether it is the intended one.
    Hint,
}

impl Severity {
    /// Returns the name in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

/// A problem in a cluster file. Its JSON form is for editors and CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The rule's code, for `quorate explain`.
    pub code: &'static str,
    /// Severity of the problem.
    pub severity: Severity,
    /// The message: a fragment in lower case, without a full stop.
    pub message: String,
    /// The file's name, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, counted in characters.
    pub column: usize,
    /// Values that would be valid in this place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// Facts that explain the problem.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Suggested fixes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// The bytes that the caret underlines.
    #[serde(skip)]
    pub span: Span,
    /// Label beside the caret.
    #[serde(skip)]
    pub label: Option<String>,
    /// Other places that matter, each with a label.
    #[serde(skip)]
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// Creates a problem with a rule at a place; [`Diagnostic::locate`] fills in file, line and column.
    pub(super) fn new(rule: &Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            code: rule.code,
            severity: rule.severity,
            message: message.into(),
            file: String::new(),
            line: 1,
            column: 1,
            expected: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            span,
            label: None,
            related: Vec::new(),
        }
    }

    /// Adds a label beside the caret.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds values that would be valid in this place.
    pub(super) fn expected<T: Into<String>>(mut self, set: impl IntoIterator<Item = T>) -> Self {
        self.expected.extend(set.into_iter().map(Into::into));
        self
    }

    /// Adds a fact.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a suggested fix.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds "did you mean" if one of the candidates is similar to the written text.
    pub(super) fn did_you_mean<'a>(self, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        self.did_you_mean_as(written, candidates, |candidate| format!("`{candidate}`"))
    }

    /// Adds the same, with the candidate as it would be written in the file.
    pub(super) fn did_you_mean_as<'a>(
        self,
        written: &str,
        candidates: impl IntoIterator<Item = &'a str>,
        as_written: impl Fn(&str) -> String,
    ) -> Self {
        match nearest(written, candidates) {
            Some(candidate) => self.help(format!("did you mean {}?", as_written(candidate))),
            None => self,
        }
    }

    /// Adds another place that matters.
    pub(super) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Fills in file, line and column, and cuts every span to the text.
    pub(super) fn locate(&mut self, source: &SourceText) {
        self.span = source.clamp(&self.span);
        for (span, _) in &mut self.related {
            *span = source.clamp(span);
        }
        let position = source.position(self.span.start);
        source.name().clone_into(&mut self.file);
        self.line = position.line;
        self.column = position.column;
    }

    /// Returns `true` if the problem is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Returns the candidate that was most likely meant.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Text longer than any setting's name cannot be a typing mistake, and comparing it costs time.
    if written.len() > 64 {
        return None;
    }
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&written, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_and_nothing_else() {
        let names = ["masters", "nodes", "network"];
        assert_eq!(nearest("mastres", names), Some("masters"));
        assert_eq!(nearest("Master", names), Some("masters"));
        assert_eq!(nearest("netwrok", names), Some("network"));
        assert_eq!(nearest("bastion", names), None);
        assert_eq!(nearest(&"m".repeat(1000), names), None);
    }
}
