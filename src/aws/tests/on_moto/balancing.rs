//! Load balancers, target groups and listeners.

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, Tag};

use super::{MotoAccount, TestNetwork, object, site};
use crate::engine::{FailureClass, IdempotencyToken, ObjectPhase, Provider};
use crate::resource::{HealthCheck, Listener, LoadBalancer, Resource, TargetGroup, balancer_stem};

fn name(site: &MotoAccount, rest: &str) -> String {
    format!("{}{rest}", balancer_stem(&site.cluster))
}

fn load_balancer(site: &MotoAccount, network: &TestNetwork) -> LoadBalancer {
    LoadBalancer {
        name: name(site, "api"),
        scheme: "internet-facing".to_owned(),
        subnets: network.subnets.iter().map(|id| id.as_str().into()).collect(),
        security_groups: vec![network.group.as_str().into()],
        cross_zone: true,
        tags: site.tags(&LoadBalancer::address("api")),
    }
}

fn target_group(site: &MotoAccount, network: &TestNetwork) -> TargetGroup {
    TargetGroup {
        name: name(site, "api"),
        vpc: network.vpc.as_str().into(),
        protocol: "TCP".to_owned(),
        port: 6443,
        health_check: HealthCheck {
            protocol: "HTTPS".to_owned(),
            port: None,
            path: Some("/readyz".to_owned()),
            codes: None,
            interval: 10,
            healthy: 2,
            unhealthy: 2,
        },
        deregistration_seconds: 30,
        preserve_client_ip: true,
        sticky: false,
        tags: site.tags(&TargetGroup::address("api")),
    }
}

fn listener(site: &MotoAccount, load_balancer: &str, target_group: &str) -> Listener {
    Listener {
        load_balancer: load_balancer.into(),
        protocol: "TCP".to_owned(),
        port: 443,
        target_group: target_group.into(),
        certificate: None,
        tls_policy: None,
        tags: site.tags(&Listener::address("api")),
    }
}

/// The ARN of a certificate in the account.
async fn certificate(site: &MotoAccount, name: &str) -> String {
    let name = format!("{name}.{}", site.cluster);
    let made = rcgen::generate_simple_self_signed(vec![name.clone()]).unwrap();
    let request = site.aws.iam.upload_server_certificate().server_certificate_name(&name);
    let request = request.certificate_body(made.cert.pem()).private_key(made.signing_key.serialize_pem());
    let answer = request.send().await.unwrap();
    answer.server_certificate_metadata().unwrap().arn().to_owned()
}

#[tokio::test]
async fn a_balancer_with_its_target_group_and_listener_lives_a_whole_life() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let mut balancer = load_balancer(&site, &network);
    let mut group = target_group(&site, &network);
    let made = site.aws.create(&object(&balancer, "api"), &IdempotencyToken("t".into())).await.unwrap();
    assert_eq!(made.phase, ObjectPhase::Pending);
    let made = site.aws.ready(&made, &|_| ()).await.unwrap();
    assert_eq!((made.phase, made.outputs.len()), (ObjectPhase::Ready, 3));
    let grouped = site.create_and_find(&object(&group, "api"), &[]).await;
    let mut listening = listener(&site, &made.id, &grouped.id);
    let heard = site.create_and_find(&object(&listening, "api"), &[]).await;

    site.calls.take();
    site.find(&made.address).await;
    let log = site.calls.take();
    let observed = ["DescribeListeners", "DescribeLoadBalancerAttributes", "DescribeLoadBalancers", "DescribeTags"];
    assert_eq!(log[..4], observed);
    assert_eq!(log[4..], ["DescribeTargetGroupAttributes", "DescribeTargetGroups"]);

    balancer.cross_zone = false;
    balancer.subnets.remove(0);
    balancer.tags.insert("more".into(), "tags".into());
    site.update_and_find(&object(&balancer, "api"), &["cross_zone", "subnets", "tags"], &[]).await;
    balancer.tags.remove("more");
    site.update_and_find(&object(&balancer, "api"), &["security_groups", "tags"], &[]).await;
    group.health_check.interval = 30;
    group.deregistration_seconds = 300;
    site.update_and_find(&object(&group, "api"), &["health_check", "deregistration_seconds"], &[]).await;
    listening.port = 8443;
    site.update_and_find(&object(&listening, "api"), &["port"], &[]).await;

    let held = site.aws.delete(&grouped, &|_| ()).await.unwrap_err();
    assert_eq!(held.class, FailureClass::Held, "{held}");
    for live in [&heard, &made, &grouped] {
        site.delete(live).await;
        assert!(site.is_gone(&live.address).await);
    }
}

