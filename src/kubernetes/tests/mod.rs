//! The client against an API server that speaks real HTTP.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod census;
mod client;
mod lives;
mod manifests;
mod release;
mod rollout;
mod strict;
mod versions;

use serde_json::{Value as Json, json};

use super::client::{Apply, Connection, Pods};
use super::fake::FakeApi;
use super::place::Place;
use super::testbed::TestApi;
use crate::engine::Failure;
use crate::resource::ApiType;

/// A server, and a connection to it.
struct Bench<A = TestApi> {
    api: A,
    connection: Connection,
}

impl Bench {
    /// Whatever server the tests are pointed at.
    async fn start() -> Self {
        let api = TestApi::start().await;
        let connection = Connection::new(&api.access()).unwrap();
        Self { api, connection }
    }
}

impl Bench<FakeApi> {
    /// A server that does what a test says: it loses answers, and tells of pods that nobody runs.
    async fn fake() -> Self {
        let api = FakeApi::start().await;
        let connection = Connection::new(&api.access()).unwrap();
        Self { api, connection }
    }
}

impl<A> Bench<A> {
    async fn apply(&self, manifest: &Json) -> Result<Json, Failure> {
        Ok(self.connection.apply(&place(manifest), manifest, Apply::Real).await?)
    }
}

fn place(manifest: &Json) -> Place {
    let text = |name: &str| manifest[name].as_str().unwrap();
    Place::of(ApiType::find(text("apiVersion"), text("kind")).unwrap(), manifest).unwrap()
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

/// Lets everybody else run until something holds. Bounded by tries, not by time.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happened");
}
