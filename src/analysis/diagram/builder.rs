//! Building a diagram from the objects before and after a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::balancers::Balancers;
use super::{
    ClusterDiagram, DiagramGroup, DiagramMaster, DiagramService, DiagramVolume, DiagramZone, PartChange, PartCount,
};
use crate::analysis::availability::{evenly, placement};
use crate::analysis::state::{ClusterState, StateObject};
use crate::engine::{Action, Address, Change, ExecutablePlan, Value};
use crate::resource::{
    API, AUTOSCALER, AutoScalingGroup, CONFIG_MAP, DEPLOYMENT, DISRUPTION_BUDGET, ETCD, EbsVolume, GROUP_TAG,
    LaunchTemplate, LoadBalancer, MEMBER_TAG, POD_TEMPLATE, ROLE_TAG, Resource, SERVICE, STATEFUL_SET, Subnet,
    VOLUME_CLAIM, runs_service, service_object, service_of_object, tags_of,
};

/// The attribute with the size of a claim.
const STORAGE: &str = "spec.resources.requests.storage";

/// The objects before and after a plan.
pub(super) struct DiagramBuilder<'a> {
    run: &'a ExecutablePlan,
    before: ClusterState<'a>,
    after: ClusterState<'a>,
    /// `true` if the diagram shows the changes of the plan.
    is_marked: bool,
}

/// An object before and after a plan: at least one of them exists.
#[derive(Clone, Copy)]
struct ObjectPair<'b> {
    before: Option<&'b StateObject<'b>>,
    after: Option<&'b StateObject<'b>>,
}

impl<'a> DiagramBuilder<'a> {
    pub(super) fn new(run: &'a ExecutablePlan, is_marked: bool) -> Self {
        let before = if is_marked { ClusterState::before(run) } else { ClusterState::default() };
        Self { run, before, after: ClusterState::after(run), is_marked }
    }

    pub(super) fn build(&self) -> ClusterDiagram {
        let balancers = Balancers::new(self.run, self.is_marked);
        let groups: Vec<DiagramGroup> = self.names(is_node_group).iter().map(|name| self.group(name)).collect();
        let services = self.service_names();
        let services = services.iter().map(|name| self.service(name, &groups, &balancers)).collect();
        ClusterDiagram { zones: self.zones(), api: balancers.named(API), masters: self.masters(), groups, services }
    }

    /// Returns the names of the objects that are wanted or exist, sorted.
    fn names(&self, holds: fn(&StateObject<'_>) -> bool) -> BTreeSet<String> {
        let objects = self.before.objects().chain(self.after.objects()).filter(|object| holds(object));
        objects.map(|object| object.address.name().to_owned()).collect()
    }

    /// Returns the object of a kind before and after the plan.
    fn pair(&self, kind: &str, name: &str) -> ObjectPair<'_> {
        ObjectPair { before: self.before.at(kind, name), after: self.after.at(kind, name) }
    }

    fn change(&self, kind: &str, name: &str) -> PartChange {
        let address = Address::new(kind, name);
        let found = self.run.plan.changes.iter().find(|change| change.address == address);
        found.filter(|_| self.is_marked).map_or(PartChange::Unchanged, |change| change.action.into())
    }

    /// Returns the change of a part's main object; a change of any other one is a change in place.
    fn change_of_part(&self, kind: &str, name: &str, others: &[(&str, &str)]) -> PartChange {
        let is_changed = |(kind, name): &(&str, &str)| self.change(kind, name) != PartChange::Unchanged;
        match self.change(kind, name) {
            PartChange::Unchanged if others.iter().any(is_changed) => PartChange::Changed,
            change => change,
        }
    }

    fn zones(&self) -> Vec<DiagramZone> {
        let zone = |name: &String| {
            let pair = self.pair(Subnet::KIND.name, name);
            DiagramZone {
                name: pair.text("zone").unwrap_or_else(|| name.clone()),
                cidr: pair.text("cidr"),
                change: self.change(Subnet::KIND.name, name),
            }
        };
        let mut zones: Vec<DiagramZone> = self.names(is::<Subnet>).iter().map(zone).collect();
        zones.sort_by(|a, b| a.name.cmp(&b.name));
        zones.dedup_by(|a, b| a.name == b.name);
        zones
    }

    fn masters(&self) -> Vec<DiagramMaster> {
        let mut masters: Vec<DiagramMaster> = self.names(is_master).iter().map(|name| self.master(name)).collect();
        masters.sort_by(|a, b| a.member.cmp(&b.member));
        masters
    }

    fn master(&self, name: &str) -> DiagramMaster {
        let pair = self.pair(AutoScalingGroup::KIND.name, name);
        let member = pair.tag(MEMBER_TAG).unwrap_or_default();
        let zone = self.group_zones(pair).into_iter().next().unwrap_or_default();
        DiagramMaster {
            volume: self.volume(&member),
            member,
            zone,
            size: self.size(name),
            change: self.change_of_machines(name),
        }
    }

