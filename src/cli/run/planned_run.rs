//! Creating a plan from a snapshot.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::analysis::availability::PlanAvailability;
use crate::analysis::causes::causes_of;
use crate::analysis::cost::PlanCost;
use crate::analysis::duration::PlanDuration;
use crate::blueprint::{self, Blueprint, Pins};
use crate::cli::error::CliError;
use crate::cli::plan_limits;
use crate::cli::prices::{PlanPrices, prices_of_plan};
use crate::engine::{self, ApplyOptions, DryRun, ExecutablePlan, Failure, Live, Object, PlanInputs, PlanMode};
use crate::resource::{Facts, PublishedImage, Resource, ResourceKinds, Role, is_kubernetes};
use crate::spec::{Architecture, Cluster};
use crate::state::StateError;
use crate::view::plan::{PlanComment, PlanDocument};

use super::ClusterContext;
use super::former;
use super::node_groups;
use super::plan_request::{PlanChoices, PlanRequest};
use super::replacement;
use super::snapshot::{ClusterSnapshot, question};
use super::versions;
use super::wait::patiently;

/// A plan that can be executed.
pub(in crate::cli) struct PlannedRun {
    /// The plan with its heading, as it is shown.
    pub(in crate::cli) document: PlanDocument,
    pub(in crate::cli) prepared: ExecutablePlan,
    /// The choices that the plan rests on; `None` if nothing is built.
    pub(in crate::cli) pins: Option<Pins>,
    /// The former places of the state that no machine reads from: an apply empties them.
    pub(in crate::cli) cleared: Vec<String>,
    /// The failure of the Kubernetes API, if it did not answer.
    pub(in crate::cli) unreachable: Option<Failure>,
    /// The prices that its cost is estimated with.
    pub(in crate::cli) prices: PlanPrices,
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// Creates the plan.
pub(in crate::cli) async fn plan(
    context: &ClusterContext<'_>,
    snapshot: &ClusterSnapshot,
    request: &PlanRequest,
) -> Result<PlannedRun, CliError> {
    let mode = request.mode;
    let mut live = snapshot.live.clone();
    if mode == PlanMode::Destroy {
        live.extend(strays(context).await?);
    }
    let mut notes = Vec::new();
    let mut warnings = Vec::new();
    let mut pins = None;
    let mut dry_run = DryRun::default();
    let mut choices = None;
    let mut version_changes = Vec::new();
    if mode == PlanMode::Apply {
        let choices =
            choices.insert(Box::pin(BlueprintChoices::new(context, snapshot, &request.choices, &mut warnings)).await?);
        let blueprint = choices.lay_out(RoleScope::WithFormer)?;
        let kubernetes = blueprint.pins.kubernetes.map(|pinned| pinned.wanted);
        let is_given = context.cluster.kubernetes_given;
        warnings.extend(kubernetes.and_then(|version| versions::end_of_life(version, is_given, context.today())));
        notes.extend(blueprint.notes.iter().map(ToString::to_string));
        version_changes.extend(blueprint::version_changes(&choices.recorded, &blueprint.pins));
        if request.choices.no_roll {
            refuse_held_upgrade(&blueprint.pins)?;
        }
        let mut objects = blueprint.objects;
        replacement::request(&blueprint.pins.replace, &mut live, &mut objects);
        pins = Some(blueprint.pins);
        dry_run = complete(context, objects, snapshot).await?;
    }
    let unreachable = snapshot.unreachable.clone().or(dry_run.unreachable);
    notes.extend(dry_run.notes);
    notes.extend(unreachable.as_ref().map(|failure| silent(mode, failure)));
    live.extend(dry_run.conflicting);
    if mode == PlanMode::Destroy && unreachable.is_some() {
        // Kubernetes objects that cannot be reached are deleted with their machines.
        live.retain(|live| !is_kubernetes(live.address.kind()));
    }
    let moved_from = snapshot.record.as_ref().map(|record| record.moved_from.clone()).unwrap_or_default();
    let holds_rolls = request.choices.no_roll;
    let comparison = RecordComparison { snapshot, mode, is_dry_run: unreachable.is_none(), holds_rolls };
    // A cluster may have thousands of objects: only a second plan needs a copy of them.
    let again = choices.filter(|_| !moved_from.is_empty()).map(|choices| {
        let others = dry_run.objects.iter().filter(|object| !is_role(object));
        (choices, others.cloned().collect::<Vec<Object>>(), live.clone())
    });
    let mut prepared = comparison.plan(dry_run.objects, live)?;
    let mut cleared = Vec::new();
    if let Some((choices, others, live)) = again.filter(|_| former::is_unused(&prepared)) {
        let roles = choices.lay_out(RoleScope::Current)?.objects.into_iter().filter(is_role);
        prepared = comparison.plan(others.into_iter().chain(roles).collect(), live)?;
        cleared.clone_from(&moved_from);
    }
    notes.extend(of_former(context, mode, &moved_from, !cleared.is_empty()));
    for (address, message) in &dry_run.refused {
        prepared.reject(address, message);
    }
    if mode == PlanMode::Apply {
        warnings.extend(node_groups::without_nodes(&prepared));
        warnings.extend(node_groups::without_surge(&prepared));
        notes.extend(node_groups::spares(&prepared));
        notes.extend(node_groups::held(&prepared));
    }
    let times = snapshot.record.as_ref().map(|record| record.change_times.clone()).unwrap_or_default();
    let duration = PlanDuration::estimate(&mut prepared, &times.into(), ApplyOptions::default().concurrency);
    let heading = context.heading(snapshot.facts.account.clone());
    let prices = Box::pin(prices_of_plan(context, &prepared)).await?;
    notes.extend(prices.note.clone());
    let cost = PlanCost::new(&prepared, &snapshot.facts.region, &prices.table);
    let availability = PlanAvailability::new(&prepared, &snapshot.facts.sizes);
    let mut document =
        PlanDocument::new(heading, prepared.plan.clone()).with_analysis(cost, availability).with_duration(duration);
    document = document.with_causes(causes_of(&prepared, &version_changes));
    if let Some(pins) = &pins {
        document.upgrade = Box::pin(versions::check_upgrade(context, pins, unreachable.is_none())).await?;
    }
    warnings.extend(plan_limits::unmet_requirement(&context.cluster, &document));
    Ok(PlannedRun { document, prepared, pins, cleared, unreachable, prices, notes, warnings })
}

/// Returns an error if the plan upgrades the minor version of Kubernetes: its machines are replaced in an order in which their
/// versions work together.
fn refuse_held_upgrade(pins: &Pins) -> Result<(), CliError> {
    match pins.kubernetes.filter(|pinned| pinned.wanted > pinned.reached) {
        Some(pinned) => Err(CliError::refused(
            format!(
                "the machines are upgraded from Kubernetes {} to {} in an order that keeps them compatible, so --no-roll \
                 cannot leave them",
                pinned.reached, pinned.wanted
            ),
            "run it without --no-roll, or without the new version",
        )),
        None => Ok(()),
    }
}

/// The locations that the policies of roles allow after the state moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoleScope {
    /// The former locations too: machines may still read from them.
    WithFormer,
    /// The location of the state alone.
    Current,
}

