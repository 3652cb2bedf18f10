//! The record sets of a hosted zone: reading all of them, and changing some.

use std::sync::Arc;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet};
use futures_util::future::try_join_all;

use super::AwsProvider;
use super::failure::{if_there, incomplete};
use super::observe_cache::ObserveCache;
use super::zone_listing::ListedZone;
use super::zones::{ROUTE53, is_within, zones};
use crate::engine::Failure;

/// The record sets of each public zone that the cluster's name ends in.
pub(super) struct PublicRecords(pub(super) Vec<(ListedZone, Vec<ResourceRecordSet>)>);

/// Returns the record sets of the zones of the cluster's names, read once for all kinds.
pub(super) async fn public_records(cache: &ObserveCache<'_>) -> Result<Arc<PublicRecords>, Failure> {
    let aws = cache.aws;
    let read = || async {
        let listed = zones(cache).await?;
        let zones = listed.iter().filter(|zone| !zone.private && is_within(&aws.scope.cluster, &zone.name));
        let sets = |zone: &ListedZone| {
            let zone = zone.clone();
            async move {
                let sets = if_there(records(aws, &zone.id).await)?.unwrap_or_default();
                Ok::<_, Failure>((zone, sets))
            }
        };
        Ok(PublicRecords(try_join_all(zones.map(sets)).await?))
    };
    cache.once(read).await
}

/// Returns all record sets of a zone.
pub(super) async fn records(aws: &AwsProvider, id: &str) -> Result<Vec<ResourceRecordSet>, Failure> {
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let request = || {
            let (name, kind, identifier) = next.clone().unwrap_or_default();
            let request = aws.route53.list_resource_record_sets().hosted_zone_id(id);
            let request = request.set_start_record_name(name).set_start_record_type(kind);
            request.set_start_record_identifier(identifier).send()
        };
        let page = aws.read(ROUTE53, "ListResourceRecordSets", request).await?;
        found.extend(page.resource_record_sets);
        if !page.is_truncated {
            return Ok(found);
        }
        next = Some((page.next_record_name, page.next_record_type, page.next_record_identifier));
    }
}

/// Changes record sets, all or none.
pub(super) async fn change(
    aws: &AwsProvider,
    zone: &str,
    action: ChangeAction,
    records: &[ResourceRecordSet],
) -> Result<(), Failure> {
    let changes = records
        .iter()
        .map(|record| Change::builder().action(action.clone()).resource_record_set(record.clone()).build())
        .collect::<Result<_, _>>();
    let batch = changes.and_then(|changes| ChangeBatch::builder().set_changes(Some(changes)).build());
    let batch = batch.map_err(|error| incomplete(&error))?;
    let request = aws.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    aws.send(ROUTE53, "ChangeResourceRecordSets", request.send()).await.map(drop)
}
