//! YAML as kubectl reads it: by the rules of `sigs.k8s.io/yaml`, which are those of YAML 1.1 as `yaml.v2` has them.
//!
//! `0400` is 256, `yes` is true, a repeated key has its last value. The parser is that of YAML 1.2; what its events mean is
//! decided here. A table in `tests.rs` holds what `sigs.k8s.io/yaml` makes of each form.

mod compose;
mod scalar;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::Value as Json;

/// The documents of a text between two lines of three dashes, as JSON.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// The documents, also empty ones.
    pub values: Vec<Json>,
    /// The keys that a mapping has already, at their places in the text. The last value counts.
    pub repeated: Vec<(String, Range<usize>)>,
}

/// Why a text is not YAML that can be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct YamlError {
    /// What is wrong, in a few words.
    pub why: String,
    /// Where.
    pub place: Range<usize>,
}

/// Reads every document of a text.
///
/// # Errors
/// The first thing that cannot be read.
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

/// Reads what stands between two lines of three dashes: one document, rarely more.
///
/// # Errors
/// The first thing that cannot be read.
pub(super) fn read_part(text: &str) -> Result<Documents, YamlError> {
    compose::compose(text)
}

/// Parts a text where kubectl does: at lines of three dashes with nothing but a comment behind them.
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
