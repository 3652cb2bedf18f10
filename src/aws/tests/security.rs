//! Security groups and their rules.

use aws_sdk_ec2::types::builders::IpPermissionBuilder;
use aws_sdk_ec2::types::{IpPermission, IpRange, ResourceType, UserIdGroupPair};

use super::*;
use crate::resource::{GroupRule, SecurityGroup, SecurityGroupRules};

fn rule(ports: &str, peer: impl Into<TextInput>, description: &str) -> GroupRule {
    let protocol = if ports == "all" { "all" } else { "tcp" }.to_owned();
    GroupRule { protocol, ports: ports.to_owned(), peer: peer.into(), description: description.to_owned() }
}

async fn group(moto: &MotoCluster, vpc: &Live, name: &str) -> Live {
    let group = SecurityGroup {
        name: format!("{name}.{}", moto.aws.scope.cluster),
        description: "Masters".to_owned(),
        vpc: id(vpc),
        tags: moto.tags::<SecurityGroup>(name),
    };
    moto.make(name, &group).await
}

#[tokio::test]
async fn rules_are_created_changed_corrected_and_deleted() {
    let Some(moto) = moto("rules").await else { return };
    let vpc = moto.vpc().await;
    let masters = group(&moto, &vpc, "masters").await;
    let nodes = group(&moto, &vpc, "nodes").await;
    let wanted = SecurityGroupRules {
        group: id(&masters),
        ingress: vec![
            rule("2379-2380", id(&masters), ""),
            rule("6443", id(&nodes), ""),
            rule("22", "203.0.113.7/32", "SSH"),
            rule("all", "100.96.0.0/11", "pods"),
        ],
        egress: vec![rule("all", "0.0.0.0/0", "")],
    };
    moto.calls.take();
    let object = wanted.object("masters").unwrap();
    moto.aws.create(&object, &IdempotencyToken("t".to_owned())).await.unwrap();
    assert_eq!(moto.calls.take(), ["AuthorizeSecurityGroupIngress"], "egress is as EC2 makes it");
    moto.check(&object).await;

    // The group is opened to the internet outside, and a rule is removed.
    let open = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let open = open.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").description("just for a moment").build()).build();
    let request = moto.aws.ec2.authorize_security_group_ingress().group_id(&masters.id);
    request.ip_permissions(open).send().await.unwrap();
    let pods = IpPermission::builder().ip_protocol("-1");
    let gone = pods.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
    moto.aws.ec2.revoke_security_group_egress().group_id(&masters.id).ip_permissions(gone).send().await.unwrap();
    moto.calls.take();
    assert_eq!(moto.correct("masters", &wanted).await, ["egress", "ingress"]);
    let calls = ["AuthorizeSecurityGroupEgress", "DescribeSecurityGroupRules"];
    let reads = ["DescribeSecurityGroups"; 2];
    assert_eq!(moto.calls.take(), [&calls[..], &reads, &["RevokeSecurityGroupIngress"]].concat());

    let mut other = wanted.clone();
    // Not of a rule about a group: moto does not keep that.
    other.ingress[2].description = "ssh".to_owned();
    other.ingress.remove(1);
    assert_eq!(moto.correct("masters", &other).await, ["ingress"]);
    let calls = moto.calls.take();
    assert!(calls.contains(&"UpdateSecurityGroupRuleDescriptionsIngress".to_owned()), "{calls:?}");
    assert!(!calls.contains(&"AuthorizeSecurityGroupIngress".to_owned()), "{calls:?}");

    moto.unmake_rules("masters").await;
    moto.unmake::<SecurityGroup>("nodes").await;
    moto.unmake::<SecurityGroup>("masters").await;
    moto.unmake::<Vpc>("main").await;
}

/// Allows access to a TCP port, as the cloud controller does for a network load balancer.
async fn open_port(moto: &MotoCluster, group: &Live, port: i32, description: &str) {
    let range = IpRange::builder().cidr_ip("0.0.0.0/0").description(description).build();
    open(moto, group, IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range)).await;
}

/// Allows a group access to everything, as the cloud controller does for a classic load balancer.
async fn open_to(moto: &MotoCluster, group: &Live, peer: &str) {
    let pair = UserIdGroupPair::builder().group_id(peer).build();
    open(moto, group, IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair)).await;
}

async fn open(moto: &MotoCluster, group: &Live, permission: IpPermissionBuilder) {
    let request = moto.aws.ec2.authorize_security_group_ingress().group_id(&group.id);
    request.ip_permissions(permission.build()).send().await.unwrap();
}

