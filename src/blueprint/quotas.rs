//! The part of an account's quotas that a cluster needs.

use std::collections::BTreeMap;

use crate::resource::{AccountQuota, SizeFacts};
use crate::spec::{Cluster, InstanceSize};

/// Returns what a cluster needs of each quota: node groups with as many nodes as they may have, with those that a roll adds. A size
/// that is not known needs nothing.
pub fn quota_needs(cluster: &Cluster, sizes: &BTreeMap<String, SizeFacts>) -> BTreeMap<AccountQuota, u64> {
    let vcpus = |size: &InstanceSize| {
        let known = sizes.get(&size.to_string()).filter(|_| AccountQuota::is_standard(&size.to_string()));
        known.map_or(0, |size| u64::from(size.vcpus))
    };
    let masters = u64::try_from(cluster.masters.zones.len()).unwrap_or(u64::MAX) * vcpus(&cluster.masters.size);
    let groups = cluster.nodes.values();
    let nodes = groups.map(|group| u64::from(group.scale.most() + group.roll.max_surge) * vcpus(&group.size));
    let balancers = 1 + cluster.services.values().filter(|service| service.nlb.is_some()).count();
    BTreeMap::from([
        (AccountQuota::StandardVcpus, masters + nodes.sum::<u64>()),
        (AccountQuota::Vpcs, 1),
        (AccountQuota::InternetGateways, 1),
        (AccountQuota::NetworkLoadBalancers, u64::try_from(balancers).unwrap_or(u64::MAX)),
    ])
}
