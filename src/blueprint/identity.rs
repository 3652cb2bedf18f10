//! Who machines are: a role and an instance profile for masters and one for nodes, and the SSH key.

use std::collections::BTreeMap;

use super::{Problem, Site, names, permissions, policy};
use crate::engine::{Input, Object, Part};
use crate::limits::aws::INLINE_POLICIES;
use crate::limits::policy_length;
use crate::resource::{InstanceProfile, KeyPair, Resource, Role};

/// The most characters of an id that AWS makes up: that of a hosted zone.
const LONGEST_ID: usize = 32;

/// The name of the key pair's object.
const SSH: &str = "ssh";

/// The name of the instance profile of a role.
pub(super) fn profile(role: &str) -> Input {
    Input::output(InstanceProfile::address(role), "name")
}

/// The name of the key pair, if the file gives a key.
pub(super) fn key(site: &Site<'_>) -> Option<Input> {
    site.cluster.ssh.public_key.as_ref().map(|_| Input::output(KeyPair::address(SSH), "name"))
}

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    let mut objects = Vec::new();
    for (name, policies) in
        [(super::masters::ROLE, permissions::masters(site)), (super::nodes::ROLE, permissions::nodes(site))]
    {
        check_length(&site.below(name), &policies)?;
        objects.push(role(site, name, policies).object(name)?);
        objects.push(instance_profile(site, name).object(name)?);
    }
    if let Some(key) = &site.cluster.ssh.public_key {
        objects.push(key_pair(site, key).object(SSH)?);
    }
    Ok(objects)
}

/// Refuses policies that IAM would.
fn check_length(role: &str, policies: &BTreeMap<String, Input>) -> Result<(), Problem> {
    let characters: usize = policies.values().map(length).sum();
    if characters > INLINE_POLICIES {
        return Err(Problem::PolicyTooLong { role: role.to_owned(), characters });
    }
    Ok(())
}

/// How long a document will be, at most: the ids in it are not known yet.
fn length(document: &Input) -> usize {
    match document {
        Input::Known(text) => policy_length(text),
        Input::Pending(template) => {
            let part = |part: &Part| match part {
                Part::Literal(text) => policy_length(text),
                Part::Reference(_) => LONGEST_ID,
            };
            template.parts.iter().map(part).sum()
        }
    }
}

/// The path of what IAM lists by path alone: it holds the object's address.
fn path(site: &Site<'_>, kind: &str, name: &str) -> String {
    format!("/quorate/{}/{kind}/{name}/", site.cluster.name)
}

fn role(site: &Site<'_>, name: &str, policies: BTreeMap<String, Input>) -> Role {
    let display = site.below(name);
    Role {
        name: names::fitted(&display, names::ROLE),
        path: path(site, Role::KIND.name, name),
        trust: policy::assumed_by_ec2(site.partition),
        policies,
        attached: Vec::new(),
        tags: site.tags_with_location(&Role::address(name), &display),
    }
}

fn instance_profile(site: &Site<'_>, name: &str) -> InstanceProfile {
    let display = site.below(name);
    InstanceProfile {
        name: names::fitted(&display, names::INSTANCE_PROFILE),
        path: path(site, InstanceProfile::KIND.name, name),
        role: Input::output(Role::address(name), "name"),
        tags: site.tags_with_location(&InstanceProfile::address(name), &display),
    }
}

fn key_pair(site: &Site<'_>, key: &str) -> KeyPair {
    let name = site.cluster.name.as_str();
    let public_key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    KeyPair {
        name: names::hashed(name, &[&public_key], names::KEY_PAIR),
        public_key,
        tags: site.tags(&KeyPair::address(SSH), name),
    }
}
