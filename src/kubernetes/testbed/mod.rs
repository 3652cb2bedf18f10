//! The API that a test talks to: a fake of its own, or the server that `QUORATE_TEST_KUBECONFIG` leads to.
//!
//! What somebody else does with the same server is done by name: `get`, `put`, `edit`. Tests of what only a fake can do
//! (lost answers, forged statuses) start a [`FakeApi`] instead.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "two programs of tests share it, and each uses its own part")]

mod real;
mod sieve;

use serde_json::Value as Json;

use super::Access;
use super::fake::{FakeApi, node};
use crate::skip::skip;
use real::Real;

/// An API server.
pub(crate) enum TestApi {
    /// In this process.
    Fake(FakeApi),
    /// Somewhere on this machine. Tests have it in turn.
    Real(Box<Real>),
}

impl TestApi {
    /// A server that holds nothing of ours, and on which whatever is rolled out becomes ready.
    pub(crate) async fn start() -> Self {
        if let Some(kubeconfig) = std::env::var_os("QUORATE_TEST_KUBECONFIG") {
            return Self::Real(Box::new(Real::open(kubeconfig.as_ref()).await));
        }
        Self::pretend().await
    }

    /// A fake, wherever the tests are pointed.
    pub(crate) async fn pretend() -> Self {
        let fake = FakeApi::start().await;
        fake.ready_at_once();
        Self::Fake(fake)
    }

    /// The fake of a test that asked for one.
    pub(crate) fn pretended(&self) -> &FakeApi {
        self.fake().expect("the test asked for a fake")
    }

    /// How to reach it.
    pub(crate) fn access(&self) -> Access {
        match self {
            Self::Fake(fake) => fake.access(),
            Self::Real(real) => real.access(),
        }
    }

    /// The fake, where it is one: it counts.
    pub(crate) fn fake(&self) -> Option<&FakeApi> {
        match self {
            Self::Fake(fake) => Some(fake),
            Self::Real(_) => None,
        }
    }

    /// One object.
    pub(crate) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        match self {
            Self::Fake(fake) => fake.get(kind, namespace, name),
            Self::Real(real) => real.get(kind, namespace, name).await,
        }
    }

    /// Somebody else makes an object.
    pub(crate) async fn put(&self, manager: &str, object: Json) {
        match self {
            Self::Fake(fake) => fake.put(manager, object),
            Self::Real(real) => real.put(manager, &object).await,
        }
    }

    /// Somebody else changes an object with a merge patch, as `kubectl scale` or `kubectl edit` would.
    pub(crate) async fn edit(&self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        match self {
            Self::Fake(fake) => fake.edit(manager, kind, namespace, name, patch),
            Self::Real(real) => real.edit(manager, kind, namespace, name, patch).await,
        }
    }

    /// Machines of a node group have come, and take pods.
    pub(crate) async fn machines(&self, group: &str, count: usize) {
        for number in 1..=count {
            self.put("kubelet", node(group, number)).await;
        }
    }

    /// Everything that a deployment wants is there: with a fake at once, with a real server when its controllers are done.
    pub(crate) async fn rolled_out(&self, namespace: &str, name: &str) {
        match self {
            Self::Fake(fake) => fake.rolled_out(namespace, name),
            Self::Real(real) => real.rolled_out(namespace, name).await,
        }
    }

    /// Whether the server is of this minor version at least, in which it learned what a test is about; says it if not.
    pub(crate) fn knows(&self, what: &str, since: u32) -> bool {
        let minor = match self {
            Self::Fake(_) => return true,
            Self::Real(real) => real.minor(),
        };
        if minor < since {
            skip(&format!("{what}: the server is 1.{minor}, and does it since 1.{since}"));
        }
        minor >= since
    }

    /// A manifest as far as the server knows its type and fields. What it does not know is left out, and said: a server
    /// may be older than the clusters that Quorate makes.
    pub(crate) fn sieve(&self, manifest: Json) -> Option<Json> {
        match self {
            Self::Fake(_) => Some(manifest),
            Self::Real(real) => sieve::sieve(real.minor(), manifest),
        }
    }
}
