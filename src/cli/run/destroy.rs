//! `destroy`: everything but the bucket, then the contents of the bucket, then the bucket, then a final scan.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::{Address, ExecutablePlan, Failure, FailureClass, Live, Outcome, PlanMode, PollLoop};
use crate::resource::{
    BY_KUBERNETES, Bucket, EbsVolume, KeyPrefix, LoadBalancer, Resource, STATE_BUCKET, SecretContent, TargetGroup,
    is_kubernetes,
};
use crate::spec::StateLocation;
use crate::state::{lease_key, record_key};
use crate::view;
use crate::view::outcome::{RemainingObject, RemainingObjects};
use crate::view::plan::PlanDocument;

use super::ClusterContext;
use super::apply::{self, Consent, ask, change};
use super::claim;
use super::foreign_cluster::{ForeignClusterPolicy, KnownLocations};
use super::former::{self, FormerCluster, FormerRemains, kept_by_others};
use super::planned_run::draft;
use super::run_lock::{RunLock, open_run};
use super::snapshot::{ClusterSnapshot, snapshot_when_stable};
use super::state_writer::StateWriter;
use super::temporary_access::TemporaryAccess;
use super::wait::patiently;

/// Number of scans for remaining objects: deleted objects may still be listed for a while.
const LOOKS: u32 = 5;

/// Deletes the cluster. Asks for its name; without a prompt, data is deleted only if that is allowed too.
pub async fn destroy(context: &ClusterContext<'_>, consent: Consent) -> Result<Exit, CliError> {
    let mut lock = open_run(context, "destroy").await?;
    // Objects of controllers are deleted with their Kubernetes objects, and that needs access to the API.
    let work = async {
        let exit = Box::pin(run(context, &mut lock, consent)).await;
        lock.end(context).await;
        exit
    };
    TemporaryAccess::during(context, false, work).await
}

async fn run(context: &ClusterContext<'_>, lock: &mut RunLock, consent: Consent) -> Result<Exit, CliError> {
    let snapshot = snapshot_when_stable(context, lock, ForeignClusterPolicy::LeftBeside).await?;
    let draft = draft(context, &snapshot, PlanMode::Destroy).await?;
    let document = draft.document(context, &snapshot);
    context.ui.text(&view::plan::text(&document, context.ui.style()));
    draft.show_notes(context);
    if let Err(refused) = permit(context, &document, consent).await {
        context.ui.json(&document)?;
        return Err(refused);
    }
    if lock.is_lost() {
        return Err(CliError::Overtaken);
    }
    let end = demolish(context, lock, draft.prepared, snapshot).await?;
    let left = if end.outcome.is_through() { remaining_objects(context, &end).await } else { Ok(None) };
    show_result(context, lock, &document, &end, left)
}

