//! `quorate destroy`: everything but the bucket, then the contents of the bucket, then the bucket, then a final scan.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use crate::cli::client_origin::ApiEntryMode;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::Run;
use crate::cli::run::claim;
use crate::cli::run::foreign_cluster::{ForeignClusterPolicy, KnownLocations};
use crate::cli::run::former::{self, FormerCluster, FormerRemains, kept_by_others};
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::run::planned_run::PlannedRun;
use crate::cli::run::prompt::{Consent, ask};
use crate::cli::run::run_lock::{LockArgs, RunLock};
use crate::cli::run::snapshot::ClusterSnapshot;
use crate::cli::run::state_writer::StateWriter;
use crate::cli::run::temporary_access::TemporaryAccess;
use crate::cli::run::wait::patiently;
use crate::cli::{ApiWait, CliError, ClientOrigin, ClusterContext, Exit, Session};
use crate::engine::{Address, ExecutablePlan, Failure, FailureClass, Live, Outcome, PlanMode, PollLoop};
use crate::resource::{
    BY_KUBERNETES, Bucket, BucketObject, EbsVolume, KeyPrefix, LoadBalancer, Resource, STATE_BUCKET, Secret,
    SecretContent, TargetGroup, is_kubernetes,
};
use crate::spec::StateLocation;
use crate::state::{lease_key, record_key};
use crate::view;
use crate::view::outcome::{RemainingObject, RemainingObjects};
use crate::view::plan::PlanDocument;

/// Number of scans for remaining objects: deleted objects may still be listed for a while.
const SCANS: u32 = 5;
/// The kinds that are versions of keys in the bucket.
const FILES: [&str; 2] = [BucketObject::KIND.name, Secret::KIND.name];

/// Delete the cluster and everything that belongs to it
///
/// Lists every object by name and asks for the cluster's name as confirmation. Deletes only what belongs to the cluster,
/// etcd's data included. Ends with a scan of the account: "0 resources left", or the list of what is left. With --yes,
/// data is deleted only if --delete-data is passed too.
#[derive(Debug, Clone, Args)]
pub struct DestroyArgs {
    /// Destroy without confirmation
    #[arg(short, long)]
    yes: bool,
    /// With --yes: also delete data, such as etcd volumes and snapshots
    #[arg(long)]
    delete_data: bool,
    #[command(flatten)]
    entry: ApiEntryMode,
    #[command(flatten)]
    lock: LockArgs,
    /// Show full identifiers, and all changes of a plan that is refused
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl DestroyArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let mut context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::Destroying).await?;
        context.lock_timeout = self.lock.timeout();
        let origin = self.entry.origin(&session.environment)?;
        destroy(&context, Consent { yes: self.yes, delete_data: self.delete_data }, origin).await
    }
}

/// Deletes the cluster. Asks for its name; without a prompt, data is deleted only if that is allowed too. A closed API is
/// opened to `origin` while the run lasts.
///
/// # Errors
/// Returns an error if the plan could not be made, was not confirmed, or nothing of it could be started.
pub async fn destroy(
    context: &ClusterContext<'_>,
    consent: Consent,
    origin: Option<ClientOrigin>,
) -> Result<Exit, CliError> {
    context.cloud.leave_out_details();
    let mut run = Run::begin(context, "destroy").await?;
    // Objects of controllers are deleted with their Kubernetes objects, and that needs access to the API.
    let work = async {
        let exit = Box::pin(delete_cluster(&mut run, consent)).await;
        run.end().await;
        exit
    };
    TemporaryAccess::during(context, origin, false, work).await
}

async fn delete_cluster(run: &mut Run<'_>, consent: Consent) -> Result<Exit, CliError> {
    let context = run.context;
    let snapshot = run.snapshot(ForeignClusterPolicy::LeftBeside).await?;
    let PlannedRun { document, prepared, .. } = run.plan(&snapshot, &PlanRequest::new(PlanMode::Destroy)).await?;
    if let Err(refused) = permit(context, &document, consent).await {
        context.ui.json(&document)?;
        return Err(refused);
    }
    if run.lock.is_lost() {
        return Err(CliError::Overtaken);
    }
    let end = carry_out(run, prepared, snapshot).await?;
    let left = if end.outcome.is_through() { remaining_objects(context, &end).await } else { Ok(None) };
    show_result(run, &document, &end, left)
}

