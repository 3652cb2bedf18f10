//! The existing objects: a table with their identifiers, machines below their groups.

use serde::{Deserialize, Serialize};

use crate::engine::{GroupMember, Live, ObjectPhase};
use crate::resource::MANIFEST;
use crate::words;

use super::line::{self, StyledLine, TextRole, screen};
use super::{ClusterHeading, FORMAT, TextStyle, endpoint, value};

/// The objects of a cluster with its heading, in a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectsDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The existing objects, sorted by address.
    pub objects: Vec<Live>,
}

impl ObjectsDocument {
    /// Creates the document of the objects.
    pub fn new(heading: ClusterHeading, mut objects: Vec<Live>) -> Self {
        objects.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
        Self { format: FORMAT, heading, objects }
    }
}

/// Returns the objects as text.
pub fn text(document: &ObjectsDocument, style: TextStyle) -> String {
    let mut lines = document.heading.lines();
    lines.push(StyledLine::default());
    lines.extend(rows(&document.objects, document.heading.sandbox));
    if !document.objects.is_empty() {
        lines.push(StyledLine::default());
    }
    lines.push(total(&document.objects));
    screen(&lines, style)
}

fn rows(objects: &[Live], sandbox: bool) -> Vec<StyledLine> {
    let titles: Vec<String> = objects.iter().map(|live| value::safe(&live.address.to_string())).collect();
    let column = line::column(0, titles.iter().map(String::as_str));
    let mut lines = Vec::new();
    for (live, title) in objects.iter().zip(&titles) {
        // The identifier of an add-on's object repeats its address.
        let id = if live.address.kind() == MANIFEST { String::new() } else { value::short_id(&live.id) };
        lines.push(with_phase(line::identified(title, &id, column), live.phase));
        lines.extend(address(live, sandbox));
        lines.extend(machines(&live.members));
    }
    lines
}

/// Returns the DNS name of a load balancer.
fn address(live: &Live, sandbox: bool) -> Vec<StyledLine> {
    let Some(name) = endpoint::own_name(&live.address, &live.outputs) else { return Vec::new() };
    let texts = [Some(value::safe(name)), endpoint::nowhere(sandbox, 1).map(str::to_owned)];
    texts.into_iter().flatten().map(|text| StyledLine::at(2).ink(TextRole::Faint, text)).collect()
}

fn with_phase(line: StyledLine, phase: ObjectPhase) -> StyledLine {
    match phase {
        ObjectPhase::Ready => line,
        ObjectPhase::Pending => line.ink(TextRole::Changed, "  being made"),
        ObjectPhase::Deleting => line.ink(TextRole::Removed, "  being removed"),
        ObjectPhase::Failed => line.ink(TextRole::Danger, "  failed"),
    }
}

fn machines(members: &[GroupMember]) -> Vec<StyledLine> {
    let mut members: Vec<&GroupMember> = members.iter().collect();
    members.sort();
    members
        .into_iter()
        .map(|member| {
            let text = format!("{}  {}  {}", member.id, member.zone, member.state);
            StyledLine::at(2).ink(TextRole::Faint, value::safe(&text))
        })
        .collect()
}

fn total(objects: &[Live]) -> StyledLine {
    if objects.is_empty() {
        return StyledLine::at(0).plain("Nothing of this cluster exists.");
    }
    let machines: usize = objects.iter().map(|live| live.members.len()).sum();
    let objects = words::count(objects.len(), "object");
    StyledLine::at(0).plain(format!("{objects}, {}", words::count(machines, "machine")))
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
            phase: ObjectPhase::Ready,
            proven: true,
            created: None,
            members: Vec::new(),
        }
    }

    #[test]
    fn machines_stand_below_their_group() {
        let mut group = live("autoscaling-group", "masters-a", "masters-a.chat.poeticoding.com");
        group.members.push(GroupMember {
            id: "i-0a1b2c3d4e5f60718".to_owned(),
            zone: "us-east-1a".to_owned(),
            state: "InService".to_owned(),
            version: "1".to_owned(),
        });
        let mut volume = live("volume", "etcd-a", "vol-0a1b2c3d4e5f60718");
        volume.phase = ObjectPhase::Pending;
        let document = ObjectsDocument::new(sample::heading(), vec![volume, group]);
        insta::assert_snapshot!(text(&document, TextStyle::default()));
    }

    #[test]
    fn a_load_balancer_shows_its_name_and_a_simulated_one_that_it_resolves_to_nothing() {
        let mut balancer = live("load-balancer", "service-chat", "loadbalancer/net/chat-ed9fd0-chat-bf08a12d/d07e43ed");
        let name = "chat-ed9fd0-chat-bf08a12d-d07e43ed.elb.us-east-1.amazonaws.com";
        balancer.outputs.insert("dns_name".to_owned(), name.to_owned());
        let shown = |sandbox| {
            let heading = crate::view::ClusterHeading { sandbox, ..sample::heading() };
            text(&ObjectsDocument::new(heading, vec![balancer.clone()]), TextStyle::default())
        };
        assert!(shown(false).contains(&format!("\n  {name}\n")), "{}", shown(false));
        assert!(
            shown(true).contains(&format!("\n  {name}\n  (simulated: this name resolves to nothing)\n")),
            "{}",
            shown(true)
        );
    }

    #[test]
    fn an_empty_cluster_is_reported_as_empty() {
        insta::assert_snapshot!(text(&ObjectsDocument::new(sample::heading(), Vec::new()), TextStyle::default()));
    }
}
