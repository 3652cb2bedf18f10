//! An API server for tests: real HTTP over loopback, strict where a real one is strict, and without anything behind it.
//!
//! Nothing runs: a Deployment becomes ready when a test says so, or at once with [`FakeApi::ready_at_once`].
#![allow(clippy::expect_used, reason = "tests")]
#![allow(dead_code, reason = "two programs of tests share it, and each uses its own part")]

mod answer;
mod defaults;
mod http;
mod merge;
mod ports;
mod schema;
mod state;
mod target;
mod write;

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Access;
use crate::resource::GROUP_TAG;
use state::{Deed, State};

/// A node as its kubelet makes it, once the cloud controller knows its machine.
pub(crate) fn node(group: &str, number: usize) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": format!("{group}-{number}"), "labels": { GROUP_TAG: group } },
        "spec": { "providerID": format!("aws:///us-east-1a/i-{group}-{number}") },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

/// A running server. It ends with its handle.
pub(crate) struct FakeApi {
    state: Arc<Mutex<State>>,
    address: std::net::SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeApi {
    /// A server on a port of its own, with the namespace `default` and nothing else.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(Mutex::new(State::new()));
        let shared = Arc::clone(&state);
        let answer = move |request: &http::Request| answer::answer(&shared, request);
        let server = tokio::spawn(http::serve(listener, Arc::new(answer)));
        Self { state, address, server }
    }

    /// How to reach it.
    pub(crate) fn access(&self) -> Access {
        Access {
            server: format!("http://{}", self.address),
            tls_server_name: None,
            ca: String::new(),
            certificate: String::new(),
            key: String::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panicked")
    }

    /// One object as it is stored.
    pub(crate) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        self.state().find(kind, namespace, name)
    }

    /// The requests so far that were no mere looks: `apply deployments/chat`, `delete …`. And a fresh start.
    pub(crate) fn take_changes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().changes)
    }

    /// Every request so far: `GET /apis/apps/v1/deployments`. And a fresh start.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Somebody else changes an object with a merge patch, as `kubectl scale` or `kubectl edit` would.
    pub(crate) fn edit(&self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        self.state().edit(manager, kind, namespace, name, patch);
    }

    /// Somebody else makes an object.
    pub(crate) fn put(&self, manager: &str, object: Json) {
        self.state().put(manager, object);
    }

    /// Machines of a node group have come, and take pods.
    pub(crate) fn machines(&self, group: &str, count: usize) {
        (1..=count).for_each(|number| self.put("kubelet", node(group, number)));
    }

    /// From now on what is rolled out is ready at once.
    pub(crate) fn ready_at_once(&self) {
        self.state().ready_at_once = true;
    }

    /// From now on nothing becomes ready by itself.
    pub(crate) fn ready_when_told(&self) {
        self.state().ready_at_once = false;
    }

    /// Everything that a Deployment wants is there.
    pub(crate) fn rolled_out(&self, namespace: &str, name: &str) {
        self.state().roll_out("Deployment", namespace, name);
    }

    /// An object is removed once this many more requests have been answered, before the next one is heard.
    pub(crate) fn removed_after(&self, requests: usize, kind: &str, namespace: &str, name: &str) {
        let key = self.state().key(kind, namespace, name);
        self.after(requests, Box::new(move |state| state.remove(&key)));
    }

    /// Everything that a Deployment wants is there once this many more requests have been answered.
    pub(crate) fn rolled_out_after(&self, requests: usize, namespace: &str, name: &str) {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.after(requests, Box::new(move |state| state.roll_out("Deployment", &namespace, &name)));
    }

    fn after(&self, requests: usize, deed: Deed) {
        let mut state = self.state();
        if requests == 0 {
            deed(&mut state);
        } else {
            state.meanwhile = Some((requests, deed));
        }
    }

    /// From now on nothing fails any more.
    pub(crate) fn fail_no_more(&self) {
        self.state().failures.clear();
    }

    /// The next request to a path that holds this text is answered so.
    pub(crate) fn fail_next(&self, path: &str, status: u16, document: Json) {
        self.state().failures.push((path.to_owned(), status, document));
    }
}
