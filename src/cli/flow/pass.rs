//! Letting this machine in to a closed API for one run: granted when it is needed, renewed while the run lasts, taken
//! away at its end. A run that is killed leaves a grant that ends by itself.

use std::cell::Cell;
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Flow;
use super::wait::patiently;
use crate::engine::{Address, Failure};
use crate::resource::{Admission, Bearer, Grant, NAMESPACE};

/// How long a killed run leaves the API open at the most.
const SPAN: SignedDuration = SignedDuration::from_hours(1);
/// A run renews its grant when less than this is left.
const RENEWED: SignedDuration = SignedDuration::from_mins(30);
/// A grant of somebody else is enough for a run while more than this is left.
const ENOUGH: SignedDuration = SignedDuration::from_mins(5);
/// How long between two looks at the gate.
const PAUSE: Duration = Duration::from_secs(15);
/// How often the API is knocked at after it was opened: a load balancer takes its new rules up within seconds.
const KNOCKS: u32 = 6;
/// How long between two knocks.
const KNOCK: Duration = Duration::from_secs(3);

/// A run's way in.
pub(super) struct Pass {
    range: Ipv4Net,
    run: String,
    /// Whether it was said that the API is open, and that it cannot be opened: once is enough.
    granted: Cell<bool>,
    failed: Cell<bool>,
}

/// What a look at the gate came to.
enum Seen {
    /// The cluster has no gate yet.
    NoGate,
    /// This machine is let in already.
    Open,
    /// It was let in.
    Granted(Grant),
}

impl Pass {
    fn new(range: Ipv4Net, run: &str) -> Self {
        Self { range, run: run.to_owned(), granted: Cell::new(false), failed: Cell::new(false) }
    }

    /// Lets this machine in, if the file does not and the cluster has an API already; later, if the run `builds` one.
    /// Nothing if the run wants no way in, has one by the file, or nobody can tell where it comes from.
    ///
    /// The caller holds the lease: a grant of another run is a dead one's, and becomes this one's.
    pub(super) async fn begin(flow: &Flow<'_>, builds: bool) -> Option<Self> {
        let origin = flow.origin.filter(|_| !flow.sandbox)?;
        let range = match flow.interrupt.or(origin.find()).await.ok()? {
            Ok(range) => range,
            Err(error) => {
                flow.ui.warning(&format!("{error}. Unless `api.allow` lets it in, --address has to name it."));
                return None;
            }
        };
        if flow.cluster.api.allow.iter().any(|allowed| allowed.contains(&range)) {
            return None;
        }
        let pass = Self::new(range, &flow.holder.run);
        match pass.look(flow, true).await {
            Some(Seen::Granted(_)) => knock(flow).await,
            Some(Seen::NoGate) if !builds => return None,
            Some(Seen::NoGate) => {
                flow.ui.note(&format!(
                    "`api.allow` does not let {range} in: this run opens the API to it, once there is one"
                ));
            }
            Some(Seen::Open) | None => {}
        }
        Some(pass)
    }

    /// Does a run's work while this machine is let in: also to a gate that the run itself builds.
    pub(super) async fn during<T>(flow: &Flow<'_>, builds: bool, work: impl Future<Output = T>) -> T {
        let Some(pass) = Self::begin(flow, builds).await else { return work.await };
        let over = CancellationToken::new();
        let work = async {
            let done = work.await;
            over.cancel();
            done
        };
        let (done, ()) = tokio::join!(work, pass.keep(flow, &over));
        pass.end(flow).await;
        done
    }

