//! The part of a cluster that an object belongs to.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::analysis::state::{ClusterState, StateObject};
use crate::resource::{
    API, AutoScalingGroup, EbsVolume, GROUP_TAG, HostedZone, LoadBalancer, MANIFEST, MASTER, ROLE_TAG, VOLUME_CLAIM,
    runs_service, service_of_object, tags_of,
};

/// The part of a cluster that costs are listed under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CostOwner {
    /// The masters, the load balancer of the API, and the zone of the machines' names.
    ControlPlane,
    /// A node group.
    Nodes(String),
    /// A service.
    Service(String),
    /// An add-on.
    Addon(String),
    /// The cluster as a whole.
    Cluster,
}

impl CostOwner {
    /// Returns the part that an object belongs to.
    pub(super) fn of(object: &StateObject<'_>, state: &ClusterState<'_>) -> Self {
        let name = object.address.name();
        if object.is::<AutoScalingGroup>() {
            return of_group(object);
        }
        if object.is::<LoadBalancer>() {
            return if name == API { Self::ControlPlane } else { of_service(name) };
        }
        if object.is::<HostedZone>() {
            // A zone in a VPC is that of the machines' names.
            return if object.attributes().contains_key("vpc") { Self::ControlPlane } else { Self::Cluster };
        }
        if object.is::<EbsVolume>() {
            return Self::ControlPlane;
        }
        match object.address.kind() {
            VOLUME_CLAIM => of_claim(name, state),
            MANIFEST => Self::Addon(name.split('/').next().unwrap_or(name).to_owned()),
            _ => Self::Cluster,
        }
    }
}

fn of_group(group: &StateObject<'_>) -> CostOwner {
    let tags = tags_of(group.attributes());
    let is_master = tags.get(ROLE_TAG).is_some_and(|role| role.split(' ').next() == Some(MASTER));
    match tags.get(GROUP_TAG) {
        _ if is_master => CostOwner::ControlPlane,
        Some(name) => CostOwner::Nodes(name.clone()),
        None => CostOwner::Nodes(group.address.name().trim_start_matches("nodes-").to_owned()),
    }
}

fn of_service(balancer: &str) -> CostOwner {
    CostOwner::Service(service_of_object(balancer).unwrap_or(balancer).to_owned())
}

/// Returns the service whose pods mount a claim.
fn of_claim(claim: &str, state: &ClusterState<'_>) -> CostOwner {
    let mounts = |object: &&StateObject<'_>| runs_service(object.address.kind()) && object.mounts(claim);
    match state.objects().find(mounts) {
        Some(workload) => CostOwner::Service(workload.address.name().to_owned()),
        None => CostOwner::Cluster,
    }
}

impl fmt::Display for CostOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlPlane => f.write_str("control plane"),
            Self::Nodes(name) => write!(f, "nodes {name}"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Addon(name) => write!(f, "addon {name}"),
            Self::Cluster => f.write_str("cluster"),
        }
    }
}

impl Serialize for CostOwner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CostOwner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.split_once(' ') {
            Some(("nodes", name)) => Self::Nodes(name.to_owned()),
            Some(("service", name)) => Self::Service(name.to_owned()),
            Some(("addon", name)) => Self::Addon(name.to_owned()),
            Some(("control", "plane")) => Self::ControlPlane,
            _ if text == "cluster" => Self::Cluster,
            _ => return Err(serde::de::Error::custom(format!("`{text}` is not a part of a cluster"))),
        })
    }
}
