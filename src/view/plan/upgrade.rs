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
