//! Versions in a plan: the releases that an upgrade can choose, the check before it, and the end of a version's support.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::blueprint::{Pins, Upgrade};
use crate::cli::ClusterContext;
use crate::cli::error::CliError;
use crate::engine::FailureClass;
use crate::health::examine_upgrade;
use crate::resource::Facts;
use crate::spec::KubernetesVersion;
use crate::view::plan::UpgradeCheck;

/// Number of days before the end of a version's support from which a plan warns of it.
const NOTICE_DAYS: i64 = 60;

/// Adds the releases that the package repository has of the versions that the plan may choose. Asks only if the plan can
/// choose another release than the recorded one. Returns a warning if there is no answer.
pub(super) async fn find_releases(
    context: &ClusterContext<'_>,
    pins: &Pins,
    upgrade: &Upgrade,
    facts: &mut Facts,
) -> Result<Option<String>, CliError> {
    let Some(repository) = &context.packages else { return Ok(None) };
    let mut versions: BTreeSet<KubernetesVersion> = upgrade.kubernetes.into_iter().collect();
    if upgrade.patch {
        versions.extend(pins.release.map(|release| release.version));
    }
    if versions.is_empty() {
        return Ok(None);
    }
    let mut warning = None;
    for version in versions {
        match context.interrupt.or(repository.releases(version)).await? {
            Ok(releases) => facts.releases.extend(releases),
            Err(failure) => {
                warning = Some(format!(
                    "the package repository did not answer ({}): the newest release that this version of Quorate knows is used",
                    failure.message
                ));
            }
        }
    }
    Ok(warning)
}

/// Checks the cluster before an upgrade of the minor version. `None` if the plan has no such upgrade.
pub(super) async fn check_upgrade(
    context: &ClusterContext<'_>,
    pins: &Pins,
    is_reachable: bool,
) -> Result<Option<UpgradeCheck>, CliError> {
    let Some(pinned) = pins.kubernetes.filter(|pinned| pinned.wanted > pinned.reached) else { return Ok(None) };
    let (from, to) = (pinned.reached.to_string(), pinned.wanted.to_string());
    let unchecked = |why: &str| UpgradeCheck {
        from: from.clone(),
        to: to.clone(),
        not_checked: Some(why.to_owned()),
        findings: Vec::new(),
    };
    let Some(kubernetes) = context.kubernetes() else {
        return Ok(Some(unchecked("the machines are simulated")));
    };
    if !is_reachable {
        return Ok(Some(unchecked("the Kubernetes API does not answer")));
    }
    let version = (pinned.wanted.major, pinned.wanted.minor);
    let evidence = match context.interrupt.or(kubernetes.upgrade_evidence(version)).await? {
        Ok(Some(evidence)) => evidence,
        Ok(None) => return Ok(Some(unchecked("the cluster has no Kubernetes API yet"))),
        Err(failure) if failure.class == FailureClass::Denied => {
            return Ok(Some(unchecked(&format!("the Kubernetes API refused it: {}", failure.message))));
        }
        Err(failure) => return Ok(Some(unchecked(&failure.message))),
    };
    let findings = examine_upgrade(&evidence, version);
    Ok(Some(UpgradeCheck { from, to, not_checked: None, findings }))
}

/// Returns a warning if the support of the cluster's version has ended, or ends soon.
///
/// `is_given` tells if the file names the version.
pub(super) fn end_of_life(version: KubernetesVersion, is_given: bool, today: Date) -> Option<String> {
    let end = version.end_of_life()?;
    let notice = end.checked_sub(NOTICE_DAYS.days()).ok()?;
    if today < notice {
        return None;
    }
    let has = if today > end { "ended" } else { "ends" };
    let next = version.next();
    let advice = if KubernetesVersion::SUPPORTED.contains(&next) {
        let way = if is_given {
            format!("write `kubernetes = \"{next}\"` in the file, and run `quorate apply`")
        } else {
            format!("`quorate upgrade --kubernetes {next}`, or `kubernetes = \"{next}\"` in the file")
        };
        format!("upgrade to {next}: {way}")
    } else {
        "use a newer release of Quorate".to_owned()
    };
    Some(format!("the support of Kubernetes {version} {has} on {end}: {advice}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_end_of_a_version_is_announced_two_months_before() {
        let version = KubernetesVersion::parse("1.36").unwrap();
        assert_eq!(end_of_life(version, false, date(2027, 4, 28)), None);
        insta::assert_snapshot!(end_of_life(version, false, date(2027, 4, 29)).unwrap(), @r#"the support of Kubernetes 1.36 ends on 2027-06-28: upgrade to 1.37: `quorate upgrade --kubernetes 1.37`, or `kubernetes = "1.37"` in the file"#);
        let given = end_of_life(version, true, date(2027, 4, 29)).unwrap();
        assert!(given.ends_with("write `kubernetes = \"1.37\"` in the file, and run `quorate apply`"), "{given}");
        assert!(end_of_life(version, false, date(2027, 6, 29)).unwrap().contains("ended on 2027-06-28"));
        let newest = *KubernetesVersion::SUPPORTED.last().unwrap();
        assert!(end_of_life(newest, false, date(2030, 1, 1)).unwrap().ends_with("use a newer release of Quorate"));
    }
}
