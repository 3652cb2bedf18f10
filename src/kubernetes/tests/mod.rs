//! The client with an API server over real HTTP.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod census;
mod client;
mod draining;
mod lives;
mod manifests;
mod release;
mod rollout;
mod strict;
mod versions;

use serde_json::{Value as Json, json};

use super::client::{ApiConnection, ApplyMode, GoneCondition};
use super::object_ref::ObjectRef;
use crate::engine::Failure;
use crate::resource::ApiType;
use crate::testkit::fake::FakeApi;
use crate::testkit::testbed::TestApi;

/// A server, and a connection to it.
struct TestServer<A = TestApi> {
    api: A,
    connection: ApiConnection,
}

impl TestServer {
    /// Starts with the server that the tests use.
    async fn start() -> Self {
        let api = TestApi::start().await;
        let connection = ApiConnection::new(&api.access()).unwrap();
        Self { api, connection }
    }
}

impl TestServer<FakeApi> {
    /// Starts with a server that a test controls: it loses answers, and reports pods that do not run.
    async fn fake() -> Self {
        let api = FakeApi::start().await;
        let connection = ApiConnection::new(&api.access()).unwrap();
        Self { api, connection }
    }
}

impl<A> TestServer<A> {
    async fn apply(&self, manifest: &Json) -> Result<Json, Failure> {
        Ok(self.connection.apply(&place(manifest), manifest, ApplyMode::Real).await?)
    }
}

fn place(manifest: &Json) -> ObjectRef {
    let text = |name: &str| manifest[name].as_str().unwrap();
    ObjectRef::of(ApiType::find(text("apiVersion"), text("kind")).unwrap(), manifest).unwrap()
}

fn deployment(name: &str) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "namespace": "default", "labels": { "quorate.dev/cluster": "chat.example.com" } },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{
                    "name": name,
                    "image": "nginx:1.27",
                    "env": [{ "name": "PORT", "value": "4000" }, { "name": "HOST", "value": "here" }],
                    "ports": [{ "containerPort": 4000 }],
                }] },
            },
        },
    })
}

/// Lets other tasks run until a condition holds. Limited by the number of tries, not by time.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happened");
}
