//! The checks before the first apply as a table: each problem with what to do about it.

use serde::{Deserialize, Serialize};

use crate::health::{PreflightArea, PreflightCheck, PreflightStatus};
use crate::words;

use super::check_row::CheckRow;
use super::line::{StyledLine, TextRole, screen};
use super::{FORMAT, TextStyle};

/// The column of the findings.
const FINDING: usize = 24;

/// The checks before the first apply, in a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster.
    pub cluster: String,
    /// The region.
    pub region: String,
    /// `true` if the cloud is simulated.
    pub sandbox: bool,
    /// `true` if no check failed.
    pub passed: bool,
    /// The checks.
    pub checks: Vec<PreflightCheck>,
}

impl PreflightDocument {
    /// Creates the document of the checks.
    pub fn new(cluster: String, region: String, sandbox: bool, checks: Vec<PreflightCheck>) -> Self {
        let passed = !checks.iter().any(|check| check.status == PreflightStatus::Failed);
        Self { format: FORMAT, cluster, region, sandbox, passed, checks }
    }
}

/// Returns the checks as text.
pub fn text(document: &PreflightDocument, style: TextStyle) -> String {
    let mut lines = Vec::new();
    for check in &document.checks {
        lines.extend(row(check, style));
    }
    lines.push(StyledLine::default());
    lines.push(total(&document.checks));
    screen(&lines, style)
}

fn row(check: &PreflightCheck, style: TextStyle) -> Vec<StyledLine> {
    let status = match check.status {
        PreflightStatus::Ok => ("ok", TextRole::Added),
        PreflightStatus::Warning => ("warning", TextRole::Changed),
        PreflightStatus::Failed => ("failed", TextRole::Danger),
        PreflightStatus::Skipped => ("skipped", TextRole::Faint),
    };
    CheckRow { status, area: area(check.area), finding: &check.finding, log: &[], advice: check.advice.as_deref() }
        .lines(FINDING, style)
}

fn area(area: PreflightArea) -> &'static str {
    match area {
        PreflightArea::Credentials => "credentials",
        PreflightArea::Account => "account",
        PreflightArea::Clock => "clock",
        PreflightArea::Zones => "zones",
        PreflightArea::Sizes => "sizes",
        PreflightArea::Images => "images",
        PreflightArea::Quotas => "quotas",
        PreflightArea::HostedZone => "hosted zone",
        PreflightArea::Delegation => "delegation",
        PreflightArea::Bucket => "bucket",
        PreflightArea::Lease => "lease",
    }
}

fn total(checks: &[PreflightCheck]) -> StyledLine {
    let number = |status| checks.iter().filter(|check| check.status == status).count();
    let (failed, warnings) = (number(PreflightStatus::Failed), number(PreflightStatus::Warning));
    let line = StyledLine::at(0);
    match (failed, warnings) {
        (0, 0) => line.ink(TextRole::Added, "No check failed. Next: `quorate plan`."),
        (0, _) => line.ink(
            TextRole::Changed,
            format!("No check failed; {}. Next: `quorate plan`.", words::count(warnings, "warning")),
        ),
        _ => line.ink(TextRole::Danger, format!("{} failed.", words::count(failed, "check"))),
    }
}
