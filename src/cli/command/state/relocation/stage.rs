//! The progress of a move of the state, by the entries in both places.

use crate::cli::error::CliError;
use crate::spec::StateLocation;
use crate::state::{ClusterRecord, MoveLeg, MoveMarker, RecordEntry, lease_key};
use crate::words;

use super::Move;
use crate::cli::ClusterContext;
use crate::cli::run::wait::patiently;

/// Maximum number of blocking keys that are listed.
const NAMED: usize = 3;

/// The part of a move that is left to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// Everything.
    Copy {
        /// The record that moves.
        record: Box<ClusterRecord>,
    },
    /// The old record is marked; the new one has to be written.
    Switch {
        /// The record that moves.
        record: Box<ClusterRecord>,
    },
    /// Nothing.
    Done,
}

/// Returns the stage of the move, and refuses what is not a move.
pub(super) async fn stage(this: &Move<'_>, old: RecordEntry, new: RecordEntry) -> Result<Stage, CliError> {
    let to = this.context.cluster.state.to_string();
    let record = match old {
        RecordEntry::Record(record) => record,
        RecordEntry::Absent if is_done(this, &new) => return Ok(Stage::Done),
        RecordEntry::Absent => return Err(no_record(this.context, &this.from)),
        RecordEntry::Marker(marker) => match marker.leg {
            MoveLeg::MovedTo(ref place) if *place == to => return switched(this, *marker, new).await,
            MoveLeg::MovedTo(place) => {
                return Err(CliError::refused(
                    format!("the state moved from {} to {place}", this.from),
                    format!("quorate state move --from {place}"),
                ));
            }
            MoveLeg::MovingFrom(place) => {
                return Err(CliError::refused(
                    format!("a move of the state from {place} to {} is not finished", this.from),
                    format!("quorate state move --from {place}"),
                ));
            }
        },
    };
    fit(this, &record)?;
    match &new {
        RecordEntry::Absent => empty(this).await?,
        RecordEntry::Marker(marker) if is_arrival(this, marker, &record) => {}
        other => return Err(occupied(this, &record, other)),
    }
    Ok(Stage::Copy { record })
}

/// The stage of a move whose old record is marked.
async fn switched(this: &Move<'_>, marker: MoveMarker, new: RecordEntry) -> Result<Stage, CliError> {
    if is_done(this, &new) && new.lineage() == Some(marker.lineage.as_str()) {
        return Ok(Stage::Done);
    }
    let Some(record) = marker.record.map(Box::new) else { return Err(no_record(this.context, &this.from)) };
    match &new {
        RecordEntry::Marker(arrival) if is_arrival(this, arrival, &record) => Ok(Stage::Switch { record }),
        // The copy was removed meanwhile: the old location still has all of it.
        RecordEntry::Absent => {
            empty(this).await?;
            Ok(Stage::Copy { record })
        }
        other => Err(occupied(this, &record, other)),
    }
}

/// Returns whether the new place holds the record already.
fn is_done(this: &Move<'_>, new: &RecordEntry) -> bool {
    matches!(new, RecordEntry::Record(record) if !this.moves_files() || record.moved_from.contains(&this.from))
}

/// Returns `true` if a marker in the new location names this record as moving here, or as moved away: the rest is a
/// copy then.
fn is_arrival(this: &Move<'_>, marker: &MoveMarker, record: &ClusterRecord) -> bool {
    let from = match &marker.leg {
        MoveLeg::MovingFrom(from) | MoveLeg::MovedTo(from) => from,
    };
    marker.lineage == record.lineage && *from == this.from
}

/// Returns the place that the state went to from the new place.
pub(super) fn left_for(entry: &RecordEntry) -> Option<&str> {
    match entry {
        RecordEntry::Marker(marker) => match &marker.leg {
            MoveLeg::MovedTo(to) => Some(to),
            MoveLeg::MovingFrom(_) => None,
        },
        _ => None,
    }
}

