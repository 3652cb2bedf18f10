//! YAML as kubectl reads it: by the rules of `sigs.k8s.io/yaml`, which are those of YAML 1.1 as `yaml.v2` has them.
//!
//! `0400` is 256, `yes` is true, a repeated key has its last value. The parser follows YAML 1.2; its events are interpreted
//! here. A table in `tests.rs` holds the results of `sigs.k8s.io/yaml` for each form.

mod compose;
mod scalar;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::Value as Json;

/// The documents of a text between two lines of three dashes, as JSON.
#[derive(Debug, Default)]
pub(super) struct YamlDocuments {
    /// The documents, also empty ones.
    pub values: Vec<Json>,
    /// Repeated keys of mappings, with their places in the text. The last value counts.
    pub repeated: Vec<(String, Range<usize>)>,
}

/// Error of a text that is not YAML that can be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct YamlError {
    /// The reason, as a short text.
    pub why: String,
    /// The place in the text.
    pub place: Range<usize>,
}

/// Parses every document of a text.
///
/// # Errors
/// Fails at the first part that cannot be read.
pub fn read_yaml(text: &str) -> Result<Vec<Json>, YamlError> {
    let mut values = Vec::new();
    for part in parts(text) {
        let documents = read_part(&text[part.clone()]).map_err(|error| YamlError {
            place: part.start + error.place.start..part.start + error.place.end,
            ..error
        })?;
        values.extend(documents.values);
    }
    Ok(values)
}

/// Parses the text between two lines of three dashes: one document, rarely more.
///
/// # Errors
/// Fails at the first part that cannot be read.
pub(super) fn read_part(text: &str) -> Result<YamlDocuments, YamlError> {
    compose::compose(text)
}

/// Splits a text where kubectl does: at lines of three dashes with nothing but a comment after them.
pub(super) fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut next) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.strip_prefix("---").map(str::trim).is_some_and(|rest| rest.is_empty() || rest.starts_with('#')) {
            parts.push(start..next);
            start = next + line.len();
        }
        next += line.len();
    }
    parts.push(start..next);
    parts
}
