//! Certificates of ACM, with the records by which AWS validates them.
//!
//! ACM cannot filter by tag: a certificate can only be the cluster's if its name is in a zone of the cluster's names, so the
//! tags of no others are read. The validation record of a name is the same for all certificates of the account, so it may be
//! there before, and others may need it after: only a record that this cluster wrote is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, CertificateSummary, Tag, ValidationMethod};
use aws_sdk_route53::types::{ChangeAction, ResourceRecord, ResourceRecordSet, RrType};
use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::failure::{ErrorCodes, if_there, incomplete, internal, just_made};
use super::hosted_zone::delegation_set;
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use super::poll::BACKOFF;
use super::record_sets::{PublicRecords, change, public_records};
use super::tags::ObservationScope;
use super::zones::{ROUTE53, is_within, plain_name};
use super::{AwsProvider, tags};
use crate::engine::{Failure, FailureClass, Live, ObjectPhase, PollLoop, ProgressNote};
use crate::resource::{Certificate, Resource, Tags};

/// The service's name, for failures and limits.
const ACM: &str = "acm";
/// Maximum time for AWS to issue a certificate: a few minutes are usual. AWS itself tries for 72 hours.
const LIMIT: Duration = Duration::from_mins(20);
/// The time that resolvers keep a validation record, in seconds.
const TTL: i64 = 300;
/// Number of hexadecimal digits of an idempotency token, of which ACM takes 32.
const TOKEN: usize = 32;

