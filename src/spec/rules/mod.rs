//! The rules: what a cluster file must say beyond its types, each with a code and an explanation.
//!
//! A rule's text stands beside its check. Adding one is a `Rule`, its check, and a line in its
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
use super::shape::Language;
use super::source::Span;
use super::tree::{Node, Table, Value};

/// A rule of the cluster file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The code, for example `Q0401`.
    pub code: &'static str,
    /// What a breach is.
    pub severity: Severity,
    /// The rule in a few words.
    pub title: &'static str,
    /// Why it is one, and what to do.
    pub explanation: &'static str,
    /// HCL that breaks it.
    pub bad: &'static str,
    /// HCL that keeps it.
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

/// The rule with a code, in any case.
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// Checks everything that the schema cannot say.
pub(super) fn check(file: &ClusterFile, tree: &Table, language: Language) -> Vec<Diagnostic> {
    let mut check = Check { file, tree, language, zones: zones::listed(file), found: Vec::new() };
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

/// A file under check.
struct Check<'f> {
    file: &'f ClusterFile,
    tree: &'f Table,
    language: Language,
    /// The zones that are well formed, each once, in file order.
    zones: Vec<Zone>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    /// Adds a problem.
    fn report(&mut self, problem: Diagnostic) {
        self.found.push(problem);
    }

    /// A problem with the value at a path.
    fn at(&self, rule: &Rule, path: &[&str], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(rule, self.tree.span(path), message)
    }

    /// A problem with the name at a path.
    fn at_key(&self, rule: &Rule, path: &[&str], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(rule, self.tree.key_span(path), message)
    }

    /// The place of the value at a path, when the file has one.
    fn span(&self, path: &[&str]) -> Option<Span> {
        self.tree.find(path).map(|node| node.span.clone())
    }

    /// The texts of a list, each with its place.
    fn texts(&self, path: &[&str]) -> Vec<(String, Span)> {
        let Some(Node { value: Value::List(items), .. }) = self.tree.find(path) else {
            return Vec::new();
        };
        let text = |item: &Node| match &item.value {
            Value::String(text) => Some((text.clone(), item.span.clone())),
            _ => None,
        };
        items.iter().filter_map(text).collect()
    }

    /// A table or block on one line, as the file's language writes it.
    fn block(&self, name: &str, body: &str) -> String {
        match self.language {
            Language::Hcl => format!("{name} {{ {body} }}"),
            Language::Toml => format!("{name} = {{ {body} }}"),
        }
    }

    /// The zones as a list, for samples.
    fn zone_list(&self) -> Vec<String> {
        self.zones.iter().map(|zone| format!("{:?}", zone.as_str())).collect()
    }
}
