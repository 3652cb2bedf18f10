//! Objects that the controllers of a cluster create by themselves, without a tag of Quorate.

use serde_json::json;

use super::account::{SimulatedAccount, SimulatedObject};
use super::foreign::add;
use super::kinds::simulated;
use super::{InjectError, Sandbox};
use crate::engine::{Address, Live};
use crate::resource::{
    BY_KUBERNETES, EbsVolume, LoadBalancer, Resource, SecurityGroup, Subnet, TargetGroup, Vpc, kubernetes_tag, tags_of,
};

impl Sandbox {
    /// Creates the objects of controllers for a service of type `LoadBalancer`, and for a claim of the same name: for a
    /// cluster of any name, in the network of this one.
    pub fn controllers_make(&self, cluster: &str, service: &str) -> Result<(), InjectError> {
        self.with(|world| {
            let vpc = self.id(world, &Vpc::address("main"))?;
            let subnets = world.of(Subnet::KIND.name).filter(|(_, subnet)| subnet.text("vpc") == Some(&vpc));
            let subnets: Vec<String> = subnets.map(|(id, _)| id.clone()).collect();
            let name = format!("{service}-{}", world.hex(8));
            let tags =
                json!({ kubernetes_tag(cluster): "owned", "kubernetes.io/service-name": format!("default/{service}") });
            let mut made = |kind: &str, attributes| add(world, &self.settings, kind, attributes);
            let group = json!({ "name": format!("k8s-elb-{name}"), "description": "", "vpc": vpc, "tags": tags });
            let group = made(SecurityGroup::KIND.name, group);
            let targets = json!({ "name": name, "vpc": vpc, "protocol": "TCP", "port": 31_000, "tags": tags });
            let targets = made(TargetGroup::KIND.name, targets);
            let balancer = json!({
                "name": name, "scheme": "internet-facing", "subnets": subnets, "security_groups": [group],
                "target_groups": [targets], "cross_zone": false, "tags": tags
            });
            made(LoadBalancer::KIND.name, balancer);
            let zone = format!("{}a", self.settings.region);
            made(
                EbsVolume::KIND.name,
                json!({ "zone": zone, "volume_type": "gp3", "gib": 8, "encrypted": true, "tags": tags }),
            );
            Ok(())
        })?
    }

    /// Returns the objects that the cluster's controllers created.
    pub(super) fn made_by_controllers(&self, world: &SimulatedAccount) -> Vec<Live> {
        let owned = |object: &SimulatedObject| {
            let tags = tags_of(&object.attributes);
            object.mark.is_none() && tags.get(&kubernetes_tag(&self.settings.cluster)).is_some_and(|how| how == "owned")
        };
        let here = |kind: &str, id: &str, object: &SimulatedObject| {
            simulated(kind).by_controllers && self.is_here(kind, id, object)
        };
        let theirs = world.all().filter(|(kind, id, object)| here(kind, id, object) && owned(object));
        let named = |object: &SimulatedObject| tags_of(&object.attributes).get("kubernetes.io/service-name").cloned();
        theirs
            .map(|(kind, id, object)| {
                let name = named(object).unwrap_or_else(|| id.to_owned());
                self.view(world, kind, id, object, Address::new(kind, format!("{BY_KUBERNETES}{name}")), true)
            })
            .collect()
    }
}
