//! DNS records that point at the cluster's load balancers.
//!
//! They carry no mark. An alias of a load balancer of the cluster is ours, as its target's name begins as only those names
//! do; for any other record, the state record and the file decide. An observation needs neither: a zone that the cluster's
//! name ends in is read whole, as a service may have any name in it.

use std::collections::BTreeSet;

use aws_sdk_route53::types::{AliasTarget, ChangeAction, ResourceRecordSet, RrType};

use super::AwsProvider;
use super::failure::{if_there, incomplete};
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use super::record_sets::{change, public_records};
use super::zone_listing::ListedZone;
use super::zones::{ROUTE53, plain_name};
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{DnsRecord, RECORD_LABELS, balancer_stem};

/// The end of the value of every record by which AWS validates a certificate.
const VALIDATION: &str = ".acm-validations.aws";
/// Number of record sets that are read from a name on: a name has one or two.
const AT_A_NAME: i32 = 5;

impl AwsKind for DnsRecord {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let public = public_records(cache).await?;
        let mut found = Vec::new();
        for (zone, sets) in &public.0 {
            found.extend(see(&cache.aws.scope.cluster, zone, sets)?);
        }
        Ok(found)
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let zone = self.zone.known().unwrap_or_default();
        // Not an upsert: an existing record of that name belongs to others.
        if let Err(refused) = self.write(aws, ChangeAction::Create).await {
            // Route 53 has one code for every batch that it does not take: a read shows whether the name is taken.
            let taken =
                refused.code.as_deref() == Some("InvalidChangeBatch") && !at(aws, zone, &self.name).await?.is_empty();
            return Err(if taken { Failure { class: FailureClass::AlreadyExists, ..refused } } else { refused });
        }
        live(creation.object.address.name(), id(zone, &self.name, &self.record_type), self, &[("name", &self.name)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, _changed: &BTreeSet<String>) -> Result<Live, Failure> {
        self.write(aws, ChangeAction::Upsert).await?;
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let observed: Self = decode(live)?;
        let zone = observed.zone.known().unwrap_or_default();
        // AWS removes only what is exactly the same, so what is there is read once more.
        let there = if_there(at(aws, zone, &observed.name).await)?.unwrap_or_default();
        match there.into_iter().find(|record| record.r#type().as_str() == observed.record_type) {
            Some(record) => change(aws, zone, ChangeAction::Delete, &[record]).await,
            None => Ok(()),
        }
    }
}

impl DnsRecord {
    async fn write(&self, aws: &AwsProvider, action: ChangeAction) -> Result<(), Failure> {
        let target = AliasTarget::builder()
            .set_dns_name(self.target.known().map(str::to_owned))
            .set_hosted_zone_id(self.target_zone.known().map(str::to_owned))
            .evaluate_target_health(false)
            .build();
        let record = ResourceRecordSet::builder()
            .name(&self.name)
            .r#type(RrType::from(self.record_type.as_str()))
            .alias_target(target.map_err(|error| incomplete(&error))?)
            .build();
        let record = record.map_err(|error| incomplete(&error))?;
        change(aws, self.zone.known().unwrap_or_default(), action, &[record]).await
    }
}

fn id(zone: &str, name: &str, kind: &str) -> String {
    format!("{zone}/{name}/{kind}")
}

/// Returns `true` if a record set resolves a name or conflicts with an address. The record by which AWS validates a certificate
/// is a part of the certificate.
fn resolves(set: &ResourceRecordSet) -> bool {
    let validates = |set: &ResourceRecordSet| {
        set.resource_records().iter().any(|record| plain_name(record.value()).ends_with(VALIDATION))
    };
    matches!(set.r#type(), RrType::A | RrType::Cname) && !validates(set)
}

/// Returns the records of all names of a zone.
fn see(cluster: &str, zone: &ListedZone, sets: &[ResourceRecordSet]) -> Result<Vec<Live>, Failure> {
    let stem = balancer_stem(cluster);
    let mut there: Vec<&ResourceRecordSet> = sets.iter().filter(|set| resolves(set)).collect();
    // Each of several records with this name and type blocks the name; reporting one is enough.
    there.dedup_by(|one, other| one.r#type() == other.r#type() && one.name() == other.name());
    let records = there.iter().map(|record| translate(zone, record));
    records.map(|record| found(object_name(cluster, &record.name), &record, &stem)).collect()
}

/// Returns the object name of a record: the cluster's own records are named by label, those of services by domain.
fn object_name<'a>(cluster: &str, name: &'a str) -> &'a str {
    let label = name.strip_suffix(cluster).and_then(|rest| rest.strip_suffix('.'));
    label.filter(|label| RECORD_LABELS.contains(label)).unwrap_or(name)
}

fn found(label: &str, observed: &DnsRecord, stem: &str) -> Result<Live, Failure> {
    let target = observed.target.known().unwrap_or_default();
    let is_alias = observed.target_zone.known().is_some_and(|zone| !zone.is_empty());
    let id = id(observed.zone.known().unwrap_or_default(), &observed.name, &observed.record_type);
    let live = live(label, id, observed, &[("name", &observed.name)])?;
    Ok(Live { proven: is_alias && target.starts_with(stem), ..live })
}

/// Returns the record sets of a name that resolve it or conflict with an address: nothing can coexist with a `CNAME`.
async fn at(aws: &AwsProvider, zone: &str, name: &str) -> Result<Vec<ResourceRecordSet>, Failure> {
    let request = || {
        let request = aws.route53.list_resource_record_sets().hosted_zone_id(zone);
        request.start_record_name(name).max_items(AT_A_NAME).send()
    };
    let page = aws.read(ROUTE53, "ListResourceRecordSets", request).await?;
    let mut there = page.resource_record_sets;
    there.retain(|record| plain_name(record.name()) == name && matches!(record.r#type(), RrType::A | RrType::Cname));
    // Each of several records with this name and type blocks the name; reporting one is enough.
    there.dedup_by(|one, other| one.r#type() == other.r#type());
    Ok(there)
}

fn translate(zone: &ListedZone, record: &ResourceRecordSet) -> DnsRecord {
    let (target, target_zone) = match record.alias_target() {
        Some(alias) => (alias_name(alias.dns_name()), alias.hosted_zone_id().to_owned()),
        None => (
            record
                .resource_records()
                .iter()
                .map(aws_sdk_route53::types::ResourceRecord::value)
                .collect::<Vec<_>>()
                .join(", "),
            String::new(),
        ),
    };
    DnsRecord {
        zone: zone.id.as_str().into(),
        name: plain_name(record.name()),
        record_type: record.r#type().as_str().to_owned(),
        target: target.into(),
        target_zone: target_zone.into(),
    }
}

/// Removes `dualstack.`, which the console adds before a load balancer's name without a difference in meaning.
fn alias_name(name: &str) -> String {
    let name = plain_name(name);
    name.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_route53::types::ResourceRecord;

    use super::*;

    const STEM: &str = "c-123456-";

    fn zone() -> ListedZone {
        ListedZone { id: "Z1".into(), name: "example.com".into(), private: false, comment: String::new() }
    }

    fn alias(target: &str) -> DnsRecord {
        let target =
            AliasTarget::builder().dns_name(target).hosted_zone_id("ZELB").evaluate_target_health(true).build();
        let record = ResourceRecordSet::builder().name("API.c.example.com.").r#type(RrType::A);
        translate(&zone(), &record.alias_target(target.unwrap()).build().unwrap())
    }

    fn plain(values: &[&str]) -> DnsRecord {
        let values = values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap());
        let record = ResourceRecordSet::builder().name("api.c.example.com.").r#type(RrType::A).ttl(60);
        translate(&zone(), &record.set_resource_records(Some(values.collect())).build().unwrap())
    }

    #[test]
    fn an_alias_is_read_as_it_was_written() {
        let reported = alias("dualstack.C-123456-API-1.elb.us-east-1.amazonaws.com.");
        assert_eq!(reported.name, "api.c.example.com");
        assert_eq!(reported.target.known(), Some("c-123456-api-1.elb.us-east-1.amazonaws.com"));
        assert_eq!(reported.target_zone.known(), Some("ZELB"));
    }

    #[test]
    fn an_alias_of_our_load_balancer_proves_itself() {
        assert!(found("api", &alias("c-123456-api-1.elb.amazonaws.com."), STEM).unwrap().proven);
        assert!(!found("api", &alias("other-api-1.elb.amazonaws.com."), STEM).unwrap().proven);
    }

    #[test]
    fn a_record_that_is_no_alias_proves_nothing() {
        let reported = plain(&["192.0.2.1", "192.0.2.2"]);
        assert_eq!(reported.target.known(), Some("192.0.2.1, 192.0.2.2"));
        assert!(!found("api", &reported, STEM).unwrap().proven);
        assert!(!found("api", &plain(&["c-123456-api"]), STEM).unwrap().proven);
    }

    #[test]
    fn a_service_is_found_by_its_domain_and_the_api_by_its_label() {
        assert_eq!(object_name("c.example.com", "api.c.example.com"), "api");
        assert_eq!(object_name("c.example.com", "c.example.com"), "c.example.com");
        assert_eq!(object_name("c.example.com", "api.example.com"), "api.example.com");
        assert_eq!(object_name("c.example.com", "other.c.example.com"), "other.c.example.com");
    }

    #[test]
    fn its_id_is_where_it_stands() {
        assert_eq!(found("api", &plain(&[]), STEM).unwrap().id, "Z1/api.c.example.com/A");
    }
}
