//! The list of the region's load balancers and target groups, shared by two searches that follow each other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup};
use tokio::time::Instant;

/// Maximum age of a listing that an observation leaves for another search.
const FRESH: Duration = Duration::from_secs(5);

/// The load balancers of the newer API, and the target groups.
pub(super) type Balancers = (Vec<LoadBalancer>, Vec<TargetGroup>);

/// A listing that an observation has left for the search for objects of controllers. It is passed on at most once, and not
/// after a change.
#[derive(Debug, Default)]
pub(super) struct BalancerListing(Mutex<Option<(Instant, Balancers)>>);

impl BalancerListing {
    fn left(&self) -> MutexGuard<'_, Option<(Instant, Balancers)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a listing for the other search.
    pub(super) fn leave(&self, balancers: Balancers) {
        *self.left() = Some((Instant::now(), balancers));
    }

    /// Returns the listing of an observation a moment ago, if there is one.
    pub(super) fn take(&self) -> Option<Balancers> {
        self.left().take().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, balancers)| balancers)
    }

    /// Makes the next search list: something was created or deleted.
    pub(super) fn forget(&self) {
        *self.left() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_listing_is_passed_on_once_and_only_for_a_moment() {
        let listing = BalancerListing::default();
        listing.leave(Balancers::default());
        assert!(listing.take().is_some() && listing.take().is_none());
        listing.leave(Balancers::default());
        listing.forget();
        assert!(listing.take().is_none(), "something was changed");
        listing.leave(Balancers::default());
        tokio::time::sleep(FRESH).await;
        assert!(listing.take().is_none(), "it is old");
    }
}
