//! Computes a plan from the wanted and the observed objects: pure, no clock, no cloud.

mod completion;
mod decision;
mod dependencies;
mod desired_graph;
mod error;
mod executable;
mod forecast;
mod live_match;
mod lost;
mod moves;
mod plan_node;
mod removal;
mod step_graph;

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Address, Change, KindRegistry, Live, Object, ObjectPhase, Plan, PlanMode, Reason, RecordedObject};
use super::{Kind, diff};
use decision::Decision;
use desired_graph::DesiredGraph;
use removal::ObjectRemoval;

pub use error::PlanError;
pub use executable::ExecutablePlan;
pub use forecast::{ForecastStep, PlanForecast};
pub(crate) use removal::RemovalPart;
pub(crate) use step_graph::{PlanStep, StepAction};

/// The inputs of a plan.
pub struct PlanInputs<'a> {
    /// The purpose of the plan.
    pub mode: PlanMode,
    /// The wanted objects. Only [`PlanMode::Apply`] uses them.
    pub desired: Vec<Object>,
    /// The wanted objects that their cloud could not complete by a dry run: what it would set is not among their attributes,
    /// and an attribute that the live object does not have may be one that the cloud does not store.
    pub incomplete: BTreeSet<Address>,
    /// The observed objects.
    pub live: Vec<Live>,
    /// The objects in the record.
    pub recorded: &'a BTreeMap<Address, RecordedObject>,
    /// The serial of the record; 0 without one.
    pub serial: u64,
    /// `true` to leave machines as they are that would be replaced.
    pub holds_rolls: bool,
    /// The kinds that exist.
    pub vocabulary: &'a dyn KindRegistry,
}

/// Compares the wanted objects with the observed ones.
///
/// # Errors
/// Returns an error if the wanted objects are contradictory: a cycle, a reference to nothing, an unknown kind.
pub fn plan(inputs: PlanInputs<'_>) -> Result<ExecutablePlan, PlanError> {
    let context =
        PlanContext { vocabulary: inputs.vocabulary, recorded: inputs.recorded, holds_rolls: inputs.holds_rolls };
    let heading = PlanHeading { mode: inputs.mode, serial: inputs.serial };
    let live = by_address(inputs.live, &context)?;
    match inputs.mode {
        PlanMode::Apply => {
            let mut desired = inputs.desired;
            for object in desired.iter_mut().filter(|object| inputs.incomplete.contains(&object.address)) {
                let there = live.get(&object.address).and_then(|lives| lives.first());
                completion::ignore_incomparable(&context, object, there);
            }
            plan_apply(&context, heading, DesiredGraph::new(desired, inputs.vocabulary)?, live)
        }
        PlanMode::Destroy => plan_destroy(&context, heading, live),
        PlanMode::Refresh => plan_refresh(&context, heading, live),
    }
}

/// The inputs that every part of the planner uses.
pub(crate) struct PlanContext<'a> {
    vocabulary: &'a dyn KindRegistry,
    recorded: &'a BTreeMap<Address, RecordedObject>,
    holds_rolls: bool,
}

#[derive(Clone, Copy)]
struct PlanHeading {
    mode: PlanMode,
    serial: u64,
}

type LiveByAddress = BTreeMap<Address, Vec<Live>>;

impl PlanContext<'_> {
    fn kind(&self, address: &Address) -> Result<&Kind, PlanError> {
        self.vocabulary.kind(address.kind()).ok_or_else(|| PlanError::UnknownKind(address.clone()))
    }

    /// Returns `true` if the record names this very object. Of objects that are found by name, one that was created again under
    /// the same name is another one.
    fn is_recorded(&self, live: &Live) -> bool {
        let Some(recorded) = self.recorded.get(&live.address).filter(|recorded| recorded.id == live.id) else {
            return false;
        };
        let kind = self.vocabulary.kind(live.address.kind());
        let mut made_up = kind.iter().flat_map(|kind| kind.outputs).filter(|output| output.is_made_up());
        made_up.all(|output| match (recorded.outputs.get(output.name), live.outputs.get(output.name)) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        })
    }

    /// Returns `true` if the object holds data that cannot be restored.
    fn holds_data(&self, live: &Live) -> bool {
        self.vocabulary.holds_data(&live.address, &live.attributes)
    }

    /// Returns `true` if the object may be removed: its mark or the record proves that it belongs to the cluster.
    fn is_ours(&self, live: &Live) -> Result<bool, PlanError> {
        let shared = self.kind(&live.address)?.shared;
        Ok(live.proven || (!shared && self.is_recorded(live)))
    }
}

