//! The part of an account's quotas that a cluster needs.

use std::collections::BTreeMap;

use crate::resource::{AccountQuota, QuotaNeed, SizeFacts};
use crate::spec::{Cluster, InstanceSize};

/// Returns what a cluster needs of each quota. A size that is not known needs nothing.
pub fn quota_needs(cluster: &Cluster, sizes: &BTreeMap<String, SizeFacts>) -> BTreeMap<AccountQuota, QuotaNeed> {
    let vcpus = |size: &InstanceSize| {
        let known = sizes.get(&size.to_string()).filter(|_| AccountQuota::is_standard(&size.to_string()));
        known.map_or(0, |size| u64::from(size.vcpus))
    };
    let masters = u64::try_from(cluster.masters.zones.len()).unwrap_or(u64::MAX) * vcpus(&cluster.masters.size);
    let (mut now, mut at_most) = (masters, masters);
    for group in cluster.nodes.values() {
        now += u64::from(group.scale.least()) * vcpus(&group.size);
        at_most += u64::from(group.scale.most() + group.roll.max_surge) * vcpus(&group.size);
    }
    let balancers = 1 + cluster.services.values().filter(|service| service.nlb.is_some()).count();
    let always = |number: u64| QuotaNeed { now: number, at_most: number };
    BTreeMap::from([
        (AccountQuota::StandardVcpus, QuotaNeed { now, at_most }),
        (AccountQuota::Vpcs, always(1)),
        (AccountQuota::InternetGateways, always(1)),
        (AccountQuota::NetworkLoadBalancers, always(u64::try_from(balancers).unwrap_or(u64::MAX))),
    ])
}
