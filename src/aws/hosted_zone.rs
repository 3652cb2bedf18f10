//! Hosted zones.
//!
//! Route 53 cannot tag a zone in the creating call. Until its tags are set, its comment, which it has from its creation,
//! names its owner: `… (quorate.dev/cluster=chat.example.com quorate.dev/object=hosted-zone/internal)`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::{
    ChangeAction, DelegationSet, HostedZoneConfig, ResourceRecordSet, ResourceTagSet, RrType, Tag, TagResourceType,
    Vpc, VpcRegion,
};
use futures_util::future::try_join_all;

use super::failure::{ErrorCodes, if_there, internal, just_made};
use super::kind::{AwsKind, CreateContext, live, updated};
use super::observe_cache::ObserveCache;
use super::record_sets::{change, records};
use super::tags::ObservationScope;
use super::zone_listing::ListedZone;
use super::zones::{ROUTE53, bare_id, plain_name, zones};
use super::{AwsProvider, tags};
use crate::engine::{Address, Failure, FailureClass, Live, ProgressNote};
use crate::resource::{CLUSTER_TAG, HostedZone, OBJECT_TAG, Resource, Tags, internal_domain, vpc_in};

/// Maximum number of zones in one call for tags.
const TAGS_A_CALL: usize = 10;
/// Maximum number of record sets that one change removes: AWS takes 1,000 values and 32,000 characters.
const REMOVED_A_CALL: usize = 100;
/// Maximum number of foreign records that an error message names.
const NAMED: usize = 3;

impl AwsKind for HostedZone {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["NoSuchHostedZone"]),
        (FailureClass::AlreadyExists, &["HostedZoneAlreadyExists"]),
        (FailureClass::Held, &["HostedZoneNotEmpty"]),
        (FailureClass::Quota, &["TooManyHostedZones"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let internal = internal_domain(&aws.scope.cluster);
        let listed = zones(cache).await?;
        let candidates: Vec<&ListedZone> =
            listed.iter().filter(|zone| !zone.private || zone.name == internal).collect();
        let tags = all_tags(aws, &candidates).await?;
        let ours = candidates.into_iter().filter_map(|zone| {
            let tags = tags.get(&zone.id).cloned().unwrap_or_default();
            Some((address(cache.whose, zone, &tags)?, zone, tags))
        });
        let found = try_join_all(ours.map(|(address, zone, tags)| see(aws, address, zone, tags))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let name = creation.object.address.name();
        let config = HostedZoneConfig::builder().comment(self.marked(aws, name)).private_zone(self.vpc.is_some());
        let request = aws
            .route53
            .create_hosted_zone()
            .name(&self.name)
            .caller_reference(&creation.token.0)
            .hosted_zone_config(config.build())
            .set_vpc(self.vpc.as_ref().and_then(|vpc| Some(in_region(aws, vpc.known()?))));
        aws.zones.forget().await;
        let answer = aws.send(ROUTE53, "CreateHostedZone", request.send()).await?;
        let zone =
            answer.hosted_zone().ok_or_else(|| internal("CreateHostedZone", "the answer names nothing".into()))?;
        let id = bare_id(zone.id());
        retag(aws, id, &self.tags, &[]).await.map_err(just_made)?;
        live(name, id, self, &[("id", id), ("name_servers", &name_servers(answer.delegation_set()))])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        aws.zones.forget().await;
        if changed.contains("vpc") {
            self.move_to_vpc(aws, &live.id).await?;
        }
        if changed.contains("comment") {
            let comment = self.marked(aws, live.address.name());
            let request = aws.route53.update_hosted_zone_comment().id(&live.id).comment(comment);
            aws.send(ROUTE53, "UpdateHostedZoneComment", request.send()).await?;
        }
        if changed.contains("tags") {
            retag(aws, &live.id, &tags::difference(live, &self.tags), &tags::removed(live, &self.tags)).await?;
        }
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.zones.forget().await;
        let Some(zone) = if_there(get(aws, &live.id).await)? else { return Ok(()) };
        let private = zone
            .hosted_zone()
            .and_then(|zone| zone.config())
            .is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone);
        let name = plain_name(zone.hosted_zone().map(aws_sdk_route53::types::HostedZone::name).unwrap_or_default());
        let mut records = records(aws, &live.id).await?;
        records.retain(|record| !is_the_zones_own(record, &name));
        if !private && !records.is_empty() {
            return Err(holds(&records));
        }
        for some in records.chunks(REMOVED_A_CALL) {
            note(format!("{} records are being removed", some.len()));
            change(aws, &live.id, ChangeAction::Delete, some).await?;
        }
        aws.send(ROUTE53, "DeleteHostedZone", aws.route53.delete_hosted_zone().id(&live.id).send()).await.map(drop)
    }
}