fn plan_apply(
    context: &PlanContext<'_>,
    heading: PlanHeading,
    desire: DesiredGraph,
    mut live: LiveByAddress,
) -> Result<ExecutablePlan, PlanError> {
    let mut decisions: BTreeMap<Address, Decision> = BTreeMap::new();
    for address in desire.order() {
        let lives = live.remove(address).unwrap_or_default();
        let decision = decision::decide(context, desire.object(address), lives, &decisions)?;
        decisions.insert(address.clone(), decision);
    }
    lost::refuse(context, &desire, &mut decisions);
    moves::settle(context, &desire, &mut decisions);
    let kept: BTreeSet<ObjectIdentity> =
        decisions.values().filter_map(|decision| identity(decision.kept.as_ref()?)).collect();
    // What stays under another address was called otherwise when it was made.
    let is_kept = |live: &Live| identity(live).is_some_and(|identity| kept.contains(&identity));
    for decision in decisions.values_mut() {
        decision.duplicates.retain(|removal| !is_kept(&removal.live));
    }
    let mut removals = Vec::new();
    for leftover in live.into_values().flatten() {
        if context.is_ours(&leftover)? && !is_kept(&leftover) {
            removals.push(ObjectRemoval::new(leftover, Reason::NotInFile));
        }
    }
    let kept: Vec<(Address, Reason)> =
        removals.iter().filter_map(|removal| kept_anyway(context, &removal.live)).collect();
    let mut planned = executable::assemble(context, heading, desire, decisions, removals);
    for (address, reason) in &kept {
        planned.refuse(address, reason);
    }
    Ok(planned)
}

/// Returns the reason to refuse the removal of an object that left the file, if its kind has one.
fn kept_anyway(context: &PlanContext<'_>, live: &Live) -> Option<(Address, Reason)> {
    let instead = context.vocabulary.refuses_removal(&live.address)?.to_owned();
    Some((live.address.clone(), Reason::Needed { instead }))
}

/// The identity of an object, whatever its address: its id, and its outputs.
type ObjectIdentity = (String, BTreeMap<String, String>);

/// Returns the identity of an object; `None` if only its name is known, which others may have too.
fn identity(live: &Live) -> Option<ObjectIdentity> {
    (!live.outputs.is_empty()).then(|| (live.id.clone(), live.outputs.clone()))
}

fn plan_destroy(
    context: &PlanContext<'_>,
    heading: PlanHeading,
    live: LiveByAddress,
) -> Result<ExecutablePlan, PlanError> {
    let mut removals = Vec::new();
    for live in live.into_values().flatten() {
        if context.is_ours(&live)? {
            removals.push(ObjectRemoval::new(live, Reason::Destroy));
        }
    }
    Ok(executable::assemble(context, heading, DesiredGraph::default(), BTreeMap::new(), removals))
}

/// Compares the record with the observed objects: finds changes outside of Quorate since the last apply.
fn plan_refresh(
    context: &PlanContext<'_>,
    heading: PlanHeading,
    mut live: LiveByAddress,
) -> Result<ExecutablePlan, PlanError> {
    let mut changes = Vec::new();
    for (address, recorded) in context.recorded {
        let kind = context.kind(address)?;
        let lives = live.remove(address).unwrap_or_default();
        let Some(live) = pick_recorded(lives, recorded) else {
            changes.push(decision::creation(address, &recorded.attributes, Reason::Missing));
            continue;
        };
        let attributes = diff::diff(kind, &recorded.attributes, &live.attributes, Some(&recorded.attributes));
        if let Some(action) = diff::strongest(&attributes) {
            // Nothing is refused here: it has happened already.
            let action = if action == Action::Refuse { Action::Update } else { action };
            changes.push(Change { id: Some(live.id), attributes, ..Change::bare(address, action, Reason::Drift) });
        }
    }
    for unrecorded in live.into_values().flatten().filter(|live| live.proven) {
        let change = Change::bare(&unrecorded.address, Action::Adopt, Reason::Unrecorded);
        changes.push(Change { id: Some(unrecorded.id), ..change });
    }
    changes.sort_by(|one, other| one.address.cmp(&other.address));
    let differing: BTreeSet<&Address> = changes.iter().map(|change| &change.address).collect();
    let unchanged = context.recorded.keys().filter(|address| !differing.contains(address)).count();
    let plan = Plan { mode: heading.mode, serial: heading.serial, changes, unchanged, held: BTreeSet::new() };
    Ok(ExecutablePlan::to_look_at(plan))
}

fn pick_recorded(lives: Vec<Live>, recorded: &RecordedObject) -> Option<Live> {
    lives.into_iter().filter(|live| live.phase != ObjectPhase::Deleting).min_by_key(|live| live.id != recorded.id)
}

/// Groups the objects; those that belong to others and are only used are included.
fn by_address(live: Vec<Live>, context: &PlanContext<'_>) -> Result<LiveByAddress, PlanError> {
    let mut grouped = LiveByAddress::new();
    for live in live {
        context.kind(&live.address)?;
        grouped.entry(live.address.clone()).or_default().push(live);
    }
    Ok(grouped)
}
