//! Settings that a living cluster keeps, whatever the file leaves open: the masters' zones, the version, the network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outputs::member_of_volume;
use super::{BlueprintError, BlueprintNote, BlueprintProblem, Pins};
use crate::engine::{Live, Value};
use crate::resource::{DEPLOYMENT, EbsVolume, Resource, STATEFUL_SET, Subnet, is_private_subnet};
use crate::spec::{Cluster, KubernetesVersion, Masters, Network, NetworkPlugin, Service, Zone};

/// The version of Kubernetes that a cluster runs, and the one that it is upgraded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedVersion {
    /// The version that every machine has reached.
    pub reached: KubernetesVersion,
    /// The version of the last apply, which may not have finished.
    pub wanted: KubernetesVersion,
}

/// The settings of the pods' network that cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedNetwork {
    /// The addresses of pods.
    pub pods: ipnet::Ipv4Net,
    /// The addresses of services.
    pub services: ipnet::Ipv4Net,
    /// The network plugin, which routes pod traffic.
    pub plugin: NetworkPlugin,
    /// `true` if machines are in private subnets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

impl PinnedNetwork {
    fn of(network: &Network) -> Self {
        let Network { pods, services, plugin, .. } = *network;
        Self { pods, services, plugin, private: network.private.is_some() }
    }
}

const REBUILD: &str = "every address in the cluster depends on it. Put it back, or build another cluster";

/// Returns the desired cluster, with the settings that it keeps.
pub(super) fn resolved(cluster: &Cluster, pins: &Pins) -> Result<Cluster, BlueprintError> {
    let mut problems: Vec<BlueprintProblem> =
        pins.network.iter().flat_map(|pinned| changed_network(&cluster.network, pinned)).collect();
    let mut resolved = cluster.clone();
    resolved.masters.zones = place(&cluster.masters, &cluster.zones, &pins.masters);
    if let Some(pinned) = pins.kubernetes {
        match version(cluster, pinned) {
            Ok(version) => resolved.kubernetes = version,
            Err(problem) => problems.push(problem),
        }
        problems.extend(joins_newer(&resolved, pinned, pins));
    }
    for (name, service) in &mut resolved.services {
        if service.volumes.is_empty() {
            continue;
        }
        match pins.volume_per_pod.get(name) {
            // With one pod, it is still a stateful set.
            Some(true) => service.volume_per_pod = true,
            Some(false) if service.volume_per_pod => problems.push(more_volumes(name, service)),
            _ => {}
        }
    }
    if problems.is_empty() { Ok(resolved) } else { Err(BlueprintError { problems }) }
}

/// Returns notes for the user about the settings that the cluster keeps.
pub(super) fn notes(resolved: &Cluster) -> Vec<BlueprintNote> {
    let mut notes = Vec::new();
    if !resolved.kubernetes_given && resolved.kubernetes < KubernetesVersion::DEFAULT {
        notes.push(BlueprintNote::NewerVersion { version: resolved.kubernetes });
    }
    notes.extend(together(resolved));
    notes
}

/// Returns the zone with too many masters, if the zones of the file would allow a better spread.
fn together(resolved: &Cluster) -> Option<BlueprintNote> {
    let masters = &resolved.masters;
    let (count, zones) = (masters.zones.len(), resolved.zones.len());
    let minority = count.saturating_sub(1) / 2;
    if masters.zones_given || count < 3 || count.div_ceil(zones.max(1)) > minority {
        return None;
    }
    let in_zone = |zone: &Zone| -> Vec<String> {
        masters.placed().filter(|(_, other)| *other == zone).map(|(member, _)| member).collect()
    };
    let fullest = resolved.zones.iter().map(|zone| (zone, in_zone(zone))).max_by_key(|(_, masters)| masters.len());
    fullest
        .filter(|(_, masters)| masters.len() > minority)
        .map(|(zone, masters)| BlueprintNote::MastersTogether { zone: zone.clone(), masters })
}

