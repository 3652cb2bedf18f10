//! Tags, as AWS takes them.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned};
use crate::limits::tags as limits;

pub(super) static RULES: [&Rule; 4] = [&RESERVED, &SHAPE, &COUNT, &SAME];

/// Maximum number of tags in a file. Six of an object's are ours: `Name`, up to four of Quorate's, one of Kubernetes'.
const MOST: usize = limits::MOST - 6;
const RESERVED_PREFIXES: [&str; 4] = [limits::RESERVED, "quorate.dev/", "kubernetes.io/", "$"];
/// The tag that the console shows as a resource's name.
const NAME: &str = "Name";

static RESERVED: Rule = Rule {
    code: "Q0231",
    severity: Error,
    title: "a reserved tag",
    explanation: "Tags that start with `aws:` belong to AWS, those of `kubernetes.io/` and \
        `quorate.dev/` say which cluster an object belongs to, and `Name` is the object's address. \
        If a file could set them, `destroy` could delete what is not the cluster's.",
    bad: "tags = { \"kubernetes.io/cluster/other\" = \"owned\" }",
    good: "tags = { \"example.com/cluster\" = \"other\" }",
};

static SHAPE: Rule = Rule {
    code: "Q0232",
    severity: Error,
    title: "a tag that AWS does not take",
    explanation: "A key has 1 to 128 characters and a value at most 256: letters, digits, spaces, \
        and `_ . : / = + - @`. A space cannot stand at an end.",
    bad: "tags = { \"cost*centre\" = \"42\" }",
    good: "tags = { \"cost-centre\" = \"42\" }",
};

static COUNT: Rule = Rule {
    code: "Q0233",
    severity: Error,
    title: "too many tags",
    explanation: "AWS takes 50 tags on a resource; six of them are Quorate's, so 44 are yours.",
    bad: "tags = { for i in range(46) : \"tag-${i}\" => \"x\" }",
    good: "tags = { for i in range(44) : \"tag-${i}\" => \"x\" }",
};

static SAME: Rule = Rule {
    code: "Q0234",
    severity: Error,
    title: "two tags that IAM takes for one",
    explanation: "IAM ignores the case of tag keys: it refuses a role with `Team` and `team`. Every object of the cluster \
        carries the same tags, and `Name`, so two keys have to differ in more than their case.",
    bad: "tags = {\n  Team = \"chat\"\n  team = \"platform\"\n}",
    good: "tags = {\n  team  = \"chat\"\n  owner = \"platform\"\n}",
};

pub(super) fn read(context: &mut LoweringContext) -> Result<BTreeMap<String, String>, ErrorReported> {
    let setting = &context.file.tags;
    let number = setting.given().map_or(0, BTreeMap::len);
    let few = if number > MOST { Err(context.error(too_many(number, setting.key()))) } else { Ok(()) };
    let mut keys: Vec<(&str, Span)> = Vec::new();
    let tags = context.map(setting, |context, key, value| {
        let tag = tag(context, key, value, &keys);
        keys.push((key, value.key.clone()));
        tag
    });
    few?;
    tags
}

fn too_many(number: usize, place: Span) -> Diagnostic {
    Diagnostic::new(&COUNT, place, format!("{number} tags are too many"))
        .note(format!("AWS takes {} tags on a resource; {} are Quorate's own", limits::MOST, limits::MOST - MOST))
        .help(format!("keep {MOST} of them"))
}

/// The value of a tag.
fn tag(
    context: &mut LoweringContext,
    key: &str,
    written: &Spanned<String>,
    others: &[(&str, Span)],
) -> Result<String, ErrorReported> {
    let value = written.value()?;
    let problem = key_problem(key, written.key.clone())
        .or_else(|| same_problem(key, &written.key, others))
        .or_else(|| value_problem(key, value, written.span.clone()));
    match problem {
        Some(problem) => Err(context.error(problem)),
        None => Ok(value.clone()),
    }
}

/// Returns the problem of a key that IAM takes for `Name`, or for another key of the file.
fn same_problem(key: &str, place: &Span, others: &[(&str, Span)]) -> Option<Diagnostic> {
    if limits::same_key(key, NAME) {
        let message = format!("IAM takes the tag `{key}` for `{NAME}`, which Quorate sets");
        return Some(Diagnostic::new(&SAME, place.clone(), message).help("use another key"));
    }
    let (other, one) = others.iter().find(|(other, _)| limits::same_key(key, other))?;
    let message = format!("IAM takes the tags `{other}` and `{key}` for one");
    let (first, second) = if one.start < place.start { (one, place) } else { (place, one) };
    Some(
        Diagnostic::new(&SAME, second.clone(), message)
            .label("differs in case alone")
            .related(first.clone(), "from this one")
            .help("keep one of them"),
    )
}

fn key_problem(key: &str, span: Span) -> Option<Diagnostic> {
    let lower = key.to_lowercase();
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix)) {
        return Some(
            Diagnostic::new(&RESERVED, span, format!("tags that start with `{prefix}` are reserved"))
                .help("use a prefix of your own, for example example.com/"),
        );
    }
    if key == NAME {
        return Some(
            Diagnostic::new(&RESERVED, span, "the tag `Name` is set by Quorate, to each object's address")
                .help("use another key"),
        );
    }
    let breach = limits::check_key(key).err()?;
    Some(Diagnostic::new(&SHAPE, span, "AWS does not take this tag's key").label(breach.to_string()))
}

fn value_problem(key: &str, value: &str, span: Span) -> Option<Diagnostic> {
    let breach = limits::check_value(value).err()?;
    let message = format!("AWS does not take the value of the tag `{key}`");
    Some(Diagnostic::new(&SHAPE, span, message).label(breach.to_string()))
}
