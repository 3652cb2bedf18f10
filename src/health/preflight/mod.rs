//! The checks before the first apply: the evidence about the account, the region, the names and the state, and the checks
//! that judge it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::words::{count, list, quota_shortage};

/// The largest clock difference that is accepted. AWS refuses requests beyond five minutes.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(4);
/// The clock difference above which a warning is given.
const NOTABLE_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The subject of a check, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreflightArea {
    /// AWS accepts the credentials.
    Credentials,
    /// The credentials belong to the account of the file.
    Account,
    /// The clock of this machine agrees with that of AWS.
    Clock,
    /// The zones exist and can be used.
    Zones,
    /// The zones offer the instance sizes.
    Sizes,
    /// Machine images exist.
    Images,
    /// The quotas of the account have room for the cluster.
    Quotas,
    /// The public hosted zone exists.
    HostedZone,
    /// The domain is delegated to the hosted zone.
    Delegation,
    /// The bucket exists and can be used, or can be created.
    Bucket,
    /// No other run works on the cluster.
    Lease,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PreflightStatus {
    /// Nothing to do.
    Ok,
    /// An apply works, perhaps not as intended.
    Warning,
    /// An apply would fail.
    Failed,
    /// The check could not be made, or does not apply.
    Skipped,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightCheck {
    /// The subject.
    pub area: PreflightArea,
    /// The result.
    pub status: PreflightStatus,
    /// The finding.
    pub finding: String,
    /// The advice for a problem.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub advice: Option<String>,
}

/// A question that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// The reason.
    pub why: String,
    /// The advice.
    pub advice: Option<String>,
}

/// The answer to a question about the cloud.
pub type Answer<T> = Result<T, NoAnswer>;

/// The identity of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account.
    pub account: String,
    /// The ARN.
    pub arn: String,
}

/// The region's answers about the settings of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegionFindings {
    /// The reasons why the cluster cannot be built, by the check that they belong to.
    pub problems: BTreeMap<PreflightArea, Vec<String>>,
    /// The public hosted zone of the cluster's names.
    pub hosted_zone: HostedZoneFinding,
}

/// The public hosted zone of the cluster's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HostedZoneFinding {
    /// The file wants no public names.
    Unwanted,
    /// The zone is created with the cluster.
    Created(String),
    /// The account has no zone that the cluster's name ends in.
    #[default]
    Missing,
    /// The zone exists.
    Found(String),
}

/// A quota of the account, and what the cluster needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaFinding {
    /// The noun for what it limits: `vCPU`.
    pub noun: &'static str,
    /// The object that has the quota; `None` if the objects of the region share it.
    pub holder: Option<&'static str>,
    /// Its code in Service Quotas.
    pub code: &'static str,
    /// Its value; `None` if it is not known.
    pub limit: Option<u64>,
    /// The part that others use.
    pub used_by_others: u64,
    /// The part that the cluster needs.
    pub needed: u64,
}

/// The bucket of the cluster's machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketFinding {
    /// It does not exist.
    Absent,
    /// It belongs to the account.
    Own,
    /// It belongs to another account, which shares it.
    Shared,
}

/// The run that holds the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseFinding {
    /// The run.
    pub holder: String,
    /// `true` if the lease has expired.
    pub is_expired: bool,
}

/// The delegation of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationFinding {
    /// The name servers of the hosted zone.
    pub own: BTreeSet<String>,
    /// The name servers that the DNS names; none if the domain does not exist there.
    pub dns: Answer<BTreeSet<String>>,
}

/// The evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightEvidence {
    /// `true` if the cloud is simulated.
    pub simulated: bool,
    /// The caller.
    pub caller: Answer<CallerIdentity>,
    /// The account of the file.
    pub wanted_account: Option<String>,
    /// The local time minus that of AWS; `None` if the cloud has no clock of its own.
    pub skew: Answer<Option<SignedDuration>>,
    /// The region.
    pub region: String,
    /// The zones of the file.
    pub zones: Vec<String>,
    /// The instance sizes of the file.
    pub sizes: Vec<String>,
    /// The region's answers.
    pub findings: Answer<RegionFindings>,
    /// The quotas; `None` if a simulated cloud has none.
    pub quotas: Answer<Option<Vec<QuotaFinding>>>,
    /// The delegation of the hosted zone; `None` if there is no zone to look at.
    pub delegation: Option<Answer<DelegationFinding>>,
    /// The name of the bucket.
    pub bucket_name: String,
    /// The bucket.
    pub bucket: Answer<BucketFinding>,
    /// The lease.
    pub lease: Answer<Option<LeaseFinding>>,
}

