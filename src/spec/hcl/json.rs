//! JSON as Terraform writes it: names sorted, `<`, `>` and `&` escaped, numbers exact.

use core::fmt::Write as _;

use super::value::HclValue;

/// Encodes the value as JSON.
pub(super) fn encode(value: &HclValue) -> Result<String, String> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &HclValue, text: &mut String) -> Result<(), String> {
    match value {
        HclValue::Invalid | HclValue::Null => text.push_str("null"),
        HclValue::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        HclValue::Number(number) => text.push_str(&number.text()?),
        HclValue::String(string) => quote(string, text),
        HclValue::List(items, _) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(&item.value, text)?;
            }
            text.push(']');
        }
        HclValue::Table(entries, _) => {
            let mut entries: Vec<_> = entries.0.iter().collect();
            entries.sort_by(|a, b| a.key.name.cmp(&b.key.name));
            text.push('{');
            for (index, entry) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(&entry.key.name, text);
                text.push(':');
                write(&entry.node.value, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn quote(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
