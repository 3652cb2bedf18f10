//! The health checks of a cluster as a table: each problem with what to do about it.

use serde::{Deserialize, Serialize};

use crate::health::{CheckArea, CheckStatus, HealthFinding};
use crate::words;

use super::check_row::CheckRow;
use super::line::{StyledLine, TextRole, screen};
use super::{ClusterHeading, FORMAT, TextStyle};

/// The column of the findings.
const FINDING: usize = 25;

/// The checks of a cluster with its heading, in a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// `true` if no check is wrong, waiting or unknown.
    pub healthy: bool,
    /// The checks, in the order in which a cluster starts.
    pub checks: Vec<HealthFinding>,
}

impl HealthDocument {
    /// Creates the document of the checks.
    pub fn new(heading: ClusterHeading, checks: Vec<HealthFinding>) -> Self {
        let healthy = !checks.iter().any(HealthFinding::is_trouble);
        Self { format: FORMAT, heading, healthy, checks }
    }
}

/// Returns the checks as text.
pub fn text(document: &HealthDocument, style: TextStyle) -> String {
    let mut lines = document.heading.lines();
    lines.push(StyledLine::default());
    for (place, check) in document.checks.iter().enumerate() {
        let next = document.checks.get(place + 1);
        // Problems with the same advice show it once, below the last of them.
        let again = next.is_some_and(|next| next.area == check.area && next.advice == check.advice);
        lines.extend(row(check, !again, style));
    }
    lines.push(StyledLine::default());
    lines.push(total(&document.checks));
    screen(&lines, style)
}

fn row(check: &HealthFinding, advises: bool, style: TextStyle) -> Vec<StyledLine> {
    let status = match check.verdict {
        CheckStatus::Healthy => ("ok", TextRole::Added),
        CheckStatus::Simulated => ("-", TextRole::Faint),
        CheckStatus::Unknown => ("unknown", TextRole::Changed),
        CheckStatus::Waiting => ("waiting", TextRole::Changed),
        CheckStatus::Wrong => ("wrong", TextRole::Danger),
    };
    CheckRow {
        status,
        area: area(check.area),
        finding: &check.finding,
        log: &check.log,
        advice: check.advice.as_deref().filter(|_| advises),
    }
    .lines(FINDING, style)
}

fn area(area: CheckArea) -> &'static str {
    match area {
        CheckArea::Machines => "machines",
        CheckArea::Boot => "boot",
        CheckArea::Clocks => "clocks",
        CheckArea::Etcd => "etcd",
        CheckArea::ControlPlane => "control plane",
        CheckArea::Nodes => "nodes",
        CheckArea::System => "system",
        CheckArea::Targets => "targets",
        CheckArea::Names => "names",
        CheckArea::Certificates => "certificates",
    }
}

fn total(checks: &[HealthFinding]) -> StyledLine {
    let troubles = checks.iter().filter(|check| check.is_trouble()).count();
    if troubles > 0 {
        return StyledLine::at(0).ink(TextRole::Danger, format!("{}.", words::count(troubles, "problem")));
    }
    if checks.iter().any(|check| check.verdict == CheckStatus::Simulated) {
        return StyledLine::at(0).plain("The simulated cluster is healthy.");
    }
    StyledLine::at(0).ink(TextRole::Added, "The cluster is healthy.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::plan::sample;

    fn check(area: CheckArea, verdict: CheckStatus, finding: &str, advice: Option<&str>) -> HealthFinding {
        let (finding, advice) = (finding.to_owned(), advice.map(str::to_owned));
        HealthFinding { area, verdict, finding, advice, machine: None, log: Vec::new() }
    }

    #[test]
    fn what_is_wrong_stands_with_its_way_out_and_fits_on_a_screen() {
        let checks = vec![
            check(CheckArea::Machines, CheckStatus::Healthy, "5 machines in 4 groups", None),
            check(
                CheckArea::Boot,
                CheckStatus::Wrong,
                "i-0a1b2c3d4e5f60718 (masters-a, us-east-1d) failed in the step etcd volume, attach",
                Some("it retries; `quorate logs` shows the reason (`journalctl -u quorate-node` on the machine)"),
            ),
            check(CheckArea::ControlPlane, CheckStatus::Unknown, "the API server did not respond: timed out", None),
        ];
        let text =
            text(&HealthDocument::new(sample::heading(), checks), TextStyle { width: 80, ..TextStyle::default() });
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_last_lines_of_a_machine_stand_below_its_finding() {
        let finding = "i-0a1b2c3d4e5f60718 (masters-a, us-east-1d) has not reported yet";
        let mut check = check(CheckArea::Boot, CheckStatus::Waiting, finding, Some("`quorate logs` shows the reason"));
        check.log = ["quorate: user-data: cannot get s3://state", "  trying again in 15 s"].map(str::to_owned).into();
        let document = HealthDocument::new(sample::heading(), vec![check]);
        insta::assert_snapshot!(text(&document, TextStyle { width: 80, ..TextStyle::default() }));
    }

    #[test]
    fn a_healthy_cluster_is_reported_as_such() {
        let checks = vec![check(CheckArea::Nodes, CheckStatus::Healthy, "5 nodes ready", None)];
        let document = HealthDocument::new(sample::heading(), checks);
        assert!(document.healthy);
        insta::assert_snapshot!(text(&document, TextStyle { width: 80, ..TextStyle::default() }));
    }
}
