//! Creations in short form: one line each with its main attributes, and one line for those that differ only in their names.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use crate::engine::{Change, PlanMode, Value};
use crate::resource::MANIFEST;
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
            let told = [summary(group), why].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
            (addresses(group), told.join("; "))
        })
        .collect();
    let column = line::column(ADDRESS, rows.iter().map(|(name, _)| name.as_str()));
    rows.iter().flat_map(|(name, told)| row(changes[0], name, told, column, style)).collect()
}

fn row(change: &Change, name: &str, told: &str, column: usize, style: TextStyle) -> Vec<StyledLine> {
    let (sign, ink) = sign(change.action, PlanMode::Apply);
    let mut names = line::names(ADDRESS, TextRole::Strong, name, style).into_iter();
    let first = names.next().unwrap_or_default();
    // The sign is in the indent of the first line.
    let head = StyledLine::at(0).ink(ink, sign).plain(" ").then(first);
    let mut lines: Vec<StyledLine> = std::iter::once(head).chain(names).collect();
    line::tell(&mut lines, TextRole::Faint, told, column, style);
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

/// Returns the main attributes of a new object of this kind, in a few words.
fn detail(change: &Change) -> String {
    let after: BTreeMap<&str, &Value> = change
        .attributes
        .iter()
        .filter_map(|attribute| Some((attribute.name.as_str(), attribute.after.as_ref()?)))
        .collect();
    let told = |names: &[&str]| -> String {
        names.iter().filter_map(|name| after.get(name).map(|v| value::inline(v))).collect::<Vec<_>>().join(" ")
    };
    match change.address.kind() {
        "vpc" | "subnet" => told(&["cidr"]),
        "bucket" | "hosted-zone" => told(&["name"]),
        "volume" => format!("{} GiB {}", told(&["gib"]), told(&["volume_type"])),
        "launch-template" => told(&["instance_size", "image"]),
        "autoscaling-group" => machines(&after),
        "load-balancer" => told(&["scheme"]),
        "listener" => [told(&["protocol", "port"]), certificate(&after)].join(""),
        "target-group" => told(&["protocol", "port"]),
        "record" => told(&["record_type", "name"]),
        "security-group-rules" => rules(&after),
        "deployment" => pods(&after),
        "horizontal-pod-autoscaler" => range_of_pods(&after),
        "service" => told(&["spec.type"]),
        "persistent-volume-claim" => told(&["spec.resources.requests.storage"]),
        "manifest" => told(&["kind"]),
        _ => String::new(),
    }
}

fn machines(after: &BTreeMap<&str, &Value>) -> String {
    let number = |name: &str| match after.get(name) {
        Some(Value::Integer(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    match (number("desired"), number("min"), number("max")) {
        (Some(desired), ..) => words::count(desired, "machine"),
        (None, Some(min), Some(max)) => format!("{min} to {max} machines"),
        _ => String::new(),
    }
}

/// Returns the certificate that a listener presents to TLS clients.
fn certificate(after: &BTreeMap<&str, &Value>) -> String {
    let arn = after.get("certificate").and_then(|arn| arn.as_text());
    arn.map(|arn| format!(", {}", value::short_id(arn))).unwrap_or_default()
}

/// Returns the minimum and maximum number of pods of an autoscaler.
fn range_of_pods(after: &BTreeMap<&str, &Value>) -> String {
    let number = |name: &str| after.get(name).map(|number| value::inline(number));
    match (number("spec.minReplicas"), number("spec.maxReplicas")) {
        (Some(fewest), Some(most)) => format!("{fewest} to {most} pods"),
        _ => String::new(),
    }
}

/// Returns the number of pods and their image.
fn pods(after: &BTreeMap<&str, &Value>) -> String {
    let image =
        after.iter().find(|(name, _)| name.starts_with("spec.template.spec.containers[") && name.ends_with("].image"));
    let image = image.map(|(_, image)| value::inline(image)).unwrap_or_default();
    match after.get("spec.replicas") {
        Some(Value::Integer(1)) | None => image,
        Some(replicas) => format!("{} pods of {image}", value::inline(replicas)),
    }
}

/// Returns the number of rules, and the ranges of outside peers: groups and ids are the cluster's own.
fn rules(after: &BTreeMap<&str, &Value>) -> String {
    let items = |name: &str| match after.get(name) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let (ingress, egress) = (items("ingress"), items("egress"));
    let counts = format!("{} in, {} out", ingress.len(), egress.len());
    let mut outside: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (peer, what) in ingress.iter().filter_map(from_outside) {
        outside.entry(peer).or_default().insert(what);
    }
    let open = |(peer, what): (String, BTreeSet<String>)| {
        format!("{peer} ({})", what.into_iter().collect::<Vec<_>>().join(", "))
    };
    let outside: Vec<String> = outside.into_iter().map(open).collect();
    if outside.is_empty() { counts } else { format!("{counts}; open to {}", words::list(&outside)) }
}

/// Returns the range and the ports, such as `203.0.113.7/32` and `tcp 443`, if the rule's peer is a range.
fn from_outside(rule: &Value) -> Option<(String, String)> {
    let Value::Map(rule) = rule else { return None };
    let peer = rule.get("peer")?.as_text()?;
    let outside = if peer.contains(':') { peer.contains('/') } else { !is_private(peer.parse().ok()?) };
    let what = |name: &str| value::safe(rule.get(name).and_then(Value::as_text).unwrap_or_default());
    outside.then(|| (value::safe(peer), format!("{} {}", what("protocol"), what("ports"))))
}

/// Returns `true` if a range is never routed on the internet: RFC 1918, and RFC 6598, which contains pods and services.
fn is_private(range: Ipv4Net) -> bool {
    const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
    PRIVATE.iter().any(|net| net.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&range)))
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
