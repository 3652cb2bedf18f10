//! The check before an upgrade of the minor version of Kubernetes.

use crate::view::TextStyle;
use crate::view::line::{StyledLine, TextRole, labelled};

use super::PlanDocument;

/// Returns what the check before an upgrade has found.
pub(super) fn lines(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    let Some(check) = &document.upgrade else { return Vec::new() };
    let mut texts = vec![format!(
        "Kubernetes {} -> {}. A snapshot of etcd is taken before the first master has the new version.",
        check.from, check.to
    )];
    match &check.not_checked {
        Some(why) => texts.push(format!("The cluster was not checked for obstacles: {why}.")),
        None if check.findings.is_empty() => texts.push("No obstacle was found in the cluster.".to_owned()),
        None => texts.extend(check.findings.iter().map(ToString::to_string)),
    }
    labelled("Upgrade: ", TextRole::Strong, &texts.join("\n"), style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::UpgradeFinding;
    use crate::view::line::screen;
    use crate::view::plan::UpgradeCheck;
    use crate::view::plan::sample::document;

    #[test]
    fn the_findings_before_an_upgrade_follow_its_versions() {
        let mut plan = document(Vec::new());
        let stored = |api: &str, objects: &[&str], count| UpgradeFinding::StoredObjects {
            api: api.to_owned(),
            removed_in: "1.37".to_owned(),
            count,
            objects: objects.iter().map(|&name| name.to_owned()).collect(),
        };
        plan.upgrade = Some(UpgradeCheck {
            from: "1.36".to_owned(),
            to: "1.37".to_owned(),
            not_checked: None,
            findings: vec![
                stored("networking.k8s.io/v1beta1 servicecidrs", &["extra"], 1),
                stored("certificates.k8s.io/v1alpha1 clustertrustbundles", &[], 2),
            ],
        });
        let style = TextStyle::default();
        insta::assert_snapshot!(screen(&lines(&plan, style), style));
    }
}
