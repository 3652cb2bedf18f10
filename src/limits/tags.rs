//! Limits of tags.
//!
//! Sources: "Tag your Amazon EC2 resources", "Tagging IAM resources" (keys are compared without case), "Tags for your
//! Network Load Balancers" (no space at an end), `ChangeTagsForResource` of Route 53 (ten tags on a hosted zone).

use std::collections::BTreeMap;

use super::LimitViolation;

/// Maximum number of characters of a key.
pub const LONGEST_KEY: usize = 128;
/// Maximum number of characters of a value.
pub const LONGEST_VALUE: usize = 256;
/// Maximum number of tags on almost any resource.
pub const MOST: usize = 50;
/// Maximum number of tags on a hosted zone.
pub const MOST_ON_A_HOSTED_ZONE: usize = 10;
/// The prefix of the keys that belong to AWS.
pub const RESERVED: &str = "aws:";

/// The tags that a kind of object takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagLimits {
    /// The most tags.
    pub most: usize,
    /// True if the kind's service takes two keys that differ in case alone for the same one.
    pub ignores_case: bool,
}

impl TagLimits {
    /// The limits of almost any kind.
    pub const USUAL: Self = Self { most: MOST, ignores_case: false };
}

/// Returns `true` if two keys are the same to a service that ignores their case.
pub fn same_key(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Returns `true` if a key is one of AWS's own.
pub fn is_reserved(key: &str) -> bool {
    key.to_lowercase().starts_with(RESERVED)
}

/// Checks a key against the limits that all services share.
///
/// # Errors
/// Returns the reason why the key is invalid.
pub fn check_key(key: &str) -> Result<(), LimitViolation> {
    let length = key.chars().count();
    if !(1..=LONGEST_KEY).contains(&length) {
        return Err(LimitViolation::Length { found: length, least: 1, most: LONGEST_KEY });
    }
    check_characters(key)
}

/// Checks a value against the limits that all services share.
///
/// # Errors
/// Returns the reason why the value is invalid.
pub fn check_value(value: &str) -> Result<(), LimitViolation> {
    let length = value.chars().count();
    if length > LONGEST_VALUE {
        return Err(LimitViolation::Length { found: length, least: 0, most: LONGEST_VALUE });
    }
    check_characters(value)
}

fn check_characters(text: &str) -> Result<(), LimitViolation> {
    let allowed = |c: &char| c.is_alphanumeric() || *c == ' ' || "_.:/=+-@".contains(*c);
    if let Some(other) = text.chars().find(|c| !allowed(c)) {
        return Err(LimitViolation::Character(other));
    }
    // Load balancers refuse it, and it is invisible in a console.
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(LimitViolation::Form("a space at an end"));
    }
    Ok(())
}

/// Checks all tags of an object of a kind with these limits.
///
/// # Errors
/// Returns the problem of the first invalid tag, or of their number.
pub fn check(limits: TagLimits, tags: &BTreeMap<String, String>) -> Result<(), TagBreach> {
    for (key, value) in tags {
        if is_reserved(key) {
            return Err(TagBreach::Reserved(key.clone()));
        }
        check_key(key).map_err(|breach| TagBreach::Key(key.clone(), breach))?;
        check_value(value).map_err(|breach| TagBreach::Value(key.clone(), breach))?;
    }
    if tags.len() > limits.most {
        return Err(TagBreach::Count { found: tags.len(), most: limits.most });
    }
    let mut keys = BTreeMap::new();
    for key in tags.keys().filter(|_| limits.ignores_case) {
        if let Some(first) = keys.insert(key.to_lowercase(), key) {
            return Err(TagBreach::Duplicate(first.clone(), key.clone()));
        }
    }
    Ok(())
}

/// The reason why tags are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagBreach {
    /// The key is reserved for AWS.
    #[error("the tag key `{0}` begins with `aws:`, which is reserved")]
    Reserved(String),
    /// The key is invalid.
    #[error("the tag key `{0}`: {1}")]
    Key(String, LimitViolation),
    /// The value is invalid.
    #[error("the value of the tag `{0}`: {1}")]
    Value(String, LimitViolation),
    /// There are too many.
    #[error("{found} tags, and {most} are the most")]
    Count {
        /// Number of tags.
        found: usize,
        /// Maximum number of tags.
        most: usize,
    },
    /// Two keys are the same to the service.
    #[error("the tag keys `{0}` and `{1}` differ in case alone")]
    Duplicate(String, String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: &[&str]) -> BTreeMap<String, String> {
        keys.iter().map(|key| ((*key).to_owned(), String::new())).collect()
    }

    #[test]
    fn keys_and_values_at_their_edges() {
        assert_eq!(check_key(&"k".repeat(128)), Ok(()));
        assert_eq!(check_key(&"ü".repeat(128)), Ok(()), "characters are counted, not bytes");
        assert_eq!(check_key(&"k".repeat(129)), Err(LimitViolation::Length { found: 129, least: 1, most: 128 }));
        assert_eq!(check_key(""), Err(LimitViolation::Length { found: 0, least: 1, most: 128 }));
        assert_eq!(check_value(""), Ok(()));
        assert_eq!(check_value(&"v".repeat(257)), Err(LimitViolation::Length { found: 257, least: 0, most: 256 }));
        assert_eq!(check_value("a_.:/=+-@ b"), Ok(()));
        for other in ['*', '\t', '\u{a0}', '"', ',', '{'] {
            assert_eq!(check_value(&format!("a{other}b")), Err(LimitViolation::Character(other)));
        }
        assert_eq!(check_value(" a"), Err(LimitViolation::Form("a space at an end")));
        assert_eq!(check_key("a "), Err(LimitViolation::Form("a space at an end")));
    }

    #[test]
    fn only_iam_takes_two_cases_for_one_key() {
        let two = tags(&["Team", "team"]);
        let iam = TagLimits { ignores_case: true, ..TagLimits::USUAL };
        assert_eq!(check(iam, &two), Err(TagBreach::Duplicate("Team".into(), "team".into())));
        assert_eq!(check(TagLimits::USUAL, &two), Ok(()));
    }

    #[test]
    fn how_many_there_may_be_depends_on_the_kind() {
        let some = |count: usize| (0..count).map(|n| (format!("k{n}"), String::new())).collect();
        assert_eq!(check(TagLimits::USUAL, &some(50)), Ok(()));
        assert_eq!(check(TagLimits::USUAL, &some(51)), Err(TagBreach::Count { found: 51, most: 50 }));
        let zone = TagLimits { most: MOST_ON_A_HOSTED_ZONE, ..TagLimits::USUAL };
        assert_eq!(check(zone, &some(10)), Ok(()));
        assert_eq!(check(zone, &some(11)), Err(TagBreach::Count { found: 11, most: 10 }));
    }

    #[test]
    fn reserved_keys_are_refused_in_any_case() {
        assert_eq!(check(TagLimits::USUAL, &tags(&["AWS:x"])), Err(TagBreach::Reserved("AWS:x".into())));
        assert_eq!(check(TagLimits::USUAL, &tags(&["awsx"])), Ok(()));
    }
}
