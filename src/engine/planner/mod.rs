//! From what should be and what is to a plan: pure, no clock, no cloud.

mod claim;
mod desire;
mod error;
mod lost;
mod moves;
mod prepared;
mod removal;
mod steps;
mod things;
mod users;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Address, Change, Live, Mode, Object, Phase, Plan, Reason, Recorded, Vocabulary};
use super::{Kind, diff};
use desire::Desire;
use removal::Removal;
use verdict::Verdict;

pub use error::PlanError;
pub use prepared::Prepared;
pub(crate) use steps::{Part, Step, Work};

/// Everything that a plan is made from.
pub struct Inputs<'a> {
    /// What the plan is for.
    pub mode: Mode,
    /// The objects that should be. Only [`Mode::Apply`] looks at them.
    pub desired: Vec<Object>,
    /// The objects that are.
    pub live: Vec<Live>,
    /// What the record remembers.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// The serial of the record; 0 without one.
    pub serial: u64,
    /// The kinds that exist.
    pub vocabulary: &'a dyn Vocabulary,
}

/// Compares what should be with what is.
///
/// # Errors
/// When the objects that should be contradict themselves: a cycle, a reference to nothing, an unknown kind.
pub fn plan(inputs: Inputs<'_>) -> Result<Prepared, PlanError> {
    let context = Context { vocabulary: inputs.vocabulary, recorded: inputs.recorded };
    let heading = Heading { mode: inputs.mode, serial: inputs.serial };
    let live = by_address(inputs.live, &context)?;
    match inputs.mode {
        Mode::Apply => plan_apply(&context, heading, Desire::new(inputs.desired, inputs.vocabulary)?, live),
        Mode::Destroy => plan_destroy(&context, heading, live),
        Mode::Refresh => plan_refresh(&context, heading, live),
    }
}

/// What every part of the planner looks things up in.
pub(crate) struct Context<'a> {
    vocabulary: &'a dyn Vocabulary,
    recorded: &'a BTreeMap<Address, Recorded>,
}

#[derive(Clone, Copy)]
struct Heading {
    mode: Mode,
    serial: u64,
}

type LiveByAddress = BTreeMap<Address, Vec<Live>>;

impl Context<'_> {
    fn kind(&self, address: &Address) -> Result<&Kind, PlanError> {
        self.vocabulary.kind(address.kind()).ok_or_else(|| PlanError::UnknownKind(address.clone()))
    }

    /// Whether the record says that this very object is ours. Of objects that are found by name, one that was made anew
    /// under the same name is another one.
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

    /// Whether the object holds data that nobody can make again.
    fn holds_data(&self, live: &Live) -> bool {
        self.vocabulary.holds_data(&live.address, &live.attributes)
    }

    /// Whether the object may be removed: it proves to be ours, or the record says so.
    fn is_ours(&self, live: &Live) -> Result<bool, PlanError> {
        let shared = self.kind(&live.address)?.shared;
        Ok(live.proven || (!shared && self.is_recorded(live)))
    }
}

fn plan_apply(
    context: &Context<'_>,
    heading: Heading,
    desire: Desire,
    mut live: LiveByAddress,
) -> Result<Prepared, PlanError> {
    let mut verdicts: BTreeMap<Address, Verdict> = BTreeMap::new();
    for address in desire.order() {
        let lives = live.remove(address).unwrap_or_default();
        let verdict = verdict::judge(context, desire.object(address), lives, &verdicts)?;
        verdicts.insert(address.clone(), verdict);
    }
    lost::refuse(context, &desire, &mut verdicts);
    moves::settle(context, &desire, &mut verdicts);
    let kept: BTreeSet<Identity> = verdicts.values().filter_map(|verdict| identity(verdict.kept.as_ref()?)).collect();
    // What stays under another address was called otherwise when it was made.
    let is_kept = |live: &Live| identity(live).is_some_and(|identity| kept.contains(&identity));
    for verdict in verdicts.values_mut() {
        verdict.duplicates.retain(|removal| !is_kept(&removal.live));
    }
    let mut removals = Vec::new();
    for leftover in live.into_values().flatten() {
        if context.is_ours(&leftover)? && !is_kept(&leftover) {
            removals.push(Removal::new(leftover, Reason::NotInFile));
        }
    }
    Ok(prepared::assemble(context, heading, desire, verdicts, removals))
}

/// What makes an object that very one, whatever its address: its id, and what the cloud tells of it.
type Identity = (String, BTreeMap<String, String>);

/// The identity of an object; nothing if only its name is known, which others may have too.
fn identity(live: &Live) -> Option<Identity> {
    (!live.outputs.is_empty()).then(|| (live.id.clone(), live.outputs.clone()))
}

fn plan_destroy(context: &Context<'_>, heading: Heading, live: LiveByAddress) -> Result<Prepared, PlanError> {
    let mut removals = Vec::new();
    for live in live.into_values().flatten() {
        if context.is_ours(&live)? {
            removals.push(Removal::new(live, Reason::Destroy));
        }
    }
    Ok(prepared::assemble(context, heading, Desire::default(), BTreeMap::new(), removals))
}

/// Compares the record with what is: what somebody else changed since the last apply.
fn plan_refresh(context: &Context<'_>, heading: Heading, mut live: LiveByAddress) -> Result<Prepared, PlanError> {
    let mut changes = Vec::new();
    for (address, recorded) in context.recorded {
        let kind = context.kind(address)?;
        let lives = live.remove(address).unwrap_or_default();
        let Some(live) = pick_recorded(lives, recorded) else {
            changes.push(verdict::creation(address, &recorded.attributes, Reason::Missing));
            continue;
        };
        let attributes = diff::diff(kind, &recorded.attributes, &live.attributes, Some(&recorded.attributes));
        if let Some(action) = diff::strongest(&attributes) {
            // Nothing is refused here: it has happened already.
            let action = if action == Action::Refuse { Action::Update } else { action };
            changes.push(Change { id: Some(live.id), attributes, ..verdict::bare(address, action, Reason::Drift) });
        }
    }
    for unrecorded in live.into_values().flatten().filter(|live| live.proven) {
        let change = verdict::bare(&unrecorded.address, Action::Adopt, Reason::Unrecorded);
        changes.push(Change { id: Some(unrecorded.id), ..change });
    }
    changes.sort_by(|one, other| one.address.cmp(&other.address));
    let differing: BTreeSet<&Address> = changes.iter().map(|change| &change.address).collect();
    let unchanged = context.recorded.keys().filter(|address| !differing.contains(address)).count();
    let plan = Plan { mode: heading.mode, serial: heading.serial, changes, unchanged };
    Ok(Prepared::to_look_at(plan))
}

fn pick_recorded(lives: Vec<Live>, recorded: &Recorded) -> Option<Live> {
    lives.into_iter().filter(|live| live.phase != Phase::Deleting).min_by_key(|live| live.id != recorded.id)
}

/// Groups the objects; those that are somebody else's and only used stay in.
fn by_address(live: Vec<Live>, context: &Context<'_>) -> Result<LiveByAddress, PlanError> {
    let mut grouped = LiveByAddress::new();
    for live in live {
        context.kind(&live.address)?;
        grouped.entry(live.address.clone()).or_default().push(live);
    }
    Ok(grouped)
}
