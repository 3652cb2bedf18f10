//! The steps that carry a plan out, and what comes before what.
//!
//! Objects are made after what they need. An object is removed after everything that uses it has been removed or has
//! moved to something else, and so has everything that uses that: machines of a group still run with the old security
//! group when their launch template has long forgotten it.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::desire::Desire;
use super::removal::Removal;
use super::things::{Thing, things, uses};
use super::verdict::Verdict;
use crate::engine::graph::Graph;
use crate::engine::schedule::Task;
use crate::engine::{Action, Address, Change, Effect, Kind, Live};

/// One thing to do.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The object.
    pub(crate) address: Address,
    /// What to do.
    pub(crate) work: Work,
    /// What the schedule has to know.
    pub(crate) task: Task,
}

/// What to do to an object.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Make it, once what is leaving is gone.
    Create { leaving: Vec<Live> },
    /// Change these attributes, then replace its machines if asked to.
    Update { changed: BTreeSet<String>, roll: bool },
    /// Make a new one beside the old one.
    Replace { old: Live },
    /// Only record it.
    Adopt,
    /// Only wait until it can be used.
    Wait,
    /// Remove it.
    Delete { live: Live, part: Part },
    /// Nothing: everything that uses the object has moved.
    Meet,
}

/// What a removal is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A change of its own.
    Whole,
    /// A change of its own, beside the object that stays.
    Duplicate,
    /// The end of a replacement.
    Replacement,
}

/// The steps and their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Road {
    pub(super) steps: Vec<Step>,
    pub(super) graph: Graph,
}

impl Road {
    fn add(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.graph.add_node()
    }
}

/// Lays out the steps of a plan, and says for each removal which changes it needs.
pub(super) fn lay_out(
    context: &Context<'_>,
    desire: &Desire,
    verdicts: &BTreeMap<Address, Verdict>,
    removals: &[Removal],
) -> (Road, Vec<BTreeSet<Address>>) {
    let mut road = Road::default();
    let made = add_makes(&mut road, context, desire, verdicts);
    let things = things(desire, verdicts, removals);
    let needs = if things.iter().any(Thing::goes) {
        add_removals(&mut road, context, desire, &things, &made, removals.len())
    } else {
        Vec::new()
    };
    (road, needs)
}

fn add_makes<'a>(
    road: &mut Road,
    context: &Context<'_>,
    desire: &'a Desire,
    verdicts: &BTreeMap<Address, Verdict>,
) -> BTreeMap<&'a Address, usize> {
    let mut made = BTreeMap::new();
    let alive = lanes_alive(desire, verdicts);
    for address in desire.order() {
        let Some(verdict) = verdicts.get(address) else { continue };
        let Some(change) = &verdict.change else { continue };
        let kind = context.vocabulary.kind(address.kind());
        let Some(work) = work_of(kind, verdict, change) else { continue };
        let lane = change.lane.clone().filter(|lane| match change.action {
            Action::Roll => true,
            Action::Create => alive.contains(lane),
            _ => false,
        });
        let task = Task { seconds: seconds(kind, &work), lane, instant: false };
        let step = road.add(Step { address: address.clone(), work, task });
        for need in desire.object(address).needs() {
            if let Some(&first) = made.get(&need) {
                road.graph.add_edge(first, step);
            }
        }
        // Nothing else is held up by what was not usable before either: one broken machine may be all that it lacks.
        if change.action != Action::Wait {
            made.insert(address, step);
        }
    }
    made
}

/// The lanes of which something is there: what is new in them comes in one at a time. All that are new come together.
fn lanes_alive<'a>(desire: &'a Desire, verdicts: &BTreeMap<Address, Verdict>) -> BTreeSet<&'a String> {
    let lived = |address: &Address| verdicts.get(address).is_some_and(|verdict| verdict.kept.is_some());
    desire
        .objects()
        .iter()
        .filter(|(address, _)| lived(address))
        .filter_map(|(_, object)| object.lane.as_ref())
        .collect()
}

