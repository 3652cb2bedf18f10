//! Looking again: after a failure that passes, and until two looks agree.

use std::time::Duration;

use crate::cli::error::CliError;
use crate::engine::{Failure, Live, Phase, repeat};

use super::Flow;

/// How often a look is tried before its failure counts.
const ATTEMPTS: u32 = 5;
/// How many looks it takes at most until the cloud counts as settled.
const LOOKS: u32 = 10;

/// Reads something, again while the failure is one that passes.
pub(super) async fn patiently<T, F>(flow: &Flow<'_>, read: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    repeat(ATTEMPTS, |attempt| flow.retry.base * 2_u32.pow(attempt), read).await
}

/// Whose account this is: the answer of the first time is kept.
pub(super) async fn account(flow: &Flow<'_>) -> Result<String, CliError> {
    let account = flow.interrupt.or(patiently(flow, || flow.cloud.account())).await?;
    account.map_err(CliError::cloud("asking for the account"))
}

/// Looks until two looks in a row agree: what a dead run had sent may still be taking effect.
pub(super) async fn settle(flow: &Flow<'_>, mut seen: Vec<Live>) -> Result<Vec<Live>, CliError> {
    let pause = flow.retry.settle.max(Duration::from_millis(1));
    for _ in 0..LOOKS {
        flow.interrupt.or(tokio::time::sleep(pause)).await?;
        let looked = flow.interrupt.or(patiently(flow, || flow.cloud.observe())).await?;
        let looked = looked.map_err(CliError::cloud("looking at the cloud"))?;
        if fingerprint(&looked) == fingerprint(&seen) {
            return Ok(looked);
        }
        seen = looked;
    }
    flow.ui.warning("the cloud is still changing; the plan may have to be made again");
    Ok(seen)
}

/// What tells two looks apart, whatever the order of their answers.
fn fingerprint(live: &[Live]) -> Vec<(String, String, Phase, usize)> {
    let mut seen: Vec<_> =
        live.iter().map(|live| (live.address.to_string(), live.id.clone(), live.phase, live.members.len())).collect();
    seen.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    seen
}
