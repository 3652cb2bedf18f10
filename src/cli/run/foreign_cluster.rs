//! Clusters of the same name: identifies the one at the location that the file gives.

use crate::blueprint;
use crate::cli::error::CliError;
use crate::engine::Live;
use crate::resource::{ClusterLocation, LocationTraces};
use crate::spec::StateLocation;
use crate::state::ClusterRecord;

use super::ClusterContext;

/// The handling of objects of a cluster of the same name at another location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ForeignClusterPolicy {
    /// The run is refused: what both would share (roles, names) exists only once.
    Refused,
    /// The objects are left, if a record shows that this cluster exists too; without a record the run is refused.
    LeftBeside,
    /// The objects are left.
    Left,
}

/// The current and former locations of the cluster.
#[derive(Debug, Clone)]
pub(in crate::cli) struct KnownLocations {
    location: ClusterLocation,
    /// Locations before this one: its objects may still name them.
    former: Vec<ClusterLocation>,
}

impl KnownLocations {
    pub(in crate::cli) fn new(context: &ClusterContext<'_>, account: &str, record: Option<&ClusterRecord>) -> Self {
        let former = record.map(|record| context.former_locations(&record.moved_from, account)).unwrap_or_default();
        Self { location: blueprint::location(&context.cluster, account), former }
    }

    /// Returns `true` if an object names another location of its cluster.
    pub(in crate::cli) fn is_elsewhere(&self, cluster: &str, live: &Live) -> bool {
        self.leads_away(&LocationTraces::of(cluster, live))
    }

    fn leads_away(&self, traces: &LocationTraces) -> bool {
        std::iter::once(&self.location).chain(&self.former).all(|location| location.contradicts(traces))
    }

    /// Returns the location of the other cluster, if one of these objects names one.
    pub(in crate::cli) fn elsewhere(&self, cluster: &str, lives: &[Live]) -> Option<ClusterLocation> {
        let traces =
            lives.iter().map(|live| LocationTraces::of(cluster, live)).filter(|traces| self.leads_away(traces));
        let LocationTraces { region, state } = traces.reduce(LocationTraces::or)?;
        let (region, state) = (region.unwrap_or_default(), state.unwrap_or_default());
        Some(ClusterLocation { region: if region.is_empty() { self.location.region.clone() } else { region }, state })
    }

    /// Returns the error that refuses to continue beside the other cluster.
    pub(in crate::cli) fn refusal(&self, context: &ClusterContext<'_>, other: &ClusterLocation) -> CliError {
        let name = context.name();
        let whose = match (&context.cluster.state, other.state.as_str()) {
            (_, "") => String::new(),
            (StateLocation::Directory(_), state) => format!(", its machines start from {state}"),
            (StateLocation::S3 { .. }, state) => format!(", its state is in {state}"),
        };
        let message = format!("{name} lives in {}{whose}", other.region);
        let here = format!("this file is for {} with {}", self.location.region, self.location.state);
        let hint = if other.region == self.location.region {
            "put `state` back as it was, or move it: `quorate state move` brings the cluster's keys and its record here. A \
             second cluster needs another name"
        } else {
            "give this cluster another name: roles and DNS names of one name exist once in an account, whatever the \
             region. To work on the other cluster, use its file"
        };
        CliError::refused(format!("{message}; {here}"), hint)
    }
}
