//! Objects of real manifests.

use serde_json::{Value as Json, json};

use super::clusters::{cluster, example, facts, lay_out, tutorial};
use crate::blueprint::{Blueprint, BlueprintError, Pins, blueprint};
use crate::resource::manifest_of;
use crate::spec::Addon;

/// Parts of the metrics server's manifest, in its order: the API service is last there too, but the roles are not
/// first.
const METRICS: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: { name: metrics-server, namespace: kube-system }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: 'system:metrics-server' }
rules: [{ apiGroups: [''], resources: [nodes/metrics], verbs: [get] }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: metrics-server, namespace: kube-system }
spec:
  selector: { matchLabels: { k8s-app: metrics-server } }
  template:
    metadata: { labels: { k8s-app: metrics-server } }
    spec: { containers: [{ name: metrics-server, image: 'registry.k8s.io/metrics-server/metrics-server:v0.8.0' }] }
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1beta1.metrics.k8s.io }
spec: { group: metrics.k8s.io, groupPriorityMinimum: 100, version: v1beta1, versionPriority: 100 }
";

/// A custom type, its controller, and a webhook.
const ROOMS: &str = "
apiVersion: v1
kind: List
items:
- apiVersion: example.com/v1
  kind: Room
  metadata: { name: lobby }
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingWebhookConfiguration
  metadata: { name: rooms, namespace: rooms }
- apiVersion: v1
  kind: Secret
  metadata: { name: rooms, namespace: rooms }
  stringData: { password: hunter2 }
- apiVersion: apps/v1
  kind: Deployment
  metadata: { name: keeper, namespace: rooms }
- apiVersion: apiextensions.k8s.io/v1
  kind: CustomResourceDefinition
  metadata: { name: rooms.example.com }
  spec:
    group: example.com
    scope: Namespaced
    names: { kind: Room, plural: rooms }
    versions: [{ name: v1, served: true, storage: true }]
";

/// Returns the blueprint of a cluster with these add-ons.
fn made_of(file: Json, addons: &[(&str, &str)]) -> Result<Blueprint, BlueprintError> {
    let mut cluster = cluster(file);
    for (name, text) in addons {
        let addon = Addon { manifest: format!("{name}.yaml").into(), content: (*text).to_owned() };
        cluster.addons.insert((*name).to_owned(), addon);
    }
    blueprint(&cluster, &facts(), &Pins::default())
}

fn made(addons: &[(&str, &str)]) -> Blueprint {
    made_of(tutorial(), addons).unwrap()
}

/// Returns the objects of the file's add-ons that another needs, as the end of their addresses.
fn before(blueprint: &Blueprint, address: &str) -> Vec<String> {
    let address = format!("manifest/{address}");
    let object = blueprint.objects.iter().find(|object| object.address.to_string() == address).unwrap();
    object.depends_on.iter().filter(|need| need.kind() == "manifest").map(|need| need.name().to_owned()).collect()
}

#[test]
fn the_metrics_server_comes_before_what_serves_its_type() {
    let blueprint = made(&[("metrics", METRICS)]);
    assert_eq!(
        before(&blueprint, "metrics/APIService/v1beta1.metrics.k8s.io"),
        [
            "metrics/ClusterRole/system:metrics-server",
            "metrics/Deployment/kube-system/metrics-server",
            "metrics/ServiceAccount/kube-system/metrics-server",
        ]
    );
}

#[test]
fn what_runs_leaves_before_its_machines_and_the_cloud_controller_after_them() {
    let blueprint = made(&[("metrics", METRICS)]);
    let waits = |end: &str| {
        let object = blueprint.objects.iter().find(|object| object.address.name().ends_with(end)).unwrap();
        object.depends_on.iter().any(|need| need.to_string() == "autoscaling-group/nodes-workers")
    };
    assert!(waits("kube-system/metrics-server") && waits("DaemonSet/kube-system/ebs-csi-node"));
    assert!(!waits("kube-system/aws-cloud-controller-manager"));
}

#[test]
fn a_custom_resource_comes_after_its_type_and_after_its_controller() {
    let guest = "{ apiVersion: example.com/v1, kind: Room, metadata: { name: guest } }";
    let blueprint = made(&[("a-guest", guest), ("rooms", ROOMS)]);
    let all = [
        "rooms/CustomResourceDefinition/rooms.example.com",
        "rooms/Deployment/rooms/keeper",
        "rooms/Secret/rooms/rooms",
        "rooms/ValidatingWebhookConfiguration/rooms",
    ];
    assert_eq!(before(&blueprint, "rooms/Room.example.com/default/lobby"), all);
    assert_eq!(before(&blueprint, "a-guest/Room.example.com/default/guest"), all);
    assert_eq!(before(&blueprint, "rooms/ValidatingWebhookConfiguration/rooms"), all[..3]);
}

#[test]
fn a_secret_of_an_add_on_is_sent_whole_and_shown_by_its_keys() {
    let blueprint = made(&[("rooms", ROOMS)]);
    let secret = blueprint.objects.iter().find(|object| object.address.name() == "rooms/Secret/rooms/rooms").unwrap();
    let manifest = manifest_of(secret).unwrap();
    assert_eq!((&manifest["data"], &manifest["stringData"]), (&json!({ "password": "aHVudGVyMg==" }), &Json::Null));
    let reported = format!("{secret:?}");
    assert!(!reported.contains("hunter2") && !reported.contains("aHVudGVyMg"), "{reported}");
}

#[test]
fn a_type_that_nothing_defines_is_refused() {
    let addons = [("guest", "{ apiVersion: example.com/v1, kind: Room, metadata: { name: guest } }")];
    let refusal = made_of(tutorial(), &addons).unwrap_err().to_string();
    assert!(refusal.contains("a Room of example.com/v1") && refusal.contains("CustomResourceDefinition"), "{refusal}");
}

#[test]
fn scaling_without_metrics_is_reported_once() {
    let file = "name = \"chat.poeticoding.com\"\nstate = \"file:./state\"\nzones = [\"us-east-1d\"]\n\
                masters {\nsize = \"t3.medium\"\n}\nnodes \"workers\" {\ncount = 2\nsize = \"t3.medium\"\n}\n\
                service \"web\" {\nimage = \"web:1\"\nmin = 2\nmax = 4\ncpu = \"100m\"\n}\n";
    let scaled = |addons: &[(&str, &str)]| {
        let notes = made_of(example("scaled", file), addons).unwrap().notes;
        notes.iter().map(ToString::to_string).filter(|note| note.contains("metrics server")).collect::<Vec<_>>()
    };
    assert_eq!(scaled(&[("metrics", METRICS)]), Vec::<String>::new());
    assert!(matches!(&scaled(&[])[..], [note] if note.starts_with("web scale")), "{:?}", scaled(&[]));
    assert_eq!(lay_out(tutorial()).notes, []);
}
