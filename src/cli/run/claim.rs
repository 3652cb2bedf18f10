//! The owner of a cluster whose state is in a directory. AWS does not show the directory: a note in the machines'
//! bucket names the cluster's record, so that another directory with the same file is not taken for the cluster's own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cli::error::CliError;
use crate::engine::{WriteCondition, WriteOutcome};
use crate::spec::StateLocation;
use crate::state::{ClusterRecord, StateError, settle};

use super::ClusterContext;
use super::wait::patiently;

/// The version of the note's format.
const FORMAT: u32 = 1;

/// The place of a cluster's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StateNote {
    format: u32,
    /// The lineage of the cluster in the record.
    lineage: String,
    /// The directory, from the root of the disk on.
    directory: String,
    /// The machine that has it.
    host: String,
    /// The user who applied it.
    who: String,
    run: String,
    written: Timestamp,
}

/// The key of the note.
pub(in crate::cli) fn note_key(cluster: &str) -> String {
    format!("{cluster}/state.note")
}

/// Refuses a cluster whose record is in another directory than the one that the file names here.
pub(in crate::cli) async fn check(
    context: &ClusterContext<'_>,
    record: Option<&ClusterRecord>,
) -> Result<(), CliError> {
    match read(context).await? {
        Some((note, _)) if record.is_none_or(|record| record.lineage != note.lineage) => Err(refusal(context, &note)),
        _ => Ok(()),
    }
}

/// Writes into the bucket that this record is the cluster's, unless that is written already.
///
/// # Errors
/// When another run has written it for another record meanwhile.
pub(in crate::cli) async fn claim(context: &ClusterContext<'_>, record: &ClusterRecord) -> Result<(), CliError> {
    if !matches!(context.cluster.state, StateLocation::Directory(_)) {
        return Ok(());
    }
    let written = context.store.location();
    let written = written.strip_prefix("file:").unwrap_or(&written);
    let directory = std::path::absolute(written).unwrap_or_else(|_| written.into());
    let note = StateNote {
        format: FORMAT,
        lineage: record.lineage.clone(),
        directory: directory.display().to_string(),
        host: context.holder.host.clone(),
        who: context.holder.who.clone(),
        run: context.holder.run.clone(),
        written: Timestamp::now(),
    };
    let condition = match read(context).await? {
        Some((there, _)) if there.lineage != note.lineage => return Err(refusal(context, &there)),
        Some((there, _)) if there.directory == note.directory && there.host == note.host => return Ok(()),
        Some((_, etag)) => WriteCondition::Matches(etag),
        None => WriteCondition::Absent,
    };
    let bytes = serde_json::to_vec_pretty(&note)?;
    let written = settle::put(context.bucket.as_ref(), &note_key(context.name()), &bytes, &condition).await;
    match written.map_err(CliError::cloud("writing where the state is"))? {
        WriteOutcome::Yes(_) => Ok(()),
        WriteOutcome::Lost => match read(context).await? {
            Some((there, _)) if there.lineage != note.lineage => Err(refusal(context, &there)),
            _ => Ok(()),
        },
    }
}

/// The note, with its version. With the state in S3, there is none: the record itself is in the bucket.
async fn read(context: &ClusterContext<'_>) -> Result<Option<(StateNote, crate::engine::Etag)>, CliError> {
    if !matches!(context.cluster.state, StateLocation::Directory(_)) {
        return Ok(None);
    }
    let key = note_key(context.name());
    let stored = context.interrupt.or(patiently(context, || context.bucket.get(&key))).await?;
    let Some(stored) = stored.map_err(CliError::cloud("reading where the state is"))? else { return Ok(None) };
    let place = format!("{}/{key}", context.bucket.location());
    let unreadable = |source| CliError::state("reading where the state is")(StateError::Unreadable { place, source });
    let note = serde_json::from_slice(&stored.bytes).map_err(unreadable)?;
    Ok(Some((note, stored.etag)))
}

fn refusal(context: &ClusterContext<'_>, note: &StateNote) -> CliError {
    let StateNote { directory, host, who, .. } = note;
    let here = &context.cluster.state;
    CliError::refused(
        format!(
            "the state of {} is in {directory} on {host}, where {who} applied it; {here} is another one",
            context.name()
        ),
        format!(
            "work there, or copy that directory to {here}, or move the state to S3 from there with `quorate state move`. If \
             the directory cannot be restored, remove {}/{}: the next plan then adopts the cluster",
            context.bucket.location(),
            note_key(context.name())
        ),
    )
}
