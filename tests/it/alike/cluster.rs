//! A small cluster with every kind of object that AWS has.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate::engine::{Address, Object, Payload, TextInput, Value};
use quorate::resource::{
    ApplicationLoadBalancer, AutoScalingGroup, Bucket, BucketObject, CLUSTER_TAG, Certificate, DnsRecord, EbsVolume,
    ElasticIp, GroupRule, HealthCheck, HostedZone, HttpListener, InstanceProfile, InternetGateway, KINDS, KeyPair,
    LaunchTemplate, Listener, ListenerRule, LoadBalancer, NatGateway, OBJECT_TAG, PurchaseOption, Resource, Role,
    Route, RouteTable, Secret, SecretContent, SecurityGroup, SecurityGroupRules, Subnet, Tags, TargetGroup, Vpc,
    VpcEndpoint, private_subnet,
};
use sha2::{Digest, Sha256};

pub(super) const CLUSTER: &str = "alike.example.com";
pub(super) const BUCKET: &str = "state.alike.example.com";

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const READ: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/// Objects that another one uses, in an order in which a refused deletion changes nothing.
pub(super) const USED: &[&str] = &[
    "vpc/main",
    "internet-gateway/main",
    "subnet/us-east-1a",
    "security-group/masters",
    "role/nodes",
    "target-group/api",
    "target-group/web/chat",
    "certificate/alike.example.com",
    "hosted-zone/public",
    "bucket/state",
];

/// An attribute of a kind that can be changed in place.
pub(super) const CHANGED: &[(&str, &str)] = &[
    ("role", "trust"),
    ("security-group-rules", "ingress"),
    ("autoscaling-group", "max"),
    ("load-balancer", "cross_zone"),
    ("target-group", "deregistration_seconds"),
    ("listener", "protocol"),
    ("application-load-balancer", "idle_seconds"),
    ("http-listener", "port"),
    ("listener-rule", "priority"),
    ("launch-template", "instance_size"),
    ("hosted-zone", "comment"),
];

fn of<R: Resource>(name: &str, output: &str) -> TextInput {
    TextInput::output(R::address(name), output)
}

fn pending(input: &TextInput) -> Value {
    serde_json::from_value(serde_json::to_value(input).unwrap()).unwrap()
}

/// Returns the group that has no rules yet.
pub(super) fn spare() -> Value {
    pending(&of::<SecurityGroup>("spare", "id"))
}

/// Returns the internet gateway, as the target of routes.
pub(super) fn gateway() -> Value {
    pending(&of::<InternetGateway>("main", "id"))
}

