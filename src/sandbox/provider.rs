//! The sandbox's implementation of the provider.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{self, SimulatedAccount, SimulatedMachine};
use super::kinds::simulated;
use super::names::{ApiCall, no_such_kind};
use super::rules::{check_changeable, check_known, check_payload};
use super::spare::RollProgress;
use super::{Sandbox, scaling};
use crate::engine::{
    Address, BoxFuture, Failure, FailureClass, IdempotencyToken, Live, Object, ObjectPhase, Observation, ProgressNote,
    Provider,
};
use crate::resource::{AutoScalingGroup, CLUSTER_TAG, KINDS, MASTER, ROLE_TAG, Resource, Tags, tags_of};
use crate::words;

const GROUP: &str = AutoScalingGroup::KIND.name;

impl Provider for Sandbox {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>> {
        Box::pin(async move {
            for kind in KINDS.iter().skip(1) {
                self.count(&ApiCall::list(kind.name));
            }
            let first = KINDS.first().map_or("", |kind| kind.name);
            self.call(&ApiCall::list(first), false, |world, _| Ok(self.see(world, None).into())).await
        })
    }

    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let kinds: BTreeSet<&str> = recorded.keys().map(Address::kind).collect();
            for kind in kinds.iter().skip(1) {
                self.count(&ApiCall::list(kind));
            }
            let Some(first) = kinds.first() else { return Ok(Observation::default()) };
            self.call(&ApiCall::list(first), false, |world, _| Ok(self.unmarked(world, recorded).into())).await
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let call = ApiCall::list(address.kind());
            self.call(&call, false, |world, _| Ok(self.see(world, Some(address)))).await
        })
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = account::kind(object.address.kind()).ok_or_else(|| no_such_kind(&object.address))?;
            let call = ApiCall::new("Create", kind.name);
            self.call(&call, true, |world, fate| {
                check_known(&call, object)?;
                check_payload(&call, object)?;
                self.make(world, fate, &call, kind, object, token)
            })
            .await
        })
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = account::kind(object.address.kind()).ok_or_else(|| no_such_kind(&object.address))?;
            let call = ApiCall::new("Modify", kind.name);
            self.call(&call, true, |world, _| {
                check_known(&call, object)?;
                check_changeable(&call, kind.name, changed.iter())?;
                self.change(world, &call, kind, live, object, changed)
            })
            .await
        })
    }

    fn roll<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = live.address.kind();
            let (list, end) = (ApiCall::list(kind), ApiCall::new("TerminateInstanceIn", kind));
            let update = ApiCall::new("Update", kind);
            let mut begun = 0;
            loop {
                // As on AWS: nothing goes while another machine of the group is still starting, or a master of any group.
                let steady = self.call(&list, false, |world, _| Ok(all_up(world, live))).await?;
                self.wait_until(&list, steady).await?;
                let step = self.call(&list, false, |world, _| next(world, &list, live, object, begun)).await?;
                let booted = match step {
                    RollStep::Done => break,
                    RollStep::Surge { size, beside } => {
                        note(format!("starting {} beside those of the group", words::count(beside, "machine")));
                        begun += beside;
                        self.call(&update, true, |world, _| Ok(world.add_spares(&live.id, size))).await?
                    }
                    RollStep::Replace { machine, shrinks, left } => {
                        note(format!("replacing {machine}, {left} left"));
                        begun -= usize::from(shrinks && begun > 0);
                        let end = self.call(&end, true, |world, _| {
                            if shrinks {
                                world.take_spare(&live.id);
                            }
                            world.end(|other| other.id == machine);
                            Ok(world.state.clock + scaling::BOOT)
                        });
                        end.await?
                    }
                };
                self.wait_until(&list, booted).await?;
            }
            let grown = self.call(&list, false, |world, _| Ok(world.is_grown(&live.id, &object.attributes))).await?;
            if grown {
                let restore = |world: &mut SimulatedAccount, _: &_| {
                    world.restore_size(&live.id, &object.attributes);
                    Ok(())
                };
                self.call(&update, true, restore).await?;
            }
            let found = self.call(&list, false, |world, _| self.one(world, &list, kind, &live.id)).await?;
            Ok(Live { address: object.address.clone(), ..found })
        })
    }

    fn changes(&self) -> u64 {
        self.process.changes.get()
    }

    fn ready<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = live.address.kind();
            let call = ApiCall::list(kind);
            let moment = self.call(&call, false, |world, _| {
                let stored = world.get(kind, &live.id).ok_or_else(|| gone(&call, kind, &live.id))?;
                Ok(stored.ready.max(stored.visible))
            });
            let moment = moment.await?;
            if live.phase != ObjectPhase::Ready {
                note("until it can be used".to_owned());
            }
            self.wait_until(&call, moment).await?;
            self.call(&call, false, |world, _| self.one(world, &call, kind, &live.id)).await
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let kind = live.address.kind();
            let call = ApiCall::new("Delete", kind);
            let keys = self.contents(kind, &live.id).await?;
            self.call(&call, true, |world, _| self.destroy(world, &call, kind, &live.id, &keys)).await
        })
    }
}