/// Returns an error unless the cluster may be deleted. Typing its name confirms everything; a flag confirms only its part.
async fn permit(context: &ClusterContext<'_>, document: &PlanDocument, consent: Consent) -> Result<(), CliError> {
    let backups = format!("{}/{}", context.name(), KeyPrefix::Snapshots.path());
    let backups = context.interrupt.or(patiently(context, || context.bucket.list(&backups))).await?;
    let backups = backups.map_err(CliError::cloud("listing the snapshots of etcd"))?.len();
    let volumes = document.summary.loses_data.len();
    if document.plan.is_empty() && backups == 0 {
        return Ok(());
    }
    if !consent.yes {
        let question = format!("\nThis deletes the cluster. Enter its name (`{}`) to confirm: ", context.name());
        let without = if volumes + backups == 0 { "--yes" } else { "--yes --delete-data" };
        return ask(context, &question, context.name(), without).await;
    }
    if volumes + backups > 0 && !consent.delete_data {
        return Err(CliError::refused(
            format!("the cluster holds data ({volumes} volumes, {backups} snapshots), so nothing was deleted"),
            "also pass --delete-data, or run without --yes and confirm with the cluster's name",
        ));
    }
    Ok(())
}

/// The progress of the deletion.
struct DestroyProgress {
    outcome: Outcome,
    /// The keys of others that keep the bucket.
    others: Vec<String>,
    /// The ids in the record.
    recorded: BTreeMap<Address, String>,
    locations: KnownLocations,
    /// The remains in former places of the state.
    former: Vec<FormerRemains>,
    written: bool,
}

