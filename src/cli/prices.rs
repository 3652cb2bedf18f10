//! The prices that a cost is estimated with: those of the user, those that are shipped, and those that AWS answers.

use std::path::PathBuf;
use std::time::Duration;

use crate::analysis::cost::{PriceTable, missing_prices};
use crate::engine::{ExecutablePlan, Failure, FailureClass};

use super::error::CliError;
use super::price_cache::PriceCache;
use super::{ClusterContext, Session};

/// The variable with the path of a table of prices.
const VARIABLE: &str = "QUORATE_PRICES";
/// Maximum time to wait for the price list of AWS.
const PATIENCE: Duration = Duration::from_secs(3);

impl Session {
    /// Returns the prices: those of the file that `QUORATE_PRICES` names for its regions, and the shipped ones for all others.
    /// With the cache of those that AWS is asked for, unless the user's file has the region, or the cloud is simulated.
    pub(super) fn prices(&self, region: &str) -> Result<(PriceTable, Option<PriceCache>), CliError> {
        let cache = PriceCache::of(&self.environment).filter(|_| !self.is_sandbox());
        let Some(path) = self.environment.get(VARIABLE).map(PathBuf::from) else {
            return Ok((PriceTable::shipped(), cache));
        };
        let text =
            std::fs::read_to_string(&path).map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
        let own = PriceTable::parse(&text).map_err(|error| CliError::Usage {
            message: format!("{VARIABLE}: {} is not a table of prices: {}", path.display(), error.message()),
            hint: "make one with `data/prices --region REGION`".to_owned(),
        })?;
        let cache = cache.filter(|_| !own.has_region(region));
        Ok((PriceTable::shipped().with(own), cache))
    }
}

/// The prices for a plan, and a note if some of them are unknown because AWS could not be asked.
pub(super) struct PlanPrices {
    pub(super) table: PriceTable,
    pub(super) note: Option<String>,
}

/// Returns the prices for a plan. Those that the table does not have come from the price list of AWS, which is asked for each of
/// them at most once a month. A list that does not answer within seconds leaves them unknown.
pub(super) async fn prices_of_plan(context: &ClusterContext<'_>, run: &ExecutablePlan) -> Result<PlanPrices, CliError> {
    let mut table = context.prices.clone();
    let region = &context.cluster.region;
    let missing = missing_prices(run, region, &table);
    let asked = context.price_cache.as_ref().zip(context.cloud.price_list()).filter(|_| !missing.is_empty());
    let Some((cache, list)) = asked else { return Ok(PlanPrices { table, note: None }) };
    let lookup = cache.look_up(region, &missing, context.now);
    table.add(region, &lookup.answers);
    if lookup.open.is_empty() {
        return Ok(PlanPrices { table, note: None });
    }
    let answer = context.interrupt.or(tokio::time::timeout(PATIENCE, list.prices(&lookup.open))).await?;
    let note = match answer.ok() {
        Some(Ok(mut answers)) => {
            answers.published.get_or_insert_with(|| context.today().to_string());
            cache.keep(region, &lookup.open, &answers, context.now);
            table.add(region, &answers);
            None
        }
        failed => {
            cache.note_failure(region, context.now);
            Some(unanswered(failed.and_then(Result::err).as_ref()))
        }
    };
    Ok(PlanPrices { table, note })
}

/// Returns the note about a list that was not read; without a failure, it did not answer in time.
fn unanswered(failure: Option<&Failure>) -> String {
    let why = match failure {
        Some(failure) if failure.class == FailureClass::Denied => {
            "the permission pricing:GetProducts is missing, so AWS could not be asked for them".to_owned()
        }
        Some(failure) => format!("the price list of AWS did not answer ({})", failure.message),
        None => format!("the price list of AWS did not answer within {} seconds", PATIENCE.as_secs()),
    };
    format!("prices that this release does not have are unknown: {why}. Plans do not ask again for an hour")
}
