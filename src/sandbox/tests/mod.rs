//! Tests of the simulated cloud, with a small cluster built by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod faults;
mod inject;
mod keep;
mod lives;
mod machines;
mod s3;
mod strict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::*;
use crate::cloud::CloudProvider;
use crate::engine::{Address, IdempotencyToken, Live, Object, ObjectPhase, Payload, Provider, Reference};
use crate::resource::{
    ApplicationLoadBalancer, AutoScalingGroup, Bucket, BucketObject, Certificate, DnsRecord, EbsVolume, ElasticIp,
    GroupRule, HealthCheck, HostedZone, HttpListener, InstanceProfile, InternetGateway, KeyPair, LaunchTemplate,
    Listener, ListenerRule, LoadBalancer, NatGateway, PurchaseOption, Resource, Role, Route, RouteTable, Secret,
    SecretContent, SecurityGroup, SecurityGroupRules, Subnet, Tags, TargetGroup, TextInput, Vpc, VpcEndpoint,
};

const CLUSTER: &str = "chat.poeticoding.com";
const BUCKET: &str = "state.chat.poeticoding.com";

fn settings() -> SandboxSettings {
    SandboxSettings::new("us-east-1", CLUSTER)
}

fn sandbox() -> Sandbox {
    Sandbox::in_memory(settings())
}

fn quiet(_: String) {}

fn of<R: Resource>(name: &str, output: &str) -> TextInput {
    TextInput::output(R::address(name), output)
}

fn tags(name: &str) -> Tags {
    Tags::from([("Name".to_owned(), name.to_owned())])
}

fn vpc() -> Object {
    let vpc = Vpc { cidr: "172.20.0.0/16".to_owned(), dns_support: true, dns_hostnames: true, tags: tags("vpc") };
    vpc.object("main").unwrap()
}

fn subnet(zone: &str, cidr: &str) -> Object {
    let subnet =
        Subnet { vpc: of::<Vpc>("main", "id"), zone: zone.to_owned(), cidr: cidr.to_owned(), tags: tags(zone) };
    subnet.object(zone).unwrap()
}

fn security_group(name: &str) -> Object {
    let group = SecurityGroup {
        name: format!("{name}.{CLUSTER}"),
        description: name.to_owned(),
        vpc: of::<Vpc>("main", "id"),
        tags: tags(name),
    };
    group.object(name).unwrap()
}

fn rules(name: &str, peers: &[&str]) -> Object {
    let rule = |peer: &&str| GroupRule {
        protocol: "tcp".to_owned(),
        ports: "6443".to_owned(),
        peer: of::<SecurityGroup>(peer, "id"),
        description: String::new(),
    };
    let group = of::<SecurityGroup>(name, "id");
    let rules = SecurityGroupRules { group, ingress: peers.iter().map(rule).collect(), egress: Vec::new() };
    rules.object(name).unwrap()
}

fn template() -> LaunchTemplate {
    LaunchTemplate {
        name: format!("nodes.{CLUSTER}"),
        image: "ami-0a5b1d2c3e4f60718".to_owned(),
        instance_size: "t3.medium".to_owned(),
        profile: of::<InstanceProfile>("nodes", "name"),
        security_groups: vec![of::<SecurityGroup>("nodes", "id")],
        public_address: true,
        key: of::<KeyPair>("ssh", "name"),
        user_data: "#!/bin/sh".into(),
        root_device: "/dev/xvda".to_owned(),
        root_gib: 20,
        metadata_hops: 1,
        instance_tags: tags("nodes"),
        tags: tags("nodes"),
    }
}

fn group(count: u32) -> AutoScalingGroup {
    AutoScalingGroup {
        name: format!("nodes.{CLUSTER}"),
        launch_template: of::<LaunchTemplate>("nodes", "id"),
        version: of::<LaunchTemplate>("nodes", "version"),
        machines: of::<LaunchTemplate>("nodes", "version"),
        sizes: Vec::new(),
        purchase: PurchaseOption::OnDemand,
        subnets: vec![of::<Subnet>("us-east-1d", "id"), of::<Subnet>("us-east-1f", "id")],
        min: count,
        max: count,
        desired: Some(count),
        target_groups: vec![of::<TargetGroup>("api", "arn")],
        max_surge: None,
        max_unavailable: None,
        replace: Vec::new(),
        tags: tags("nodes"),
    }
}

