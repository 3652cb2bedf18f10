//! The objects of a cluster before a plan, and after it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Address, Attributes, ExecutablePlan, GroupMember, Live, Object, PlanMode, Value};
use crate::resource::{AutoScalingGroup, BY_KUBERNETES, Resource, STATEFUL_SET, Subnet};

/// The state of a machine that works, as its group reports it.
const IN_SERVICE: &str = "InService";
/// The end of the name of an attribute with the claim of a pod's volume.
const CLAIM: &str = ".persistentVolumeClaim.claimName";

/// The objects of a cluster at one moment. Of those that exist twice by mistake, both.
#[derive(Debug, Default)]
pub(super) struct ClusterState<'a> {
    objects: Vec<StateObject<'a>>,
}

/// An object of a cluster at one moment.
#[derive(Debug)]
pub(super) struct StateObject<'a> {
    pub(super) address: &'a Address,
    /// The cloud's identifier of an object that exists; `None` for an object as wanted.
    pub(super) id: Option<&'a str>,
    /// The machines of a group as they are.
    members: &'a [GroupMember],
    /// Its attributes; those that an autoscaler sets are included.
    attributes: Cow<'a, Attributes>,
}

impl<'a> ClusterState<'a> {
    /// Returns the objects as they are, without those that the cluster's own controllers created: what asked for them is in
    /// the plan too.
    pub(super) fn before(run: &'a ExecutablePlan) -> Self {
        let observed = run.live.values().chain(&run.surplus);
        let own = observed.filter(|live| !live.address.name().starts_with(BY_KUBERNETES));
        let mut objects: Vec<_> = own.map(StateObject::observed).collect();
        // Of several objects with one address, the one that is kept stays the first.
        objects.sort_by_key(|object| object.address);
        Self { objects }
    }

    /// Returns the objects as the plan leaves them.
    pub(super) fn after(run: &'a ExecutablePlan) -> Self {
        match run.plan.mode {
            PlanMode::Destroy => Self::default(),
            PlanMode::Refresh => Self::before(run),
            PlanMode::Apply => {
                let wanted = run.desired.iter();
                Self { objects: wanted.map(|(at, object)| StateObject::wanted(object, run.live.get(at))).collect() }
            }
        }
    }

    /// Returns the objects, sorted by address.
    pub(super) fn objects(&self) -> impl Iterator<Item = &StateObject<'a>> {
        self.objects.iter()
    }

    /// Returns `true` if there is an object of this kind.
    pub(super) fn has<R: Resource>(&self) -> bool {
        self.objects.iter().any(StateObject::is::<R>)
    }

    /// Returns the object of this kind with this name.
    pub(super) fn named<R: Resource>(&self, name: &str) -> Option<&StateObject<'a>> {
        self.at(R::KIND.name, name)
    }

    /// Returns the object at this address.
    pub(super) fn at(&self, kind: &str, name: &str) -> Option<&StateObject<'a>> {
        self.objects.iter().find(|object| object.address.kind() == kind && object.address.name() == name)
    }

    /// Returns the zones of an object's subnets.
    pub(super) fn zones_of(&self, object: &StateObject<'_>) -> BTreeSet<String> {
        object.list("subnets").iter().filter_map(|subnet| self.zone_of(subnet)).collect()
    }

    /// Returns the zone of a subnet, by its id or by a reference to it.
    pub(super) fn zone_of(&self, subnet: &Value) -> Option<String> {
        let found = match subnet {
            Value::Text(id) => {
                let mut subnets = self.objects.iter().filter(|object| object.is::<Subnet>());
                subnets.find(|subnet| subnet.id == Some(id.as_str()))
            }
            Value::Pending(template) => {
                let subnet = &template.references().next()?.address;
                self.at(subnet.kind(), subnet.name())
            }
            _ => None,
        };
        found?.text("zone").map(str::to_owned)
    }
}

impl<'a> StateObject<'a> {
    fn observed(live: &'a Live) -> Self {
        let attributes = Cow::Borrowed(&live.attributes);
        Self { address: &live.address, id: Some(&live.id), members: &live.members, attributes }
    }

    /// Returns an object as wanted. A group whose number of machines an autoscaler sets keeps the number that it has, between
    /// its new limits, as AWS keeps it.
    fn wanted(object: &'a Object, live: Option<&'a Live>) -> Self {
        let mut attributes = Cow::Borrowed(&object.attributes);
        let is_group = object.address.kind() == AutoScalingGroup::KIND.name;
        if is_group && !object.attributes.contains_key("desired") {
            let number = |attributes: &Attributes, name| match attributes.get(name) {
                Some(Value::Integer(number)) => Some(*number),
                _ => None,
            };
            let (min, max) = (number(&attributes, "min").unwrap_or(0), number(&attributes, "max").unwrap_or(i64::MAX));
            let running = live.and_then(|live| number(&live.attributes, "desired")).unwrap_or(min);
            attributes.to_mut().insert("desired".to_owned(), Value::Integer(running.min(max).max(min)));
        }
        let members = live.map(|live| live.members.as_slice()).unwrap_or_default();
        Self { address: &object.address, id: None, members, attributes }
    }

    /// Returns `true` if the object is of this kind.
    pub(super) fn is<R: Resource>(&self) -> bool {
        self.address.kind() == R::KIND.name
    }

    /// Returns an attribute.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// Returns a text attribute that is known.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_text()
    }

    /// Returns a number that is not negative; 0 if it has none of this name.
    pub(super) fn number(&self, name: &str) -> u64 {
        match self.attributes.get(name) {
            Some(Value::Integer(number)) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        }
    }

    /// Returns `true` if this attribute is true.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.attributes.get(name) == Some(&Value::Bool(true))
    }

    /// Returns the items of a list; none of anything else.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        match self.attributes.get(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// Returns the claims of the volumes that the pods of a workload mount.
    pub(super) fn mounted_claims(&self) -> impl Iterator<Item = &str> {
        let claims = self.attributes.iter().filter(|(name, _)| name.ends_with(CLAIM));
        claims.filter_map(|(_, value)| value.as_text())
    }

    /// Returns `true` if the pods of a workload mount the volume of a claim. The claims of a stateful set are called
    /// `data-queue-0`.
    pub(super) fn mounts(&self, claim: &str) -> bool {
        if self.address.kind() != STATEFUL_SET {
            return self.mounted_claims().any(|mounted| mounted == claim);
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some((stem, pod)) = claim.rsplit_once('-') else { return false };
        let mut volumes = self.list("spec.volumeClaimTemplates").iter().filter_map(template_name);
        is_number(pod) && volumes.any(|volume| stem == format!("{volume}-{}", self.address.name()))
    }

    /// Returns the number of running machines by zone.
    pub(super) fn running(&self) -> BTreeMap<String, u64> {
        let mut zones = BTreeMap::new();
        for member in self.members.iter().filter(|member| member.state == IN_SERVICE) {
            *zones.entry(member.zone.clone()).or_default() += 1;
        }
        zones
    }

    /// Returns all attributes.
    pub(super) fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

/// Returns the name of a claim's template.
fn template_name(template: &Value) -> Option<&str> {
    let Value::Map(template) = template else { return None };
    let Value::Map(metadata) = template.get("metadata")? else { return None };
    metadata.get("name")?.as_text()
}
