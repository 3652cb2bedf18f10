//! Who may reach the Kubernetes API from outside, and until when.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::resource::{Admission, Grant};
use crate::words;

use super::line::{Ink, Line, screen};
use super::{FORMAT, Heading, Style, value};

/// Where the ends begin: behind the longest range.
const END: usize = 20;

/// Who may reach a cluster's API, under a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the format.
    pub format: u32,
    /// Which cluster, where.
    #[serde(flatten)]
    pub heading: Heading,
    /// Ranges that are let in for good.
    pub always: Vec<String>,
    /// Ranges that are let in for a while.
    pub grants: Vec<Entry>,
}

/// A range that is let in for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The range.
    pub range: String,
    /// When it ends.
    pub until: Timestamp,
    /// Whether it lets in now.
    pub running: bool,
    /// Who asked for it: `by ada on laptop`, `for run 6c1f…`.
    pub bearer: String,
}

impl Entry {
    /// A grant as it is now.
    pub fn new(grant: &Grant, now: Timestamp) -> Self {
        Self {
            range: grant.range.to_string(),
            until: grant.until,
            running: grant.runs(now),
            bearer: grant.bearer.to_string(),
        }
    }
}

impl Document {
    /// Who is let in, under a heading.
    pub fn new(heading: Heading, admission: &Admission, now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            heading,
            always: admission.always.iter().map(ToString::to_string).collect(),
            grants: admission.grants.iter().map(|grant| Entry::new(grant, now)).collect(),
        }
    }
}

/// The ranges as text.
pub fn text(document: &Document, now: Timestamp, style: Style) -> String {
    let mut lines = document.heading.lines();
    lines.push(Line::default());
    for range in &document.always {
        lines.push(row(range).plain("for good"));
    }
    for grant in &document.grants {
        lines.push(end(row(&grant.range), grant, now));
        lines.push(Line::at(END).ink(Ink::Faint, value::safe(&grant.bearer)));
    }
    let open = document.always.len() + document.grants.iter().filter(|grant| grant.running).count();
    if !document.always.is_empty() || !document.grants.is_empty() {
        lines.push(Line::default());
    }
    if open == 0 {
        lines.push(Line::at(0).plain("Nobody may reach the API from outside."));
        lines.push(Line::at(0).ink(Ink::Faint, "`quorate access open` lets you in for a while."));
    } else {
        lines.push(Line::at(0).plain(format!("{} may reach the API.", words::count(open, "range"))));
    }
    screen(&lines, style)
}

fn row(range: &str) -> Line {
    Line::at(0).plain(value::safe(range)).up_to(END)
}

fn end(line: Line, grant: &Entry, now: Timestamp) -> Line {
    let until = words::moment(grant.until);
    if grant.running {
        return line
            .ink(Ink::Added, format!("until {until}"))
            .plain(format!(", {} left", left(grant.until.duration_since(now))));
    }
    line.ink(Ink::Changed, format!("ended {until}")).plain(", masters close it soon")
}

/// `1 h 59 min`, `59 min`, `1 min`: never less than a minute.
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
    use crate::resource::Bearer;
    use crate::view::json;
    use crate::view::plan::sample;

    const NOW: Timestamp = Timestamp::constant(1_795_377_600, 0);

    fn grant(range: &str, minutes: i64, bearer: Bearer) -> Grant {
        Grant::new(range.parse().unwrap(), NOW + SignedDuration::from_mins(minutes), bearer)
    }

    #[test]
    fn who_is_let_in_stands_with_when_it_ends_and_fits_on_a_screen() {
        let admission = Admission {
            always: vec!["198.51.100.0/24".parse().unwrap()],
            grants: vec![
                grant("192.0.2.1/32", -3, Bearer::Person("bob on desk".to_owned())),
                grant("203.0.113.7/32", 119, Bearer::Person("ada on laptop".to_owned())),
                grant("255.255.255.255/32", 60, Bearer::Run("6c1f0a77-0b8e-4f5e-9d0c-3f2b1a0e9d8c".to_owned())),
            ],
        };
        let document = Document::new(sample::heading(), &admission, NOW);
        let text = text(&document, NOW, Style::default());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text + &json(&document).unwrap());
    }

    #[test]
    fn a_closed_api_is_said_to_be_closed() {
        let document = Document::new(sample::heading(), &Admission::default(), NOW);
        insta::assert_snapshot!(text(&document, NOW, Style::default()));
    }
}