impl PreflightCheck {
    fn new(area: PreflightArea, status: PreflightStatus, finding: impl Into<String>) -> Self {
        Self { area, status, finding: finding.into(), advice: None }
    }

    fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    fn failed(area: PreflightArea, reason: &NoAnswer) -> Self {
        Self { advice: reason.advice.clone(), ..Self::new(area, PreflightStatus::Failed, reason.why.as_str()) }
    }
}

/// Judges the evidence. Returns checks in the order of areas.
pub fn preflight(evidence: &PreflightEvidence) -> Vec<PreflightCheck> {
    let mut checks = identity(evidence);
    checks.push(clock(evidence));
    if evidence.caller.is_err() {
        // The same error again would hide the first one.
        let rest = [
            PreflightArea::Zones,
            PreflightArea::Sizes,
            PreflightArea::Images,
            PreflightArea::Quotas,
            PreflightArea::HostedZone,
            PreflightArea::Delegation,
            PreflightArea::Bucket,
        ];
        let skipped = |area| PreflightCheck::new(area, PreflightStatus::Skipped, "needs credentials that AWS accepts");
        checks.extend(rest.map(skipped));
    } else {
        let mut of_region = region(evidence);
        // After the images: hosted zones belong to no region.
        let place = of_region.iter().position(|check| check.area > PreflightArea::Quotas).unwrap_or(of_region.len());
        of_region.splice(place..place, quotas(evidence));
        checks.extend(of_region);
        checks.push(delegation(evidence));
        checks.push(bucket(evidence));
    }
    checks.push(lease(evidence));
    checks
}

fn identity(evidence: &PreflightEvidence) -> Vec<PreflightCheck> {
    let (credentials, account) = (PreflightArea::Credentials, PreflightArea::Account);
    let caller = match &evidence.caller {
        Ok(caller) => caller,
        Err(reason) => {
            let skipped = PreflightCheck::new(account, PreflightStatus::Skipped, "needs credentials that AWS accepts");
            return vec![PreflightCheck::failed(credentials, reason), skipped];
        }
    };
    let accepted = PreflightCheck::new(credentials, PreflightStatus::Ok, caller.arn.as_str());
    let account = match &evidence.wanted_account {
        None => {
            let finding = format!("{}; the file names no account", caller.account);
            PreflightCheck::new(account, PreflightStatus::Ok, finding)
        }
        Some(wanted) if *wanted == caller.account => {
            PreflightCheck::new(account, PreflightStatus::Ok, format!("{wanted}, as in the file"))
        }
        Some(wanted) => {
            let finding = format!("the file is for {wanted}, and the credentials are of {}", caller.account);
            PreflightCheck::new(account, PreflightStatus::Failed, finding)
                .advise("use credentials of that account (AWS_PROFILE), or change `account` in the file")
        }
    };
    vec![accepted, account]
}

fn clock(evidence: &PreflightEvidence) -> PreflightCheck {
    let area = PreflightArea::Clock;
    let skew = match &evidence.skew {
        Ok(Some(skew)) => *skew,
        Ok(None) => return PreflightCheck::new(area, PreflightStatus::Skipped, "the cloud is simulated"),
        Err(reason) => {
            let finding = format!("the time at AWS is not known: {}", reason.why);
            return PreflightCheck::new(area, PreflightStatus::Skipped, finding);
        }
    };
    let relation = if skew.is_negative() { "behind" } else { "ahead of" };
    let size = skew.abs();
    let text = match size.as_secs() {
        0..=1 => "agrees with the clock of AWS".to_owned(),
        seconds => format!("{} {relation} that of AWS", span(seconds)),
    };
    let status = match size {
        size if size > MAX_SKEW => PreflightStatus::Failed,
        size if size > NOTABLE_SKEW => PreflightStatus::Warning,
        _ => return PreflightCheck::new(area, PreflightStatus::Ok, text),
    };
    PreflightCheck::new(area, status, text)
        .advise("set the clock of this machine: AWS refuses requests if it is five minutes off")
}

