//! Hosted zones and records.

use aws_sdk_route53::types::{ChangeAction, ResourceRecord, ResourceRecordSet, RrType, VpcRegion};

use super::{MotoAccount, object, site};
use crate::aws::record_sets::change;
use crate::engine::{FailureClass, IdempotencyToken, Live, Provider};
use crate::resource::{DnsRecord, HostedZone, Resource, balancer_stem};

fn zone(site: &MotoAccount, name: &str, domain: &str, vpc: Option<&str>) -> HostedZone {
    HostedZone {
        name: domain.to_owned(),
        vpc: vpc.map(Into::into),
        comment: format!("Zone of the cluster {}", site.cluster),
        tags: site.tags(&HostedZone::address(name)),
    }
}

fn record(site: &MotoAccount, zone: &Live) -> DnsRecord {
    DnsRecord {
        zone: zone.id.as_str().into(),
        name: format!("api.{}", site.cluster),
        record_type: "A".to_owned(),
        target: format!("{}api-1.us-east-1.elb.amazonaws.com", balancer_stem(&site.cluster)).into(),
        target_zone: "Z2P70J7EXAMPLE".into(),
    }
}

fn plain(name: &str, kind: RrType, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(60).resource_records(value).build().unwrap()
}

#[tokio::test]
async fn a_private_zone_goes_with_the_records_that_machines_wrote() {
    let Some(site) = site("us-east-1").await else { return };
    let (network, other) = (site.network().await, site.network_named("other").await);
    let domain = format!("internal.{}", site.cluster);
    let mut internal = zone(&site, "internal", &domain, Some(&network.vpc));
    let made = site.create_and_find(&object(&internal, "internal"), &[]).await;
    assert!(!made.id.contains('/'), "{}", made.id);

    internal.vpc = Some(other.vpc.as_str().into());
    internal.comment = "Another".to_owned();
    internal.tags.insert("more".into(), "tags".into());
    site.update_and_find(&object(&internal, "internal"), &["vpc", "comment", "tags"], &[]).await;
    internal.tags.remove("more");
    site.update_and_find(&object(&internal, "internal"), &["tags"], &[]).await;

    let name = |label: &str| format!("{label}.{domain}.");
    let written = [
        plain(&name("etcd-a"), RrType::A, "172.20.32.10"),
        plain(&name("etcd-b"), RrType::A, "172.20.64.10"),
        plain(&name("api"), RrType::A, "172.20.32.10"),
        plain(&name("sub"), RrType::Ns, "ns.example.com."),
    ];
    change(&site.aws, &made.id, ChangeAction::Create, &written[..3]).await.unwrap();
    site.calls.take();
    site.aws.delete(&made, &|_| ()).await.unwrap();
    assert_eq!(site.calls.take().len(), 4, "a read, the records, one change, the end");
    assert!(site.is_gone(&made.address).await);
    site.aws.delete(&made, &|_| ()).await.unwrap();
}

#[tokio::test]
async fn another_vpc_in_the_zone_is_shown_and_removed_from_it() {
    let Some(site) = site("us-east-1").await else { return };
    let (network, other) = (site.network().await, site.network_named("other").await);
    let internal = zone(&site, "internal", &format!("internal.{}", site.cluster), Some(&network.vpc));
    let made = site.create(&object(&internal, "internal")).await;
    let theirs = aws_sdk_route53::types::Vpc::builder().vpc_id(&other.vpc).vpc_region(VpcRegion::UsEast1).build();
    let request = site.aws.route53.associate_vpc_with_hosted_zone().hosted_zone_id(&made.id).vpc(theirs);
    request.send().await.unwrap();
    let both = format!("{}, {}", network.vpc, other.vpc);
    assert_eq!(site.find(&made.address).await.attributes["vpc"].as_text(), Some(both.as_str()));
    let live = site.update_and_find(&object(&internal, "internal"), &["vpc"], &[]).await;
    site.delete(&live).await;
}

#[tokio::test]
async fn a_zone_whose_maker_died_before_tagging_it_is_found() {
    let Some(site) = site("us-east-1").await else { return };
    let network = site.network().await;
    let internal = zone(&site, "internal", &format!("internal.{}", site.cluster), Some(&network.vpc));
    let made = site.create(&object(&internal, "internal")).await;
    let keys = internal.tags.keys().cloned().collect();
    let request = site.aws.route53.change_tags_for_resource().resource_id(&made.id);
    let request = request.resource_type(aws_sdk_route53::types::TagResourceType::Hostedzone);
    request.set_remove_tag_keys(Some(keys)).send().await.unwrap();
    let live = site.find(&made.address).await;
    assert!(live.proven && crate::resource::tags_of(&live.attributes).is_empty());
    let live = site.update_and_find(&object(&internal, "internal"), &["tags"], &[]).await;
    site.delete(&live).await;
}

