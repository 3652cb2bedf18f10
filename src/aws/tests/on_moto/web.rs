//! The load balancer of the web: certificates, listeners and rules.

use super::{MotoAccount, TestNetwork, object, site};
use crate::engine::{Address, IdempotencyToken, Live, ObjectPhase, Provider, TextInput};
use crate::resource::{
    ApplicationLoadBalancer, Certificate, HealthCheck, HostedZone, HttpListener, ListenerRule, Resource, TargetGroup,
    balancer_stem,
};

const POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

async fn public_zone(site: &MotoAccount) -> Live {
    let zone = HostedZone {
        name: site.cluster.clone(),
        vpc: None,
        comment: "Names".to_owned(),
        tags: site.tags(&HostedZone::address("public")),
    };
    site.create(&object(&zone, "public")).await
}

fn certificate(site: &MotoAccount, zone: &Live, label: &str) -> (Certificate, String) {
    let domain = format!("{label}.{}", site.cluster);
    let tags = site.tags(&Certificate::address(&domain));
    (Certificate { domain: domain.clone(), zone: zone.id.as_str().into(), tags }, domain)
}

fn balancer(site: &MotoAccount, network: &TestNetwork) -> ApplicationLoadBalancer {
    ApplicationLoadBalancer {
        name: format!("{}web", balancer_stem(&site.cluster)),
        scheme: "internet-facing".to_owned(),
        subnets: network.subnets.iter().map(|id| id.as_str().into()).collect(),
        security_groups: vec![network.group.as_str().into()],
        idle_seconds: 60,
        tags: site.tags(&ApplicationLoadBalancer::address("web")),
    }
}

fn target_group(site: &MotoAccount, network: &TestNetwork, name: &str) -> TargetGroup {
    TargetGroup {
        name: format!("{}{name}", balancer_stem(&site.cluster)),
        vpc: network.vpc.as_str().into(),
        protocol: "HTTP".to_owned(),
        port: 30_000,
        health_check: HealthCheck {
            protocol: "HTTP".to_owned(),
            port: None,
            path: Some("/health".to_owned()),
            codes: Some("200-399".to_owned()),
            interval: 10,
            healthy: 2,
            unhealthy: 2,
        },
        deregistration_seconds: 30,
        preserve_client_ip: false,
        sticky: false,
        tags: site.tags(&TargetGroup::address(name)),
    }
}

fn listener(site: &MotoAccount, load_balancer: &Live, port: u16) -> HttpListener {
    HttpListener {
        load_balancer: load_balancer.id.as_str().into(),
        protocol: "HTTP".to_owned(),
        port,
        default_action: HttpListener::REDIRECT.to_owned(),
        certificate: None,
        more_certificates: Vec::new(),
        tls_policy: None,
        tags: site.tags(&HttpListener::address(&format!("web/{port}"))),
    }
}

fn arns(lives: &[&Live]) -> Vec<TextInput> {
    lives.iter().map(|live| live.id.as_str().into()).collect()
}

/// Returns the names of the records of a zone by which AWS validates certificates.
async fn validation_records(site: &MotoAccount, zone: &Live) -> Vec<String> {
    let request = site.aws.route53.list_resource_record_sets().hosted_zone_id(&zone.id);
    let records = request.send().await.unwrap().resource_record_sets;
    records.into_iter().filter(|record| record.name.starts_with('_')).map(|record| record.name).collect()
}

