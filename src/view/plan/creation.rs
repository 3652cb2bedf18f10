//! Creations in short: one line each with what tells it apart, and one line for those that nothing tells apart.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use crate::engine::{Change, Mode, Value};
use crate::resource::MANIFEST;
use crate::view::line::{self, Ink, Line};
use crate::view::{Style, value};
use crate::words;

use super::section::{reason, sign};

/// Where the address starts.
const ADDRESS: usize = 4;
/// Creations, those of one kind that are told apart by nothing but their names on one line.
pub(super) fn folded(changes: &[&Change], shared_reason: bool, style: Style) -> Vec<Line> {
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

fn row(change: &Change, name: &str, told: &str, column: usize, style: Style) -> Vec<Line> {
    let (sign, ink) = sign(change.action, Mode::Apply);
    let mut names = line::names(ADDRESS, Ink::Strong, name, style).into_iter();
    let first = names.next().unwrap_or_default();
    // The sign stands in the indent of the first line.
    let head = Line::at(0).ink(ink, sign).plain(" ").then(first);
    let mut lines: Vec<Line> = std::iter::once(head).chain(names).collect();
    line::tell(&mut lines, Ink::Faint, told, column, style);
    lines
}

/// What changes have in common that stand on one line: all of an add-on's do.
fn likeness(change: &Change) -> String {
    if change.address.kind() == MANIFEST { addon(change).to_owned() } else { detail(change) }
}

/// The add-on that an object belongs to.
fn addon(change: &Change) -> &str {
    let name = change.address.name();
    name.split_once('/').map_or(name, |(addon, _)| addon)
}

/// What is told of changes on one line.
fn summary(group: &[&Change]) -> String {
    match group {
        [first, _, ..] if first.address.kind() == MANIFEST => types(group),
        [first, ..] => each(detail(first), group.len()),
        [] => String::new(),
    }
}

/// How many objects of which types: `CSIDriver, 2 ClusterRoles`.
fn types(group: &[&Change]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in group {
        *counts.entry(detail(change)).or_default() += 1;
    }
    let spoken = counts.into_iter().map(|(name, number)| if number == 1 { name } else { words::count(number, &name) });
    spoken.collect::<Vec<_>>().join(", ")
}

/// `subnet/us-east-1a`, or `volume/{etcd-a, etcd-b}` for several; `manifest/ebs-csi-driver/*` for those of an add-on.
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

/// What a person wants to know of a new object of this kind, in a few words.
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

/// What a listener shows who connects by TLS.
fn certificate(after: &BTreeMap<&str, &Value>) -> String {
    let arn = after.get("certificate").and_then(|arn| arn.as_text());
    arn.map(|arn| format!(", {}", value::short_id(arn))).unwrap_or_default()
}

/// Between how many pods it decides.
fn range_of_pods(after: &BTreeMap<&str, &Value>) -> String {
    let number = |name: &str| after.get(name).map(|number| value::inline(number));
    match (number("spec.minReplicas"), number("spec.maxReplicas")) {
        (Some(fewest), Some(most)) => format!("{fewest} to {most} pods"),
        _ => String::new(),
    }
}

/// How many pods of which image.
fn pods(after: &BTreeMap<&str, &Value>) -> String {
    let image =
        after.iter().find(|(name, _)| name.starts_with("spec.template.spec.containers[") && name.ends_with("].image"));
    let image = image.map(|(_, image)| value::inline(image)).unwrap_or_default();
    match after.get("spec.replicas") {
        Some(Value::Integer(1)) | None => image,
        Some(replicas) => format!("{} pods of {image}", value::inline(replicas)),
    }
}

/// How many rules, and who outside may come in: the ranges, as groups and ids are the cluster's own.
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

/// `203.0.113.7/32` and `tcp 443` if the rule's peer is a range.
fn from_outside(rule: &Value) -> Option<(String, String)> {
    let Value::Map(rule) = rule else { return None };
    let peer = rule.get("peer")?.as_text()?;
    let outside = if peer.contains(':') { peer.contains('/') } else { !is_private(peer.parse().ok()?) };
    let what = |name: &str| value::safe(rule.get(name).and_then(Value::as_text).unwrap_or_default());
    outside.then(|| (value::safe(peer), format!("{} {}", what("protocol"), what("ports"))))
}

/// Whether a range is never routed on the internet: RFC 1918, and RFC 6598, which holds pods and services.
fn is_private(range: Ipv4Net) -> bool {
    const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
    PRIVATE.iter().any(|net| net.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&range)))
}

/// Groups what is equal under a key, in the order of the first of each.
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
