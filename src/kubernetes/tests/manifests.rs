//! The manifests of the blueprint are valid for an API server.

use std::collections::BTreeMap;

use super::*;
use crate::blueprint::{BlueprintError, Pins, blueprint};
use crate::engine::Object;
use crate::resource::{Facts, SizeFacts, is_kubernetes, manifest_of};
use crate::spec;

/// Services that use every setting of a file.
pub(super) const EVERYTHING: &str = r#"
name  = "chat.example.com"
state = "s3://state.chat.example.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
masters { size = "t3.medium" }
nodes "workers" {
  count = 3
  size  = "t3.medium"
}
service "plain" {
  image = "plain:1"
}
service "web" {
  image     = "web:1"
  command   = ["/bin/web"]
  args      = ["--fast"]
  namespace = "site"
  min       = 2
  max       = 6
  cpu       = "250m"
  memory    = "256Mi"
  port      = 8080
  env       = { A = "1" }
  secrets   = { B = "web/b" }
  health { path = "/health" }
  nlb {
    port        = 443
    domain      = "web.example.com"
    allow       = ["203.0.113.0/24"]
    internal    = true
    cross_zone  = false
  }
  sidecar "shaper" {
    image = "shaper:1"
  }
}
service "game" {
  image    = "game:1"
  replicas = 3
  port     = 7000
  ports    = { play = "7777/udp", dns = "53/tcp+udp", metrics = "9090" }
  health {
    path = "/health"
    port = "metrics"
  }
  placement {
    nodes    = ["workers"]
    zones    = ["us-east-1a", "us-east-1b"]
    tolerate = ["dedicated=games:NoSchedule", "old"]
  }
  nlb {
    sticky = true
    listener "play" {
      port   = 7777
      target = "play"
    }
    listener "dns" {
      port   = 53
      target = "dns"
    }
    listener "chat" {
      port = 7000
    }
  }
}
service "echo" {
  image    = "echo:1"
  replicas = 2
  ports    = { echo = "7/udp" }
  nlb {
    port               = 7
    preserve_client_ip = true
  }
}
service "queue" {
  image    = "queue:1"
  replicas = 3
  port     = 5672
  volume "data" {
    path = "/data"
    gib  = 10
  }
}
service "store" {
  image           = "store:1"
  port            = 6379
  files           = { "/etc/store/store.conf" = "maxmemory 1gb\n" }
  pull_secrets    = ["registry"]
  service_account = "store"
  priority_class  = "high"
  grace_seconds   = 90
  job "migrate" {
    command = ["/bin/migrate"]
    env     = { POOL_SIZE = "1" }
    secrets = { OWNER = "store/owner" }
  }
  job "report" {
    image           = "report:1"
    schedule        = "0 3 * * MON-FRI"
    time_zone       = "Europe/Warsaw"
    retries         = 0
    timeout_seconds = 60
  }
  sidecar "exporter" {
    image  = "exporter:1"
    args   = ["--port", "9121"]
    ports  = { metrics = "9121" }
    memory = "32Mi"
  }
  security {
    run_as_user    = 999
    run_as_group   = 999
    read_only_root = true
    writable       = ["/tmp"]
  }
  volume "data" {
    path  = "/data"
    gib   = 10
    class = "fast"
  }
}
"#;

fn parse(text: &str) -> spec::Cluster {
    let parsed = spec::parse("cluster.hcl", text, &BTreeMap::new());
    parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 100)))
}

pub(super) fn objects(text: &str) -> Vec<Object> {
    lay_out(&parse(text)).unwrap()
}