fn network() -> Vec<Object> {
    let gateway = InternetGateway { vpc: of::<Vpc>("main", "id"), tags: tags("main") };
    let table = RouteTable {
        vpc: of::<Vpc>("main", "id"),
        routes: vec![Route { destination: "0.0.0.0/0".to_owned(), target: of::<InternetGateway>("main", "id") }],
        subnets: vec![of::<Subnet>("us-east-1d", "id"), of::<Subnet>("us-east-1f", "id")],
        tags: tags("main"),
    };
    let address = ElasticIp { tags: tags("nat") };
    let nat = NatGateway {
        vpc: of::<Vpc>("main", "id"),
        mode: NatGateway::ZONAL.to_owned(),
        subnet: of::<Subnet>("us-east-1d", "id"),
        address: of::<ElasticIp>("nat", "id"),
        tags: tags("us-east-1d"),
    };
    let endpoint = VpcEndpoint {
        vpc: of::<Vpc>("main", "id"),
        service: "com.amazonaws.us-east-1.s3".to_owned(),
        tables: vec![of::<RouteTable>("main", "id")],
        tags: tags("s3"),
    };
    vec![
        vpc(),
        gateway.object("main").unwrap(),
        subnet("us-east-1d", "172.20.32.0/19"),
        subnet("us-east-1f", "172.20.64.0/19"),
        table.object("main").unwrap(),
        address.object("nat").unwrap(),
        nat.object("us-east-1d").unwrap(),
        endpoint.object("s3").unwrap(),
        security_group("masters"),
        security_group("nodes"),
        rules("masters", &["masters", "nodes"]),
        rules("nodes", &["masters"]),
    ]
}

fn identity() -> Vec<Object> {
    let role = Role {
        name: format!("nodes.{CLUSTER}"),
        path: format!("/quorate/{CLUSTER}/role/nodes/"),
        trust: "{}".to_owned(),
        policies: BTreeMap::from([("nodes".to_owned(), "{}".into())]),
        attached: Vec::new(),
        tags: tags("nodes"),
    };
    let profile = InstanceProfile {
        name: format!("nodes.{CLUSTER}"),
        path: format!("/quorate/{CLUSTER}/instance-profile/nodes/"),
        role: of::<Role>("nodes", "name"),
        tags: tags("nodes"),
    };
    let key = KeyPair { name: format!("{CLUSTER}-1"), public_key: "ssh-ed25519 AAAA".to_owned(), tags: tags("ssh") };
    vec![role.object("nodes").unwrap(), profile.object("nodes").unwrap(), key.object("ssh").unwrap()]
}

fn secret(content: SecretContent) -> Object {
    let key = format!("{CLUSTER}/{}", content.path());
    Secret { bucket: of::<Bucket>("state", "name"), key, content }.object(content.name()).unwrap()
}

fn storage() -> Vec<Object> {
    let bucket = Bucket { name: BUCKET.to_owned(), versioned: true, encrypted: true, private: true, tags: tags("b") };
    let content = b"#!/bin/sh\n".as_slice();
    let file = BucketObject {
        bucket: of::<Bucket>("state", "name"),
        key: format!("{CLUSTER}/bootstrap/node.sh"),
        sha256: hex::encode(Sha256::digest(content)),
        registrations: BTreeMap::new(),
        settings: None,
    };
    let file = Object { payload: Some(Payload(Arc::from(content))), ..file.object("node.sh").unwrap() };
    let volume = EbsVolume {
        zone: "us-east-1d".to_owned(),
        volume_type: "gp3".to_owned(),
        gib: 20,
        encrypted: true,
        tags: tags("etcd-a"),
    };
    vec![bucket.object("state").unwrap(), file, volume.object("etcd-a").unwrap()]
}

