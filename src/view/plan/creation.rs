//! Creations in short form: one line each with its main attributes, and one line for those that differ only in their names.

use std::collections::BTreeMap;

use crate::engine::{Change, PlanMode};
use crate::resource::{self, MANIFEST};
use crate::view::line::{self, StyledLine, TextRole};
use crate::view::{TextStyle, value};
use crate::words;

use super::section::{reason, sign};

/// The column of the address.
const ADDRESS: usize = 4;
/// Returns the creations; those of one kind that differ only in their names are on one line.
pub(super) fn folded(changes: &[&Change], shared_reason: bool, style: TextStyle) -> Vec<StyledLine> {
    let key = |change: &Change| (change.address.kind().to_owned(), likeness(change), reason(&change.reason));
    let rows: Vec<(String, String)> = grouped(changes, key)
        .iter()
        .map(|group| {
            let why = if shared_reason { String::new() } else { reason(&group[0].reason) };
            let details = [summary(group), why].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
            (addresses(group), details.join("; "))
        })
        .collect();
    let column = line::column(ADDRESS, rows.iter().map(|(name, _)| name.as_str()));
    rows.iter().flat_map(|(name, details)| row(changes[0], name, details, column, style)).collect()
}

fn row(change: &Change, name: &str, details: &str, column: usize, style: TextStyle) -> Vec<StyledLine> {
    let (sign, ink) = sign(change.action, PlanMode::Apply);
    let mut names = line::names(ADDRESS, TextRole::Strong, name, style).into_iter();
    let first = names.next().unwrap_or_default();
    // The sign is in the indent of the first line.
    let head = StyledLine::at(0).ink(ink, sign).plain(" ").then(first);
    let mut lines: Vec<StyledLine> = std::iter::once(head).chain(names).collect();
    line::append(&mut lines, TextRole::Faint, details, column, style);
    lines
}

/// Returns what changes on one line have in common: all of an add-on's changes share a line.
fn likeness(change: &Change) -> String {
    if change.address.kind() == MANIFEST { addon(change).to_owned() } else { detail(change) }
}

/// Returns the add-on that an object belongs to.
fn addon(change: &Change) -> &str {
    let name = change.address.name();
    name.split_once('/').map_or(name, |(addon, _)| addon)
}

/// Returns the description of the changes on one line.
fn summary(group: &[&Change]) -> String {
    match group {
        [first, _, ..] if first.address.kind() == MANIFEST => types(group),
        [first, ..] => each(detail(first), group.len()),
        [] => String::new(),
    }
}

/// Returns the number of objects of each type: `CSIDriver, 2 ClusterRoles`.
fn types(group: &[&Change]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in group {
        *counts.entry(detail(change)).or_default() += 1;
    }
    let spoken = counts.into_iter().map(|(name, number)| if number == 1 { name } else { words::count(number, &name) });
    spoken.collect::<Vec<_>>().join(", ")
}

/// Returns the addresses: `subnet/us-east-1a`, `volume/{etcd-a, etcd-b}`; `manifest/ebs-csi-driver/*` for an add-on.
fn addresses(group: &[&Change]) -> String {
    let kind = group[0].address.kind();
    let names: Vec<String> = group.iter().map(|change| value::safe(change.address.name())).collect();
    match names.as_slice() {
        [only] => format!("{kind}/{only}"),
        _ if kind == MANIFEST => format!("{kind}/{}/*", value::safe(addon(group[0]))),
        many => format!("{kind}/{{{}}}", many.join(", ")),
    }
}

fn each(detail: String, number: usize) -> String {
    if number > 1 && !detail.is_empty() { detail + " each" } else { detail }
}

/// A short summary that distinguishes a new object, as its kind defines it.
fn detail(change: &Change) -> String {
    let new = change.attributes.iter().filter_map(|new| Some((new.name.as_str(), new.after.as_ref()?)));
    resource::summary(change.address.kind(), &new.collect())
}

/// Groups items with equal keys, in the order of the first of each.
fn grouped<'a, K: Ord + Clone, T>(items: &[&'a T], key: impl Fn(&T) -> K) -> Vec<Vec<&'a T>> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&T>> = Vec::new();
    for item in items {
        let place = *places.entry(key(item)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(item);
    }
    groups
}
