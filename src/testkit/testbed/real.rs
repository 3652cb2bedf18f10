//! A real API server: emptied before each test, with a task that marks every pod as ready.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use kube::Client;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::Request;
use serde_json::{Value as Json, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;

use crate::kubernetes::ApiAccess;
use crate::resource::{API_TYPES, ApiType, CLUSTER_TAG};

/// Serializes the tests: tests that run at the same time would find each other's objects.
static TURN: Mutex<()> = Mutex::const_new(());
/// Maximum number of checks that everything is gone.
const LOOKS: u32 = 300;
const PAUSE: Duration = Duration::from_millis(200);
/// Types that only tests use, not the manifests of Quorate.
static OTHERS: [ApiType; 3] = [
    ApiType::known("v1", "Pod", "pods", true),
    ApiType::known("v1", "Node", "nodes", false),
    ApiType::known("example.com/v1", "Room", "rooms", true),
];

/// A connection to the server, with the lock for one test.
pub struct RealServer {
    client: Client,
    access: ApiAccess,
    minor: u32,
    kubelet: JoinHandle<()>,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for RealServer {
    fn drop(&mut self) {
        self.kubelet.abort();
    }
}

impl RealServer {
    pub(super) async fn open(path: &Path) -> Self {
        let turn = TURN.lock().await;
        let kubeconfig = Kubeconfig::read_from(path).expect("QUORATE_TEST_KUBECONFIG is a kubeconfig");
        let access = access(&std::fs::read_to_string(path).expect("it can be read"));
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a way to the server");
        let client = Client::try_from(config).expect("a way to the server");
        let version = client.apiserver_version().await.expect("the server answers");
        // `v1.36.2`; not every build reports its minor version separately.
        let minor = version.git_version.split('.').nth(1).and_then(|minor| minor.parse().ok());
        let minor = minor.expect("a version");
        let kubelet = tokio::spawn(call_ready(client.clone()));
        let real = Self { client, access, minor, kubelet, _turn: turn };
        real.empty().await;
        // What runs on every master is there only when there is one.
        let labels = json!({ "node-role.kubernetes.io/control-plane": "" });
        let master = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "master", "labels": labels } });
        real.put("kubelet", &master).await;
        real
    }

    pub(super) fn access(&self) -> ApiAccess {
        self.access.clone()
    }

    pub(super) fn minor(&self) -> u32 {
        self.minor
    }

    pub(super) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        let request = at(kind, namespace).get(name, &kube::api::GetParams::default()).expect("a request");
        match self.client.request(request).await {
            Ok(found) => Some(found),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("get {kind} {namespace}/{name}: {error}"),
        }
    }

    pub(super) async fn put(&self, manager: &str, object: &Json) {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let (kind, metadata) = (text(&object["kind"]), &object["metadata"]);
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        let body = serde_json::to_vec(object).expect("it is JSON");
        let request = at(&kind, &text(&metadata["namespace"])).create(&params, body).expect("a request");
        match self.client.request::<Json>(request).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
            Err(error) => panic!("create {object}: {error}"),
        }
    }

    pub(super) async fn edit(&self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let request = at(kind, namespace).patch(name, &params, &Patch::Merge(patch)).expect("a request");
        self.client.request::<Json>(request).await.expect("it can be changed");
    }

    pub(super) async fn rolled_out(&self, namespace: &str, name: &str) {
        for _ in 0..LOOKS {
            let found = self.get("Deployment", namespace, name).await.expect("it is there");
            let (spec, status) = (&found["spec"], &found["status"]);
            let observed = status["observedGeneration"] == found["metadata"]["generation"];
            if observed && status["replicas"] == spec["replicas"] && status["availableReplicas"] == spec["replicas"] {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{namespace}/{name} does not become ready");
    }

    /// Removes everything that tests have created, and waits until it is gone.
    async fn empty(&self) {
        for _ in 0..LOOKS {
            let mut left = 0;
            for api in API_TYPES.iter().chain(&OTHERS) {
                for object in list(&self.client, api).await.iter().filter(|object| is_of_tests(api, object)) {
                    left += 1;
                    self.remove(api, object).await;
                }
            }
            if left == 0 {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the server cannot be emptied");
    }

    async fn remove(&self, api: &ApiType, object: &Json) {
        let metadata = &object["metadata"];
        if metadata["deletionTimestamp"].is_string() {
            return;
        }
        let path = Request::new(api.path(metadata["namespace"].as_str()));
        let name = metadata["name"].as_str().expect("a name");
        let request = path.delete(name, &DeleteParams::background()).expect("a request");
        // What is gone already, or belongs to what was just removed, is no concern.
        let _ = self.client.request::<Json>(request).await;
    }
}

fn at(kind: &str, namespace: &str) -> Request {
    let api = API_TYPES.iter().chain(&OTHERS).find(|api| api.kind == kind).expect("a type that tests use");
    Request::new(api.path(Some(namespace).filter(|namespace| !namespace.is_empty())))
}

/// Returns every object of a type; none if the server does not have the type.
async fn list(client: &Client, api: &ApiType) -> Vec<Json> {
    let request = Request::new(api.path(None)).list(&ListParams::default()).expect("a request");
    let mut found = client.request::<Json>(request).await.unwrap_or_default();
    found["items"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

/// Returns `true` if a test created the object: it is marked, or is in a place where Kubernetes itself has no objects.
fn is_of_tests(api: &ApiType, object: &Json) -> bool {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let marked = metadata["labels"][CLUSTER_TAG].is_string();
    let of_the_system = |name: &str| name == "default" || name.starts_with("kube-");
    match metadata["namespace"].as_str() {
        _ if marked => true,
        None => api.kind == "Namespace" && !of_the_system(name),
        Some(namespace) if namespace.starts_with("kube-") => false,
        Some(_) => {
            let furniture = ["default", "kube-root-ca.crt", "kubernetes"].contains(&name);
            !furniture && object["type"] != "kubernetes.io/service-account-token"
        }
    }
}

/// Marks every pod and every node as ready, as kubelets do: nothing runs here.
async fn call_ready(client: Client) {
    let [pods, nodes, _] = &OTHERS;
    loop {
        for (api, phase) in [(pods, "Running"), (nodes, "")] {
            for object in list(&client, api).await {
                let conditions = object["status"]["conditions"].as_array();
                let ready = |condition: &Json| condition["type"] == "Ready" && condition["status"] == "True";
                if conditions.is_some_and(|conditions| conditions.iter().any(ready)) {
                    continue;
                }
                let metadata = &object["metadata"];
                let status =
                    json!({ "status": { "phase": phase, "conditions": [{ "type": "Ready", "status": "True" }] } });
                let there = Request::new(api.path(metadata["namespace"].as_str()));
                let name = metadata["name"].as_str().unwrap_or_default();
                let patch = there.patch_subresource("status", name, &PatchParams::default(), &Patch::Merge(&status));
                // It may be gone by now.
                let _ = client.request::<Json>(patch.expect("a request")).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the access of the first user to the first cluster, whose data are in the file.
fn access(kubeconfig: &str) -> ApiAccess {
    let read: Json = serde_saphyr::from_str(kubeconfig).expect("a kubeconfig is YAML");
    let (cluster, user) = (&read["clusters"][0]["cluster"], &read["users"][0]["user"]);
    let pem = |data: &Json| {
        let data = data.as_str().expect("the data stand in the file");
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).expect("data are base64");
        String::from_utf8(bytes).expect("PEM is text")
    };
    ApiAccess {
        server: cluster["server"].as_str().expect("a server").to_owned(),
        tls_server_name: cluster["tls-server-name"].as_str().map(str::to_owned),
        ca: pem(&cluster["certificate-authority-data"]),
        certificate: pem(&user["client-certificate-data"]),
        key: pem(&user["client-key-data"]),
    }
}
