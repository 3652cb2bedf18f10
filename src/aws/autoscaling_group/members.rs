//! The machines of a group, and what they were started from.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Answer, Instance, LaunchTemplateSpecification, LifecycleState as State,
};

use crate::engine::Member;
use crate::words;

/// What a group starts machines from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// The launch template's id, or what the group has in its place.
    pub(super) id: String,
    /// Its version.
    pub(super) version: String,
}

/// What the group starts machines from. Somebody may have given it something else than a launch template.
pub(super) fn template(group: &Answer) -> Template {
    let mixed = || {
        let policy = group.mixed_instances_policy()?;
        let id = policy.launch_template()?.launch_template_specification()?.launch_template_id()?;
        Some((format!("mixed instances of {id}"), String::new()))
    };
    let configuration =
        || Some((format!("launch configuration {}", group.launch_configuration_name()?), String::new()));
    let template = |template: &LaunchTemplateSpecification| {
        let id = template.launch_template_id().unwrap_or_default().to_owned();
        // A group that names no version follows the default one.
        (id, template.version().unwrap_or("$Default").to_owned())
    };
    let (id, version) = group.launch_template().map(template).or_else(mixed).or_else(configuration).unwrap_or_default();
    Template { id, version }
}

/// The machines of a group.
pub(super) fn members(group: &Answer) -> Vec<Member> {
    let own = template(group);
    let member = |machine: &Instance| Member {
        id: machine.instance_id().unwrap_or_default().to_owned(),
        zone: machine.availability_zone().unwrap_or_default().to_owned(),
        state: machine.lifecycle_state().map(State::as_str).unwrap_or_default().to_owned(),
        version: version(machine, &own),
    };
    let mut members: Vec<_> = group.instances().iter().map(member).collect();
    members.sort();
    members
}

/// The version that a machine was started from; with the template's id if it is not the group's.
fn version(machine: &Instance, own: &Template) -> String {
    let Some(template) = machine.launch_template() else { return "unknown".to_owned() };
    let version = template.version().unwrap_or_default();
    match template.launch_template_id() {
        Some(id) if id != own.id => format!("{id}:{version}"),
        _ => version.to_owned(),
    }
}

/// Versions of a template that differ in nothing but tags: the first one, and the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Alike<'a> {
    pub(super) first: &'a str,
    pub(super) last: &'a str,
}

impl Alike<'_> {
    /// Returns true for a version of this range.
    pub(super) fn contains(self, version: &str) -> bool {
        let number = |text: &str| text.parse::<u64>().ok();
        match (number(version), number(self.first), number(self.last)) {
            (Some(version), Some(first), Some(last)) => (first..=last.max(first)).contains(&version),
            _ => version == self.first,
        }
    }
}

/// The oldest version that a machine of the group runs, or the first one that is like it; the group's own if it has no
/// machine.
pub(super) fn oldest(group: &Answer, alike: Alike<'_>) -> String {
    let like = |version: String| if alike.contains(&version) { alike.first.to_owned() } else { version };
    let versions = members(group).into_iter().filter(|member| stays(&member.state)).map(|member| like(member.version));
    // What is no number was not started from the group's template: nothing is older.
    let oldest = versions.min_by_key(|version| (version.parse::<u64>().ok(), version.clone()));
    oldest.unwrap_or_else(|| like(template(group).version))
}

/// Whether a machine in this state will still be in the group in a while.
pub(super) fn stays(state: &str) -> bool {
    !state.starts_with("Terminat") && !state.starts_with("Detach")
}

/// Whether a machine in this state is shutting down.
pub(super) fn is_ending(state: &str) -> bool {
    state.starts_with("Terminating")
}

/// Whether a machine in this state does its work.
pub(super) fn serves(state: &str) -> bool {
    state == State::InService.as_str()
}

/// So many machines, in words.
pub(super) fn machines(count: usize) -> String {
    words::count(count, "machine")
}

/// How many machines do their work.
pub(super) fn serving(group: &Answer) -> usize {
    members(group).iter().filter(|member| serves(&member.state)).count()
}

/// The machines in service whose version is of a kind.
pub(super) fn running(group: &Answer, version: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let running = members(group).into_iter().filter(|member| serves(&member.state) && version(&member.version));
    running.map(|member| member.id).collect()
}
