//! Attributes that refer to other objects, and the consequences for those objects.

use super::account::{SimulatedAccount, SimulatedObject};
use super::account_index::IndexKey;
use super::kinds::{rows, simulated};
use super::names::ApiCall;
use crate::engine::{Attributes, Failure, FailureClass, Value};
use crate::resource::{AutoScalingGroup, Resource, SecurityGroup, SecurityGroupRules, Subnet};

/// An attribute that refers to another object.
pub(super) struct ObjectLink {
    /// The attribute; below it, `*` is every item of a list.
    path: &'static [&'static str],
    /// The kind that it refers to.
    pub(super) to: &'static str,
    /// The output that it refers to.
    pub(super) output: &'static str,
    /// The beginning of the texts that name one. Others name something else, a range of addresses for example.
    prefix: &'static str,
    /// `false` if the text may name an object that the account does not know.
    must_exist: bool,
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

/// An attribute that keeps the object that it names from being deleted.
pub(super) const fn holds<To: Resource>(path: &'static [&'static str], output: &'static str) -> ObjectLink {
    ObjectLink { path, to: To::KIND.name, output, prefix: "", must_exist: true, bond: LinkKind::Holds }
}

/// The same, where other texts name objects of others, which a simulated account does not have.
pub(super) const fn uses<To: Resource>(path: &'static [&'static str], output: &'static str) -> ObjectLink {
    ObjectLink { must_exist: false, ..holds::<To>(path, output) }
}

/// The same, where other texts than those with this prefix name something else.
pub(super) const fn peers<To: Resource>(
    path: &'static [&'static str],
    output: &'static str,
    prefix: &'static str,
) -> ObjectLink {
    ObjectLink { prefix, ..holds::<To>(path, output) }
}

/// An attribute that names the object that this one goes with.
pub(super) const fn follows<To: Resource>(path: &'static [&'static str], output: &'static str) -> ObjectLink {
    ObjectLink { bond: LinkKind::Follows, ..holds::<To>(path, output) }
}

impl ObjectLink {
    /// The value of the attribute. An empty text names nothing.
    pub(super) fn named<'a>(&self, attributes: &'a Attributes) -> Vec<&'a str> {
        let Some((first, rest)) = self.path.split_first() else { return Vec::new() };
        let mut named = Vec::new();
        if let Some(value) = attributes.get(*first) {
            leaves(value, rest, &mut named);
        }
        named.retain(|name| !name.is_empty() && name.starts_with(self.prefix));
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
        for link in simulated(kind).links.iter().filter(|link| link.must_exist) {
            for name in link.named(attributes) {
                let target = self.by_output(link.to, link.output, name);
                if target.is_none_or(|(_, stored)| stored.visible > self.state.clock) {
                    // AWS cannot know whether the name is wrong or was made a moment ago; neither can who asks.
                    let message = format!("the {} `{name}` does not exist", title(link.to));
                    return Err(call.failure(
                        FailureClass::MaybeNotYetConsistent,
                        simulated(link.to).codes.missing,
                        message,
                    ));
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
                Err(call.failure(FailureClass::Held, simulated(kind).codes.held, message))
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
                *from != SecurityGroupRules::KIND.name
                    || self.get(from, user).and_then(|rules| rules.text("group")) != Some(id)
            })
            .and_then(|(from, user)| self.get(from, &user).map(|holder| holder.title(&user)))
    }

    /// Returns the machine whose network interface is in a subnet or a security group, whatever its template is now.
    fn machine_on(&self, kind: &str, id: &str) -> Option<String> {
        let on = |machine: &&super::account::SimulatedMachine| match kind {
            kind if kind == Subnet::KIND.name => machine.subnet == id,
            kind if kind == SecurityGroup::KIND.name => machine.security_groups.iter().any(|group| group == id),
            _ => false,
        };
        let groups = self.candidates(IndexKey::machine(kind, id));
        groups.filter(|(from, ..)| *from == AutoScalingGroup::KIND.name).find_map(|(_, name, group)| {
            let machine = group.machines.iter().find(on)?;
            Some(format!("the instance {} of {}", machine.id, group.title(name)))
        })
    }

    /// Returns the ids of the rules of a security group.
    pub(super) fn rules_of(&self, group: &str) -> Vec<String> {
        const RULES: &str = SecurityGroupRules::KIND.name;
        let candidates = self.candidates(IndexKey::link(SecurityGroup::KIND.name, "id", group));
        let rules = candidates.filter(|(kind, _, rules)| *kind == RULES && rules.text("group") == Some(group));
        rules.map(|(_, id, _)| id.to_owned()).collect()
    }

    /// Returns the objects that are deleted together with another one.
    pub(super) fn followers(&self, kind: &str, id: &str) -> Vec<(&'static str, String)> {
        self.get(kind, id).map(|stored| self.users(kind, stored, LinkKind::Follows)).unwrap_or_default()
    }

    fn users(&self, kind: &str, stored: &SimulatedObject, bond: LinkKind) -> Vec<(&'static str, String)> {
        let mut users = Vec::new();
        let links = rows().flat_map(|row| row.links.iter().map(|link| (row.name, link)));
        for (from, link) in links.filter(|(_, link)| link.to == kind && link.bond == bond) {
            let Some(name) = stored.outputs.get(link.output) else { continue };
            let candidates = self.candidates(IndexKey::link(link.to, link.output, name));
            let of_kind = candidates.filter(|(kind, ..)| *kind == from);
            let named = of_kind.filter(|(_, _, user)| link.named(&user.attributes).contains(&name.as_str()));
            users.extend(named.map(|(_, id, _)| (from, id.to_owned())));
        }
        users
    }
}

fn title(kind: &str) -> &str {
    super::account::kind(kind).map_or(kind, |kind| kind.title)
}
