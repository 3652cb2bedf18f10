//! `quorate apply`: observe, compare, show, ask, change, record.

use std::cmp::Ordering;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::blueprint::Upgrade;
use crate::cli::client_origin::ApiEntryMode;
use crate::cli::completion::paths;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::Run;
use crate::cli::run::claim;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::former::{self, FormerCluster, FormerRemains};
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::run::planned_run::PlannedRun;
use crate::cli::run::prompt::{Consent, ask};
use crate::cli::run::quota_check;
use crate::cli::run::run_lock::{LockArgs, RunLock};
use crate::cli::run::saved_plan::PlanFile;
use crate::cli::run::snapshot::ClusterSnapshot;
use crate::cli::run::state_writer::{ResolvedSpec, StateWriter};
use crate::cli::run::temporary_access::TemporaryAccess;
use crate::cli::{ApiWait, CliError, ClientOrigin, ClusterContext, Exit, PlanLimits, Session};
use crate::engine::Outcome;
use crate::resource::{Bucket, Resource};
use crate::spec::{Cluster, StateLocation};
use crate::view;
use crate::view::plan::PlanDocument;

use super::validate::{show_silent_machines, wait_until_healthy};

/// Change AWS and Kubernetes to match the cluster file
///
/// Shows the plan, asks for confirmation, and makes the changes, as many as possible at the same time. Then waits until
/// the cluster is healthy. The first Ctrl-C finishes the changes in flight and records them; the second one does not
/// wait for them. After any failure, run it again to resume. If `api.allow` does not contain this machine's address, the API is
/// opened to it while the run lasts.
///
/// With a file that `plan --out` wrote, it makes exactly the changes of that plan without a question. It makes none if an
/// apply would make other changes now, if the plan was used, or if it is older than a day.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// Make the changes of this saved plan, and no others
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath, add = paths::saved_plans(), conflicts_with = "no_roll")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) flags: ApplyFlags,
}

/// The options of a command that applies.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct ApplyFlags {
    /// Apply without confirmation
    #[arg(short, long)]
    yes: bool,
    /// Allow changes that lose data, such as the removal of an etcd volume
    #[arg(long)]
    delete_data: bool,
    /// Do not wait until the cluster is healthy. Kubernetes objects are skipped while the API is unreachable; the next apply
    /// creates them
    #[arg(long)]
    no_wait: bool,
    /// Leave machines as they are that would be replaced. The next plan shows their replacement again
    #[arg(long)]
    no_roll: bool,
    /// Apply although the account's quotas have no room for the cluster
    #[arg(long)]
    ignore_quotas: bool,
    #[command(flatten)]
    limits: PlanLimits,
    #[command(flatten)]
    entry: ApiEntryMode,
    #[command(flatten)]
    lock: LockArgs,
    /// Show every attribute of new objects
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// The options of an apply.
#[derive(Debug, Clone, Default)]
pub struct ApplyRequest {
    /// The request for the plan.
    pub plan: PlanRequest,
    /// The saved plan whose changes are made.
    pub saved: Option<PlanFile>,
    /// The permissions that are granted without a prompt.
    pub consent: Consent,
    /// The limits that the plan must keep to.
    pub limits: PlanLimits,
    /// The source of the run's connections, for a run that opens a closed API to itself. `None` if it does not open the API.
    pub origin: Option<ClientOrigin>,
    /// `true` to apply although the account's quotas have no room.
    pub ignore_quotas: bool,
    /// `true` to wait until the cluster is healthy.
    pub wait: bool,
}

impl ApplyArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = self.flags.open(session).await?;
        let saved = self.plan.map(|path| PlanFile::read(&path, &context)).transpose()?;
        let choices = saved.as_ref().map(PlanFile::choices).transpose()?.unwrap_or_default();
        let no_roll = choices.no_roll || self.flags.no_roll;
        let plan = PlanRequest { choices, ..PlanRequest::default() }.without_rolls(no_roll);
        apply(&context, ApplyRequest { saved, ..self.flags.request(session, plan)? }).await
    }
}

impl ApplyFlags {
    /// Makes the changes of another request than the file alone.
    pub(super) async fn run(self, session: &Session, plan: PlanRequest) -> Result<Exit, CliError> {
        let context = self.open(session).await?;
        if self.no_roll && plan.choices.replace.is_some() {
            return Err(CliError::Usage {
                message: "--no-roll leaves the machines that this command replaces".to_owned(),
                hint: "run it without --no-roll".to_owned(),
            });
        }
        let plan = plan.without_rolls(self.no_roll);
        check_version(&context.cluster, &plan.choices.upgrade)?;
        apply(&context, self.request(session, plan)?).await
    }

