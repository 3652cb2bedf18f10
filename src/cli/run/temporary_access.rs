//! Temporary access of this machine to a closed API for one run: granted when it is needed, renewed while the run lasts,
//! revoked at its end. A run that is killed leaves a grant that expires by itself.

use std::cell::Cell;
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::ClusterContext;
use super::wait::patiently;
use crate::cli::ClientOrigin;
use crate::engine::{Address, Failure, PollLoop};
use crate::resource::{AccessGrant, AllowList, Grantee, NAMESPACE};

/// Maximum time that a killed run leaves the API open.
const SPAN: SignedDuration = SignedDuration::from_hours(1);
/// Remaining time below which a run renews its grant.
const RENEWED: SignedDuration = SignedDuration::from_mins(30);
/// Remaining time above which a grant of another person or run is enough for a run.
const ENOUGH: SignedDuration = SignedDuration::from_mins(5);
/// Interval between two checks of the API's firewall.
const PAUSE: Duration = Duration::from_secs(15);
/// Number of connection attempts after the API was opened: a load balancer applies new rules within seconds.
const KNOCKS: u32 = 6;
/// Delay between two connection attempts.
const KNOCK: Duration = Duration::from_secs(3);

/// The temporary access of a run.
pub(in crate::cli) struct TemporaryAccess {
    range: Ipv4Net,
    run: String,
    /// `true` once the note that the API is open was shown; `failed` is the same for the warning: each is shown once.
    granted: Cell<bool>,
    failed: Cell<bool>,
}

/// The result of a check of the API's firewall.
enum FirewallCheck {
    /// The cluster has no firewall yet.
    NoGate,
    /// The API is open to this machine already.
    Open,
    /// The API was opened to this machine.
    Granted(AccessGrant),
}

impl TemporaryAccess {
    fn new(range: Ipv4Net, run: &str) -> Self {
        Self { range, run: run.to_owned(), granted: Cell::new(false), failed: Cell::new(false) }
    }

    /// Opens the API to this machine if the file does not, once the cluster has an API: now, or later if the run `builds` one.
    /// Returns `None` if the run wants no access, has it by the file, or this machine's address cannot be determined.
    ///
    /// The caller holds the lease: a grant of another run belongs to a dead run, and this run replaces it.
    pub(in crate::cli) async fn open(
        context: &ClusterContext<'_>,
        origin: Option<ClientOrigin>,
        builds: bool,
    ) -> Option<Self> {
        let origin = origin.filter(|_| !context.sandbox)?;
        let range = match context.interrupt.or(origin.find()).await.ok()? {
            Ok(range) => range,
            Err(error) => {
                context.ui.warning(&format!("{error}. Unless `api.allow` lets it in, --address has to name it."));
                return None;
            }
        };
        if context.cluster.api.allow.iter().any(|allowed| allowed.contains(&range)) {
            return None;
        }
        let access = Self::new(range, &context.holder.run);
        match access.check_firewall(context, true).await {
            Some(FirewallCheck::Granted(_)) => knock(context).await,
            Some(FirewallCheck::NoGate) if !builds => return None,
            Some(FirewallCheck::NoGate) => {
                context.ui.note(&format!(
                    "`api.allow` does not contain {range}: this run opens the API to it when the API exists"
                ));
            }
            Some(FirewallCheck::Open) | None => {}
        }
        Some(access)
    }

    /// Runs a run's work while the API is open to this machine: also an API that the run itself creates.
    pub(in crate::cli) async fn during<T>(
        context: &ClusterContext<'_>,
        origin: Option<ClientOrigin>,
        builds: bool,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(access) = Self::open(context, origin, builds).await else { return work.await };
        let over = CancellationToken::new();
        let work = async {
            let done = work.await;
            over.cancel();
            done
        };
        let (done, ()) = tokio::join!(work, access.extend(context, &over));
        access.end(context).await;
        done
    }

