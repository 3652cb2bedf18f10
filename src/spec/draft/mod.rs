//! A cluster file that is to be written: its settings with their origins, and its text with comments, in HCL or TOML.
//!
//! The written text is read again by [`parse`], so a draft is checked by the rules of every cluster file.

mod template;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostic;
use super::shape::FileLanguage;
use super::source::Span;
use super::{Cluster, ParsedFile, StateLocation, parse};
use writer::DraftWriter;

/// The default size of the masters of a new file.
pub const MASTER_SIZE: &str = "t3.medium";
/// The default size of the nodes of a new file.
pub const NODE_SIZE: &str = "t3.large";
/// The default number of masters of a new file: one in each of three zones.
pub const MASTERS: u32 = 3;
/// The default number of nodes of a new file.
pub const NODES: u32 = 3;
/// The name of the node group of a new file.
pub const NODE_GROUP: &str = "workers";

/// A value in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftValue {
    /// A string.
    Text(String),
    /// A whole number.
    Number(u32),
    /// `true` or `false`.
    Switch(bool),
    /// A list of strings.
    Texts(Vec<String>),
    /// A table of strings.
    Table(BTreeMap<String, String>),
}

/// A setting of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftSetting {
    /// The value.
    pub value: DraftValue,
    /// The origin of the value, for messages: a flag, or a field of another tool's file.
    pub origin: String,
}

/// A cluster file that is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterDraft {
    /// The settings, by their paths: `masters`, `count`.
    settings: BTreeMap<Vec<String>, DraftSetting>,
    /// Comments at the end of the file, a paragraph each.
    remarks: Vec<String>,
}

/// A problem of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftProblem {
    /// The path of the setting; empty for the file as a whole.
    pub path: Vec<String>,
    /// The origin of the setting; empty for the file as a whole.
    pub origin: String,
    /// The problem and its fix, in one sentence.
    pub message: String,
    /// The code of the rule.
    pub code: &'static str,
}

/// The text of a draft, and the cluster that it describes.
#[derive(Debug, Clone)]
pub struct WrittenDraft {
    /// The text of the file.
    pub text: String,
    /// The cluster.
    pub cluster: Cluster,
    /// The same file, parsed: with its warnings and hints.
    pub parsed: ParsedFile,
}

impl ClusterDraft {
    /// Sets a setting. A later value replaces an earlier one.
    pub fn set(&mut self, path: &[&str], value: impl Into<DraftValue>, origin: impl Into<String>) {
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        self.settings.insert(path, DraftSetting { value: value.into(), origin: origin.into() });
    }

    /// Sets a setting unless it is set.
    pub fn set_default(&mut self, path: &[&str], value: impl Into<DraftValue>, origin: impl Into<String>) {
        if self.get(path).is_none() {
            self.set(path, value, origin);
        }
    }

    /// Returns a setting.
    pub fn get(&self, path: &[&str]) -> Option<&DraftSetting> {
        self.settings.iter().find(|(known, _)| known.as_slice() == path).map(|(_, setting)| setting)
    }

    /// Removes a setting.
    pub fn remove(&mut self, path: &[&str]) -> Option<DraftSetting> {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        self.settings.remove(&path)
    }

    /// Adds a comment at the end of the file.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(text.into());
    }

    /// Fills in what a file needs and the draft leaves out, except the name and the zones. `origin` returns the origin of
    /// the default for a setting.
    pub fn complete(&mut self, origin: impl Fn(&str) -> String) {
        if let Some(DraftSetting { value: DraftValue::Text(name), .. }) = self.get(&["name"]) {
            let state = default_state(name);
            self.set_default(&["state"], state, origin("state"));
        }
        self.set_default(&["masters", "count"], MASTERS, origin("masters"));
        self.set_default(&["masters", "size"], MASTER_SIZE, origin("size"));
        let groups = self.settings.keys().filter(|path| path.len() > 2 && path[0] == "nodes");
        let groups: BTreeSet<String> = groups.map(|path| path[1].clone()).collect();
        if groups.is_empty() {
            self.set(&["nodes", NODE_GROUP, "count"], NODES, origin("nodes"));
            self.set(&["nodes", NODE_GROUP, "size"], NODE_SIZE, origin("node-size"));
        }
        for group in groups {
            if ["count", "min", "max"].iter().all(|number| self.get(&["nodes", &group, number]).is_none()) {
                self.set(&["nodes", &group, "count"], NODES, origin("nodes"));
            }
            self.set_default(&["nodes", &group, "size"], NODE_SIZE, origin("node-size"));
        }
    }

    /// Writes the file and reads it again. The extension of `file_name` selects the language.
    ///
    /// # Errors
    /// Returns the errors of the file, each with the origin of the setting.
    pub fn write(&self, file_name: &str) -> Result<WrittenDraft, Vec<DraftProblem>> {
        let is_toml = file_name.to_lowercase().ends_with(".toml");
        let language = if is_toml { FileLanguage::Toml } else { FileLanguage::Hcl };
        let (text, places) = DraftWriter::new(self, language).write(file_name);
        let parsed = parse(file_name, &text, &BTreeMap::new());
        if let Ok(cluster) = &parsed.cluster {
            return Ok(WrittenDraft { text, cluster: cluster.clone(), parsed });
        }
        let errors = parsed.diagnostics.iter().filter(|problem| problem.is_error());
        Err(errors.map(|error| self.problem(error, &places)).collect())
    }

    /// Returns the problem of the setting that was written where the diagnostic is.
    fn problem(&self, diagnostic: &Diagnostic, places: &[(Span, Vec<String>)]) -> DraftProblem {
        let found = places.iter().filter(|(place, _)| place.contains(&diagnostic.span.start));
        let path = found.min_by_key(|(place, _)| place.len()).map(|(_, path)| path.clone()).unwrap_or_default();
        // An error at the head of a block belongs to the first setting in it.
        let setting = self.settings.iter().find(|(known, _)| known.starts_with(&path) && !path.is_empty());
        // In a sentence, a label adds nothing that the message says already.
        let label = diagnostic.label.iter().filter(|label| !diagnostic.message.contains(label.as_str()));
        let label = label.map(|label| format!(": {label}"));
        let expected = match diagnostic.expected.as_slice() {
            [] => None,
            [only] => Some(format!("; expected {only}")),
            several => Some(format!("; expected one of {}", several.join(", "))),
        };
        let help = diagnostic.help.iter().map(|help| format!("; {help}"));
        DraftProblem {
            origin: setting.map(|(_, setting)| setting.origin.clone()).unwrap_or_default(),
            path,
            message: std::iter::once(diagnostic.message.clone()).chain(label).chain(expected).chain(help).collect(),
            code: diagnostic.code,
        }
    }
}

/// Returns the default location of the state: `s3://state.NAME`, or `s3://NAME` for a name that is too long for it.
pub fn default_state(name: &str) -> String {
    let state = format!("s3://state.{name}");
    let alone = format!("s3://{name}");
    if StateLocation::parse(&state).is_err() && StateLocation::parse(&alone).is_ok() { alone } else { state }
}

impl From<&str> for DraftValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for DraftValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for DraftValue {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for DraftValue {
    fn from(on: bool) -> Self {
        Self::Switch(on)
    }
}

impl From<Vec<String>> for DraftValue {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<BTreeMap<String, String>> for DraftValue {
    fn from(table: BTreeMap<String, String>) -> Self {
        Self::Table(table)
    }
}
