//! Objects that the cluster's own controllers created: load balancers, what belongs to them, and volumes of claims.
//!
//! They are part of a destroy, not of a plan. The mark of the controllers proves to which cluster they belong; an object
//! that carries a mark of Quorate as well is treated like all others.

mod balancers;
mod classic;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{IpPermission, SecurityGroup as Group, Volume as Disk};

use super::AwsProvider;
use super::ec2::{EC2, filter, from_ec2};
use crate::engine::{Address, Failure, Live, ObjectPhase, Value};
use crate::resource::{BY_KUBERNETES, CLUSTER_TAG, EbsVolume, Resource, SecurityGroup, Tags, kubernetes_tag};

pub(super) use classic::{delete as delete_classic, is_classic};

/// The mark of the AWS Load Balancer Controller; its value is the cluster's name.
const INGRESS_TAG: &str = "elbv2.k8s.aws/cluster";
/// The tags that name the claim of a volume.
const CLAIM: [&str; 2] = ["kubernetes.io/created-for/pvc/namespace", "kubernetes.io/created-for/pvc/name"];
/// The tag that names the service of a load balancer.
const SERVICE_TAG: &str = "kubernetes.io/service-name";

/// Returns all of these objects.
pub(super) async fn unmanaged(aws: &AwsProvider) -> Result<Vec<Live>, Failure> {
    let (volumes, groups, balancers, classic) = tokio::try_join!(
        volumes(aws),
        security_groups(aws),
        balancers::load_balancers_and_target_groups(aws),
        classic::load_balancers(aws),
    )?;
    let volumes = volumes.iter().filter_map(|volume| disk(aws, volume));
    let groups = groups.iter().filter_map(|group| self::group(aws, group));
    let mut found: Vec<Live> = volumes.chain(groups).chain(balancers).chain(classic).collect();
    classify(&mut found);
    Ok(found)
}

/// Returns `true` if the tags show that a controller of the cluster created the object, and Quorate did not.
fn is_unmanaged(aws: &AwsProvider, tags: &Tags) -> bool {
    let cluster = &aws.scope.cluster;
    let owned = tags.get(&kubernetes_tag(cluster)).is_some_and(|how| how == "owned");
    let ingress = tags.get(INGRESS_TAG).is_some_and(|owner| owner == cluster);
    (owned || ingress) && !tags.contains_key(CLUSTER_TAG)
}

/// Returns an object that a controller created. `named` is its name for people, `id` its name on AWS.
fn unmanaged_object<K: Resource>(named: &str, id: &str, output: &str, attributes: BTreeMap<String, Value>) -> Live {
    Live {
        address: K::address(&format!("{BY_KUBERNETES}{named}")),
        id: id.to_owned(),
        attributes,
        outputs: [(output.to_owned(), id.to_owned())].into(),
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

/// Makes names unique: two claims of one name, one after the other, have two volumes.
fn classify(found: &mut [Live]) {
    let mut counts: BTreeMap<Address, usize> = BTreeMap::new();
    for live in found.iter() {
        *counts.entry(live.address.clone()).or_default() += 1;
    }
    for live in found.iter_mut().filter(|live| counts.get(&live.address).is_some_and(|times| *times > 1)) {
        live.address = Address::new(live.address.kind(), format!("{}/{}", live.address.name(), live.id));
    }
}

async fn volumes(aws: &AwsProvider) -> Result<Vec<Disk>, Failure> {
    let owned = filter(&format!("tag:{}", kubernetes_tag(&aws.scope.cluster)), "owned");
    let pages = || aws.ec2.describe_volumes().filters(owned.clone()).into_paginator().items().send().try_collect();
    aws.read(EC2, "DescribeVolumes", pages).await
}

fn disk(aws: &AwsProvider, volume: &Disk) -> Option<Live> {
    use aws_sdk_ec2::types::VolumeState::{Deleted, Deleting};
    let (tags, id) = (from_ec2(volume.tags()), volume.volume_id()?);
    let [namespace, name] = CLAIM.map(|key| tags.get(key));
    let claim = namespace.zip(name).map(|(namespace, name)| format!("{namespace}/{name}"));
    let there = !matches!(volume.state(), Some(Deleting | Deleted));
    (there && is_unmanaged(aws, &tags))
        .then(|| unmanaged_object::<EbsVolume>(claim.as_deref().unwrap_or(id), id, "id", BTreeMap::new()))
}

async fn security_groups(aws: &AwsProvider) -> Result<Vec<Group>, Failure> {
    if aws.has_no_vpc() {
        return Ok(Vec::new());
    }
    // Groups of other clusters may have one of these keys too: `group` looks at the values.
    let keys = vec![kubernetes_tag(&aws.scope.cluster), INGRESS_TAG.to_owned()];
    let marked = aws_sdk_ec2::types::Filter::builder().name("tag-key").set_values(Some(keys)).build();
    let pages =
        || aws.ec2.describe_security_groups().filters(marked.clone()).into_paginator().items().send().try_collect();
    let mut groups: Vec<Group> = aws.read(EC2, "DescribeSecurityGroups", pages).await?;
    groups.sort_by(|one, other| one.group_id().cmp(&other.group_id()));
    Ok(groups)
}

fn group(aws: &AwsProvider, group: &Group) -> Option<Live> {
    let id = group.group_id()?;
    // Groups that its rules name cannot go before it.
    let peers = group.ip_permissions().iter().flat_map(IpPermission::user_id_group_pairs);
    let peers = peers.filter_map(|pair| pair.group_id()).filter(|peer| *peer != id);
    let attributes = [
        ("vpc".to_owned(), text(group.vpc_id().unwrap_or_default())),
        ("peers".to_owned(), Value::List(peers.map(text).collect())),
    ];
    let named = group.group_name().unwrap_or(id);
    is_unmanaged(aws, &from_ec2(group.tags()))
        .then(|| unmanaged_object::<SecurityGroup>(named, id, "id", attributes.into()))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