fn is_role(object: &Object) -> bool {
    object.address.kind() == Role::KIND.name
}

/// The inputs of a blueprint: the file, the facts and the recorded choices, with the versions of an upgrade.
struct BlueprintChoices<'a> {
    context: &'a ClusterContext<'a>,
    snapshot: &'a ClusterSnapshot,
    cluster: Cluster,
    facts: Facts,
    /// The recorded choices.
    recorded: Pins,
    /// The choices for the plan.
    pins: Pins,
}

impl<'a> BlueprintChoices<'a> {
    async fn new(
        context: &'a ClusterContext<'a>,
        snapshot: &'a ClusterSnapshot,
        choices: &PlanChoices,
        warnings: &mut Vec<String>,
    ) -> Result<Self, CliError> {
        let mut facts = snapshot.facts.clone();
        let (recorded, upgrade) = (pinned(snapshot)?, &choices.upgrade);
        warnings.extend(versions::find_releases(context, &recorded, upgrade, &mut facts).await?);
        if upgrade.images && facts.images.is_empty() {
            facts.images = newest_images(context).await?;
        }
        let mut pins = upgrade.pins(recorded.clone(), &facts);
        pins.replace.extend(choices.replaced.iter().cloned());
        if let Some(selection) = &choices.replace {
            pins.replace.extend(selection.ids(&snapshot.live)?);
        }
        replacement::retain_existing(&mut pins.replace, &snapshot.live);
        Ok(Self { context, snapshot, cluster: upgrade.cluster(&context.cluster), facts, recorded, pins })
    }

    fn lay_out(&self, scope: RoleScope) -> Result<Blueprint, CliError> {
        let moved_from = self.snapshot.record.as_ref().map(|record| record.moved_from.as_slice()).unwrap_or_default();
        let former = match scope {
            RoleScope::WithFormer => self.context.former_locations(moved_from, &self.facts.account),
            RoleScope::Current => Vec::new(),
        };
        let blueprint = blueprint::blueprint_beside(&self.cluster, &self.facts, &self.pins, &former);
        blueprint.map_err(CliError::Impossible)
    }
}

/// Returns the newest machine images, which a snapshot does not have if the record pins images.
async fn newest_images(context: &ClusterContext<'_>) -> Result<BTreeMap<Architecture, PublishedImage>, CliError> {
    let question = question(&context.cluster);
    let facts = context.interrupt.or(patiently(context, || context.cloud.facts(&question))).await?;
    Ok(facts.map_err(CliError::cloud("asking for the newest machine images"))?.images)
}

