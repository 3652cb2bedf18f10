//! Hand-made plans for the tests of the view.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::json;

use crate::engine::{Action, AttributeChange, Change, DifferenceOrigin, Plan, PlanMode, Reason};
use crate::view::ClusterHeading;

use super::PlanDocument;

pub(in crate::view) fn heading() -> ClusterHeading {
    ClusterHeading {
        cluster: "chat.poeticoding.com".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        state: "s3://state.chat.poeticoding.com".to_owned(),
        sandbox: false,
    }
}

/// Returns a plan of these changes, for an apply.
pub(super) fn document(mut changes: Vec<Change>) -> PlanDocument {
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    PlanDocument::new(
        heading(),
        Plan { mode: PlanMode::Apply, serial: 7, changes, unchanged: 74, held: BTreeSet::new() },
    )
}

/// Returns a change of an object, with an id unless it is a creation.
pub(super) fn change(address: &str, action: Action, reason: Reason, attributes: Vec<AttributeChange>) -> Change {
    let prefix = address.split('/').next().unwrap();
    let short = match prefix {
        "volume" => "vol",
        "security-group-rules" => "sg",
        "launch-template" => "lt",
        other => other,
    };
    Change {
        address: address.parse().unwrap(),
        action,
        reason,
        id: (action != Action::Create).then(|| format!("{short}-0a1b2c3d4e5f60718")),
        attributes,
        needs: BTreeSet::new(),
        lane: None,
        loses_data: false,
    }
}

/// Returns an attribute with a value before and one after; `null` is none.
pub(super) fn attribute(name: &str, before: serde_json::Value, after: serde_json::Value) -> AttributeChange {
    let value = |json: serde_json::Value| (!json.is_null()).then(|| serde_json::from_value(json).unwrap());
    AttributeChange {
        name: name.to_owned(),
        before: value(before),
        after: value(after),
        origin: DifferenceOrigin::File,
        action: Action::Update,
    }
}

/// Returns an attribute of a new object.
pub(super) fn new(name: &str, after: serde_json::Value) -> AttributeChange {
    attribute(name, json!(null), after)
}

/// Returns a text that waits for an output of another object.
pub(super) fn pending(address: &str, output: &str) -> serde_json::Value {
    json!({"$pending": [{"address": address, "output": output}]})
}

/// Returns a firewall rule.
pub(super) fn rule(protocol: &str, ports: &str, peer: &str, description: &str) -> serde_json::Value {
    json!({"protocol": protocol, "ports": ports, "peer": peer, "description": description})
}