/// Returns the moment when every machine of the group that starts has booted, and of masters those of all groups.
fn all_up(world: &SimulatedAccount, live: &Live) -> u64 {
    let is_master = |tags: &Tags| tags.get(ROLE_TAG).is_some_and(|role| role == MASTER);
    let tags = tags_of(&live.attributes);
    let waits_for = |name: &str, of: &Tags| {
        name == live.id || (is_master(&tags) && is_master(of) && of.get(CLUSTER_TAG) == tags.get(CLUSTER_TAG))
    };
    let groups = world.of(GROUP).filter(|(name, group)| waits_for(name, &tags_of(&group.attributes)));
    let machines = groups.flat_map(|(_, group)| &group.machines);
    machines.filter(|machine| !machine.fails).map(|machine| machine.booted).max().unwrap_or_default()
}

/// The next step of a roll while all machines have booted.
enum RollStep {
    /// No machine is left to replace.
    Done,
    /// Machines are started beside those of the group.
    Surge { size: usize, beside: usize },
    /// A machine ends; with `shrinks`, it has no successor. `left` machines are to be replaced.
    Replace { machine: String, shrinks: bool, left: usize },
}

/// Decides the next step of a roll. First go the machines that were there before it and never become ready, then those of
/// another version than the group's and those whose replacement was requested, the oldest first.
///
/// Fails if a machine that the roll has started never becomes ready: no other machine is replaced then.
fn next(
    world: &SimulatedAccount,
    call: &ApiCall,
    live: &Live,
    object: &Object,
    begun: usize,
) -> Result<RollStep, Failure> {
    let name = &live.id;
    let group = world.get(GROUP, name).ok_or_else(|| gone(call, GROUP, name))?;
    let progress = RollProgress::of(world, name, &object.attributes, begun).ok_or_else(|| gone(call, GROUP, name))?;
    let alike = world.same_version(group);
    let was_there = |machine: &SimulatedMachine| live.members.iter().any(|member| member.id == machine.id);
    let is_outdated = |machine: &&SimulatedMachine| {
        !alike.contains(&machine.version)
            || (machine.fails && was_there(machine))
            || progress.requested.contains(&machine.id)
    };
    let (mut old, new): (Vec<_>, Vec<_>) = group.machines.iter().partition(is_outdated);
    if let Some(late) = new.iter().find(|machine| machine.fails) {
        let message = format!(
            "the new machine {} does not become ready, so the {} before it in {name} stay. To let new machines of the group \
             boot, run `quorate sandbox restore-boot {}`",
            late.id,
            words::count(old.len(), "machine"),
            live.address,
        );
        return Err(Failure::own(FailureClass::Fatal, "roll", message));
    }
    old.sort_by_key(|machine| (!machine.fails, machine.launched));
    let Some(machine) = old.first() else { return Ok(RollStep::Done) };
    let RollProgress { desired, size, limits, .. } = progress;
    let beside = size + limits.surge.min(old.iter().filter(|machine| !machine.fails).count());
    if beside > desired {
        return Ok(RollStep::Surge { size: beside, beside: beside - desired });
    }
    let shrinks = desired > size && new.len() >= size;
    Ok(RollStep::Replace { machine: machine.id.clone(), shrinks, left: old.len() })
}

/// Returns the failure of a call for an object that does not exist.
pub(super) fn gone(call: &ApiCall, kind: &str, id: &str) -> Failure {
    missing(call, FailureClass::Gone, kind, id)
}

/// Returns the same failure, of another class.
pub(super) fn missing(call: &ApiCall, class: FailureClass, kind: &str, id: &str) -> Failure {
    call.failure(class, simulated(kind).codes.missing, format!("`{id}` does not exist"))
}
