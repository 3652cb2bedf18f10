//! Temporary access to the API, and its place in plans.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::cloud::CloudProvider;
use crate::resource::{API, AccessGrant, Grantee, GroupRule, SecurityGroup, SecurityGroupRules};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn grant(range: &str, lasting: SignedDuration) -> AccessGrant {
    AccessGrant::new(range.parse().unwrap(), Timestamp::now() + lasting, Grantee::Person("ada on laptop".to_owned()))
}

/// Returns the API's group with one range allowed permanently.
async fn api(moto: &MotoCluster) -> SecurityGroupRules {
    let vpc = moto.vpc().await;
    let group = SecurityGroup {
        name: format!("api.{}", moto.aws.scope.cluster),
        description: "API".to_owned(),
        vpc: id(&vpc),
        tags: moto.tags::<SecurityGroup>(API),
    };
    let group = moto.make(API, &group).await;
    let always = GroupRule {
        protocol: "tcp".to_owned(),
        ports: "443".to_owned(),
        peer: "198.51.100.0/24".into(),
        description: "api.allow in the cluster file".to_owned(),
    };
    let egress = GroupRule {
        protocol: "all".to_owned(),
        ports: "all".to_owned(),
        peer: "0.0.0.0/0".into(),
        description: String::new(),
    };
    let rules = SecurityGroupRules { group: id(&group), ingress: vec![always], egress: vec![egress] };
    moto.make(API, &rules).await;
    rules
}

impl MotoCluster {
    async fn grants(&self) -> Vec<AccessGrant> {
        self.aws.api_firewall().admission().await.unwrap().unwrap().grants
    }
}

#[tokio::test]
async fn a_grant_is_made_extended_and_taken_away_and_no_plan_minds() {
    let Some(moto) = moto("grants").await else { return };
    assert_eq!(moto.aws.api_firewall().admission().await.unwrap(), None, "there is no gate yet");
    let early = moto.aws.api_firewall().grant(&grant("203.0.113.7/32", HOUR)).await.unwrap_err();
    assert_eq!(early.class, crate::engine::FailureClass::Gone);
    moto.aws.api_firewall().revoke(&[grant("203.0.113.7/32", HOUR)]).await.unwrap();
    let rules = api(&moto).await;
    let object = rules.object(API).unwrap();

    let first = grant("203.0.113.7/32", HOUR);
    moto.aws.api_firewall().grant(&first).await.unwrap();
    moto.calls.take();
    moto.aws.api_firewall().grant(&first).await.unwrap();
    let reads = ["DescribeSecurityGroupRules", "DescribeSecurityGroups"];
    assert_eq!(moto.calls.take(), reads, "nothing is done twice");
    moto.check(&object).await;
    assert_eq!(moto.correct(API, &rules).await, [""; 0], "nor is it taken away by an apply");

    let longer = grant("203.0.113.7/32", HOUR * 2);
    moto.aws.api_firewall().grant(&longer).await.unwrap();
    let calls = moto.calls.take();
    assert!(calls.contains(&"UpdateSecurityGroupRuleDescriptionsIngress".to_owned()), "{calls:?}");
    assert_eq!(moto.grants().await, std::slice::from_ref(&longer));

    moto.aws.api_firewall().revoke(&[first]).await.unwrap();
    assert_eq!(moto.grants().await, std::slice::from_ref(&longer), "it is no longer what was meant");
    for _ in 0..2 {
        moto.aws.api_firewall().revoke(std::slice::from_ref(&longer)).await.unwrap();
        assert_eq!(moto.grants().await, []);
    }
    moto.check(&object).await;
}

#[tokio::test]
async fn a_grant_that_has_ended_is_surplus_and_a_new_one_has_another_id() {
    let Some(moto) = moto("ended").await else { return };
    let rules = api(&moto).await;
    let ended = grant("203.0.113.7/32", -HOUR);
    moto.aws.api_firewall().grant(&ended).await.unwrap();
    assert_eq!(moto.grants().await, [ended]);
    moto.calls.take();
    let again = grant("203.0.113.7/32", HOUR);
    moto.aws.api_firewall().grant(&again).await.unwrap();
    let calls = moto.calls.take();
    assert!(calls.contains(&"RevokeSecurityGroupIngress".to_owned()), "a master may be about to: {calls:?}");
    assert_eq!(moto.grants().await, [again]);

    moto.aws.api_firewall().grant(&grant("203.0.113.8/32", -HOUR)).await.unwrap();
    moto.aws.api_firewall().grant(&grant("203.0.113.9/32", HOUR * 48)).await.unwrap();
    assert_eq!(moto.correct(API, &rules).await, ["ingress"], "neither an ended nor an endless one is spared");
    let left: Vec<String> = moto.grants().await.iter().map(|grant| grant.range.to_string()).collect();
    assert_eq!(left, ["203.0.113.7/32"]);
}

#[tokio::test]
async fn what_the_file_lets_in_is_neither_made_a_grant_nor_refused_because_of_one() {
    let Some(moto) = moto("for-good").await else { return };
    let mut rules = api(&moto).await;
    moto.aws.api_firewall().grant(&grant("198.51.100.0/24", HOUR)).await.unwrap();
    assert_eq!(moto.grants().await, []);
    moto.check(&rules.object(API).unwrap()).await;

    moto.aws.api_firewall().grant(&grant("203.0.113.7/32", HOUR)).await.unwrap();
    let mut always = rules.ingress[0].clone();
    always.peer = "203.0.113.7/32".into();
    rules.ingress.push(always);
    assert_eq!(moto.correct(API, &rules).await, ["ingress"]);
    assert_eq!(moto.grants().await, [], "it stays for good now");
}

#[tokio::test]
async fn a_rule_that_comes_or_goes_meanwhile_is_read_again() {
    let Some(moto) = moto("meanwhile").await else { return };
    api(&moto).await;
    let first = grant("203.0.113.7/32", HOUR);
    moto.calls.refuse("AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate");
    moto.aws.api_firewall().grant(&first).await.unwrap();
    assert_eq!(moto.grants().await, std::slice::from_ref(&first));
    moto.calls.refuse("RevokeSecurityGroupIngress", "InvalidSecurityGroupRuleId.NotFound");
    moto.aws.api_firewall().revoke(&[first]).await.unwrap();
    assert_eq!(moto.grants().await, []);
}
