//! Why the Kubernetes API does not answer: AWS knows more about it than a connection that is not made.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::engine::{Class, Failure};
use crate::kubernetes::{CONNECT, UNRESOLVED};
use crate::resource::{API, Cloud, Resource, TargetGroup};

/// How long healthy masters may stay out of reach until it counts as shut: load balancers take a while to follow.
const GRACE: Duration = Duration::from_mins(1);
/// How long an answer of AWS's is good for: many objects wait before the same door.
const FRESH: Duration = Duration::from_secs(5);

/// The way from this machine to a cluster's API.
pub(super) struct Door {
    cloud: Arc<dyn Cloud>,
    /// Whether nobody waits before it.
    hurried: bool,
    seen: Mutex<Seen>,
}

/// What was seen of it.
#[derive(Default)]
struct Seen {
    masters: Option<(Instant, Masters)>,
    /// Since when masters are healthy and out of reach.
    shut: Option<Instant>,
    /// Why it is not tried any more, if it is not.
    given_up: Option<Failure>,
}

/// What the load balancer thinks of the masters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Masters {
    healthy: usize,
    all: usize,
}

impl Door {
    pub(super) fn new(cloud: Arc<dyn Cloud>, hurried: bool) -> Self {
        Self { cloud, hurried, seen: Mutex::default() }
    }

    /// A failure to reach the API, told with what AWS knows: masters that are not up yet are worth waiting for, a door
    /// that is shut is not. Any other failure stays as it is.
    pub(super) async fn judge(&self, failure: Failure) -> Failure {
        let judged = self.tell(failure).await;
        if judged.action == CONNECT && judged.class == Class::Fatal {
            self.seen.lock().await.given_up = Some(judged.clone());
        }
        judged
    }

    /// Why nobody goes on trying to get in, if nobody does.
    pub(super) async fn given_up(&self) -> Option<Failure> {
        self.seen.lock().await.given_up.clone()
    }

    /// Whether nobody waits before it.
    pub(super) fn is_hurried(&self) -> bool {
        self.hurried
    }

    async fn tell(&self, failure: Failure) -> Failure {
        if failure.action != CONNECT || failure.class != Class::Unavailable {
            return failure;
        }
        if self.hurried {
            let message = format!(
                "the cluster's API does not answer yet, and `--no-wait` does not wait for it; `quorate apply` later makes \
                 what is missing ({})",
                failure.message
            );
            return Failure { class: Class::Fatal, message, ..failure };
        }
        let mut seen = self.seen.lock().await;
        let Some(masters) = self.masters(&mut seen).await else { return failure };
        let Masters { healthy, all } = masters;
        if healthy == 0 {
            seen.shut = None;
            let message = format!(
                "no master answers behind the API's load balancer yet (0 of {all} are healthy); `quorate validate` tells \
                 what each machine does"
            );
            return Failure { message, ..failure };
        }
        // A name that was made a moment ago is not known everywhere, and says nothing about the door.
        if failure.code.as_deref() == Some(UNRESOLVED) {
            return failure;
        }
        let since = *seen.shut.get_or_insert_with(Instant::now);
        if since.elapsed() < GRACE {
            return failure;
        }
        let message = format!(
            "{healthy} of {all} masters are healthy behind the API's load balancer, but it does not let this machine in; \
             put this machine's public address into `api.allow` in the cluster file, or say `quorate access open`, and \
             apply again ({})",
            failure.message
        );
        Failure { class: Class::Fatal, message, ..failure }
    }

    async fn masters(&self, seen: &mut Seen) -> Option<Masters> {
        if let Some((at, masters)) = seen.masters
            && at.elapsed() < FRESH
        {
            return Some(masters);
        }
        let groups = self.cloud.find(&TargetGroup::address(API)).await.ok()?;
        let targets = self.cloud.targets(&groups.first()?.id).await.ok()?;
        let healthy = targets.iter().filter(|target| target.state == "healthy").count();
        let masters = Masters { healthy, all: targets.len() };
        seen.masters = Some((Instant::now(), masters));
        Some(masters)
    }
}
