//! `apply`: observe, compare, show, ask, change, record.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::{self, Action, Address, ExecutablePlan, Outcome, PlanMode, RecordedObject};
use crate::resource::{Bucket, Facts, Resource, ResourceKinds};
use crate::spec::StateLocation;
use crate::state::{ClusterRecord, RecordJournal};
use crate::view;
use crate::view::failure::FailureReport;
use crate::view::plan::PlanDocument;

use super::CommandContext;
use super::claim;
use super::foreign_cluster::ForeignClusterPolicy;
use super::former::{self, FormerCluster};
use super::planned_run::draft;
use super::run_lock::{RunLock, open_run};
use super::snapshot::snapshot_when_stable;
use super::state_writer::{ResolvedSpec, StateWriter};
use super::temporary_access::TemporaryAccess;
use super::validate::attend;

/// Number of attempts to acquire the lease in a new store.
const NEW_STORE: u32 = 10;

/// The permissions that are granted without a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent {
    /// The plan is confirmed, whatever it contains.
    pub yes: bool,
    /// Changes that lose data are allowed.
    pub delete_data: bool,
}

/// Changes the cloud to match the file.
pub async fn apply(context: &CommandContext<'_>, consent: Consent) -> Result<Exit, CliError> {
    let mut lock = open_run(context, "apply").await?;
    let work = async {
        let ran = Box::pin(run(context, &mut lock, consent)).await;
        // Nothing is changed during the wait: other runs may work.
        lock.end(context).await;
        let CompletedRun { exit, changed } = ran?;
        match context.health_sources.filter(|_| exit == Exit::Done) {
            Some(health_sources) => Box::pin(attend(context, health_sources, changed)).await,
            None => Ok(exit),
        }
    };
    TemporaryAccess::during(context, true, work).await
}

/// The result of a run that was not stopped by an error.
struct CompletedRun {
    exit: Exit,
    /// `true` if there was anything to change.
    changed: bool,
}

async fn run(context: &CommandContext<'_>, lock: &mut RunLock, consent: Consent) -> Result<CompletedRun, CliError> {
    let snapshot = snapshot_when_stable(context, lock, ForeignClusterPolicy::Refused).await?;
    let draft = draft(context, &snapshot, PlanMode::Apply).await?;
    let document = draft.document(context, &snapshot);
    context.ui.text(&view::plan::text(&document, context.ui.style()));
    draft.show_notes(context);
    let resolved = draft.pins.as_ref().map(|pins| ResolvedSpec::new(context, pins)).transpose()?;
    let (facts, record, journal) = (snapshot.facts, snapshot.record, snapshot.journal);
    let plan = ApprovedPlan { document, prepared: draft.prepared, resolved, cleared: draft.cleared };
    if plan.document.plan.is_empty() {
        let exit = nothing_to_do(context, lock, &plan, record, journal).await?;
        return Ok(CompletedRun { exit, changed: false });
    }
    if let Err(refused) = permit(context, &plan.document, consent).await {
        context.ui.json(&plan.document)?;
        return Err(refused);
    }
    let exit = carry_out(context, lock, plan, &facts, record, journal).await?;
    Ok(CompletedRun { exit, changed: true })
}

/// A plan that is confirmed.
struct ApprovedPlan {
    document: PlanDocument,
    prepared: ExecutablePlan,
    resolved: Option<ResolvedSpec>,
    /// The former places of the state that are emptied.
    cleared: Vec<String>,
}

