//! The objects of the account that a run can see.

use std::collections::BTreeMap;

use super::Sandbox;
use super::account::{self, SimulatedAccount, SimulatedObject};
use super::kinds::simulated;
use super::names::ApiCall;
use super::provider::gone;
use super::simulated_kind::KindScope;
use crate::engine::{Address, Failure, Live, ObjectPhase, Value};
use crate::resource::{Bucket, ClusterLocation, DnsRecord, LocationTraces, Resource, Vpc, vpc_in};

impl Sandbox {
    /// Returns the objects that the cluster's run can see: all, or those with an address.
    pub(super) fn see(&self, world: &SimulatedAccount, wanted: Option<&Address>) -> Vec<Live> {
        let of_kind = |kind: &str| wanted.is_none_or(|wanted| wanted.kind() == kind);
        let visible = world.all().filter(|(kind, _, stored)| of_kind(kind) && stored.visible <= world.state.clock);
        visible
            .filter_map(|(kind, id, stored)| {
                let (address, proven) = self.claim(kind, id, stored)?;
                let is_wanted = wanted.is_none_or(|wanted| *wanted == address);
                is_wanted.then(|| self.judged(self.view(world, kind, id, stored, address, proven)))
            })
            .collect()
    }

    /// Returns those of the recorded objects that exist without a mark.
    pub(super) fn unmarked(&self, world: &SimulatedAccount, recorded: &BTreeMap<Address, String>) -> Vec<Live> {
        let there = recorded.iter().filter_map(|(address, id)| {
            let stored = world.get(address.kind(), id)?;
            let lost = stored.visible <= world.state.clock
                && stored.mark.is_none()
                && self.claim(address.kind(), id, stored).is_none();
            lost.then(|| self.view(world, address.kind(), id, stored, address.clone(), false))
        });
        there.collect()
    }

    /// Returns `true` if an object is in this region, and an object of a bucket is at the cluster's location.
    pub(super) fn is_here(&self, kind: &str, id: &str, stored: &SimulatedObject) -> bool {
        let (location, cluster) = (self.settings.location.as_ref(), self.settings.cluster.as_str());
        let in_place = |location: &ClusterLocation| match kind {
            kind if kind == Bucket::KIND.name => location.bucket() == id,
            kind if simulated(kind).scope == KindScope::Bucket => {
                id.split_once('/').is_some_and(|(bucket, key)| location.holds(cluster, bucket, key))
            }
            _ => true,
        };
        (stored.region.is_empty() || stored.region == self.settings.region) && location.is_none_or(in_place)
    }

    /// Marks an object as not proven if it belongs to a cluster of the same name in another location.
    fn judged(&self, live: Live) -> Live {
        let elsewhere =
            |location: &ClusterLocation| location.contradicts(&LocationTraces::of(&self.settings.cluster, &live));
        let proven = live.proven && !self.settings.location.as_ref().is_some_and(elsewhere);
        Live { proven, ..live }
    }

    /// Returns the address of an object in the cluster, and whether the object proves it.
    fn claim(&self, kind: &str, id: &str, stored: &SimulatedObject) -> Option<(Address, bool)> {
        if !self.is_here(kind, id, stored) {
            return None;
        }
        let ours = stored.mark.as_ref().filter(|mark| mark.cluster == self.settings.cluster);
        match kind {
            // A record set proves nothing. Ours may have any name: a service's has the domain that the file gives it.
            kind if kind == DnsRecord::KIND.name => {
                let label = || stored.text("name")?.strip_suffix(&self.settings.cluster)?.strip_suffix('.');
                let address = ours.map(|mark| mark.address.clone());
                Some((address.or_else(|| Some(Address::new(kind, label()?)))?, false))
            }
            kind if kind == Bucket::KIND.name
                && ours.is_none()
                && stored.text("name") == self.settings.bucket.as_deref() =>
            {
                Some((Address::new(kind, "state"), false))
            }
            _ => ours.map(|mark| (mark.address.clone(), true)),
        }
    }

    /// Returns one object, whatever its owner.
    pub(super) fn one(&self, world: &SimulatedAccount, call: &ApiCall, kind: &str, id: &str) -> Result<Live, Failure> {
        let stored = world.get(kind, id).ok_or_else(|| gone(call, kind, id))?;
        let (address, proven) = self.claim(kind, id, stored).unwrap_or_else(|| (Address::new(kind, id), false));
        Ok(self.judged(self.view(world, kind, id, stored, address, proven)))
    }

    /// Returns an object as its cluster sees it.
    pub(super) fn view(
        &self,
        world: &SimulatedAccount,
        kind: &str,
        id: &str,
        stored: &SimulatedObject,
        address: Address,
        proven: bool,
    ) -> Live {
        let rules = account::kind(kind);
        let mut attributes = stored.attributes.clone();
        attributes.retain(|name, _| rules.is_none_or(|kind| kind.attribute(name).is_observed()));
        let mut live = Live {
            address,
            id: id.to_owned(),
            attributes,
            outputs: stored.outputs.clone(),
            phase: if stored.ready <= world.state.clock { ObjectPhase::Ready } else { ObjectPhase::Pending },
            proven,
            created: Some(SimulatedAccount::timestamp(stored.created)),
            members: stored.members(world.state.clock),
        };
        (simulated(kind).show)(world, stored, &self.settings.region, &mut live);
        live
    }
}

/// Shows the VPC of a hosted zone with its region, as a global service does.
pub(super) fn vpc_of_zone(world: &SimulatedAccount, zone: &SimulatedObject, region: &str, live: &mut Live) {
    if let Some(vpc) = zone.text("vpc") {
        let its = world.get(Vpc::KIND.name, vpc).map(|vpc| vpc.region.as_str()).unwrap_or_default();
        live.attributes.insert("vpc".to_owned(), Value::Text(vpc_in(vpc, its, region)));
    }
}

/// Shows the version of a launch template as its generation, where an older release did not count generations.
pub(super) fn generation(_world: &SimulatedAccount, template: &SimulatedObject, _region: &str, live: &mut Live) {
    if let Some(version) = template.outputs.get("version") {
        live.outputs.entry("generation".to_owned()).or_insert_with(|| version.clone());
    }
}