fn front() -> Vec<Object> {
    let balancer = LoadBalancer {
        name: "api-1".to_owned(),
        scheme: "internet-facing".to_owned(),
        subnets: vec![of::<Subnet>("us-east-1d", "id"), of::<Subnet>("us-east-1f", "id")],
        security_groups: vec![of::<SecurityGroup>("masters", "id")],
        cross_zone: true,
        tags: tags("api"),
    };
    let check = HealthCheck {
        protocol: "TCP".to_owned(),
        port: None,
        path: None,
        codes: None,
        interval: 10,
        healthy: 2,
        unhealthy: 2,
    };
    let target = TargetGroup {
        name: "api-1".to_owned(),
        vpc: of::<Vpc>("main", "id"),
        protocol: "TCP".to_owned(),
        port: 6443,
        health_check: check,
        deregistration_seconds: 30,
        preserve_client_ip: true,
        sticky: false,
        tags: tags("api"),
    };
    let listener = Listener {
        load_balancer: of::<LoadBalancer>("api", "arn"),
        protocol: "TCP".to_owned(),
        port: 443,
        target_group: of::<TargetGroup>("api", "arn"),
        certificate: None,
        tls_policy: None,
        tags: tags("api"),
    };
    let private = HostedZone {
        name: format!("internal.{CLUSTER}"),
        vpc: Some(of::<Vpc>("main", "id")),
        comment: String::new(),
        tags: tags("internal"),
    };
    let public = HostedZone { name: CLUSTER.to_owned(), vpc: None, comment: String::new(), tags: tags("public") };
    let record = DnsRecord {
        zone: of::<HostedZone>("public", "id"),
        name: format!("api.{CLUSTER}"),
        record_type: "A".to_owned(),
        target: of::<LoadBalancer>("api", "dns_name"),
        target_zone: of::<LoadBalancer>("api", "zone_id"),
    };
    vec![
        balancer.object("api").unwrap(),
        target.object("api").unwrap(),
        listener.object("api").unwrap(),
        private.object("internal").unwrap(),
        public.object("public").unwrap(),
        record.object("api").unwrap(),
    ]
}

