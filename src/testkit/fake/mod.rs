//! An API server for tests: real HTTP over loopback, as strict as a real one, and without controllers.
//!
//! Nothing runs: a Deployment becomes ready when a test requests it, or at once with [`FakeApi::ready_at_once`].
#![allow(clippy::expect_used, reason = "tests")]

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

use crate::kubernetes::ApiAccess;
use crate::resource::GROUP_TAG;
use state::{OutsideChange, ServerState};

/// Returns a node as its kubelet creates it, after the cloud controller has initialized it.
pub fn node(group: &str, number: usize) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": format!("{group}-{number}"), "labels": { GROUP_TAG: group } },
        "spec": { "providerID": format!("aws:///us-east-1a/i-{group}-{number}") },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

/// A running server. It stops when its handle is dropped.
pub struct FakeApi {
    state: Arc<Mutex<ServerState>>,
    address: std::net::SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeApi {
    /// Starts a server on a separate port, with the namespace `default` and nothing else.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(Mutex::new(ServerState::new()));
        let shared = Arc::clone(&state);
        let answer = move |request: &http::HttpRequest| answer::answer(&shared, request);
        let server = tokio::spawn(http::serve(listener, Arc::new(answer)));
        Self { state, address, server }
    }

    /// Returns the access to the server.
    pub fn access(&self) -> ApiAccess {
        ApiAccess {
            server: format!("http://{}", self.address),
            tls_server_name: None,
            ca: String::new(),
            certificate: String::new(),
            key: String::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().expect("no test panicked")
    }

    /// Returns one object as it is stored.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        self.state().find(kind, namespace, name)
    }

    /// Returns the requests so far that change something, and clears them: `apply deployments/chat`, `delete …`.
    pub fn take_changes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().changes)
    }

    /// Returns every request so far, and clears them: `GET /apis/apps/v1/deployments`.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Changes an object as another manager with a merge patch, as `kubectl scale` or `kubectl edit` would.
    pub fn edit(&self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        self.state().edit(manager, kind, namespace, name, patch);
    }

    /// Sets the metrics that the server shows.
    pub fn set_metrics(&self, text: &str) {
        text.clone_into(&mut self.state().metrics);
    }

    /// Sets what the containers of a pod wrote.
    pub fn set_log(&self, pod: &str, text: &str) {
        self.state().logs.insert(pod.to_owned(), text.to_owned());
    }

    /// Creates an object as another manager.
    pub fn put(&self, manager: &str, object: Json) {
        self.state().put(manager, object);
    }

    /// Adds nodes of a node group that take pods.
    pub fn machines(&self, group: &str, count: usize) {
        (1..=count).for_each(|number| self.put("kubelet", node(group, number)));
    }

    /// Makes every rollout ready at once from now on.
    pub fn ready_at_once(&self) {
        self.state().ready_at_once = true;
    }

    /// Makes nothing ready by itself from now on.
    pub fn ready_on_report(&self) {
        self.state().ready_at_once = false;
    }

    /// Completes the rollout of a Deployment.
    pub fn rolled_out(&self, namespace: &str, name: &str) {
        self.state().roll_out("Deployment", namespace, name);
    }

    /// Removes an object once this many more requests have been answered, before the next one is read.
    pub fn removed_after(&self, requests: usize, kind: &str, namespace: &str, name: &str) {
        let key = self.state().key(kind, namespace, name);
        self.after(requests, Box::new(move |state| state.remove(&key)));
    }

    /// Completes the rollout of a Deployment once this many more requests have been answered.
    pub fn rolled_out_after(&self, requests: usize, namespace: &str, name: &str) {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.after(requests, Box::new(move |state| state.roll_out("Deployment", &namespace, &name)));
    }

    fn after(&self, requests: usize, deed: OutsideChange) {
        let mut state = self.state();
        if requests == 0 {
            deed(&mut state);
        } else {
            state.meanwhile = Some((requests, deed));
        }
    }

    /// Removes all failures.
    pub fn fail_no_more(&self) {
        self.state().failures.clear();
    }

    /// Answers the next request to a path that contains this text with this status and document.
    pub fn fail_next(&self, path: &str, status: u16, document: Json) {
        self.state().failures.push((path.to_owned(), status, document));
    }
}
