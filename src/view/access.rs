//! The ranges that may reach the Kubernetes API from outside, and when each expires.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::resource::{AccessGrant, AllowList};
use crate::words;

use super::line::{StyledLine, TextRole, screen};
use super::{ClusterHeading, FORMAT, TextStyle, value};

/// The column of the expiry times: behind the longest range.
const END: usize = 20;

/// The ranges that may reach a cluster's API, in a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// Ranges that are allowed permanently.
    pub always: Vec<String>,
    /// Ranges that are allowed temporarily.
    pub grants: Vec<GrantEntry>,
}

/// A range that is allowed temporarily.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantEntry {
    /// The range.
    pub range: String,
    /// The time at which it expires.
    pub until: Timestamp,
    /// `true` if the range is allowed now.
    pub running: bool,
    /// The requester: `by ada on laptop`, `for run 6c1f…`.
    pub bearer: String,
}

impl GrantEntry {
    /// Describes a grant at this time.
    pub fn new(grant: &AccessGrant, now: Timestamp) -> Self {
        Self {
            range: grant.range.to_string(),
            until: grant.until,
            running: grant.runs(now),
            bearer: grant.bearer.to_string(),
        }
    }
}

impl AccessDocument {
    /// Creates the document of the allowed ranges.
    pub fn new(heading: ClusterHeading, admission: &AllowList, now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            heading,
            always: admission.always.iter().map(ToString::to_string).collect(),
            grants: admission.grants.iter().map(|grant| GrantEntry::new(grant, now)).collect(),
        }
    }
}

/// Returns the ranges as text.
pub fn text(document: &AccessDocument, now: Timestamp, style: TextStyle) -> String {
    let mut lines = document.heading.lines();
    lines.push(StyledLine::default());
    for range in &document.always {
        lines.push(row(range).plain("permanently"));
    }
    for grant in &document.grants {
        lines.push(end(row(&grant.range), grant, now));
        lines.push(StyledLine::at(END).ink(TextRole::Faint, value::safe(&grant.bearer)));
    }
    let open = document.always.len() + document.grants.iter().filter(|grant| grant.running).count();
    if !document.always.is_empty() || !document.grants.is_empty() {
        lines.push(StyledLine::default());
    }
    if open == 0 {
        lines.push(StyledLine::at(0).plain("The API is closed."));
        lines.push(StyledLine::at(0).ink(TextRole::Faint, "`quorate access open` opens it for a limited time."));
    } else {
        lines.push(StyledLine::at(0).plain(format!("{} may reach the API.", words::count(open, "range"))));
    }
    screen(&lines, style)
}

fn row(range: &str) -> StyledLine {
    StyledLine::at(0).plain(value::safe(range)).up_to(END)
}

fn end(line: StyledLine, grant: &GrantEntry, now: Timestamp) -> StyledLine {
    let until = words::moment(grant.until);
    if grant.running {
        return line
            .ink(TextRole::Added, format!("until {until}"))
            .plain(format!(", {} left", left(grant.until.duration_since(now))));
    }
    line.ink(TextRole::Changed, format!("ended {until}")).plain(", masters remove it soon")
}

/// Formats the remaining time: `1 h 59 min`, `59 min`, `1 min`; never less than a minute.
fn left(duration: SignedDuration) -> String {
    let minutes = duration.as_mins().max(1);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::resource::Grantee;
    use crate::view::json;
    use crate::view::plan::sample;

    const NOW: Timestamp = Timestamp::constant(1_795_377_600, 0);

    fn grant(range: &str, minutes: i64, bearer: Grantee) -> AccessGrant {
        AccessGrant::new(range.parse().unwrap(), NOW + SignedDuration::from_mins(minutes), bearer)
    }

    #[test]
    fn who_is_let_in_stands_with_when_it_ends_and_fits_on_a_screen() {
        let admission = AllowList {
            always: vec!["198.51.100.0/24".parse().unwrap()],
            grants: vec![
                grant("192.0.2.1/32", -3, Grantee::Person("bob on desk".to_owned())),
                grant("203.0.113.7/32", 119, Grantee::Person("ada on laptop".to_owned())),
                grant("255.255.255.255/32", 60, Grantee::Run("6c1f0a77-0b8e-4f5e-9d0c-3f2b1a0e9d8c".to_owned())),
            ],
        };
        let document = AccessDocument::new(sample::heading(), &admission, NOW);
        let text = text(&document, NOW, TextStyle::default());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text + &json(&document).unwrap());
    }

    #[test]
    fn a_closed_api_is_reported_as_closed() {
        let document = AccessDocument::new(sample::heading(), &AllowList::default(), NOW);
        insta::assert_snapshot!(text(&document, NOW, TextStyle::default()));
    }
}
