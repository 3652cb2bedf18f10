//! Former places of the state: emptied once nothing of the cluster reads from them any more.

use crate::cli::error::CliError;
use crate::engine::{ExecutablePlan, Failure, WriteCondition};
use crate::resource::{Bucket, KeyPrefix, Resource, Role, STATE_BUCKET, SecretContent};
use crate::spec::StateLocation;
use crate::state::{self, MoveLeg, RecordEntry, lease_key, record_key, settle};
use crate::words;

use super::claim;
use super::run_lock::RunLock;
use super::wait::patiently;
use super::{ClusterContext, Run};

/// Maximum number of other keys that are listed.
const NAMED: usize = 5;

/// A bucket of a former place that stays.
pub(in crate::cli) struct FormerRemains {
    /// The bucket.
    pub(in crate::cli) bucket: String,
    /// The reason.
    pub(in crate::cli) because: String,
}

/// The cluster whose state moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum FormerCluster {
    /// The cluster runs, and reads from the new place.
    Living,
    /// The cluster was destroyed: nothing of it is needed.
    Gone,
}

/// Returns whether no machine reads from a former place any more: all that the plan changes is what roles allow.
pub(in crate::cli) fn is_unused(prepared: &ExecutablePlan) -> bool {
    prepared.plan.held.is_empty() && prepared.plan.changes.iter().all(|change| change.address.kind() == Role::KIND.name)
}

/// Empties a former location of what the cluster has in the new one, or returns why it stays as it is. Snapshots that
/// machines wrote there after the move are copied first.
///
/// Nothing of a living cluster is removed unless each key that machines trust is in the new place, with the same content.
pub(in crate::cli) async fn clear(
    run: &Run<'_>,
    state: &str,
    lineage: &str,
    cluster: FormerCluster,
) -> Result<Option<FormerRemains>, CliError> {
    let Run { context, lock } = run;
    // No release writes a text that is no place.
    let Ok(location) = StateLocation::parse(state) else { return Ok(None) };
    let former = context.at(&location).await?;
    check(context, &former, lineage).await?;
    if cluster == FormerCluster::Living && is_elsewhere(context, &former) {
        prove_keys(context, &former).await?;
        keep_snapshots(context, lock, &former).await.map_err(CliError::cloud("copying snapshots of etcd"))?;
    }
    empty(context, lock, &former).await
}

/// Returns the reason why a bucket with keys of others stays.
pub(in crate::cli) fn kept_by_others(keys: &[String]) -> String {
    format!("others keep something in it: {}", words::first(keys, NAMED))
}

/// Refuses a place that does not say that this very state moved away from it.
async fn check(context: &ClusterContext<'_>, former: &ClusterContext<'_>, lineage: &str) -> Result<(), CliError> {
    let mut journal = state::open(former.store.clone(), context.name());
    let entry =
        context.interrupt.or(journal.read_entry()).await?.map_err(CliError::state("reading the former record"))?;
    let found = match &entry {
        // The mark goes last: a run that was killed has removed it.
        RecordEntry::Absent => return Ok(()),
        RecordEntry::Marker(marker) if marker.lineage == lineage && matches!(marker.leg, MoveLeg::MovedTo(_)) => {
            return Ok(());
        }
        RecordEntry::Marker(_) => "the mark of another move",
        RecordEntry::Record(_) => "a record that is in use",
    };
    Err(CliError::refused(
        format!("{} holds {found}, so it stays as it is", journal.place()),
        "find out which cluster it belongs to; remove it by hand if it belongs to none",
    ))
}

/// Returns whether the machines' files were in another place than now; of a directory on this machine, only the record was.
fn is_elsewhere(context: &ClusterContext<'_>, former: &ClusterContext<'_>) -> bool {
    former.bucket.location() != context.bucket.location()
}