/// Returns the load balancer of the web, with a certificate, listeners and a rule.
fn web() -> Vec<Object> {
    let check = HealthCheck {
        protocol: "HTTP".to_owned(),
        port: None,
        path: Some("/".to_owned()),
        codes: Some("200-399".to_owned()),
        interval: 10,
        healthy: 2,
        unhealthy: 2,
    };
    let target = TargetGroup {
        name: "web-1".to_owned(),
        vpc: of::<Vpc>("main", "id"),
        protocol: "HTTP".to_owned(),
        port: 30_000,
        health_check: check,
        deregistration_seconds: 30,
        preserve_client_ip: false,
        sticky: false,
        tags: tags("web/chat"),
    };
    let balancer = ApplicationLoadBalancer {
        name: "web-1".to_owned(),
        scheme: "internet-facing".to_owned(),
        subnets: vec![of::<Subnet>("us-east-1d", "id"), of::<Subnet>("us-east-1f", "id")],
        security_groups: vec![of::<SecurityGroup>("masters", "id")],
        idle_seconds: 60,
        tags: tags("web"),
    };
    let certificate =
        Certificate { domain: CLUSTER.to_owned(), zone: of::<HostedZone>("public", "id"), tags: tags(CLUSTER) };
    let https = HttpListener {
        load_balancer: of::<ApplicationLoadBalancer>("web", "arn"),
        protocol: "HTTPS".to_owned(),
        port: 443,
        default_action: HttpListener::NOT_FOUND.to_owned(),
        certificate: Some(of::<Certificate>(CLUSTER, "arn")),
        more_certificates: Vec::new(),
        tls_policy: Some("ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned()),
        tags: tags("web/443"),
    };
    let rule = ListenerRule {
        listener: of::<HttpListener>("web/443", "arn"),
        priority: 49_000,
        host: CLUSTER.to_owned(),
        paths: Vec::new(),
        target_group: of::<TargetGroup>("web/chat", "arn"),
        tags: tags(CLUSTER),
    };
    vec![
        target.object("web/chat").unwrap(),
        balancer.object("web").unwrap(),
        certificate.object(CLUSTER).unwrap(),
        https.object("web/443").unwrap(),
        rule.object(CLUSTER).unwrap(),
    ]
}

/// Returns a small cluster with every kind of object, in an order in which it can be made.
fn cluster() -> Vec<Object> {
    let mut objects = [network(), identity(), storage(), front(), web()].concat();
    objects.push(secret(SecretContent::ClusterCa));
    objects.push(template().object("nodes").unwrap());
    objects.push(group(3).object("nodes").unwrap());
    objects
}

/// Creates objects one after the other, each with the outputs of those before it.
struct ObjectBuilder {
    sandbox: Sandbox,
    made: BTreeMap<Address, Live>,
}

impl ObjectBuilder {
    fn new(sandbox: &Sandbox) -> Self {
        Self { sandbox: sandbox.clone(), made: BTreeMap::new() }
    }

    async fn whole(sandbox: &Sandbox) -> Self {
        let mut builder = Self::new(sandbox);
        for object in cluster() {
            builder.make(&object).await;
        }
        builder
    }

    fn resolve(&self, object: &Object) -> Object {
        object.resolve(&|reference: &Reference| {
            self.made.get(&reference.address).and_then(|live| live.outputs.get(&reference.output)).cloned()
        })
    }

    async fn attempt(&mut self, object: &Object) -> Result<Live, Failure> {
        let token = IdempotencyToken(format!("token-{}", object.address));
        let made = self.sandbox.create(&self.resolve(object), &token).await?;
        let ready = self.sandbox.ready(&made, &quiet).await?;
        self.made.insert(object.address.clone(), ready.clone());
        Ok(ready)
    }

    async fn make(&mut self, object: &Object) -> Live {
        self.attempt(object).await.unwrap()
    }

    async fn update(&self, object: &Object, changed: &[&str]) -> Result<Live, Failure> {
        let changed: BTreeSet<String> = changed.iter().map(|name| (*name).to_owned()).collect();
        self.sandbox.update(&self.made[&object.address], &self.resolve(object), &changed).await
    }

    async fn delete(&self, address: &str) -> Result<(), Failure> {
        self.sandbox.delete(&self.made[&address.parse().unwrap()], &quiet).await
    }
}

fn code(failure: &Failure) -> &str {
    failure.code.as_deref().unwrap_or_default()
}

/// Every kind of the vocabulary is in the test cluster, and so is covered by the following tests.
#[test]
fn the_test_cluster_has_every_kind() {
    let kinds: BTreeSet<String> = cluster().iter().map(|object| object.address.kind().to_owned()).collect();
    let known: BTreeSet<String> = crate::resource::KINDS.iter().map(|kind| kind.name.to_owned()).collect();
    assert_eq!(kinds, known);
}

/// An object can be observed as it was requested, with ids like AWS's, and deleted again without a trace.
#[tokio::test]
async fn what_is_made_is_observed_and_can_be_removed() {
    let sandbox = sandbox();
    let before = sandbox.inventory().unwrap();
    let builder = ObjectBuilder::whole(&sandbox).await;

    let observed = sandbox.observe().await.unwrap().live;
    assert_eq!(observed.len(), cluster().len());
    for object in cluster().iter().map(|object| builder.resolve(object)) {
        let live = observed.iter().find(|live| live.address == object.address).unwrap();
        for (name, value) in &object.attributes {
            if account::kind(object.address.kind()).unwrap().attribute(name).is_observed() {
                assert_eq!(live.attributes.get(name), Some(value), "{} of {}", name, object.address);
            }
        }
        assert_eq!(live.phase, ObjectPhase::Ready);
        assert_eq!(live.proven, object.address.kind() != "record");
        assert_eq!(sandbox.find(&object.address).await.unwrap(), std::slice::from_ref(live));
    }

    for object in cluster().iter().rev() {
        builder.delete(&object.address.to_string()).await.unwrap();
        builder.delete(&object.address.to_string()).await.unwrap();
    }
    assert_eq!(sandbox.inventory().unwrap(), before);
}

#[tokio::test]
async fn ids_have_the_format_of_aws() {
    let sandbox = sandbox();
    let builder = ObjectBuilder::whole(&sandbox).await;
    let outputs: Vec<String> = builder
        .made
        .values()
        .flat_map(|live| live.outputs.iter().map(|(name, value)| format!("{}.{name} = {value}", live.address)))
        .collect();
    insta::assert_snapshot!(outputs.join("\n"));
}

/// The engine observes all kinds at once; the number of calls does not depend on the number of objects.
#[tokio::test]
async fn an_observation_is_one_call_a_kind() {
    let sandbox = sandbox();
    ObjectBuilder::whole(&sandbox).await;
    let other = sandbox.again(settings());
    other.observe().await.unwrap();
    let calls = other.calls();
    assert_eq!(calls.values().sum::<u64>(), u64::try_from(crate::resource::KINDS.len()).unwrap());
    assert_eq!(calls["DescribeVpcs"], 1);
}

#[tokio::test]
async fn facts_describe_the_region_and_the_account() {
    use crate::resource::FactsQuery;
    let question = FactsQuery {
        sizes: ["t3.medium", "t4g.small", "m7g.2xlarge", "t3.gigantic"].map(str::to_owned).to_vec(),
        name: CLUSTER.to_owned(),
        ..FactsQuery::default()
    };
    let facts = sandbox().facts(&question).await.unwrap();
    insta::assert_json_snapshot!(facts);
}
