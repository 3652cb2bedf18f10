//! The user's input: HCL and TOML become one tree with positions, then a [`Cluster`]. Pure.
//!
//! ```text
//! text ──hcl, toml──▶ tree ──shape──▶ file ──rules──▶ file ──complete──▶ Cluster
//! ```
//!
//! Each step reports problems and passes on the rest, so [`parse`] finds every problem in
//! one pass. Messages are values ([`Diagnostic`]) until [`render`] converts them to text.

mod cluster;
mod complete;
mod defaults;
mod diagnostic;
mod file;
mod hcl;
mod image;
mod instance;
#[cfg(test)]
pub(crate) mod living;
mod location;
mod manifest;
mod name;
#[cfg(test)]
mod reference;
mod render;
mod rules;
mod schema;
mod service;
mod shape;
mod source;
mod toml;
mod tree;
mod yaml;
mod zone;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use cluster::*;
pub use defaults::subnet_parts;
pub use diagnostic::{Diagnostic, Severity};
pub use image::ImageError;
pub use instance::SizeError;
pub use location::{BucketError, LocationError};
pub use manifest::{NamespaceScope, absent_manifest, check_manifest, unfolded};
pub use name::{LabelError, NameError};
pub use render::render;
#[cfg(test)]
pub(crate) use rules::quota::InboundRules;
pub use rules::{Rule, rule, rules};
pub use schema::schema;
pub use service::*;
pub use source::{SourceText, TextPosition};
pub use yaml::{YamlError, read_yaml};
pub use zone::ZoneError;

use file::ClusterFile;
use shape::FileLanguage;
use tree::FileTable;

/// Maximum size of a file, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The cluster of a cluster file, and the problems of the file.
#[derive(Debug, Clone)]
pub struct ParsedFile {
    /// The cluster, unless there are errors.
    pub cluster: Option<Cluster>,
    /// The manifest path of each add-on, relative to the file's own directory; also of a file with errors.
    pub manifests: BTreeMap<String, PathBuf>,
    /// Every problem, in file order.
    pub diagnostics: Vec<Diagnostic>,
    /// The file, for [`render`].
    pub source: SourceText,
}

/// Parses a cluster file: HCL or TOML, by its extension.
///
/// `variables` are the values given from outside for the file's variables, as text.
///
/// Pure, and total: every text has a result, and no text causes a panic.
pub fn parse(file_name: &str, text: &str, variables: &BTreeMap<String, String>) -> ParsedFile {
    let source = SourceText::new(file_name, text);
    let mut diagnostics = Vec::new();
    let file = read(&source, variables, &mut diagnostics);
    for diagnostic in &mut diagnostics {
        diagnostic.locate(&source);
    }
    diagnostics.sort_by_key(|problem| (problem.span.start, problem.span.end));
    let right = file.as_ref().filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    let cluster = right.and_then(complete::cluster);
    let manifests = file.as_ref().map(complete::manifests).unwrap_or_default();
    ParsedFile { cluster, manifests, diagnostics, source }
}

impl ParsedFile {
    /// Renders the problems as text, for a terminal of `width` columns.
    pub fn render(&self, color: bool, width: usize) -> String {
        render(&self.diagnostics, &self.source, color, width)
    }

    /// Returns `true` if there is an error; then there is no cluster.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

fn read(
    source: &SourceText,
    variables: &BTreeMap<String, String>,
    problems: &mut Vec<Diagnostic>,
) -> Option<ClusterFile> {
    let language = language(source, problems)?;
    if source.text().len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes");
        problems.push(Diagnostic::new(&rules::file::TOO_LARGE, 0..0, message));
        return None;
    }
    let mut tree = tree(source.text(), language, variables, problems)?;
    shape::check(&mut tree, schema(), language, problems);
    let file: ClusterFile = match serde_json::from_value(tree.to_json()) {
        Ok(file) => file,
        // The shape is checked against the schema of the same type, so this is a bug of ours; it
        // is still better to say something than to stop.
        Err(error) => {
            problems.push(Diagnostic::new(&rules::file::TYPE, 0..0, error.to_string()));
            return None;
        }
    };
    problems.extend(rules::check(&file, &tree, language));
    Some(file)
}

fn language(source: &SourceText, problems: &mut Vec<Diagnostic>) -> Option<FileLanguage> {
    let extension = source.name().rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    match extension.as_deref() {
        Some("hcl") => Some(FileLanguage::Hcl),
        Some("toml") => Some(FileLanguage::Toml),
        _ => {
            let name = source.name();
            let message = format!("the name {name:?} says neither HCL nor TOML");
            problems.push(Diagnostic::new(&rules::file::FORMAT, 0..0, message).expected([".hcl", ".toml"]));
            None
        }
    }
}

fn tree(
    text: &str,
    language: FileLanguage,
    variables: &BTreeMap<String, String>,
    problems: &mut Vec<Diagnostic>,
) -> Option<FileTable> {
    match language {
        FileLanguage::Hcl => hcl::parse(text, variables, problems),
        FileLanguage::Toml => {
            for name in variables.keys() {
                let message = format!("a value was given for the variable `{name}`, and TOML has no variables");
                let problem = Diagnostic::new(&rules::file::UNDECLARED, 0..0, message);
                problems.push(problem.help("use an HCL file for variables"));
            }
            toml::parse(text, problems)
        }
    }
}