    /// Checks the API's firewall repeatedly until the work is finished.
    async fn extend(&self, context: &ClusterContext<'_>, over: &CancellationToken) {
        let mut poll = PollLoop::every(PAUSE);
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                () = poll.pause() => {}
            }
            self.check_firewall(context, false).await;
        }
    }

    /// Creates the grant that is due, and reports it. A check that has started is finished, so that nothing is granted after
    /// the end; after the second interrupt nothing is waited for.
    async fn check_firewall(&self, context: &ClusterContext<'_>, alone: bool) -> Option<FirewallCheck> {
        let checked = tokio::select! {
            () = context.interrupt.abandon.cancelled() => return None,
            checked = self.grant(context, alone) => checked,
        };
        match checked {
            Ok(FirewallCheck::Granted(grant)) => {
                if !self.granted.replace(true) {
                    context.ui.note(&format!("the API is open to {} while this run lasts", grant.range));
                }
                Some(FirewallCheck::Granted(grant))
            }
            Ok(check) => Some(check),
            Err(failure) => {
                if !self.failed.replace(true) {
                    context.ui.warning(&format!("the API could not be opened to {}: {}", self.range, failure.message));
                }
                None
            }
        }
    }

    async fn grant(&self, context: &ClusterContext<'_>, alone: bool) -> Result<FirewallCheck, Failure> {
        let gate = context.cloud.api_firewall();
        let Some(admission) = gate.admission().await? else { return Ok(FirewallCheck::NoGate) };
        let Some(grant) = self.due(&admission, alone, Timestamp::now()) else { return Ok(FirewallCheck::Open) };
        gate.grant(&grant).await?;
        Ok(FirewallCheck::Granted(grant))
    }

    /// Returns the grant to create, if one is due. `alone`: no other run is alive.
    fn due(&self, admission: &AllowList, alone: bool, now: Timestamp) -> Option<AccessGrant> {
        let bearer = Grantee::Run(self.run.clone());
        let enough = |grant: &AccessGrant| {
            let left = grant.until.duration_since(now);
            match &grant.bearer {
                own if *own == bearer => left > RENEWED,
                Grantee::Run(_) if alone => false,
                _ => left > ENOUGH,
            }
        };
        let mut covering = admission.running(now).filter(|grant| grant.covers(&self.range));
        if admission.is_open(&self.range) || covering.any(enough) {
            return None;
        }
        Some(AccessGrant::new(self.range, now + SPAN, bearer))
    }

    /// Revokes the run's grant.
    pub(in crate::cli) async fn end(self, context: &ClusterContext<'_>) {
        let closed = tokio::select! {
            biased;
            () = context.interrupt.abandon.cancelled() => Err("the wait for its removal was cancelled".to_owned()),
            closed = self.revoke(context) => closed.map_err(|failure| failure.message),
        };
        if let Err(why) = closed {
            let range = self.range;
            context.ui.warning(&format!(
                "the API may still be open to {range} ({why}). That ends by itself within an hour; \
                 `quorate access close --address {range}` ends it now"
            ));
        }
    }

    async fn revoke(&self, context: &ClusterContext<'_>) -> Result<(), Failure> {
        let gate = context.cloud.api_firewall();
        let admission = patiently(context, || gate.admission()).await?.unwrap_or_default();
        let bearer = Grantee::Run(self.run.clone());
        let own: Vec<AccessGrant> = admission.grants.into_iter().filter(|grant| grant.bearer == bearer).collect();
        if own.is_empty() { Ok(()) } else { patiently(context, || gate.revoke(&own)).await }
    }
}

/// Waits a short time until the API answers, so that it is not observed too early.
async fn knock(context: &ClusterContext<'_>) {
    let there = Address::new(NAMESPACE, "kube-system");
    let mut poll = PollLoop::every(KNOCK);
    for _ in 0..KNOCKS {
        match context.interrupt.or(context.cloud.find(&there)).await {
            Ok(Err(failure)) if failure.class.is_transient() => {}
            _ => return,
        }
        if context.interrupt.or(poll.pause()).await.is_err() {
            return;
        }
    }
}

/// Shows with a plan how an apply gets access to a closed API, and how to open it now for a more complete plan.
pub(in crate::cli) fn announce(context: &ClusterContext<'_>, is_built: bool, unreachable: Option<&Failure>) {
    if context.sandbox {
        return;
    }
    if is_built && unreachable.is_some() {
        context.ui.note(
            "`quorate apply` opens the API to this machine while it runs; `quorate access open` opens it now, for a \
             plan that includes the Kubernetes objects",
        );
    } else if !is_built && context.cluster.api.allow.is_empty() {
        context.ui.note("`api.allow` is empty: `quorate apply` opens the API to this machine's address while it runs");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_377_600, 0);

    fn grant(range: &str, minutes: i64, bearer: &str) -> AccessGrant {
        let bearer = match bearer.strip_prefix("run ") {
            Some(run) => Grantee::Run(run.to_owned()),
            None => Grantee::Person(bearer.to_owned()),
        };
        AccessGrant::new(range.parse().unwrap(), NOW + SignedDuration::from_mins(minutes), bearer)
    }

    /// Returns `true` if a grant is due, with a run of our own named `us`.
    fn due(grants: &[AccessGrant], alone: bool) -> bool {
        let access = TemporaryAccess::new("203.0.113.7/32".parse().unwrap(), "us");
        let always = vec!["198.51.100.0/24".parse().unwrap()];
        let made = access.due(&AllowList { always, grants: grants.to_vec() }, alone, NOW);
        if let Some(made) = &made {
            assert_eq!(*made, grant("203.0.113.7/32", 60, "run us"));
        }
        made.is_some()
    }

    #[test]
    fn a_run_gets_access_unless_it_has_access_for_long_enough() {
        assert!(due(&[], true));
        assert!(due(&[grant("203.0.113.8/32", 60, "ada")], true), "another address");
        assert!(due(&[grant("203.0.113.7/32", -1, "ada")], true), "it has ended");
        assert!(due(&[grant("203.0.113.7/32", 4, "ada")], true), "it ends too soon");
        assert!(!due(&[grant("203.0.113.7/32", 6, "ada")], true));
        assert!(!due(&[grant("203.0.113.0/24", 60, "ada")], true), "a whole network");
    }

    #[test]
    fn a_run_renews_its_own_in_time_and_takes_over_a_dead_ones() {
        assert!(!due(&[grant("203.0.113.7/32", 31, "run us")], false));
        assert!(due(&[grant("203.0.113.7/32", 29, "run us")], false));
        assert!(due(&[grant("203.0.113.7/32", 59, "run dead")], true), "who holds the lease is the only one");
        assert!(!due(&[grant("203.0.113.7/32", 59, "run other")], false), "two that wait for machines do not quarrel");
    }

    #[test]
    fn what_is_open_for_good_needs_no_grant() {
        let access = TemporaryAccess::new("198.51.100.7/32".parse().unwrap(), "us");
        let always = vec!["198.51.100.0/24".parse().unwrap()];
        assert_eq!(access.due(&AllowList { always, grants: Vec::new() }, true, NOW), None);
    }
}