/// Returns the place of the state that the new place names.
pub(super) fn recorded_origin(entry: &RecordEntry) -> Option<StateLocation> {
    let origin = match entry {
        RecordEntry::Absent => None,
        RecordEntry::Record(record) => record.moved_from.last().cloned(),
        RecordEntry::Marker(marker) => match &marker.leg {
            MoveLeg::MovingFrom(from) => Some(from.clone()),
            MoveLeg::MovedTo(_) => None,
        },
    };
    origin.and_then(|origin| StateLocation::parse(&origin).ok())
}

/// The places that the state was moved from, with this one.
pub(super) fn former(context: &ClusterContext<'_>, before: &[String], from: &str) -> Vec<String> {
    let own = context.cluster.state.to_string();
    let mut former: Vec<String> = before.iter().filter(|place| **place != own && *place != from).cloned().collect();
    former.push(from.to_owned());
    former
}

/// Refuses a record that cannot move as it is.
fn fit(this: &Move<'_>, record: &ClusterRecord) -> Result<(), CliError> {
    let region = &this.context.cluster.region;
    if record.account != this.account || record.region != *region {
        return Err(CliError::refused(
            format!(
                "the record in {} belongs to account {} in {}, and this is account {} in {region}",
                this.from, record.account, record.region, this.account
            ),
            "a cluster cannot change its account or its region: build another one there, under another name",
        ));
    }
    if let Some(running) = &record.in_progress {
        return Err(CliError::refused(
            format!("the last `{}` did not finish, so the state stays where it is", running.operation),
            format!("put `state = \"{}\"` back and run `quorate apply` to its end, then move the state", this.from),
        ));
    }
    let former = former(this.context, &record.moved_from, &this.from);
    if this.moves_files() && former.len() > 1 {
        return Err(CliError::refused(
            format!("an earlier move is not finished: machines may still read from {}", former[0]),
            format!(
                "put `state = \"{}\"` back and run `quorate apply` until the plan is empty, then move the state",
                this.from
            ),
        ));
    }
    Ok(())
}

/// Refuses a new place that holds something of a cluster of this name.
async fn empty(this: &Move<'_>) -> Result<(), CliError> {
    let context = this.context;
    if !this.moves_files() {
        return Ok(());
    }
    let prefix = format!("{}/", context.name());
    let found = context.interrupt.or(patiently(context, || context.bucket.list(&prefix))).await?;
    let mut found = found.map_err(CliError::cloud("listing the objects in the new location"))?;
    found.retain(|key| *key != lease_key(context.name()));
    if found.is_empty() {
        return Ok(());
    }
    Err(CliError::refused(
        format!(
            "{} holds something of a cluster of this name: {}",
            context.bucket.location(),
            words::first(&found, NAMED)
        ),
        "name another place with `state`, or remove what is there if no cluster needs it",
    ))
}

fn occupied(this: &Move<'_>, record: &ClusterRecord, other: &RecordEntry) -> CliError {
    let to = &this.context.cluster.state;
    let (message, hint) = match other {
        RecordEntry::Record(there) if there.lineage == record.lineage => (
            format!(
                "{} and {to} both hold a record of this cluster (serials {} and {})",
                this.from, record.serial, there.serial
            ),
            "one of them was probably restored from a backup: remove the older one",
        ),
        _ => (
            format!("{to} holds the record of another cluster of this name"),
            "name another place with `state`, or remove what is there if no cluster needs it",
        ),
    };
    CliError::refused(message, hint)
}

/// The refusal of an old place that holds no record.
pub(super) fn no_record(context: &ClusterContext<'_>, from: &str) -> CliError {
    CliError::refused(
        format!("there is no record of {} in {from}", context.name()),
        "name the place that `state` named before: quorate state move --from s3://BUCKET/PREFIX, or --from file:DIRECTORY",
    )
}
