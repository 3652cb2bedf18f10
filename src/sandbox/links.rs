//! Attributes that refer to other objects, and the consequences for those objects.

use super::account::{SimulatedAccount, SimulatedObject};
use super::names::{ApiCall, idiom_of};
use crate::engine::{Attributes, Failure, FailureClass, Value};

/// An attribute that refers to another object.
struct ObjectLink {
    /// The kind that has the attribute.
    from: &'static str,
    /// The attribute; below it, `*` is every item of a list.
    path: &'static [&'static str],
    /// The kind that it refers to.
    to: &'static str,
    /// The output that it refers to.
    output: &'static str,
    /// The consequence for the other object.
    bond: LinkKind,
}

/// The consequence of a link for the object that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkKind {
    /// It cannot be deleted.
    Holds,
    /// It can be deleted, and the object that refers to it is deleted with it.
    Follows,
}

const LINKS: &[ObjectLink] = &[
    holds("bucket-object", &["bucket"], "bucket", "name"),
    holds("secret", &["bucket"], "bucket", "name"),
    holds("internet-gateway", &["vpc"], "vpc", "id"),
    holds("route-table", &["vpc"], "vpc", "id"),
    holds("route-table", &["routes", "*", "target"], "internet-gateway", "id"),
    holds("route-table", &["subnets", "*"], "subnet", "id"),
    holds("subnet", &["vpc"], "vpc", "id"),
    holds("security-group", &["vpc"], "vpc", "id"),
    follows("security-group-rules", &["group"], "security-group", "id"),
    holds("security-group-rules", &["ingress", "*", "peer"], "security-group", "id"),
    holds("security-group-rules", &["egress", "*", "peer"], "security-group", "id"),
    holds("instance-profile", &["role"], "role", "name"),
    holds("launch-template", &["profile"], "instance-profile", "name"),
    holds("launch-template", &["security_groups", "*"], "security-group", "id"),
    holds("launch-template", &["key"], "key-pair", "name"),
    holds("autoscaling-group", &["launch_template"], "launch-template", "id"),
    holds("autoscaling-group", &["subnets", "*"], "subnet", "id"),
    holds("autoscaling-group", &["target_groups", "*"], "target-group", "arn"),
    holds("load-balancer", &["subnets", "*"], "subnet", "id"),
    holds("load-balancer", &["security_groups", "*"], "security-group", "id"),
    // Only those that controllers made say so: ours have listeners.
    holds("load-balancer", &["target_groups", "*"], "target-group", "arn"),
    holds("target-group", &["vpc"], "vpc", "id"),
    follows("listener", &["load_balancer"], "load-balancer", "arn"),
    holds("listener", &["target_group"], "target-group", "arn"),
    holds("hosted-zone", &["vpc"], "vpc", "id"),
    holds("record", &["zone"], "hosted-zone", "id"),
];

const fn holds(
    from: &'static str,
    path: &'static [&'static str],
    to: &'static str,
    output: &'static str,
) -> ObjectLink {
    ObjectLink { from, path, to, output, bond: LinkKind::Holds }
}

const fn follows(
    from: &'static str,
    path: &'static [&'static str],
    to: &'static str,
    output: &'static str,
) -> ObjectLink {
    ObjectLink { from, path, to, output, bond: LinkKind::Follows }
}

impl ObjectLink {
    /// Returns the objects that the attribute refers to. An empty text refers to none, and neither does a rule's peer that is
    /// a range of addresses.
    fn named<'a>(&self, attributes: &'a Attributes) -> Vec<&'a str> {
        let Some((first, rest)) = self.path.split_first() else { return Vec::new() };
        let mut named = Vec::new();
        if let Some(value) = attributes.get(*first) {
            leaves(value, rest, &mut named);
        }
        named.retain(|name| !name.is_empty());
        if self.path.last() == Some(&"peer") {
            named.retain(|peer| peer.starts_with("sg-"));
        }
        named
    }
}

