//! Edits of a living cluster that depend on more than the attribute: attributes that only grow, objects that move with their
//! data, and objects that can replace each other.

use std::borrow::Cow;

use super::names::is_masters_group;
use super::{
    AutoScalingGroup, ETCD, EbsVolume, LaunchTemplate, MASTER, MEMBER_TAG, ROLE_TAG, Resource, VOLUME_CLAIM,
    quantity_bytes, runs_service, tags_in, tags_of,
};
use crate::engine::{Address, AttributeChange, Attributes, DataReplicas, Value};
use crate::spec::InstanceSize;

/// The pool of all node groups.
const NODES: &str = "nodes";

/// Returns the alternative to a change that is refused; `None` if the change is allowed.
pub(super) fn refuses(address: &Address, change: &AttributeChange, wanted: &Attributes) -> Option<String> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    match (address.kind(), change.name.as_str()) {
        (kind, "gib") if kind == EbsVolume::KIND.name => smaller_volume(before, after, wanted),
        (VOLUME_CLAIM, "spec.resources.requests.storage") => smaller_claim(before, after),
        (kind, "instance_size") if kind == LaunchTemplate::KIND.name => other_processors(before, after, wanted),
        _ => None,
    }
}

/// Refuses to shrink a volume: EBS volumes can only grow.
fn smaller_volume(before: &Value, after: &Value, wanted: &Attributes) -> Option<String> {
    let (Value::Integer(before), Value::Integer(after)) = (before, after) else { return None };
    let is_etcd = tags_of(wanted).get(ROLE_TAG).is_some_and(|role| role == ETCD);
    let place = if is_etcd { "`masters { etcd { gib } }`".to_owned() } else { "`gib`".to_owned() };
    (after < before).then(|| format!("an EBS volume can grow, but not shrink. Keep {before} in {place}"))
}

/// Refuses to shrink the volume of a claim.
fn smaller_claim(before: &Value, after: &Value) -> Option<String> {
    let (before, after) = (quantity_bytes(before.as_text()?)?, quantity_bytes(after.as_text()?)?);
    let gib = before.div_ceil(1 << 30);
    (after < before).then(|| {
        format!(
            "a volume can grow, but not shrink. Keep `gib = {gib}`, or add a volume of another name and copy the data"
        )
    })
}

/// Refuses another architecture: images of services for one architecture do not start on another. Masters run only images
/// that are built for both.
fn other_processors(before: &Value, after: &Value, wanted: &Attributes) -> Option<String> {
    let architecture = |size: &Value| InstanceSize::parse(size.as_text()?).ok().map(|size| size.architecture());
    let (before, after) = (architecture(before)?, architecture(after)?);
    let is_master = tags_in(wanted, "instance_tags").get(ROLE_TAG).is_some_and(|role| role == MASTER);
    (before != after && !is_master).then(|| {
        format!(
            "the nodes would change from {before} to {after} processors, and images that are not built for both would not \
             start. Add a node group of the new size and apply; when the pods run there, take this group out"
        )
    })
}

/// Returns the replica set of an etcd volume: all members have the same data, and one with a blank volume copies it.
pub(super) fn replicas(address: &Address, live: &Attributes, wanted: &Attributes) -> Option<DataReplicas> {
    let tags = tags_of(wanted);
    if address.kind() != EbsVolume::KIND.name || tags.get(ROLE_TAG).is_none_or(|role| role != ETCD) {
        return None;
    }
    let text = |attributes: &Attributes| attributes.get("zone").and_then(Value::as_text).unwrap_or("?").to_owned();
    let (member, from, to) = (tags.get(MEMBER_TAG).cloned().unwrap_or_default(), text(live), text(wanted));
    let place = if from == to { "gets a new volume".to_owned() } else { format!("moves from {from} to {to}") };
    Some(DataReplicas {
        set: ETCD,
        moved: format!(
            "master {member} {place}: its etcd member joins anew and gets its data from the others, one master at a time"
        ),
        alone: "a single master cannot move to another zone: its volume stays in its zone, and no other master has the \
                data. Put the zone back; or apply `count = 3` in `masters` first, and move then",
    })
}

/// Refuses to remove masters: nothing removes the member from etcd, which would continue to count it.
pub(super) fn refuses_removal(address: &Address) -> Option<&'static str> {
    let is_master = address.kind() == AutoScalingGroup::KIND.name && is_masters_group(address.name());
    is_master.then_some(
        "masters of a living cluster cannot be removed, only added: etcd would still count the removed member, and would \
         stop when the next one fails. Put it back into the file; for fewer masters, build another cluster",
    )
}

/// Returns the pool of node groups, which can replace each other, because their pods can run on any of them; or that of the
/// deployment and the stateful set of one service.
pub(super) fn pool(address: &Address, attributes: &Attributes) -> Option<Cow<'static, str>> {
    if runs_service(address.kind()) {
        return Some(format!("pods of {}", address.name()).into());
    }
    is_node_group(address, attributes).then_some(NODES.into())
}

/// Returns `true` for the Auto Scaling group of a node group.
pub fn is_node_group(address: &Address, attributes: &Attributes) -> bool {
    let is_master = tags_of(attributes).get(ROLE_TAG).is_some_and(|role| role == MASTER);
    address.kind() == AutoScalingGroup::KIND.name && !is_master
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_grow_and_never_shrink() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert!(smaller_claim(&text("5Gi"), &text("4Gi")).is_some_and(|way| way.contains("`gib = 5`")));
        assert_eq!(smaller_claim(&text("5Gi"), &text("6Gi")), None);
        assert_eq!(smaller_claim(&text("5Gi"), &text("5120Mi")), None);
    }
}