impl AwsKind for Certificate {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["ResourceNotFoundException"]),
        // A load balancer that is gone uses it for a while longer.
        (FailureClass::Held, &["ResourceInUseException"]),
        (FailureClass::Throttled, &["ConflictException", "RequestInProgressException"]),
        (
            FailureClass::Invalid,
            &[
                "InvalidArgsException",
                "InvalidArnException",
                "InvalidDomainValidationOptionsException",
                "InvalidParameterException",
                "InvalidTagException",
                "TagPolicyException",
                "TooManyTagsException",
            ],
        ),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let (listed, records) = tokio::try_join!(listed(aws), public_records(cache))?;
        let possible = |summary: &CertificateSummary| {
            let domain = summary.domain_name().unwrap_or_default();
            records.0.iter().any(|(zone, _)| is_within(domain, &zone.name))
        };
        let recorded = cache.whose.ids(Self::KIND.name);
        let arns = listed.iter().filter(|summary| match (&recorded, cache.whose) {
            (Some(ids), ObservationScope::Recorded(..)) => {
                summary.certificate_arn().is_some_and(|arn| ids.iter().any(|id| id == arn))
            }
            _ => possible(summary),
        });
        let arns: Vec<&str> = arns.filter_map(CertificateSummary::certificate_arn).collect();
        let found = try_join_all(arns.into_iter().map(|arn| see(cache, arn, &records))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let mut token = hex::encode(Sha256::digest(creation.token.0.as_bytes()));
        token.truncate(TOKEN);
        let request = aws
            .acm
            .request_certificate()
            .domain_name(&self.domain)
            .validation_method(ValidationMethod::Dns)
            .idempotency_token(token)
            .set_tags(Some(to_acm(&self.tags)));
        let answer = aws.send(ACM, "RequestCertificate", request.send()).await?;
        let arn = answer.certificate_arn().unwrap_or_default();
        let live = live(creation.object.address.name(), arn, self, &[("arn", arn)])?;
        Ok(Live { phase: ObjectPhase::Pending, ..live })
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("zone")
            && let Some(record) = describe(aws, &live.id).await?.as_ref().and_then(validation_record)
        {
            self.write(aws, &live.id, &record).await?;
        }
        if changed.contains("tags") {
            let set = tags::difference(live, &self.tags);
            if !set.is_empty() {
                let request = aws.acm.add_tags_to_certificate().certificate_arn(&live.id);
                let request = request.set_tags(Some(to_acm(&set)));
                aws.send(ACM, "AddTagsToCertificate", request.send()).await?;
            }
            let removed = tags::removed(live, &self.tags);
            if !removed.is_empty() {
                let removed = removed.iter().filter_map(|key| Tag::builder().key(key).build().ok()).collect();
                let request = aws.acm.remove_tags_from_certificate().certificate_arn(&live.id);
                aws.send(ACM, "RemoveTagsFromCertificate", request.set_tags(Some(removed)).send()).await?;
            }
        }
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let Some(described) = if_there(describe(aws, &live.id).await)?.flatten() else { return Ok(()) };
        let written = all_tags(aws, &live.id).await?.remove(Self::RECORD_TAG);
        aws.send(ACM, "DeleteCertificate", aws.acm.delete_certificate().certificate_arn(&live.id).send()).await?;
        let (Some(zone), Some(record)) = (written, validation_record(&described)) else { return Ok(()) };
        let is_other = |summary: &CertificateSummary| {
            summary.domain_name() == described.domain_name() && summary.certificate_arn() != Some(&live.id)
        };
        if listed(aws).await?.iter().any(is_other) {
            return Ok(());
        }
        // AWS removes only what is exactly the same, so what is there is read.
        match if_there(at(aws, &zone, &record).await)?.flatten() {
            Some(there) => if_there(change(aws, &zone, ChangeAction::Delete, &[there]).await).map(drop),
            None => Ok(()),
        }
    }

    /// Writes the validation record as soon as AWS names it, and waits until the certificate is issued.
    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        let wanted: Self = decode(live)?;
        let start = Instant::now();
        let mut poll = PollLoop::new(BACKOFF).lasting(LIMIT);
        let mut written = None;
        let mut servers = None;
        loop {
            let described = describe(aws, &live.id).await.map_err(just_made)?;
            if let Some(described) = &described {
                match phase(described.status()) {
                    ObjectPhase::Ready => return Ok(Live { phase: ObjectPhase::Ready, ..live.clone() }),
                    ObjectPhase::Failed => return Err(refused(described)),
                    ObjectPhase::Pending | ObjectPhase::Deleting => {}
                }
                if written.is_none()
                    && let Some(record) = validation_record(described)
                {
                    wanted.write(aws, &live.id, &record).await?;
                    written = Some(record.name);
                }
            }
            let minutes = start.elapsed().as_secs() / 60;
            if minutes > 0 && servers.is_none() {
                // A zone that was created with the cluster is delegated by its owner meanwhile.
                servers = Some(delegation_set(aws, wanted.zone.known().unwrap_or_default()).await.unwrap_or_default());
            }
            let servers = servers.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
            note(match (&written, minutes) {
                (None, _) => "waiting for the validation record".to_owned(),
                (Some(_), 0) => "waiting for AWS to find the validation record in DNS".to_owned(),
                (Some(_), _) => {
                    format!("AWS does not find the validation record in DNS: are its name servers {servers}?")
                }
            });
            if !poll.again().await {
                return Err(late(&wanted, written.as_deref(), &servers));
            }
        }
    }
}

/// The record by which AWS validates a name: a `CNAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ValidationRecord {
    name: String,
    value: String,
}

impl ValidationRecord {
    /// Returns `true` if a record set is this record.
    fn is(&self, set: &ResourceRecordSet) -> bool {
        *set.r#type() == RrType::Cname
            && plain_name(set.name()) == self.name
            && matches!(set.resource_records(), [one] if plain_name(one.value()) == self.value)
    }
}

impl Certificate {
    /// Writes the validation record, unless it is there, and notes on the certificate that it was written.
    async fn write(&self, aws: &AwsProvider, arn: &str, record: &ValidationRecord) -> Result<(), Failure> {
        let zone = self.zone.known().unwrap_or_default();
        if at(aws, zone, record).await?.is_some() {
            return Ok(());
        }
        let value = ResourceRecord::builder().value(&record.value).build().map_err(|error| incomplete(&error))?;
        let set = ResourceRecordSet::builder().name(&record.name).r#type(RrType::Cname).ttl(TTL);
        let set = set.resource_records(value).build().map_err(|error| incomplete(&error))?;
        let tag = Tag::builder().key(Self::RECORD_TAG).value(zone).build().map_err(|error| incomplete(&error))?;
        // The note first: a record without it would stay for ever.
        let request = aws.acm.add_tags_to_certificate().certificate_arn(arn).tags(tag);
        aws.send(ACM, "AddTagsToCertificate", request.send()).await?;
        change(aws, zone, ChangeAction::Upsert, &[set]).await
    }
}

