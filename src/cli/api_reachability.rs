//! The reason why the Kubernetes API is unreachable: AWS knows more about it than a failed connection shows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cloud::CloudProvider;
use crate::engine::{Failure, FailureClass};
use crate::kubernetes::{CONNECT, UNRESOLVED};
use crate::resource::{API, Resource, TargetGroup};

/// Time that healthy masters may be unreachable before the API counts as closed: load balancers react with a delay.
const GRACE: Duration = Duration::from_mins(1);
/// Time that an answer from AWS is reused: many objects wait for the same API.
const FRESH: Duration = Duration::from_secs(5);

/// The reachability of a cluster's API from this machine.
pub(super) struct ApiReachability {
    cloud: Arc<dyn CloudProvider>,
    /// `true` if the run does not wait for the API.
    skips_wait: bool,
    checks: Mutex<ReachabilityCheck>,
}

/// The observations so far.
#[derive(Default)]
struct ReachabilityCheck {
    masters: Option<(Instant, MasterTargets)>,
    /// The time since which masters are healthy and unreachable.
    shut: Option<Instant>,
    /// The failure with which the run stopped trying, if it did.
    given_up: Option<Failure>,
}

/// Number of masters, and of those that the load balancer reports as healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MasterTargets {
    healthy: usize,
    all: usize,
}

impl ApiReachability {
    pub(super) fn new(cloud: Arc<dyn CloudProvider>, skips_wait: bool) -> Self {
        Self { cloud, skips_wait, checks: Mutex::default() }
    }

    /// Adds to a failure to reach the API what AWS knows: masters that are not up yet are worth waiting for, an API that
    /// is closed to this machine is not. Returns any other failure unchanged.
    pub(super) async fn classify(&self, failure: Failure) -> Failure {
        let judged = self.describe(failure).await;
        if judged.action == CONNECT && matches!(judged.class, FailureClass::Deferred | FailureClass::Fatal) {
            self.checks.lock().await.given_up = Some(judged.clone());
        }
        judged
    }

    /// Keeps the result of an observation: a run does not wait for nodes in an API that did not answer it.
    pub(super) async fn observed(&self, failure: Option<&Failure>) {
        self.checks.lock().await.given_up = failure.cloned();
    }

    /// Returns the failure with which the run stopped trying to reach the API, if it did.
    pub(super) async fn given_up(&self) -> Option<Failure> {
        self.checks.lock().await.given_up.clone()
    }

    /// Returns `true` if the run does not wait for the API.
    pub(super) fn skips_wait(&self) -> bool {
        self.skips_wait
    }

    async fn describe(&self, failure: Failure) -> Failure {
        if failure.action != CONNECT || failure.class != FailureClass::Unavailable {
            return failure;
        }
        if self.skips_wait {
            let message = format!(
                "The Kubernetes API does not answer yet ({}), and --no-wait does not wait for it: the next `quorate apply` \
                 makes them.",
                failure.message
            );
            return Failure { class: FailureClass::Deferred, message, ..failure };
        }
        let mut checks = self.checks.lock().await;
        let Some(masters) = self.masters(&mut checks).await else { return failure };
        let MasterTargets { healthy, all } = masters;
        if healthy == 0 {
            checks.shut = None;
            let message = format!(
                "no master answers behind the API's load balancer yet (0 of {all} are healthy); `quorate validate` shows \
                 the status of each machine"
            );
            return Failure { message, ..failure };
        }
        // A new DNS name is not known everywhere yet, and its failure does not show that the API is closed.
        if failure.code.as_deref() == Some(UNRESOLVED) {
            return failure;
        }
        let since = *checks.shut.get_or_insert_with(Instant::now);
        if since.elapsed() < GRACE {
            return failure;
        }
        let message = format!(
            "{healthy} of {all} masters are healthy behind the API's load balancer, but this machine cannot reach \
             the API; add its public address to `api.allow` in the cluster file, or run `quorate access open`, and \
             apply again ({})",
            failure.message
        );
        Failure { class: FailureClass::Fatal, message, ..failure }
    }

    async fn masters(&self, checks: &mut ReachabilityCheck) -> Option<MasterTargets> {
        if let Some((at, masters)) = checks.masters
            && at.elapsed() < FRESH
        {
            return Some(masters);
        }
        let groups = self.cloud.find(&TargetGroup::address(API)).await.ok()?;
        let targets = self.cloud.targets(&groups.first()?.id).await.ok()?;
        let healthy = targets.iter().filter(|target| target.state == "healthy").count();
        let masters = MasterTargets { healthy, all: targets.len() };
        checks.masters = Some((Instant::now(), masters));
        Some(masters)
    }
}