fn tags<R: Resource>(name: &str) -> Tags {
    let address: Address = R::address(name);
    let pairs = [("Name", name.to_owned()), (CLUSTER_TAG, CLUSTER.to_owned()), (OBJECT_TAG, address.to_string())];
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

/// Returns the objects, in an order in which they can be created.
pub(super) fn objects() -> Vec<Object> {
    let objects = [storage(), network(), identity(), machines(), front(), web()].concat();
    let missing = KINDS.iter().find(|kind| objects.iter().all(|object| object.address.kind() != kind.name));
    assert!(missing.is_none(), "{missing:?} is not tried");
    objects
}

fn storage() -> Vec<Object> {
    let content = b"#!/bin/sh\n".as_slice();
    let sha256 = Sha256::digest(content).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let bucket = Bucket {
        name: BUCKET.to_owned(),
        versioned: true,
        encrypted: true,
        private: true,
        tags: tags::<Bucket>("state"),
    };
    let file = BucketObject {
        bucket: of::<Bucket>("state", "name"),
        key: format!("{CLUSTER}/bootstrap/{sha256}/node.sh"),
        sha256,
        registrations: BTreeMap::new(),
        settings: None,
    };
    let ca = SecretContent::ClusterCa;
    let secret = Secret { bucket: of::<Bucket>("state", "name"), key: format!("{CLUSTER}/{}", ca.path()), content: ca };
    let volume = EbsVolume {
        zone: "us-east-1a".to_owned(),
        volume_type: "gp3".to_owned(),
        gib: 20,
        encrypted: true,
        tags: tags::<EbsVolume>("etcd-a"),
    };
    vec![
        bucket.object("state").unwrap(),
        Object { payload: Some(Payload(Arc::from(content))), ..file.object("node.sh").unwrap() },
        secret.object(ca.name()).unwrap(),
        volume.object("etcd-a").unwrap(),
    ]
}

fn network() -> Vec<Object> {
    let vpc = of::<Vpc>("main", "id");
    let main =
        Vpc { cidr: "172.20.0.0/16".to_owned(), dns_support: true, dns_hostnames: true, tags: tags::<Vpc>("main") };
    let subnet = |zone: &str, cidr: &str| {
        let (zone, cidr) = (zone.to_owned(), cidr.to_owned());
        Subnet { vpc: vpc.clone(), tags: tags::<Subnet>(&zone), zone: zone.clone(), cidr }.object(&zone).unwrap()
    };
    let table = RouteTable {
        vpc: vpc.clone(),
        routes: vec![Route { destination: "0.0.0.0/0".to_owned(), target: of::<InternetGateway>("main", "id") }],
        subnets: vec![of::<Subnet>("us-east-1a", "id")],
        tags: tags::<RouteTable>("main"),
    };
    // What a private network has is looked for only where a private subnet is.
    let name = private_subnet("us-east-1a");
    let private = Subnet {
        vpc: vpc.clone(),
        zone: "us-east-1a".to_owned(),
        cidr: "172.20.96.0/19".to_owned(),
        tags: tags::<Subnet>(&name),
    };
    let nat = NatGateway {
        vpc: vpc.clone(),
        mode: NatGateway::ZONAL.to_owned(),
        subnet: of::<Subnet>("us-east-1a", "id"),
        address: of::<ElasticIp>("nat-us-east-1a", "id"),
        tags: tags::<NatGateway>("us-east-1a"),
    };
    let endpoint = VpcEndpoint {
        vpc: vpc.clone(),
        service: "com.amazonaws.us-east-1.s3".to_owned(),
        tables: vec![of::<RouteTable>("main", "id")],
        tags: tags::<VpcEndpoint>("s3"),
    };
    let group = |name: &str| {
        let group = SecurityGroup {
            name: format!("{name}.{CLUSTER}"),
            description: name.to_owned(),
            vpc: vpc.clone(),
            tags: tags::<SecurityGroup>(name),
        };
        group.object(name).unwrap()
    };
    let rule = GroupRule {
        protocol: "tcp".to_owned(),
        ports: "6443".to_owned(),
        peer: of::<SecurityGroup>("masters", "id"),
        description: "from masters".to_owned(),
    };
    let rules = SecurityGroupRules {
        group: of::<SecurityGroup>("nodes", "id"),
        ingress: vec![rule.clone()],
        egress: vec![GroupRule { peer: "10.0.0.0/8".into(), ..rule }],
    };
    vec![
        main.object("main").unwrap(),
        InternetGateway { vpc: vpc.clone(), tags: tags::<InternetGateway>("main") }.object("main").unwrap(),
        subnet("us-east-1a", "172.20.32.0/19"),
        subnet("us-east-1b", "172.20.64.0/19"),
        private.object(&name).unwrap(),
        table.object("main").unwrap(),
        ElasticIp { tags: tags::<ElasticIp>("nat-us-east-1a") }.object("nat-us-east-1a").unwrap(),
        nat.object("us-east-1a").unwrap(),
        endpoint.object("s3").unwrap(),
        group("masters"),
        group("nodes"),
        group("spare"),
        rules.object("nodes").unwrap(),
    ]
}

fn identity() -> Vec<Object> {
    let role = Role {
        name: format!("nodes.{CLUSTER}"),
        path: format!("/quorate/{CLUSTER}/role/nodes/"),
        trust: TRUST.to_owned(),
        policies: [("read".to_owned(), READ.into())].into(),
        attached: Vec::new(),
        tags: tags::<Role>("nodes"),
    };
    let profile = InstanceProfile {
        name: format!("nodes.{CLUSTER}"),
        path: format!("/quorate/{CLUSTER}/instance-profile/nodes/"),
        role: of::<Role>("nodes", "name"),
        tags: tags::<InstanceProfile>("nodes"),
    };
    let key = KeyPair { name: format!("{CLUSTER}-1"), public_key: KEY.to_owned(), tags: tags::<KeyPair>("ssh") };
    vec![role.object("nodes").unwrap(), profile.object("nodes").unwrap(), key.object("ssh").unwrap()]
}

fn machines() -> Vec<Object> {
    let target = TargetGroup {
        name: "api-1".to_owned(),
        vpc: of::<Vpc>("main", "id"),
        protocol: "TCP".to_owned(),
        port: 6443,
        health_check: HealthCheck {
            protocol: "TCP".to_owned(),
            port: None,
            path: None,
            codes: None,
            interval: 10,
            healthy: 2,
            unhealthy: 2,
        },
        deregistration_seconds: 30,
        preserve_client_ip: true,
        sticky: false,
        tags: tags::<TargetGroup>("api"),
    };
    let template = LaunchTemplate {
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
        instance_tags: tags::<LaunchTemplate>("nodes"),
        tags: tags::<LaunchTemplate>("nodes"),
    };
    let group = AutoScalingGroup {
        name: format!("nodes.{CLUSTER}"),
        launch_template: of::<LaunchTemplate>("nodes", "id"),
        version: of::<LaunchTemplate>("nodes", "version"),
        machines: of::<LaunchTemplate>("nodes", "version"),
        sizes: Vec::new(),
        purchase: PurchaseOption::OnDemand,
        subnets: vec![of::<Subnet>("us-east-1a", "id"), of::<Subnet>("us-east-1b", "id")],
        min: 0,
        max: 0,
        desired: Some(0),
        target_groups: Vec::new(),
        max_surge: None,
        max_unavailable: None,
        replace: Vec::new(),
        tags: tags::<AutoScalingGroup>("nodes"),
    };
    vec![target.object("api").unwrap(), template.object("nodes").unwrap(), group.object("nodes").unwrap()]
}

fn front() -> Vec<Object> {
    let balancer = LoadBalancer {
        name: "api-1".to_owned(),
        scheme: "internet-facing".to_owned(),
        subnets: vec![of::<Subnet>("us-east-1a", "id"), of::<Subnet>("us-east-1b", "id")],
        security_groups: vec![of::<SecurityGroup>("masters", "id")],
        cross_zone: true,
        tags: tags::<LoadBalancer>("api"),
    };
    let listener = Listener {
        load_balancer: of::<LoadBalancer>("api", "arn"),
        protocol: "TCP".to_owned(),
        port: 443,
        target_group: of::<TargetGroup>("api", "arn"),
        certificate: None,
        tls_policy: None,
        tags: tags::<Listener>("api"),
    };
    let zone = HostedZone {
        name: CLUSTER.to_owned(),
        vpc: None,
        comment: "zone".to_owned(),
        tags: tags::<HostedZone>("public"),
    };
    let record = DnsRecord {
        zone: of::<HostedZone>("public", "id"),
        name: format!("api.{CLUSTER}"),
        record_type: "A".to_owned(),
        target: of::<LoadBalancer>("api", "dns_name"),
        target_zone: of::<LoadBalancer>("api", "zone_id"),
    };
    vec![
        balancer.object("api").unwrap(),
        listener.object("api").unwrap(),
        zone.object("public").unwrap(),
        record.object("api").unwrap(),
    ]
}

fn web() -> Vec<Object> {
    let target = TargetGroup {
        name: "web-1".to_owned(),
        vpc: of::<Vpc>("main", "id"),
        protocol: "HTTP".to_owned(),
        port: 30_000,
        health_check: HealthCheck {
            protocol: "HTTP".to_owned(),
            port: None,
            path: Some("/".to_owned()),
            codes: Some("200-399".to_owned()),
            interval: 10,
            healthy: 2,
            unhealthy: 2,
        },
        deregistration_seconds: 30,
        preserve_client_ip: false,
        sticky: false,
        tags: tags::<TargetGroup>("web/chat"),
    };
    let balancer = ApplicationLoadBalancer {
        name: "web-1".to_owned(),
        scheme: "internet-facing".to_owned(),
        subnets: vec![of::<Subnet>("us-east-1a", "id"), of::<Subnet>("us-east-1b", "id")],
        security_groups: vec![of::<SecurityGroup>("masters", "id")],
        idle_seconds: 60,
        tags: tags::<ApplicationLoadBalancer>("web"),
    };
    let certificate = Certificate {
        domain: CLUSTER.to_owned(),
        zone: of::<HostedZone>("public", "id"),
        tags: tags::<Certificate>(CLUSTER),
    };
    let https = HttpListener {
        load_balancer: of::<ApplicationLoadBalancer>("web", "arn"),
        protocol: "HTTPS".to_owned(),
        port: 443,
        default_action: HttpListener::NOT_FOUND.to_owned(),
        certificate: Some(of::<Certificate>(CLUSTER, "arn")),
        more_certificates: Vec::new(),
        tls_policy: Some("ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned()),
        tags: tags::<HttpListener>("web/443"),
    };
    let rule = ListenerRule {
        listener: of::<HttpListener>("web/443", "arn"),
        priority: 49_000,
        host: CLUSTER.to_owned(),
        paths: vec!["/api".to_owned(), "/api/*".to_owned()],
        target_group: of::<TargetGroup>("web/chat", "arn"),
        tags: tags::<ListenerRule>("alike.example.com/api"),
    };
    vec![
        target.object("web/chat").unwrap(),
        balancer.object("web").unwrap(),
        certificate.object(CLUSTER).unwrap(),
        https.object("web/443").unwrap(),
        rule.object("alike.example.com/api").unwrap(),
    ]
}
