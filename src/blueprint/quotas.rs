//! The part of an account's quotas that a cluster needs.

use std::collections::BTreeMap;

use super::nodes::{purchase, roll};
use crate::resource::{AccountQuota, QuotaNeed, SizeFacts};
use crate::spec::{Cluster, InboundRules, InstanceSize, NetworkPlugin, PrivateNetwork};

/// Returns what a cluster needs of each quota. A size that is not known needs nothing.
pub fn quota_needs(cluster: &Cluster, sizes: &BTreeMap<String, SizeFacts>) -> BTreeMap<AccountQuota, QuotaNeed> {
    let vcpus = |size: &InstanceSize| {
        let known = sizes.get(&size.to_string()).filter(|_| AccountQuota::is_standard(&size.to_string()));
        known.map_or(0, |size| u64::from(size.vcpus))
    };
    let masters = u64::try_from(cluster.masters.zones.len()).unwrap_or(u64::MAX) * vcpus(&cluster.masters.size);
    let (mut now, mut at_most) = (masters, masters);
    for group in cluster.nodes.values() {
        // The largest of a group's sizes: AWS may have capacity for no other. Spot Instances have a quota of their own.
        let vcpus = group.sizes().map(vcpus).max().unwrap_or(0);
        let on_demand = |machines: u64| machines - purchase(group).spot_machines(machines);
        now += on_demand(u64::from(group.scale.least())) * vcpus;
        at_most += on_demand(u64::from(group.scale.most() + group.roll.max_surge)) * vcpus;
    }
    let balancers = 1 + cluster.services.values().filter(|service| service.nlb.is_some()).count();
    let is_on_the_web = cluster.services.values().any(|service| service.http.is_some());
    let rules = InboundRules::of(cluster).most();
    let always = |number: u64| QuotaNeed { now: number, at_most: number };
    let addresses = cluster.network.private.as_ref().map_or(0, PrivateNetwork::zonal_gateways);
    let needs = BTreeMap::from([
        (AccountQuota::StandardVcpus, QuotaNeed { now, at_most }),
        (AccountQuota::Vpcs, always(1)),
        (AccountQuota::InternetGateways, always(1)),
        (AccountQuota::NetworkLoadBalancers, always(u64::try_from(balancers).unwrap_or(u64::MAX))),
        (AccountQuota::ApplicationLoadBalancers, always(u64::from(is_on_the_web))),
        (AccountQuota::ElasticIps, always(u64::try_from(addresses).unwrap_or(u64::MAX))),
        (AccountQuota::SecurityGroupRules, always(u64::try_from(rules).unwrap_or(u64::MAX))),
        (AccountQuota::Routes, routes(cluster)),
    ]);
    // A quota that nothing of the cluster counts against is not asked for.
    needs.into_iter().filter(|(quota, need)| need.at_most > 0 || *quota == AccountQuota::StandardVcpus).collect()
}

/// Returns the number of routes of the table that pods are reached by: one for each machine, and one to the internet.
fn routes(cluster: &Cluster) -> QuotaNeed {
    if cluster.network.plugin != NetworkPlugin::Routes {
        return QuotaNeed { now: 0, at_most: 0 };
    }
    let fixed = u64::try_from(cluster.masters.zones.len()).unwrap_or(u64::MAX) + 1;
    let groups = cluster.nodes.values();
    let least = groups.clone().map(|group| u64::from(group.scale.least())).sum::<u64>();
    let most = groups.map(|group| u64::from(group.scale.most() + roll(cluster, group).max_surge)).sum::<u64>();
    QuotaNeed { now: fixed + least, at_most: fixed + most }
}