#[tokio::test]
async fn a_public_zone_with_records_of_others_is_not_deleted() {
    let Some(site) = site("us-east-1").await else { return };
    let public = zone(&site, "public", &site.cluster, None);
    let made = site.create_and_find(&object(&public, "public"), &[]).await;
    assert!(made.outputs["name_servers"].contains(", "), "{:?}", made.outputs);
    let www = plain(&format!("www.{}.", site.cluster), RrType::A, "192.0.2.1");
    change(&site.aws, &made.id, ChangeAction::Create, std::slice::from_ref(&www)).await.unwrap();
    let refused = site.aws.delete(&made, &|_| ()).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::Fatal);
    assert!(refused.message.contains(&format!("A www.{}", site.cluster)), "{refused}");
    change(&site.aws, &made.id, ChangeAction::Delete, &[www]).await.unwrap();
    site.delete(&made).await;
}

#[tokio::test]
async fn a_record_is_created_observed_moved_and_deleted() {
    let Some(site) = site("us-east-1").await else { return };
    let public = site.create(&object(&zone(&site, "public", &site.cluster, None), "public")).await;
    let mut api = record(&site, &public);
    let made = site.create_and_find(&object(&api, "api"), &[]).await;
    assert_eq!(made.id, format!("{}/api.{}/A", public.id, site.cluster));
    api.target = format!("{}api-2.us-east-1.elb.amazonaws.com", balancer_stem(&site.cluster)).into();
    let live = site.update_and_find(&object(&api, "api"), &["target"], &[]).await;
    site.delete(&live).await;
    assert!(site.is_gone(&live.address).await);
    site.delete(&public).await;
}

#[tokio::test]
async fn another_owners_record_of_that_name_is_found_and_never_overwritten() {
    let Some(site) = site("us-east-1").await else { return };
    let public = site.create(&object(&zone(&site, "public", &site.cluster, None), "public")).await;
    let api = record(&site, &public);
    let theirs = plain(&format!("api.{}.", site.cluster), RrType::A, "192.0.2.1");
    let beside = plain(&format!("api.{}.", site.cluster), RrType::Txt, "\"v=1\"");
    change(&site.aws, &public.id, ChangeAction::Create, &[theirs, beside]).await.unwrap();
    let live = site.find(&DnsRecord::address("api")).await;
    assert!(!live.proven);
    assert_eq!(live.attributes["target"].as_text(), Some("192.0.2.1"));

    // Once it is ours, because the record contains it, it is replaced and deleted, and the records beside it stay.
    site.update_and_find(&object(&api, "api"), &["target", "target_zone"], &[]).await;
    site.aws.delete(&site.find(&live.address).await, &|_| ()).await.unwrap();
    assert!(site.is_gone(&live.address).await);
    let failure = site.aws.delete(&public, &|_| ()).await.unwrap_err();
    assert!(failure.message.contains("TXT api."), "{failure}");
    let beside = plain(&format!("api.{}.", site.cluster), RrType::Txt, "\"v=1\"");
    change(&site.aws, &public.id, ChangeAction::Delete, &[beside]).await.unwrap();
    site.delete(&public).await;
}

#[tokio::test]
async fn a_zone_of_another_cluster_costs_no_call_of_its_own() {
    let Some(site) = site("us-east-1").await else { return };
    let request = site.aws.route53.create_hosted_zone().name(format!("other.{}.org", site.cluster));
    let other = request.caller_reference(&site.cluster).send().await.unwrap().hosted_zone.unwrap();
    site.calls.take();
    assert!(site.aws.find(&HostedZone::address("internal")).await.unwrap().is_empty());
    assert_eq!(site.calls.take().len(), 1);
    site.aws.route53.delete_hosted_zone().id(other.id()).send().await.unwrap();
}

#[tokio::test]
async fn creating_a_zone_names_its_token() {
    let Some(site) = site("us-east-1").await else { return };
    let public = object(&zone(&site, "public", &site.cluster, None), "public");
    let made = site.aws.create(&public, &IdempotencyToken(site.cluster.clone())).await.unwrap();
    let reported = site.aws.route53.get_hosted_zone().id(&made.id).send().await.unwrap().hosted_zone.unwrap();
    assert_eq!(reported.caller_reference(), site.cluster);
    site.delete(&made).await;
}