/// Returns the zone of each master: its current zone, as long as the file has that zone. New masters, and those that have to
/// move, go to the zone with the fewest masters, in the order of the file.
fn place(masters: &Masters, zones: &[Zone], pinned: &BTreeMap<String, Zone>) -> Vec<Zone> {
    if pinned.is_empty() {
        return masters.zones.clone();
    }
    // Zones in the file are places: their order determines where new masters go, and moves none.
    let mut places = masters.zones.clone();
    let mut chosen: Vec<Option<Zone>> = Vec::new();
    for (member, _) in masters.placed() {
        let kept = pinned.get(&member).filter(|zone| zones.contains(zone)).and_then(|zone| {
            if !masters.zones_given {
                return Some(zone.clone());
            }
            let at = places.iter().position(|place| place == zone)?;
            Some(places.remove(at))
        });
        chosen.push(kept);
    }
    let mut places = places.into_iter();
    for at in 0..chosen.len() {
        if chosen[at].is_none() {
            let given = if masters.zones_given { places.next() } else { None };
            chosen[at] = given.or_else(|| emptiest(zones, &chosen));
        }
    }
    chosen.into_iter().flatten().collect()
}

fn emptiest(zones: &[Zone], placed: &[Option<Zone>]) -> Option<Zone> {
    let held = |zone: &Zone| placed.iter().flatten().filter(|other| *other == zone).count();
    zones.iter().min_by_key(|zone| held(zone)).cloned()
}