/// Checks that the new location contains what cannot be created again.
async fn prove_keys(context: &ClusterContext<'_>, former: &ClusterContext<'_>) -> Result<(), CliError> {
    let doing = || CliError::cloud("comparing the cluster's keys");
    for secret in SecretContent::ALL {
        let key = format!("{}/{}", context.name(), secret.path());
        let Some(old) = patiently(context, || former.bucket.get(&key)).await.map_err(doing())? else { continue };
        let new = patiently(context, || context.bucket.get(&key)).await.map_err(doing())?;
        // A join token may be a new one.
        let is_kept = new.is_some_and(|new| secret.instead().is_none() || new.bytes == old.bytes);
        if !is_kept {
            let (from, to) = (former.bucket.location(), context.bucket.location());
            return Err(CliError::refused(
                format!("{to} does not hold the {} that is in {from}, so {from} stays as it is", secret.name()),
                format!("the bucket keeps old versions: restore {key} in {to}, then apply again"),
            ));
        }
    }
    Ok(())
}

/// Copies the snapshots that only the former place has.
async fn keep_snapshots(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    former: &ClusterContext<'_>,
) -> Result<(), Failure> {
    let prefix = format!("{}/{}", context.name(), KeyPrefix::Snapshots.path());
    let there = patiently(context, || context.bucket.list(&prefix)).await?;
    for key in patiently(context, || former.bucket.list(&prefix)).await? {
        if there.contains(&key) {
            continue;
        }
        lock.confirm().await?;
        let Some(snapshot) = patiently(context, || former.bucket.get(&key)).await? else { continue };
        settle::put(context.bucket.as_ref(), &key, &snapshot.bytes, &WriteCondition::Absent).await?;
    }
    Ok(())
}

/// Removes what the cluster has there: its keys first, the mark of the move last, then the bucket if it is the cluster's.
async fn empty(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    former: &ClusterContext<'_>,
) -> Result<Option<FormerRemains>, CliError> {
    let doing = || CliError::cloud("emptying the former place of the state");
    let elsewhere = is_elsewhere(context, former);
    if elsewhere {
        empty_folders(context, lock, former).await.map_err(doing())?;
    }
    for key in [lease_key(context.name()), record_key(context.name())] {
        lock.confirm().await.map_err(doing())?;
        patiently(context, || former.store.erase(&key)).await.map_err(doing())?;
    }
    if elsewhere { remove_bucket(context, lock, former).await.map_err(doing()) } else { Ok(None) }
}

async fn empty_folders(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    former: &ClusterContext<'_>,
) -> Result<(), Failure> {
    for secret in SecretContent::ALL {
        lock.confirm().await?;
        let key = format!("{}/{}", context.name(), secret.path());
        patiently(context, || former.bucket.erase(&key)).await?;
    }
    lock.confirm().await?;
    let note = claim::note_key(context.name());
    patiently(context, || former.bucket.erase(&note)).await?;
    for &folder in KeyPrefix::ALL.iter().filter(|folder| **folder != KeyPrefix::Pki) {
        lock.confirm().await?;
        let prefix = format!("{}/{}", context.name(), folder.path());
        patiently(context, || former.bucket.purge(&prefix)).await?;
    }
    Ok(())
}

/// Removes the bucket that was made for the cluster, unless it holds the new state or something of others.
async fn remove_bucket(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    former: &ClusterContext<'_>,
) -> Result<Option<FormerRemains>, Failure> {
    let address = Bucket::address(STATE_BUCKET);
    let name_of = |found: Vec<crate::engine::Live>| found.into_iter().next();
    let own = name_of(patiently(context, || context.cloud.find(&address)).await?);
    let Some(bucket) = name_of(patiently(context, || former.cloud.find(&address)).await?) else { return Ok(None) };
    if !bucket.proven || own.is_some_and(|own| own.id == bucket.id) {
        return Ok(None);
    }
    let others = patiently(context, || former.bucket.leftovers()).await?;
    if others.is_empty() {
        lock.confirm().await?;
        former.cloud.delete(&bucket, &|_| ()).await?;
        return Ok(None);
    }
    Ok(Some(FormerRemains { bucket: bucket.id, because: kept_by_others(&others) }))
}
