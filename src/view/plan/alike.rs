//! Changes that differ only in their names, shown as one.

use crate::engine::{Address, AttributeChange, Change, PlanMode, Reference, TemplatePart, TextTemplate, Value};
use crate::view::TextStyle;
use crate::view::line::StyledLine;

use super::change;

/// Returns the changes one after the other; equal ones of one kind are grouped, with their common attributes below them.
///
/// References to an object of the change's own name count as equal: `launch-template/*.version`.
pub(super) fn alike(changes: &[&Change], shared_reason: bool, mode: PlanMode, style: TextStyle) -> Vec<StyledLine> {
    let mut groups: Vec<(Vec<&Change>, Vec<StyledLine>)> = Vec::new();
    for change in changes {
        let body = change::body(&nameless(change), shared_reason, mode, style);
        match groups.last_mut() {
            Some((group, known)) if *known == body && (body.is_empty() || same_kind(group[0], change)) => {
                group.push(change);
            }
            _ => groups.push((vec![change], body)),
        }
    }
    let mut lines = Vec::new();
    for (group, body) in groups {
        lines.extend(change::heads(&group, mode, style));
        match group.as_slice() {
            [only] => lines.extend(change::body(only, shared_reason, mode, style)),
            _ => lines.extend(body),
        }
    }
    lines
}

fn same_kind(one: &Change, other: &Change) -> bool {
    one.address.kind() == other.address.kind()
}

/// Returns the change with a star instead of its own name in its references.
fn nameless(change: &Change) -> Change {
    let name = change.address.name();
    let attributes = change
        .attributes
        .iter()
        .map(|attribute| AttributeChange {
            before: attribute.before.as_ref().map(|value| starred(value, name)),
            after: attribute.after.as_ref().map(|value| starred(value, name)),
            ..attribute.clone()
        })
        .collect();
    Change { attributes, ..change.clone() }
}

fn starred(value: &Value, name: &str) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| starred(item, name)).collect()),
        Value::Map(items) => Value::Map(items.iter().map(|(key, item)| (key.clone(), starred(item, name))).collect()),
        Value::Pending(template) => {
            Value::Pending(TextTemplate { parts: template.parts.iter().map(|part| starred_part(part, name)).collect() })
        }
        leaf => leaf.clone(),
    }
}

fn starred_part(part: &TemplatePart, name: &str) -> TemplatePart {
    match part {
        TemplatePart::Reference(reference) if reference.address.name() == name => {
            let address = Address::new(reference.address.kind(), "*");
            TemplatePart::Reference(Reference::new(address, reference.output.clone()))
        }
        part => part.clone(),
    }
}
