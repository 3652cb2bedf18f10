//! Every setting of the file, changed on a living cluster: the change has the effect that `spec::living` documents, and no
//! step loses the quorum, data, the last node or a service.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::*;
use crate::spec::living::{LivingSetting, OnLiving, SETTINGS};

const ALL: Consent = Consent { yes: true, delete_data: true };

/// Values of one setting: the file changes from each to the next one, and back to the first.
struct SettingCase {
    /// The row of the table.
    row: String,
    /// The path of the setting in the file.
    path: Vec<&'static str>,
    values: Vec<Json>,
    /// Other settings that every file of the case contains.
    with: Vec<(&'static str, Json)>,
}

fn case(path: &'static str, values: Json) -> SettingCase {
    let parts: Vec<&str> = path.split('.').collect();
    let mut row: Vec<&str> = Vec::new();
    for part in &parts {
        let named = ["addon", "nodes", "service", "volume", "listener", "job", "sidecar"];
        let is_name = row.last().is_some_and(|before| named.contains(before));
        row.push(if is_name && !row.ends_with(&["placement", "nodes"]) { "NAME" } else { part });
    }
    let Json::Array(values) = values else { panic!("{path}") };
    SettingCase { row: row.join("."), path: parts, values, with: Vec::new() }
}

/// A setting of a job of the service chat.
fn job(setting: &'static str, values: &Json) -> SettingCase {
    let mut case =
        case("service.chat.job.migrate", json!([])).with("service.chat.job.migrate.args", json!(["migrate"]));
    case.path.push(setting);
    SettingCase { row: format!("service.NAME.job.NAME.{setting}"), values: values.as_array().unwrap().clone(), ..case }
}

/// A setting of a sidecar of the service chat.
fn sidecar(setting: &'static str, values: &Json) -> SettingCase {
    let mut case = case("service.chat.sidecar.log", json!([])).with("service.chat.sidecar.log.image", json!("log:1"));
    case.path.push(setting);
    SettingCase {
        row: format!("service.NAME.sidecar.NAME.{setting}"),
        values: values.as_array().unwrap().clone(),
        ..case
    }
}

impl SettingCase {
    fn row(self, row: &str) -> Self {
        Self { row: row.to_owned(), ..self }
    }