impl HostedZone {
    /// Returns the comment with the mark that names the zone's owner.
    fn marked(&self, aws: &AwsProvider, name: &str) -> String {
        let address = Self::address(name);
        format!("{} ({CLUSTER_TAG}={} {OBJECT_TAG}={address})", self.comment, aws.scope.cluster)
    }

    /// Associates the zone with the wanted VPC, and with no other. A private zone always has one.
    async fn move_to_vpc(&self, aws: &AwsProvider, id: &str) -> Result<(), Failure> {
        let wanted = self.vpc.as_ref().and_then(|vpc| vpc.known());
        let there = get(aws, id).await?;
        if let Some(wanted) = wanted
            && !there.vpcs().iter().any(|vpc| vpc.vpc_id() == Some(wanted))
        {
            let request = aws.route53.associate_vpc_with_hosted_zone().hosted_zone_id(id).vpc(in_region(aws, wanted));
            aws.send(ROUTE53, "AssociateVPCWithHostedZone", request.send()).await?;
        }
        for other in there.vpcs().iter().filter(|vpc| vpc.vpc_id() != wanted) {
            let request = aws.route53.disassociate_vpc_from_hosted_zone().hosted_zone_id(id).vpc(other.clone());
            aws.send(ROUTE53, "DisassociateVPCFromHostedZone", request.send()).await?;
        }
        Ok(())
    }
}

fn in_region(aws: &AwsProvider, vpc: &str) -> Vpc {
    Vpc::builder().vpc_id(vpc).vpc_region(VpcRegion::from(aws.scope.region.as_str())).build()
}

/// Returns the zone's address, if it is one of the cluster's: by its tags, or by its comment while it has no Quorate tag.
fn address(whose: ObservationScope<'_>, zone: &ListedZone, tags: &Tags) -> Option<Address> {
    let kind = HostedZone::KIND.name;
    let ObservationScope::Tagged(cluster) = whose else { return whose.address(tags, &zone.id, kind) };
    if tags.contains_key(CLUSTER_TAG) {
        return tags::address(tags, cluster, kind);
    }
    let (_, mark) = split_mark(&zone.comment);
    mark.filter(|(owner, _)| *owner == cluster).map(|(_, address)| address).filter(|address| address.kind() == kind)
}

/// Returns a comment without its mark, and the mark: the cluster and the address of the zone.
fn split_mark(comment: &str) -> (&str, Option<(&str, Address)>) {
    let parse = || {
        let (text, mark) = comment.strip_suffix(')')?.rsplit_once(" (")?;
        let (owner, address) = mark.split_once(' ')?;
        let owner = owner.strip_prefix(CLUSTER_TAG)?.strip_prefix('=')?;
        let address = address.strip_prefix(OBJECT_TAG)?.strip_prefix('=')?.parse().ok()?;
        Some((text, Some((owner, address))))
    };
    parse().unwrap_or((comment, None))
}

