//! Whole lifecycles of objects on a strict cloud in memory: properties that single rules cannot show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod apply;
mod cloud;
mod drift;
mod fields;
mod lives;
mod moves;
mod plan;
mod timing;
mod worlds;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::*;

pub(crate) use cloud::{CallFault, ProviderVerb, TestCloud};

/// Kinds that together use every feature of the rules.
pub(crate) struct TestKinds;

const VERSION: &[&str] = &["version"];

const KINDS: &[Kind] = &[
    Kind {
        name: "part",
        title: "part",
        attributes: &[
            Attribute::update("color"),
            Attribute::update("label"),
            Attribute::update("links").set(),
            Attribute::replace("parent"),
            Attribute::replace("shape"),
            Attribute::fixed("range", "destroy it first"),
            Attribute::update("policies").json(),
            Attribute::update("secret").unobserved(),
            Attribute::update("private").unrecorded(),
            Attribute::update("field.*").pruned(),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "part-{hex}"), OutputSpec::attribute("label")],
        data: false,
        shared: false,
        seconds: 10,
    },
    Kind {
        name: "template",
        title: "template",
        attributes: &[
            Attribute::update("image").moves(VERSION),
            Attribute::update("links").set().moves(VERSION),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            OutputSpec::pattern("id", "template-{hex}"),
            OutputSpec::version("version"),
            OutputSpec::pattern("zone", "Z1"),
        ],
        data: false,
        shared: false,
        seconds: 3,
    },
    Kind {
        name: "group",
        title: "group",
        attributes: &[
            Attribute::update("template"),
            Attribute::update("version"),
            Attribute::roll("machines"),
            Attribute::update("size"),
            Attribute::update("links").set(),
        ],
        outputs: &[OutputSpec::pattern("id", "group-{hex}")],
        data: false,
        shared: false,
        seconds: 90,
    },
    Kind {
        name: "disk",
        title: "disk",
        attributes: &[Attribute::replace("zone"), Attribute::update("size"), Attribute::update("tags").tags()],
        outputs: &[OutputSpec::pattern("id", "disk-{hex}")],
        data: true,
        shared: false,
        seconds: 5,
    },
    Kind {
        name: "sign",
        title: "sign without a mark of its owner",
        attributes: &[Attribute::replace("text"), Attribute::update("target")],
        outputs: &[OutputSpec::attribute("text")],
        data: false,
        shared: false,
        seconds: 30,
    },
    Kind {
        name: "bucket",
        title: "bucket that may belong to others",
        attributes: &[Attribute::update("private"), Attribute::replace("name")],
        outputs: &[OutputSpec::attribute("name")],
        data: false,
        shared: true,
        seconds: 5,
    },
];

impl KindRegistry for TestKinds {
    fn kind(&self, name: &str) -> Option<&Kind> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    fn irreplaceable(&self, address: &Address) -> Option<&'static str> {
        (address.name() == "seal").then_some("find it again")
    }

    fn refuses_removal(&self, address: &Address) -> Option<&'static str> {
        address.name().starts_with("voter-").then_some("voters are only added")
    }

    fn refuses(&self, address: &Address, change: &AttributeChange, _wanted: &Attributes) -> Option<String> {
        let number = |value: &Option<Value>| value.as_ref()?.as_text()?.parse::<u32>().ok();
        let shrinks = number(&change.after)? < number(&change.before)?;
        (address.kind() == "disk" && change.name == "size" && shrinks).then(|| "disks only grow".to_owned())
    }

    fn replicas(&self, address: &Address, _live: &Attributes, _wanted: &Attributes) -> Option<DataReplicas> {
        let copy = address.kind() == "disk" && address.name().starts_with("copy-");
        copy.then(|| DataReplicas { set: "copies", moved: "copied".to_owned(), alone: "make another one first" })
    }

    fn is_broken(&self, _address: &Address, live: &Attributes) -> bool {
        live.get("machines").and_then(Value::as_text) == Some("broken")
    }

    fn pool(&self, address: &Address, _attributes: &Attributes) -> Option<Cow<'static, str>> {
        (address.kind() == "group" && address.name().starts_with("pool-")).then_some("pool".into())
    }
}

pub(crate) fn at(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

pub(crate) fn map<'a>(items: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(items.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Returns a reference such as `part/a.id`.
pub(crate) fn output(reference: &str) -> Value {
    let (address, output) = reference.rsplit_once('.').unwrap();
    TextInput::output(at(address), output).into()
}

pub(crate) fn attributes<'a>(items: impl IntoIterator<Item = (&'a str, Value)>) -> Attributes {
    items.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn object<'a>(address: &str, items: impl IntoIterator<Item = (&'a str, Value)>) -> Object {
    Object {
        address: at(address),
        attributes: attributes(items),
        depends_on: BTreeSet::new(),
        lane: None,
        payload: None,
    }
}

/// Returns a live object with these attributes; its outputs follow from its kind.
pub(crate) fn live<'a>(address: &str, id: &str, items: impl IntoIterator<Item = (&'a str, Value)>) -> Live {
    let attributes = attributes(items);
    let outputs = cloud::outputs(&at(address), id, &attributes, 1);
    Live {
        address: at(address),
        id: id.to_owned(),
        attributes,
        outputs,
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

/// Returns the record of live objects after an apply that created them so.
pub(crate) fn recorded(lives: &[Live]) -> BTreeMap<Address, RecordedObject> {
    let record = |live: &Live| RecordedObject {
        id: live.id.clone(),
        attributes: live.attributes.clone(),
        outputs: live.outputs.clone(),
        needs: BTreeSet::new(),
    };
    lives.iter().map(|live| (live.address.clone(), record(live))).collect()
}

pub(crate) fn plan_for(
    mode: PlanMode,
    desired: &[Object],
    live: &[Live],
    recorded: &BTreeMap<Address, RecordedObject>,
) -> Result<ExecutablePlan, PlanError> {
    let (desired, live) = (desired.to_vec(), live.to_vec());
    super::plan(PlanInputs {
        mode,
        desired,
        incomplete: BTreeSet::new(),
        live,
        recorded,
        serial: 1,
        holds_rolls: false,
        vocabulary: &TestKinds,
    })
}

/// Returns the plan for wanted objects that no dry run has completed.
pub(crate) fn planned_without_dry_run(desired: &[Object], live: &[Live]) -> Plan {
    let inputs = PlanInputs {
        mode: PlanMode::Apply,
        desired: desired.to_vec(),
        incomplete: desired.iter().map(|object| object.address.clone()).collect(),
        live: live.to_vec(),
        recorded: &recorded(live),
        serial: 1,
        holds_rolls: false,
        vocabulary: &TestKinds,
    };
    super::plan(inputs).unwrap().plan
}

/// Returns the plan for wanted objects, in a mode that cannot fail here.
pub(crate) fn planned(desired: &[Object], live: &[Live], recorded: &BTreeMap<Address, RecordedObject>) -> Plan {
    plan_for(PlanMode::Apply, desired, live, recorded).unwrap().plan
}

/// Returns `action address (reason): attribute, attribute`, one line per change.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| {
            let names: Vec<&str> = change.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
            format!("{:?} {} ({:?}): {}", change.action, change.address, change.reason, names.join(", "))
        })
        .collect()
}
