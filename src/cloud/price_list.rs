//! The boundary to the price list of a cloud.

use std::collections::BTreeSet;

use crate::engine::{BoxFuture, Failure};
use crate::resource::{PriceAnswers, PriceName};

/// The price list of the cluster's region.
pub trait PriceList: Send + Sync {
    /// Returns prices, in one hop. One call for each.
    fn prices<'a>(&'a self, names: &'a BTreeSet<PriceName>) -> BoxFuture<'a, Result<PriceAnswers, Failure>>;
}