/// Adds a step for everything that goes, and for everything that stays one in which its users meet once they have moved.
fn add_removals(
    road: &mut Road,
    context: &Context<'_>,
    desire: &Desire,
    things: &[Thing<'_>],
    made: &BTreeMap<&Address, usize>,
    removals: usize,
) -> Vec<BTreeSet<Address>> {
    let mut nodes = Vec::with_capacity(things.len());
    for thing in things {
        let node = road.add(last_step(context, thing));
        if let Some(&make) = made.get(thing.address).filter(|_| !thing.goes()) {
            road.graph.add_edge(make, node);
        }
        nodes.push(node);
    }
    let mut needs = vec![BTreeSet::new(); removals];
    for this in uses(context, desire, things) {
        let (user, target) = (&things[this.user], &things[this.used]);
        road.graph.add_edge(nodes[this.user], nodes[this.used]);
        // A duplicate shares its address with a change that others need: naming needs would look like a circle.
        if let Some((removal, Part::Whole)) = target.removal.zip(target.going)
            && user.changes
            && user.address != target.address
        {
            needs[removal].insert(user.address.clone());
        }
    }
    for (thing, &node) in things.iter().zip(&nodes).filter(|(thing, _)| thing.goes()) {
        let successors = successors(context, desire, thing, made);
        for (successor, make) in successors {
            road.graph.add_edge(make, node);
            if let Some((removal, Part::Whole)) = thing.removal.zip(thing.going) {
                needs[removal].insert(successor.clone());
            }
        }
    }
    needs
}

/// The changes to objects that stand in for one that goes: it waits for all of them.
fn successors<'a>(
    context: &Context<'_>,
    desire: &Desire,
    thing: &Thing<'_>,
    made: &BTreeMap<&'a Address, usize>,
) -> Vec<(&'a Address, usize)> {
    let pool_of = |address: &Address, attributes| context.vocabulary.pool(address, attributes);
    let Some(pool) = thing.live.and_then(|live| pool_of(thing.address, &live.attributes)) else { return Vec::new() };
    let stands_in = |address: &Address| {
        *address != *thing.address && pool_of(address, &desire.object(address).attributes) == Some(pool)
    };
    made.iter().filter(|(address, _)| stands_in(address)).map(|(address, make)| (*address, *make)).collect()
}

fn last_step(context: &Context<'_>, thing: &Thing<'_>) -> Step {
    let address = thing.address.clone();
    match (thing.going, thing.live) {
        (Some(part), Some(live)) => {
            let work = Work::Delete { live: live.clone(), part };
            let seconds = seconds(context.vocabulary.kind(address.kind()), &work);
            Step { address, work, task: Task { seconds, lane: thing.lane.cloned(), instant: false } }
        }
        _ => Step { address, work: Work::Meet, task: Task { instant: true, ..Task::default() } },
    }
}

fn work_of(kind: Option<&Kind>, verdict: &Verdict, change: &Change) -> Option<Work> {
    let effect = |name: &str| kind.map_or(Effect::Update, |kind| kind.attribute(name).effect);
    match change.action {
        Action::Create => Some(Work::Create { leaving: verdict.leaving.clone() }),
        Action::Adopt => Some(Work::Adopt),
        Action::Wait => Some(Work::Wait),
        Action::Replace => verdict.kept.clone().map(|old| Work::Replace { old }),
        Action::Update | Action::Roll => {
            let names = change.attributes.iter().map(|attribute| attribute.name.clone());
            let changed = names.filter(|name| effect(name) == Effect::Update).collect();
            Some(Work::Update { changed, roll: change.action == Action::Roll })
        }
        Action::Delete | Action::Refuse => None,
    }
}

/// How long a step takes, roughly: for which one to start first.
fn seconds(kind: Option<&Kind>, work: &Work) -> u64 {
    match work {
        Work::Adopt | Work::Meet => 0,
        _ => kind.map_or(0, |kind| u64::from(kind.seconds)),
    }
}