    /// Returns the zones that a group starts machines in.
    fn group_zones(&self, pair: ObjectPair<'_>) -> BTreeSet<String> {
        match (pair.after, pair.before) {
            (Some(after), _) => self.after.zones_of(after),
            (None, Some(before)) => self.before.zones_of(before),
            (None, None) => BTreeSet::new(),
        }
    }

    fn change_of_machines(&self, name: &str) -> PartChange {
        self.change_of_part(AutoScalingGroup::KIND.name, name, &[(LaunchTemplate::KIND.name, name)])
    }

    fn size(&self, group: &str) -> String {
        let template = self.pair(LaunchTemplate::KIND.name, group);
        template.shown(|template| template.text("instance_size").map(str::to_owned))
    }

    fn volume(&self, member: &str) -> Option<DiagramVolume> {
        let is_of_member = |object: &&StateObject<'_>| {
            let tags = tags_of(object.attributes());
            let has = |tag: &str, value: &str| tags.get(tag).is_some_and(|found| found == value);
            object.is::<EbsVolume>() && has(ROLE_TAG, ETCD) && has(MEMBER_TAG, member)
        };
        let found = self.after.objects().find(is_of_member).or_else(|| self.before.objects().find(is_of_member))?;
        let name = found.address.name();
        let pair = self.pair(EbsVolume::KIND.name, name);
        let text = pair.shown(|volume| {
            Some(format!("{} GiB {}", volume.number("gib"), volume.text("volume_type").unwrap_or_default()))
        });
        Some(DiagramVolume { text, change: self.change(EbsVolume::KIND.name, name) })
    }

    fn group(&self, name: &str) -> DiagramGroup {
        let pair = self.pair(AutoScalingGroup::KIND.name, name);
        let zones = self.group_zones(pair);
        let running = pair.before.map(StateObject::running).unwrap_or_default();
        let wanted = pair.after.map(|after| wanted_machines(after, &zones, &running)).unwrap_or_default();
        let range = pair.any().map(|group| (group.number("min"), group.number("max")));
        DiagramGroup {
            name: pair.tag(GROUP_TAG).unwrap_or_else(|| name.to_owned()),
            size: self.size(name),
            range: range.filter(|(min, max)| min < max),
            machines: self.counts(&running, &wanted),
            change: self.change_of_machines(name),
        }
    }

    /// Returns the numbers before and after; without changes, both are those after.
    fn counts(&self, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, PartCount> {
        let before = if self.is_marked { before } else { after };
        let zones: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let number = |counts: &BTreeMap<String, u64>, zone: &String| counts.get(zone).copied().unwrap_or_default();
        let count = |zone: &String| PartCount { before: number(before, zone), after: number(after, zone) };
        let counts = zones.into_iter().map(|zone| (zone.clone(), count(zone)));
        counts.filter(|(_, count)| count.most() > 0).collect()
    }

    /// Returns the names of services: those with pods, and those of which only a load balancer is left.
    fn service_names(&self) -> BTreeSet<String> {
        let balancers = self.names(is::<LoadBalancer>);
        let of_balancers = balancers.iter().filter_map(|name| service_of_object(name)).map(str::to_owned);
        let mut names = self.names(|object| runs_service(object.address.kind()));
        names.extend(of_balancers);
        names
    }

    fn service(&self, name: &str, groups: &[DiagramGroup], balancers: &Balancers<'_>) -> DiagramService {
        let kind = self.workload_kind(name);
        let pair = self.pair(kind, name);
        let pods = |state: &ClusterState<'_>, deployment: Option<&StateObject<'_>>, of: fn(&PartCount) -> u64| {
            let spread = deployment.map(|deployment| {
                let zones = zones_for_pods(state, deployment, groups, of);
                owned(evenly(replicas(state, deployment), zones.iter().copied(), |_| 0))
            });
            spread.unwrap_or_default()
        };
        let before = pods(&self.before, pair.before, |count| count.before);
        let after = pods(&self.after, pair.after, |count| count.after);
        let known = self.names(|object| object.address.kind() == VOLUME_CLAIM).into_iter();
        let claims: Vec<String> = known.filter(|claim| pair.any().is_some_and(|object| object.mounts(claim))).collect();
        let volumes = claims.iter().map(|claim| {
            let volume = self.pair(VOLUME_CLAIM, claim);
            volume.shown(|claim| claim.text(STORAGE).map(str::to_owned))
        });
        let autoscaler = self.pair(AUTOSCALER, name).after;
        let others: Vec<(&str, &str)> = [CONFIG_MAP, SERVICE, DISRUPTION_BUDGET, AUTOSCALER]
            .into_iter()
            .map(|kind| (kind, name))
            .chain(claims.iter().map(|claim| (VOLUME_CLAIM, claim.as_str())))
            .collect();
        DiagramService {
            name: name.to_owned(),
            image: pair.shown(image),
            range: autoscaler
                .map(|scaler| (scaler.number("spec.minReplicas").max(1), scaler.number("spec.maxReplicas"))),
            pods: self.counts(&before, &after),
            volumes: volumes.collect(),
            balancer: balancers.named(&service_object(name)).or_else(|| balancers.of_the_web(name)),
            change: if self.replaces_pods(name) {
                PartChange::Replaced
            } else {
                self.change_of_part(kind, name, &others)
            },
        }
    }
}