/// Returns the Kubernetes objects of a cluster.
fn lay_out(cluster: &spec::Cluster) -> Result<Vec<Object>, BlueprintError> {
    let size = |name: &spec::InstanceSize| {
        (name.to_string(), SizeFacts { architecture: name.architecture(), vcpus: 2, memory_mib: 4096 })
    };
    let architectures = [spec::Architecture::X86_64, spec::Architecture::Arm64];
    let facts = Facts {
        account: "123456789012".to_owned(),
        caller: "arn:aws:iam::123456789012:user/alice".to_owned(),
        region: cluster.region.clone(),
        zones: cluster.zones.iter().map(ToString::to_string).collect(),
        images: architectures.map(|architecture| (architecture, "ami-1".into())).into(),
        sizes: cluster
            .nodes
            .values()
            .flat_map(crate::spec::NodeGroup::sizes)
            .chain([&cluster.masters.size])
            .map(size)
            .collect(),
        own_images: BTreeMap::new(),
        offered: BTreeMap::new(),
        releases: Vec::new(),
        public_zones: ["example.com", "poeticoding.com"]
            .map(|zone| (zone.to_owned(), vec![format!("Z-{zone}")]))
            .into(),
    };
    let mut objects = blueprint(cluster, &facts, &Pins::default())?.objects;
    objects.retain(|object| is_kubernetes(object.address.kind()));
    Ok(objects)
}

async fn taken(text: &str) -> Vec<Object> {
    let bench = TestServer::start().await;
    let objects = objects(text);
    // Namespaces first, as the plan has it.
    let (first, then): (Vec<_>, Vec<_>) = objects.iter().partition(|object| object.address.kind() == "namespace");
    for object in first.into_iter().chain(then) {
        let Some(manifest) = bench.api.sieve(manifest_of(object).unwrap()) else { continue };
        bench.apply(&manifest).await.unwrap_or_else(|failure| panic!("{}: {failure}\n{manifest:#}", object.address));
    }
    objects
}

#[tokio::test]
async fn every_setting_makes_manifests_that_a_server_takes() {
    let objects = taken(EVERYTHING).await;
    let manifests: BTreeMap<String, Json> =
        objects.iter().map(|object| (object.address.to_string(), manifest_of(object).unwrap())).collect();
    insta::assert_json_snapshot!(manifests);
}

