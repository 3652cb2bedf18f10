//! Random edits of a file that has every setting: each gives a cluster or an error, and every error is found at once.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::read;
use crate::spec::{Cluster, ParsedFile, reference};

/// A valid file with every setting.
const FULL: &str = r#"
name       = "chat.poeticoding.com"
state      = "s3://state.chat.poeticoding.com"
account    = "123456789012"
zones      = ["us-east-1a", "us-east-1b", "us-east-1c"]
kubernetes = "1.36"
ssm        = true
tags       = { team = "chat", cost-centre = "42" }

[require]
survives = "zone"

[network]
cidr     = "172.20.0.0/16"
subnets  = { us-east-1a = "172.20.0.0/24" }
topology = "private"
nat      = "regional"
private_subnets = { us-east-1a = "172.20.32.0/19" }
pods     = "100.96.0.0/11"
services = "100.64.0.0/13"
plugin   = "routes"

[masters]
count = 3
size  = "m7i.large"
image = "ami-0123456789abcdef0"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
root  = { gib = 40 }
etcd  = { gib = 30, keep_days = 9 }

[nodes]
workers = { count = 2, size = "t3.large", image = "ami-12345678", root = { gib = 80 }, roll = { max_surge = 2, max_unavailable = 1 } }
more    = { min = 0, max = 3, sizes = ["t3.large", "m5.large"], zones = ["us-east-1a", "us-east-1b"] }

[nodes.spare]
count   = 2
size    = "t3.large"
spot    = { on_demand_base = 1, on_demand_percent = 20, strategy = "capacity-optimized" }
labels  = { team = "chat", "example.com/tier" = "" }
taints  = ["dedicated=chat:NoSchedule"]
kubelet = { max_pods = 60, reserved = { cpu = "200m", memory = "512Mi" }, eviction = { memory = "200Mi", disk = "5%" } }

[api]
allow = ["203.0.113.7/32"]

[ssh]
allow      = ["203.0.113.0/24"]
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com"

[dns]
zone   = "poeticoding.com"
create = true
public = true

[web]
allow        = ["0.0.0.0/0"]
idle_seconds = 300
redirect     = true
tls_policy   = "ELBSecurityPolicy-TLS13-1-2-2021-06"

[service.chat]
image     = "chat:1"
command   = ["/app"]
args      = ["start"]
namespace = "chat"
replicas  = 2
port      = 4000
ports     = { metrics = "9090", voice = "7777/udp" }
env       = { PORT = "4000" }
secrets   = { TOKEN = "chat/token" }
cpu       = "250m"
memory    = "256Mi"
stateful  = false
files           = { "/etc/chat/config.toml" = "port = 4000" }
pull_secrets    = ["registry"]
service_account = "chat"
priority_class  = "high"
grace_seconds   = 60
security  = { run_as_user = 1000, run_as_group = 1000, fs_group = 1000, read_only_root = true, writable = ["/tmp"], capabilities = ["KILL"], privilege_escalation = false, seccomp = "RuntimeDefault" }
health    = { path = "/health", port = "metrics" }
placement = { nodes = ["workers"], zones = ["us-east-1a"], tolerate = ["dedicated=chat:NoSchedule"] }

[service.chat.job.migrate]
image           = "chat:2"
command         = ["/app/migrate"]
args            = ["--all"]
env             = { POOL_SIZE = "1" }
secrets         = { OWNER = "chat/owner" }
cpu             = "100m"
memory          = "64Mi"
schedule        = "0 3 * * *"
time_zone       = "Europe/Warsaw"
retries         = 1
timeout_seconds = 60

[service.chat.sidecar.log]
image   = "log:1"
command = ["/log"]
args    = ["--json"]
env     = { LEVEL = "info" }
secrets = { TOKEN = "chat/log" }
ports   = { log = "9113" }
cpu     = "50m"
memory  = "32Mi"

[service.chat.nlb]
port               = 80
target             = "main"
protocol           = "TCP"
domain             = "chat.poeticoding.com"
allow              = ["0.0.0.0/0"]
internal           = false
cross_zone         = true
sticky             = false
preserve_client_ip = true

[service.chat.nlb.listener.voice]
port     = 7777
target   = "voice"
protocol = "UDP"

[service.chat.http]
host = "www"

