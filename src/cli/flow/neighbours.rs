//! Which of several clusters of one name this is: the one that lives where the file says.

use crate::blueprint;
use crate::cli::error::CliError;
use crate::engine::Live;
use crate::resource::{ClusterLocation, LocationTraces};
use crate::spec::StateLocation;
use crate::state::Record;

use super::Flow;

/// What becomes of a run where objects of a cluster of the same name are seen that lives elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbours {
    /// It is refused: what both would have (roles, names) exists only once.
    Refused,
    /// It leaves them, if the record says that there is a cluster here too; without a record it is refused.
    LeftBeside,
    /// It leaves them.
    Left,
}

/// Where the cluster lives, and where it has lived.
#[derive(Debug, Clone)]
pub(super) struct KnownLocations {
    location: ClusterLocation,
    /// Places of its state before this one: its objects may still name them.
    former: Vec<String>,
}

impl KnownLocations {
    pub(super) fn new(flow: &Flow<'_>, account: &str, record: Option<&Record>) -> Self {
        let former = record.map(|record| record.moved_from.clone()).unwrap_or_default();
        Self { location: blueprint::location(flow.cluster, account), former }
    }

    /// Returns whether an object says that its cluster lives elsewhere.
    pub(super) fn is_elsewhere(&self, cluster: &str, live: &Live) -> bool {
        self.leads_away(&LocationTraces::of(cluster, live))
    }

    fn leads_away(&self, traces: &LocationTraces) -> bool {
        let former = self.former.iter().map(|state| ClusterLocation { state: state.clone(), ..self.location.clone() });
        std::iter::once(self.location.clone()).chain(former).all(|location| location.contradicts(traces))
    }

    /// Returns where the other cluster lives, if one of these objects tells of one.
    pub(super) fn elsewhere(&self, cluster: &str, lives: &[Live]) -> Option<ClusterLocation> {
        let traces =
            lives.iter().map(|live| LocationTraces::of(cluster, live)).filter(|traces| self.leads_away(traces));
        let LocationTraces { region, state } = traces.reduce(LocationTraces::or)?;
        let (region, state) = (region.unwrap_or_default(), state.unwrap_or_default());
        Some(ClusterLocation { region: if region.is_empty() { self.location.region.clone() } else { region }, state })
    }

    /// The refusal to go on beside it.
    pub(super) fn refusal(&self, flow: &Flow<'_>, other: &ClusterLocation) -> CliError {
        let name = flow.name();
        let whose = match (&flow.cluster.state, other.state.as_str()) {
            (_, "") => String::new(),
            (StateLocation::Directory(_), state) => format!(", its machines start from {state}"),
            (StateLocation::S3 { .. }, state) => format!(", its state is in {state}"),
        };
        let message = format!("{name} lives in {}{whose}", other.region);
        let here = format!("this file is for {} with {}", self.location.region, self.location.state);
        let hint = if other.region == self.location.region {
            "put `state` back as it was: the cluster's keys and its record are there. A second cluster needs another name"
        } else {
            "give this cluster another name: roles and DNS names of one name exist once in an account, whatever the \
             region. To work on the other cluster, use its file"
        };
        CliError::refused(format!("{message}; {here}"), hint)
    }
}