/// Returns an error unless the cluster may be deleted. Typing its name confirms everything; a flag confirms only its part.
async fn permit(context: &ClusterContext<'_>, document: &PlanDocument, consent: Consent) -> Result<(), CliError> {
    let backups = format!("{}/{}", context.name(), KeyPrefix::Snapshots.path());
    let backups = context.interrupt.or(patiently(context, || context.bucket.list(&backups))).await?;
    let backups = backups.map_err(CliError::cloud("looking for snapshots of etcd"))?.len();
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

async fn demolish(
    context: &ClusterContext<'_>,
    lock: &mut RunLock,
    prepared: ExecutablePlan,
    snapshot: ClusterSnapshot,
) -> Result<DestroyProgress, CliError> {
    let (bucket, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
    let stored = matches!(lock, RunLock::Leased { .. });
    let mut writer = StateWriter::open(context, &snapshot.facts, snapshot.record, snapshot.journal);
    let recorded = writer.ids();
    if stored && !rest.plan.is_empty() {
        writer.record_start(context, "destroy").await?;
    }
    if !rest.plan.is_empty() {
        release(context, lock, snapshot.unreachable.as_ref()).await;
    }
    let outcome = pull_down(context, lock, rest, &mut writer).await;
    let locations = snapshot.locations;
    let mut end =
        DestroyProgress { outcome, others: Vec::new(), recorded, locations, former: Vec::new(), written: true };
    if !end.outcome.is_through() {
        end.written = !stored || writer.finish(context, None, true).await;
        return Ok(end);
    }
    for place in writer.record.moved_from.clone() {
        match former::clear(context, lock, &place, &writer.record.lineage, FormerCluster::Gone).await {
            Ok(left) => end.former.extend(left),
            Err(error) => {
                // The record stays, which says where the state was.
                context.ui.report(&error.report());
                let message = format!("{place}, where the state was before, still holds the cluster's keys");
                end.outcome
                    .failed
                    .push((Bucket::address(STATE_BUCKET), Failure::own(FailureClass::Fatal, "empty", message)));
                end.written = !stored || writer.finish(context, None, true).await;
                return Ok(end);
            }
        }
    }
    if stored {
        match empty_store(context, lock, &bucket).await {
            Ok(others) => end.others = others,
            Err(failure) => {
                end.outcome.failed.push((Bucket::address(STATE_BUCKET), failure));
                return Ok(end);
            }
        }
    }
    if end.others.is_empty() && !bucket.plan.is_empty() {
        end.outcome.absorb(change(context, lock, &bucket, &writer.record.objects, writer.seed()).await);
    }
    Ok(end)
}

/// Lets the cluster's controllers delete their objects, unless their API is unreachable. A failure is no problem: the
/// objects are also found by their tags.
async fn release(context: &ClusterContext<'_>, lock: &RunLock, unreachable: Option<&Failure>) {
    if unreachable.is_some() {
        return;
    }
    let note = |told: String| context.ui.note(&told);
    let released = tokio::select! {
        released = context.interrupt.or(context.cloud.release(&note)) => released,
        () = lock.lost() => return,
    };
    if let Ok(Err(failure)) = released {
        context.ui.note(&format!("the controllers did not delete their objects ({}); continuing", failure.message));
    }
}

/// Deletes everything but the bucket: first load balancers of controllers in front of the machines, then the cluster's own
/// objects, then volumes that machines have held until then. If one of these fails, the next one is not started.
async fn pull_down(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    rest: ExecutablePlan,
    writer: &mut StateWriter,
) -> Outcome {
    let stray = |address: &Address, kinds: &[&str]| {
        address.name().starts_with(BY_KUBERNETES) && kinds.contains(&address.kind())
    };
    let fronts = [LoadBalancer::KIND.name, TargetGroup::KIND.name];
    let (front, rest) = rest.split(|address| stray(address, &fronts));
    let (volumes, ours) = rest.split(|address| stray(address, &[EbsVolume::KIND.name]));
    let mut outcome = Outcome::default();
    for stage in [front, ours, volumes].into_iter().filter(|stage| !stage.plan.is_empty()) {
        if !outcome.is_through() {
            outcome.skipped.extend(stage.plan.changes.into_iter().map(|change| change.address));
            continue;
        }
        let ended = change(context, lock, &stage, &writer.record.objects, writer.seed()).await;
        writer.note(&ended);
        outcome.absorb(ended);
    }
    outcome
}

/// Deletes the files of the machines, the record, and last the lease; then returns the keys of others that keep the
/// bucket.
///
/// Nothing is deleted without the lease: it is confirmed each time, and is kept until everything else is gone, so that no
/// other run can start in between.
async fn empty_store(
    context: &ClusterContext<'_>,
    lock: &mut RunLock,
    bucket: &ExecutablePlan,
) -> Result<Vec<String>, Failure> {
    lock.seal().await;
    for &folder in KeyPrefix::ALL {
        match folder {
            // Keys of another tool may be in the same directory.
            KeyPrefix::Pki => erase_secrets(context, lock).await?,
            KeyPrefix::Bootstrap | KeyPrefix::Nodes | KeyPrefix::Snapshots => {
                lock.confirm().await?;
                let prefix = format!("{}/{}", context.name(), folder.path());
                patiently(context, || context.bucket.purge(&prefix)).await?;
            }
        }
    }
    if matches!(context.cluster.state, StateLocation::Directory(_)) {
        lock.confirm().await?;
        let note = claim::note_key(context.name());
        patiently(context, || context.bucket.erase(&note)).await?;
    }
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

async fn erase_secrets(context: &ClusterContext<'_>, lock: &RunLock) -> Result<(), Failure> {
    for secret in SecretContent::ALL {
        lock.confirm().await?;
        let key = format!("{}/{}", context.name(), secret.path());
        patiently(context, || context.bucket.erase(&key)).await?;
    }
    Ok(())
}

/// Scans again for objects with the cluster's tags and recorded objects. A bucket that others use may stay.
async fn remaining_objects(context: &ClusterContext<'_>, end: &DestroyProgress) -> Result<Option<Vec<Live>>, CliError> {
    let mut poll = PollLoop::every(context.retry.settle).at_most(LOOKS);
    loop {
        let left = context.interrupt.or(remains(context, end)).await?.map_err(CliError::cloud("the last look"))?;
        if left.iter().all(|live| stays(end, live)) || !context.interrupt.or(poll.again()).await? {
            return Ok(Some(left));
        }
    }
}

async fn remains(context: &ClusterContext<'_>, end: &DestroyProgress) -> Result<Vec<Live>, Failure> {
    let observed = patiently(context, || context.cloud.observe()).await?;
    let mut recorded = end.recorded.clone();
    recorded.retain(|address, _| observed.unreachable.is_none() || !is_kubernetes(address.kind()));
    let mut live = observed.live;
    live.extend(patiently(context, || context.cloud.recall(&recorded)).await?.live);
    live.extend(patiently(context, || context.cloud.unmanaged()).await?);
    live.retain(|live| live.proven || end.recorded.get(&live.address) == Some(&live.id));
    live.retain(|live| !end.locations.is_elsewhere(context.name(), live));
    // The bucket is found by its name, and again by the record.
    let mut seen = BTreeSet::new();
    live.retain(|live| seen.insert((live.address.clone(), live.id.clone())));
    Ok(live)
}

/// Returns `true` for an object that is left on purpose: a bucket that others use, or whose only proof is the record.
fn stays(end: &DestroyProgress, live: &Live) -> bool {
    live.address.kind() == Bucket::KIND.name && (!end.others.is_empty() || !live.proven)
}

/// Reports the result of the plan, and the objects that are left.
fn show_result(
    context: &ClusterContext<'_>,
    lock: &RunLock,
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
    let told = view::outcome::OutcomeDocument::new(document, &end.outcome).with(remains);
    context.ui.document(&told, |style| view::outcome::text(&told, style))?;
    let through = apply::end(context, lock, &end.outcome, end.written);
    if let Some(error) = unknown {
        context.ui.warning("the account was not scanned for remaining objects: `quorate plan --destroy` lists them");
        return if matches!(error, CliError::Interrupted) { Ok(Exit::Interrupted) } else { Err(error) };
    }
    let forgotten = left.iter().flatten().any(|live| !stays(end, live));
    Ok(if through == Exit::Done && forgotten { Exit::Error } else { through })
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