/// Returns a certificate as a live object, if it is one of the observed objects.
async fn see(cache: &ObserveCache<'_>, arn: &str, records: &PublicRecords) -> Result<Option<Live>, Failure> {
    let aws = cache.aws;
    let Some(mut tags) = if_there(all_tags(aws, arn).await)? else { return Ok(None) };
    let Some(address) = cache.whose.address(&tags, arn, Certificate::KIND.name) else { return Ok(None) };
    let Some(described) = if_there(describe(aws, arn).await)?.flatten() else { return Ok(None) };
    tags.remove(Certificate::RECORD_TAG);
    let record = validation_record(&described);
    let holds =
        |sets: &[ResourceRecordSet]| record.as_ref().is_some_and(|record| sets.iter().any(|set| record.is(set)));
    let zone = records.0.iter().find(|(_, sets)| holds(sets)).map(|(zone, _)| zone.id.as_str());
    let observed = Certificate {
        domain: described.domain_name().unwrap_or_default().to_owned(),
        zone: zone.unwrap_or_default().into(),
        tags,
    };
    let live = live(address.name(), arn, &observed, &[("arn", arn)])?;
    Ok(Some(Live { phase: phase(described.status()), ..live }))
}

async fn listed(aws: &AwsProvider) -> Result<Vec<CertificateSummary>, Failure> {
    let pages = || aws.acm.list_certificates().into_paginator().items().send().try_collect();
    aws.read(ACM, "ListCertificates", pages).await
}

async fn describe(aws: &AwsProvider, arn: &str) -> Result<Option<CertificateDetail>, Failure> {
    let request = || aws.acm.describe_certificate().certificate_arn(arn).send();
    Ok(aws.read(ACM, "DescribeCertificate", request).await?.certificate)
}

async fn all_tags(aws: &AwsProvider, arn: &str) -> Result<Tags, Failure> {
    let request = || aws.acm.list_tags_for_certificate().certificate_arn(arn).send();
    let answer = aws.read(ACM, "ListTagsForCertificate", request).await?;
    let pairs = answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned()));
    Ok(pairs.collect())
}

/// Returns the record set of a zone that is the validation record, if it is there.
async fn at(aws: &AwsProvider, zone: &str, record: &ValidationRecord) -> Result<Option<ResourceRecordSet>, Failure> {
    let request = || {
        let request = aws.route53.list_resource_record_sets().hosted_zone_id(zone);
        request.start_record_name(&record.name).start_record_type(RrType::Cname).max_items(1).send()
    };
    let page = aws.read(ROUTE53, "ListResourceRecordSets", request).await?;
    Ok(page.resource_record_sets.into_iter().find(|set| record.is(set)))
}

/// Returns the validation record, once AWS has named it.
fn validation_record(described: &CertificateDetail) -> Option<ValidationRecord> {
    let record = described.domain_validation_options().iter().find_map(|option| option.resource_record())?;
    Some(ValidationRecord { name: plain_name(record.name()), value: plain_name(record.value()) })
}

fn phase(status: Option<&CertificateStatus>) -> ObjectPhase {
    match status {
        Some(CertificateStatus::PendingValidation) | None => ObjectPhase::Pending,
        Some(CertificateStatus::Failed | CertificateStatus::ValidationTimedOut) => ObjectPhase::Failed,
        // One that has expired or was revoked is still in use: what follows is for people to decide.
        Some(_) => ObjectPhase::Ready,
    }
}

