//! The rules: requirements on a cluster file beyond its types, each with a code and an explanation.
//!
//! A rule's text stands next to its check. To add a rule, add a `Rule`, its check, and a line in its
//! module's `RULES`.

mod access;
pub(super) mod addons;
mod balancers;
mod cidr;
mod cluster;
mod dns;
mod environment;
pub(super) mod file;
mod image;
mod listeners;
mod masters;
mod network;
mod nodes;
mod placement;
mod pods;
mod ports;
pub(super) mod quota;
mod services;
mod sharing;
mod size;
mod tags;
mod zones;

use super::cluster::Zone;
use super::diagnostic::{Diagnostic, Severity};
use super::file::ClusterFile;
use super::shape::FileLanguage;
use super::source::Span;
use super::tree::{FileNode, FileTable, FileValue};

/// A rule of the cluster file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The code, for example `Q0401`.
    pub code: &'static str,
    /// Severity of a breach.
    pub severity: Severity,
    /// Short title of the rule.
    pub title: &'static str,
    /// Reason for the rule, and the fix.
    pub explanation: &'static str,
    /// HCL that breaks the rule.
    pub bad: &'static str,
    /// HCL that follows the rule.
    pub good: &'static str,
}

/// Every rule, by code.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let modules: [&[&Rule]; 19] = [
        &file::RULES,
        &cluster::RULES,
        &zones::RULES,
        &dns::RULES,
        &tags::RULES,
        &network::RULES,
        &masters::RULES,
        &nodes::RULES,
        &access::RULES,
        &quota::RULES,
        &services::RULES,
        &environment::RULES,
        &ports::RULES,
        &balancers::RULES,
        &listeners::RULES,
        &pods::RULES,
        &placement::RULES,
        &sharing::RULES,
        &addons::RULES,
    ];
    modules.into_iter().flatten().copied()
}

/// Returns the rule with a code, in upper or lower case.
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// Checks everything that the schema cannot express.
pub(super) fn check(file: &ClusterFile, tree: &FileTable, language: FileLanguage) -> Vec<Diagnostic> {
    let mut check = FileCheck { file, tree, language, zones: zones::listed(file), found: Vec::new() };
    cluster::check(&mut check);
    zones::check(&mut check);
    dns::check(&mut check);
    tags::check(&mut check);
    network::check(&mut check);
    masters::check(&mut check);
    nodes::check(&mut check);
    access::check(&mut check);
    services::check(&mut check);
    quota::check(&mut check);
    sharing::hint(&mut check);
    check.found
}

/// A cluster file that is being checked.
struct FileCheck<'f> {
    file: &'f ClusterFile,
    tree: &'f FileTable,
    language: FileLanguage,
    /// The zones that are well formed, each once, in file order.
    zones: Vec<Zone>,
    found: Vec<Diagnostic>,
}

impl FileCheck<'_> {
    /// Adds a problem.
    fn report(&mut self, problem: Diagnostic) {
        self.found.push(problem);
    }

    /// Returns a problem with the value at a path.
    fn at(&self, rule: &Rule, path: &[&str], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(rule, self.tree.span(path), message)
    }

    /// Returns a problem with the name at a path.
    fn at_key(&self, rule: &Rule, path: &[&str], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(rule, self.tree.key_span(path), message)
    }

    /// Returns the place of the value at a path, if the file has one.
    fn span(&self, path: &[&str]) -> Option<Span> {
        self.tree.find(path).map(|node| node.span.clone())
    }

    /// Returns the texts of a list, each with its place.
    fn texts(&self, path: &[&str]) -> Vec<(String, Span)> {
        let Some(FileNode { value: FileValue::List(items), .. }) = self.tree.find(path) else {
            return Vec::new();
        };
        let text = |item: &FileNode| match &item.value {
            FileValue::String(text) => Some((text.clone(), item.span.clone())),
            _ => None,
        };
        items.iter().filter_map(text).collect()
    }

    /// Returns a table or block on one line, as the file's language writes it.
    fn block(&self, name: &str, body: &str) -> String {
        match self.language {
            FileLanguage::Hcl => format!("{name} {{ {body} }}"),
            FileLanguage::Toml => format!("{name} = {{ {body} }}"),
        }
    }

    /// Returns the zones as a list, for samples.
    fn zone_list(&self) -> Vec<String> {
        self.zones.iter().map(|zone| format!("{:?}", zone.as_str())).collect()
    }
}
