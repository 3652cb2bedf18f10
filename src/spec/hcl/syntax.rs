//! Explains why HCL does not parse.

use hcl_edit::parser::Error;

use super::brackets;
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::source::Span;

/// Returns the parser's error as a diagnostic, with a fix for common mistakes.
pub(super) fn explain(text: &str, error: &Error) -> Diagnostic {
    let offset = offset(text, error);
    let cause = error.message();
    if cause.contains("redefined") {
        return redefined(text, offset);
    }
    let open = brackets::scan(text.get(..offset).unwrap_or_default());
    if let Some(start) = open.heredoc.filter(|_| cause.contains("heredoc end delimiter")) {
        return heredoc(text, start);
    }
    if let Some(string) = open.broken_string {
        return Diagnostic::new(&file::SYNTAX, string, "this is not HCL: a string is not closed")
            .help("a string ends on the line where it starts: add the closing `\"`");
    }
    unexpected(text, offset, cause, open.bracket)
}

fn unexpected(text: &str, offset: usize, cause: &str, open: Option<Span>) -> Diagnostic {
    let found = found(text, offset);
    let message = format!("this is not HCL: unexpected {}", name(found));
    let expected = expectations(cause);
    let mut problem = Diagnostic::new(&file::SYNTAX, offset..offset + found.len(), message);
    let closing = |word: &String| matches!(word.as_str(), "`}`" | "`]`" | "`)`");
    if let Some(open) = open.filter(|_| found.is_empty() || expected.iter().any(closing))
        && text.get(open.start..offset).is_some_and(|between| between.contains('\n'))
    {
        problem = problem.related(open, "this is not closed");
    }
    let problem = problem.expected(expected);
    match hint(text, offset, found) {
        Some(hint) => problem.help(hint),
        None => problem,
    }
}

/// Returns the offset of the error. At the end of the file, the parser's offset is one byte too small.
fn offset(text: &str, error: &Error) -> usize {
    let offset = error.location().offset();
    let at_end = text.get(offset..).is_some_and(|rest| rest.trim().is_empty());
    if at_end && error.location().column() > 1 { text.len() } else { offset }
}

/// Returns the word or the character at an offset; nothing at the end of the file.
fn found(text: &str, offset: usize) -> &str {
    let rest = text.get(offset..).unwrap_or_default();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    match rest.chars().next() {
        None => "",
        Some(first) if word(first) => {
            let end = rest.char_indices().take(40).find(|(_, c)| !word(*c));
            let most = rest.char_indices().nth(40).map_or(rest.len(), |(at, _)| at);
            &rest[..end.map_or(most, |(at, _)| at)]
        }
        Some(first) => &rest[..first.len_utf8()],
    }
}

fn name(found: &str) -> String {
    match found {
        "" => "end of the file".to_owned(),
        "\n" | "\r" => "end of the line".to_owned(),
        "\0" => "NUL character".to_owned(),
        other if other.chars().all(char::is_control) => "control character".to_owned(),
        other => format!("`{other}`"),
    }
}

fn redefined(text: &str, offset: usize) -> Diagnostic {
    let rest = text.get(offset..).unwrap_or_default();
    let key = rest.split(['=', ':', '\n']).next().unwrap_or_default().trim_end();
    let message = format!("`{}` is defined twice", key.trim_matches('"'));
    Diagnostic::new(&file::DUPLICATE, offset..offset + key.len(), message).help("keep one of them")
}

fn heredoc(text: &str, start: usize) -> Diagnostic {
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let delimiter = line.trim_start_matches(['<', '-']).trim();
    let span = start..start + line.len();
    Diagnostic::new(&file::SYNTAX, span, "this is not HCL: a heredoc is not closed")
        .help(format!("write `{delimiter}` on a line of its own where the text ends"))
}

/// Returns the list after "expected", for example of "invalid attribute; expected `=` or newline".
fn expectations(cause: &str) -> Vec<String> {
    let Some((_, set)) = cause.split_once("expected ") else {
        return Vec::new();
    };
    let set = set.split(';').next().unwrap_or(set).replace(" or ", ", ");
    set.split(", ").filter(|word| *word != "token").map(plain).collect()
}

fn plain(expectation: &str) -> String {
    match expectation {
        "eof" => "the end of the file",
        "newline" | "`\\n`" => "a new line",
        "identifier" => "a name",
        other => other,
    }
    .to_owned()
}

fn hint(text: &str, offset: usize, found: &str) -> Option<&'static str> {
    let line = text.get(..offset)?.rsplit('\n').next().unwrap_or_default();
    match found {
        "," if line.contains('{') => Some("a block on one line holds one setting: put each setting on its own line"),
        "," => Some("settings are separated by new lines, not by commas"),
        ":" => Some("HCL writes `name = value`"),
        "'" => Some("HCL strings are in double quotes"),
        "[" if line.trim().is_empty() => {
            Some("this is TOML syntax: name the file .toml, or write a block: masters { … }")
        }
        "{" if line.trim().is_empty() => {
            Some("this is JSON syntax: HCL writes `name = value`, without braces around all of it")
        }
        _ => None,
    }
}
