//! The record sets of a hosted zone: reading all of them, and changing some.

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet};

use super::AwsProvider;
use super::failure::incomplete;
use super::zones::ROUTE53;
use crate::engine::Failure;

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