    /// Looks again and again until the work is over.
    async fn keep(&self, flow: &Flow<'_>, over: &CancellationToken) {
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            self.look(flow, false).await;
        }
    }

    /// Grants what is due, and says so. A look that has begun is finished, so that nothing is granted after the end; who
    /// interrupts for the second time waits for nothing.
    async fn look(&self, flow: &Flow<'_>, alone: bool) -> Option<Seen> {
        let looked = tokio::select! {
            () = flow.interrupt.abandon.cancelled() => return None,
            looked = self.grant(flow, alone) => looked,
        };
        match looked {
            Ok(Seen::Granted(grant)) => {
                if !self.granted.replace(true) {
                    flow.ui.note(&format!("the API is open to {} while this run lasts", grant.range));
                }
                Some(Seen::Granted(grant))
            }
            Ok(seen) => Some(seen),
            Err(failure) => {
                if !self.failed.replace(true) {
                    flow.ui.warning(&format!("the API could not be opened to {}: {}", self.range, failure.message));
                }
                None
            }
        }
    }

    async fn grant(&self, flow: &Flow<'_>, alone: bool) -> Result<Seen, Failure> {
        let gate = flow.cloud.gate();
        let Some(admission) = gate.admission().await? else { return Ok(Seen::NoGate) };
        let Some(grant) = self.due(&admission, alone, Timestamp::now()) else { return Ok(Seen::Open) };
        gate.grant(&grant).await?;
        Ok(Seen::Granted(grant))
    }

    /// The grant to make. `alone`: no other run lives.
    fn due(&self, admission: &Admission, alone: bool, now: Timestamp) -> Option<Grant> {
        let bearer = Bearer::Run(self.run.clone());
        let enough = |grant: &Grant| {
            let left = grant.until.duration_since(now);
            match &grant.bearer {
                own if *own == bearer => left > RENEWED,
                Bearer::Run(_) if alone => false,
                _ => left > ENOUGH,
            }
        };
        let mut covering = admission.running(now).filter(|grant| grant.covers(&self.range));
        if admission.is_open(&self.range) || covering.any(enough) {
            return None;
        }
        Some(Grant::new(self.range, now + SPAN, bearer))
    }

    /// Takes the run's grant away.
    pub(super) async fn end(self, flow: &Flow<'_>) {
        let closed = tokio::select! {
            biased;
            () = flow.interrupt.abandon.cancelled() => Err("nobody waited for it to be closed".to_owned()),
            closed = self.revoke(flow) => closed.map_err(|failure| failure.message),
        };
        if let Err(why) = closed {
            let range = self.range;
            flow.ui.warning(&format!(
                "the API may still be open to {range} ({why}). That ends by itself within an hour; \
                 `quorate access close --address {range}` ends it now"
            ));
        }
    }

    async fn revoke(&self, flow: &Flow<'_>) -> Result<(), Failure> {
        let gate = flow.cloud.gate();
        let admission = patiently(flow, || gate.admission()).await?.unwrap_or_default();
        let bearer = Bearer::Run(self.run.clone());
        let own: Vec<Grant> = admission.grants.into_iter().filter(|grant| grant.bearer == bearer).collect();
        if own.is_empty() { Ok(()) } else { patiently(flow, || gate.revoke(&own)).await }
    }
}

/// Waits for a moment until the API answers, so that the look at it does not come too early.
async fn knock(flow: &Flow<'_>) {
    let there = Address::new(NAMESPACE, "kube-system");
    for _ in 0..KNOCKS {
        match flow.interrupt.or(flow.cloud.find(&there)).await {
            Ok(Err(failure)) if failure.class.is_transient() => {}
            _ => return,
        }
        if flow.interrupt.or(tokio::time::sleep(KNOCK)).await.is_err() {
            return;
        }
    }
}

/// Says of a plan how an apply gets to a closed API, and how to see more before.
pub(super) fn announce(flow: &Flow<'_>, is_built: bool) {
    if flow.sandbox {
        return;
    }
    if is_built && flow.cloud.silence().is_some() {
        flow.ui.note(
            "`quorate apply` lets this machine in to the API while it runs; `quorate access open` does so now, for a plan \
             that knows what Kubernetes says",
        );
    } else if !is_built && flow.cluster.api.allow.is_empty() {
        flow.ui
            .note("`api.allow` lets nobody in: `quorate apply` opens the API to this machine's address while it runs");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_377_600, 0);

    fn grant(range: &str, minutes: i64, bearer: &str) -> Grant {
        let bearer = match bearer.strip_prefix("run ") {
            Some(run) => Bearer::Run(run.to_owned()),
            None => Bearer::Person(bearer.to_owned()),
        };
        Grant::new(range.parse().unwrap(), NOW + SignedDuration::from_mins(minutes), bearer)
    }

    /// Whether something is due, with a run of our own named `us`.
    fn due(grants: &[Grant], alone: bool) -> bool {
        let pass = Pass::new("203.0.113.7/32".parse().unwrap(), "us");
        let always = vec!["198.51.100.0/24".parse().unwrap()];
        let made = pass.due(&Admission { always, grants: grants.to_vec() }, alone, NOW);
        if let Some(made) = &made {
            assert_eq!(*made, grant("203.0.113.7/32", 60, "run us"));
        }
        made.is_some()
    }

    #[test]
    fn a_run_is_let_in_unless_somebody_let_it_in_for_long_enough() {
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
        let pass = Pass::new("198.51.100.7/32".parse().unwrap(), "us");
        let always = vec!["198.51.100.0/24".parse().unwrap()];
        assert_eq!(pass.due(&Admission { always, grants: Vec::new() }, true, NOW), None);
    }
}
