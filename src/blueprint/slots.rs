//! Texts with slots, such as `@BUCKET@`, that are filled with values known now or after apply.

use crate::engine::{TemplatePart, TextInput, TextTemplate};

/// Fills every slot. Slots in a value are not filled.
pub(super) fn fill<S: AsRef<str>>(text: &str, slots: &[(S, TextInput)]) -> TextInput {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((at, slot, value)) = first(rest, slots) {
        literal(&mut parts, &rest[..at]);
        match value {
            TextInput::Known(known) => literal(&mut parts, known),
            TextInput::Pending(template) => parts.extend(template.parts.iter().cloned()),
        }
        rest = &rest[at + slot.len()..];
    }
    literal(&mut parts, rest);
    match parts.as_slice() {
        [] => TextInput::Known(String::new()),
        [TemplatePart::Literal(text)] => TextInput::Known(text.clone()),
        _ => TextInput::Pending(TextTemplate { parts }),
    }
}

/// Fills every slot with known values. The values are ours, or names and address ranges of the cluster file, all of
/// them checked: none contains a quote or has the format of a slot.
pub(super) fn filled(text: &str, slots: &[(&str, &str)]) -> String {
    slots.iter().fold(text.to_owned(), |text, (slot, value)| text.replace(slot, value))
}

/// Returns the first slot in a text: its offset, its text, and its value.
fn first<'a, S: AsRef<str>>(text: &str, slots: &'a [(S, TextInput)]) -> Option<(usize, &'a str, &'a TextInput)> {
    let found = |(slot, value): &'a (S, TextInput)| Some((text.find(slot.as_ref())?, slot.as_ref(), value));
    slots.iter().filter_map(found).min_by_key(|(at, ..)| *at)
}

/// Adds text, to the literal before it if there is one.
fn literal(parts: &mut Vec<TemplatePart>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(TemplatePart::Literal(before)) => before.push_str(text),
        _ => parts.push(TemplatePart::Literal(text.to_owned())),
    }
}

/// Quotes a text for a shell script.
pub(super) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]
    use super::*;
    use crate::engine::Address;

    #[test]
    fn known_slots_make_known_text() {
        let filled = fill("a=@A@ b=@B@ a=@A@", &[("@B@", "2".into()), ("@A@", "1".into())]);
        assert_eq!(filled.known(), Some("a=1 b=2 a=1"));
    }

    #[test]
    fn a_value_that_looks_like_a_slot_stays_as_it_is() {
        let filled = fill("@A@@B@", &[("@A@", "@B@".into()), ("@B@", "2".into())]);
        assert_eq!(filled.known(), Some("@B@2"));
    }

    #[test]
    fn references_stay_references_between_merged_literals() {
        let volume = TextInput::output(Address::new("volume", "etcd-a"), "id");
        let TextInput::Pending(template) = fill("x=@X@ v=@V@ y", &[("@X@", "1".into()), ("@V@", volume)]) else {
            panic!("the volume is not known yet");
        };
        assert_eq!(template.parts.len(), 3);
        assert_eq!(template.parts[0], TemplatePart::Literal("x=1 v=".to_owned()));
    }

    #[test]
    fn a_value_cannot_leave_its_shell_quotes() {
        assert_eq!(shell_quoted("a b"), "'a b'");
        assert_eq!(shell_quoted("'; rm -rf /; '"), r"''\''; rm -rf /; '\'''");
    }
}
