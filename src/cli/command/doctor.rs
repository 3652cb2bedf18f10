//! `quorate doctor`: the checks before the first apply.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;

use crate::blueprint::{self, BlueprintProblem, Pins};
use crate::cli::connect::{BucketLocation, open_cluster};
use crate::cli::file::ShownDiagnostics;
use crate::cli::name_servers::name_servers;
use crate::cli::run::snapshot::question;
use crate::cli::run::wait::patiently;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::cloud::BucketOwner;
use crate::engine::{Failure, FailureClass};
use crate::health::{
    Answer, BucketFinding, CallerIdentity, DelegationFinding, HostedZoneFinding, LeaseFinding, NoAnswer, PreflightArea,
    PreflightEvidence, QuotaFinding, RegionFindings, preflight,
};
use crate::resource::{AccountQuota, Facts, QuotaNeed};
use crate::spec::{Cluster, PublicZone, Zone};
use crate::state::{Lease, StateError};
use crate::view;
use crate::view::preflight::PreflightDocument;

/// Check what the first apply needs: credentials, clock, zones, sizes, names, bucket
///
/// Prints one line for each check, and what to do about each problem. Changes nothing. Exits with code 2 if a check failed.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {}

impl DoctorArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let Self {} = self;
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::Destroying).await?;
        doctor(&context).await
    }
}

/// Checks what the first apply needs.
///
/// # Errors
/// Returns an error if the account is needed for the name of the bucket and cannot be read.
pub async fn doctor(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    let evidence = context.interrupt.or(gather(context)).await?;
    let region = context.cluster.region.clone();
    let document = PreflightDocument::new(context.name().to_owned(), region, context.sandbox, preflight(&evidence));
    context.show_sandbox_notice();
    context.ui.document(&document, |style| view::preflight::text(&document, style))?;
    Ok(if document.passed { Exit::Done } else { Exit::Differs })
}

/// Collects all evidence at the same time; only the name servers of a zone need its id first.
async fn gather(context: &ClusterContext<'_>) -> PreflightEvidence {
    let cluster = &context.cluster;
    let (caller, skew, (findings, needs, delegation), usage, bucket, lease) =
        tokio::join!(caller(context), skew(context), region(context), usage(context), bucket(context), lease(context));
    let bucket_name = match (BucketLocation::given(cluster), &caller) {
        (Some(place), _) => place.bucket,
        (None, Ok(caller)) => blueprint::bucket(cluster, &caller.account),
        (None, Err(_)) => String::new(),
    };
    PreflightEvidence {
        simulated: context.sandbox,
        caller,
        wanted_account: cluster.account.clone(),
        skew,
        region: cluster.region.clone(),
        zones: cluster.zones.iter().map(Zone::to_string).collect(),
        sizes: question(cluster).sizes,
        findings,
        quotas: usage.map(|usage| usage.map(|usage| quota_findings(&usage, &needs))),
        delegation,
        bucket_name,
        bucket,
        lease,
    }
}

fn no_answer(failure: &Failure) -> NoAnswer {
    let call = format!("{} {}", failure.service, failure.action);
    let code = failure.code.iter().map(|code| format!(", {code}"));
    let why = if failure.message.is_empty() { "no reason was given" } else { failure.message.as_str() };
    NoAnswer { why: format!("{why} ({call}{})", code.collect::<String>()), advice: view::failure::hint_of(failure) }
}

async fn caller(context: &ClusterContext<'_>) -> Answer<CallerIdentity> {
    let arn = patiently(context, || context.cloud.caller()).await;
    let arn = arn.map_err(|failure| no_answer(&failure))?;
    let account = patiently(context, || context.cloud.account()).await;
    Ok(CallerIdentity { account: account.map_err(|failure| no_answer(&failure))?, arn })
}

/// Returns the local time minus that of the cloud.
async fn skew(context: &ClusterContext<'_>) -> Answer<Option<jiff::SignedDuration>> {
    let time = patiently(context, || context.cloud.server_time()).await.map_err(|failure| no_answer(&failure))?;
    Ok(time.map(|time| Timestamp::now().duration_since(time)))
}

/// Returns what the region has, the part of the account's quotas that the cluster needs, and the delegation of the hosted zone.
async fn region(
    context: &ClusterContext<'_>,
) -> (Answer<RegionFindings>, BTreeMap<AccountQuota, QuotaNeed>, Option<Answer<DelegationFinding>>) {
    let cluster = &context.cluster;
    let question = question(cluster);
    let facts = match patiently(context, || context.cloud.facts(&question)).await {
        Ok(facts) => facts,
        Err(failure) => return (Err(no_answer(&failure)), BTreeMap::new(), None),
    };
    let problems = problems(cluster, &facts);
    let zone = hosted_zone(cluster, &facts);
    let id = match &zone {
        HostedZoneFinding::Found(name) => facts.public_zones.get(name).and_then(|ids| ids.first()),
        _ => None,
    };
    let delegation = match (&zone, id) {
        (HostedZoneFinding::Found(name), Some(id)) if !context.sandbox => Some(delegation(context, name, id).await),
        _ => None,
    };
    let needs = blueprint::quota_needs(cluster, &facts.sizes);
    (Ok(RegionFindings { problems, hosted_zone: zone }), needs, delegation)
}

