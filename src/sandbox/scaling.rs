//! Auto Scaling: groups keep their desired number of machines, spread over their zones.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use super::account::{SimulatedAccount, SimulatedMachine, SimulatedObject, SimulatedTime};
use crate::engine::{GroupMember, Live, Value};
use crate::resource::{
    AutoScalingGroup, HostedZone, LaunchTemplate, PurchaseOption, Resource, Subnet, Tags, TargetHealth, tags_of,
};

const GROUP: &str = AutoScalingGroup::KIND.name;
/// Time from the launch of a machine until it is in service, in milliseconds.
pub(super) const BOOT: u64 = 40_000;

/// The groups that have something to do: without it, every call would look at all machines.
#[derive(Debug, Clone, Default)]
pub(super) struct ScalingQueue {
    /// The groups that were changed, or lack a machine.
    unsettled: BTreeSet<String>,
    /// The moments when machines have booted, with their groups.
    boots: BTreeSet<(SimulatedTime, String)>,
    /// `true` if the machines of all groups write their names again: a zone or a subnet was changed.
    is_rezoned: bool,
}

impl ScalingQueue {
    /// Notes that an object was created or changed.
    pub(super) fn note(&mut self, kind: &str, id: &str, stored: &SimulatedObject) {
        if kind == GROUP {
            self.unsettled.insert(id.to_owned());
            self.boots.extend(stored.machines.iter().map(|machine| (machine.booted, id.to_owned())));
        }
        self.is_rezoned |= kind == HostedZone::KIND.name || kind == Subnet::KIND.name;
    }

    /// Returns the groups with machines that have booted since the last time.
    fn booted(&mut self, now: SimulatedTime) -> BTreeSet<String> {
        let later = self.boots.split_off(&(now + 1, String::new()));
        std::mem::replace(&mut self.boots, later).into_iter().map(|(_, group)| group).collect()
    }
}

impl SimulatedAccount {
    /// Advances all groups: missing machines are launched, surplus machines end, booted machines write their names.
    pub(super) fn settle(&mut self) {
        for name in std::mem::take(&mut self.scaling.unsettled) {
            self.leave_subnets(&name);
            while self.shrink(&name) {}
            while self.grow(&name) {}
            if self.get(GROUP, &name).is_some_and(|group| group.machines.len() != group.desired()) {
                self.scaling.unsettled.insert(name);
            } else {
                self.scaling.unsettled.remove(&name);
            }
        }
        self.write_names();
    }

    /// Returns the health of the machines of every group behind this target group.
    pub(super) fn targets(&self, target_group: &str) -> Vec<TargetHealth> {
        let groups = self.of(GROUP).map(|(_, group)| group);
        let behind =
            groups.filter(|group| texts(group.attributes.get("target_groups")).iter().any(|arn| arn == target_group));
        let machines = behind.flat_map(|group| &group.machines);
        machines
            .map(|machine| {
                let (state, reason) = match (machine.launched + BOOT <= self.state.clock, machine.fails) {
                    (false, _) => ("initial", "the machine is booting"),
                    (true, true) => ("unhealthy", "the machine does not become ready"),
                    (true, false) => ("healthy", ""),
                };
                TargetHealth { instance: machine.id.clone(), state: state.to_owned(), reason: reason.to_owned() }
            })
            .collect()
    }

    /// Ends machines in subnets that the group no longer spans: AWS moves them to the others.
    fn leave_subnets(&mut self, name: &str) {
        let Some(group) = self.get(GROUP, name) else { return };
        let subnets = texts(group.attributes.get("subnets"));
        if group.machines.iter().any(|machine| !subnets.contains(&machine.subnet)) {
            self.edit(GROUP, name, |group| group.machines.retain(|machine| subnets.contains(&machine.subnet)));
        }
    }

    /// Ends one machine if there are too many: one of the fullest zone, the oldest first.
    fn shrink(&mut self, name: &str) -> bool {
        let Some(group) = self.get(GROUP, name) else { return false };
        if group.machines.len() <= group.desired() {
            return false;
        }
        let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
        for machine in &group.machines {
            *zones.entry(&machine.zone).or_default() += 1;
        }
        let fullest = zones.into_iter().max_by_key(|(_, machines)| *machines).map(|(zone, _)| zone.to_owned());
        let victim = (0..group.machines.len())
            .filter(|at| Some(&group.machines[*at].zone) == fullest.as_ref())
            .min_by_key(|at| group.machines[*at].launched);
        let Some(victim) = victim else { return false };
        self.edit(GROUP, name, |group| group.machines.remove(victim)).is_some()
    }

