//! The machines of a group, and the template version that they were started from.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Answer, Instance, LaunchTemplateSpecification, LifecycleState as State,
};

use crate::engine::GroupMember;
use crate::words;

/// The template that a group starts machines from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GroupTemplate {
    /// The launch template's id, or the name of what the group uses instead of one.
    pub(super) id: String,
    /// Its version.
    pub(super) version: String,
}

/// Returns the template that the group starts machines from. It may have been changed to something else.
pub(super) fn template(group: &Answer) -> GroupTemplate {
    let configuration =
        || Some((format!("launch configuration {}", group.launch_configuration_name()?), String::new()));
    let template = |template: &LaunchTemplateSpecification| {
        let id = template.launch_template_id().unwrap_or_default().to_owned();
        // A group that names no version follows the default one.
        (id, template.version().unwrap_or("$Default").to_owned())
    };
    let mixed = || group.mixed_instances_policy()?.launch_template()?.launch_template_specification().map(template);
    let (id, version) =
        mixed().or_else(|| group.launch_template().map(template)).or_else(configuration).unwrap_or_default();
    GroupTemplate { id, version }
}

/// Returns the machines of a group.
pub(super) fn members(group: &Answer) -> Vec<GroupMember> {
    let own = template(group);
    let member = |machine: &Instance| GroupMember {
        id: machine.instance_id().unwrap_or_default().to_owned(),
        zone: machine.availability_zone().unwrap_or_default().to_owned(),
        state: machine.lifecycle_state().map(State::as_str).unwrap_or_default().to_owned(),
        version: version(machine, &own),
        size: machine.instance_type().map(str::to_owned),
        launched: None,
    };
    let mut members: Vec<_> = group.instances().iter().map(member).collect();
    members.sort();
    members
}

/// Returns the version that a machine was started from; with the template's id if it is not the group's.
fn version(machine: &Instance, own: &GroupTemplate) -> String {
    let Some(template) = machine.launch_template() else { return "unknown".to_owned() };
    let version = template.version().unwrap_or_default();
    match template.launch_template_id() {
        Some(id) if id != own.id => format!("{id}:{version}"),
        _ => version.to_owned(),
    }
}

/// The range of template versions that differ only in tags: the first one, and the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EqualVersions<'a> {
    pub(super) first: &'a str,
    pub(super) last: &'a str,
}

impl EqualVersions<'_> {
    /// Returns `true` for a version in this range.
    pub(super) fn contains(self, version: &str) -> bool {
        let number = |text: &str| text.parse::<u64>().ok();
        match (number(version), number(self.first), number(self.last)) {
            (Some(version), Some(first), Some(last)) => (first..=last.max(first)).contains(&version),
            _ => version == self.first,
        }
    }
}

/// Returns the oldest version that a machine of the group runs, or the first version that is like it; the group's own if it
/// has no machine.
pub(super) fn oldest(group: &Answer, alike: EqualVersions<'_>) -> String {
    let like = |version: String| if alike.contains(&version) { alike.first.to_owned() } else { version };
    let versions = members(group).into_iter().filter(|member| stays(&member.state)).map(|member| like(member.version));
    // What is no number was not started from the group's template: nothing is older.
    let oldest = versions.min_by_key(|version| (version.parse::<u64>().ok(), version.clone()));
    oldest.unwrap_or_else(|| like(template(group).version))
}

/// Returns `true` if a machine in this state is not about to leave the group.
pub(super) fn stays(state: &str) -> bool {
    !state.starts_with("Terminat") && !state.starts_with("Detach")
}

/// Returns `true` if a machine in this state is shutting down.
pub(super) fn is_ending(state: &str) -> bool {
    state.starts_with("Terminating")
}

/// Returns `true` if a machine in this state is in service.
pub(super) fn serves(state: &str) -> bool {
    state == State::InService.as_str()
}

/// Formats a number of machines.
pub(super) fn machines(count: usize) -> String {
    words::count(count, "machine")
}

/// Returns the number of machines in service.
pub(super) fn serving(group: &Answer) -> usize {
    members(group).iter().filter(|member| serves(&member.state)).count()
}

/// Returns the machines in service that match.
pub(super) fn running(group: &Answer, matches: impl Fn(&GroupMember) -> bool) -> BTreeSet<String> {
    let running = members(group).into_iter().filter(|member| serves(&member.state) && matches(member));
    running.map(|member| member.id).collect()
}
