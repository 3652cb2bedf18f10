//! AWS limits that concern one object alone: names, lengths, characters, counts, tags.

use super::names::ApiCall;
use crate::engine::{Attributes, Failure, FailureClass, Value};
use crate::limits::policy_length;
use crate::limits::tags::{self, TagBreach};
use crate::limits::{AllowedValue, AttributeLimit};
use crate::resource::{self, tags_of};

/// Refuses values that the service would refuse.
pub(super) fn check_limits(call: &ApiCall, kind: &str, attributes: &Attributes) -> Result<(), Failure> {
    for limit in resource::limits(kind) {
        if let Some(why) = breach(limit, attributes) {
            let class = if limit.code.ends_with("LimitExceeded") { FailureClass::Quota } else { FailureClass::Invalid };
            let message = format!("`{}`: {why}", limit.path.join("."));
            return Err(call.failure(class, limit.code, message));
        }
    }
    check_tags(call, kind, attributes)
}

/// Describes the value of an attribute that breaks a limit, if any.
fn breach(limit: &AttributeLimit, attributes: &Attributes) -> Option<String> {
    let (first, rest) = limit.path.split_first()?;
    let mut found = Vec::new();
    collect(attributes.get(*first)?, rest, &mut found);
    if let AllowedValue::Together(most) = limit.takes {
        let length: usize = found.iter().filter_map(|value| value.as_text()).map(policy_length).sum();
        return (length > most).then(|| format!("{length} characters together; {most} are the most"));
    }
    found.into_iter().find_map(|value| one(limit.takes, value))
}

fn one(takes: AllowedValue, value: &Value) -> Option<String> {
    match (takes, value) {
        (AllowedValue::Text(takes), Value::Text(text)) => takes.check(text).err().map(|breach| breach.to_string()),
        (AllowedValue::Number(least, most), Value::Integer(number)) if !(least..=most).contains(number) => {
            Some(format!("{number} is not between {least} and {most}"))
        }
        (AllowedValue::Count(most), Value::List(items)) if items.len() > most => {
            Some(format!("{} are too many; {most} are the most", items.len()))
        }
        (AllowedValue::OneOf(known), Value::Text(text)) if !known.contains(&text.as_str()) => {
            Some(format!("`{text}` is not one of {}", known.join(", ")))
        }
        _ => None,
    }
}

fn collect<'v>(value: &'v Value, path: &[&str], found: &mut Vec<&'v Value>) {
    match (path.split_first(), value) {
        (None, value) => found.push(value),
        (Some((&"*", rest)), Value::List(items)) => items.iter().for_each(|item| collect(item, rest, found)),
        (Some((&"*", rest)), Value::Map(items)) => items.values().for_each(|item| collect(item, rest, found)),
        (Some((key, rest)), Value::Map(items)) => {
            if let Some(item) = items.get(*key) {
                collect(item, rest, found);
            }
        }
        _ => {}
    }
}

fn check_tags(call: &ApiCall, kind: &str, attributes: &Attributes) -> Result<(), Failure> {
    // Objects of Kubernetes have no tags, and neither have some of AWS.
    let tags = tags_of(attributes);
    let breach = match tags::check(resource::tag_limits(kind), &tags) {
        Ok(()) => return Ok(()),
        Err(breach) => breach,
    };
    let (class, code) = match (&breach, call.service) {
        (TagBreach::Count { .. }, "iam") => (FailureClass::Quota, "LimitExceeded"),
        (TagBreach::Count { .. }, "ec2") => (FailureClass::Quota, "TagLimitExceeded"),
        (TagBreach::Count { .. }, "elbv2") => (FailureClass::Quota, "TooManyTags"),
        (TagBreach::Count { .. }, "s3") => (FailureClass::Invalid, "BadRequest"),
        (_, "s3") => (FailureClass::Invalid, "InvalidTag"),
        (_, "iam" | "route53") => (FailureClass::Invalid, "InvalidInput"),
        (_, "ec2") => (FailureClass::Invalid, "InvalidParameterValue"),
        _ => (FailureClass::Invalid, "ValidationError"),
    };
    Err(call.failure(class, code, breach.to_string()))
}
