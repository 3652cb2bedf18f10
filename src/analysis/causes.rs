//! The causes of machine replacements in a plan: one sentence each, with the changes that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Action, Address, AttributeChange, Change, ExecutablePlan, Plan, PlanMode, Reason, Value};
use crate::resource::{
    AutoScalingGroup, BucketObject, LaunchTemplate, MANIFEST, NODE_SCRIPT, Resource, VersionChange, master_of_group,
};

/// The reason why machines are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RollCause {
    /// The subject of the change, for example `Kubernetes` or `instance size`.
    pub subject: String,
    /// The value before, if it is short.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The value after, if it is short.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// The groups whose machines are replaced: masters first. Empty for a version that replaces no machine.
    pub groups: Vec<String>,
    /// `true` if only the machines that `subject` names are replaced, not all of the groups.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub partly: bool,
    /// Maximum number of machines that are replaced at the same time, of each node group where it is more than one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub at_once: BTreeMap<String, usize>,
    /// The changes that follow from it, and nothing else.
    pub changes: BTreeSet<Address>,
}

/// The attribute of a boot file with its settings of the cluster file.
const SETTINGS: &str = "settings";

/// The subject of a cause, with its short values.
type Subject = (u32, String, Option<String>, Option<String>);

/// Returns the causes of the machine replacements in a plan, the versions first.
pub fn causes_of(prepared: &ExecutablePlan, versions: &[VersionChange]) -> Vec<RollCause> {
    let mut causes = roll_causes(&prepared.plan, versions);
    for cause in &mut causes {
        let width_of = |name: &String| {
            let object = prepared.desired.get(&AutoScalingGroup::address(name))?;
            Some((name.clone(), width(&AutoScalingGroup::from_attributes(&object.attributes).ok()?)))
        };
        cause.at_once = cause.groups.iter().filter_map(width_of).filter(|(_, width)| *width > 1).collect();
    }
    causes
}

/// Returns the number of machines of a group that may be replaced at the same time.
fn width(group: &AutoScalingGroup) -> usize {
    let size = group.desired.unwrap_or(group.max);
    group.roll_limits(usize::try_from(size).unwrap_or(usize::MAX)).width()
}

fn roll_causes(plan: &Plan, versions: &[VersionChange]) -> Vec<RollCause> {
    if plan.mode != PlanMode::Apply {
        return Vec::new();
    }
    let changes: BTreeMap<&Address, &Change> = plan.changes.iter().map(|change| (&change.address, change)).collect();
    let is_new_script = changes.contains_key(&BucketObject::address(NODE_SCRIPT));
    let mut found: BTreeMap<Subject, RollCause> = BTreeMap::new();
    let mut rolled: Vec<&Change> = plan.changes.iter().filter(|change| is_roll(change)).collect();
    // The order of the rolls.
    rolled
        .sort_by_key(|change| (master_of_group(change.address.name()).is_none(), !is_broken(change), &change.address));
    let is_one = rolled.iter().filter(|change| is_requested(change)).count() == 1;
    for roll in rolled {
        let group = roll.address.name();
        let template = changes.get(&LaunchTemplate::address(group)).copied();
        let file = changes.get(&BucketObject::address(group)).copied();
        let found_subjects = match template {
            Some(template) => subjects(template, file, versions, is_new_script),
            None => vec![of_machines(roll, versions, is_one)],
        };
        for subject in found_subjects {
            let (rank, text, from, to) = subject.clone();
            let cause = found.entry(subject).or_insert_with(|| RollCause {
                subject: text,
                from,
                to,
                groups: Vec::new(),
                partly: rank == NAMED_MACHINES,
                at_once: BTreeMap::new(),
                changes: BTreeSet::new(),
            });
            cause.groups.push(group.to_owned());
            cause.changes.extend(is_requested(roll).then(|| roll.address.clone()));
            cause.changes.extend(following(group, &changes, is_new_script && template.is_some()));
        }
    }
    let shown: BTreeSet<String> = found.values().map(|cause| cause.subject.clone()).collect();
    let without_roll = versions.iter().filter(|version| !shown.contains(&version.component));
    let others: Vec<RollCause> = without_roll
        .map(|version| RollCause {
            changes: of_addon(plan, version, versions),
            subject: version.component.clone(),
            from: Some(version.from.clone()),
            to: Some(version.to.clone()),
            groups: Vec::new(),
            partly: false,
            at_once: BTreeMap::new(),
        })
        .collect();
    found.into_values().chain(others).collect()
}

