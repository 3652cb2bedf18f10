//! A plan with everything that is needed to apply it.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::Decision;
use super::desired_graph::DesiredGraph;
use super::removal::ObjectRemoval;
use super::step_graph::{PlanStep, StepGraph, lay_out};
use super::{PlanContext, PlanHeading};
use crate::engine::graph::Graph;
use crate::engine::{Action, Address, Change, ChangeEffect, Live, Object, Plan, Reason, Value};

/// A plan with everything that is needed to apply it.
#[derive(Debug, Clone)]
pub struct ExecutablePlan {
    /// The plan.
    pub plan: Plan,
    /// The wanted objects, with their references.
    pub desired: BTreeMap<Address, Object>,
    /// The live objects that match them. For a replacement: the old object. Both halves of a
    /// [`split`](Self::split) keep all of them, to resolve references.
    pub live: BTreeMap<Address, Live>,
    /// The live objects that are removed: no longer in the file, or duplicates.
    pub surplus: Vec<Live>,
    pub(crate) subset: RecordedSubset,
    step_graph: StepGraph,
}

/// Addresses that a run records without a change to the object.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordedSubset {
    /// Objects of the cluster that are as wanted.
    pub(crate) unchanged: BTreeSet<Address>,
    /// Objects that may belong to others, and are only used.
    pub(crate) borrowed: BTreeSet<Address>,
    /// Objects in the record that neither exist nor are wanted.
    pub(crate) stale: BTreeSet<Address>,
}

impl ExecutablePlan {
    /// Returns a plan that is never applied.
    pub(super) fn to_look_at(plan: Plan) -> Self {
        Self {
            plan,
            desired: BTreeMap::new(),
            live: BTreeMap::new(),
            surplus: Vec::new(),
            subset: RecordedSubset::default(),
            step_graph: StepGraph::default(),
        }
    }

    /// Returns the changes on the longest path through the plan, in order, and their estimated time in seconds.
    pub fn critical_path(&self) -> (Vec<Address>, u64) {
        let weights: Vec<u64> = self.step_graph.steps.iter().map(|step| step.task.seconds).collect();
        let path = self.step_graph.graph.critical_path(&weights);
        let seconds = path.iter().map(|&step| weights[step]).sum();
        let mut addresses: Vec<Address> = path
            .into_iter()
            .map(|step| &self.step_graph.steps[step])
            .filter(|step| !step.task.instant)
            .map(|step| step.address.clone())
            .collect();
        addresses.dedup();
        (addresses, seconds)
    }

    /// Splits the plan in two: for the objects that `first` selects, and for all others.
    ///
    /// They are applied one after the other: the dependencies of the first one must be in it as well. The second one resolves
    /// references into the first one from the record of the first one.
    #[must_use]
    pub fn split(self, first: impl Fn(&Address) -> bool) -> (Self, Self) {
        let picks = |address: &Address| first(address);
        let (changes, other_changes): (Vec<Change>, Vec<Change>) =
            self.plan.changes.into_iter().partition(|change| picks(&change.address));
        let (held, other_held): (BTreeSet<Address>, BTreeSet<Address>) = self.plan.held.into_iter().partition(picks);
        let (surplus, other_surplus): (Vec<Live>, Vec<Live>) =
            self.surplus.into_iter().partition(|live| picks(&live.address));
        let (desired, other_desired): (BTreeMap<Address, Object>, BTreeMap<Address, Object>) =
            self.desired.into_iter().partition(|(address, _)| picks(address));
        let (subset, other_subset) = self.subset.split(&picks);
        let (step_graph, other_step_graph) = self.step_graph.split(&picks);
        let plan = |changes, held, subset: &RecordedSubset| Plan {
            mode: self.plan.mode,
            serial: self.plan.serial,
            changes,
            unchanged: subset.unchanged.len() + subset.borrowed.len(),
            held,
        };
        let part =
            Self { plan: plan(changes, held, &subset), desired, live: self.live.clone(), surplus, subset, step_graph };
        let other = Self {
            plan: plan(other_changes, other_held, &other_subset),
            desired: other_desired,
            live: self.live,
            surplus: other_surplus,
            subset: other_subset,
            step_graph: other_step_graph,
        };
        (part, other)
    }

    /// Refuses a change: the cloud reported that it would reject the object as wanted. An object that needs no change is
    /// as wanted.
    pub fn reject(&mut self, address: &Address, message: &str) {
        self.refuse(address, &Reason::Rejected { message: message.to_owned() });
    }

    /// Refuses a change for a reason that only the caller can know.
    pub fn refuse(&mut self, address: &Address, reason: &Reason) {
        for change in self.plan.changes.iter_mut().filter(|change| change.address == *address) {
            change.action = Action::Refuse;
            change.reason = reason.clone();
        }
    }

    pub(crate) fn steps(&self) -> &[PlanStep] {
        &self.step_graph.steps
    }

    pub(super) fn steps_mut(&mut self) -> &mut [PlanStep] {
        &mut self.step_graph.steps
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.step_graph.graph
    }
}