[service.game]
image    = "game:1"
min      = 2
max      = 4
cpu      = "1"
port     = 80
ports    = { admin = "8081" }

[service.game.nlb]
port        = 443
protocol    = "TLS"
certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
tls_policy  = "ELBSecurityPolicy-TLS13-1-2-2021-06"

[service.game.http]
hosts       = ["game", "www.poeticoding.com"]
path        = "/game"
target      = "main"
health_path = "/up"
certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"

[service.game.nlb.listener.tls]
port        = 8443
target      = "admin"
protocol    = "TLS"
certificate = "arn:aws:iam::123456789012:server-certificate/game"
tls_policy  = "ELBSecurityPolicy-TLS13-1-3-2021-06"

[service.db]
image  = "postgres:17"
port   = 5432
volume = { data = { path = "/data", gib = 5, class = "gp3" } }

[addon.metrics]
manifest = "metrics.yaml"
"#;

fn full() -> Json {
    toml::from_str(FULL).unwrap()
}

fn parsed(file: &Json) -> ParsedFile {
    read("cluster.toml", &toml::to_string(file).unwrap())
}

/// The path of every value in the file, from the top down.
fn paths(value: &Json) -> Vec<Vec<String>> {
    let inner: Vec<(String, &Json)> = match value {
        Json::Object(entries) => entries.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Json::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = inner.into_iter().flat_map(|(name, value)| {
        let below = paths(value).into_iter().map(|path| [vec![name.clone()], path].concat());
        std::iter::once(vec![name.clone()]).chain(below).collect::<Vec<_>>()
    });
    below.collect()
}

/// A change of one value.
#[derive(Debug, Clone)]
enum Edit {
    Remove,
    Replace(Json),
    /// The value of another setting.
    Copy(usize),
    /// The value under a wrong name.
    Rename(String),
    /// The value in a list.
    Wrap,
}

fn edit(file: &mut Json, at: usize, edit: &Edit) {
    let paths = paths(file);
    if paths.is_empty() {
        return;
    }
    let path = &paths[at % paths.len()];
    // A name may have a slash: the path of a file, a label.
    let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
    let pointer =
        |path: &[String]| std::iter::once(String::new()).chain(path.iter().map(escaped)).collect::<Vec<_>>().join("/");
    let old = file.pointer(&pointer(path)).cloned().unwrap_or_default();
    let new = match edit {
        Edit::Remove | Edit::Rename(_) => None,
        Edit::Replace(value) => Some(value.clone()),
        Edit::Copy(other) => file.pointer(&pointer(&paths[other % paths.len()])).cloned(),
        Edit::Wrap => Some(json!([old.clone()])),
    };
    let Some((last, above)) = path.split_last() else { return };
    match file.pointer_mut(&pointer(above)) {
        Some(Json::Object(entries)) => {
            entries.remove(last);
            match (new, edit) {
                (Some(new), _) => drop(entries.insert(last.clone(), new)),
                (None, Edit::Rename(name)) => drop(entries.insert(name.clone(), old)),
                (None, _) => {}
            }
        }
        Some(Json::Array(items)) => {
            let index: usize = last.parse().unwrap();
            drop(items.remove(index));
            items.extend(new);
        }
        _ => {}
    }
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let texts = prop::sample::select(vec![
        "",
        "x",
        "X Y",
        "0",
        "80",
        "53/udp",
        "53/tcp+udp",
        "a/b",
        "us-east-1a",
        "us-west-2a",
        "us-east-1",
        "10.0.0.0/8",
        "10.0.0.0/28",
        "10.0.0.1/16",
        "::/0",
        "0.0.0.0/0",
        "main",
        "voice",
        "TLS",
        "UDP",
        "t3.small",
        "t4g.large",
        "none",
        "kubernetes",
        "default",
        "kube-system",
        "chat.example.com",
        "s3://a",
        "file:./x",
        "ü",
        "a\u{0}b",
        "1.34",
    ]);
    let value = prop_oneof![
        texts.prop_map(Json::from),
        prop::sample::select(vec![-1, 0, 1, 2, 4, 60, 65_536, i64::from(u32::MAX), i64::MAX]).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(json!(1.5)),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["us-east-1a", "us-east-1a"])),
        Just(json!({ "a": "b" })),
        Just(json!({ "a": { "port": 80 } })),
    ];
    prop_oneof![
        2 => Just(Edit::Remove),
        4 => value.prop_map(Edit::Replace),
        2 => any::<usize>().prop_map(Edit::Copy),
        1 => prop::sample::select(vec!["x", "X", "count", "port", "main", "us-east-1b"]).prop_map(|name| Edit::Rename(name.to_owned())),
        1 => Just(Edit::Wrap),
    ]
}

