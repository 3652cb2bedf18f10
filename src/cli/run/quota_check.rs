//! The check of the account's quotas before a plan is executed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::analysis::quotas::touched_quotas;
use crate::blueprint;
use crate::cli::error::CliError;
use crate::cloud::QuotaService;
use crate::engine::{Failure, FailureClass, Plan};
use crate::resource::{AccountQuota, Facts, QuotaNeed};
use crate::words;

use super::ClusterContext;

/// Maximum time to wait for the quotas.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the quotas of the account mean for a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct QuotaCheck {
    /// The quotas that have no room for the plan: AWS would refuse a part of it.
    pub(in crate::cli) short: Vec<String>,
    /// The codes of these quotas in Service Quotas.
    codes: Vec<&'static str>,
    /// What else is to be known: quotas that have no room for as many nodes as a group may have, or that were not checked.
    warnings: Vec<String>,
}

/// The part of a quota that is used and needed.
struct QuotaBalance {
    quota: AccountQuota,
    limit: u64,
    used_by_others: u64,
    need: QuotaNeed,
}

/// Checks the quotas that a plan uses more of. A plan that needs no more of any makes no call.
pub(in crate::cli) async fn check(
    context: &ClusterContext<'_>,
    plan: &Plan,
    facts: &Facts,
) -> Result<QuotaCheck, CliError> {
    let mut touched = touched_quotas(plan);
    // A VPC has at most one internet gateway, and its quota grows with that of VPCs: one call less.
    if touched.contains(&AccountQuota::Vpcs) {
        touched.remove(&AccountQuota::InternetGateways);
    }
    let Some(service) = context.cloud.quotas().filter(|_| !touched.is_empty()) else {
        return Ok(QuotaCheck::default());
    };
    let needs = blueprint::quota_needs(&context.cluster, &facts.sizes);
    let asked = tokio::time::timeout(PATIENCE, balances(service, &touched, &needs));
    Ok(match context.interrupt.or(asked).await?.ok() {
        Some(Ok(balances)) => QuotaCheck::of(&balances, &facts.region),
        failed => {
            QuotaCheck { warnings: vec![unchecked(failed.and_then(Result::err).as_ref())], ..QuotaCheck::default() }
        }
    })
}

/// Returns the quotas with their use. A quota that every account has at least is asked for only where that is not enough.
async fn balances(
    service: &dyn QuotaService,
    touched: &BTreeSet<AccountQuota>,
    needs: &BTreeMap<AccountQuota, QuotaNeed>,
) -> Result<Vec<QuotaBalance>, Failure> {
    let (at_once, later): (BTreeSet<_>, BTreeSet<_>) = touched.iter().partition(|quota| quota.usual().is_none());
    let (used, mut limits) = tokio::try_join!(service.used_by_others(touched), service.limits(&at_once))?;
    let used_of = |quota: &AccountQuota| used.get(quota).copied().unwrap_or_default();
    let is_enough = |quota: &AccountQuota| {
        let need = needs.get(quota).map_or(0, |need| need.at_most);
        quota.usual().is_some_and(|usual| used_of(quota) + need <= usual)
    };
    let in_doubt: BTreeSet<AccountQuota> = later.into_iter().filter(|quota| !is_enough(quota)).collect();
    if !in_doubt.is_empty() {
        limits.extend(service.limits(&in_doubt).await?);
    }
    let balances = limits.into_iter().filter_map(|(quota, limit)| {
        Some(QuotaBalance { quota, limit, used_by_others: used_of(&quota), need: *needs.get(&quota)? })
    });
    Ok(balances.collect())
}

fn unchecked(failure: Option<&Failure>) -> String {
    let why = match failure {
        Some(failure) if failure.class == FailureClass::Denied => {
            let action = format!("{}:{}", failure.service, failure.action);
            format!("the permission {action} is missing")
        }
        Some(failure) => failure.message.clone(),
        None => format!("AWS did not answer within {} seconds", PATIENCE.as_secs()),
    };
    format!("the quotas of the account were not checked: {why}")
}

impl QuotaCheck {
    fn of(balances: &[QuotaBalance], region: &str) -> Self {
        let mut check = Self::default();
        for QuotaBalance { quota, limit, used_by_others, need } in balances {
            let needs = |number: u64| {
                let number = words::count(usize::try_from(number).unwrap_or(usize::MAX), quota.noun());
                words::quota_shortage(&number, quota.holder(), *used_by_others, *limit, region)
            };
            if used_by_others + need.now > *limit {
                check.short.push(needs(need.now));
                check.codes.push(quota.code().1);
            } else if used_by_others + need.at_most > *limit {
                let why = "with as many nodes as its groups may have during a roll";
                check.warnings.push(format!("{why}, {}", needs(need.at_most)));
            }
        }
        check
    }

    /// Returns an error if a quota has no room for the plan.
    pub(in crate::cli) fn refuse(&self) -> Result<(), CliError> {
        if self.short.is_empty() {
            return Ok(());
        }
        Err(CliError::refused(
            format!("{}: nothing was changed", self.short.join("; ")),
            format!(
                "ask for a higher quota in Service Quotas ({}), make the cluster smaller, or pass --ignore-quotas",
                self.codes.join(", ")
            ),
        ))
    }

    /// Returns the warnings; those about quotas without room only if the caller does not refuse the plan for them.
    pub(in crate::cli) fn warnings(&self, is_refused: bool) -> Vec<String> {
        let short = self.short.iter().filter(|_| !is_refused);
        let short = short.map(|short| format!("{short}: an apply is refused without --ignore-quotas"));
        short.chain(self.warnings.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(used_by_others: u64, now: u64, at_most: u64) -> QuotaBalance {
        let need = QuotaNeed { now, at_most };
        QuotaBalance { quota: AccountQuota::StandardVcpus, limit: 32, used_by_others, need }
    }

    #[test]
    fn what_is_needed_at_once_is_refused_and_what_may_be_needed_is_a_warning() {
        let check = |balance| QuotaCheck::of(&[balance], "us-east-1");
        assert_eq!(check(balance(20, 10, 12)), QuotaCheck::default());
        let warned = check(balance(20, 10, 13));
        assert!(warned.refuse().is_ok() && warned.warnings[0].contains("the cluster needs 13 vCPUs"), "{warned:?}");
        let short = check(balance(23, 10, 13));
        assert_eq!(
            short.short,
            ["the cluster needs 10 vCPUs, and others use 23 of the 32 that the account may have in us-east-1"]
        );
        assert!(short.refuse().is_err() && short.warnings.is_empty());
    }

    #[test]
    fn a_quota_of_each_object_is_compared_with_the_one_that_needs_most() {
        let need = QuotaNeed { now: 70, at_most: 70 };
        let balance = QuotaBalance { quota: AccountQuota::SecurityGroupRules, limit: 60, used_by_others: 0, need };
        assert_eq!(
            QuotaCheck::of(&[balance], "us-east-1").short,
            [
                "a security group of the cluster needs 70 inbound rules, and the account may have 60 in each in us-east-1"
            ]
        );
    }

    #[test]
    fn quotas_that_were_not_checked_are_one_warning() {
        let denied = Failure {
            service: "servicequotas".to_owned(),
            ..Failure::own(FailureClass::Denied, "GetServiceQuota", "no")
        };
        let expected =
            "the quotas of the account were not checked: the permission servicequotas:GetServiceQuota is missing";
        assert_eq!(unchecked(Some(&denied)), expected);
        assert!(unchecked(None).ends_with("AWS did not answer within 10 seconds"));
    }
}