fn leaves<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a str>) {
    match (value, path.split_first()) {
        (Value::Text(text), None) => found.push(text),
        (Value::List(items), Some((&"*", rest))) => items.iter().for_each(|item| leaves(item, rest, found)),
        (Value::Map(items), Some((key, rest))) => {
            if let Some(item) = items.get(*key) {
                leaves(item, rest, found);
            }
        }
        _ => {}
    }
}

impl SimulatedAccount {
    /// Refuses attributes that refer to an object that does not exist, or is not visible yet.
    pub(super) fn check_links(&self, call: &ApiCall, kind: &str, attributes: &Attributes) -> Result<(), Failure> {
        for link in LINKS.iter().filter(|link| link.from == kind) {
            for name in link.named(attributes) {
                let target = self.by_output(link.to, link.output, name);
                if target.is_none_or(|(_, stored)| stored.visible > self.clock) {
                    // AWS cannot know whether the name is wrong or was made a moment ago; neither can who asks.
                    let message = format!("the {} `{name}` does not exist", title(link.to));
                    return Err(call.failure(FailureClass::MaybeNotYetConsistent, idiom_of(link.to).missing, message));
                }
            }
        }
        Ok(())
    }

    /// Refuses the deletion of an object that others refer to.
    pub(super) fn check_free(&self, call: &ApiCall, kind: &str, id: &str) -> Result<(), Failure> {
        let Some(stored) = self.get(kind, id) else { return Ok(()) };
        let holder = self.holder(kind, id, stored).or_else(|| self.machine_on(kind, id));
        match holder {
            Some(holder) => {
                let message = format!("the {} `{id}` is used by {holder}", title(kind));
                Err(call.failure(FailureClass::Held, idiom_of(kind).held, message))
            }
            None => Ok(()),
        }
    }

    /// Returns the object that prevents the deletion of another one.
    fn holder(&self, kind: &str, id: &str, stored: &SimulatedObject) -> Option<String> {
        self.users(kind, stored, LinkKind::Holds)
            .into_iter()
            // A group's own rules may name the group itself.
            .find(|(from, user)| {
                *from != "security-group-rules"
                    || self.get(from, user).and_then(|rules| rules.text("group")) != Some(id)
            })
            .and_then(|(from, user)| self.get(from, &user).map(|holder| holder.title(&user)))
    }

    /// Returns the machine whose network interface is in a subnet or a security group, whatever its template is now.
    fn machine_on(&self, kind: &str, id: &str) -> Option<String> {
        let on = |machine: &&super::account::SimulatedMachine| match kind {
            "subnet" => machine.subnet == id,
            "security-group" => machine.security_groups.iter().any(|group| group == id),
            _ => false,
        };
        self.of("autoscaling-group").find_map(|(name, group)| {
            let machine = group.machines.iter().find(on)?;
            Some(format!("the instance {} of {}", machine.id, group.title(name)))
        })
    }

    /// Returns the objects that are deleted together with another one.
    pub(super) fn followers(&self, kind: &str, id: &str) -> Vec<(&'static str, String)> {
        self.get(kind, id).map(|stored| self.users(kind, stored, LinkKind::Follows)).unwrap_or_default()
    }

    fn users(&self, kind: &str, stored: &SimulatedObject, bond: LinkKind) -> Vec<(&'static str, String)> {
        let mut users = Vec::new();
        for link in LINKS.iter().filter(|link| link.to == kind && link.bond == bond) {
            let Some(name) = stored.outputs.get(link.output) else { continue };
            for (id, user) in self.of(link.from) {
                if link.named(&user.attributes).contains(&name.as_str()) {
                    users.push((link.from, id.clone()));
                }
            }
        }
        users
    }
}

fn title(kind: &str) -> &str {
    super::account::kind(kind).map_or(kind, |kind| kind.title)
}
