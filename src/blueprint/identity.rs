//! The identity of machines: a role and an instance profile for masters and one for nodes, and the SSH key.

use std::collections::BTreeMap;

use super::outputs::{MASTERS, NODES};
use super::{BlueprintProblem, BuildContext, names, permissions};
use crate::engine::{Object, TemplatePart, TextInput};
use crate::limits::aws::INLINE_POLICIES;
use crate::limits::policy_length;
use crate::resource::{InstanceProfile, KeyPair, Resource, Role, assumed_by_ec2};

/// Maximum length of an id that AWS generates: that of a hosted zone.
const LONGEST_ID: usize = 32;

/// The name of the key pair's object.
const SSH: &str = "ssh";

/// Returns the name of the key pair, if the file gives a key.
pub(super) fn key(site: &BuildContext<'_>) -> Option<TextInput> {
    site.cluster.ssh.public_key.as_ref().map(|_| TextInput::output(KeyPair::address(SSH), "name"))
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (name, policies) in [(MASTERS, permissions::masters(site)), (NODES, permissions::nodes(site))] {
        check_length(&site.below(name), &policies)?;
        objects.push(role(site, name, policies).object(name)?);
        objects.push(instance_profile(site, name).object(name)?);
    }
    if let Some(key) = &site.cluster.ssh.public_key {
        objects.push(key_pair(site, key).object(SSH)?);
    }
    Ok(objects)
}

/// Refuses policies that IAM would refuse.
fn check_length(role: &str, policies: &BTreeMap<String, TextInput>) -> Result<(), BlueprintProblem> {
    let characters: usize = policies.values().map(length).sum();
    if characters > INLINE_POLICIES {
        return Err(BlueprintProblem::PolicyTooLong { role: role.to_owned(), characters });
    }
    Ok(())
}

/// Returns the maximum length of a document: the ids in it are not known yet.
fn length(document: &TextInput) -> usize {
    match document {
        TextInput::Known(text) => policy_length(text),
        TextInput::Pending(template) => {
            let part = |part: &TemplatePart| match part {
                TemplatePart::Literal(text) => policy_length(text),
                TemplatePart::Reference(_) => LONGEST_ID,
            };
            template.parts.iter().map(part).sum()
        }
    }
}

/// Returns the path of an object that IAM lists by path alone: it holds the object's address.
fn path(site: &BuildContext<'_>, kind: &str, name: &str) -> String {
    format!("/quorate/{}/{kind}/{name}/", site.cluster.name)
}

fn role(site: &BuildContext<'_>, name: &str, policies: BTreeMap<String, TextInput>) -> Role {
    let display = site.below(name);
    Role {
        name: names::fitted(&display, names::ROLE),
        path: path(site, Role::KIND.name, name),
        trust: assumed_by_ec2(site.partition),
        policies,
        attached: Vec::new(),
        tags: site.tags_with_location(&Role::address(name), &display),
    }
}

fn instance_profile(site: &BuildContext<'_>, name: &str) -> InstanceProfile {
    let display = site.below(name);
    InstanceProfile {
        name: names::fitted(&display, names::INSTANCE_PROFILE),
        path: path(site, InstanceProfile::KIND.name, name),
        role: TextInput::output(Role::address(name), "name"),
        tags: site.tags_with_location(&InstanceProfile::address(name), &display),
    }
}

fn key_pair(site: &BuildContext<'_>, key: &str) -> KeyPair {
    let name = site.cluster.name.as_str();
    let public_key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    KeyPair {
        name: names::hashed(name, &[&public_key], names::KEY_PAIR),
        public_key,
        tags: site.tags(&KeyPair::address(SSH), name),
    }
}