fn changed_network(wanted: &Network, pinned: &PinnedNetwork) -> Vec<BlueprintProblem> {
    let resolved = |setting, before: String, after: String, instead: &str| {
        (before != after).then(|| BlueprintProblem::Settled { setting, before, after, instead: instead.to_owned() })
    };
    let plugin = |plugin| match plugin {
        NetworkPlugin::Routes => "\"routes\"".to_owned(),
        NetworkPlugin::None => "\"none\"".to_owned(),
    };
    let topology = |is_private| if is_private { "\"private\"" } else { "\"public\"" }.to_owned();
    let instead = "pods of the old network and of the new one would not reach each other. Put it back, or build another \
                   cluster";
    let moved = "AWS ends machines at once when their group leaves a subnet, the masters too. Put it back, or build another \
                 cluster and move the services there";
    [
        resolved("network.pods", pinned.pods.to_string(), wanted.pods.to_string(), REBUILD),
        resolved("network.services", pinned.services.to_string(), wanted.services.to_string(), REBUILD),
        resolved("network.plugin", plugin(pinned.plugin), plugin(wanted.plugin), instead),
        resolved("network.topology", topology(pinned.private), topology(wanted.private.is_some()), moved),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Refuses new masters in the same apply as a new version. They join before the others are rolled, so an API server of the new
/// version would start before a master that has data has saved etcd.
fn joins_newer(resolved: &Cluster, pinned: PinnedVersion, pins: &Pins) -> Option<BlueprintProblem> {
    let (before, after) = (pins.masters.len(), resolved.masters.zones.len());
    let is_new_version = resolved.kubernetes > pinned.wanted && pinned.wanted == pinned.reached;
    (is_new_version && before > 0 && after > before).then(|| BlueprintProblem::Settled {
        setting: "masters.count",
        before: before.to_string(),
        after: after.to_string(),
        instead: format!(
            "etcd is saved before an upgrade, by masters that have its data. Apply Kubernetes {} first, then the new masters",
            resolved.kubernetes
        ),
    })
}

/// Refuses several pods for a service whose only pod has its volumes: new pods would have new volumes, and its data would belong
/// to none of them.
fn more_volumes(name: &str, service: &Service) -> BlueprintProblem {
    let pods = service.scale.least();
    BlueprintProblem::Settled {
        setting: "replicas",
        before: "1".to_owned(),
        after: pods.to_string(),
        instead: format!(
            "the service {name} has its volumes for one pod, and with several each gets new ones without its data. Keep one \
             pod; or add a service of another name with `replicas = {pods}`, copy the data, and take this one out"
        ),
    }
}

/// Returns the version that the cluster should have: never an older one, and one minor version at a time.
fn version(cluster: &Cluster, pinned: PinnedVersion) -> Result<KubernetesVersion, BlueprintProblem> {
    let PinnedVersion { reached, wanted } = pinned;
    if !cluster.kubernetes_given {
        let known = KubernetesVersion::SUPPORTED.contains(&wanted);
        let next = wanted.next().to_string();
        return if known {
            Ok(wanted)
        } else {
            Err(BlueprintProblem::EndedVersion { version: wanted.to_string(), next })
        };
    }
    let asked = cluster.kubernetes;
    let refuse = |before: KubernetesVersion, instead: String| BlueprintProblem::Settled {
        setting: "kubernetes",
        before: before.to_string(),
        after: asked.to_string(),
        instead,
    };
    if asked < wanted {
        return Err(refuse(wanted, format!("Kubernetes does not go back to an older version. Keep {wanted}")));
    }
    let next = reached.next();
    if asked > next {
        let instead = if wanted > reached {
            format!("the upgrade to {wanted} is not finished. Apply {wanted} until the plan is empty, then {asked}")
        } else {
            format!("Kubernetes goes up one minor version at a time. Apply {next} first, then {}", next.next())
        };
        return Err(refuse(reached, instead));
    }
    Ok(asked)
}

impl Pins {
    /// Adds the settings that the cluster keeps from now on.
    #[must_use]
    pub(super) fn resolve(mut self, resolved: &Cluster, before: &Self) -> Self {
        let reached = before.kubernetes.map_or(resolved.kubernetes, |pinned| pinned.reached);
        self.masters = resolved.masters.placed().map(|(member, zone)| (member, zone.clone())).collect();
        self.kubernetes = Some(PinnedVersion { reached, wanted: resolved.kubernetes });
        self.network = Some(PinnedNetwork::of(&resolved.network));
        let with_volumes = resolved.services.iter().filter(|(_, service)| !service.volumes.is_empty());
        self.volume_per_pod = with_volumes.map(|(name, service)| (name.clone(), service.volume_per_pod)).collect();
        self.replace.clone_from(&before.replace);
        self
    }

    /// Returns the pins after a finished apply. With `no_roll`, machines were left as they are.
    #[must_use]
    pub fn reached(mut self, no_roll: bool) -> Self {
        if !no_roll {
            self.replace.clear();
        }
        self.kubernetes = self.kubernetes.map(|pinned| PinnedVersion { reached: pinned.wanted, ..pinned });
        self
    }

    /// Adds pins that are not recorded, from the last applied cluster and from the live objects.
    #[must_use]
    pub fn recover(mut self, applied: Option<&Cluster>, live: &[Live]) -> Self {
        if let Some(applied) = applied {
            let version = PinnedVersion { reached: applied.kubernetes, wanted: applied.kubernetes };
            self.network.get_or_insert(PinnedNetwork::of(&applied.network));
            self.kubernetes.get_or_insert(version);
            // Records of older releases have none: their services had one pod for each volume.
            let with_volumes = applied.services.iter().filter(|(_, service)| !service.volumes.is_empty());
            for (name, service) in with_volumes {
                self.volume_per_pod.entry(name.clone()).or_insert(service.volume_per_pod);
            }
        }
        for live in live.iter().filter(|live| live.proven) {
            let mounts = || live.attributes.keys().any(|name| name.ends_with("persistentVolumeClaim.claimName"));
            if live.address.kind() == STATEFUL_SET || (live.address.kind() == DEPLOYMENT && mounts()) {
                let is_set = live.address.kind() == STATEFUL_SET;
                self.volume_per_pod.entry(live.address.name().to_owned()).or_insert(is_set);
            }
            let text = |name: &str| live.attributes.get(name).and_then(Value::as_text);
            let Some(zone) = text("zone").and_then(|zone| Zone::parse(zone).ok()) else { continue };
            if live.address.kind() == EbsVolume::KIND.name
                && let Some(member) = member_of_volume(live.address.name())
            {
                self.masters.entry(member.to_owned()).or_insert(zone);
            } else if live.address.kind() == Subnet::KIND.name
                && let Some(range) = text("cidr").and_then(|range| range.parse().ok())
            {
                let is_private = is_private_subnet(live.address.name());
                let ranges = if is_private { &mut self.private_subnets } else { &mut self.subnets };
                ranges.entry(zone).or_insert(range);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
