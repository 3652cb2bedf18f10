//! A picture of a cluster, or of a plan: as SVG, and as a diagram of Mermaid.

mod layout;
mod measure;
mod mermaid;
mod scene;
mod svg;

#[cfg(test)]
mod tests;

use crate::analysis::diagram::ClusterDiagram;
use crate::words;

use super::plan::PlanDocument;

pub use layout::PictureTitle;
pub use mermaid::mermaid;
pub use svg::PictureTheme;

/// Returns the picture as SVG.
pub fn svg(diagram: &ClusterDiagram, title: &PictureTitle, theme: PictureTheme) -> String {
    svg::write(&layout::layout(diagram, title), theme)
}

impl PictureTitle {
    /// Returns the title of the picture of a cluster.
    pub fn of_cluster(name: &str, region: &str, diagram: &ClusterDiagram) -> Self {
        let sum = |counts: &std::collections::BTreeMap<String, crate::analysis::diagram::PartCount>| -> u64 {
            counts.values().map(|count| count.after).sum()
        };
        let nodes = diagram.groups.iter().map(|group| sum(&group.machines)).sum::<u64>();
        let mut parts = vec![
            region.to_owned(),
            words::count(diagram.zones.len(), "zone"),
            words::count(diagram.masters.len(), "master"),
            words::count(usize::try_from(nodes).unwrap_or(usize::MAX), "node"),
        ];
        if !diagram.services.is_empty() {
            parts.push(words::count(diagram.services.len(), "service"));
        }
        Self { name: name.to_owned(), subtitle: parts.join(" · ") }
    }

    /// Returns the title of the picture of a plan.
    pub fn of_plan(document: &PlanDocument) -> Self {
        let counts = document.summary.spoken(document.plan.mode).join(", ");
        let counts = if counts.is_empty() { "no changes".to_owned() } else { counts };
        Self {
            name: document.heading.cluster.clone(),
            subtitle: format!("{} · plan: {counts}", document.heading.region),
        }
    }
}
