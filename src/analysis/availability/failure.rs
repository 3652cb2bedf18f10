//! Failures of one part of a cluster, and their effects.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The failure of one part of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum SingleFailure {
    /// An availability zone.
    Zone(String),
    /// The machine of a master, by its letter. Its etcd volume stays.
    Master(String),
    /// One machine of a node group.
    Node(String),
    /// The etcd volume of a master, by its letter.
    EtcdVolume(String),
    /// The volume of a claim.
    Volume(String),
}

/// The outcome of a failure for those who use the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureOutcome {
    /// The API and every service continue to work.
    Survived,
    /// Something stops and comes back by itself: on other machines, or when a machine is replaced.
    Interrupted,
    /// Something stops until the zone is back, or until it is repaired by hand.
    Stopped,
}

/// The effect of a failure on a part of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ServiceEffect {
    /// The severity.
    pub outcome: FailureOutcome,
    /// The part: `control plane`, `nodes`, or `service NAME`.
    pub part: String,
    /// The reason, as a sentence without its end.
    pub reason: String,
    /// The change that makes the cluster survive the failure, as a sentence without its end.
    pub advice: String,
}

/// A failure with its effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureEffects {
    /// The failure.
    pub failure: SingleFailure,
    /// The worst outcome of its effects.
    pub outcome: FailureOutcome,
    /// Its effects; none if the cluster survives it.
    pub effects: Vec<ServiceEffect>,
}

impl SingleFailure {
    /// Returns the zone that fails, if it is one.
    pub(super) fn zone(&self) -> Option<&str> {
        match self {
            Self::Zone(zone) => Some(zone),
            _ => None,
        }
    }
}

impl fmt::Display for SingleFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(name) => write!(f, "zone {name}"),
            Self::Master(name) => write!(f, "master {name}"),
            Self::Node(group) => write!(f, "a node of {group}"),
            Self::EtcdVolume(name) => write!(f, "etcd volume {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
        }
    }
}

impl FailureEffects {
    pub(super) fn new(failure: SingleFailure, effects: Vec<ServiceEffect>) -> Self {
        let outcome = effects.iter().map(|effect| effect.outcome).max().unwrap_or(FailureOutcome::Survived);
        Self { failure, outcome, effects }
    }

    /// Returns `true` if the API and every service continue to work.
    pub fn is_survived(&self) -> bool {
        self.outcome == FailureOutcome::Survived
    }
}