    /// Launches one machine if one is missing and a zone can take it: the emptiest zone first.
    fn grow(&mut self, name: &str) -> bool {
        let Some(group) = self.get(GROUP, name) else { return false };
        if group.machines.len() >= group.desired() {
            return false;
        }
        let Some((zone, subnet, range)) = self.emptiest(group) else { return false };
        let template = group.text("launch_template").unwrap_or_default();
        let Some((_, template)) = self.by_output(LaunchTemplate::KIND.name, "id", template) else { return false };
        let security_groups = texts(template.attributes.get("security_groups"));
        let volume_tags = match template.attributes.get("instance_tags") {
            Some(Value::Map(tags)) => texts_by_key(tags),
            _ => Tags::new(),
        };
        let tags = vec![tags_of(&group.attributes), volume_tags];
        let version = group.text("version").unwrap_or("1").to_owned();
        let sizes = texts(group.attributes.get("sizes"));
        // AWS spreads Spot Instances over the sizes, and takes the first of them for an On-Demand Instance.
        let is_spot = group.text("purchase").and_then(PurchaseOption::parse).is_some_and(|it| it.spot().is_some());
        let at = if is_spot { group.machines.len() % sizes.len().max(1) } else { 0 };
        let size = sizes.into_iter().nth(at).or_else(|| template.text("instance_size").map(str::to_owned));
        let id = format!("i-{}", self.hex(17));
        let machine = SimulatedMachine {
            id,
            zone,
            subnet,
            ip: address(range, self.state.made),
            security_groups,
            version,
            size,
            launched: self.state.clock,
            booted: self.state.clock + BOOT,
            tags,
            fails: self.state.failed_boots.contains(name),
        };
        self.edit(GROUP, name, |group| group.machines.push(machine)).is_some()
    }

    /// Returns the zone of a group with the fewest machines, with its subnet; no zone that has failed.
    fn emptiest(&self, group: &SimulatedObject) -> Option<(String, String, Ipv4Net)> {
        let subnets = texts(group.attributes.get("subnets"));
        let places = subnets.into_iter().filter_map(|id| {
            let (_, subnet) = self.by_output(Subnet::KIND.name, "id", &id)?;
            let zone = subnet.text("zone").filter(|zone| !self.state.failed_zones.contains(*zone))?;
            Some((zone.to_owned(), id, subnet.text("cidr")?.parse().ok()?))
        });
        places.min_by_key(|(zone, ..)| (group.machines.iter().filter(|m| m.zone == *zone).count(), zone.clone()))
    }

    /// Machines that have booted write their names into the private zones of their VPC, as masters do.
    fn write_names(&mut self) {
        let booted = self.scaling.booted(self.state.clock);
        let all = std::mem::take(&mut self.scaling.is_rezoned);
        let mut names: Vec<(String, String, String)> = Vec::new();
        for (_, group) in self.of(GROUP).filter(|(name, _)| all || booted.contains(*name)) {
            for machine in group.machines.iter().filter(|machine| machine.booted <= self.state.clock) {
                let vpc =
                    self.by_output(Subnet::KIND.name, "id", &machine.subnet).and_then(|(_, subnet)| subnet.text("vpc"));
                for (id, zone) in
                    self.of(HostedZone::KIND.name).filter(|(_, zone)| vpc.is_some() && zone.text("vpc") == vpc)
                {
                    let name = format!("{}.{}", machine.id, zone.text("name").unwrap_or_default());
                    names.push((id.clone(), name, machine.ip.clone()));
                }
            }
        }
        for (zone, name, ip) in names {
            self.write_content(HostedZone::KIND.name, &zone, &name, &ip);
        }
    }

    /// Terminates machines. Their group notices by itself.
    pub(super) fn end(&mut self, dies: impl Fn(&SimulatedMachine) -> bool) -> Vec<String> {
        let dying = |group: &SimulatedObject| group.machines.iter().any(&dies);
        let groups: Vec<String> =
            self.of(GROUP).filter(|(_, group)| dying(group)).map(|(name, _)| name.clone()).collect();
        let mut ended = Vec::new();
        for name in groups {
            self.edit(GROUP, &name, |group| {
                ended.extend(group.machines.iter().filter(|machine| dies(machine)).map(|machine| machine.id.clone()));
                group.machines.retain(|machine| !dies(machine));
            });
        }
        ended
    }
}

impl SimulatedObject {
    /// Returns the machines as an observation reports them, sorted.
    pub(super) fn members(&self, now: u64) -> Vec<GroupMember> {
        let mut members: Vec<GroupMember> = self.machines.iter().map(|machine| member(machine, now)).collect();
        members.sort();
        members
    }

    /// Returns the template version of all machines: the oldest one, or the group's own without machines;
    /// and a note about a machine that does not become ready.
    pub(super) fn machines_version(&self, now: u64, alike: EqualTemplates) -> Option<String> {
        let oldest = self.machines.iter().min_by_key(|machine| machine.version.parse::<u64>().unwrap_or(0));
        let version = oldest.map(|machine| machine.version.clone()).or_else(|| self.text("version").map(str::to_owned));
        let version = version.map(|version| if alike.contains(&version) { alike.first.to_string() } else { version });
        match self.machines.iter().find(|machine| machine.fails && machine.booted <= now) {
            Some(late) => {
                Some(AutoScalingGroup::with_problem(&version?, &format!("{} does not become ready", late.id)))
            }
            None => version,
        }
    }

