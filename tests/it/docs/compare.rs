//! Comparison of a shown output with the output of a run.

use std::sync::LazyLock;

use regex::Regex;

/// The line that stands for any lines.
const OMITTED: &str = "…";
/// What only the sandbox prints.
static OF_SANDBOX: LazyLock<Regex> = LazyLock::new(|| {
    let lines = r"(?m)^SANDBOX  a simulated cloud: nothing here is real\n|^note: nothing answers at \S+: the sandbox runs no\s+Kubernetes\n";
    Regex::new(lines).expect("a pattern")
});

/// What differs between two runs, or between the account of a page and the sandbox.
static VARIES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b(i|ami|vpc|lt|subnet)-[0-9a-f]{8,17}\b", "$1-ID"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?( UTC|Z|\+0000)?", "TIME"),
        (r"^Account  \d{12},", "Account  ACCOUNT,"),
        (r"^(\s+by \S+ on) .*$", "$1 HOST"),
        (r"/\S*/home/|/home/ada/", "HOME/"),
    ]
    .map(|(pattern, with)| (Regex::new(pattern).expect("a pattern"), with))
    .into()
});

fn comparable(line: &str) -> String {
    let mut line = line.trim_end().to_owned();
    for (pattern, with) in VARIES.iter() {
        line = pattern.replace_all(&line, *with).into_owned();
    }
    line
}

/// Returns `true` if an output is the shown one; a line `…` stands for any lines.
pub(super) fn is_shown<S: AsRef<str>>(shown: &[S], output: &str) -> bool {
    let shown: Vec<String> = trimmed(shown.iter().map(|line| comparable(line.as_ref())));
    let output = OF_SANDBOX.replace_all(output, "");
    let output: Vec<String> = trimmed(output.lines().map(comparable));
    let parts: Vec<&[String]> = shown.split(|line| line == OMITTED).collect();
    let [first, rest @ ..] = parts.as_slice() else { return false };
    if rest.is_empty() {
        return output == *first;
    }
    let Some(mut open) = output.strip_prefix(*first) else { return false };
    let (last, middle) = rest.split_last().expect("it is not empty");
    for part in middle {
        let Some(found) = find(part, open) else { return false };
        open = &open[found + part.len()..];
    }
    open.ends_with(last)
}

/// Returns `true` if the lines are a part of an output.
pub(super) fn is_part<S: AsRef<str>>(shown: &[S], output: &str) -> bool {
    let omitted = std::iter::once(OMITTED);
    let lines = shown.iter().map(AsRef::as_ref);
    let whole: Vec<&str> = omitted.clone().chain(lines).chain(omitted).collect();
    is_shown(&whole, output)
}

fn find(part: &[String], lines: &[String]) -> Option<usize> {
    (0..=lines.len().checked_sub(part.len())?).find(|&start| lines[start..].starts_with(part))
}

/// Returns lines without the empty ones at both ends.
fn trimmed(lines: impl Iterator<Item = String>) -> Vec<String> {
    let lines: Vec<String> = lines.collect();
    let is_full = |line: &String| !line.is_empty();
    let first = lines.iter().position(is_full).unwrap_or(lines.len());
    let end = lines.iter().rposition(is_full).map_or(first, |last| last + 1);
    lines[first..end].to_vec()
}

#[test]
fn an_output_is_compared_line_by_line() {
    let output =
        "SANDBOX  a simulated cloud: nothing here is real\nAccount  123456789012, us-east-1\n\none\ntwo\nthree\n";
    assert!(is_shown(&["Account  111122223333, us-east-1", "", "one", "two", "three"], output));
    assert!(is_shown(&["…", "two", "three"], output) && is_shown(&["…", "one", "…", "three"], output));
    assert!(is_shown(&["Account  111122223333, us-east-1", "…"], output));
    assert!(is_part(&["one", "two"], output) && is_part(&["one", "…", "three"], output));
    for wrong in
        [&["one", "two", "three"][..], &["…", "two"], &["…", "two", "one", "…"], &["…", "three", "…", "one"], &[]]
    {
        assert!(!is_shown(wrong, output), "{wrong:?}");
    }
    assert!(!is_part(&["two", "one"], output) && !is_part(&["tw"], output));
    assert!(is_shown(&["until 2026-11-22 21:00:00 UTC, 1 h"], "until 2026-11-30 20:17:18 UTC, 1 h"));
}