    async fn open<'s>(&self, session: &'s Session) -> Result<ClusterContext<'s>, CliError> {
        let wait = if self.no_wait { ApiWait::Never } else { ApiWait::UntilReady };
        let context = open_cluster(session, ShownDiagnostics::Everything, wait).await?;
        Ok(ClusterContext { lock_timeout: self.lock.timeout(), ..context })
    }

    fn request(&self, session: &Session, plan: PlanRequest) -> Result<ApplyRequest, CliError> {
        Ok(ApplyRequest {
            plan,
            saved: None,
            consent: Consent { yes: self.yes, delete_data: self.delete_data },
            limits: self.limits,
            origin: self.entry.origin(&session.environment)?,
            ignore_quotas: self.ignore_quotas,
            wait: !self.no_wait,
        })
    }
}

/// Returns an error if the file names another version of Kubernetes than an upgrade.
pub(super) fn check_version(cluster: &Cluster, upgrade: &Upgrade) -> Result<(), CliError> {
    let other = upgrade.kubernetes.filter(|wanted| cluster.kubernetes_given && cluster.kubernetes != *wanted);
    other.map_or(Ok(()), |wanted| {
        let named = cluster.kubernetes;
        let next = named.next();
        let advice = match wanted.cmp(&next) {
            Ordering::Equal => {
                format!("write kubernetes = \"{wanted}\" in the file and run `quorate apply`, or remove the setting")
            }
            Ordering::Greater => format!(
                "Kubernetes goes up one minor version at a time: write kubernetes = \"{next}\" in the file and run \
                 `quorate apply` first"
            ),
            Ordering::Less => format!("Kubernetes does not go back to an older version: keep {named}"),
        };
        Err(CliError::refused(
            format!("the file names kubernetes = \"{named}\", so --kubernetes {wanted} cannot change it"),
            advice,
        ))
    })
}

/// Changes the cloud to match the file.
///
/// # Errors
/// Returns an error if the plan could not be made, was not confirmed, or nothing of it could be started.
pub async fn apply(context: &ClusterContext<'_>, options: ApplyRequest) -> Result<Exit, CliError> {
    let mut run = Run::begin(context, options.plan.command()).await?;
    let work = async {
        let applied = Box::pin(converge(&mut run, &options)).await;
        // Nothing is changed during the wait: other runs may work.
        run.end().await;
        let ApplyResult { exit, changed } = applied?;
        if options.wait && exit == Exit::Done {
            Box::pin(wait_until_healthy(context, changed)).await
        } else {
            Ok(Box::pin(show_silent_machines(context, exit)).await)
        }
    };
    TemporaryAccess::during(context, options.origin, true, work).await
}

/// The result of a run that was not stopped by an error.
struct ApplyResult {
    exit: Exit,
    /// `true` if there was anything to change.
    changed: bool,
}

async fn converge(run: &mut Run<'_>, request: &ApplyRequest) -> Result<ApplyResult, CliError> {
    let context = run.context;
    let snapshot = run.snapshot(ForeignClusterPolicy::Refused).await?;
    if let Some(saved) = &request.saved {
        saved.check_target(context, &snapshot)?;
    }
    let planned = run.plan(&snapshot, &request.plan).await?;
    let quotas = quota_check::check(context, &planned.document.plan, &snapshot.facts).await?;
    quotas.warnings(!request.ignore_quotas).iter().for_each(|warning| context.ui.warning(warning));
    let checked = request.saved.as_ref().map_or(Ok(()), |saved| saved.check_changes(&planned));
    let checked = checked.and_then(|()| request.limits.check(&context.cluster, &planned.document));
    if let Err(refused) = checked.and_then(|()| if request.ignore_quotas { Ok(()) } else { quotas.refuse() }) {
        context.ui.json(&planned.document)?;
        return Err(refused);
    }
    let resolved = planned
        .pins
        .as_ref()
        .map(|pins| ResolvedSpec::new(context, pins, &snapshot.facts, request.plan.choices.no_roll))
        .transpose()?;
    if planned.document.plan.is_empty() {
        let exit = record_unchanged(run, &planned, resolved.as_ref(), snapshot).await?;
        return Ok(ApplyResult { exit, changed: false });
    }
    // A saved plan was confirmed by the person who passes it.
    let consent = Consent { yes: request.consent.yes || request.saved.is_some(), ..request.consent };
    if let Err(refused) = permit(context, &planned.document, consent).await {
        context.ui.json(&planned.document)?;
        return Err(refused);
    }
    let exit = carry_out(run, planned, resolved.as_ref(), snapshot, request.saved.as_ref()).await?;
    Ok(ApplyResult { exit, changed: true })
}

