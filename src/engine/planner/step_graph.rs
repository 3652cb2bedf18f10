//! The steps that apply a plan, and their order.
//!
//! Objects are created after their dependencies. An object is removed after everything that uses it has been removed or has
//! moved to something else, and so has everything that uses that: machines of a group still run with the old security
//! group after their launch template has stopped using it.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanContext;
use super::decision::Decision;
use super::desired_graph::DesiredGraph;
use super::plan_node::{PlanNode, plan_nodes, uses};
use super::removal::{ObjectRemoval, RemovalPart};
use crate::engine::graph::Graph;
use crate::engine::schedule::ScheduledStep;
use crate::engine::{Action, Address, Change, ChangeEffect, Kind, Live};

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct PlanStep {
    /// The object.
    pub(crate) address: Address,
    /// The work to do.
    pub(crate) work: StepAction,
    /// The inputs of the schedule.
    pub(crate) task: ScheduledStep,
}

/// The work to do on an object.
#[derive(Debug, Clone)]
pub(crate) enum StepAction {
    /// Creates it, once the objects that are being removed are gone.
    Create { leaving: Vec<Live> },
    /// Updates these attributes, then replaces its machines if requested.
    Update { changed: BTreeSet<String>, roll: bool },
    /// Creates a new object beside the old one.
    Replace { old: Live },
    /// Only records it.
    Adopt,
    /// Only waits until it can be used.
    Wait,
    /// Removes it.
    Delete { live: Live, part: RemovalPart },
    /// A barrier: everything that uses the object has moved.
    Meet,
}

impl PlanStep {
    /// Returns the action of the step for listeners and forecasts.
    pub(crate) fn action(&self) -> Action {
        match self.work {
            StepAction::Create { .. } => Action::Create,
            StepAction::Update { roll: false, .. } => Action::Update,
            StepAction::Update { roll: true, .. } => Action::Roll,
            StepAction::Replace { .. } => Action::Replace,
            StepAction::Adopt | StepAction::Meet => Action::Adopt,
            StepAction::Wait => Action::Wait,
            StepAction::Delete { .. } => Action::Delete,
        }
    }
}

/// The steps and their order.
#[derive(Debug, Clone, Default)]
pub(super) struct StepGraph {
    pub(super) steps: Vec<PlanStep>,
    pub(super) graph: Graph,
}

impl StepGraph {
    fn add(&mut self, step: PlanStep) -> usize {
        self.steps.push(step);
        self.graph.add_node()
    }
}

/// Builds the steps of a plan, and sets for each removal the changes that it needs.
pub(super) fn lay_out(
    context: &PlanContext<'_>,
    desire: &DesiredGraph,
    decisions: &BTreeMap<Address, Decision>,
    removals: &[ObjectRemoval],
) -> (StepGraph, Vec<BTreeSet<Address>>) {
    let mut steps = StepGraph::default();
    let made = add_makes(&mut steps, context, desire, decisions);
    let plan_nodes = plan_nodes(desire, decisions, removals);
    let needs = if plan_nodes.iter().any(PlanNode::goes) {
        add_removals(&mut steps, context, desire, &plan_nodes, &made, removals.len())
    } else {
        Vec::new()
    };
    (steps, needs)
}