/// Returns the changes of manifests that follow from the version of an add-on, and from no other difference than versions.
fn of_addon(plan: &Plan, version: &VersionChange, versions: &[VersionChange]) -> BTreeSet<Address> {
    let texts = |attribute: &AttributeChange| {
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_text).unwrap_or_default().to_owned();
        (text(&attribute.before), text(&attribute.after))
    };
    let is_of = |attribute: &AttributeChange, version: &VersionChange| {
        let (before, after) = texts(attribute);
        after.contains(version.component.as_str()) && after.ends_with(&version.to) && before.ends_with(&version.from)
    };
    let follows = |change: &&Change| {
        change.address.kind() == MANIFEST
            && change.action == Action::Update
            && change.attributes.iter().any(|attribute| is_of(attribute, version))
            && change.attributes.iter().all(|attribute| versions.iter().any(|version| is_of(attribute, version)))
    };
    plan.changes.iter().filter(follows).map(|change| change.address.clone()).collect()
}

/// Returns `true` if machines of a rolled group do not work: they are replaced first.
fn is_broken(roll: &Change) -> bool {
    observed_machines(roll).is_some_and(AutoScalingGroup::has_broken_machines)
}

/// Returns the observed value of `machines` in a roll.
fn observed_machines(roll: &Change) -> Option<&str> {
    let machines = roll.attributes.iter().find(|attribute| attribute.name == "machines");
    machines.and_then(|attribute| attribute.before.as_ref()?.as_text())
}

fn is_roll(change: &Change) -> bool {
    change.address.kind() == AutoScalingGroup::KIND.name && change.action == Action::Roll
}

/// The rank of causes that name their machines.
const NAMED_MACHINES: u32 = 8;

/// Returns the subject of a roll without a change of the launch template: machines are named, or behind.
///
/// Machines that are behind while an upgrade is not finished are behind because of it. `is_one` tells if a replacement was
/// requested in one group only: its machine is named.
fn of_machines(roll: &Change, versions: &[VersionChange], is_one: bool) -> Subject {
    let kubernetes = versions.iter().find(|version| version.component == VersionChange::KUBERNETES);
    match (observed_machines(roll).and_then(AutoScalingGroup::machine_problem), kubernetes) {
        (Some(problem), _) if AutoScalingGroup::is_requested(problem) && !is_one => {
            (NAMED_MACHINES, "replacement on request".to_owned(), None, None)
        }
        (Some(problem), _) => (NAMED_MACHINES, problem.to_owned(), None, None),
        (None, Some(version)) => of_version(0, version),
        (None, None) => (9, "machines that do not have the current launch template".to_owned(), None, None),
    }
}

/// Returns `true` if a change only replaces machines, and only because that was requested.
fn is_requested(roll: &Change) -> bool {
    let [machines] = roll.attributes.as_slice() else { return false };
    let before = machines.before.as_ref().and_then(Value::as_text);
    before.and_then(AutoScalingGroup::machine_problem).is_some_and(AutoScalingGroup::is_requested)
}

/// Returns the subjects that a change of a launch template is about.
fn subjects(template: &Change, file: Option<&Change>, versions: &[VersionChange], is_new_script: bool) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for attribute in &template.attributes {
        let (from, to) = (short(attribute.before.as_ref()), short(attribute.after.as_ref()));
        match attribute.name.as_str() {
            "user_data" => subjects.extend(boot(file, versions, is_new_script)),
            "image" => {
                let known = versions.iter().find(|version| is_image(version, attribute));
                subjects.push(match known {
                    Some(version) => of_version(1, version),
                    None => (1, "machine image".to_owned(), from, to),
                });
            }
            "instance_size" => subjects.push((2, "instance size".to_owned(), from, to)),
            "root_gib" => subjects.push((3, "root volume in GiB".to_owned(), from, to)),
            "instance_tags" | "tags" | "name" => {}
            other => subjects.push((4, other.replace('_', " "), None, None)),
        }
    }
    subjects
}

/// Returns the subjects of changed user data.
fn boot(file: Option<&Change>, versions: &[VersionChange], is_new_script: bool) -> Vec<Subject> {
    let kubernetes = versions.iter().find(|version| version.component == VersionChange::KUBERNETES);
    let mut subjects: Vec<Subject> = kubernetes.map(|version| of_version(0, version)).into_iter().collect();
    if is_new_script {
        subjects.push((5, format!("the boot script of this release ({NODE_SCRIPT})"), None, None));
    }
    subjects.extend(file.map(changed_settings).unwrap_or_default());
    if subjects.is_empty() {
        subjects.push((6, "boot settings".to_owned(), None, None));
    }
    subjects
}