/// Executes a plan that is confirmed: the bucket first if it does not exist, then the record, then everything else.
async fn carry_out(
    run: &mut Run<'_>,
    planned: PlannedRun,
    resolved: Option<&ResolvedSpec>,
    snapshot: ClusterSnapshot,
    saved: Option<&PlanFile>,
) -> Result<Exit, CliError> {
    let PlannedRun { document, mut prepared, cleared, .. } = planned;
    let context = run.context;
    let mut state = StateWriter::open(context, &snapshot.facts, snapshot.record, snapshot.journal);
    if let Some(saved) = saved {
        state.record.applied_plan = Some(saved.id().to_owned());
    }
    let mut outcome = Outcome::default();
    // A note in the bucket names the directory of the record before anything else is created.
    let in_directory = matches!(context.cluster.state, StateLocation::Directory(_));
    if in_directory || matches!(run.lock, RunLock::NoStore) {
        let (bucket, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
        if !bucket.plan.is_empty() {
            outcome = run.execute(&mut state, &bucket).await;
        }
        if !outcome.is_through() {
            return finish(run, &document, &outcome, true);
        }
        prepared = rest;
    }
    // Before anything is created from the choices of the plan: the next run after a killed one must not choose again.
    if let Err(error) = run.record_start(&mut state, "apply", resolved).await {
        return not_started(run, &document, outcome, error);
    }
    let rest = run.execute(&mut state, &prepared).await;
    let emptied = !rest.is_through() || clear_former(run, &mut state, &cleared).await;
    let written = state.finish(context, resolved, rest.is_through()).await;
    outcome.absorb(rest);
    let exit = finish(run, &document, &outcome, written)?;
    Ok(if exit == Exit::Done && !emptied { Exit::Partly } else { exit })
}

/// Reports a run that has created at most the bucket.
fn not_started(
    run: &Run<'_>,
    document: &PlanDocument,
    mut outcome: Outcome,
    error: CliError,
) -> Result<Exit, CliError> {
    if outcome.done.is_empty() {
        return Err(error);
    }
    if matches!(error, CliError::Interrupted) {
        outcome.interrupted = true;
        return finish(run, document, &outcome, true);
    }
    // The bucket was created: that is reported, and why the run stopped.
    let exit = finish(run, document, &outcome, false)?;
    run.context.ui.report(&error.report());
    // Two first applies create the bucket; the slower one changes nothing more.
    Ok(if error.exit() == Exit::Held { Exit::Held } else { exit })
}

/// Empties former places of the state, and takes them out of the record. `false` if one of them could not be emptied: it
/// stays in the record, and the next apply tries again.
async fn clear_former(run: &Run<'_>, state: &mut StateWriter, cleared: &[String]) -> bool {
    let ui = run.context.ui;
    let mut emptied = true;
    for place in cleared {
        match former::clear(run, place, &state.record.lineage, FormerCluster::Living).await {
            Ok(left) => {
                state.record.moved_from.retain(|former| former != place);
                let stays = |left: FormerRemains| format!("; the bucket {} stays: {}", left.bucket, left.because);
                let stays = left.map(stays).unwrap_or_default();
                ui.note(&format!("emptied {place}, where the state was before{stays}"));
            }
            Err(error) => {
                emptied = false;
                ui.report(&error.report());
                ui.warning(&format!("{place} still holds a copy of the cluster's keys; the next apply empties it"));
            }
        }
    }
    emptied
}

/// Returns an error unless the plan can be executed and is confirmed.
async fn permit(context: &ClusterContext<'_>, document: &PlanDocument, consent: Consent) -> Result<(), CliError> {
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

/// Handles an empty plan. There may still be something to record: objects of a dead run, objects that are no longer in the
/// file, or settings of the file that change no object.
async fn record_unchanged(
    run: &Run<'_>,
    planned: &PlannedRun,
    resolved: Option<&ResolvedSpec>,
    snapshot: ClusterSnapshot,
) -> Result<Exit, CliError> {
    let context = run.context;
    let Some(record) = snapshot.record else {
        show_result(context, &planned.document, &Outcome::default())?;
        return Ok(Exit::Done);
    };
    claim::claim(context, &record).await?;
    let mut state = StateWriter { record: record.clone(), journal: snapshot.journal };
    let outcome = run.execute_nothing(&mut state, &planned.prepared).await;
    show_result(context, &planned.document, &outcome)?;
    let is_recorded = resolved.is_none_or(|resolved| resolved.is_in(&record)) && state.record.objects == record.objects;
    if (is_recorded && planned.cleared.is_empty() && record.in_progress.is_none()) || run.lock.is_lost() {
        return Ok(Exit::Done);
    }
    let emptied = clear_former(run, &mut state, &planned.cleared).await;
    let written = state.finish(context, resolved, outcome.is_through()).await;
    Ok(match (written, emptied) {
        (true, true) => Exit::Done,
        (true, false) => Exit::Partly,
        (false, _) => Exit::Error,
    })
}

/// Reports the result of the plan.
fn finish(run: &Run<'_>, document: &PlanDocument, outcome: &Outcome, written: bool) -> Result<Exit, CliError> {
    show_result(run.context, document, outcome)?;
    Ok(run.report(outcome, written))
}

fn show_result(context: &ClusterContext<'_>, document: &PlanDocument, outcome: &Outcome) -> Result<(), CliError> {
    let result = view::outcome::OutcomeDocument::new(document, outcome);
    context.ui.document(&result, |style| view::outcome::text(&result, style))
}