/// Creates a group that does not belong to Quorate, with these tags.
async fn stranger(moto: &MotoCluster, vpc: &Live, name: &str, tags: &[(&str, &str)]) -> String {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let request = moto.aws.ec2.create_security_group().group_name(name).description("a load balancer").vpc_id(&vpc.id);
    let specification = crate::aws::ec2::specification(ResourceType::SecurityGroup, &tags);
    request.tag_specifications(specification).send().await.unwrap().group_id.unwrap()
}

#[tokio::test]
async fn rules_of_the_cloud_controller_are_its_own() {
    let Some(moto) = moto("controllers").await else { return };
    let vpc = moto.vpc().await;
    let (nodes, api) = (group(&moto, &vpc, "nodes").await, group(&moto, &vpc, "api").await);
    let tag = format!("kubernetes.io/cluster/{}", moto.aws.scope.cluster);
    let classic = stranger(&moto, &vpc, "k8s-elb-a", &[(&tag, "owned")]).await;
    let other = stranger(&moto, &vpc, "other", &[("kubernetes.io/cluster/another", "owned")]).await;
    let mut wanted = SecurityGroupRules {
        group: id(&nodes),
        ingress: vec![rule("all", id(&nodes), ""), rule("all", "100.96.0.0/11", "pods")],
        egress: vec![rule("all", "0.0.0.0/0", "")],
    };
    moto.make("nodes", &wanted).await;
    let none = SecurityGroupRules { group: id(&api), ingress: vec![], egress: wanted.egress.clone() };
    moto.make("api", &none).await;

    let clients = "kubernetes.io/rule/nlb/client=a0123";
    open_port(&moto, &nodes, 31234, clients).await;
    open_to(&moto, &nodes, &classic).await;
    assert_eq!(moto.correct("nodes", &wanted).await, [""; 0], "they are no drift");
    wanted.ingress.push(rule("22", "203.0.113.7/32", "SSH"));
    assert_eq!(moto.correct("nodes", &wanted).await, ["ingress"]);
    assert_eq!(moto.standing(&nodes).await.len(), 5, "an update leaves them");

    // A rule that was added outside is drift, whatever its description, where the controller has no rules.
    open_to(&moto, &nodes, &other).await;
    open_port(&moto, &api, 31234, clients).await;
    assert_eq!(moto.correct("nodes", &wanted).await, ["ingress"]);
    assert_eq!(moto.standing(&nodes).await.len(), 5);
    assert_eq!(moto.correct("api", &none).await, ["ingress"]);
    assert!(moto.standing(&api).await.is_empty());

    let live = moto.see::<SecurityGroupRules>("nodes").await;
    moto.aws.delete(&live, &|_| {}).await.unwrap();
    assert!(moto.standing(&nodes).await.is_empty(), "they go with the group");
}

impl MotoCluster {
    /// Returns all ingress permissions of a group.
    async fn standing(&self, group: &Live) -> Vec<IpPermission> {
        let found = self.aws.ec2.describe_security_groups().group_ids(&group.id).send().await.unwrap();
        let permissions = found.security_groups()[0].ip_permissions();
        let single = |one: &IpPermission| {
            let peers = one.ip_ranges().len() + one.user_id_group_pairs().len();
            vec![one.clone(); peers]
        };
        permissions.iter().flat_map(single).collect()
    }

    /// Rules exist as long as their group does: what is left is an object without any.
    async fn unmake_rules(&self, name: &str) {
        let live = self.see::<SecurityGroupRules>(name).await;
        self.aws.delete(&live, &|_| {}).await.unwrap();
        let left = SecurityGroupRules { group: live.id.as_str().into(), ingress: vec![], egress: vec![] };
        self.check(&left.object(name).unwrap()).await;
        self.aws.delete(&live, &|_| {}).await.unwrap();
    }
}

#[tokio::test]
async fn a_group_may_have_no_way_out() {
    let Some(moto) = moto("no-egress").await else { return };
    let vpc = moto.vpc().await;
    let closed = group(&moto, &vpc, "closed").await;
    let wanted =
        SecurityGroupRules { group: id(&closed), ingress: vec![], egress: vec![rule("443", "10.0.0.0/8", "")] };
    moto.make("closed", &wanted).await;
    // Creating it again, as after a lost answer, is refused by EC2 and left to the next observation.
    let again = moto.aws.create(&wanted.object("closed").unwrap(), &IdempotencyToken("t".to_owned())).await;
    assert_eq!(again.unwrap_err().class, crate::engine::FailureClass::AlreadyExists);
    assert_eq!(moto.correct("closed", &wanted).await, [""; 0]);
    moto.unmake_rules("closed").await;
    moto.unmake::<SecurityGroup>("closed").await;
    let gone = Live { id: closed.id.clone(), ..closed };
    moto.aws.delete(&gone, &|_| {}).await.unwrap();
}
