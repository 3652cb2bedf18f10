//! IAM policy documents.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::AwsPartition;

/// One permission: actions, resources, and conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStatement {
    sid: &'static str,
    actions: Vec<&'static str>,
    resources: Vec<String>,
    conditions: BTreeMap<&'static str, BTreeMap<String, Vec<String>>>,
}

impl PolicyStatement {
    /// Allows some actions, on no resource yet. `sid` is its name in the document: letters and digits.
    pub fn allow(sid: &'static str, actions: &[&'static str]) -> Self {
        Self { sid, actions: actions.to_vec(), resources: Vec::new(), conditions: BTreeMap::new() }
    }

    /// Adds these resources.
    #[must_use]
    pub fn on(mut self, resources: impl IntoIterator<Item = String>) -> Self {
        self.resources.extend(resources);
        self
    }

    /// Allows all resources: only for actions that AWS cannot limit.
    #[must_use]
    pub fn on_everything(self) -> Self {
        self.on(["*".to_owned()])
    }

    /// Adds a condition: a key of the request has one of these values: `when("StringEquals", "ec2:CreateAction", ["…"])`.
    #[must_use]
    pub fn when<V: Into<String>>(
        mut self,
        test: &'static str,
        key: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.conditions.entry(test).or_default().insert(key.into(), values);
        self
    }

    /// Returns its name in the document.
    pub fn sid(&self) -> &'static str {
        self.sid
    }

    /// Returns its actions.
    pub fn actions(&self) -> &[&'static str] {
        &self.actions
    }

    /// Returns its resources, with wildcards.
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// Returns its conditions: the operator, then the key of the request with its values.
    pub fn conditions(&self) -> &BTreeMap<&'static str, BTreeMap<String, Vec<String>>> {
        &self.conditions
    }

    fn json(&self) -> Value {
        let mut json = json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": brief(&self.actions),
            "Resource": brief(&self.resources),
        });
        for (test, keys) in &self.conditions {
            json["Condition"][test] = keys.iter().map(|(key, values)| (key.clone(), brief(values))).collect();
        }
        json
    }
}

/// Actions that AWS evaluates together: on the same resources, in requests with the same keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionCheck {
    /// The IAM actions.
    pub actions: Vec<&'static str>,
    /// The ARNs of examples of resources; empty for all resources. An action is allowed if it is on one of them.
    pub resources: Vec<String>,
    /// The keys of the requests, with a value for each.
    pub keys: Vec<(String, String)>,
}

/// The decision of AWS about an action that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusedBy {
    /// No policy allows it.
    NoPolicy,
    /// A policy denies it.
    DenyingPolicy,
}

/// Returns a single value without a list, as IAM allows: the documents of a role have little room.
fn brief<T: Serialize>(values: &[T]) -> Value {
    if let [only] = values { json!(only) } else { json!(values) }
}

/// Returns the document with these statements.
pub fn policy_document(statements: &[PolicyStatement]) -> String {
    let statements: Vec<Value> = statements.iter().map(PolicyStatement::json).collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// Returns the trust policy of a role that EC2 may assume for its instances.
pub fn assumed_by_ec2(partition: AwsPartition) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": partition.ec2() },
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string()
}

/// Escapes a text for a resource, where `*`, `?` and `$` have a meaning.
pub fn literally(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, character| {
        match character {
            '*' | '?' | '$' => escaped.extend(['$', '{', character, '}']),
            _ => escaped.push(character),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_prefix_open_nothing_else() {
        assert_eq!(literally("team-*/a$b"), "team-${*}/a${$}b");
    }
}
