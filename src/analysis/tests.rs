//! Clusters and plans for the tests of analyses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use crate::blueprint::{Pins, blueprint};
use crate::engine::{ExecutablePlan, PlanInputs, PlanMode, plan};
use crate::resource::{Facts, ResourceKinds, SizeFacts};
use crate::spec::{Cluster, parse};

/// The examples of the repository, by name.
pub(super) const EXAMPLES: [(&str, &str); 9] = [
    ("ha", include_str!("../../examples/ha/cluster.hcl")),
    ("minimal", include_str!("../../examples/minimal/cluster.hcl")),
    ("nginx", include_str!("../../examples/nginx/cluster.hcl")),
    ("phoenix-chat", include_str!("../../examples/phoenix-chat/cluster.hcl")),
    ("phoenix-chat-redis", include_str!("../../examples/phoenix-chat-redis/cluster.hcl")),
    ("tutorial", include_str!("../../examples/tutorial/cluster.hcl")),
    ("teams", include_str!("../../examples/teams/cluster.hcl")),
    ("private", include_str!("../../examples/private/cluster.hcl")),
    ("web", include_str!("../../examples/web/cluster.hcl")),
];

/// Returns the cluster of a file.
pub(super) fn cluster(file: &str) -> Cluster {
    let parsed = parse("cluster.hcl", file, &BTreeMap::new());
    parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 80)))
}

/// Returns the facts of an account in the region of a cluster, which has every size of it.
pub(super) fn facts(cluster: &Cluster) -> Facts {
    let nodes = cluster.nodes.values().flat_map(crate::spec::NodeGroup::sizes);
    let sizes: Vec<_> = nodes.chain([&cluster.masters.size]).collect();
    let size = |size: &crate::spec::InstanceSize| {
        (size.to_string(), SizeFacts { architecture: size.architecture(), vcpus: 2, memory_mib: 4096 })
    };
    let images = sizes.iter().map(|size| (size.architecture(), "ami-0000000000000086a".into()));
    Facts {
        account: "111122223333".to_owned(),
        caller: "arn:aws:iam::111122223333:user/alvise".to_owned(),
        region: cluster.region.clone(),
        zones: ["a", "b", "c", "d", "e", "f"].map(|letter| format!("{}{letter}", cluster.region)).to_vec(),
        images: images.collect(),
        own_images: BTreeMap::new(),
        sizes: sizes.iter().map(|known| size(known)).collect(),
        offered: BTreeMap::new(),
        releases: Vec::new(),
        public_zones: BTreeMap::from([("poeticoding.com".to_owned(), vec!["Z0POETICODING".to_owned()])]),
    }
}

/// Returns the first plan of a cluster.
pub(super) fn first_plan(cluster: &Cluster) -> ExecutablePlan {
    let desired = blueprint(cluster, &facts(cluster), &Pins::default()).unwrap().objects;
    let inputs = PlanInputs {
        mode: PlanMode::Apply,
        desired,
        incomplete: std::collections::BTreeSet::new(),
        live: Vec::new(),
        recorded: &BTreeMap::new(),
        serial: 0,
        holds_rolls: false,
        vocabulary: &ResourceKinds,
    };
    plan(inputs).unwrap()
}
