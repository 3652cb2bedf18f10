//! Plans made by hand, for the tests of the view.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::json;

use crate::engine::{Action, AttributeChange, Change, Mode, Origin, Plan, Reason};
use crate::view::Heading;

use super::Document;

pub(in crate::view) fn heading() -> Heading {
    Heading {
        cluster: "chat.poeticoding.com".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        state: "s3://state.chat.poeticoding.com".to_owned(),
        sandbox: false,
    }
}

/// A plan of these changes, for applying.
pub(super) fn document(mut changes: Vec<Change>) -> Document {
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    Document::new(heading(), Plan { mode: Mode::Apply, serial: 7, changes, unchanged: 74 })
}

/// A change of an object, with an id unless it is a creation.
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

/// An attribute with a value before and one after; `null` is none.
pub(super) fn attribute(name: &str, before: serde_json::Value, after: serde_json::Value) -> AttributeChange {
    let value = |json: serde_json::Value| (!json.is_null()).then(|| serde_json::from_value(json).unwrap());
    AttributeChange {
        name: name.to_owned(),
        before: value(before),
        after: value(after),
        origin: Origin::File,
        action: Action::Update,
    }
}

/// An attribute of a new object.
pub(super) fn new(name: &str, after: serde_json::Value) -> AttributeChange {
    attribute(name, json!(null), after)
}

/// Text that waits for an output of another object.
pub(super) fn pending(address: &str, output: &str) -> serde_json::Value {
    json!({"$pending": [{"address": address, "output": output}]})
}

/// A firewall rule.
pub(super) fn rule(protocol: &str, ports: &str, peer: &str, description: &str) -> serde_json::Value {
    json!({"protocol": protocol, "ports": ports, "peer": peer, "description": description})
}
