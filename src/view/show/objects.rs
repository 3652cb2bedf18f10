//! The list of all objects of a cluster with their identifiers; machines are below their groups.

use crate::engine::{GroupMember, Live, ObjectPhase};
use crate::resource::MANIFEST;
use crate::view::line::{self, StyledLine, TextRole};
use crate::view::{endpoint, value};

/// Returns a line for each object, and lines for its name and its machines.
pub(super) fn object_lines(objects: &[Live], sandbox: bool) -> Vec<StyledLine> {
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
        ObjectPhase::Pending => line.ink(TextRole::Changed, "  being created"),
        ObjectPhase::Deleting => line.ink(TextRole::Removed, "  being deleted"),
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