#[tokio::test]
async fn a_certificate_is_issued_once_its_record_is_written_and_takes_the_record_along() {
    let Some(site) = site("us-east-1").await else { return };
    let zone = public_zone(&site).await;
    let (mut wanted, name) = certificate(&site, &zone, "chat");
    let made = site.aws.create(&object(&wanted, &name), &IdempotencyToken("first".into())).await.unwrap();
    assert_eq!(made.phase, ObjectPhase::Pending);
    let pending = site.find(&made.address).await;
    assert_eq!(pending.phase, ObjectPhase::Pending, "nothing has written the record");
    let again = site.aws.create(&object(&wanted, &name), &IdempotencyToken("first".into())).await.unwrap();
    assert_eq!(again.id, made.id, "the answer got lost");

    let ready = site.aws.ready(&made, &|_| ()).await.unwrap();
    assert_eq!(ready.phase, ObjectPhase::Ready);
    assert_eq!(validation_records(&site, &zone).await.len(), 1);
    let found = site.find(&made.address).await;
    assert_eq!((found.phase, &found.id, &found.outputs), (ObjectPhase::Ready, &made.id, &made.outputs));
    super::same(&found.attributes, &object(&wanted, &name).attributes, &[]);

    wanted.tags.insert("more".into(), "tags".into());
    site.update_and_find(&object(&wanted, &name), &["tags"], &[]).await;
    wanted.tags.remove("more");
    site.update_and_find(&object(&wanted, &name), &["tags"], &[]).await;
    site.delete(&found).await;
    assert!(site.is_gone(&made.address).await);
    assert_eq!(validation_records(&site, &zone).await, Vec::<String>::new());
    site.delete(&zone).await;
}

/// AWS renews a certificate only while the record is there.
#[tokio::test]
async fn a_missing_record_is_drift_and_is_written_again() {
    let Some(site) = site("us-east-1").await else { return };
    let zone = public_zone(&site).await;
    let (wanted, name) = certificate(&site, &zone, "chat");
    let made = site.create(&object(&wanted, &name)).await;
    let request = site.aws.route53.list_resource_record_sets().hosted_zone_id(&zone.id);
    let records = request.send().await.unwrap().resource_record_sets;
    let record = records.into_iter().find(|record| record.name.starts_with('_')).unwrap();
    let delete = aws_sdk_route53::types::ChangeAction::Delete;
    crate::aws::record_sets::change(&site.aws, &zone.id, delete, &[record]).await.unwrap();
    let read = Certificate::from_attributes(&site.find(&made.address).await.attributes).unwrap();
    assert_eq!(read.zone.known(), Some(""));
    site.update_and_find(&object(&wanted, &name), &["zone"], &[]).await;
    site.delete(&made).await;
    assert_eq!(validation_records(&site, &zone).await, Vec::<String>::new());
    site.delete(&zone).await;
}

/// All certificates of an account for one name share their record.
#[tokio::test]
async fn a_record_that_others_need_stays() {
    let Some(site) = site("us-east-1").await else { return };
    let zone = public_zone(&site).await;
    let (wanted, name) = certificate(&site, &zone, "chat");
    let made = site.create(&object(&wanted, &name)).await;
    let theirs = site.aws.acm.request_certificate().domain_name(&name).send().await.unwrap();
    site.delete(&made).await;
    assert_eq!(validation_records(&site, &zone).await.len(), 1, "another certificate has the name");
    let arn = theirs.certificate_arn().unwrap();
    let token = IdempotencyToken("second".into());
    let second = site.aws.create(&object(&wanted, &name), &token).await.unwrap();
    let second = site.aws.ready(&second, &|_| ()).await.unwrap();
    site.aws.acm.delete_certificate().certificate_arn(arn).send().await.unwrap();
    site.delete(&second).await;
    assert_eq!(validation_records(&site, &zone).await.len(), 1, "it was there before the second one");
}

#[tokio::test]
async fn a_certificate_that_the_file_does_not_have_is_looked_for_only_if_the_record_has_it() {
    let Some(site) = site("us-east-1").await else { return };
    let zone = public_zone(&site).await;
    let (wanted, name) = certificate(&site, &zone, "chat");
    let made = site.create(&object(&wanted, &name)).await;
    site.aws.expected.set([].into());
    site.calls.take();
    let observed = site.aws.observe().await.unwrap().live;
    assert!(!observed.iter().any(|live| live.address == made.address));
    assert!(!site.calls.take().iter().any(|call| call.contains("Certificate")));
    let recorded = [(made.address.clone(), made.id.clone())].into();
    let recalled = site.aws.recall(&recorded).await.unwrap().live;
    assert_eq!(recalled.len(), 1, "{recalled:#?}");
    assert!(recalled[0].proven, "its tags show whose it is");
    site.aws.expected.set([Certificate::KIND.name].into());
    assert!(site.aws.observe().await.unwrap().live.iter().any(|live| live.address == made.address));
    site.delete(&made).await;
    site.delete(&zone).await;
}

