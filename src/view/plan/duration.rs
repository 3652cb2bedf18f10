//! The expected time of a plan: one line.

use crate::analysis::duration::CriticalChange;
use crate::view::line::{StyledLine, TextRole, labelled};
use crate::view::{TextStyle, duration, progress, value};
use crate::words;

use super::PlanDocument;

/// The shortest time in seconds of a change that is named.
const NAMED: u64 = 20;
/// Maximum number of changes that are named, those of one kind with the same time together.
const SHOWN: usize = 3;

/// Returns the expected time of a plan, with the changes that take most of it.
pub(super) fn lines(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    let Some(expected) = &document.duration else { return Vec::new() };
    let mut longest: Vec<&CriticalChange> =
        expected.critical_path.iter().filter(|change| change.seconds >= NAMED).collect();
    longest.sort_by_key(|change| std::cmp::Reverse(change.seconds));
    let alike = longest.chunk_by(|one, other| {
        one.seconds == other.seconds && one.action == other.action && one.address.kind() == other.address.kind()
    });
    let named: Vec<String> = alike.take(SHOWN).map(named).collect();
    let of = if named.is_empty() { String::new() } else { format!(", most of it {}", words::list(&named)) };
    labelled("Time: ", TextRole::Strong, &format!("{}{of}.", duration::about(expected.seconds)), style)
}

/// Returns changes of one kind with their time: `rolling autoscaling-group/masters-a and masters-b (3m30s each)`.
fn named(alike: &[&CriticalChange]) -> String {
    let Some((first, others)) = alike.split_first() else { return String::new() };
    let first_name = value::safe(&progress::running(first.action, &first.address));
    let others = others.iter().map(|change| value::safe(change.address.name()));
    let names: Vec<String> = std::iter::once(first_name).chain(others).collect();
    let each = if names.len() > 1 { " each" } else { "" };
    format!("{} ({}{each})", words::list(&names), duration::exact(first.seconds))
}
