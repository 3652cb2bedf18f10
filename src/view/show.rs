//! What exists: a table of objects with their identifiers, machines below their groups.

use serde::{Deserialize, Serialize};

use crate::engine::{Live, Member, Phase};
use crate::resource::MANIFEST;
use crate::words;

use super::line::{self, Ink, Line, screen};
use super::{FORMAT, Heading, Style, reach, value};

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
    lines.extend(rows(&document.objects, document.heading.sandbox));
    if !document.objects.is_empty() {
        lines.push(Line::default());
    }
    lines.push(total(&document.objects));
    screen(&lines, style)
}

fn rows(objects: &[Live], sandbox: bool) -> Vec<Line> {
    let titles: Vec<String> = objects.iter().map(|live| value::safe(&live.address.to_string())).collect();
    let column = line::column(0, titles.iter().map(String::as_str));
    let mut lines = Vec::new();
    for (live, title) in objects.iter().zip(&titles) {
        // An add-on's object is found by its address: its identifier says the same again.
        let id = if live.address.kind() == MANIFEST { String::new() } else { value::short_id(&live.id) };
        lines.push(with_phase(line::identified(title, &id, column), live.phase));
        lines.extend(address(live, sandbox));
        lines.extend(machines(&live.members));
    }
    lines
}

/// The name by which a load balancer is reached.
fn address(live: &Live, sandbox: bool) -> Vec<Line> {
    let Some(name) = reach::own_name(&live.address, &live.outputs) else { return Vec::new() };
    let told = [Some(value::safe(name)), reach::nowhere(sandbox, 1).map(str::to_owned)];
    told.into_iter().flatten().map(|text| Line::at(2).ink(Ink::Faint, text)).collect()
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
    let objects = words::count(objects.len(), "object");
    Line::at(0).plain(format!("{objects}, {}", words::count(machines, "machine")))
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
    fn a_load_balancer_tells_its_name_and_a_simulated_one_that_it_leads_nowhere() {
        let mut balancer = live("load-balancer", "service-chat", "loadbalancer/net/chat-ed9fd0-chat-bf08a12d/d07e43ed");
        let name = "chat-ed9fd0-chat-bf08a12d-d07e43ed.elb.us-east-1.amazonaws.com";
        balancer.outputs.insert("dns_name".to_owned(), name.to_owned());
        let shown = |sandbox| {
            let heading = crate::view::Heading { sandbox, ..sample::heading() };
            text(&Document::new(heading, vec![balancer.clone()]), Style::default())
        };
        assert!(shown(false).contains(&format!("\n  {name}\n")), "{}", shown(false));
        assert!(
            shown(true).contains(&format!("\n  {name}\n  (simulated: this name resolves to nothing)\n")),
            "{}",
            shown(true)
        );
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        insta::assert_snapshot!(text(&Document::new(sample::heading(), Vec::new()), Style::default()));
    }
}
