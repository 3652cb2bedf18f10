//! Objects that existed in the account before: other people's, which must be unchanged afterwards.

use std::collections::BTreeMap;

use serde_json::json;

use super::account::{SimulatedAccount, SimulatedObject, kind, region_of};
use super::{SandboxSettings, facts, names};
use crate::resource::{
    Bucket, DnsRecord, HostedZone, InternetGateway, Resource, Role, RouteTable, SecurityGroup, Subnet, Vpc,
};

/// Returns a new account. Like a real one, it is not empty.
pub(super) fn found(settings: &SandboxSettings) -> SimulatedAccount {
    let mut world = SimulatedAccount::empty(&settings.account, settings.seed);
    let mut add = |kind: &str, attributes: serde_json::Value| add(&mut world, settings, kind, attributes);

    let vpc =
        add(Vpc::KIND.name, json!({ "cidr": "172.31.0.0/16", "dns_support": true, "dns_hostnames": true, "tags": {} }));
    let gateway = add(InternetGateway::KIND.name, json!({ "vpc": vpc, "tags": {} }));
    let mut subnets = Vec::new();
    for (number, zone) in facts::zones(&settings.region).into_iter().enumerate() {
        let cidr = format!("172.31.{}.0/20", 16 * number);
        subnets.push(add(Subnet::KIND.name, json!({ "vpc": vpc, "zone": zone, "cidr": cidr, "tags": {} })));
    }
    let routes = json!([{ "destination": "0.0.0.0/0", "target": gateway }]);
    add(RouteTable::KIND.name, json!({ "vpc": vpc, "routes": routes, "subnets": [], "tags": {} }));
    let text = "default VPC security group";
    add(SecurityGroup::KIND.name, json!({ "name": "default", "description": text, "vpc": vpc, "tags": {} }));

    let tags = json!({ "team": "data" });
    let bucket = json!({
        "name": "data-team-exports", "versioned": false, "encrypted": true, "private": true, "tags": tags
    });
    add(Bucket::KIND.name, bucket);
    let role = json!({
        "name": "data-team-etl", "path": "/", "trust": "{}", "policies": {}, "attached": [], "tags": tags
    });
    add(Role::KIND.name, role);
    let zone = add(HostedZone::KIND.name, json!({ "name": "poeticoding.com", "comment": "", "tags": {} }));
    let record = json!({
        "zone": zone, "name": "www.poeticoding.com", "record_type": "A",
        "target": "web-1.us-east-1.elb.amazonaws.com", "target_zone": "Z26RNL4JYFTOTI"
    });
    add(DnsRecord::KIND.name, record);
    add(HostedZone::KIND.name, json!({ "name": "example.com", "comment": "", "tags": {} }));
    world
}

/// Adds an object that no cluster owns; returns its first output, by which others refer to it.
pub(super) fn add(
    world: &mut SimulatedAccount,
    settings: &SandboxSettings,
    name: &str,
    attributes: serde_json::Value,
) -> String {
    let Some(kind) = kind(name) else { return String::new() };
    // The texts above are objects of plain values: nothing is lost here.
    let attributes: crate::engine::Attributes = serde_json::from_value(attributes).unwrap_or_default();
    let outputs = world.outputs(kind, &attributes, &settings.region);
    let id = names::id(kind, &outputs, &attributes);
    let first = kind.outputs.first().and_then(|output| outputs.get(output.name)).cloned().unwrap_or_default();
    let stored = SimulatedObject {
        mark: None,
        region: region_of(name, &settings.region),
        attributes,
        outputs,
        created: 0,
        visible: 0,
        ready: 0,
        machines: Vec::new(),
        contents: BTreeMap::new(),
    };
    world.insert(name, &id, stored);
    first
}
