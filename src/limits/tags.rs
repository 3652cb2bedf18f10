//! Tags.
//!
//! Sources: "Tag your Amazon EC2 resources", "Tagging IAM resources" (keys are compared without case), "Tags for your
//! Network Load Balancers" (no space at an end), `ChangeTagsForResource` of Route 53 (ten tags on a hosted zone).

use std::collections::BTreeMap;

use super::Breach;

/// The most characters of a key.
pub const LONGEST_KEY: usize = 128;
/// The most characters of a value.
pub const LONGEST_VALUE: usize = 256;
/// The most tags on almost any resource.
pub const MOST: usize = 50;
/// The most tags on a hosted zone.
pub const MOST_ON_A_HOSTED_ZONE: usize = 10;
/// How the keys begin that belong to AWS.
pub const RESERVED: &str = "aws:";

/// Returns the most tags that a kind of object takes.
pub fn most(kind: &str) -> usize {
    if kind == "hosted-zone" { MOST_ON_A_HOSTED_ZONE } else { MOST }
}

/// Whether a kind's service takes two keys that differ in case alone for the same one.
pub fn ignores_case(kind: &str) -> bool {
    matches!(kind, "role" | "instance-profile")
}

/// Whether two keys are the same to a service that ignores their case.
pub fn same_key(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a key is one of AWS's own.
pub fn is_reserved(key: &str) -> bool {
    key.to_lowercase().starts_with(RESERVED)
}

/// Checks a key as every service takes it.
///
/// # Errors
/// What about it is wrong.
pub fn check_key(key: &str) -> Result<(), Breach> {
    let length = key.chars().count();
    if !(1..=LONGEST_KEY).contains(&length) {
        return Err(Breach::Length { found: length, least: 1, most: LONGEST_KEY });
    }
    check_characters(key)
}

/// Checks a value as every service takes it.
///
/// # Errors
/// What about it is wrong.
pub fn check_value(value: &str) -> Result<(), Breach> {
    let length = value.chars().count();
    if length > LONGEST_VALUE {
        return Err(Breach::Length { found: length, least: 0, most: LONGEST_VALUE });
    }
    check_characters(value)
}

fn check_characters(text: &str) -> Result<(), Breach> {
    let allowed = |c: &char| c.is_alphanumeric() || *c == ' ' || "_.:/=+-@".contains(*c);
    if let Some(other) = text.chars().find(|c| !allowed(c)) {
        return Err(Breach::Character(other));
    }
    // Load balancers refuse it, and nobody sees it in a console.
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Breach::Form("a space at an end"));
    }
    Ok(())
}

/// Checks all tags of an object of a kind.
///
/// # Errors
/// What is wrong with the first one that is, or with their number.
pub fn check(kind: &str, tags: &BTreeMap<String, String>) -> Result<(), TagBreach> {
    for (key, value) in tags {
        if is_reserved(key) {
            return Err(TagBreach::Reserved(key.clone()));
        }
        check_key(key).map_err(|breach| TagBreach::Key(key.clone(), breach))?;
        check_value(value).map_err(|breach| TagBreach::Value(key.clone(), breach))?;
    }
    if tags.len() > most(kind) {
        return Err(TagBreach::Count { found: tags.len(), most: most(kind) });
    }
    let mut seen = BTreeMap::new();
    for key in tags.keys().filter(|_| ignores_case(kind)) {
        if let Some(first) = seen.insert(key.to_lowercase(), key) {
            return Err(TagBreach::Duplicate(first.clone(), key.clone()));
        }
    }
    Ok(())
}

/// What is wrong with tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagBreach {
    /// The key is AWS's.
    #[error("the tag key `{0}` begins with `aws:`, which is reserved")]
    Reserved(String),
    /// The key is not one.
    #[error("the tag key `{0}`: {1}")]
    Key(String, Breach),
    /// The value is not one.
    #[error("the value of the tag `{0}`: {1}")]
    Value(String, Breach),
    /// There are too many.
    #[error("{found} tags, and {most} are the most")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Two keys are one.
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
        assert_eq!(check_key(&"k".repeat(129)), Err(Breach::Length { found: 129, least: 1, most: 128 }));
        assert_eq!(check_key(""), Err(Breach::Length { found: 0, least: 1, most: 128 }));
        assert_eq!(check_value(""), Ok(()));
        assert_eq!(check_value(&"v".repeat(257)), Err(Breach::Length { found: 257, least: 0, most: 256 }));
        assert_eq!(check_value("a_.:/=+-@ b"), Ok(()));
        for other in ['*', '\t', '\u{a0}', '"', ',', '{'] {
            assert_eq!(check_value(&format!("a{other}b")), Err(Breach::Character(other)));
        }
        assert_eq!(check_value(" a"), Err(Breach::Form("a space at an end")));
        assert_eq!(check_key("a "), Err(Breach::Form("a space at an end")));
    }

    #[test]
    fn only_iam_takes_two_cases_for_one_key() {
        let two = tags(&["Team", "team"]);
        assert_eq!(check("role", &two), Err(TagBreach::Duplicate("Team".into(), "team".into())));
        assert_eq!(check("instance-profile", &two), Err(TagBreach::Duplicate("Team".into(), "team".into())));
        assert_eq!(check("vpc", &two), Ok(()));
    }

    #[test]
    fn how_many_there_may_be_depends_on_the_kind() {
        let some = |count: usize| (0..count).map(|n| (format!("k{n}"), String::new())).collect();
        assert_eq!(check("vpc", &some(50)), Ok(()));
        assert_eq!(check("vpc", &some(51)), Err(TagBreach::Count { found: 51, most: 50 }));
        assert_eq!(check("hosted-zone", &some(10)), Ok(()));
        assert_eq!(check("hosted-zone", &some(11)), Err(TagBreach::Count { found: 11, most: 10 }));
    }

    #[test]
    fn reserved_keys_are_refused_in_any_case() {
        assert_eq!(check("vpc", &tags(&["AWS:x"])), Err(TagBreach::Reserved("AWS:x".into())));
        assert_eq!(check("vpc", &tags(&["awsx"])), Ok(()));
    }
}
