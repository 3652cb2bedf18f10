//! What a run can see of the account.

use std::collections::BTreeMap;

use super::Sandbox;
use super::names::Call;
use super::provider::gone;
use super::world::{self, Thing, World};
use crate::engine::{Address, Failure, Live, Phase, Value};

impl Sandbox {
    /// What the cluster's run can see.
    pub(super) fn see(&self, world: &World, wanted: impl Fn(&Address) -> bool) -> Vec<Live> {
        let visible = world.all().filter(|(_, _, thing)| thing.visible <= world.clock);
        visible
            .filter_map(|(kind, id, thing)| {
                let (address, proven) = self.claim(kind, thing)?;
                wanted(&address).then(|| view(world, kind, id, thing, address, proven))
            })
            .collect()
    }

    /// Those of the recorded objects that are there without a mark.
    pub(super) fn unmarked(&self, world: &World, recorded: &BTreeMap<Address, String>) -> Vec<Live> {
        let there = recorded.iter().filter_map(|(address, id)| {
            let thing = world.get(address.kind(), id)?;
            let lost =
                thing.visible <= world.clock && thing.mark.is_none() && self.claim(address.kind(), thing).is_none();
            lost.then(|| view(world, address.kind(), id, thing, address.clone(), false))
        });
        there.collect()
    }

    /// Which object of the cluster a thing is, and whether it proves that.
    fn claim(&self, kind: &str, thing: &Thing) -> Option<(Address, bool)> {
        let ours = thing.mark.as_ref().filter(|mark| mark.cluster == self.settings.cluster);
        match kind {
            // A record set proves nothing. Ours may have any name: a service's has the domain that the file gives it.
            "record" => {
                let label = || thing.text("name")?.strip_suffix(&self.settings.cluster)?.strip_suffix('.');
                let address = ours.map(|mark| mark.address.clone());
                Some((address.or_else(|| Some(Address::new(kind, label()?)))?, false))
            }
            "bucket" if ours.is_none() && thing.text("name") == self.settings.bucket.as_deref() => {
                Some((Address::new(kind, "state"), false))
            }
            _ => ours.map(|mark| (mark.address.clone(), true)),
        }
    }

    /// One object, whoever it belongs to.
    pub(super) fn one(&self, world: &World, call: &Call, kind: &str, id: &str) -> Result<Live, Failure> {
        let thing = world.get(kind, id).ok_or_else(|| gone(call, kind, id))?;
        let (address, proven) = self.claim(kind, thing).unwrap_or_else(|| (Address::new(kind, id), false));
        Ok(view(world, kind, id, thing, address, proven))
    }
}

/// A thing as its cluster sees it.
pub(super) fn view(world: &World, kind: &str, id: &str, thing: &Thing, address: Address, proven: bool) -> Live {
    let rules = world::kind(kind);
    let mut attributes = thing.attributes.clone();
    attributes.retain(|name, _| rules.is_none_or(|kind| kind.attribute(name).observed));
    if let Some(version) = thing.machines_version(world.clock).filter(|_| kind == "autoscaling-group") {
        attributes.insert("machines".to_owned(), Value::Text(version));
    }
    Live {
        address,
        id: id.to_owned(),
        attributes,
        outputs: thing.outputs.clone(),
        phase: if thing.ready <= world.clock { Phase::Ready } else { Phase::Pending },
        proven,
        created: Some(World::timestamp(thing.created)),
        members: thing.members(world.clock),
    }
}