fn span(seconds: i64) -> String {
    let units = |number: i64, unit| count(usize::try_from(number).unwrap_or(usize::MAX), unit);
    if seconds < 120 { units(seconds, "second") } else { units(seconds / 60, "minute") }
}

fn region(evidence: &PreflightEvidence) -> Vec<PreflightCheck> {
    let areas = [PreflightArea::Zones, PreflightArea::Sizes, PreflightArea::Images, PreflightArea::HostedZone];
    let findings = match &evidence.findings {
        Ok(findings) => findings,
        Err(reason) => {
            let failed = PreflightCheck::failed(PreflightArea::Zones, reason);
            let skipped = areas[1..].iter().map(|area| {
                PreflightCheck::new(*area, PreflightStatus::Skipped, "the facts about the region could not be read")
            });
            return std::iter::once(failed).chain(skipped).collect();
        }
    };
    let mut checks = Vec::new();
    for area in areas {
        let problems = findings.problems.get(&area).map(Vec::as_slice).unwrap_or_default();
        checks.extend(
            problems.iter().map(|problem| PreflightCheck::new(area, PreflightStatus::Failed, problem.as_str())),
        );
        if problems.is_empty() {
            checks.push(present(area, evidence, findings));
        }
    }
    checks
}

/// Returns the check of an area without problems.
fn present(area: PreflightArea, evidence: &PreflightEvidence, findings: &RegionFindings) -> PreflightCheck {
    let ok = |text: String| PreflightCheck::new(area, PreflightStatus::Ok, text);
    match (area, &findings.hosted_zone) {
        (PreflightArea::Zones, _) => ok(format!("{} of {} can be used", list(&evidence.zones), evidence.region)),
        (PreflightArea::Sizes, _) => ok(format!("{} in all of their zones", list(&evidence.sizes))),
        (PreflightArea::Images, _) => ok("there is an image for all machines".to_owned()),
        (_, HostedZoneFinding::Found(name)) => ok(format!("{name} exists")),
        (_, HostedZoneFinding::Created(name)) => ok(format!("{name} is created with the cluster")),
        (_, HostedZoneFinding::Unwanted) => {
            PreflightCheck::new(area, PreflightStatus::Skipped, "the file wants no public names")
        }
        (_, HostedZoneFinding::Missing) => {
            let finding =
                "the account has no public hosted zone that the cluster's name ends in: the API has no public name";
            PreflightCheck::new(area, PreflightStatus::Warning, finding).advise(
                "create a hosted zone for your domain in Route 53 (or `dns { zone = …, create = true }`), or write \
                 `dns { public = false }`",
            )
        }
    }
}

/// Returns the check of the quotas: one for each that has no room, or one for all.
fn quotas(evidence: &PreflightEvidence) -> Vec<PreflightCheck> {
    let area = PreflightArea::Quotas;
    let skipped = |finding: String| vec![PreflightCheck::new(area, PreflightStatus::Skipped, finding)];
    let quotas = match &evidence.quotas {
        Ok(Some(quotas)) => quotas,
        Ok(None) => return skipped("the cloud is simulated: it has no quotas".to_owned()),
        Err(reason) => return skipped(format!("the quotas could not be read: {}", reason.why)),
    };
    let full = quotas.iter().filter_map(|quota| {
        let limit = quota.limit.filter(|limit| quota.used_by_others + quota.needed > *limit)?;
        let needed = number(quota.needed, quota.noun);
        let finding = quota_shortage(&needed, quota.holder, quota.used_by_others, limit, &evidence.region);
        let advice = format!("ask for a higher quota in Service Quotas ({}), or make the cluster smaller", quota.code);
        Some(PreflightCheck::new(area, PreflightStatus::Failed, finding).advise(advice))
    });
    let full: Vec<PreflightCheck> = full.collect();
    if !full.is_empty() {
        return full;
    }
    let known: Vec<String> = quotas
        .iter()
        .filter_map(|quota| Some(format!("{} of {}", number(quota.needed, quota.noun), quota.limit?)))
        .collect();
    if known.is_empty() {
        return skipped("Service Quotas has no values for this account".to_owned());
    }
    vec![PreflightCheck::new(
        area,
        PreflightStatus::Ok,
        format!("the cluster needs {}, and they are free", list(&known)),
    )]
}

