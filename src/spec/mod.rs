//! The user's input: HCL and TOML become one tree with positions, then a [`Cluster`]. Pure.
//!
//! ```text
//! text ──hcl, toml──▶ tree ──shape──▶ file ──rules──▶ Cluster
//! ```
//!
//! Each step reports problems and passes on the rest, so [`parse`] finds every problem in
//! one pass. Where a value is missing there is an [`ErrorReported`], which only reporting an error makes: a file without a
//! cluster and without an error cannot be. Messages are values ([`Diagnostic`]) until [`render`] makes text of them.

mod cluster;
mod defaults;
mod diagnostic;
mod draft;
mod file;
mod hcl;
mod image;
mod instance;
mod kops;
mod kubernetes_version;
#[cfg(test)]
pub(crate) mod living;
mod location;
mod manifest;
mod name;
mod node_group;
#[cfg(test)]
mod reference;
mod render;
mod rules;
mod schema;
mod service;
mod shape;
mod sink;
mod source;
mod spanned;
mod toml;
mod tree;
mod yaml;
mod zone;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use cluster::*;
pub use defaults::{parts_of_public, subnet_parts};
pub use diagnostic::{Diagnostic, Severity};
pub use draft::{
    ClusterDraft, DraftProblem, DraftSetting, DraftValue, MASTER_SIZE, MASTERS, NODE_GROUP, NODE_SIZE, NODES,
    WrittenDraft, default_state,
};
pub use image::ImageError;
pub use instance::SizeError;
pub use kops::{KopsConversion, KopsDifference, KopsError, from_kops};
pub use kubernetes_version::{KubernetesRelease, KubernetesReleaseError, KubernetesVersion};
pub use location::{BucketError, LocationError};
pub use manifest::{NamespaceScope, absent_manifest, check_manifest, unfolded};
pub use name::{LabelError, NameError};
pub use node_group::*;
pub use render::render;
pub(crate) use rules::quota::InboundRules;
pub use rules::{Rule, rule, rules};
pub use schema::schema;
#[cfg(test)]
pub(crate) use schema::tidy;
pub use service::*;
pub use sink::ErrorReported;
pub use source::{SourceText, TextPosition};
pub use yaml::{YamlError, read_yaml};
pub use zone::ZoneError;

use file::ClusterFile;
use shape::FileLanguage;
use sink::DiagnosticSink;
use tree::FileTable;

/// Maximum size of a file, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The cluster of a cluster file, and the problems of the file.
#[derive(Debug, Clone)]
pub struct ParsedFile {
    /// The cluster, or the proof that there is an error among the diagnostics.
    pub cluster: Result<Cluster, ErrorReported>,
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
    let mut sink = DiagnosticSink::default();
    let mut manifests = BTreeMap::new();
    let cluster = read(&source, variables, &mut sink).and_then(|(file, language)| {
        manifests = file.manifests();
        rules::lower(&file, language, &mut sink)
    });
    let (cluster, mut diagnostics) = sink.finish(cluster);
    for diagnostic in &mut diagnostics {
        diagnostic.locate(&source);
    }
    diagnostics.sort_by_key(|problem| (problem.span.start, problem.span.end));
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

/// The file's settings, each with its place.
fn read(
    source: &SourceText,
    variables: &BTreeMap<String, String>,
    sink: &mut DiagnosticSink,
) -> Result<(ClusterFile, FileLanguage), ErrorReported> {
    let language = language(source, sink)?;
    if source.text().len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes");
        return Err(sink.error(Diagnostic::new(&rules::file::TOO_LARGE, 0..0, message)));
    }
    let mut tree = tree(source.text(), language, variables, sink)?;
    shape::check(&mut tree, schema(), language, sink);
    Ok((ClusterFile::from_table(&tree, sink), language))
}

fn language(source: &SourceText, sink: &mut DiagnosticSink) -> Result<FileLanguage, ErrorReported> {
    let extension = source.name().rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    match extension.as_deref() {
        Some("hcl") => Ok(FileLanguage::Hcl),
        Some("toml") => Ok(FileLanguage::Toml),
        _ => {
            let message = format!("the name {:?} ends in neither .hcl nor .toml", source.name());
            Err(sink.error(Diagnostic::new(&rules::file::FORMAT, 0..0, message).expected([".hcl", ".toml"])))
        }
    }
}

fn tree(
    text: &str,
    language: FileLanguage,
    variables: &BTreeMap<String, String>,
    sink: &mut DiagnosticSink,
) -> Result<FileTable, ErrorReported> {
    match language {
        FileLanguage::Hcl => hcl::parse(text, variables, sink),
        FileLanguage::Toml => {
            for name in variables.keys() {
                let message = format!("a value was given for the variable `{name}`, and TOML has no variables");
                let problem = Diagnostic::new(&rules::file::UNDECLARED, 0..0, message);
                sink.error(problem.help("use an HCL file for variables"));
            }
            toml::parse(text, sink)
        }
    }
}
