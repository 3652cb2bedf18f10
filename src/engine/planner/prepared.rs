//! A plan with everything that is needed to carry it out.

use std::collections::{BTreeMap, BTreeSet};

use super::desire::Desire;
use super::removal::Removal;
use super::steps::{Road, Step, lay_out};
use super::verdict::Verdict;
use super::{Context, Heading};
use crate::engine::graph::Graph;
use crate::engine::{Action, Address, Change, Live, Object, Plan, Reason, Value};

/// A plan with everything that is needed to carry it out.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The objects that should be, with their references.
    pub desired: BTreeMap<Address, Object>,
    /// The live objects that stand for them. Of one that is replaced: the old one. Both halves of a
    /// [`split`](Prepared::split) keep all of them, to resolve references.
    pub live: BTreeMap<Address, Live>,
    /// The live objects that are removed: no longer in the file, or second ones.
    pub surplus: Vec<Live>,
    pub(crate) subset: Subset,
    road: Road,
}

/// Addresses of which a run has something to record although nothing is done to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subset {
    /// As they should be, and ours.
    pub(crate) unchanged: BTreeSet<Address>,
    /// Maybe somebody else's, and only used.
    pub(crate) borrowed: BTreeSet<Address>,
    /// In the record, but neither there nor wanted.
    pub(crate) stale: BTreeSet<Address>,
}

impl Prepared {
    /// A plan that nobody carries out.
    pub(super) fn to_look_at(plan: Plan) -> Self {
        Self {
            plan,
            desired: BTreeMap::new(),
            live: BTreeMap::new(),
            surplus: Vec::new(),
            subset: Subset::default(),
            road: Road::default(),
        }
    }

    /// The changes on the longest road through the plan, in order, and how many seconds it takes, roughly.
    pub fn critical_path(&self) -> (Vec<Address>, u64) {
        let weights: Vec<u64> = self.road.steps.iter().map(|step| step.task.seconds).collect();
        let path = self.road.graph.critical_path(&weights);
        let seconds = path.iter().map(|&step| weights[step]).sum();
        let mut addresses: Vec<Address> = path
            .into_iter()
            .map(|step| &self.road.steps[step])
            .filter(|step| !step.task.instant)
            .map(|step| step.address.clone())
            .collect();
        addresses.dedup();
        (addresses, seconds)
    }

    /// Two plans: for the objects that `first` picks, and for all others.
    ///
    /// They are carried out one after the other: what the first one needs must be in it as well. The second one
    /// resolves references into the first one from what the first one recorded.
    #[must_use]
    pub fn split(self, first: impl Fn(&Address) -> bool) -> (Self, Self) {
        (self.part(&first), self.part(&|address: &Address| !first(address)))
    }

    /// Refuses a change: the cloud has said that it would not take the object as it should be. What needs no change is
    /// as it should be.
    pub fn reject(&mut self, address: &Address, message: &str) {
        self.refuse(address, &Reason::Rejected { message: message.to_owned() });
    }

    /// Refuses a change for a reason that only who asks for the plan can know.
    pub fn refuse(&mut self, address: &Address, reason: &Reason) {
        for change in self.plan.changes.iter_mut().filter(|change| change.address == *address) {
            change.action = Action::Refuse;
            change.reason = reason.clone();
        }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.road.steps
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.road.graph
    }

    fn part(&self, picks: &dyn Fn(&Address) -> bool) -> Self {
        let subset = self.subset.part(picks);
        let changes: Vec<Change> = self.plan.changes.iter().filter(|change| picks(&change.address)).cloned().collect();
        Self {
            plan: Plan { changes, unchanged: subset.unchanged.len() + subset.borrowed.len(), ..self.plan },
            desired: self.desired.iter().filter(|(address, _)| picks(address)).map(cloned).collect(),
            live: self.live.clone(),
            surplus: self.surplus.iter().filter(|live| picks(&live.address)).cloned().collect(),
            subset,
            road: self.road.part(picks),
        }
    }
}

impl Subset {
    fn part(&self, picks: &dyn Fn(&Address) -> bool) -> Self {
        let part = |all: &BTreeSet<Address>| all.iter().filter(|address| picks(address)).cloned().collect();
        Self { unchanged: part(&self.unchanged), borrowed: part(&self.borrowed), stale: part(&self.stale) }
    }
}

impl Road {
    fn part(&self, picks: &dyn Fn(&Address) -> bool) -> Self {
        let mut part = Self::default();
        let mut numbers = BTreeMap::new();
        for (number, step) in self.steps.iter().enumerate().filter(|(_, step)| picks(&step.address)) {
            numbers.insert(number, part.graph.add_node());
            part.steps.push(step.clone());
        }
        for (&number, &first) in &numbers {
            for then in self.graph.after(number).iter().filter_map(|then| numbers.get(then)) {
                part.graph.add_edge(first, *then);
            }
        }
        part
    }
}

/// Puts the judgements together.
pub(super) fn assemble(
    context: &Context<'_>,
    heading: Heading,
    desire: Desire,
    mut verdicts: BTreeMap<Address, Verdict>,
    mut removals: Vec<Removal>,
) -> Prepared {
    for verdict in verdicts.values_mut() {
        removals.append(&mut verdict.duplicates);
    }
    let (road, needs) = lay_out(context, &desire, &verdicts, &removals);
    let mut changes: Vec<Change> = removals.iter().map(|removal| removal.change(context)).collect();
    for (change, needs) in changes.iter_mut().zip(needs) {
        change.needs = needs;
    }
    let mut subset = Subset::default();
    let mut live = BTreeMap::new();
    let differing: BTreeSet<Address> =
        verdicts.iter().filter(|(_, verdict)| verdict.is_done_first()).map(|(address, _)| address.clone()).collect();
    for (address, verdict) in verdicts {
        match verdict.change {
            Some(mut change) => {
                change.needs = desire.object(&address).needs().intersection(&differing).cloned().collect();
                changes.push(change);
            }
            None if verdict.borrowed => _ = subset.borrowed.insert(address.clone()),
            None => _ = subset.unchanged.insert(address.clone()),
        }
        live.extend(verdict.kept.map(|kept| (address, kept)));
    }
    let surplus: Vec<Live> = removals.into_iter().map(|removal| removal.live).collect();
    changes.sort_by(|one, other| (&one.address, &one.id).cmp(&(&other.address, &other.id)));
    for change in &mut changes {
        conceal(context, change);
    }
    let desired = desire.into_objects();
    let there: BTreeSet<&Address> = surplus.iter().map(|live| &live.address).collect();
    let is_stale = |address: &&Address| !desired.contains_key(address) && !there.contains(address);
    subset.stale = context.recorded.keys().filter(is_stale).cloned().collect();
    let unchanged = subset.unchanged.len() + subset.borrowed.len();
    let plan = Plan { mode: heading.mode, serial: heading.serial, changes, unchanged };
    Prepared { plan, desired, live, surplus, subset, road }
}

/// Takes out of a change what may hold a secret: a plan is read by many, and from whatever is made of a secret it can be
/// guessed.
fn conceal(context: &Context<'_>, change: &mut Change) {
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

fn cloned((address, object): (&Address, &Object)) -> (Address, Object) {
    (address.clone(), object.clone())
}
