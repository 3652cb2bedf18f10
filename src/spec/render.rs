//! Renders problems as text, in the style of rustc.

use unicode_width::UnicodeWidthStr;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Severity};
use super::source::SourceText;

/// Renders problems with their places: file, line, caret, expected values, fixes.
///
/// Pure: the caller decides about colour and width, and prints.
pub fn render(diagnostics: &[Diagnostic], source: &SourceText, color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[report(diagnostic, source, width)]));
        text.push_str("\n\n");
    }
    text
}

fn report<'a>(diagnostic: &'a Diagnostic, source: &'a SourceText, width: usize) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::INFO.with_name(diagnostic.severity.name()),
    };
    level
        .primary_title(&diagnostic.message)
        .id(diagnostic.code)
        .element(snippet(diagnostic, source, width))
        .elements(far_label(diagnostic, width).map(|label| Level::NOTE.message(wrap(label, width))))
        .elements(expected(diagnostic, width).map(|text| Level::NOTE.message(text)))
        .elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(wrap(note, width))))
        .elements(diagnostic.help.iter().map(|help| Level::HELP.message(wrap(help, width))))
}

fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    source: &'a SourceText,
    width: usize,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    // The message may come from another source than the one it is shown with (a test, a caller's
    // mistake): a span outside the text would be a panic.
    let label = diagnostic.label.as_deref().filter(|_| far_label(diagnostic, width).is_none());
    let primary = AnnotationKind::Primary.span(source.clamp(&diagnostic.span)).label(label);
    let context =
        diagnostic.related.iter().map(|(span, label)| AnnotationKind::Context.span(source.clamp(span)).label(label));
    Snippet::source(source.text()).path(source.name()).annotation(primary).annotations(context)
}

/// Returns the label beside the caret if it does not fit there.
fn far_label(diagnostic: &Diagnostic, width: usize) -> Option<&str> {
    const GUTTER: usize = 7;
    let label = diagnostic.label.as_deref()?;
    let end = GUTTER + diagnostic.column + diagnostic.span.len();
    (end + label.width() > width).then_some(label)
}

fn expected(diagnostic: &Diagnostic, width: usize) -> Option<String> {
    let set = match diagnostic.expected.as_slice() {
        [] => return None,
        [only] => format!("expected {only}"),
        several => format!("expected one of: {}", several.join(", ")),
    };
    Some(wrap(&set, width))
}

/// Breaks a message between words, leaving room for the gutter and the level's name.
fn wrap(text: &str, width: usize) -> String {
    let room = width.saturating_sub(14).max(30);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        lines.extend(wrap_line(paragraph, room));
    }
    lines.join("\n")
}

/// Breaks a line between words, and indents what follows like its beginning.
pub(super) fn wrap_line(text: &str, room: usize) -> Vec<String> {
    // Samples keep their spaces.
    if text.width() <= room {
        return vec![text.to_owned()];
    }
    let indent = &text[..text.len() - text.trim_start().len()];
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// Returns the words of a line; `name = value` is one word, because the user types it as a whole.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joined = false;
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if joined || word == "=" => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        joined = word == "=";
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_not_broken() {
        let text = "add the port that it listens on: port = 4000 and more";
        assert_eq!(wrap_line(text, 42), ["add the port that it listens on:", "port = 4000 and more"]);
    }
}