/// Returns the zone with what is not in a list; `None` if it was removed after it was listed.
async fn see(aws: &AwsProvider, address: Address, zone: &ListedZone, tags: Tags) -> Result<Option<Live>, Failure> {
    let Some(described) = if_there(get(aws, &zone.id).await)? else { return Ok(None) };
    let place = |vpc: &Vpc| {
        let region = vpc.vpc_region().map(VpcRegion::as_str).unwrap_or_default();
        Some(vpc_in(vpc.vpc_id()?, region, &aws.scope.region))
    };
    let vpcs: Vec<String> = described.vpcs().iter().filter_map(place).collect();
    let observed = HostedZone {
        name: zone.name.clone(),
        // All of them, if more than one VPC is associated with it.
        vpc: zone.private.then(|| vpcs.join(", ").into()),
        comment: split_mark(&zone.comment).0.to_owned(),
        tags,
    };
    let servers = name_servers(described.delegation_set());
    live(address.name(), &zone.id, &observed, &[("id", &zone.id), ("name_servers", &servers)]).map(Some)
}

async fn get(aws: &AwsProvider, id: &str) -> Result<GetHostedZoneOutput, Failure> {
    aws.read(ROUTE53, "GetHostedZone", || aws.route53.get_hosted_zone().id(id).send()).await
}

/// Returns the name servers of a zone; none for a private one.
pub(super) async fn delegation_set(aws: &AwsProvider, id: &str) -> Result<Vec<String>, Failure> {
    let servers = get(aws, id).await?.delegation_set.map(|set| set.name_servers).unwrap_or_default();
    Ok(servers.iter().map(|server| plain_name(server)).collect())
}

/// Returns the name servers to which a registrar delegates a public zone; empty for a private one.
fn name_servers(set: Option<&DelegationSet>) -> String {
    set.map(|set| set.name_servers().join(", ")).unwrap_or_default()
}

/// Returns the tags of zones by id, with as many zones in each call as Route 53 takes.
async fn all_tags(aws: &AwsProvider, zones: &[&ListedZone]) -> Result<BTreeMap<String, Tags>, Failure> {
    let tags = try_join_all(zones.chunks(TAGS_A_CALL).map(|some| tags_of(aws, some))).await?;
    Ok(tags.into_iter().flatten().collect())
}

/// Returns the tags of one call. It fails as a whole if a zone was removed: then each zone is read in its own call.
async fn tags_of(aws: &AwsProvider, zones: &[&ListedZone]) -> Result<Vec<(String, Tags)>, Failure> {
    if let Some(tags) = tags_at_once(aws, zones).await? {
        return Ok(tags);
    }
    let tags = try_join_all(zones.chunks(1).map(|one| tags_at_once(aws, one))).await?;
    Ok(tags.into_iter().flatten().flatten().collect())
}

async fn tags_at_once(aws: &AwsProvider, zones: &[&ListedZone]) -> Result<Option<Vec<(String, Tags)>>, Failure> {
    let request = || {
        let ids = zones.iter().map(|zone| zone.id.clone()).collect();
        let request = aws.route53.list_tags_for_resources().resource_type(TagResourceType::Hostedzone);
        request.set_resource_ids(Some(ids)).send()
    };
    let answer = if_there(aws.read(ROUTE53, "ListTagsForResources", request).await)?;
    let tags_of_zone =
        |set: &ResourceTagSet| (set.resource_id().unwrap_or_default().to_owned(), from_route53(set.tags()));
    Ok(answer.map(|answer| answer.resource_tag_sets().iter().map(tags_of_zone).collect()))
}