/// Returns the settings of the cluster file that change in a boot file.
fn changed_settings(file: &Change) -> Vec<Subject> {
    let Some(settings) = file.attributes.iter().find(|attribute| attribute.name == SETTINGS) else { return Vec::new() };
    let map = |value: &Option<Value>| match value {
        Some(Value::Map(items)) => items.clone(),
        _ => BTreeMap::new(),
    };
    let (before, after) = (map(&settings.before), map(&settings.after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |value: Option<&Value>| Some(short(value).unwrap_or_else(|| "the default".to_owned()));
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| (6, name.clone(), text(before.get(name)), text(after.get(name))))
        .collect()
}

fn of_version(rank: u32, version: &VersionChange) -> Subject {
    (rank, version.component.clone(), Some(version.from.clone()), Some(version.to.clone()))
}

/// Returns `true` if a version is the image of this change.
fn is_image(version: &VersionChange, attribute: &AttributeChange) -> bool {
    let id = attribute.after.as_ref().and_then(Value::as_text).unwrap_or_default();
    !id.is_empty() && version.to.split(' ').next() == Some(id)
}

/// Returns a value that fits in a sentence.
fn short(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) if !text.is_empty() && text.len() <= 40 && !text.contains('\n') => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the changes that only carry a cause to the machines of a group: its boot file, its launch template and its roll.
fn following<'a>(
    group: &'a str,
    changes: &'a BTreeMap<&'a Address, &'a Change>,
    is_new_script: bool,
) -> impl Iterator<Item = Address> + 'a {
    let script = is_new_script.then(|| BucketObject::address(NODE_SCRIPT));
    let own = [BucketObject::address(group), LaunchTemplate::address(group), AutoScalingGroup::address(group)];
    own.into_iter().chain(script).filter(|address| changes.get(address).is_some_and(|change| is_carrier(change)))
}