#[tokio::test]
async fn who_is_asked_for_health_and_how_connections_are_spread_can_be_changed() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let mut group = TargetGroup { preserve_client_ip: false, ..target_group(&site, &network) };
    let made = site.create_and_find(&object(&group, "api"), &[]).await;
    group.health_check.port = Some(10256);
    group.health_check.protocol = "HTTP".to_owned();
    group.health_check.path = Some("/healthz".to_owned());
    site.update_and_find(&object(&group, "api"), &["health_check"], &[]).await;
    (group.sticky, group.preserve_client_ip) = (true, true);
    let live = site.find(&made.address).await;
    site.calls.take();
    site.update(&live, &object(&group, "api"), &["sticky", "preserve_client_ip"]).await;
    assert_eq!(site.calls.take(), ["ModifyTargetGroupAttributes"], "one call for both");
    super::same(&site.find(&made.address).await.attributes, &object(&group, "api").attributes, &[]);
    group.sticky = false;
    group.health_check = HealthCheck { port: None, ..group.health_check };
    site.update_and_find(&object(&group, "api"), &["sticky", "health_check"], &[]).await;
    site.delete(&made).await;
}

#[tokio::test]
async fn datagrams_have_their_own_target_groups_and_listeners() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let balancer = load_balancer(&site, &network);
    let made = site.create(&object(&balancer, "api")).await;
    for (protocol, port) in [("UDP", 7777), ("TCP_UDP", 53)] {
        let group = TargetGroup { protocol: protocol.to_owned(), port, ..target_group(&site, &network) };
        let group = TargetGroup { health_check: HealthCheck { port: Some(10256), ..group.health_check }, ..group };
        let grouped = site.create_and_find(&object(&group, "api"), &[]).await;
        let listening = Listener { protocol: protocol.to_owned(), port, ..listener(&site, &made.id, &grouped.id) };
        let heard = site.create_and_find(&object(&listening, "api"), &[]).await;
        site.delete(&heard).await;
        site.delete(&grouped).await;
    }
    site.delete(&made).await;
}

#[tokio::test]
async fn tls_comes_and_goes_in_place() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let made = site.create(&object(&load_balancer(&site, &network), "api")).await;
    let grouped = site.create(&object(&target_group(&site, &network), "api")).await;
    let mut listening = listener(&site, &made.id, &grouped.id);
    let heard = site.create_and_find(&object(&listening, "api"), &[]).await;
    listening.protocol = "TLS".to_owned();
    listening.certificate = Some(certificate(&site, "first").await);
    listening.tls_policy = Some("ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned());
    site.update_and_find(&object(&listening, "api"), &["protocol", "certificate", "tls_policy"], &[]).await;
    listening.certificate = Some(certificate(&site, "second").await);
    site.update_and_find(&object(&listening, "api"), &["certificate"], &[]).await;
    listening.tls_policy = Some("ELBSecurityPolicy-TLS13-1-3-2021-06".to_owned());
    site.update_and_find(&object(&listening, "api"), &["tls_policy"], &[]).await;
    (listening.certificate, listening.tls_policy) = (None, None);
    listening.protocol = "TCP".to_owned();
    site.update_and_find(&object(&listening, "api"), &["protocol"], &[]).await;
    for live in [&heard, &made, &grouped] {
        site.delete(live).await;
    }
}

#[tokio::test]
async fn what_is_not_wanted_costs_no_call() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let balancer = LoadBalancer { cross_zone: false, ..load_balancer(&site, &network) };
    let group = TargetGroup { deregistration_seconds: 300, ..target_group(&site, &network) };
    site.calls.take();
    let token = IdempotencyToken("t".into());
    let made = site.aws.create(&object(&balancer, "api"), &token).await.unwrap();
    let grouped = site.aws.create(&object(&group, "api"), &token).await.unwrap();
    assert_eq!(site.calls.take(), ["CreateLoadBalancer", "CreateTargetGroup"]);
    super::same(&site.find(&made.address).await.attributes, &object(&balancer, "api").attributes, &[]);
    super::same(&site.find(&grouped.address).await.attributes, &object(&group, "api").attributes, &[]);
    site.delete(&made).await;
    site.delete(&grouped).await;
}

#[tokio::test]
async fn a_name_like_ours_without_our_tag_is_not_ours() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let tag = Tag::builder().key("quorate.dev/cluster").value("other.example.com").build();
    let theirs = site.aws.elb.create_target_group().name(name(&site, "theirs")).vpc_id(&network.vpc);
    let theirs = theirs.protocol(ProtocolEnum::Tcp).port(80).tags(tag).send().await.unwrap();
    assert!(site.is_gone(&TargetGroup::address("api")).await);
    let arn = theirs.target_groups()[0].target_group_arn().unwrap();
    site.aws.elb.delete_target_group().target_group_arn(arn).send().await.unwrap();
}

#[tokio::test]
async fn more_tags_than_one_call_returns_are_read() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let mut made = Vec::new();
    for n in 0..21 {
        let group = target_group(&site, &network);
        let tags = site.tags(&TargetGroup::address(&n.to_string()));
        let group = TargetGroup { name: name(&site, &n.to_string()), deregistration_seconds: 300, tags, ..group };
        made.push(site.create(&object(&group, &n.to_string())).await);
    }
    site.calls.take();
    site.find(&TargetGroup::address("20")).await;
    assert_eq!(site.calls.take().iter().filter(|call| *call == "DescribeTags").count(), 2);
    for live in &made {
        site.delete(live).await;
    }
}