fn add_makes<'a>(
    steps: &mut StepGraph,
    context: &PlanContext<'_>,
    desire: &'a DesiredGraph,
    decisions: &BTreeMap<Address, Decision>,
) -> BTreeMap<&'a Address, usize> {
    let mut made = BTreeMap::new();
    let mut in_lanes: Vec<LaneStep> = Vec::new();
    let alive = lanes_alive(desire, decisions);
    for address in desire.order() {
        let Some(decision) = decisions.get(address) else { continue };
        let Some(change) = &decision.change else { continue };
        let kind = context.vocabulary.kind(address.kind());
        let Some(work) = work_of(kind, decision, change) else { continue };
        let lane = change.lane.clone().filter(|lane| match change.action {
            Action::Roll => true,
            Action::Create => alive.contains(lane),
            _ => false,
        });
        let is_in_lane = lane.is_some();
        let task = ScheduledStep { seconds: seconds(kind, &work), lane, instant: false };
        let step = steps.add(PlanStep { address: address.clone(), work, task });
        if is_in_lane {
            let live = decision.kept.as_ref().map(|live| &live.attributes);
            let is_broken = live.is_some_and(|live| context.vocabulary.is_broken(address, live));
            in_lanes.push(LaneStep { step, action: change.action, is_broken });
        }
        for need in desire.object(address).needs() {
            if let Some(&first) = made.get(&need) {
                steps.graph.add_edge(first, step);
            }
        }
        // Nothing else is held up by what was not usable before either: one broken machine may be all that it lacks. A job is,
        // because others rely on what it does.
        if change.action != Action::Wait || context.vocabulary.holds_up_others(address) {
            made.insert(address, step);
        }
    }
    join_before_rolls(steps, &in_lanes);
    roll_in_order(steps, in_lanes);
    made
}

/// A step that changes a member of a lane.
struct LaneStep {
    step: usize,
    action: Action,
    is_broken: bool,
}

/// Lets new objects join a lane before its existing ones are rolled, unless they need a rolled one. With its new members, etcd
/// has a quorum while an old member is replaced: one master that becomes three is rolled when there are three.
fn join_before_rolls(steps: &mut StepGraph, in_lanes: &[LaneStep]) {
    let of = |wanted: Action| in_lanes.iter().filter(move |member| member.action == wanted).map(|member| member.step);
    for roll in of(Action::Roll) {
        for join in of(Action::Create) {
            let lane = |step: usize| steps.steps[step].task.lane.as_ref();
            if lane(join) == lane(roll) && !steps.graph.precedes(roll, join) {
                steps.graph.add_edge(join, roll);
            }
        }
    }
}

/// Orders the rolls of each lane: broken members first, then by address. Otherwise the first one to get its new settings would
/// be rolled first, and a plan could not show the order; and while a member is broken, the others are not rolled.
fn roll_in_order(steps: &mut StepGraph, mut in_lanes: Vec<LaneStep>) {
    in_lanes.retain(|member| member.action == Action::Roll);
    in_lanes.sort_by_key(|member| {
        let PlanStep { address, task, .. } = &steps.steps[member.step];
        (task.lane.clone(), !member.is_broken, address.clone())
    });
    for pair in in_lanes.windows(2) {
        let [first, then] = [pair[0].step, pair[1].step];
        let lane = |step: usize| steps.steps[step].task.lane.as_ref();
        if lane(first) == lane(then) && !steps.graph.precedes(then, first) {
            steps.graph.add_edge(first, then);
        }
    }
}

/// Returns the lanes in which objects exist: new objects join them one at a time. If all are new, they start together.
fn lanes_alive<'a>(desire: &'a DesiredGraph, decisions: &BTreeMap<Address, Decision>) -> BTreeSet<&'a String> {
    let lived = |address: &Address| decisions.get(address).is_some_and(|decision| decision.kept.is_some());
    desire
        .objects()
        .iter()
        .filter(|(address, _)| lived(address))
        .filter_map(|(_, object)| object.lane.as_ref())
        .collect()
}