    fn with(mut self, path: &'static str, value: Json) -> Self {
        self.with.push((path, value));
        self
    }
}

fn base() -> Json {
    json!({
        "name": "chat.poeticoding.com",
        "state": "s3://state.chat.poeticoding.com",
        "zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
        "kubernetes": "1.35",
        "masters": { "count": 3, "size": "t3.medium" },
        "nodes": {
            "workers": { "count": 2, "size": "t3.large" },
            "more": { "min": 2, "max": 3, "size": "t3.large" },
        },
        "service": {
            "chat": { "image": "chat:1", "replicas": 2, "port": 4000, "nlb": { "port": 80 } },
            "web": {
                "image": "web:1", "min": 2, "max": 4, "cpu": "100m", "port": 8080, "ports": { "metrics": "9090" },
                "nlb": { "listener": { "main": { "port": 8080, "target": "main" } } },
            },
            "db": { "image": "postgres:17", "port": 5432, "volume": { "data": { "gib": 5, "path": "/data" } } },
        },
        "addon": { "rules": { "manifest": "one.yaml" } },
    })
}

const ARN: &str = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-12345678901";

#[rustfmt::skip]
#[allow(clippy::too_many_lines, reason = "a table: a line for each setting")]
fn cases() -> Vec<SettingCase> {
    let none = Json::Null;
    let tls = |digit: u32, policy: &str| json!({ "port": 443, "protocol": "TLS", "certificate": format!("{ARN}{digit}"), "tls_policy": policy });
    let (old, new) = ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06");
    let queue = |pods: u32| json!({ "image": "queue:1", "port": 5672, "replicas": pods, "volume": { "data": { "gib": 5, "path": "/data" } } });
    let zones = |letters: &str| letters.chars().map(|letter| format!("us-east-1{letter}").into()).collect::<Vec<Json>>();
    vec![
        case("account", json!([none, "123456789012", "210987654321"])),
        case("addon.rules", json!([{ "manifest": "one.yaml" }, none])),
        case("addon.rules.manifest", json!(["one.yaml", "two.yaml"])),
        case("api.allow", json!([["203.0.113.7/32"], ["198.51.100.0/24", "203.0.113.7/32"]])),
        case("dns", json!([{ "zone": "poeticoding.com" }, { "zone": "chat.poeticoding.com", "create": true }])).row("dns.create"),
        case("dns", json!([none, { "public": false }])).row("dns.public"),
        case("dns", json!([{ "zone": "poeticoding.com" }, { "zone": "chat.poeticoding.com", "create": true }])).row("dns.zone"),
        case("masters.etcd.gib", json!([20, 30])),
        case("masters.etcd.keep_days", json!([7, 9])),
        case("masters.image", json!([none, "ami-0123456789abcdef0"])),
        case("masters.root.gib", json!([30, 40, 20])),
        case("masters.size", json!(["t3.medium", "t4g.medium"])),
        case("masters.zones", json!([zones("abc"), zones("cab"), zones("abb")])),
        case("network.cidr", json!(["172.20.0.0/16", "10.0.0.0/16"])),
        case("network.plugin", json!([none, "none"])),
        case("network.pods", json!([none, "10.96.0.0/12"])),
        case("network.services", json!([none, "10.64.0.0/16"])),
        case("network.subnets", json!([none, { "us-east-1a": "172.20.192.0/19" }])),
        case("network.topology", json!([none, "private"])),
        case("nodes", json!([base()["nodes"], { "more": base()["nodes"]["more"], "renamed": { "count": 2, "size": "t3.large" } }])).row("nodes.NAME"),
        case("nodes.workers.count", json!([2, 4])),
        case("nodes.workers.image", json!([none, "ami-0123456789abcdef0"])),
        case("nodes.workers.kubelet.eviction.disk", json!([none, "5%"])),
        case("nodes.workers.kubelet.eviction.memory", json!([none, "200Mi"])),
        case("nodes.workers.kubelet.max_pods", json!([none, 60])),
        case("nodes.workers.kubelet.reserved.cpu", json!([none, "200m"])),
        case("nodes.workers.kubelet.reserved.memory", json!([none, "1Gi"])),
        case("nodes.workers.labels", json!([none, { "team": "ml" }, { "tier": "web" }])),
        case("nodes.more.max", json!([3, 5])),
        case("nodes.more.min", json!([2, 1])),
        case("nodes.workers.roll.max_surge", json!([1, 2, 0])),
        case("nodes.workers.roll.max_unavailable", json!([0, 1])),
        case("nodes.workers.root.gib", json!([60, 80])),
        case("nodes.workers.size", json!(["t3.large", "m5.large", "t4g.large"])),
        case("nodes.sized", json!([{ "count": 2, "sizes": ["m5.large", "m6i.large"] }, { "count": 2, "sizes": ["m5.large", "t3.large"] }, { "count": 2, "sizes": ["t3.large"] }, { "count": 2, "sizes": ["m6g.large"] }])).row("nodes.NAME.sizes"),
        case("nodes.workers.spot", json!([none, true])),
        case("nodes.workers.spot.on_demand_base", json!([1, 2])),
        case("nodes.workers.spot.on_demand_percent", json!([25, 50])),
        case("nodes.workers.spot.strategy", json!(["lowest-price", "capacity-optimized"])),
        case("nodes.workers.taints", json!([none, ["dedicated=ml:NoSchedule"]])),
        case("nodes.workers.zones", json!([none, zones("ab"), zones("c")])),
        case("require.survives", json!([none, "machine", "zone"])),
        case("service", json!([base()["service"], { "chat": base()["service"]["chat"], "db": base()["service"]["db"], "site": base()["service"]["web"] }])).row("service.NAME"),
        case("service.chat.args", json!([none, ["start"]])),
        case("service.chat.command", json!([none, ["/bin/chat"]])),
        case("service.chat.cpu", json!([none, "250m"])),
        case("service.chat.env", json!([none, { "PORT": "4000" }, { "PORT": "5000" }])),
        case("service.chat.files", json!([none, { "/etc/chat.toml": "a = 1" }, { "/etc/chat.toml": "a = 2" }])),
        case("service.chat.grace_seconds", json!([none, 60])),
        case("service.chat.health.path", json!(["/health", "/up"])),
        case("service.web.health.port", json!([none, "metrics"])).with("service.web.health.path", json!("/up")),
        case("service.chat.http", json!([{ "host": "www" }, { "host": "www", "certificate": format!("{ARN}1") }])).row("service.NAME.http.certificate"),
        case("service.chat.http", json!([{ "host": "www" }, { "host": "www", "health_path": "/up" }])).row("service.NAME.http.health_path"),
        case("service.chat.http", json!([{ "host": "www" }, { "host": "shop" }])).row("service.NAME.http.host"),
        case("service.chat.http", json!([{ "hosts": ["www"] }, { "hosts": ["a", "www"] }])).row("service.NAME.http.hosts"),
        case("service.chat.http", json!([{ "host": "www" }, { "host": "www", "path": "/chat" }])).row("service.NAME.http.path"),
        case("service.web.http", json!([{ "host": "www", "target": "main" }, { "host": "www", "target": "metrics" }])).row("service.NAME.http.target"),
        case("service.chat.image", json!(["chat:1", "chat:2"])),
        case("service.chat.job", json!([none, { "migrate": { "args": ["migrate"] } }])).row("service.NAME.job.NAME"),
        job("args", &json!([["migrate"], ["migrate", "--all"]])),
        job("command", &json!([none, ["/bin/chat"]])),
        job("cpu", &json!([none, "100m"])),
        job("env", &json!([none, { "POOL_SIZE": "1" }])),
        job("image", &json!([none, "migrations:1"])),
        job("memory", &json!([none, "64Mi"])),
        job("retries", &json!([none, 0])),
        job("schedule", &json!([none, "0 3 * * *", "0 4 * * *"])),
        job("secrets", &json!([none, { "KEY": "chat/key" }])),
        job("time_zone", &json!([none, "Europe/Warsaw"])).with("service.chat.job.migrate.schedule", json!("0 3 * * *")),
        job("timeout_seconds", &json!([none, 1800])),
        case("service.web.max", json!([4, 6])),
        case("service.chat.memory", json!([none, "256Mi"])),
        case("service.web.min", json!([2, 1])),
        case("service.chat.namespace", json!([none, "talk"])),
        case("service.db.namespace", json!([none, "data"])),
        case("service.chat.nlb.allow", json!([none, ["203.0.113.0/24"]])),
        case("service.chat.nlb", json!([tls(1, old), tls(2, old)])).row("service.NAME.nlb.certificate"),
        case("service.chat.nlb.cross_zone", json!([none, false])),
        case("service.chat.nlb.domain", json!([none, "www.chat.poeticoding.com"])),
        case("service.chat.nlb.internal", json!([none, true])),
        case("service.web.nlb.listener", json!([{ "main": { "port": 8080, "target": "main" } }, { "main": { "port": 8080, "target": "main" }, "more": { "port": 9090, "target": "metrics" } }])).row("service.NAME.nlb.listener.NAME"),
        case("service.chat.nlb", json!([{ "listener": { "x": tls(1, old) } }, { "listener": { "x": tls(2, old) } }])).row("service.NAME.nlb.listener.NAME.certificate"),
        case("service.web.nlb.listener.main.port", json!([8080, 8081])),
        case("service.chat.nlb", json!([{ "listener": { "x": { "port": 443 } } }, { "listener": { "x": tls(1, old) } }])).row("service.NAME.nlb.listener.NAME.protocol"),
        case("service.web.nlb.listener.main.target", json!(["main", "metrics"])),
        case("service.chat.nlb", json!([{ "listener": { "x": tls(1, old) } }, { "listener": { "x": tls(1, new) } }])).row("service.NAME.nlb.listener.NAME.tls_policy"),
        case("service.chat.nlb.port", json!([80, 81])),
        case("service.chat.nlb.preserve_client_ip", json!([none, true])),
        case("service.chat.nlb", json!([{ "port": 443 }, tls(1, old)])).row("service.NAME.nlb.protocol"),
        case("service.chat.nlb.sticky", json!([none, true])),
        case("service.web.nlb", json!([{ "port": 80, "target": "main" }, { "port": 80, "target": "metrics" }])).row("service.NAME.nlb.target"),
        case("service.chat.nlb", json!([tls(1, old), tls(1, new)])).row("service.NAME.nlb.tls_policy"),
        case("service.chat.placement", json!([none, { "nodes": ["workers"] }])).row("service.NAME.placement.nodes"),
        case("service.chat.placement", json!([none, { "tolerate": ["dedicated=chat:NoSchedule"] }])).row("service.NAME.placement.tolerate"),
        case("service.chat.placement", json!([none, { "zones": ["us-east-1a"] }])).row("service.NAME.placement.zones"),
        case("service.chat.priority_class", json!([none, "high"])),
        case("service.chat.pull_secrets", json!([none, ["registry"]])),
        case("service.chat.service_account", json!([none, "chat"])),
        case("service.chat.port", json!([4000, 4001])),
        case("service.web.ports", json!([{ "metrics": "9090" }, { "metrics": "9091" }])),
        case("service.chat.replicas", json!([2, 3])),
        case("service.db.replicas", json!([1, 3])),
        case("service.queue", json!([queue(2), queue(3), queue(1)])).row("service.NAME.replicas"),
        case("service.chat.secrets", json!([none, { "KEY": "chat/key" }])),
        case("service.chat.security.capabilities", json!([none, ["NET_BIND_SERVICE", "NET_RAW"], []])),
        case("service.db.security.fs_group", json!([none, 999])),
        case("service.chat.security.privilege_escalation", json!([none, true])),
        case("service.chat.security.read_only_root", json!([none, true])),
        case("service.chat.security.run_as_group", json!([none, 1000])),
        case("service.chat.security.run_as_user", json!([none, 1000, 0])),
        case("service.chat.security.seccomp", json!([none, "Unconfined"])),
        case("service.chat.security.writable", json!([none, ["/tmp"], ["/tmp", "/run"]])),
        case("service.chat.sidecar", json!([none, { "log": { "image": "log:1" } }])).row("service.NAME.sidecar.NAME"),
        sidecar("args", &json!([none, ["--fast"]])),
        sidecar("command", &json!([none, ["/bin/log"]])),
        sidecar("cpu", &json!([none, "50m"])),
        sidecar("env", &json!([none, { "LEVEL": "info" }])),
        sidecar("image", &json!(["log:1", "log:2"])),
        sidecar("memory", &json!([none, "64Mi"])),
        sidecar("ports", &json!([none, { "metrics": "9113" }])),
        sidecar("secrets", &json!([none, { "TOKEN": "chat/token" }])),
        case("service.chat.stateful", json!([none, false])),
        case("service.db.volume", json!([{ "data": { "gib": 5, "path": "/data" } }, { "other": { "gib": 5, "path": "/data" } }])).row("service.NAME.volume.NAME"),
        case("service.db.volume.data.class", json!([none, "io2"])),
        case("service.db.volume.data.gib", json!([5, 8])),
        case("service.db.volume.data.path", json!(["/data", "/var/data"])),
        case("ssh.allow", json!([none, ["203.0.113.7/32"]])),
        case("ssh.public_key", json!([none, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH8vTCdLtGPrVKPjbzQLhVYyJ0CKIj3iVZPKIn1oTvWA you@example.com"])),
        case("ssm", json!([none, false])),
        case("tags", json!([{ "team": "chat" }, { "team": "web" }])),
        case("web.allow", json!([none, ["203.0.113.0/24"]])).with("service.chat.http", json!({ "host": "www" })),
        case("web.idle_seconds", json!([none, 300])).with("service.chat.http", json!({ "host": "www" })),
        case("web.redirect", json!([none, false])).with("service.chat.http", json!({ "host": "www" })),
        case("web.tls_policy", json!([old, new])).with("service.chat.http", json!({ "host": "www" })),
        case("zones", json!([zones("abc"), zones("cab"), zones("dabc"), zones("ac")])),
        // The last two leave the cluster as it is.
        case("kubernetes", json!(["1.35", "1.36"])),
        case("masters.count", json!([3, 5])),
    ]
}

/// A cluster and its file during the cases.
struct SettingWalk {
    user: SandboxUser,
    file: Json,
    found: BTreeMap<String, BTreeSet<OnLiving>>,
    pairs: usize,
    problems: Vec<String>,
}

/// Sets a value in the file; `null` removes the setting, and blocks that are empty then.
fn set(file: &mut Json, path: &[&str], value: &Json) {
    let Json::Object(table) = file else { panic!("{path:?}") };
    let (name, rest) = path.split_first().unwrap();
    if rest.is_empty() {
        if value.is_null() {
            table.remove(*name);
        } else {
            table.insert((*name).to_owned(), value.clone());
        }
        return;
    }
    let inner = table.entry((*name).to_owned()).or_insert_with(|| json!({}));
    set(inner, rest, value);
    if inner.as_object().is_some_and(serde_json::Map::is_empty) {
        table.remove(*name);
    }
}

/// Returns the file as TOML, in which everything that is not a top-level table is on one line.
fn text(file: &Json) -> String {
    fn value(json: &Json) -> String {
        match json {
            Json::Object(table) => {
                let items: Vec<String> = table.iter().map(|(key, item)| format!("{key:?} = {}", value(item))).collect();
                format!("{{ {} }}", items.join(", "))
            }
            Json::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
            other => other.to_string(),
        }
    }
    let lines = file.as_object().unwrap().iter().map(|(key, item)| format!("{key:?} = {}\n", value(item)));
    std::iter::once("# TOML\n".to_owned()).chain(lines).collect()
}

/// A file in the bucket has its hash in its name: other content is another object.
const FILE: &str = "bucket-object";

fn effect(plan: &Json) -> OnLiving {
    let changes = plan["plan"]["changes"].as_array().unwrap();
    let any = |action: &str| changes.iter().any(|change| change["action"] == action);
    let kinds = |action: &str| -> BTreeSet<String> {
        let of = changes.iter().filter(|change| change["action"] == action);
        of.filter_map(|change| Some(change["address"].as_str()?.split_once('/')?.0.to_owned())).collect()
    };
    let rollout = |change: &&Json| {
        let attributes = change["attributes"].as_array().unwrap();
        let template = |attribute: &&Json| attribute["name"].as_str().unwrap().starts_with("spec.template");
        change["address"].as_str().unwrap().starts_with("deployment/") && attributes.iter().any(|a| template(&a))
    };
    if any("refuse") {
        OnLiving::Refused
    } else if changes.iter().any(|change| change["loses_data"] == true) {
        OnLiving::LosesData
    } else if changes.iter().any(|change| change["reason"]["kind"] == "moved") {
        OnLiving::Moved
    } else if any("roll") {
        OnLiving::Roll
    } else if changes.iter().any(|change| change["action"] == "update" && rollout(&change)) {
        OnLiving::Pods
    } else if kinds("replace").iter().any(|kind| kind != FILE)
        || kinds("delete").intersection(&kinds("create")).next().is_some()
    {
        OnLiving::Replaced
    } else if changes.is_empty() {
        OnLiving::Nothing
    } else {
        OnLiving::InPlace
    }
}

/// Settings of clusters with private machines.
fn private_cases() -> Vec<SettingCase> {
    let none = Json::Null;
    vec![
        case("network.nat", json!(["regional", "shared", "none"])),
        case("network.private_subnets", json!([none, { "us-east-1a": "172.20.192.0/19" }])),
        case("network.topology", json!(["private", none])).with("network.nat", none.clone()),
    ]
}

fn private_base() -> Json {
    let mut file = base();
    set(&mut file, &["network", "topology"], &json!("private"));
    file
}

impl SettingWalk {
    async fn new(file: Json) -> Self {
        let user = SandboxUser {
            text: text(&file),
            options: OutputOptions { json: true, ..OutputOptions::default() },
            ..SandboxUser::new()
        };
        for (name, value) in [("one.yaml", 1), ("two.yaml", 2)] {
            let manifest =
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: rules\ndata:\n  a: \"{value}\"\n");
            std::fs::write(user.directory.path().join(name), manifest).unwrap();
        }
        let (exit, out) = user.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
        user.sandbox.witness(|witness| witness.watching = true);
        Self { user, file, found: BTreeMap::new(), pairs: 0, problems: Vec::new() }
    }

    /// Changes the file, and returns the effect of its plan. A refused change is undone.
    async fn step(&mut self, file: Json, what: &str) -> Option<OnLiving> {
        if file == self.file {
            return None;
        }
        let parsed = spec::parse("cluster.toml", &text(&file), &BTreeMap::new());
        if parsed.has_errors() {
            self.problems.push(format!("{what}: {}", parsed.render(false, 80)));
            return None;
        }
        self.user.text = text(&file);
        let (exit, out) = self.user.plan().await;
        let effect = match exit {
            Ok(_) => effect(&serde_json::from_str(&out).unwrap_or_else(|error| panic!("{what}: {error}: {out}"))),
            Err(error) => {
                if error.exit() != Exit::Refused {
                    self.problems.push(format!("{what}: {:?}", error.report().causes));
                }
                OnLiving::Refused
            }
        };
        if effect == OnLiving::Refused {
            self.user.text = text(&self.file);
            return Some(effect);
        }
        let services =
            |file: &Json| -> BTreeSet<String> { file["service"].as_object().unwrap().keys().cloned().collect() };
        let both = services(&self.file).intersection(&services(&file)).cloned().collect();
        self.user.sandbox.witness(|witness| witness.services = both);
        self.file = file;
        if effect != OnLiving::Nothing {
            let (exit, _) = self.user.apply(if effect == OnLiving::LosesData { ALL } else { YES }).await;
            if !matches!(exit, Ok(Exit::Done)) {
                self.problems.push(format!("{what}: {exit:?} {}", self.user.err.read()));
            }
            let (exit, _) = self.user.plan().await;
            if !matches!(exit, Ok(Exit::Done)) {
                self.problems.push(format!("{what}: the plan afterwards is not empty: {exit:?}"));
            }
        }
        self.user.err.read();
        let found = self.user.sandbox.witness(|witness| std::mem::take(&mut witness.problems));
        self.problems.extend(found.into_iter().take(3).map(|problem| format!("{what}: {problem}")));
        Some(effect)
    }

    async fn case(&mut self, case: &SettingCase) {
        let before = self.file.clone();
        let mut around = before.clone();
        for (path, value) in &case.with {
            set(&mut around, &path.split('.').collect::<Vec<_>>(), value);
        }
        let first = case.values.first().cloned();
        for (at, value) in case.values.iter().chain(&first).enumerate() {
            let mut file = around.clone();
            set(&mut file, &case.path, value);
            let what = format!("{}: {} = {value}", case.row, case.path.join("."));
            // The first value may bring more with it than the setting.
            if let Some(effect) = self.step(file, &what).await
                && at > 0
            {
                self.pairs += 1;
                self.found.entry(case.row.clone()).or_default().insert(effect);
            }
        }
        self.step(before, &format!("{} as before", case.row)).await;
    }
}

impl SettingWalk {
    /// Changes random settings to random values, one after the other: whatever the file was before, nothing is lost at any
    /// step, and the plan afterwards is empty. Values that the file's rules refuse in this combination are left out.
    async fn random(&mut self, cases: &[SettingCase], random: &mut fastrand::Rng, steps: usize) -> usize {
        let mut changes = 0;
        for _ in 0..steps {
            let case = &cases[random.usize(..cases.len())];
            let mut file = self.file.clone();
            for (path, value) in &case.with {
                set(&mut file, &path.split('.').collect::<Vec<_>>(), value);
            }
            let value = &case.values[random.usize(..case.values.len())];
            set(&mut file, &case.path, value);
            if spec::parse("cluster.toml", &text(&file), &BTreeMap::new()).has_errors() {
                continue;
            }
            let what = format!("{} = {value}", case.path.join("."));
            let effect = self.step(file, &what).await;
            changes += usize::from(effect.is_some_and(|effect| effect != OnLiving::Refused));
        }
        changes
    }
}

/// `QUORATE_RANDOM_EDITS` sets the number of lives; each is another one.
#[test]
fn random_edits_lose_nothing_whatever_the_file_was_before() {
    let lives = std::env::var("QUORATE_RANDOM_EDITS").ok().and_then(|lives| lives.parse().ok()).unwrap_or(2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for seed in 1..=lives {
        runtime.block_on(async {
            let mut walk = SettingWalk::new(base()).await;
            let changes = walk.random(&cases(), &mut fastrand::Rng::with_seed(seed), 40).await;
            assert!(walk.problems.is_empty(), "life {seed}:\n{}", walk.problems.join("\n"));
            assert!(changes > 10, "life {seed} had {changes} changes");
        });
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures of docs are read from it")]
fn every_setting_does_to_a_living_cluster_what_the_table_documents() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut walk = SettingWalk::new(base()).await;
        for case in cases() {
            walk.case(&case).await;
        }
        let mut private = SettingWalk::new(private_base()).await;
        for case in private_cases() {
            private.case(&case).await;
        }
        for (row, effects) in private.found {
            walk.found.entry(row).or_default().extend(effects);
        }
        walk.problems.extend(private.problems);
        let mut wrong = Vec::new();
        for setting in SETTINGS.iter().filter(|setting| !setting.effects.is_empty()) {
            let documented: BTreeSet<OnLiving> = setting.effects.iter().copied().collect();
            let found = walk.found.get(setting.path).cloned().unwrap_or_default();
            if documented != found {
                wrong.push(format!("{}: the table says `{}`, and it was {found:?}", setting.path, setting.cell()));
            }
        }
        let unknown = walk.found.keys().filter(|row| LivingSetting::find(row).is_none());
        wrong.extend(unknown.map(|row| format!("{row}: there is no such row")));
        let steps = walk.user.sandbox.witness(|witness| witness.steps);
        println!("{} settings walked, {} pairs tried, {steps} steps checked", walk.found.len(), walk.pairs);
        assert!(walk.problems.is_empty() && wrong.is_empty(), "{}\n{}", walk.problems.join("\n"), wrong.join("\n"));
        assert!(walk.pairs > 130 && steps > 3_000, "{} pairs, {steps} steps", walk.pairs);
    });
}