/// Names of the file's tables: what a cluster needs too.
fn names(file: &Json, table: &str) -> BTreeSet<String> {
    file[table].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn assert_same_messages(file: &Json, cluster: &Cluster) {
    assert!(names(file, "nodes").iter().eq(cluster.nodes.keys()));
    assert!(names(file, "service").iter().eq(cluster.services.keys()));
    assert!(names(file, "addon").iter().eq(cluster.addons.keys()));
    assert!(names(file, "tags").iter().eq(cluster.tags.keys()));
    for (name, service) in &cluster.services {
        let file = &file["service"][name];
        assert!(names(file, "env").iter().eq(service.env.keys()), "{name}");
        assert!(names(file, "secrets").iter().eq(service.secrets.keys()), "{name}");
        assert!(names(file, "volume").iter().eq(service.volumes.keys()), "{name}");
        assert_eq!(file["nlb"].is_object(), service.nlb.is_some(), "{name}");
        assert_eq!(file["http"].is_object(), service.http.is_some(), "{name}");
        assert!(names(file, "job").iter().eq(service.jobs.keys()), "{name}");
        assert!(names(file, "sidecar").iter().eq(service.sidecars.keys()), "{name}");
        let sidecars = file["sidecar"].as_object().into_iter().flatten();
        let of_sidecars: usize = sidecars.map(|(_, sidecar)| names(sidecar, "ports").len()).sum();
        let ports = names(file, "ports").len() + usize::from(file["port"].is_number()) + of_sidecars;
        assert_eq!(ports, service.ports.len(), "{name}");
        let listeners = names(&file["nlb"], "listener").len() + usize::from(file["nlb"]["port"].is_number());
        assert_eq!(listeners, service.nlb.as_ref().map_or(0, |nlb| nlb.listeners.len()), "{name}");
        assert_eq!(file["health"].is_object(), service.health.as_ref().is_some_and(|health| health.path.is_some()));
    }
}

/// Returns `true` for a reader's message about a value that the schema should have refused.
fn is_a_gap(message: &str) -> bool {
    let top = ["name", "state", "zones", "masters"];
    let missing = message.strip_prefix("the setting `").and_then(|rest| rest.strip_suffix("` is missing"));
    message.starts_with("this is not ") && !message.ends_with("OpenSSH public key")
        || missing.is_some_and(|name| !top.contains(&name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_edit_gives_a_cluster_or_an_error(edits in prop::collection::vec((any::<usize>(), any_edit()), 1..4)) {
        let mut file = full();
        for (at, change) in &edits {
            edit(&mut file, *at, change);
        }
        let parsed = parsed(&file);
        prop_assert_eq!(parsed.cluster.is_err(), parsed.has_errors());
        let gap = parsed.diagnostics.iter().find(|problem| is_a_gap(&problem.message));
        prop_assert!(gap.is_none(), "{}", parsed.render(false, 100));
        if let Ok(cluster) = &parsed.cluster {
            assert_same_messages(&file, cluster);
        }
    }

    #[test]
    fn every_error_is_found_at_once(broken in prop::sample::subsequence(broken(), 1..=broken().len())) {
        let mut file = full();
        for (path, value, _) in &broken {
            *file.pointer_mut(path).unwrap() = value.clone();
        }
        let parsed = parsed(&file);
        let found: Vec<&str> = parsed.diagnostics.iter().filter(|p| p.is_error()).map(|p| p.code).collect();
        let mut wanted: Vec<&str> = broken.iter().map(|(_, _, code)| *code).collect();
        wanted.sort_unstable();
        let mut sorted = found.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, wanted, "{}", parsed.render(false, 100));
    }
}

/// Values that break one rule each, whatever else the file contains.
fn broken() -> Vec<(&'static str, Json, &'static str)> {
    vec![
        ("/state", json!("x"), "Q0204"),
        ("/account", json!("1"), "Q0206"),
        ("/kubernetes", json!("1.1"), "Q0207"),
        ("/network/services", json!("x"), "Q0301"),
        ("/network/pods", json!(1), "Q0105"),
        ("/network/plugin", json!("route"), "Q0109"),
        ("/network/topology", json!("secret"), "Q0109"),
        ("/network/nat", json!("each"), "Q0109"),
        ("/masters/size", json!("x"), "Q0405"),
        ("/masters/count", json!(5), "Q0404"),
        ("/masters/image", json!("x"), "Q0406"),
        ("/masters/etcd/keep_days", json!(0), "Q0106"),
        ("/nodes/workers/count", json!(0), "Q0424"),
        ("/nodes/workers/size", json!(true), "Q0105"),
        ("/nodes/more/max", json!("x"), "Q0105"),
        ("/nodes/more/zones/1", json!("x"), "Q0208"),
        ("/api/allow/0", json!("x"), "Q0301"),
        ("/ssh/public_key", json!("x"), "Q0431"),
        ("/tags/team", json!([]), "Q0105"),
        ("/tags/cost-centre", json!("*"), "Q0232"),
        ("/service/chat/image", json!("X"), "Q0506"),
        ("/service/chat/namespace", json!("X"), "Q0516"),
        ("/service/chat/replicas", json!(0), "Q0501"),
        ("/service/chat/secrets/TOKEN", json!("x"), "Q0509"),
        ("/service/chat/cpu", json!("x"), "Q0514"),
        ("/service/chat/health/path", json!("x"), "Q0515"),
        ("/service/chat/placement/nodes/0", json!("x"), "Q0531"),
        ("/service/chat/placement/tolerate/0", json!(""), "Q0532"),
        ("/service/chat/nlb/target", json!("x"), "Q0522"),
        ("/service/chat/nlb/domain", json!("x"), "Q0504"),
        ("/service/game/nlb/listener/tls/certificate", json!("x"), "Q0525"),
        ("/service/chat/nlb/listener/voice/port", json!(0), "Q0106"),
        ("/service/chat/http/host", json!("a b"), "Q0551"),
        ("/service/game/http/hosts", json!([]), "Q0552"),
        ("/service/game/http/path", json!("game"), "Q0553"),
        ("/service/game/http/certificate", json!("x"), "Q0525"),
        ("/web/idle_seconds", json!(0), "Q0106"),
        ("/web/tls_policy", json!("x"), "Q0525"),
        ("/service/game/min", json!(5), "Q0508"),
        ("/service/game/ports/admin", json!("x"), "Q0513"),
        ("/service/db/volume/data/path", json!("x"), "Q0515"),
    ]
}

#[test]
fn the_file_has_every_setting_and_no_problem() {
    let file = full();
    let parsed = parsed(&file);
    assert!(parsed.cluster.is_ok(), "{}", parsed.render(false, 100));
    let named = ["addon", "nodes", "service", "volume", "listener", "job", "sidecar"];
    let row = |path: &Vec<String>| {
        let is_name =
            |at: usize| at > 0 && named.contains(&path[at - 1].as_str()) && !(at > 1 && path[at - 2] == "placement");
        let is_name = |at: usize| is_name(at) && !(path[at - 1] == "nodes" && at > 1);
        let steps = path.iter().enumerate().map(|(at, step)| if is_name(at) { "NAME" } else { step.as_str() });
        steps.collect::<Vec<_>>().join(".")
    };
    let rows: BTreeSet<String> = paths(&file).iter().map(row).collect();
    let missing: Vec<String> = reference::settings().into_iter().filter(|setting| !rows.contains(setting)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// Such a file had neither a cluster nor an error when texts were parsed twice.
#[test]
fn a_table_of_ports_without_a_port_is_no_port() {
    let mut file = full();
    let game = file["service"]["game"].as_object_mut().unwrap();
    game.remove("http");
    game.remove("port");
    game.insert("ports".to_owned(), json!({}));
    let parsed = parsed(&file);
    let errors: Vec<&str> = parsed.diagnostics.iter().filter(|p| p.is_error()).map(|p| p.code).collect();
    assert_eq!(errors, ["Q0502"]);
}
