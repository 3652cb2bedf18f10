//! Names in the format of AWS: ids, ARNs, actions.

use sha2::{Digest, Sha256};

use super::account::SimulatedAccount;
use super::kinds::simulated;
use super::simulated_kind::IdSource;
use crate::engine::{Address, Failure, FailureClass, OutputShape};
use crate::resource::{AwsPartition, Kind};

/// A call, as a failure names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiCall {
    pub(super) service: &'static str,
    pub(super) action: String,
}

impl ApiCall {
    /// Returns the call with this verb for a kind.
    pub(super) fn new(verb: &str, kind: &str) -> Self {
        let row = simulated(kind);
        Self { service: row.service, action: format!("{verb}{}", row.noun) }
    }

    /// Returns the call that lists all objects of a kind.
    pub(super) fn list(kind: &str) -> Self {
        let Self { service, action } = Self::new("Describe", kind);
        let plural = if action.ends_with('s') { "" } else { "s" };
        Self { service, action: format!("{action}{plural}") }
    }

    /// Returns a failure of the call.
    pub(super) fn failure(&self, class: FailureClass, code: &str, message: impl Into<String>) -> Failure {
        Failure {
            class,
            service: self.service.to_owned(),
            action: self.action.clone(),
            code: Some(code.to_owned()),
            message: message.into(),
            request_id: None,
        }
    }
}

impl SimulatedAccount {
    /// Returns the next unused number with this many hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        self.state.made += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.state.made.to_be_bytes());
        let mut text = hex::encode(hash.finalize());
        text.truncate(digits);
        text
    }

    /// Fills in a pattern of the vocabulary.
    fn fill(&mut self, pattern: &str, region: &str, name: &str) -> String {
        let digits = if pattern.contains(":elasticloadbalancing:") || pattern.contains(".elb.") { 16 } else { 17 };
        let text = AwsPartition::of(region).pattern(pattern);
        let text = text.replace("{account}", &self.account).replace("{region}", region).replace("{name}", name);
        text.split_inclusive('}').fold(String::new(), |filled, piece| {
            if let Some(before) = piece.strip_suffix("{hex}") {
                format!("{filled}{before}{}", self.hex(digits))
            } else if let Some(before) = piece.strip_suffix("{HEX}") {
                format!("{filled}{before}{}", self.hex(20).to_uppercase())
            } else {
                format!("{filled}{piece}")
            }
        })
    }

    /// Returns the first outputs of a new object.
    pub(super) fn outputs(
        &mut self,
        kind: &Kind,
        attributes: &crate::engine::Attributes,
        region: &str,
    ) -> std::collections::BTreeMap<String, String> {
        let text = |name: &str| attributes.get(name).and_then(crate::engine::Value::as_text);
        // A listener is called after its load balancer: `…:loadbalancer/net/NAME/HEX`.
        let balancer = text("load_balancer").and_then(|arn| arn.split('/').nth(2));
        let name = text("name").or(balancer).unwrap_or_default().to_owned();
        let mut outputs = std::collections::BTreeMap::new();
        for output in kind.outputs {
            let value = match output.shape {
                OutputShape::Pattern(pattern) => self.fill(pattern, region, &name),
                OutputShape::Attribute(attribute) => text(attribute).unwrap_or_default().to_owned(),
                OutputShape::Version => "1".to_owned(),
            };
            outputs.insert(output.name.to_owned(), value);
        }
        outputs
    }
}

/// Returns the cloud's identifier of an object with these outputs and attributes.
pub(super) fn id(
    kind: &Kind,
    outputs: &std::collections::BTreeMap<String, String>,
    attributes: &crate::engine::Attributes,
) -> String {
    let text = |name: &str| attributes.get(name).and_then(crate::engine::Value::as_text).unwrap_or_default();
    let join = |attributes: &[&str]| attributes.iter().map(|name| text(name)).collect::<Vec<_>>().join("/");
    match simulated(kind.name).id {
        IdSource::Attributes(attributes) => join(attributes),
        IdSource::Present(attributes) => {
            let present: Vec<&str> = attributes.iter().copied().filter(|name| !text(name).is_empty()).collect();
            join(&present)
        }
        IdSource::Output => {
            ["id", "arn", "name", "group"].iter().find_map(|output| outputs.get(*output).cloned()).unwrap_or_default()
        }
    }
}

/// Returns the failure for a kind that the vocabulary does not have.
pub(super) fn no_such_kind(address: &Address) -> Failure {
    ApiCall::new("Use", "").failure(
        FailureClass::Invalid,
        "NoSuchKind",
        format!("there is no kind of object `{}`", address.kind()),
    )
}
