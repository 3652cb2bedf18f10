//! Attribute values on one line, in human-readable form.

use std::collections::BTreeMap;

use super::{GroupRule, Route};
use crate::engine::{Reference, TemplatePart, TextTemplate, Value};

/// Returns a value on one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Text(text) => quoted_if_odd(text),
        Value::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Map(items) => map(items),
        Value::Pending(template) => pending(template),
    }
}

/// Returns the text of a text value, with `(known after apply: …)` where it waits for another object.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Pending(template) => {
            Some(spelled_out(template, |reference| format!("(known after apply: {reference})")))
        }
        _ => None,
    }
}

/// Returns text that is safe to show: control characters are escaped, so that no name in the cloud can move the cursor.
pub fn safe(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

/// Returns a short form of an identifier: an ARN without the parts in the heading, the beginning of a hash.
pub fn short_id(id: &str) -> String {
    let parts: Vec<&str> = without_heading(id).split('/').collect();
    let shown: Vec<String> =
        parts.into_iter().map(|part| if is_hash(part) { beginning(part) } else { safe(part) }).collect();
    shown.join("/")
}

/// Returns the value with shortened hashes, for a reader who compares and does not copy.
pub fn abridged(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(without_hashes(text)),
        Value::List(items) => Value::List(items.iter().map(abridged).collect()),
        Value::Map(items) => Value::Map(items.iter().map(|(name, item)| (name.clone(), abridged(item))).collect()),
        Value::Pending(template) => {
            let part = |part: &TemplatePart| match part {
                TemplatePart::Literal(text) => TemplatePart::Literal(without_hashes(text)),
                reference @ TemplatePart::Reference(_) => reference.clone(),
            };
            Value::Pending(TextTemplate { parts: template.parts.iter().map(part).collect() })
        }
        other => other.clone(),
    }
}

fn without_hashes(text: &str) -> String {
    let pieces = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    pieces
        .map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let end = &piece[word.len()..];
            if is_hash(word) { beginning(word) + end } else { piece.to_owned() }
        })
        .collect()
}

fn is_hash(part: &str) -> bool {
    part.len() >= 40 && part.chars().all(|c| c.is_ascii_hexdigit())
}

fn beginning(hash: &str) -> String {
    hash.chars().take(8).chain("...".chars()).collect()
}

fn without_heading(id: &str) -> &str {
    match id.strip_prefix("arn:").map(|rest| rest.splitn(5, ':').collect::<Vec<_>>()) {
        Some(parts) if parts.len() == 5 => parts[4],
        _ => id,
    }
}

fn quoted_if_odd(text: &str) -> String {
    let odd = text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
    if odd { format!("\"{}\"", safe(text).replace('"', "\\\"")) } else { text.to_owned() }
}

fn pending(template: &TextTemplate) -> String {
    if let [TemplatePart::Reference(reference)] = template.parts.as_slice() {
        return format!("(known after apply: {reference})");
    }
    let text = spelled_out(template, |reference| format!("${{{reference}}}"));
    format!("{} (known after apply)", quoted_if_odd(&text))
}

fn spelled_out(template: &TextTemplate, waiting: impl Fn(&Reference) -> String) -> String {
    template.parts.iter().fold(String::new(), |text, part| match part {
        TemplatePart::Literal(literal) => text + literal,
        TemplatePart::Reference(reference) => text + &waiting(reference),
    })
}

fn map(items: &BTreeMap<String, Value>) -> String {
    if let Some(rule) = as_type::<GroupRule>(items) {
        return firewall_rule(&rule);
    }
    if let Some(route) = as_type::<Route>(items) {
        return format!("{} to {}", safe(&route.destination), inline(&route.target.into()));
    }
    let items: Vec<String> = items.iter().map(|(name, value)| format!("{} = {}", safe(name), inline(value))).collect();
    format!("{{{}}}", items.join(", "))
}

/// Formats a firewall rule: `tcp 443 of 203.0.113.7/32  (office)`
fn firewall_rule(rule: &GroupRule) -> String {
    let what = match (rule.protocol.as_str(), rule.ports.as_str()) {
        ("all", _) => "everything".to_owned(),
        (protocol, "all") => format!("{protocol}, all ports"),
        (protocol, ports) => format!("{protocol} {ports}"),
    };
    let why = if rule.description.is_empty() { "no description" } else { &rule.description };
    format!("{}: {}  ({})", inline(&rule.peer.clone().into()), safe(&what), safe(why))
}

/// Returns the map as a typed part of a resource, if it is exactly that.
fn as_type<T: serde::de::DeserializeOwned + serde::Serialize>(items: &BTreeMap<String, Value>) -> Option<T> {
    let json = serde_json::to_value(items).ok()?;
    let typed: T = serde_json::from_value(json.clone()).ok()?;
    (serde_json::to_value(&typed).ok()? == json).then_some(typed)
}
