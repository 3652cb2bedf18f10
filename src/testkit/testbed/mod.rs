//! The API of a test: a separate fake, or the server in `QUORATE_TEST_KUBECONFIG`.
//!
//! Changes by other actors have methods of their own: `get`, `put`, `edit`. Tests of features that only a fake has
//! (lost answers, forged statuses) start a [`FakeApi`] instead.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

mod real;
mod sieve;

use serde_json::Value as Json;

use crate::kubernetes::ApiAccess;
use crate::testkit::fake::{FakeApi, node};
use crate::testkit::skip;
use real::RealServer;

/// An API server.
pub enum TestApi {
    /// In this process.
    Fake(FakeApi),
    /// A server on this machine. Tests use it one after the other.
    Real(Box<RealServer>),
}

impl TestApi {
    /// Returns a server without objects of Quorate, on which every rollout becomes ready.
    pub async fn start() -> Self {
        if let Some(kubeconfig) = std::env::var_os("QUORATE_TEST_KUBECONFIG") {
            return Self::Real(Box::new(RealServer::open(kubeconfig.as_ref()).await));
        }
        Self::pretend().await
    }

    /// Returns a fake, even if the tests use a real server.
    pub async fn pretend() -> Self {
        let fake = FakeApi::start().await;
        fake.ready_at_once();
        Self::Fake(fake)
    }

    /// Returns the fake of a test that requested one.
    pub fn pretended(&self) -> &FakeApi {
        self.fake().expect("the test asked for a fake")
    }

    /// Returns the access to the server.
    pub fn access(&self) -> ApiAccess {
        match self {
            Self::Fake(fake) => fake.access(),
            Self::Real(real) => real.access(),
        }
    }

    /// Returns the fake, if it is one: it counts requests.
    pub fn fake(&self) -> Option<&FakeApi> {
        match self {
            Self::Fake(fake) => Some(fake),
            Self::Real(_) => None,
        }
    }

    /// Returns one object.
    pub async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        match self {
            Self::Fake(fake) => fake.get(kind, namespace, name),
            Self::Real(real) => real.get(kind, namespace, name).await,
        }
    }

    /// Creates an object as another manager.
    pub async fn put(&self, manager: &str, object: Json) {
        match self {
            Self::Fake(fake) => fake.put(manager, object),
            Self::Real(real) => real.put(manager, &object).await,
        }
    }

    /// Changes an object as another manager with a merge patch, as `kubectl scale` or `kubectl edit` would.
    pub async fn edit(&self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        match self {
            Self::Fake(fake) => fake.edit(manager, kind, namespace, name, patch),
            Self::Real(real) => real.edit(manager, kind, namespace, name, patch).await,
        }
    }

    /// Adds nodes of a node group that take pods.
    pub async fn machines(&self, group: &str, count: usize) {
        for number in 1..=count {
            self.put("kubelet", node(group, number)).await;
        }
    }

    /// Completes the rollout of a deployment: on a fake at once, on a real server when its controllers are done.
    pub async fn rolled_out(&self, namespace: &str, name: &str) {
        match self {
            Self::Fake(fake) => fake.rolled_out(namespace, name),
            Self::Real(real) => real.rolled_out(namespace, name).await,
        }
    }

    /// Returns `true` if the server has at least this minor version, which added a feature of the test; prints a note if not.
    pub fn knows(&self, what: &str, since: u32) -> bool {
        let minor = match self {
            Self::Fake(_) => return true,
            Self::Real(real) => real.minor(),
        };
        if minor < since {
            skip(&format!("{what}: the server is 1.{minor}, and does it since 1.{since}"));
        }
        minor >= since
    }

    /// Returns the part of a manifest that the server knows. Unknown fields are left out, with a note: a server
    /// may be older than the clusters that Quorate creates.
    pub fn sieve(&self, manifest: Json) -> Option<Json> {
        match self {
            Self::Fake(_) => Some(manifest),
            Self::Real(real) => sieve::sieve(real.minor(), manifest),
        }
    }
}
