//! The marks under the key of a record while the state moves to another place, and after it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClusterRecord, StateError, record};

/// The format of a marker: newer than that of a record, so that a release which knows no markers refuses it.
pub(super) const FORMAT: u32 = 2;

/// The mark that the state of a cluster moves, under the key of its record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveMarker {
    /// The version of this format.
    pub format: u32,
    /// The other place: the state went there, or comes from there.
    #[serde(flatten)]
    pub leg: MoveLeg,
    /// The cluster's name.
    pub cluster: String,
    /// The life of the cluster whose state moves.
    pub lineage: String,
    /// The run that wrote the mark.
    pub run: String,
    /// When it was written, by the clock of the machine that did.
    pub written: Timestamp,
    /// The record that moves, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<ClusterRecord>,
}

/// The end of a move that a marker is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveLeg {
    /// The state was here. It is in this place now, or a move there has begun to switch.
    MovedTo(String),
    /// The state is being copied here from this place, where it still is.
    MovingFrom(String),
}

/// The entry under the key of a cluster's record.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordEntry {
    /// Nothing.
    Absent,
    /// The record.
    Record(Box<ClusterRecord>),
    /// The mark of a move.
    Marker(Box<MoveMarker>),
}

/// The part that distinguishes a marker from a record.
#[derive(Deserialize)]
struct Head {
    format: u32,
    #[serde(default)]
    moved_to: Option<String>,
    #[serde(default)]
    moving_from: Option<String>,
}

impl MoveMarker {
    /// The mark of a record that goes to another place, with the record.
    pub fn moved_to(place: &str, record: &ClusterRecord, run: &str, now: Timestamp) -> Self {
        let leg = MoveLeg::MovedTo(place.to_owned());
        Self { record: Some(record.clone()), ..Self::new(leg, record, run, now) }
    }

    /// The mark of the place that the state of a record is copied to.
    pub fn moving_from(place: &str, record: &ClusterRecord, run: &str, now: Timestamp) -> Self {
        Self::new(MoveLeg::MovingFrom(place.to_owned()), record, run, now)
    }

    fn new(leg: MoveLeg, record: &ClusterRecord, run: &str, written: Timestamp) -> Self {
        let (cluster, lineage) = (record.cluster.clone(), record.lineage.clone());
        Self { format: FORMAT, leg, cluster, lineage, run: run.to_owned(), written, record: None }
    }

    /// The refusal to take the mark for a record.
    pub(super) fn refusal(&self, place: &str) -> StateError {
        let place = place.to_owned();
        match &self.leg {
            MoveLeg::MovedTo(to) => StateError::MovedAway { place, to: to.clone() },
            MoveLeg::MovingFrom(from) => StateError::MoveUnfinished { place, from: from.clone() },
        }
    }
}

impl RecordEntry {
    /// Reads what stands under the key of a record; `place` is where it came from, for the message.
    ///
    /// # Errors
    /// When it is neither a record nor a marker, or one of a newer format.
    pub fn from_bytes(bytes: &[u8], place: &str) -> Result<Self, StateError> {
        let head: Result<Head, _> = serde_json::from_slice(bytes);
        let is_marker = |head: &Head| head.format == FORMAT && (head.moved_to.is_some() || head.moving_from.is_some());
        if head.is_ok_and(|head| is_marker(&head)) {
            return Ok(Self::Marker(Box::new(record::parse(bytes, FORMAT, place)?)));
        }
        Ok(Self::Record(Box::new(record::parse(bytes, record::FORMAT, place)?)))
    }

    /// The cluster that it is about, and its life.
    pub fn lineage(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Record(record) => Some(&record.lineage),
            Self::Marker(marker) => Some(&marker.lineage),
        }
    }

    pub(super) fn cluster(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Record(record) => Some(&record.cluster),
            Self::Marker(marker) => Some(&marker.cluster),
        }
    }
}