async fn carry_out(
    context: &CommandContext<'_>,
    lock: &mut RunLock,
    plan: ApprovedPlan,
    facts: &Facts,
    record: Option<ClusterRecord>,
    journal: RecordJournal,
) -> Result<Exit, CliError> {
    let ApprovedPlan { document, mut prepared, resolved, cleared } = plan;
    let mut outcome = Outcome::default();
    // A record in a directory is said in the bucket to be the cluster's before anything else is made.
    let in_directory = matches!(context.cluster.state, StateLocation::Directory(_));
    if in_directory || matches!(lock, RunLock::NoStore) {
        let (store, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
        if !store.plan.is_empty() {
            outcome = change(context, lock, &store, &BTreeMap::new(), context.holder.run.clone()).await;
        }
        if !outcome.is_through() {
            return finish(context, lock, &document, &outcome, true);
        }
        prepared = rest;
    }
    let mut writer = StateWriter::open(context, facts, record, journal);
    if let Err(error) = open_up(context, lock, &mut writer, &outcome, resolved.as_ref()).await {
        if outcome.done.is_empty() {
            return Err(error);
        }
        if matches!(error, CliError::Interrupted) {
            outcome.interrupted = true;
            return finish(context, lock, &document, &outcome, true);
        }
        // The bucket was created: that is reported, and why the run stopped.
        let exit = finish(context, lock, &document, &outcome, false)?;
        context.ui.report(&error.report());
        // Two first applies create the bucket; the slower one changes nothing more.
        return Ok(if error.exit() == Exit::Held { Exit::Held } else { exit });
    }
    let rest = change(context, lock, &prepared, &writer.record.objects, writer.seed()).await;
    writer.note(&rest);
    let emptied = !rest.is_through() || clear_former(context, lock, &mut writer, &cleared).await;
    let written = writer.finish(context, resolved.as_ref(), rest.is_through()).await;
    outcome.absorb(rest);
    let exit = finish(context, lock, &document, &outcome, written)?;
    Ok(if exit == Exit::Done && !emptied { Exit::Partly } else { exit })
}

/// Empties former places of the state, and takes them out of the record. `false` if one of them could not be emptied: it
/// stays in the record, and the next apply tries again.
async fn clear_former(
    context: &CommandContext<'_>,
    lock: &RunLock,
    writer: &mut StateWriter,
    cleared: &[String],
) -> bool {
    let mut emptied = true;
    for place in cleared {
        match former::clear(context, lock, place, &writer.record.lineage, FormerCluster::Living).await {
            Ok(left) => {
                writer.record.moved_from.retain(|former| former != place);
                match left {
                    None => context.ui.note(&format!("emptied {place}, where the state was before")),
                    Some(left) => context.ui.note(&format!(
                        "emptied {place}, where the state was before; the bucket {} stays: {}",
                        left.bucket, left.because
                    )),
                }
            }
            Err(error) => {
                emptied = false;
                context.ui.report(&error.report());
                context
                    .ui
                    .warning(&format!("{place} still holds a copy of the cluster's keys; the next apply empties it"));
            }
        }
    }
    emptied
}

/// Acquires the lease and records the start of the run with its choices: before anything is created from them, because
/// the next run after a killed one must not choose again.
async fn open_up(
    context: &CommandContext<'_>,
    lock: &mut RunLock,
    writer: &mut StateWriter,
    made: &Outcome,
    resolved: Option<&ResolvedSpec>,
) -> Result<(), CliError> {
    if matches!(lock, RunLock::NoStore) {
        // If another run was faster, the record is no longer absent, and writing this one is refused.
        *lock = lease_in_new_store(context, "apply").await?;
    }
    if lock.is_lost() {
        return Err(CliError::Overtaken);
    }
    writer.record.objects.extend(made.recorded.clone());
    if let Some(resolved) = resolved {
        writer.pin(resolved);
    }
    claim::claim(context, &writer.record).await?;
    writer.record_start(context, "apply").await
}

/// Executes a plan while the run holds the lease.
pub(super) async fn change(
    context: &CommandContext<'_>,
    lock: &RunLock,
    prepared: &ExecutablePlan,
    recorded: &BTreeMap<Address, RecordedObject>,
    seed: String,
) -> Outcome {
    let options = context.options(seed);
    // A replacement finishes twice: the new object is created, the old one is deleted.
    let changes = prepared.plan.changes.len() + prepared.plan.count(Action::Replace);
    let listener = context.ui.listener(changes);
    let work = engine::apply(context.cloud, &ResourceKinds, prepared, recorded, &options, listener.as_ref());
    while_leased(context, lock, &options.stop, work).await
}

async fn while_leased<T>(
    context: &CommandContext<'_>,
    lock: &RunLock,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = lock.lost() => {
            context.ui.warning("the lease is lost: another run may have begun. Nothing new is started.");
            stop.cancel();
        }
    }
    work.await
}

/// Acquires the lease in a bucket that was just created: S3 may not show it everywhere yet.
pub(super) async fn lease_in_new_store(context: &CommandContext<'_>, operation: &str) -> Result<RunLock, CliError> {
    for _ in 0..NEW_STORE {
        match open_run(context, operation).await? {
            RunLock::NoStore => context.interrupt.or(tokio::time::sleep(context.retry.settle)).await?,
            lock @ RunLock::Leased { .. } => return Ok(lock),
        }
    }
    Err(CliError::refused(
        format!("{} was created, but is not reachable yet", context.store.location()),
        "run the command again in a minute",
    ))
}