fn from_route53(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

/// Sets tags and removes others. AWS refuses an empty list, and a call without any.
async fn retag(aws: &AwsProvider, id: &str, set: &Tags, removed: &[String]) -> Result<(), Failure> {
    if set.is_empty() && removed.is_empty() {
        return Ok(());
    }
    let set: Vec<Tag> = set.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let request = aws
        .route53
        .change_tags_for_resource()
        .resource_type(TagResourceType::Hostedzone)
        .resource_id(id)
        .set_add_tags(Some(set).filter(|tags| !tags.is_empty()))
        .set_remove_tag_keys(Some(removed.to_vec()).filter(|keys| !keys.is_empty()));
    aws.send(ROUTE53, "ChangeTagsForResource", request.send()).await.map(drop)
}

/// Returns `true` for the two record sets that are created and deleted with the zone.
fn is_the_zones_own(record: &ResourceRecordSet, zone: &str) -> bool {
    matches!(record.r#type(), RrType::Ns | RrType::Soa) && plain_name(record.name()) == zone
}

/// Returns the failure for foreign records. Machines write into the private zone only: no record in a public one is ours.
fn holds(records: &[ResourceRecordSet]) -> Failure {
    let mut names: Vec<_> =
        records.iter().take(NAMED).map(|record| format!("{} {}", record.r#type(), plain_name(record.name()))).collect();
    if records.len() > NAMED {
        names.push(format!("{} more", records.len() - NAMED));
    }
    let message = format!("the zone has records that this cluster did not make: {}", names.join(", "));
    Failure { service: ROUTE53.to_owned(), ..internal("DeleteHostedZone", message) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const MARKED: &str = "Machines of c.example.com (quorate.dev/cluster=c.example.com \
                          quorate.dev/object=hosted-zone/internal)";

    fn zone(comment: &str) -> ListedZone {
        ListedZone { id: "Z1".into(), name: "internal.c.example.com".into(), private: true, comment: comment.into() }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_zone_without_tags_is_known_by_its_comment() {
        let found = address(ObservationScope::Tagged("c.example.com"), &zone(MARKED), &Tags::new());
        assert_eq!(found, Some(HostedZone::address("internal")));
        assert_eq!(address(ObservationScope::Tagged("other.example.com"), &zone(MARKED), &Tags::new()), None);
        assert_eq!(address(ObservationScope::Tagged("c.example.com"), &zone("Machines"), &Tags::new()), None);
    }

    #[test]
    fn tags_win_over_the_comment() {
        let theirs = tags(&[(CLUSTER_TAG, "other.example.com"), (OBJECT_TAG, "hosted-zone/internal")]);
        assert_eq!(address(ObservationScope::Tagged("c.example.com"), &zone(MARKED), &theirs), None);
        let ours = tags(&[(CLUSTER_TAG, "c.example.com"), (OBJECT_TAG, "hosted-zone/public")]);
        assert_eq!(
            address(ObservationScope::Tagged("c.example.com"), &zone("edited"), &ours),
            Some(HostedZone::address("public"))
        );
    }

    #[test]
    fn a_comment_is_shown_without_its_mark() {
        assert_eq!(split_mark(MARKED).0, "Machines of c.example.com");
        for plain in ["", "for (us)", "(quorate.dev/cluster=c)", "x (quorate.dev/cluster=c quorate.dev/object=)"] {
            assert_eq!(split_mark(plain), (plain, None));
        }
    }

    #[test]
    fn only_the_records_at_the_top_are_the_zones_own() {
        let record = |name: &str, kind: RrType| ResourceRecordSet::builder().name(name).r#type(kind).build().unwrap();
        assert!(is_the_zones_own(&record("example.com.", RrType::Ns), "example.com"));
        assert!(is_the_zones_own(&record("example.com.", RrType::Soa), "example.com"));
        assert!(!is_the_zones_own(&record("sub.example.com.", RrType::Ns), "example.com"));
        assert!(!is_the_zones_own(&record("example.com.", RrType::A), "example.com"));
    }

    #[test]
    fn a_refusal_names_a_few_records() {
        let records: Vec<_> = (0..5)
            .map(|n| ResourceRecordSet::builder().name(format!("www{n}.example.com.")).r#type(RrType::A).build())
            .collect::<Result<_, _>>()
            .unwrap();
        let failure = holds(&records);
        assert_eq!(failure.class, crate::engine::FailureClass::Fatal, "waiting does not help");
        assert!(failure.message.ends_with("A www0.example.com, A www1.example.com, A www2.example.com, 2 more"));
    }
}
