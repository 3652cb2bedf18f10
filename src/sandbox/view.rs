//! What a run can see of the account.

use std::collections::BTreeMap;

use super::Sandbox;
use super::names::Call;
use super::provider::gone;
use super::world::{self, Thing, World};
use crate::engine::{Address, Failure, Live, Phase, Value};
use crate::resource::{ClusterLocation, LocationTraces, vpc_in};

impl Sandbox {
    /// What the cluster's run can see.
    pub(super) fn see(&self, world: &World, wanted: impl Fn(&Address) -> bool) -> Vec<Live> {
        let visible = world.all().filter(|(_, _, thing)| thing.visible <= world.clock);
        visible
            .filter_map(|(kind, id, thing)| {
                let (address, proven) = self.claim(kind, id, thing)?;
                wanted(&address).then(|| self.judged(self.view(world, kind, id, thing, address, proven)))
            })
            .collect()
    }

    /// Those of the recorded objects that are there without a mark.
    pub(super) fn unmarked(&self, world: &World, recorded: &BTreeMap<Address, String>) -> Vec<Live> {
        let there = recorded.iter().filter_map(|(address, id)| {
            let thing = world.get(address.kind(), id)?;
            let lost =
                thing.visible <= world.clock && thing.mark.is_none() && self.claim(address.kind(), id, thing).is_none();
            lost.then(|| self.view(world, address.kind(), id, thing, address.clone(), false))
        });
        there.collect()
    }

    /// Whether a thing is in the region that this is, and what a bucket holds in the place of the cluster.
    pub(super) fn is_here(&self, kind: &str, id: &str, thing: &Thing) -> bool {
        let (location, cluster) = (self.settings.location.as_ref(), self.settings.cluster.as_str());
        let in_place = |location: &ClusterLocation| match kind {
            "bucket" => location.bucket() == id,
            "bucket-object" | "secret" => {
                id.split_once('/').is_some_and(|(bucket, key)| location.holds(cluster, bucket, key))
            }
            _ => true,
        };
        (thing.region.is_empty() || thing.region == self.settings.region) && location.is_none_or(in_place)
    }

    /// Takes the proof from what belongs to a cluster of the same name that lives elsewhere.
    fn judged(&self, live: Live) -> Live {
        let elsewhere =
            |location: &ClusterLocation| location.contradicts(&LocationTraces::of(&self.settings.cluster, &live));
        let proven = live.proven && !self.settings.location.as_ref().is_some_and(elsewhere);
        Live { proven, ..live }
    }

    /// Which object of the cluster a thing is, and whether it proves that.
    fn claim(&self, kind: &str, id: &str, thing: &Thing) -> Option<(Address, bool)> {
        if !self.is_here(kind, id, thing) {
            return None;
        }
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
        let (address, proven) = self.claim(kind, id, thing).unwrap_or_else(|| (Address::new(kind, id), false));
        Ok(self.judged(self.view(world, kind, id, thing, address, proven)))
    }

    /// A thing as its cluster sees it.
    pub(super) fn view(
        &self,
        world: &World,
        kind: &str,
        id: &str,
        thing: &Thing,
        address: Address,
        proven: bool,
    ) -> Live {
        let rules = world::kind(kind);
        let mut attributes = thing.attributes.clone();
        attributes.retain(|name, _| rules.is_none_or(|kind| kind.attribute(name).observed));
        let mut outputs = thing.outputs.clone();
        match kind {
            "autoscaling-group" => {
                let version = thing.machines_version(world.clock, world.alike(thing));
                attributes.extend(version.map(|version| ("machines".to_owned(), Value::Text(version))));
                attributes.insert("tags".to_owned(), Value::Map(thing.told_tags()));
            }
            "hosted-zone" => {
                if let Some(vpc) = thing.text("vpc") {
                    let region = world.get("vpc", vpc).map(|vpc| vpc.region.as_str()).unwrap_or_default();
                    let told = vpc_in(vpc, region, &self.settings.region);
                    attributes.insert("vpc".to_owned(), Value::Text(told));
                }
            }
            "launch-template" => {
                if let Some(version) = thing.outputs.get("version") {
                    outputs.entry("generation".to_owned()).or_insert_with(|| version.clone());
                }
            }
            _ => {}
        }
        Live {
            address,
            id: id.to_owned(),
            attributes,
            outputs,
            phase: if thing.ready <= world.clock { Phase::Ready } else { Phase::Pending },
            proven,
            created: Some(World::timestamp(thing.created)),
            members: thing.members(world.clock),
        }
    }
}
