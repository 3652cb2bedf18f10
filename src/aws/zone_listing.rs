//! The list of the account's hosted zones, shared by the callers that need it at the same moment.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::engine::Failure;

/// Maximum age of a listing that one caller may pass to the other.
const FRESH: Duration = Duration::from_secs(5);

/// A hosted zone, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedZone {
    /// Its id, without `/hostedzone/`.
    pub(super) id: String,
    /// Its domain: lower case, no final dot.
    pub(super) name: String,
    /// `true` if the zone is visible to VPCs only.
    pub(super) private: bool,
    /// The comment, which describes its purpose.
    pub(super) comment: String,
}

/// The callers that need the list of zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListingUser {
    /// The facts.
    Facts,
    /// An observation.
    Observation,
}

/// A listing that one caller has left for the other: a plan reads the facts and observes at the same moment.
///
/// Each listing is passed on at most once, and never from one observation to the next.
#[derive(Debug, Default)]
pub(super) struct SharedListing(Mutex<Option<ZoneListing>>);

#[derive(Debug)]
struct ZoneListing {
    by: ListingUser,
    at: Instant,
    zones: Vec<ListedZone>,
}

impl SharedListing {
    /// Makes all callers list again: a zone was created or deleted.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }

    /// Returns the listing that the other caller has left, or lists.
    pub(super) async fn get_or_list<F>(
        &self,
        user: ListingUser,
        list: impl FnOnce() -> F,
    ) -> Result<Vec<ListedZone>, Failure>
    where
        F: Future<Output = Result<Vec<ListedZone>, Failure>>,
    {
        // Held while listing, so that who asks meanwhile waits for the answer and takes it.
        let mut left = self.0.lock().await;
        if let Some(listing) = left.take()
            && listing.by != user
            && listing.at.elapsed() < FRESH
        {
            return Ok(listing.zones);
        }
        let zones = list().await?;
        *left = Some(ZoneListing { by: user, at: Instant::now(), zones: zones.clone() });
        Ok(zones)
    }
}