#[tokio::test]
async fn the_load_balancer_of_the_web_with_its_listeners_and_rules_lives_a_whole_life() {
    let Some(site) = site("us-east-1").await else { return };
    let (network, zone) = (site.network().await, public_zone(&site).await);
    let mut front = balancer(&site, &network);
    let made = site.create_and_find(&object(&front, "web"), &[]).await;
    let (chat, shop) = (certificate(&site, &zone, "chat"), certificate(&site, &zone, "shop"));
    let chat = site.create(&object(&chat.0, &chat.1)).await;
    let shop = site.create(&object(&shop.0, &shop.1)).await;
    let group = site.create_and_find(&object(&target_group(&site, &network, "web-a"), "web-a"), &[]).await;
    let other = site.create_and_find(&object(&target_group(&site, &network, "web-b"), "web-b"), &[]).await;

    let redirect = site.create_and_find(&object(&listener(&site, &made, 80), "web/80"), &[]).await;
    let mut https = HttpListener {
        protocol: "HTTPS".to_owned(),
        default_action: HttpListener::NOT_FOUND.to_owned(),
        certificate: Some(shop.id.as_str().into()),
        tls_policy: Some(POLICY.to_owned()),
        ..listener(&site, &made, 443)
    };
    let heard = site.create_and_find(&object(&https, "web/443"), &[]).await;
    https.more_certificates = arns(&[&chat]);
    site.update_and_find(&object(&https, "web/443"), &["more_certificates"], &[]).await;
    // The first host is another one now.
    https.certificate = Some(chat.id.as_str().into());
    https.more_certificates = arns(&[&shop]);
    site.calls.take();
    site.update_and_find(&object(&https, "web/443"), &["certificate", "more_certificates"], &[]).await;
    let calls: Vec<String> = site.calls.take().into_iter().filter(|call| !call.starts_with("Describe")).collect();
    assert!(
        calls.iter().position(|call| call == "AddListenerCertificates")
            < calls.iter().position(|call| call == "ModifyListener")
    );
    https.more_certificates = Vec::new();
    site.update_and_find(&object(&https, "web/443"), &["more_certificates"], &[]).await;

    let name = format!("chat.{}/api", site.cluster);
    let mut rule = ListenerRule {
        listener: heard.id.as_str().into(),
        priority: 7,
        host: format!("chat.{}", site.cluster),
        paths: vec!["/api".to_owned(), "/api/*".to_owned()],
        target_group: group.id.as_str().into(),
        tags: site.tags(&ListenerRule::address(&name)),
    };
    let ruled = site.create_and_find(&object(&rule, &name), &[]).await;
    rule.target_group = other.id.as_str().into();
    rule.priority = 8;
    rule.tags.insert("more".into(), "tags".into());
    site.update_and_find(&object(&rule, &name), &["target_group", "priority", "tags"], &[]).await;
    rule.paths = Vec::new();
    rule.tags.remove("more");
    site.update_and_find(&object(&rule, &name), &["paths", "tags"], &[]).await;

    front.idle_seconds = 300;
    site.update_and_find(&object(&front, "web"), &["idle_seconds"], &[]).await;
    for live in [&ruled, &heard, &redirect, &made, &group, &other, &chat, &shop] {
        site.delete(live).await;
        assert!(site.is_gone(&live.address).await);
    }
    site.delete(&zone).await;
}

/// Only listeners of HTTPS have rules and certificates: a cluster that is not on the web pays for none of their calls.
#[tokio::test]
async fn a_load_balancer_without_https_costs_no_further_call() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let made = site.create(&object(&balancer(&site, &network), "web")).await;
    let redirect = site.create(&object(&listener(&site, &made, 80), "web/80")).await;
    site.calls.take();
    assert!(site.is_gone(&Address::new("listener-rule", "none")).await);
    let calls = site.calls.take();
    assert!(!calls.iter().any(|call| call == "DescribeRules" || call == "DescribeListenerCertificates"), "{calls:?}");
    site.delete(&redirect).await;
    site.delete(&made).await;
}