/// The record that wanted and observed objects are compared with.
#[derive(Clone, Copy)]
struct RecordComparison<'a> {
    snapshot: &'a ClusterSnapshot,
    mode: PlanMode,
    /// `true` if Kubernetes has answered with its objects as it would store them.
    is_dry_run: bool,
    /// `true` to leave machines as they are that would be replaced.
    holds_rolls: bool,
}

impl RecordComparison<'_> {
    fn plan(&self, desired: Vec<Object>, live: Vec<Live>) -> Result<ExecutablePlan, CliError> {
        let nothing = BTreeMap::new();
        let record = self.snapshot.record.as_ref();
        let incomplete = desired.iter().map(|object| &object.address).filter(|address| is_kubernetes(address.kind()));
        let incomplete = incomplete.filter(|_| !self.is_dry_run).cloned().collect();
        Ok(engine::plan(PlanInputs {
            mode: self.mode,
            desired,
            incomplete,
            live,
            recorded: record.map_or(&nothing, |record| &record.objects),
            serial: record.map_or(0, |record| record.serial),
            holds_rolls: self.holds_rolls,
            vocabulary: &ResourceKinds,
        })?)
    }
}

/// Returns the notes about the places that the state was moved from.
fn of_former(context: &ClusterContext<'_>, mode: PlanMode, moved_from: &[String], is_cleared: bool) -> Vec<String> {
    let now = &context.cluster.state;
    let note = |place: &String| match (mode, is_cleared) {
        (PlanMode::Refresh, _) => None,
        (PlanMode::Destroy, _) => Some(format!("{place}, where the state was before, is emptied too")),
        (PlanMode::Apply, true) => Some(format!(
            "no machine reads from {place} any more, where the state was before: an apply deletes the cluster's keys, \
             snapshots and record there. {now} has all of them"
        )),
        (PlanMode::Apply, false) => Some(format!(
            "the state moved from {place}, which keeps a copy of the cluster's keys: an apply replaces the machines that \
             read from it, and the apply after that empties it"
        )),
    };
    moved_from.iter().filter_map(note).collect()
}

/// Returns the objects that the cluster's own controllers created and that are deleted with it.
async fn strays(context: &ClusterContext<'_>) -> Result<Vec<Live>, CliError> {
    let found = context.interrupt.or(patiently(context, || context.cloud.unmanaged())).await?;
    found.map_err(CliError::cloud("finding the objects of the cluster's controllers"))
}

/// Dry-runs the objects, unless the Kubernetes API is known to be unreachable.
async fn complete(
    context: &ClusterContext<'_>,
    objects: Vec<Object>,
    snapshot: &ClusterSnapshot,
) -> Result<DryRun, CliError> {
    if snapshot.unreachable.is_some() {
        return Ok(DryRun { objects, ..DryRun::default() });
    }
    let asked = patiently(context, || context.cloud.dry_run(objects.clone(), &snapshot.live));
    context.interrupt.or(asked).await?.map_err(CliError::cloud("asking what would change"))
}

/// Returns the note about a plan that is made while the Kubernetes API does not answer.
fn silent(mode: PlanMode, failure: &Failure) -> String {
    let meaning = match mode {
        PlanMode::Destroy => "what its controllers made is removed without them",
        PlanMode::Apply | PlanMode::Refresh => "its objects are shown as the last apply left them",
    };
    format!("the Kubernetes API does not answer ({}), so {meaning}", failure.message)
}

impl PlannedRun {
    /// Returns the plan with its messages, for a comment on a pull request.
    pub(in crate::cli) fn comment<'a>(&'a self, refusal: Option<&'a str>) -> PlanComment<'a> {
        PlanComment { document: &self.document, refusal, warnings: &self.warnings, notes: &self.notes }
    }

    /// Adds warnings about the plan.
    pub(in crate::cli) fn add_warnings(&mut self, warnings: Vec<String>) {
        self.warnings.extend(warnings);
    }

    /// Shows the warnings and notes about the plan.
    pub(in crate::cli) fn show_notes(&self, context: &ClusterContext<'_>) {
        for warning in &self.warnings {
            context.ui.warning(warning);
        }
        for note in &self.notes {
            context.ui.note(note);
        }
    }
}

/// Returns the choices of the last apply; choices that the record does not contain are read from the objects.
fn pinned(snapshot: &ClusterSnapshot) -> Result<Pins, CliError> {
    let pins = snapshot.record.as_ref().map(|record| &record.pins).filter(|pins| !pins.is_null());
    let unreadable = |source| StateError::Unreadable { place: snapshot.journal.place(), source };
    let pins = pins.cloned().map(serde_json::from_value).transpose();
    let pins: Pins = pins.map_err(unreadable).map_err(CliError::state("reading the record"))?.unwrap_or_default();
    // A record of another release may contain a cluster that this one cannot read.
    let applied = snapshot.record.as_ref().and_then(|record| Cluster::deserialize(&record.cluster_spec).ok());
    Ok(pins.recover(applied.as_ref(), &snapshot.live))
}
