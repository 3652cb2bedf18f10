//! What the cloud says before anything is built: the blueprint's other input.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Gate;
use crate::engine::{BoxFuture, Failure, Live, Note, Provider};
use crate::spec::Architecture;

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The instance sizes in the file.
    pub sizes: Vec<String>,
    /// The machine images in the file, each with the architecture that its machines should have.
    pub own_images: BTreeMap<String, Architecture>,
    /// Whether the file names an image for all of its machines, so that the newest ones are of no interest.
    pub own_images_only: bool,
    /// The cluster's name, for finding the public zone that it belongs to.
    pub name: String,
}

/// What the cloud answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The account's 12 digits.
    pub account: String,
    /// Who is asking: an ARN.
    pub caller: String,
    /// The region.
    pub region: String,
    /// The zones of the region that can be used.
    pub zones: Vec<String>,
    /// The newest Amazon Linux 2023 image of each architecture; nothing if nobody starts from it.
    pub images: BTreeMap<Architecture, String>,
    /// What is known of each image asked for; absent if the account cannot start machines from it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_images: BTreeMap<String, ImageFacts>,
    /// What is known of each instance size asked for; absent if the region does not have it.
    pub sizes: BTreeMap<String, SizeFacts>,
    /// The zones that have each instance size asked for; nothing of a size that nobody told of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offered: BTreeMap<String, Vec<String>>,
    /// The account's public hosted zones that the cluster's name ends in: name (without a final dot) to ids.
    pub public_zones: BTreeMap<String, Vec<String>>,
}

/// What is known of a machine image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The architecture.
    pub architecture: Architecture,
    /// The device that machines start from, for example `/dev/xvda`.
    pub root_device: String,
    /// How large the root volume must be at least, GiB.
    pub root_gib: u32,
}

/// What is known of an instance size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeFacts {
    /// The architecture.
    pub architecture: Architecture,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// A machine behind a load balancer, as that sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// The instance.
    pub instance: String,
    /// The load balancer's word for its state, for example `healthy`.
    pub state: String,
    /// What it says about it; empty if it says nothing.
    pub reason: String,
}

/// A cloud that a cluster can be built on.
pub trait Cloud: Provider {
    /// Whose credentials these are: the account's 12 digits. Asked once, whoever asks.
    fn account(&self) -> BoxFuture<'_, Result<String, Failure>>;

    /// What a load balancer thinks of the machines in a target group, by the group's ARN. One call.
    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>>;

    /// Answers the question, in one hop.
    fn facts<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Facts, Failure>>;

    /// Who is asking: an ARN, by one call.
    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>>;

    /// Who reaches the Kubernetes API from outside.
    fn gate(&self) -> &dyn Gate;

    /// What the cluster's own controllers made here, by their mark. No plan but a destroy's is about it.
    fn strays(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>>;

    /// Has the cluster's controllers remove what they made, while they still can, and waits for it for a while: before
    /// the cluster itself is removed.
    fn release<'a>(&'a self, _note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Why the part of it that runs on the cluster itself did not answer the last look. What is known of that part is
    /// then what was recorded.
    fn silence(&self) -> Option<Failure> {
        None
    }
}
