//! The document of kind Cluster.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde_json::Value as Json;

use super::super::cluster::Zone;
use super::super::defaults;
use super::super::kubernetes_version::KubernetesVersion;
use super::fields::{KopsFields, short};
use super::{KopsConversion, KopsError, name};

/// The zones of the cluster, in order, and the zone of each subnet by its name.
#[derive(Debug, Default)]
pub(super) struct KopsSubnets {
    pub(super) zones: Vec<String>,
    pub(super) zone_of: BTreeMap<String, String>,
}

/// Fields that mean nothing for a new cluster.
const WITHOUT_MEANING: [&str; 8] = [
    "channel",
    "masterInternalName",
    "secretStore",
    "keyStore",
    "configStore",
    "containerRuntime",
    "gossipConfig",
    "dnsControllerGossipConfig",
];

/// Converts the cluster. Returns its subnets.
pub(super) fn convert(conversion: &mut KopsConversion, document: &Json) -> Result<KopsSubnets, KopsError> {
    let mut spec = KopsFields::of(&document["spec"]);
    cloud(&mut spec)?;
    conversion.draft.set(&["name"], name(document), "metadata.name");
    spec.drop_all(&WITHOUT_MEANING);
    conversion.differ(
        "Cluster",
        "Quorate creates a new cluster: it does not take over machines, volumes or data of the kops cluster. To have both at \
         the same time, change `name` and `state`: two clusters cannot have the same DNS names",
    );
    if let Some(base) = spec.text("configBase") {
        conversion.differ("spec.configBase", format!("{base}: Quorate stores its record and keys at `state`"));
    }
    version(conversion, &mut spec);
    let subnets = subnets(conversion, &mut spec);
    ranges(conversion, &mut spec);
    access(conversion, &mut spec);
    names(conversion, document, &mut spec);
    etcd(conversion, &mut spec);
    if let Some(labels) = spec.take("cloudLabels").and_then(Json::as_object) {
        let labels = labels.iter().filter_map(|(key, value)| Some((key.clone(), short_or_empty(value)?)));
        conversion.draft.set(&["tags"], labels.collect::<BTreeMap<_, _>>(), "spec.cloudLabels");
    }
    inner(conversion, &mut spec, "kubelet", |kubelet| kubelet.drop_if("anonymousAuth", |value| value == false));
    inner(conversion, &mut spec, "authorization", |authorization| authorization.drop_all(&["rbac"]));
    inner(conversion, &mut spec, "iam", |iam| {
        iam.drop_if("allowContainerRegistry", |value| value == true);
        iam.drop_if("legacy", |value| value == false);
    });
    // These describe the cloud controllers that every cluster of Quorate has.
    inner(conversion, &mut spec, "cloudConfig", |cloud| {
        cloud.drop_all(&["manageStorageClasses"]);
        cloud.drop_if("awsEBSCSIDriver", |driver| {
            driver["enabled"] != false && driver.as_object().is_some_and(|it| it.len() < 2)
        });
    });
    conversion.differ_in_rest("spec", spec);
    Ok(subnets)
}

/// Checks that the cluster is on AWS.
fn cloud(spec: &mut KopsFields<'_>) -> Result<(), KopsError> {
    let cloud = match spec.take("cloudProvider") {
        Some(Json::String(cloud)) => cloud.clone(),
        Some(Json::Object(clouds)) => clouds.keys().next().cloned().unwrap_or_default(),
        _ => return Ok(()),
    };
    if cloud == "aws" || cloud.is_empty() { Ok(()) } else { Err(KopsError::OtherCloud(cloud)) }
}