fn is_carrier(change: &Change) -> bool {
    let carried: &[&str] = match change.address.kind() {
        kind if kind == BucketObject::KIND.name => &["key", SETTINGS, "sha256"],
        kind if kind == LaunchTemplate::KIND.name => &["image", "instance_size", "root_gib", "user_data"],
        _ => &["launch_template", "machines", "version"],
    };
    let is_left_over = change.address.kind() == BucketObject::KIND.name
        && matches!(change.reason, Reason::Duplicate { .. } | Reason::Unrecorded);
    !change.loses_data
        && (change.reason == Reason::File || is_left_over)
        && change.attributes.iter().all(|attribute| carried.contains(&attribute.name.as_str()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::engine::DifferenceOrigin;

    fn change(address: &str, action: Action, reason: Reason, attributes: &[(&str, &str, &str)]) -> Change {
        let value = |text: &str| Some(serde_json::from_value::<Value>(json!(text)).unwrap());
        Change {
            address: address.parse().unwrap(),
            action,
            reason,
            id: None,
            attributes: attributes
                .iter()
                .map(|(name, before, after)| AttributeChange {
                    name: (*name).to_owned(),
                    before: value(before),
                    after: value(after),
                    origin: DifferenceOrigin::File,
                    action,
                })
                .collect(),
            needs: BTreeSet::new(),
            lane: None,
            loses_data: false,
        }
    }

    fn rolled(group: &str, template: &[(&str, &str, &str)]) -> [Change; 3] {
        [
            change(&format!("bucket-object/{group}"), Action::Replace, Reason::File, &[("key", "a", "b")]),
            change(&format!("launch-template/{group}"), Action::Update, Reason::File, template),
            change(&format!("autoscaling-group/{group}"), Action::Roll, Reason::File, &[("machines", "1", "2")]),
        ]
    }

    fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
        Plan {
            mode: PlanMode::Apply,
            serial: 1,
            changes: changes.into_iter().collect(),
            unchanged: 0,
            held: BTreeSet::new(),
        }
    }

    fn version(component: &str, from: &str, to: &str) -> VersionChange {
        VersionChange { component: component.to_owned(), from: from.to_owned(), to: to.to_owned() }
    }

    /// Returns each cause as one line.
    fn lines(causes: &[RollCause]) -> Vec<String> {
        let line = |cause: &RollCause| {
            let values = [&cause.from, &cause.to].map(|value| value.clone().unwrap_or_default()).join(">");
            format!("{} {values}: {} ({})", cause.subject, cause.groups.join(" "), cause.changes.len())
        };
        causes.iter().map(line).collect()
    }

    #[test]
    fn every_cause_names_its_groups_and_what_follows() {
        let data = [("user_data", "old", "new")];
        let bigger = [("instance_size", "t3.medium", "t3.large"), ("user_data", "old", "new")];
        let changes = rolled("nodes-w", &bigger).into_iter().chain(rolled("masters-a", &data));
        let versions = [version("Kubernetes", "1.36.1", "1.36.4"), version("ebs-csi-driver", "v1", "v2")];
        let causes = roll_causes(&plan(changes), &versions);
        assert_eq!(
            lines(&causes),
            [
                "Kubernetes 1.36.1>1.36.4: masters-a nodes-w (6)",
                "instance size t3.medium>t3.large: nodes-w (3)",
                "ebs-csi-driver v1>v2:  (0)",
            ]
        );
    }

    #[test]
    fn what_else_changes_on_an_object_is_not_folded() {
        let mut changes = rolled("nodes-w", &[("user_data", "old", "new"), ("key", "", "ssh")]);
        changes[2].attributes.push(AttributeChange { name: "max".to_owned(), ..changes[2].attributes[0].clone() });
        changes[0].reason = Reason::Drift;
        let causes = roll_causes(&plan(changes), &[]);
        assert_eq!(lines(&causes), ["key >: nodes-w (0)", "boot settings >: nodes-w (0)"]);
    }

    #[test]
    fn a_new_script_and_machines_that_are_behind_are_causes() {
        let script = change("bucket-object/node.sh", Action::Replace, Reason::File, &[("key", "a", "b")]);
        let behind = change("autoscaling-group/nodes-x", Action::Roll, Reason::Drift, &[("machines", "1", "2")]);
        let changes = rolled("masters-a", &[("user_data", "old", "new")]).into_iter().chain([script, behind]);
        let causes = roll_causes(&plan(changes), &[]);
        assert_eq!(
            lines(&causes),
            [
                "the boot script of this release (node.sh) >: masters-a (4)",
                "machines that do not have the current launch template >: nodes-x (0)",
            ]
        );
    }

    #[test]
    fn groups_are_named_in_the_order_of_their_rolls() {
        let data = [("user_data", "old", "new")];
        let mut changes = ["masters-c", "nodes-w", "masters-a", "masters-b"].map(|group| rolled(group, &data)).concat();
        for roll in changes.iter_mut().filter(|change| change.address.to_string() == "autoscaling-group/masters-b") {
            let observed = AutoScalingGroup::with_problem("1", "i-1 does not become ready");
            roll.attributes[0].before = serde_json::from_value(json!(observed)).unwrap();
        }
        let causes = roll_causes(&plan(changes), &[]);
        assert_eq!(lines(&causes), ["boot settings >: masters-b masters-a masters-c nodes-w (12)"]);
    }

    #[test]
    fn requested_replacements_are_one_cause_in_the_order_of_the_rolls() {
        let requested = |group: &str| {
            let observed = AutoScalingGroup::with_problem("1", &AutoScalingGroup::requested(&["i-1".to_owned()]));
            let mut roll =
                change(&format!("autoscaling-group/{group}"), Action::Roll, Reason::File, &[("machines", "1", "1")]);
            roll.attributes[0].before = serde_json::from_value(json!(observed)).unwrap();
            roll
        };
        let causes = roll_causes(&plan(["masters-c", "nodes-w", "masters-a"].map(requested)), &[]);
        assert_eq!(lines(&causes), ["replacement on request >: masters-a masters-c nodes-w (3)"]);
        assert!(causes[0].partly);
    }

    #[test]
    fn a_plan_that_replaces_no_machine_has_no_cause() {
        let update = change("launch-template/nodes-w", Action::Update, Reason::File, &[("tags", "a", "b")]);
        assert_eq!(roll_causes(&plan([update]), &[]), []);
        let destroy = Plan { mode: PlanMode::Destroy, ..plan(rolled("nodes-w", &[])) };
        assert_eq!(roll_causes(&destroy, &[]), []);
    }
}
