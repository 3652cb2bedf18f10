//! Tags, as AWS takes them.

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::source::Span;
use super::{Check, Rule};

pub(super) static RULES: [&Rule; 3] = [&RESERVED, &SHAPE, &COUNT];

/// AWS takes 50 tags; five are ours: `Name`, two of Quorate and two of Kubernetes.
const MOST: usize = 44;
const RESERVED_PREFIXES: [&str; 4] = ["aws:", "quorate.dev/", "kubernetes.io/", "$"];

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
        and `_ . : / = + - @`.",
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

pub(super) fn check(check: &mut Check) {
    let Some(tags) = &check.file.tags else { return };
    if tags.len() > MOST {
        let problem = check
            .at_key(&COUNT, &["tags"], format!("{} tags are too many", tags.len()))
            .note(format!("AWS takes 50 tags on a resource; {} are Quorate's own", 50 - MOST))
            .help(format!("keep {MOST} of them"));
        check.report(problem);
    }
    for (key, value) in tags {
        let span = check.tree.key_span(&["tags", key]);
        let value_span = check.tree.span(&["tags", key]);
        check.found.extend(key_problem(key, span).or_else(|| value_problem(key, value, value_span)));
    }
}

fn key_problem(key: &str, span: Span) -> Option<Diagnostic> {
    let lower = key.to_lowercase();
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix)) {
        return Some(
            Diagnostic::new(&RESERVED, span, format!("tags that start with `{prefix}` are reserved"))
                .help("use a prefix of your own, for example example.com/"),
        );
    }
    if key == "Name" {
        return Some(
            Diagnostic::new(&RESERVED, span, "the tag `Name` is set by Quorate, to each object's address")
                .help("use another key"),
        );
    }
    let length = key.chars().count();
    let problem = Diagnostic::new(&SHAPE, span, "AWS does not take this tag's key");
    if !(1..=128).contains(&length) {
        return Some(problem.label(format!("{length} characters; 1 to 128 are possible")));
    }
    forbidden(key).map(|c| problem.label(format!("{c:?} cannot stand in it")))
}

fn value_problem(key: &str, value: &str, span: Span) -> Option<Diagnostic> {
    let length = value.chars().count();
    let problem = Diagnostic::new(&SHAPE, span, format!("AWS does not take the value of the tag `{key}`"));
    if length > 256 {
        return Some(problem.label(format!("{length} characters; 256 are the most")));
    }
    forbidden(value).map(|c| problem.label(format!("{c:?} cannot stand in it")))
}

fn forbidden(text: &str) -> Option<char> {
    text.chars().find(|c| !c.is_alphanumeric() && *c != ' ' && !"_.:/=+-@".contains(*c))
}
