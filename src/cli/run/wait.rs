//! Repeated observation: after a temporary failure, and until two observations agree.

use std::time::Duration;

use crate::cli::error::CliError;
use crate::engine::{Failure, Live, ObjectPhase, Observation, PollLoop, repeat};

use super::ClusterContext;

/// Number of attempts before a failure is returned.
const ATTEMPTS: u32 = 5;
/// Maximum number of observations until the cloud counts as settled.
const OBSERVATIONS: u32 = 10;

/// Reads something, and retries while the failure is temporary.
pub(in crate::cli) async fn patiently<T, F>(context: &ClusterContext<'_>, read: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    repeat(ATTEMPTS, |attempt| context.retry.base * 2_u32.pow(attempt), read).await
}

/// Returns the account: the first answer is kept.
pub(in crate::cli) async fn account(context: &ClusterContext<'_>) -> Result<String, CliError> {
    let account = context.interrupt.or(patiently(context, || context.cloud.account())).await?;
    account.map_err(CliError::cloud("asking for the account"))
}

/// Observes until two consecutive observations agree: changes of a dead run may still be taking effect.
pub(in crate::cli) async fn wait_until_stable(
    context: &ClusterContext<'_>,
    mut before: Observation,
) -> Result<Observation, CliError> {
    let pause = context.retry.settle.max(Duration::from_millis(1));
    // The first observation was made before.
    let mut poll = PollLoop::every(pause).at_most(1 + OBSERVATIONS);
    while context.interrupt.or(poll.again()).await? {
        let now = context.interrupt.or(patiently(context, || context.cloud.observe())).await?;
        let now = now.map_err(CliError::cloud("observing AWS"))?;
        if fingerprint(&now.live) == fingerprint(&before.live) {
            return Ok(now);
        }
        before = now;
    }
    context.ui.warning("the cloud is still changing; the plan may have to be made again");
    Ok(before)
}

/// Returns what distinguishes two observations, independent of the order of their answers.
fn fingerprint(live: &[Live]) -> Vec<(String, String, ObjectPhase, usize)> {
    let mut entries: Vec<_> =
        live.iter().map(|live| (live.address.to_string(), live.id.clone(), live.phase, live.members.len())).collect();
    entries.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    entries
}