impl RecordedSubset {
    fn split(self, picks: &dyn Fn(&Address) -> bool) -> (Self, Self) {
        let split = |all: BTreeSet<Address>| -> (BTreeSet<Address>, BTreeSet<Address>) {
            all.into_iter().partition(|address| picks(address))
        };
        let (unchanged, other_unchanged) = split(self.unchanged);
        let (borrowed, other_borrowed) = split(self.borrowed);
        let (stale, other_stale) = split(self.stale);
        let other = Self { unchanged: other_unchanged, borrowed: other_borrowed, stale: other_stale };
        (Self { unchanged, borrowed, stale }, other)
    }
}

impl StepGraph {
    /// Splits the steps, which may hold many objects, without a copy.
    fn split(self, picks: &dyn Fn(&Address) -> bool) -> (Self, Self) {
        let (mut part, mut other) = (Self::default(), Self::default());
        let mut places = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            let is_picked = picks(&step.address);
            let target = if is_picked { &mut part } else { &mut other };
            places.push((is_picked, target.graph.add_node()));
            target.steps.push(step);
        }
        for (number, &(is_picked, first)) in places.iter().enumerate() {
            let target = if is_picked { &mut part } else { &mut other };
            for &(of_same, then) in self.graph.after(number).iter().filter_map(|then| places.get(*then)) {
                if of_same == is_picked {
                    target.graph.add_edge(first, then);
                }
            }
        }
        (part, other)
    }
}

/// Builds the plan from the decisions.
pub(super) fn assemble(
    context: &PlanContext<'_>,
    heading: PlanHeading,
    desire: DesiredGraph,
    mut decisions: BTreeMap<Address, Decision>,
    mut removals: Vec<ObjectRemoval>,
) -> ExecutablePlan {
    for decision in decisions.values_mut() {
        removals.append(&mut decision.duplicates);
    }
    let (step_graph, needs) = lay_out(context, &desire, &decisions, &removals);
    let mut changes: Vec<Change> = removals.iter().map(|removal| removal.change(context)).collect();
    for (change, needs) in changes.iter_mut().zip(needs) {
        change.needs = needs;
    }
    let mut subset = RecordedSubset::default();
    let mut live = BTreeMap::new();
    let held: BTreeSet<Address> =
        decisions.iter().filter(|(_, decision)| decision.held).map(|(address, _)| address.clone()).collect();
    let differing: BTreeSet<Address> =
        decisions.iter().filter(|(_, decision)| decision.is_done_first()).map(|(address, _)| address.clone()).collect();
    for (address, decision) in decisions {
        match decision.change {
            Some(mut change) => {
                change.needs = desire.object(&address).needs().intersection(&differing).cloned().collect();
                changes.push(change);
            }
            None if decision.borrowed => _ = subset.borrowed.insert(address.clone()),
            None => _ = subset.unchanged.insert(address.clone()),
        }
        live.extend(decision.kept.map(|kept| (address, kept)));
    }
    let surplus: Vec<Live> = removals.into_iter().map(|removal| removal.live).collect();
    changes.sort_by(|one, other| (&one.address, &one.id).cmp(&(&other.address, &other.id)));
    for change in &mut changes {
        conceal(context, change);
    }
    let mut desired = desire.into_objects();
    for address in &held {
        if let (Some(object), Some(live)) = (desired.get_mut(address), live.get(address)) {
            keep_rolled_attributes(context, object, live);
        }
    }
    let there: BTreeSet<&Address> = surplus.iter().map(|live| &live.address).collect();
    let is_stale = |address: &&Address| !desired.contains_key(address) && !there.contains(address);
    subset.stale = context.recorded.keys().filter(is_stale).cloned().collect();
    let unchanged = subset.unchanged.len() + subset.borrowed.len();
    let plan = Plan { mode: heading.mode, serial: heading.serial, changes, unchanged, held };
    ExecutablePlan { plan, desired, live, surplus, subset, step_graph }
}

/// Gives a wanted object the attributes of its machines as they are: the plan leaves them.
fn keep_rolled_attributes(context: &PlanContext<'_>, object: &mut Object, live: &Live) {
    let Some(kind) = context.vocabulary.kind(object.address.kind()) else { return };
    for (name, value) in &mut object.attributes {
        if kind.attribute(name).effect == ChangeEffect::Roll
            && let Some(there) = live.attributes.get(name)
        {
            value.clone_from(there);
        }
    }
}

/// Removes from a change the values that may hold a secret: a plan is read by many, and values derived from a secret can
/// reveal it.
fn conceal(context: &PlanContext<'_>, change: &mut Change) {
    let Some(kind) = context.vocabulary.kind(change.address.kind()) else { return };
    for attribute in change.attributes.iter_mut().filter(|attribute| !kind.attribute(&attribute.name).recorded) {
        let changed = attribute.before.is_some() && attribute.after.is_some();
        let hidden =
            |value: &Value, text: &str| if value.is_known() { Value::Text(text.to_owned()) } else { value.clone() };
        attribute.before = attribute.before.as_ref().map(|value| hidden(value, "(sensitive)"));
        let after = if changed { "(sensitive, changed)" } else { "(sensitive)" };
        attribute.after = attribute.after.as_ref().map(|value| hidden(value, after));
    }
}
