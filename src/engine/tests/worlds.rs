//! Arbitrary sets of wanted objects, and the effect of a run of the engine on a cloud.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Returns the number of cases of each property: `PROPTEST_CASES`, or a small default.
pub(crate) fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Generates objects with references among them, never in a cycle. The attributes of an object do not depend on the set: an
/// attribute that is left out belongs to others.
pub(crate) fn world() -> impl Strategy<Value = Vec<Object>> {
    (proptest::collection::vec(seed(), 0..10), any::<bool>()).prop_map(|(seeds, backwards)| build(&seeds, backwards))
}

/// Generates objects that do not change by themselves afterwards: parts only.
pub(crate) fn parts() -> impl Strategy<Value = Vec<Object>> {
    let only_parts = seed().prop_map(|seed| WorldSeed { kind: 0, ..seed });
    proptest::collection::vec(only_parts, 1..16).prop_map(|seeds| build(&seeds, false))
}

#[derive(Debug, Clone)]
struct WorldSeed {
    there: bool,
    kind: usize,
    variant: u8,
    shape: u8,
    links: u16,
    parent: Option<u8>,
    depends: bool,
}

fn seed() -> impl Strategy<Value = WorldSeed> {
    (
        any::<bool>(),
        any::<bool>(),
        0..4_usize,
        0..3_u8,
        0..2_u8,
        any::<u16>(),
        proptest::option::of(0..10_u8),
        any::<bool>(),
    )
        .prop_map(|(there, really, kind, variant, shape, links, parent, depends)| WorldSeed {
            there: there || really,
            kind,
            variant,
            shape,
            links,
            parent,
            depends,
        })
}

const KINDS: [&str; 4] = ["part", "template", "group", "disk"];

/// The n-th seed always has the same name, so that two sets have objects in common; `backwards` reverses the order in
/// which objects may refer to each other.
fn build(seeds: &[WorldSeed], backwards: bool) -> Vec<Object> {
    let mut order: Vec<usize> = (0..seeds.len()).filter(|&number| seeds[number].there).collect();
    if backwards {
        order.reverse();
    }
    let mut objects: Vec<Object> = Vec::new();
    for number in order {
        let object = make(number, &seeds[number], &objects);
        objects.push(object);
    }
    objects
}

fn make(number: usize, seed: &WorldSeed, before: &[Object]) -> Object {
    let address = format!("{}/{number}", KINDS[seed.kind]);
    let linked = before.iter().enumerate().filter(|(bit, _)| seed.links & (1 << bit) != 0).map(|(_, other)| other);
    let links = list(linked.map(|other| output(&format!("{}.id", other.address))));
    let variant = text(&format!("variant {}", seed.variant));
    let tags = map([("color", variant.clone())]);
    let mut object = match KINDS[seed.kind] {
        "part" => object(&address, [("color", variant), ("links", links), ("shape", text(&seed.shape.to_string()))]),
        "template" => object(&address, [("image", variant), ("links", links), ("tags", tags)]),
        "disk" => object(&address, [("zone", text(&seed.shape.to_string())), ("size", variant), ("tags", tags)]),
        _ => group(&address, seed, links, before),
    };
    if object.address.kind() == "part" {
        let parent = seed.parent.and_then(|parent| before.get(usize::from(parent)));
        let parent = parent.map_or(text("none"), |parent| output(&format!("{}.id", parent.address)));
        object.attributes.insert("parent".to_owned(), parent);
    }
    if seed.depends {
        object.depends_on.extend(before.last().map(|last| last.address.clone()));
    }
    object
}

fn group(address: &str, seed: &WorldSeed, links: Value, before: &[Object]) -> Object {
    let mut group = object(address, [("size", Value::Integer(seed.variant.into())), ("links", links)]);
    let template = before.iter().rfind(|other| other.address.kind() == "template");
    for (name, referred) in [("template", "id"), ("version", "version"), ("machines", "version")] {
        let refer = |template: &Object| output(&format!("{}.{referred}", template.address));
        group.attributes.insert(name.to_owned(), template.map_or(text("none"), refer));
    }
    group.lane = Some("groups".to_owned());
    group
}

/// The record between runs.
pub(crate) type KeptRecord = BTreeMap<Address, RecordedObject>;

/// Plans and applies; returns the whole result.
pub(crate) async fn run(
    cloud: &TestCloud,
    mode: PlanMode,
    desired: &[Object],
    record: &KeptRecord,
    options: &ApplyOptions,
) -> Outcome {
    let prepared = plan_for(mode, desired, &cloud.objects(), record).unwrap();
    super::super::apply(cloud, &TestKinds, &prepared, record, options, &NoListener).await
}

/// Plans and applies on a cloud that recovers or works, and expects that everything is done.
pub(crate) async fn converge(cloud: &TestCloud, desired: &[Object], record: &KeptRecord) -> KeptRecord {
    let outcome = run(cloud, PlanMode::Apply, desired, record, &ApplyOptions::default()).await;
    assert_eq!(outcome.failed, [], "something failed");
    assert!(!outcome.interrupted && outcome.skipped.is_empty(), "something was left");
    outcome.recorded
}

/// Checks that the cloud holds exactly the wanted objects, once each, by the cloud's content and not by our own diff; and
/// that the next plan is empty.
pub(crate) fn assert_settled(cloud: &TestCloud, desired: &[Object], record: &KeptRecord) {
    let lives = cloud.objects();
    let there: BTreeMap<&Address, &Live> = lives.iter().map(|live| (&live.address, live)).collect();
    let wanted: BTreeSet<&Address> = desired.iter().map(|object| &object.address).collect();
    assert_eq!(lives.len(), desired.len(), "not as many as wanted: {lives:#?}");
    assert_eq!(there.keys().copied().collect::<BTreeSet<_>>(), wanted);
    for object in desired {
        let resolved = object.resolve(&|reference| there[&reference.address].outputs.get(&reference.output).cloned());
        for (name, value) in &resolved.attributes {
            let empty = list([]);
            let is = there[&object.address].attributes.get(name).unwrap_or(&empty);
            assert_eq!(is, value, "{name} of {}", object.address);
        }
        let entry = &record[&object.address];
        assert_eq!((&entry.id, &entry.attributes), (&there[&object.address].id, &resolved.attributes));
    }
    assert_eq!(record.keys().collect::<BTreeSet<_>>(), wanted, "the record remembers something else");
    let next = plan_for(PlanMode::Apply, desired, &lives, record).unwrap().plan;
    assert!(next.is_empty(), "the next plan is not empty: {:#?}", lines(&next));
    assert_eq!(next.unchanged, desired.len());
    let drift = plan_for(PlanMode::Refresh, &[], &lives, record).unwrap().plan;
    assert!(drift.is_empty(), "a refresh sees drift: {:#?}", lines(&drift));
}

/// Runs a future on a clock that jumps to the next timer.
pub(crate) fn on_paused_clock<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(future)
}
