//! Invariants that tests check after every call, not only at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{SimulatedAccount, SimulatedMachine};
use super::names::ApiCall;
use super::{Sandbox, lock};
use crate::resource::{
    AutoScalingGroup, DEPLOYMENT, EbsVolume, GROUP_TAG, MASTER, MEMBER_TAG, ROLE_TAG, Resource, STATEFUL_SET, tags_of,
};

/// The state of a cluster that is watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClusterWitness {
    /// `true` if it checks.
    pub(crate) watching: bool,
    /// Number of calls that it has checked.
    pub(crate) steps: u64,
    /// Invariants that did not hold, each with its call.
    pub(crate) problems: Vec<String>,
    /// The services that must have a deployment at all times.
    pub(crate) services: BTreeSet<String>,
    /// The letters of masters that have ever been up and still have a group.
    voters: BTreeSet<String>,
    /// The etcd volumes that hold the data.
    full: BTreeSet<String>,
    had_nodes: bool,
    /// The fewest nodes that were up, and the most machines that node groups had.
    pub(crate) sizes: Option<(usize, usize)>,
    /// The different states of the machines so far.
    pub(crate) moments: BTreeSet<WitnessedMoment>,
}

/// The machines of a cluster between two calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WitnessedMoment {
    /// The letters of masters that are members of etcd, each with the zone of its machine if that is up.
    pub(crate) voters: BTreeMap<String, Option<String>>,
    /// The nodes that are up, by instance: their group and zone.
    pub(crate) nodes: BTreeMap<String, (String, String)>,
}

impl Sandbox {
    /// Reads or changes the witness.
    pub(crate) fn witness<T>(&self, with: impl FnOnce(&mut ClusterWitness) -> T) -> T {
        with(&mut lock(&self.process.witness))
    }
}

impl ClusterWitness {
    /// Checks the account after a call.
    pub(super) fn observe(&mut self, call: &ApiCall, world: &SimulatedAccount) {
        if !self.watching {
            return;
        }
        self.steps += 1;
        let before = self.problems.len();
        self.masters(world);
        self.nodes(world);
        self.deployments(world);
        for problem in &mut self.problems[before..] {
            *problem = format!("{problem} (after {})", call.action);
        }
    }

    fn masters(&mut self, world: &SimulatedAccount) {
        let mut there = BTreeSet::new();
        let mut up = BTreeMap::new();
        for (_, group) in world.of(AutoScalingGroup::KIND.name) {
            let tags = tags_of(&group.attributes);
            let Some(member) = tags.get(MEMBER_TAG).filter(|_| tags.get(ROLE_TAG).is_some_and(|role| role == MASTER))
            else {
                continue;
            };
            there.insert(member.clone());
            let machine = group.machines.iter().find(|machine| is_up(machine, world));
            up.extend(machine.map(|machine| (member.clone(), machine.zone.clone())));
        }
        self.voters.retain(|voter| there.contains(voter));
        self.voters.extend(up.keys().cloned());
        let serving = self.voters.iter().filter(|voter| up.contains_key(*voter)).count();
        if serving * 2 <= self.voters.len() && !self.voters.is_empty() {
            let down = self.voters.iter().filter(|voter| !up.contains_key(*voter));
            let down: Vec<&str> = down.map(String::as_str).collect();
            let down = down.join(", ");
            self.problems.push(format!("the quorum is lost: {down} of {} masters are down", self.voters.len()));
        }
        self.data(world, serving);
        let voters = self.voters.iter().map(|voter| (voter.clone(), up.get(voter).cloned()));
        self.moments.insert(WitnessedMoment { voters: voters.collect(), nodes: nodes_up(world) });
    }

    /// Updates the volumes with data: one gets it when its master's machine is up in its zone, from a quorum of others.
    fn data(&mut self, world: &SimulatedAccount, serving: usize) {
        let volumes: BTreeSet<String> = world.of(EbsVolume::KIND.name).map(|(id, _)| id.clone()).collect();
        let had = !self.full.is_empty();
        self.full.retain(|volume| volumes.contains(volume));
        if had && self.full.len() * 2 <= self.voters.len() {
            let (full, voters) = (self.full.len(), self.voters.len());
            self.problems.push(format!("data is lost: {full} volumes of {voters} masters hold it"));
        }
        if serving * 2 <= self.voters.len() {
            return;
        }
        for (_, group) in world.of(AutoScalingGroup::KIND.name) {
            let Some(master) = group.mark.as_ref().and_then(|mark| mark.address.name().strip_prefix("masters-")) else {
                continue;
            };
            for machine in group.machines.iter().filter(|machine| is_up(machine, world)) {
                let own = world.of(EbsVolume::KIND.name).filter(|(_, volume)| {
                    let is_own = |name: &str| name.strip_prefix("etcd-") == Some(master);
                    let named = volume.mark.as_ref().is_some_and(|mark| is_own(mark.address.name()));
                    named && volume.text("zone") == Some(&machine.zone)
                });
                self.full.extend(own.map(|(id, _)| id.clone()));
            }
        }
    }

    fn nodes(&mut self, world: &SimulatedAccount) {
        let groups = world
            .of(AutoScalingGroup::KIND.name)
            .filter(|(_, group)| tags_of(&group.attributes).contains_key(GROUP_TAG));
        let machines: Vec<&SimulatedMachine> = groups.flat_map(|(_, group)| &group.machines).collect();
        let up = machines.iter().filter(|machine| is_up(machine, world)).count();
        let (least, most) = self.sizes.unwrap_or((up, machines.len()));
        self.sizes = Some((least.min(up), most.max(machines.len())));
        if self.had_nodes && up == 0 {
            self.problems.push("no node is ready".to_owned());
        }
        self.had_nodes |= up > 0;
    }

    fn deployments(&mut self, world: &SimulatedAccount) {
        let names: BTreeSet<&str> = world
            .of(DEPLOYMENT)
            .chain(world.of(STATEFUL_SET))
            .filter_map(|(_, deployment)| deployment.mark.as_ref()?.address.name().rsplit('/').next())
            .collect();
        for service in self.services.iter().filter(|service| !names.contains(service.as_str())) {
            self.problems.push(format!("the service {service} has no deployment"));
        }
    }
}

fn nodes_up(world: &SimulatedAccount) -> BTreeMap<String, (String, String)> {
    let mut nodes = BTreeMap::new();
    for (_, group) in world.of(AutoScalingGroup::KIND.name) {
        let Some(name) = tags_of(&group.attributes).remove(GROUP_TAG) else { continue };
        let up = group.machines.iter().filter(|machine| is_up(machine, world));
        nodes.extend(up.map(|machine| (machine.id.clone(), (name.clone(), machine.zone.clone()))));
    }
    nodes
}

fn is_up(machine: &SimulatedMachine, world: &SimulatedAccount) -> bool {
    machine.booted <= world.state.clock && !machine.fails
}