/// Deletes everything but the bucket, then the contents of the bucket, then the bucket.
async fn carry_out(
    run: &mut Run<'_>,
    prepared: ExecutablePlan,
    snapshot: ClusterSnapshot,
) -> Result<DestroyProgress, CliError> {
    let context = run.context;
    let (bucket, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
    let stored = matches!(run.lock, RunLock::Leased { .. });
    let mut state = StateWriter::open(context, &snapshot.facts, snapshot.record, snapshot.journal);
    let recorded = state.ids();
    if stored && !rest.plan.is_empty() {
        state.record_start(context, "destroy").await?;
    }
    if !rest.plan.is_empty() {
        release(run, snapshot.unreachable.as_ref()).await;
    }
    let outcome = delete_objects(run, rest, &mut state).await;
    let locations = snapshot.locations;
    let mut end =
        DestroyProgress { outcome, others: Vec::new(), recorded, locations, former: Vec::new(), written: true };
    if !end.outcome.is_through() || !clear_former(run, &state, &mut end).await {
        // The record stays: it lists what is left, and where the state was.
        end.written = !stored || state.finish(context, None, true).await;
        return Ok(end);
    }
    if stored {
        match empty_store(run, &bucket).await {
            Ok(others) => end.others = others,
            Err(failure) => {
                end.outcome.failed.push((Bucket::address(STATE_BUCKET), failure));
                return Ok(end);
            }
        }
    }
    if end.others.is_empty() && !bucket.plan.is_empty() {
        end.outcome.absorb(run.execute(&mut state, &bucket).await);
    }
    Ok(end)
}

/// Empties the former places of the state. Returns `false` if one of them could not be emptied.
async fn clear_former(run: &Run<'_>, state: &StateWriter, end: &mut DestroyProgress) -> bool {
    for place in &state.record.moved_from {
        match former::clear(run, place, &state.record.lineage, FormerCluster::Gone).await {
            Ok(left) => end.former.extend(left),
            Err(error) => {
                run.context.ui.report(&error.report());
                let message = format!("{place}, where the state was before, still holds the cluster's keys");
                let failure = Failure::own(FailureClass::Fatal, "empty", message);
                end.outcome.failed.push((Bucket::address(STATE_BUCKET), failure));
                return false;
            }
        }
    }
    true
}

/// Lets the cluster's controllers delete their objects, unless their API is unreachable. A failure is no problem: the
/// objects are also found by their tags.
async fn release(run: &Run<'_>, unreachable: Option<&Failure>) {
    let context = run.context;
    if unreachable.is_some() {
        return;
    }
    let note = |text: String| context.ui.note(&text);
    let released = tokio::select! {
        released = context.interrupt.or(context.cloud.release(&note)) => released,
        () = run.lock.lost() => return,
    };
    if let Ok(Err(failure)) = released {
        context.ui.note(&format!("the controllers did not delete their objects ({}); continuing", failure.message));
    }
}

/// Deletes everything but the bucket: first load balancers of controllers in front of the machines, then the cluster's own
/// objects, then volumes that machines have held until then, then files. If one of these fails, the next one is not started.
async fn delete_objects(run: &Run<'_>, rest: ExecutablePlan, state: &mut StateWriter) -> Outcome {
    let stray = |address: &Address, kinds: &[&str]| {
        address.name().starts_with(BY_KUBERNETES) && kinds.contains(&address.kind())
    };
    let fronts = [LoadBalancer::KIND.name, TargetGroup::KIND.name];
    let (front, rest) = rest.split(|address| stray(address, &fronts));
    let (volumes, ours) = rest.split(|address| stray(address, &[EbsVolume::KIND.name]));
    // Files and secrets last, all at the same moment: the bucket removes many versions in one call.
    let (files, ours) = ours.split(|address| FILES.contains(&address.kind()));
    let mut outcome = Outcome::default();
    for stage in [front, ours, volumes, files].into_iter().filter(|stage| !stage.plan.is_empty()) {
        if !outcome.is_through() {
            outcome.skipped.extend(stage.plan.changes.into_iter().map(|change| change.address));
            continue;
        }
        outcome.absorb(run.execute(state, &stage).await);
    }
    outcome
}

/// Deletes the files of the machines, the record, and last the lease; then returns the keys of others that keep the
/// bucket.
///
/// Nothing is deleted without the lease: it is confirmed each time, and is kept until everything else is gone, so that no
/// other run can start in between.
async fn empty_store(run: &mut Run<'_>, bucket: &ExecutablePlan) -> Result<Vec<String>, Failure> {
    let Run { context, lock } = run;
    lock.confirm().await?;
    erase_files(context, lock).await?;
    lock.seal().await;
    for key in [record_key(context.name()), lease_key(context.name())] {
        lock.confirm().await?;
        patiently(context, || context.store.erase(&key)).await?;
    }
    // The run has deleted the lease itself: it cannot be released, and soon its store is gone too.
    *lock = RunLock::NoStore;
    // If the store is a directory, files of others in it are not in the bucket.
    if !bucket.plan.is_empty() && matches!(context.cluster.state, StateLocation::S3 { .. }) {
        return patiently(context, || context.store.leftovers()).await;
    }
    Ok(Vec::new())
}

/// Deletes the files of the machines and the secrets. The lease is renewed meanwhile, as there may be many versions.
async fn erase_files(context: &ClusterContext<'_>, lock: &RunLock) -> Result<(), Failure> {
    let path = |path: &str| format!("{}/{path}", context.name());
    let folders = [KeyPrefix::Bootstrap, KeyPrefix::Nodes, KeyPrefix::Snapshots].map(|folder| path(folder.path()));
    // Keys of another tool may be in the same directory as the secrets.
    let mut keys: Vec<String> = SecretContent::ALL.iter().map(|secret| path(&secret.path())).collect();
    if matches!(context.cluster.state, StateLocation::Directory(_)) {
        keys.push(claim::note_key(context.name()));
    }
    tokio::select! {
        erased = patiently(context, || context.bucket.erase_all(&keys, &folders)) => erased,
        () = lock.lost() => Err(Failure::own(FailureClass::Fatal, "empty", "the lease is lost: another run works on this cluster")),
    }
}

/// Scans again for objects with the cluster's tags and recorded objects. A bucket that others use may stay.
async fn remaining_objects(context: &ClusterContext<'_>, end: &DestroyProgress) -> Result<Option<Vec<Live>>, CliError> {
    let mut poll = PollLoop::every(context.retry.settle).at_most(SCANS);
    loop {
        let left = context.interrupt.or(remains(context, end)).await?.map_err(CliError::cloud("the last refresh"))?;
        if left.iter().all(|live| stays(end, live)) || !context.interrupt.or(poll.again()).await? {
            return Ok(Some(left));
        }
    }
}

async fn remains(context: &ClusterContext<'_>, end: &DestroyProgress) -> Result<Vec<Live>, Failure> {
    let observed = patiently(context, || context.cloud.observe()).await?;
    let mut recorded = end.recorded.clone();
    // What the run has deleted is gone, whatever its tags were.
    let deleted: BTreeSet<&Address> = end.outcome.done.iter().collect();
    recorded.retain(|address, _| !deleted.contains(address));
    recorded.retain(|address, _| observed.unreachable.is_none() || !is_kubernetes(address.kind()));
    let mut live = observed.live;
    if !recorded.is_empty() {
        live.extend(patiently(context, || context.cloud.recall(&recorded)).await?.live);
    }
    live.extend(patiently(context, || context.cloud.unmanaged()).await?);
    live.retain(|live| live.proven || end.recorded.get(&live.address) == Some(&live.id));
    live.retain(|live| !end.locations.is_elsewhere(context.name(), live));
    // The bucket is found by its name, and again by the record.
    let mut distinct = BTreeSet::new();
    live.retain(|live| distinct.insert((live.address.clone(), live.id.clone())));
    Ok(live)
}

/// Returns `true` for an object that is left on purpose: a bucket that others use, or whose only proof is the record.
fn stays(end: &DestroyProgress, live: &Live) -> bool {
    live.address.kind() == Bucket::KIND.name && (!end.others.is_empty() || !live.proven)
}

/// Reports the result of the plan, and the objects that are left.
fn show_result(
    run: &Run<'_>,
    document: &PlanDocument,
    end: &DestroyProgress,
    left: Result<Option<Vec<Live>>, CliError>,
) -> Result<Exit, CliError> {
    let (left, unknown) = match left {
        Ok(left) => (left, None),
        Err(error) => (None, Some(error)),
    };
    let former = end.former.iter().map(|former| RemainingObject {
        address: Bucket::address(STATE_BUCKET),
        id: former.bucket.clone(),
        because: Some(format!("the state was there before, and {}", former.because)),
    });
    let remains = left
        .as_ref()
        .map(|left| RemainingObjects { left: left.iter().map(|live| remaining(end, live)).chain(former).collect() });
    let ui = run.context.ui;
    let result = view::outcome::OutcomeDocument::new(document, &end.outcome).with(remains);
    ui.document(&result, |style| view::outcome::text(&result, style))?;
    let exit = run.report(&end.outcome, end.written);
    if let Some(error) = unknown {
        ui.warning("the account was not scanned for remaining objects: `quorate plan --destroy` lists them");
        return if matches!(error, CliError::Interrupted) { Ok(Exit::Interrupted) } else { Err(error) };
    }
    let forgotten = left.iter().flatten().any(|live| !stays(end, live));
    Ok(if exit == Exit::Done && forgotten { Exit::Error } else { exit })
}

fn remaining(end: &DestroyProgress, live: &Live) -> RemainingObject {
    let because = stays(end, live).then(|| {
        if end.others.is_empty() {
            return "its tags were taken away, so nothing shows that it is the cluster's: if it is, remove it by hand"
                .to_owned();
        }
        kept_by_others(&end.others)
    });
    RemainingObject { address: live.address.clone(), id: live.id.clone(), because }
}