fn number(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

fn delegation(evidence: &PreflightEvidence) -> PreflightCheck {
    let area = PreflightArea::Delegation;
    let skipped = |text: String| PreflightCheck::new(area, PreflightStatus::Skipped, text);
    if evidence.simulated {
        return skipped("the cloud is simulated: its names do not resolve".to_owned());
    }
    let zone = match evidence.findings.as_ref().map(|findings| &findings.hosted_zone) {
        Ok(HostedZoneFinding::Found(zone)) => zone,
        Ok(HostedZoneFinding::Created(zone)) => {
            return skipped(format!(
                "{zone} is created with the cluster; then delegate it where the domain is registered"
            ));
        }
        _ => return skipped("there is no hosted zone".to_owned()),
    };
    let found = match &evidence.delegation {
        Some(Ok(found)) => found,
        Some(Err(reason)) => return skipped(format!("the name servers of {zone} could not be read: {}", reason.why)),
        None => return skipped("there is no hosted zone".to_owned()),
    };
    let own: Vec<String> = found.own.iter().cloned().collect();
    let advice =
        format!("set the name servers of {zone} where the domain is registered, or in its parent zone: {}", list(&own));
    match &found.dns {
        Err(reason) => skipped(format!("the DNS did not answer: {}", reason.why)),
        Ok(dns) if dns.is_empty() => {
            let finding = format!("{zone} is not delegated: the DNS has no name servers for it");
            PreflightCheck::new(area, PreflightStatus::Failed, finding).advise(advice)
        }
        Ok(dns) if *dns == found.own => {
            let finding = format!("{zone} is delegated to the hosted zone");
            PreflightCheck::new(area, PreflightStatus::Ok, finding)
        }
        Ok(dns) => {
            let dns: Vec<String> = dns.iter().cloned().collect();
            let finding = format!("{zone} is delegated to other name servers: {}", list(&dns));
            PreflightCheck::new(area, PreflightStatus::Failed, finding).advise(advice)
        }
    }
}

fn bucket(evidence: &PreflightEvidence) -> PreflightCheck {
    let (area, name) = (PreflightArea::Bucket, &evidence.bucket_name);
    match &evidence.bucket {
        Ok(BucketFinding::Absent) => {
            let finding = format!("{name} does not exist: `quorate apply` creates it");
            PreflightCheck::new(area, PreflightStatus::Ok, finding)
        }
        Ok(BucketFinding::Own) => {
            PreflightCheck::new(area, PreflightStatus::Ok, format!("{name} belongs to the account"))
        }
        Ok(BucketFinding::Shared) => {
            let finding = format!("{name} belongs to another account, which shares it");
            PreflightCheck::new(area, PreflightStatus::Warning, finding)
                .advise("everyone who can read it there can read the cluster's keys; name another bucket with `state`")
        }
        Err(reason) => PreflightCheck::failed(area, reason),
    }
}

fn lease(evidence: &PreflightEvidence) -> PreflightCheck {
    let area = PreflightArea::Lease;
    match &evidence.lease {
        Ok(None) => PreflightCheck::new(area, PreflightStatus::Ok, "no other run works on the cluster"),
        Ok(Some(LeaseFinding { holder, is_expired: true })) => {
            let finding = format!("{holder} did not finish; the next run takes over");
            PreflightCheck::new(area, PreflightStatus::Warning, finding)
        }
        Ok(Some(LeaseFinding { holder, .. })) => {
            PreflightCheck::new(area, PreflightStatus::Warning, format!("{holder} works on the cluster"))
                .advise("wait for it; `quorate unlock` removes the lease of a run that hangs")
        }
        // Without a bucket to read from, the reason stands at the bucket.
        Err(_) if evidence.caller.is_err() || evidence.bucket.is_err() => {
            PreflightCheck::new(area, PreflightStatus::Skipped, "the state could not be read")
        }
        Err(reason) => PreflightCheck::failed(area, reason),
    }
}