impl DiagramBuilder<'_> {
    /// Returns the kind of the object that runs the pods of a service: the one after the plan, or before it.
    fn workload_kind(&self, name: &str) -> &'static str {
        let has = |kind: &str, of: fn(&ObjectPair<'_>) -> bool| of(&self.pair(kind, name));
        let stays = |pair: &ObjectPair<'_>| pair.after.is_some();
        let was = |pair: &ObjectPair<'_>| pair.before.is_some();
        let is_set = has(STATEFUL_SET, stays) || (has(STATEFUL_SET, was) && !has(DEPLOYMENT, stays));
        if is_set { STATEFUL_SET } else { DEPLOYMENT }
    }

    /// Returns `true` if a deployment is changed in place, and its pods are replaced by that.
    fn replaces_pods(&self, name: &str) -> bool {
        let address = Address::new(self.workload_kind(name), name);
        let found = self.run.plan.changes.iter().find(|change| change.address == address);
        let is_template = |change: &Change| change.attributes.iter().any(|own| own.name.starts_with(POD_TEMPLATE));
        self.is_marked && found.is_some_and(|change| change.action == Action::Update && is_template(change))
    }
}

impl<'b> ObjectPair<'b> {
    /// Returns the object after the plan, or before it.
    fn any(self) -> Option<&'b StateObject<'b>> {
        self.after.or(self.before)
    }

    fn text(self, name: &str) -> Option<String> {
        self.any()?.text(name).map(str::to_owned)
    }

    fn tag(self, name: &str) -> Option<String> {
        tags_of(self.any()?.attributes()).remove(name)
    }

    /// Returns a text about the object; both texts if the plan changes it.
    fn shown(self, text: impl Fn(&StateObject<'_>) -> Option<String>) -> String {
        let (before, after) = (self.before.and_then(&text), self.after.and_then(&text));
        match (before, after) {
            (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
            (before, after) => after.or(before).unwrap_or_default(),
        }
    }
}

fn is<R: Resource>(object: &StateObject<'_>) -> bool {
    object.is::<R>()
}

fn is_master(object: &StateObject<'_>) -> bool {
    object.is::<AutoScalingGroup>() && tags_of(object.attributes()).contains_key(MEMBER_TAG)
}

fn is_node_group(object: &StateObject<'_>) -> bool {
    object.is::<AutoScalingGroup>() && !is_master(object)
}

/// Returns the machines of a group by zone: as they run, if their number does not change, or evenly.
fn wanted_machines(
    group: &StateObject<'_>,
    zones: &BTreeSet<String>,
    running: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let count = group.number("desired");
    let stay = running.values().sum::<u64>() == count && running.keys().all(|zone| zones.contains(zone));
    if stay { running.clone() } else { owned(evenly(count, zones.iter().map(String::as_str), |_| 0)) }
}

fn owned(counts: BTreeMap<&str, u64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(zone, count)| (zone.to_owned(), count)).collect()
}

/// Returns the zones with nodes that the pods of a deployment may run on.
fn zones_for_pods<'g>(
    state: &ClusterState<'_>,
    deployment: &StateObject<'_>,
    groups: &'g [DiagramGroup],
    count: fn(&PartCount) -> u64,
) -> BTreeSet<&'g str> {
    let (allowed_groups, allowed_zones) = placement(deployment, state);
    let groups = groups.iter().filter(|group| allowed_groups.is_empty() || allowed_groups.contains(&group.name));
    let zones = groups.flat_map(|group| group.machines.iter()).filter(|(_, machines)| count(machines) > 0);
    let zones = zones.map(|(zone, _)| zone.as_str());
    zones.filter(|zone| allowed_zones.is_empty() || allowed_zones.contains(*zone)).collect()
}

/// Returns the number of pods of a deployment: the least number, if an autoscaler sets it.
fn replicas(state: &ClusterState<'_>, deployment: &StateObject<'_>) -> u64 {
    match state.at(AUTOSCALER, deployment.address.name()) {
        Some(autoscaler) => autoscaler.number("spec.minReplicas").max(1),
        None if deployment.attributes().contains_key("spec.replicas") => deployment.number("spec.replicas"),
        None => 1,
    }
}

fn image(deployment: &StateObject<'_>) -> Option<String> {
    let is_image = |name: &str| name.starts_with("spec.template.spec.containers[") && name.ends_with("].image");
    let mut images = deployment.attributes().iter().filter(|(name, _)| is_image(name));
    images.find_map(|(_, value)| Value::as_text(value)).map(str::to_owned)
}
