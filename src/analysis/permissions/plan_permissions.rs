//! The result of a check of a plan's permissions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::needed::NeededActions;
use super::policy::LeastPolicy;
use crate::engine::Address;
use crate::resource::{PermissionCheck, PolicyStatement, RefusedBy};

/// Takes the place of a wildcard in the ARN of an example.
const EXAMPLE: &str = "example";

/// The permissions of a plan, as IAM's policy simulator answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanPermissions {
    /// The user or role whose policies were evaluated.
    pub principal: String,
    /// Number of actions that were checked.
    pub checked: usize,
    /// The actions that are not allowed, sorted.
    pub missing: Vec<MissingPermission>,
}

/// An action that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct MissingPermission {
    /// The IAM action.
    pub action: String,
    /// `true` if a policy denies it, `false` if no policy allows it.
    pub denied: bool,
    /// The objects whose changes need it; empty if every run needs it.
    pub objects: BTreeSet<Address>,
}

impl LeastPolicy {
    /// Returns what AWS has to evaluate: each statement, for an example of its resources in a request that meets its conditions.
    pub fn checks(&self, account: &str) -> Vec<PermissionCheck> {
        let example = |resource: &String| resource.replace(":*:", &format!(":{account}:")).replace('*', EXAMPLE);
        let check = |statement: &PolicyStatement| PermissionCheck {
            actions: statement.actions().to_vec(),
            resources: statement.resources().iter().filter(|resource| *resource != "*").map(example).collect(),
            keys: statement
                .conditions()
                .values()
                .flatten()
                .filter_map(|(key, values)| Some((key.clone(), values.first()?.clone())))
                .collect(),
        };
        self.statements().map(|(statement, _)| check(statement)).collect()
    }
}

impl PlanPermissions {
    /// Combines the refused actions and the changes that need them.
    pub fn new(principal: &str, needed: &NeededActions, refused: &BTreeMap<String, RefusedBy>) -> Self {
        let missing = refused.iter().map(|(action, by)| MissingPermission {
            action: action.clone(),
            denied: *by == RefusedBy::DenyingPolicy,
            objects: needed.objects(action),
        });
        Self { principal: principal.to_owned(), checked: needed.actions().count(), missing: missing.collect() }
    }
}