/// Reports the fields of an inner object, except those that `drop` removes.
fn inner(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>, name: &str, drop: impl Fn(&mut KopsFields<'_>)) {
    let Some(value) = spec.take(name) else { return };
    let mut fields = KopsFields::of(value);
    drop(&mut fields);
    for (field, value) in fields.rest() {
        conversion.differ(format!("spec.{name}.{field}"), super::fields::without_setting(name, value));
    }
}

fn version(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>) {
    let Some(written) = spec.text("kubernetesVersion") else { return };
    let minor: Vec<&str> = written.trim_start_matches('v').split('.').take(2).collect();
    let path = "spec.kubernetesVersion";
    if let Some(version) = KubernetesVersion::parse(&minor.join(".")) {
        conversion.draft.set(&["kubernetes"], version.to_string(), path);
        return;
    }
    let ([oldest, .., newest], default) = (KubernetesVersion::SUPPORTED, KubernetesVersion::DEFAULT);
    conversion.differ(
        path,
        format!(
            "{written}: this release builds {oldest} to {newest}. The file names no version, which means {default}: test \
             your workloads with it first"
        ),
    );
}

fn subnets(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>) -> KopsSubnets {
    let mut found = KopsSubnets::default();
    let written: Vec<&Json> = spec.take("subnets").and_then(Json::as_array).into_iter().flatten().collect();
    let is_private = written.iter().any(|subnet| KopsFields::of(subnet).text("type").as_deref() == Some("Private"));
    let (mut of_machines, mut of_balancers) = (BTreeMap::new(), BTreeMap::new());
    for subnet in written {
        let mut fields = KopsFields::of(subnet);
        let (name, zone) = (fields.text("name").unwrap_or_default(), fields.text("zone").unwrap_or_default());
        let path = format!("spec.subnets[{name}]");
        let (kind, range) = (fields.text("type").unwrap_or_default(), fields.text("cidr"));
        found.zone_of.insert(name, zone.clone());
        // Machines are in all subnets but those of load balancers and NAT gateways.
        let has_machines = kind != "Utility";
        if has_machines && !found.zones.contains(&zone) && !zone.is_empty() {
            found.zones.push(zone.clone());
        }
        if is_private && kind == "Public" {
            let text =
                "Public: beside private subnets, Quorate's public ones have load balancers alone, and no machines";
            conversion.differ(format!("{path}.type"), text);
        }
        if !has_machines && !is_private {
            conversion.differ(path.clone(), format!("{kind}: Quorate has one public subnet in each zone"));
        } else if let Some(range) = range {
            let is_machines = has_machines && (kind == "Private" || !is_private);
            let ranges = if is_machines { &mut of_machines } else { &mut of_balancers };
            match ranges.get(&zone) {
                Some(first) => {
                    let text = format!("{range}: Quorate has one subnet in each zone, here {first}");
                    conversion.differ(format!("{path}.cidr"), text);
                }
                None => drop(ranges.insert(zone, range)),
            }
        }
        conversion.differ_in_rest(&path, fields);
    }
    conversion.draft.set(&["zones"], found.zones.clone(), "spec.subnets");
    let cidr = spec.text("networkCIDR");
    let vpc: Option<Ipv4Net> = cidr.as_deref().map_or(Some(defaults::VPC), |cidr| cidr.parse().ok());
    if let Some(cidr) = cidr.filter(|cidr| cidr.parse() != Ok(defaults::VPC)) {
        conversion.draft.set(&["network", "cidr"], cidr, "spec.networkCIDR");
    }
    let zones: Vec<Zone> = found.zones.iter().filter_map(|zone| Zone::parse(zone).ok()).collect();
    let mut set = |setting: &str, ranges: BTreeMap<String, String>, parts: fn(Ipv4Net) -> Vec<Ipv4Net>| {
        let usual = vpc.map(|vpc| defaults::subnets(parts(vpc), &zones, &BTreeMap::new())).unwrap_or_default();
        let is_usual = |zone: &str, range: &str| {
            usual.iter().any(|(known, usual)| known.as_str() == zone && range.parse() == Ok(*usual))
        };
        if !ranges.iter().all(|(zone, range)| is_usual(zone, range)) {
            conversion.draft.set(&["network", setting], ranges, "spec.subnets");
        }
    };
    if is_private {
        set("private_subnets", of_machines, defaults::subnet_parts);
        // A zone without machines has no subnet.
        of_balancers.retain(|zone, _| found.zones.contains(zone));
        set("subnets", of_balancers, |vpc| defaults::parts_of_public(vpc, true));
        conversion.draft.set(&["network", "topology"], "private", "spec.subnets");
    } else {
        set("subnets", of_machines, defaults::subnet_parts);
    }
    if let Some(id) = spec.text("networkID") {
        conversion.differ("spec.networkID", format!("{id}: Quorate creates a VPC of its own, with `network.cidr`"));
    }
    found
}

/// The ranges of pods and services, and the network plugin.
fn ranges(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>) {
    let plugin = plugin(conversion, spec);
    let whole = spec.text("nonMasqueradeCIDR").and_then(|range| range.parse::<Ipv4Net>().map_err(|_| range).into());
    let (pods, services) = (spec.text("podCIDR"), spec.text("serviceClusterIPRange"));
    let whole = match whole {
        Some(Ok(range)) => Some(range),
        Some(Err(range)) => {
            conversion
                .differ("spec.nonMasqueradeCIDR", format!("{range}: clusters of Quorate are IPv4 with IPv4 ranges"));
            None
        }
        None => None,
    };
    // As kops derives them: services have the first eighth, pods the second half.
    let derived = whole.filter(|_| plugin != "amazonvpc");
    let eighth = derived.and_then(|whole| whole.subnets(whole.prefix_len() + 3).ok()?.next());
    let half = derived.and_then(|whole| whole.subnets(whole.prefix_len() + 1).ok()?.nth(1));
    let origin = |given: &Option<String>, field: &str| match given {
        Some(_) => format!("spec.{field}"),
        None => "spec.nonMasqueradeCIDR".to_owned(),
    };
    let (of_pods, of_services) = (origin(&pods, "podCIDR"), origin(&services, "serviceClusterIPRange"));
    let ranges = [
        ("pods", pods.or(half.map(|range| range.to_string())), defaults::PODS, of_pods),
        ("services", services.or(eighth.map(|range| range.to_string())), defaults::SERVICES, of_services),
    ];
    for (name, range, usual, origin) in ranges {
        if let Some(range) = range.filter(|range| range.parse() != Ok(usual)) {
            conversion.draft.set(&["network", name], range, origin);
        }
    }
}

/// Returns the name of the network plugin.
fn plugin(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>) -> String {
    let fields = KopsFields::of(spec.take("networking").unwrap_or(&Json::Null));
    let mut plugin = String::new();
    for (name, settings) in fields.rest() {
        let path = format!("spec.networking.{name}");
        name.clone_into(&mut plugin);
        match name {
            "kubenet" | "classic" => {}
            "cni" | "external" => conversion.draft.set(&["network", "plugin"], "none", path),
            _ => {
                let lost = if settings.as_object().is_some_and(|settings| !settings.is_empty()) {
                    " with its settings"
                } else {
                    ""
                };
                let more = match name {
                    "amazonvpc" => "; pods then have addresses of the VPC",
                    _ => "",
                };
                conversion.draft.set(&["network", "plugin"], "none", path.as_str());
                let text = format!(
                    "the file says `plugin = \"none\"`: install {name} yourself{lost} after the first apply{more}. Without \
                     it, `plugin = \"routes\"` needs no plugin, for up to 499 machines"
                );
                conversion.differ(path, text);
            }
        }
    }
    plugin
}

/// Access to the API and by SSH.
fn access(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>) {
    for (field, path) in [("kubernetesApiAccess", ["api", "allow"]), ("sshAccess", ["ssh", "allow"])] {
        let mut ranges = Vec::new();
        for range in spec.texts(field) {
            if range.parse::<Ipv4Net>().is_ok() {
                ranges.push(range);
            } else {
                let text = format!("{range}: only IPv4 ranges can be allowed");
                conversion.differ(format!("spec.{field}"), text);
            }
        }
        if !ranges.is_empty() {
            conversion.draft.set(&path, ranges, format!("spec.{field}"));
        }
    }
    if conversion.draft.get(&["ssh", "allow"]).is_some() {
        let text = "the public key is not in the export: add it as `ssh.public_key`, otherwise nobody can log in";
        conversion.differ("spec.sshAccess", text);
    }
    if let Some(key) = spec.text("sshKeyName").filter(|key| !key.is_empty()) {
        conversion.differ("spec.sshKeyName", format!("{key}: write the public key itself as `ssh.public_key`"));
    }
}

/// DNS names and the API's load balancer.
fn names(conversion: &mut KopsConversion, document: &Json, spec: &mut KopsFields<'_>) {
    let cluster = name(document);
    let api = format!("api.{cluster}");
    if let Some(public) = spec.text("masterPublicName").filter(|public| *public != api) {
        conversion.differ("spec.masterPublicName", format!("{public}: the API's name is always {api}"));
    }
    let mut topology = KopsFields::of(spec.take("topology").unwrap_or(&Json::Null));
    let dns = topology.take("dns").and_then(|dns| dns["type"].as_str()).unwrap_or_default();
    // The subnets say the same.
    for field in ["masters", "controlPlane", "nodes"] {
        topology.drop_if(field, |value| value == "public" || value == "private");
    }
    for (field, value) in topology.rest() {
        let text = match (field, value.as_str()) {
            ("bastion", _) => "there are no bastions: `ssh.allow` opens SSH to addresses".to_owned(),
            _ => super::fields::without_setting(field, value),
        };
        conversion.differ(format!("spec.topology.{field}"), text);
    }
    let zone = spec.text("dnsZone");
    if dns == "None" || cluster.ends_with(".k8s.local") {
        let origin = if dns == "None" { "spec.topology.dns" } else { "metadata.name" };
        conversion.draft.set(&["dns", "public"], false, origin);
        if let Some(zone) = zone {
            conversion.differ("spec.dnsZone", format!("{zone}: the cluster has no public names"));
        }
    } else {
        if dns == "Private" {
            let text =
                "Private: the API's name is public; inside the cluster, machines use a private zone of Quorate's own";
            conversion.differ("spec.topology.dns.type", text);
        }
        match zone {
            Some(zone) if zone.contains('.') => {
                conversion.draft.set(&["dns", "zone"], zone.trim_end_matches('.'), "spec.dnsZone");
            }
            Some(zone) => {
                conversion.differ("spec.dnsZone", format!("{zone}: write the name of the zone as `dns.zone`"));
            }
            None => {}
        }
    }
    let Some(api) = spec.take("api") else { return };
    let mut fields = KopsFields::of(api);
    if fields.take("dns").is_some() {
        conversion.differ("spec.api.dns", "the API is behind a network load balancer");
    }
    let mut balancer = KopsFields::of(fields.take("loadBalancer").unwrap_or(&Json::Null));
    balancer.drop_if("type", |value| value == "Public");
    balancer.drop_if("class", |value| value == "Network");
    for (field, value) in balancer.rest() {
        let text = match (field, value.as_str()) {
            ("type", Some("Internal")) => {
                "Internal: the API's load balancer is public, and open to the ranges of `api.allow` only".to_owned()
            }
            ("class", _) => "Classic: the API is behind a network load balancer".to_owned(),
            _ => super::fields::without_setting(field, value),
        };
        conversion.differ(format!("spec.api.loadBalancer.{field}"), text);
    }
    conversion.differ_in_rest("spec.api", fields);
}

/// The etcd clusters: volumes of the main one.
fn etcd(conversion: &mut KopsConversion, spec: &mut KopsFields<'_>) {
    for cluster in spec.take("etcdClusters").and_then(Json::as_array).into_iter().flatten() {
        let mut fields = KopsFields::of(cluster);
        let name = fields.text("name").unwrap_or_default();
        let path = format!("spec.etcdClusters[{name}]");
        let members = fields.take("etcdMembers").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if name == "events" {
            conversion.differ(path, "events are in the same etcd as everything else");
            continue;
        }
        if name != "main" {
            conversion.differ(path, "Quorate has one etcd cluster: that of the control plane");
            continue;
        }
        let mut lost: BTreeSet<(String, String)> = BTreeSet::new();
        let mut size: Option<u32> = None;
        for member in members {
            let mut member = KopsFields::of(member);
            member.drop_all(&["name", "instanceGroup"]);
            size = size.max(member.number("volumeSize"));
            member.drop_if("volumeType", |value| value == "gp3");
            member.drop_if("encryptedVolume", |value| value == true);
            for (field, value) in member.rest() {
                let text = match field {
                    "encryptedVolume" => "volumes are always encrypted".to_owned(),
                    "volumeType" => format!("{}: etcd's volumes are gp3", short(value).unwrap_or_default()),
                    _ => super::fields::without_setting(field, value),
                };
                lost.insert((field.to_owned(), text));
            }
        }
        for (field, text) in lost {
            conversion.differ(format!("{path}.etcdMembers.{field}"), text);
        }
        if let Some(size) = size {
            conversion.draft.set(&["masters", "etcd", "gib"], size, format!("{path}.etcdMembers.volumeSize"));
        }
        conversion.differ_in_rest(&path, fields);
    }
}

fn short_or_empty(value: &Json) -> Option<String> {
    if value == "" { Some(String::new()) } else { short(value).or_else(|| value.as_str().map(str::to_owned)) }
}