const ADDON: &str = r#"
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: agents }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec: { containers: [{ name: agent, image: "agent:1" }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: agent, namespace: agents }
data: { level: info }
---
apiVersion: v1
kind: Namespace
metadata: { name: agents }
"#;

/// Returns the objects of a cluster with one add-on.
fn with_addon(content: &str) -> Result<Vec<Object>, String> {
    let mut cluster = parse(EVERYTHING);
    cluster.services.clear();
    let addon = spec::Addon { manifest: "agent.yaml".into(), content: content.to_owned() };
    cluster.addons.insert("agent".to_owned(), addon);
    lay_out(&cluster).map_err(|impossible| impossible.to_string())
}

#[test]
fn an_add_on_is_made_from_the_ground_up() {
    let objects = with_addon(ADDON).unwrap();
    let object = |name: &str| {
        let address = format!("manifest/agent/{name}").parse().unwrap();
        objects.iter().find(|object| object.address == address).unwrap_or_else(|| panic!("no {address}"))
    };
    let (namespace, map, daemon) =
        (object("Namespace/agents"), object("ConfigMap/agents/agent"), object("DaemonSet/agents/agent"));
    assert!(map.depends_on.contains(&namespace.address) && daemon.depends_on.contains(&map.address));
    assert!(!namespace.depends_on.contains(&map.address));
}

/// Returns the objects of a cluster with these services and one add-on, or the error.
fn together(services: &str, addon: &str) -> Result<Vec<Object>, String> {
    let head = &EVERYTHING[..EVERYTHING.find("service").unwrap()];
    let mut cluster = parse(&format!("{head}{services}"));
    let addon = spec::Addon { manifest: "agent.yaml".into(), content: addon.to_owned() };
    cluster.addons.insert("agent".to_owned(), addon);
    lay_out(&cluster).map_err(|impossible| impossible.to_string())
}

#[test]
fn a_place_that_two_want_is_named_with_both() {
    let nginx = "apiVersion: v1\nkind: Service\nmetadata: { name: nginx }\nspec: { ports: [{ port: 80 }] }\n";
    let service = "service \"nginx\" {\n image = \"nginx:1\"\n port = 80\n}\n";
    assert_eq!(
        together(service, nginx).unwrap_err(),
        "the service nginx and the add-on agent both create Service nginx; rename one of them, or remove one",
        "services come first"
    );
    let volume = |service: &str, volume: &str| {
        format!(
            "service \"{service}\" {{\n image = \"a:1\"\n volume \"{volume}\" {{\n path = \"/d\"\n gib = 1\n }}\n}}\n"
        )
    };
    let message = together(&(volume("a", "b-c") + &volume("a-b", "c")), "").unwrap_err();
    assert!(message.contains("volume b-c of the service a"), "{message}");
    assert!(message.contains("volume c of the service a-b"), "{message}");
    assert!(message.contains("both create PersistentVolumeClaim a-b-c"), "{message}");
}

#[test]
fn a_namespace_of_an_add_on_is_where_a_service_may_be() {
    let service = "service \"agent-ui\" {\n image = \"ui:1\"\n namespace = \"agents\"\n}\n";
    let objects = together(service, ADDON).unwrap();
    assert!(objects.iter().all(|object| object.address.kind() != "namespace"));
    let deployment = objects.iter().find(|object| object.address.kind() == "deployment").unwrap();
    assert!(deployment.depends_on.contains(&"manifest/agent/Namespace/agents".parse().unwrap()));
}

#[test]
fn an_add_on_that_cannot_be_applied_is_refused_with_its_name() {
    let room = "apiVersion: example.com/v1\nkind: Room\nmetadata: { name: s }\nspec: { a: hunter2 }\n";
    for (content, messages) in [
        (room, "Room of example.com/v1"),
        ("kind: [", "cannot be read"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {}\n", "no metadata.name"),
    ] {
        let message = with_addon(content).unwrap_err();
        assert!(message.contains("add-on agent") && message.contains(messages), "{message}");
        assert!(!message.contains("hunter2"));
    }
}

#[test]
fn a_service_waits_for_who_makes_nodes_and_volumes() {
    let objects = objects(EVERYTHING);
    let needs = |service: &str, part: &str| {
        let address = format!("deployment/{service}").parse().unwrap();
        let deployment = objects.iter().find(|object| object.address == address).unwrap();
        deployment.depends_on.iter().any(|need| need.to_string().contains(part))
    };
    assert!(needs("plain", "aws-cloud-controller-manager") && !needs("plain", "persistent-volume-claim"));
    assert!(needs("store", "persistent-volume-claim/store-data"));
    let claim = objects.iter().find(|object| object.address.kind() == "persistent-volume-claim").unwrap();
    assert!(claim.depends_on.iter().any(|need| need.name().ends_with("ebs-csi-node")));
}

#[test]
fn the_pods_of_others_are_never_caught() {
    let ours = |service: &str| json!({ "quorate.dev/service": service });
    for object in objects(EVERYTHING).iter().filter(|object| object.address.kind() != "manifest") {
        let manifest = manifest_of(object).unwrap();
        let selector = &manifest["spec"]["selector"];
        let selected = if selector["matchLabels"].is_null() { selector } else { &selector["matchLabels"] };
        let service = object.address.name().split('/').next().unwrap();
        assert!(selected.is_null() || *selected == ours(service), "{}: {selected}", object.address);
    }
}

#[tokio::test]
async fn every_example_makes_manifests_that_a_server_takes() {
    for (name, text) in [
        ("nginx", include_str!("../../../examples/nginx/cluster.hcl")),
        ("phoenix-chat", include_str!("../../../examples/phoenix-chat/cluster.hcl")),
        ("phoenix-chat-redis", include_str!("../../../examples/phoenix-chat-redis/cluster.hcl")),
    ] {
        assert!(!taken(text).await.is_empty(), "{name} has services");
    }
}

#[test]
fn no_service_is_made_before_there_is_an_api_and_none_runs_before_there_are_nodes() {
    for object in objects(EVERYTHING) {
        let needs = |address: &str| object.depends_on.contains(&address.parse().unwrap());
        assert!(needs("listener/api") && needs("autoscaling-group/masters-a"), "{}", object.address);
        // What makes a machine a node does not wait for one.
        let address = object.address.to_string();
        let runs = ["deployment/", "stateful-set/", "job/", "/Deployment/", "/DaemonSet/"]
            .iter()
            .any(|part| address.contains(part));
        let waits = runs && !address.contains("/cloud-controller-manager/");
        assert_eq!(needs("autoscaling-group/nodes-workers"), waits, "{address}");
    }
}