/// Adds a step for each object that is removed, and for each object that stays, a barrier for its users.
fn add_removals(
    steps: &mut StepGraph,
    context: &PlanContext<'_>,
    desire: &DesiredGraph,
    plan_nodes: &[PlanNode<'_>],
    made: &BTreeMap<&Address, usize>,
    removals: usize,
) -> Vec<BTreeSet<Address>> {
    let mut nodes = Vec::with_capacity(plan_nodes.len());
    for plan_node in plan_nodes {
        let node = steps.add(last_step(context, plan_node));
        if let Some(&make) = made.get(plan_node.address).filter(|_| !plan_node.goes()) {
            steps.graph.add_edge(make, node);
        }
        nodes.push(node);
    }
    let mut needs = vec![BTreeSet::new(); removals];
    for this in uses(context, desire, plan_nodes) {
        let (user, target) = (&plan_nodes[this.user], &plan_nodes[this.used]);
        steps.graph.add_edge(nodes[this.user], nodes[this.used]);
        // A duplicate shares its address with a change that others need: its dependencies would form a cycle.
        if let Some((removal, RemovalPart::Whole)) = target.removal.zip(target.going)
            && user.changes
            && user.address != target.address
        {
            needs[removal].insert(user.address.clone());
        }
    }
    for (plan_node, &node) in plan_nodes.iter().zip(&nodes).filter(|(plan_node, _)| plan_node.goes()) {
        let successors = successors(context, desire, plan_node, made);
        for (successor, make) in successors {
            steps.graph.add_edge(make, node);
            if let Some((removal, RemovalPart::Whole)) = plan_node.removal.zip(plan_node.going) {
                needs[removal].insert(successor.clone());
            }
        }
    }
    needs
}

/// Returns the changes to objects that stand in for one that is removed: the removal waits for all of them.
fn successors<'a>(
    context: &PlanContext<'_>,
    desire: &DesiredGraph,
    plan_node: &PlanNode<'_>,
    made: &BTreeMap<&'a Address, usize>,
) -> Vec<(&'a Address, usize)> {
    let pool_of = |address: &Address, attributes| context.vocabulary.pool(address, attributes);
    let Some(pool) = plan_node.live.and_then(|live| pool_of(plan_node.address, &live.attributes)) else {
        return Vec::new();
    };
    let stands_in = |address: &Address| {
        *address != *plan_node.address && pool_of(address, &desire.object(address).attributes).as_ref() == Some(&pool)
    };
    made.iter().filter(|(address, _)| stands_in(address)).map(|(address, make)| (*address, *make)).collect()
}

fn last_step(context: &PlanContext<'_>, plan_node: &PlanNode<'_>) -> PlanStep {
    let address = plan_node.address.clone();
    match (plan_node.going, plan_node.live) {
        (Some(part), Some(live)) => {
            let work = StepAction::Delete { live: live.clone(), part };
            let seconds = seconds(context.vocabulary.kind(address.kind()), &work);
            PlanStep { address, work, task: ScheduledStep { seconds, lane: plan_node.lane.cloned(), instant: false } }
        }
        _ => PlanStep {
            address,
            work: StepAction::Meet,
            task: ScheduledStep { instant: true, ..ScheduledStep::default() },
        },
    }
}

fn work_of(kind: Option<&Kind>, decision: &Decision, change: &Change) -> Option<StepAction> {
    let effect = |name: &str| kind.map_or(ChangeEffect::Update, |kind| kind.attribute(name).effect);
    match change.action {
        Action::Create => Some(StepAction::Create { leaving: decision.leaving.clone() }),
        Action::Adopt => Some(StepAction::Adopt),
        Action::Wait => Some(StepAction::Wait),
        Action::Replace => decision.kept.clone().map(|old| StepAction::Replace { old }),
        Action::Update | Action::Roll => {
            let names = change.attributes.iter().map(|attribute| attribute.name.clone());
            let changed = names.filter(|name| effect(name) == ChangeEffect::Update).collect();
            Some(StepAction::Update { changed, roll: change.action == Action::Roll })
        }
        Action::Delete | Action::Refuse => None,
    }
}

/// Returns the estimated time of a step in seconds, which decides the step to start first.
fn seconds(kind: Option<&Kind>, work: &StepAction) -> u64 {
    match work {
        StepAction::Adopt | StepAction::Meet => 0,
        _ => kind.map_or(0, |kind| u64::from(kind.seconds)),
    }
}
