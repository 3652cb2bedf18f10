//! What exists: a table of objects with their identifiers, machines below their groups.

use serde::{Deserialize, Serialize};

use crate::engine::{Live, Member, Phase};

use super::line::{Ink, Line, screen};
use super::{FORMAT, Heading, Style, noun, value};

/// The objects of a cluster with its heading, under a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the format.
    pub format: u32,
    /// Which cluster, where.
    #[serde(flatten)]
    pub heading: Heading,
    /// What exists, sorted by address.
    pub objects: Vec<Live>,
}

impl Document {
    /// Puts objects under their heading.
    pub fn new(heading: Heading, mut objects: Vec<Live>) -> Self {
        objects.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
        Self { format: FORMAT, heading, objects }
    }
}

/// The objects as text.
pub fn text(document: &Document, style: Style) -> String {
    let mut lines = document.heading.lines();
    lines.push(Line::default());
    lines.extend(rows(&document.objects));
    if !document.objects.is_empty() {
        lines.push(Line::default());
    }
    lines.push(total(&document.objects));
    screen(&lines, style)
}

/// The objects as JSON, with a final newline.
///
/// # Errors
/// When a value has no form in JSON: a bug.
pub fn json(document: &Document) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| text + "\n")
}

fn rows(objects: &[Live]) -> Vec<Line> {
    let column = objects.iter().map(|live| live.address.to_string().chars().count()).max().unwrap_or_default() + 2;
    let mut lines = Vec::new();
    for live in objects {
        let name = value::safe(&live.address.to_string());
        let line = Line::at(0).plain(name).up_to(column).plain(value::short_id(&live.id));
        lines.push(with_phase(line, live.phase));
        lines.extend(machines(&live.members));
    }
    lines
}

fn with_phase(line: Line, phase: Phase) -> Line {
    match phase {
        Phase::Ready => line,
        Phase::Pending => line.ink(Ink::Changed, "  being made"),
        Phase::Deleting => line.ink(Ink::Removed, "  being removed"),
        Phase::Failed => line.ink(Ink::Danger, "  failed"),
    }
}

fn machines(members: &[Member]) -> Vec<Line> {
    let mut members: Vec<&Member> = members.iter().collect();
    members.sort();
    members
        .into_iter()
        .map(|member| {
            let text = format!("{}  {}  {}", member.id, member.zone, member.state);
            Line::at(2).ink(Ink::Faint, value::safe(&text))
        })
        .collect()
}

fn total(objects: &[Live]) -> Line {
    if objects.is_empty() {
        return Line::at(0).plain("Nothing of this cluster exists.");
    }
    let machines: usize = objects.iter().map(|live| live.members.len()).sum();
    let objects = noun::count(objects.len(), "object");
    Line::at(0).plain(format!("{objects}, {}", noun::count(machines, "machine")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::Address;
    use crate::view::plan::sample;

    fn live(kind: &str, name: &str, id: &str) -> Live {
        Live {
            address: Address::new(kind, name),
            id: id.to_owned(),
            attributes: BTreeMap::new(),
            outputs: BTreeMap::new(),
            phase: Phase::Ready,
            proven: true,
            created: None,
            members: Vec::new(),
        }
    }

    #[test]
    fn machines_stand_below_their_group() {
        let mut group = live("autoscaling-group", "masters-a", "masters-a.chat.poeticoding.com");
        group.members.push(Member {
            id: "i-0a1b2c3d4e5f60718".to_owned(),
            zone: "us-east-1a".to_owned(),
            state: "InService".to_owned(),
            version: "1".to_owned(),
        });
        let mut volume = live("volume", "etcd-a", "vol-0a1b2c3d4e5f60718");
        volume.phase = Phase::Pending;
        let document = Document::new(sample::heading(), vec![volume, group]);
        insta::assert_snapshot!(text(&document, Style::default()));
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        insta::assert_snapshot!(text(&Document::new(sample::heading(), Vec::new()), Style::default()));
    }
}