/// Returns an error unless the plan can be executed and is confirmed.
async fn permit(context: &CommandContext<'_>, document: &PlanDocument, consent: Consent) -> Result<(), CliError> {
    if document.summary.refuse > 0 {
        return Err(CliError::refused(
            "the plan contains changes that are not possible, so nothing was applied",
            "see the reasons and the alternatives above",
        ));
    }
    if !document.summary.loses_data.is_empty() && !consent.delete_data {
        return Err(CliError::refused(
            "the plan loses data, so nothing was applied",
            "restore the objects in the file, or pass --delete-data to delete the data",
        ));
    }
    if consent.yes {
        return Ok(());
    }
    let question = "\nApply these changes? Only `yes` is accepted: ";
    ask(context, question, "yes", "--yes").await
}

/// Prompts the user. Returns an error unless the answer is exactly `wanted`.
pub(super) async fn ask(
    context: &CommandContext<'_>,
    question: &str,
    wanted: &str,
    without: &str,
) -> Result<(), CliError> {
    if !context.ui.can_ask() {
        return Err(CliError::refused(
            "not a terminal, and --yes was not given: nothing was changed",
            format!("pass {without} to confirm"),
        ));
    }
    match context.interrupt.or(context.ui.ask(question)).await? {
        Some(answer) if answer == wanted => Ok(()),
        _ => Err(CliError::refused(format!("nothing was changed: the answer was not `{wanted}`"), "")),
    }
}

/// Handles an empty plan. There may still be something to record: objects of a dead run, objects that are no longer in the
/// file, or settings of the file that change no object.
async fn nothing_to_do(
    context: &CommandContext<'_>,
    lock: &RunLock,
    plan: &ApprovedPlan,
    record: Option<ClusterRecord>,
    journal: RecordJournal,
) -> Result<Exit, CliError> {
    let Some(record) = record else {
        show_result(context, &plan.document, &Outcome::default())?;
        return Ok(Exit::Done);
    };
    claim::claim(context, &record).await?;
    let options = context.options(String::new());
    let outcome =
        engine::apply(context.cloud, &ResourceKinds, &plan.prepared, &record.objects, &options, &engine::NoListener)
            .await;
    show_result(context, &plan.document, &outcome)?;
    let told = plan.resolved.as_ref().is_none_or(|resolved| resolved.is_in(&record)) && plan.cleared.is_empty();
    if (told && outcome.recorded == record.objects && record.in_progress.is_none()) || lock.is_lost() {
        return Ok(Exit::Done);
    }
    let mut writer = StateWriter { record, journal };
    writer.note(&outcome);
    let emptied = clear_former(context, lock, &mut writer, &plan.cleared).await;
    let written = writer.finish(context, plan.resolved.as_ref(), outcome.is_through()).await;
    Ok(match (written, emptied) {
        (true, true) => Exit::Done,
        (true, false) => Exit::Partly,
        (false, _) => Exit::Error,
    })
}

/// Reports the result of the plan.
fn finish(
    context: &CommandContext<'_>,
    lock: &RunLock,
    document: &PlanDocument,
    outcome: &Outcome,
    written: bool,
) -> Result<Exit, CliError> {
    show_result(context, document, outcome)?;
    Ok(end(context, lock, outcome, written))
}

fn show_result(context: &CommandContext<'_>, document: &PlanDocument, outcome: &Outcome) -> Result<(), CliError> {
    let told = view::outcome::OutcomeDocument::new(document, outcome);
    context.ui.document(&told, |style| view::outcome::text(&told, style))
}

/// Reports failures, or what stopped the run. Returns the exit code.
pub(super) fn end(context: &CommandContext<'_>, lock: &RunLock, outcome: &Outcome, written: bool) -> Exit {
    let overtaken = lock.is_lost() && !(outcome.is_through() && written);
    if overtaken {
        let report = FailureReport { failures: view::outcome::failures(outcome), ..CliError::Overtaken.report() };
        context.ui.report(&report);
    } else if let Some(report) = view::outcome::report(outcome) {
        context.ui.report(&report);
    }
    if overtaken {
        Exit::Held
    } else if outcome.interrupted && context.interrupt.stop.is_cancelled() && written {
        Exit::Interrupted
    } else if outcome.is_through() && written {
        Exit::Done
    } else if outcome.done.is_empty() && written {
        Exit::Error
    } else {
        Exit::Partly
    }
}
