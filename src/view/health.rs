//! The health checks of a cluster as a table: each problem with what to do about it.

use serde::{Deserialize, Serialize};

use crate::health::{Area, Check, Verdict};
use crate::words;

use super::line::{Ink, Line, paragraph, screen};
use super::{FORMAT, Heading, Style, value};

/// Where the findings begin.
const FINDING: usize = 25;
/// Where the areas begin.
const AREA: usize = 10;

/// The checks of a cluster with its heading, under a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the format.
    pub format: u32,
    /// Which cluster, where.
    #[serde(flatten)]
    pub heading: Heading,
    /// Whether no check is wrong, waiting or unknown.
    pub healthy: bool,
    /// The checks, in the order in which a cluster starts.
    pub checks: Vec<Check>,
}

impl Document {
    /// Puts checks under their heading.
    pub fn new(heading: Heading, checks: Vec<Check>) -> Self {
        let healthy = !checks.iter().any(Check::is_trouble);
        Self { format: FORMAT, heading, healthy, checks }
    }
}

/// The checks as text.
pub fn text(document: &Document, style: Style) -> String {
    let mut lines = document.heading.lines();
    lines.push(Line::default());
    for (place, check) in document.checks.iter().enumerate() {
        let next = document.checks.get(place + 1);
        // Problems with the same advice show it once, below the last of them.
        let again = next.is_some_and(|next| next.area == check.area && next.advice == check.advice);
        lines.extend(row(check, !again, style));
    }
    lines.push(Line::default());
    lines.push(total(&document.checks));
    screen(&lines, style)
}

fn row(check: &Check, advises: bool, style: Style) -> Vec<Line> {
    let (word, ink) = match check.verdict {
        Verdict::Healthy => ("ok", Ink::Added),
        Verdict::Simulated => ("-", Ink::Faint),
        Verdict::Unknown => ("unknown", Ink::Changed),
        Verdict::Waiting => ("waiting", Ink::Changed),
        Verdict::Wrong => ("wrong", Ink::Danger),
    };
    let mut lines = paragraph(FINDING, Ink::Plain, &value::safe(&check.finding), style);
    let first = if lines.is_empty() { Line::default() } else { lines.remove(0) };
    let head = Line::at(0).ink(ink, word).up_to(AREA).plain(area(check.area)).up_to(FINDING);
    lines.insert(0, head.then(first));
    if let Some(advice) = check.advice.as_ref().filter(|_| advises) {
        lines.extend(paragraph(FINDING, Ink::Faint, &value::safe(advice), style));
    }
    lines
}

fn area(area: Area) -> &'static str {
    match area {
        Area::Machines => "machines",
        Area::Boot => "boot",
        Area::Clocks => "clocks",
        Area::Etcd => "etcd",
        Area::ControlPlane => "control plane",
        Area::Nodes => "nodes",
        Area::System => "system",
        Area::Targets => "targets",
        Area::Names => "names",
        Area::Certificates => "certificates",
    }
}

fn total(checks: &[Check]) -> Line {
    let troubles = checks.iter().filter(|check| check.is_trouble()).count();
    if troubles > 0 {
        return Line::at(0).ink(Ink::Danger, format!("{}.", words::count(troubles, "problem")));
    }
    if checks.iter().any(|check| check.verdict == Verdict::Simulated) {
        return Line::at(0).plain("The cluster is healthy, as far as the sandbox simulates it.");
    }
    Line::at(0).ink(Ink::Added, "The cluster is healthy.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::plan::sample;

    fn check(area: Area, verdict: Verdict, finding: &str, advice: Option<&str>) -> Check {
        Check { area, verdict, finding: finding.to_owned(), advice: advice.map(str::to_owned) }
    }

    #[test]
    fn what_is_wrong_stands_with_its_way_out_and_fits_on_a_screen() {
        let checks = vec![
            check(Area::Machines, Verdict::Healthy, "5 machines in 4 groups", None),
            check(
                Area::Boot,
                Verdict::Wrong,
                "i-0a1b2c3d4e5f60718 (masters-a, us-east-1d) failed in the step etcd volume, attach",
                Some("it tries again; `journalctl -u quorate-node` on it, or its console output, says why"),
            ),
            check(Area::ControlPlane, Verdict::Unknown, "the API server did not tell: timed out", None),
        ];
        let text = text(&Document::new(sample::heading(), checks), Style { width: 80, ..Style::default() });
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_healthy_cluster_is_reported_as_such() {
        let checks = vec![check(Area::Nodes, Verdict::Healthy, "5 nodes ready", None)];
        let document = Document::new(sample::heading(), checks);
        assert!(document.healthy);
        insta::assert_snapshot!(text(&document, Style { width: 80, ..Style::default() }));
    }
}