/// The quotas of an account: their values, and what others use of them.
struct AccountQuotas {
    limits: BTreeMap<AccountQuota, u64>,
    used: BTreeMap<AccountQuota, u64>,
}

/// Returns the quotas of the account.
///
/// Those that a cluster does not always need a part of are asked for only if it does.
async fn usage(context: &ClusterContext<'_>) -> Answer<Option<AccountQuotas>> {
    let Some(service) = context.cloud.quotas() else { return Ok(None) };
    let all = blueprint::quota_needs(&context.cluster, &BTreeMap::new()).into_keys().collect();
    let (limits, used) =
        tokio::join!(patiently(context, || service.limits(&all)), patiently(context, || service.used_by_others(&all)));
    let read = |answer: Result<_, Failure>| answer.map_err(|failure| no_answer(&failure));
    Ok(Some(AccountQuotas { limits: read(limits)?, used: read(used)? }))
}

fn quota_findings(quotas: &AccountQuotas, needs: &BTreeMap<AccountQuota, QuotaNeed>) -> Vec<QuotaFinding> {
    let findings = needs.iter().map(|(quota, need)| QuotaFinding {
        noun: quota.noun(),
        holder: quota.holder(),
        code: quota.code().1,
        limit: quotas.limits.get(quota).copied(),
        used_by_others: quotas.used.get(quota).copied().unwrap_or_default(),
        needed: need.at_most,
    });
    findings.collect()
}

/// Returns the reasons why the cluster cannot be built, by the check that they belong to.
fn problems(cluster: &Cluster, facts: &Facts) -> BTreeMap<PreflightArea, Vec<String>> {
    let mut problems: BTreeMap<PreflightArea, Vec<String>> = BTreeMap::new();
    let found = blueprint::blueprint(cluster, facts, &Pins::default()).err();
    for problem in found.into_iter().flat_map(|error| error.problems) {
        problems.entry(area(&problem)).or_default().push(problem.to_string());
    }
    problems
}

fn area(problem: &BlueprintProblem) -> PreflightArea {
    match problem {
        BlueprintProblem::SizeUnavailable { .. } | BlueprintProblem::SizeNotInZone { .. } => PreflightArea::Sizes,
        BlueprintProblem::NoImage { .. }
        | BlueprintProblem::ImageUnavailable { .. }
        | BlueprintProblem::ImageArchitecture { .. }
        | BlueprintProblem::ImageTooLarge { .. } => PreflightArea::Images,
        BlueprintProblem::PublicZoneMissing { .. }
        | BlueprintProblem::PublicZoneAmbiguous { .. }
        | BlueprintProblem::PublicZoneOutside { .. }
        | BlueprintProblem::DomainWithoutZone { .. }
        | BlueprintProblem::DomainOutside { .. } => PreflightArea::HostedZone,
        // Zones, and what the file asks for in them.
        _ => PreflightArea::Zones,
    }
}

fn hosted_zone(cluster: &Cluster, facts: &Facts) -> HostedZoneFinding {
    let longest = || facts.public_zones.keys().max_by_key(|zone| zone.len());
    match &cluster.dns.zone {
        PublicZone::None => HostedZoneFinding::Unwanted,
        PublicZone::Create(zone) => HostedZoneFinding::Created(zone.clone()),
        PublicZone::Existing(zone) => HostedZoneFinding::Found(zone.clone()),
        PublicZone::Discover => {
            longest().map_or(HostedZoneFinding::Missing, |zone| HostedZoneFinding::Found(zone.clone()))
        }
    }
}

async fn delegation(context: &ClusterContext<'_>, zone: &str, id: &str) -> Answer<DelegationFinding> {
    let (own, dns) = tokio::join!(patiently(context, || context.cloud.name_servers(id)), name_servers(zone));
    let own = own.map_err(|failure| no_answer(&failure))?;
    let dns = dns.map_err(|why| NoAnswer { why, advice: None });
    Ok(DelegationFinding { own: own.into_iter().collect(), dns })
}

async fn bucket(context: &ClusterContext<'_>) -> Answer<BucketFinding> {
    match patiently(context, || context.cloud.bucket_owner()).await {
        Ok(None) => Ok(BucketFinding::Absent),
        Ok(Some(BucketOwner::Caller)) => Ok(BucketFinding::Own),
        Ok(Some(BucketOwner::Other)) => Ok(BucketFinding::Shared),
        Err(failure) if failure.class == FailureClass::Denied => Err(NoAnswer {
            why: "the bucket belongs to another account, or these credentials may not use it (s3 ListBucket)"
                .to_owned(),
            advice: Some("name another bucket with `state`, or add the permission s3:ListBucket".to_owned()),
        }),
        Err(failure) => Err(no_answer(&failure)),
    }
}

async fn lease(context: &ClusterContext<'_>) -> Answer<Option<LeaseFinding>> {
    match Lease::inspect(context.store.as_ref(), context.name()).await {
        Ok(lease) => Ok(lease.map(|lease| LeaseFinding {
            holder: format!("`{}` by {} on {}", lease.holder.operation, lease.holder.who, lease.holder.host),
            is_expired: lease.is_expired,
        })),
        Err(StateError::Store { source, .. }) if source.class == FailureClass::Gone => Ok(None),
        Err(StateError::Store { source, .. }) => Err(no_answer(&source)),
        Err(error) => Err(NoAnswer { why: error.to_string(), advice: None }),
    }
}