    /// Returns the tags of the group, with a note about each machine or root volume that lacks a tag, or has one that the
    /// group does not have.
    pub(super) fn reported_tags(&self) -> BTreeMap<String, Value> {
        let own = tags_of(&self.attributes);
        let mut shown = own.clone();
        for machine in &self.machines {
            for tags in &machine.tags {
                for (key, value) in own.iter().filter(|(key, value)| tags.get(*key) != Some(value)) {
                    shown.insert(key.clone(), format!("{value} (not on {})", machine.id));
                }
                for (key, value) in tags.iter().filter(|(key, _)| !own.contains_key(*key)) {
                    shown.insert(key.clone(), format!("{value} (on {})", machine.id));
                }
            }
        }
        shown.into_iter().map(|(key, value)| (key, Value::Text(value))).collect()
    }

    /// Gives the machines the group's tags, and removes those of ours that the group no longer has.
    pub(super) fn tag_machines(&mut self, ours: &Tags) {
        let own = tags_of(&self.attributes);
        for tags in self.machines.iter_mut().flat_map(|machine| &mut machine.tags) {
            tags.retain(|key, _| own.contains_key(key) || !ours.contains_key(key));
            tags.extend(own.clone());
        }
    }

    /// Returns the number of machines that a group should have.
    fn desired(&self) -> usize {
        self.number("desired").unwrap_or_default()
    }

    /// Sets a size of a group.
    pub(super) fn set_size(&mut self, size: &str, machines: usize) {
        if let Ok(machines) = i64::try_from(machines) {
            self.attributes.insert(size.to_owned(), Value::Integer(machines));
        }
    }

    /// Keeps the desired number of machines between minimum and maximum, as AWS does when either changes.
    pub(super) fn keep_in_range(&mut self) {
        let (min, max) = (self.number("min").unwrap_or(0), self.number("max").unwrap_or(usize::MAX));
        let desired = self.number("desired").unwrap_or(min).min(max).max(min);
        if let Ok(desired) = i64::try_from(desired) {
            self.attributes.insert("desired".to_owned(), Value::Integer(desired));
        }
    }
}

/// Shows the version that the machines of a group run, and which of its tags they lack.
pub(super) fn show_machines(account: &SimulatedAccount, group: &SimulatedObject, _region: &str, live: &mut Live) {
    let version = group.machines_version(account.state.clock, account.same_version(group));
    live.attributes.extend(version.map(|version| ("machines".to_owned(), Value::Text(version))));
    live.attributes.insert("tags".to_owned(), Value::Map(group.reported_tags()));
}

/// Versions of a template that differ only in tags: the first one, and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EqualTemplates {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl EqualTemplates {
    /// Returns true for a version of this range.
    pub(super) fn contains(self, version: &str) -> bool {
        version.parse().is_ok_and(|version| (self.first..=self.last).contains(&version))
    }
}

impl SimulatedAccount {
    /// Returns the versions of a group's template that are equivalent to the newest.
    pub(super) fn same_version(&self, group: &SimulatedObject) -> EqualTemplates {
        let template =
            self.by_output(LaunchTemplate::KIND.name, "id", group.text("launch_template").unwrap_or_default());
        let number = |output: &str| template.and_then(|(_, template)| template.outputs.get(output)?.parse().ok());
        let last = number("version").unwrap_or(0);
        // Templates of older releases have no generation.
        EqualTemplates { first: number("generation").unwrap_or(last), last }
    }
}

fn member(machine: &SimulatedMachine, now: u64) -> GroupMember {
    GroupMember {
        id: machine.id.clone(),
        zone: machine.zone.clone(),
        state: if machine.booted <= now { "InService" } else { "Pending" }.to_owned(),
        version: machine.version.clone(),
        size: machine.size.clone(),
        launched: Some(SimulatedAccount::timestamp(machine.launched)),
    }
}

fn texts_by_key(tags: &BTreeMap<String, Value>) -> Tags {
    tags.iter().filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned()))).collect()
}

/// Returns the texts of a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::List(items)) => items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Returns an address of the range: AWS reserves the first four and the last.
fn address(range: Ipv4Net, number: u64) -> String {
    let hosts = (1_u64 << (32 - range.prefix_len())).saturating_sub(5).max(1);
    let offset = u32::try_from(4 + number % hosts).unwrap_or(4);
    std::net::Ipv4Addr::from(u32::from(range.network()).saturating_add(offset)).to_string()
}