fn refused(described: &CertificateDetail) -> Failure {
    let domain = described.domain_name().unwrap_or_default();
    let reason = described.failure_reason().map_or("no reason given", aws_sdk_acm::types::FailureReason::as_str);
    let message = format!("AWS does not issue the certificate for {domain}: {reason}");
    Failure { class: FailureClass::Fatal, service: ACM.to_owned(), ..internal("DescribeCertificate", message) }
}

fn late(certificate: &Certificate, record: Option<&str>, servers: &str) -> Failure {
    let (domain, zone) = (&certificate.domain, certificate.zone.known().unwrap_or_default());
    let minutes = LIMIT.as_secs() / 60;
    let message = match record {
        Some(record) => format!(
            "the certificate for {domain} is not issued after {minutes} minutes: AWS does not find {record} in DNS. Check \
             that the domain's name servers are those of the hosted zone {zone} ({servers}); then apply again, AWS keeps \
             trying for 72 hours"
        ),
        None => format!("AWS has not named the validation record of {domain} in {minutes} minutes; apply again"),
    };
    Failure { class: FailureClass::Fatal, service: ACM.to_owned(), ..internal("DescribeCertificate", message) }
}

fn to_acm(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_acm::types::{DomainValidation, RecordType, ResourceRecord as AcmRecord};

    use super::*;

    fn described(status: CertificateStatus) -> CertificateDetail {
        let record = AcmRecord::builder().name("_a1.Chat.example.com.").r#type(RecordType::Cname);
        let record = record.value("_b2.acm-validations.aws.").build().unwrap();
        let option = DomainValidation::builder().domain_name("chat.example.com").resource_record(record).build();
        let detail = CertificateDetail::builder().domain_name("chat.example.com").status(status);
        detail.domain_validation_options(option.unwrap()).build()
    }

    fn cname(name: &str, values: &[&str]) -> ResourceRecordSet {
        let values = values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap()).collect();
        let set = ResourceRecordSet::builder().name(name).r#type(RrType::Cname).ttl(60);
        set.set_resource_records(Some(values)).build().unwrap()
    }

    #[test]
    fn a_validation_record_is_recognized_however_a_service_writes_it() {
        let record = validation_record(&described(CertificateStatus::PendingValidation)).unwrap();
        assert_eq!((record.name.as_str(), record.value.as_str()), ("_a1.chat.example.com", "_b2.acm-validations.aws"));
        assert!(record.is(&cname("_A1.chat.example.com.", &["_b2.acm-validations.aws."])));
        assert!(record.is(&cname("_a1.chat.example.com.", &["_b2.acm-validations.aws"])));
        assert!(!record.is(&cname("_a1.chat.example.com.", &["_b3.acm-validations.aws."])));
        assert!(!record.is(&cname("_a1.example.com.", &["_b2.acm-validations.aws."])));
        assert_eq!(validation_record(&CertificateDetail::builder().build()), None);
    }

    #[test]
    fn a_certificate_is_waited_for_until_it_is_issued_or_refused() {
        assert_eq!(phase(None), ObjectPhase::Pending);
        assert_eq!(phase(Some(&CertificateStatus::PendingValidation)), ObjectPhase::Pending);
        assert_eq!(phase(Some(&CertificateStatus::Issued)), ObjectPhase::Ready);
        assert_eq!(phase(Some(&CertificateStatus::Failed)), ObjectPhase::Failed);
        assert_eq!(phase(Some(&CertificateStatus::ValidationTimedOut)), ObjectPhase::Failed);
    }

    #[test]
    fn a_refusal_and_a_long_wait_say_what_to_do() {
        let refusal = refused(&described(CertificateStatus::Failed)).to_string();
        assert!(refusal.contains("chat.example.com: no reason given"), "{refusal}");
        let certificate = Certificate { domain: "chat.example.com".to_owned(), zone: "Z1".into(), tags: [].into() };
        let message = late(&certificate, Some("_a1.chat.example.com"), "ns-1, ns-2").to_string();
        assert!(
            message.contains("_a1.chat.example.com") && message.contains("the hosted zone Z1 (ns-1, ns-2)"),
            "{message}"
        );
    }
}
