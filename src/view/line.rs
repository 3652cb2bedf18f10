//! Lines of text with ink: the output of every renderer, and its conversion to a screen.

use unicode_width::UnicodeWidthStr;

use anstyle::{AnsiColor, Effects, Style as Ansi};

/// Maximum width of names in the alignment of columns: text beside a wider name is not aligned.
const WIDEST: usize = 40;
/// The indent of text that does not fit beside a name and is put below it.
const BELOW: usize = 8;

/// The style of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// `true` if escape codes may be used.
    pub color: bool,
    /// Number of columns.
    pub width: usize,
    /// `true` if every attribute of new objects is shown.
    pub verbose: bool,
}

impl Default for TextStyle {
    /// Returns the style without colour, with 80 columns, not verbose.
    fn default() -> Self {
        Self { color: false, width: 80, verbose: false }
    }
}

/// The meaning of a piece of text, which determines its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRole {
    /// Ordinary text.
    Plain,
    /// Names and titles.
    Strong,
    /// Details that can be skipped.
    Faint,
    /// Additions.
    Added,
    /// Changes in place.
    Changed,
    /// Deletions.
    Removed,
    /// Machines that are replaced.
    Rolled,
    /// Changes that cannot be undone, or are refused.
    Danger,
    /// A notice that nothing is real.
    Sandbox,
}

/// One line: an indent, and pieces of text with their ink.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StyledLine {
    indent: usize,
    pieces: Vec<(TextRole, String)>,
}

impl TextRole {
    fn ansi(self) -> Ansi {
        let color = |color: AnsiColor| Ansi::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => Ansi::new(),
            Self::Strong => Ansi::new().effects(Effects::BOLD),
            Self::Faint => Ansi::new().effects(Effects::DIMMED),
            Self::Added => color(AnsiColor::Green),
            Self::Changed => color(AnsiColor::Yellow),
            Self::Removed => color(AnsiColor::Red),
            Self::Rolled => color(AnsiColor::Cyan),
            Self::Danger => color(AnsiColor::Red).effects(Effects::BOLD),
            Self::Sandbox => color(AnsiColor::Magenta).effects(Effects::BOLD),
        }
    }
}

impl StyledLine {
    /// Creates an empty line with an indent.
    pub(super) fn at(indent: usize) -> Self {
        Self { indent, pieces: Vec::new() }
    }

    /// Adds ordinary text.
    pub(super) fn plain(self, text: impl Into<String>) -> Self {
        self.ink(TextRole::Plain, text)
    }

    /// Adds text with a meaning.
    pub(super) fn ink(mut self, ink: TextRole, text: impl Into<String>) -> Self {
        self.pieces.push((ink, text.into()));
        self
    }

    /// Adds spaces up to a column.
    pub(super) fn up_to(self, column: usize) -> Self {
        let gap = column.saturating_sub(self.width());
        self.plain(" ".repeat(gap))
    }

    /// Returns the number of columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.indent + self.pieces.iter().map(|(_, text)| text.width()).sum::<usize>()
    }

    /// Returns its text without ink, with its indent.
    pub(super) fn text(&self) -> String {
        let pieces: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        format!("{}{pieces}", " ".repeat(self.indent))
    }

    /// Returns its pieces of text with their ink.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (TextRole, &str)> {
        self.pieces.iter().map(|(ink, text)| (*ink, text.as_str()))
    }

    /// Appends the pieces of another line.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    fn write(&self, color: bool, out: &mut String) {
        let start = out.len();
        out.push_str(&" ".repeat(self.indent));
        for (ink, text) in &self.pieces {
            let ansi = ink.ansi();
            if color && ansi != Ansi::new() && !text.is_empty() {
                out.push_str(&ansi.render().to_string());
                out.push_str(text);
                out.push_str(&ansi.render_reset().to_string());
            } else {
                out.push_str(text);
            }
        }
        let end = start + out[start..].trim_end().len();
        out.truncate(end);
        out.push('\n');
    }
}

/// Returns the lines as text.
pub(super) fn screen(lines: &[StyledLine], style: TextStyle) -> String {
    let mut out = String::new();
    for line in lines {
        line.write(style.color, &mut out);
    }
    out
}

/// Returns the number of columns after an indent; on a very narrow screen, lines are too long.
fn room(indent: usize, style: TextStyle) -> usize {
    style.width.saturating_sub(indent).max(20)
}

/// Wraps a text in one ink between words.
pub(super) fn paragraph(indent: usize, ink: TextRole, text: &str, style: TextStyle) -> Vec<StyledLine> {
    filled(indent, ink, text.split_whitespace(), style)
}

/// Returns lines of a log: not wrapped, so that they can be copied.
pub(super) fn quoted<'a>(indent: usize, lines: impl IntoIterator<Item = &'a str>) -> Vec<StyledLine> {
    let line = |line: &str| StyledLine::at(indent).ink(TextRole::Faint, super::value::safe(&line.replace('\t', " ")));
    lines.into_iter().map(line).collect()
}

/// Wraps names in one ink between them, and after a slash if one name alone does not fit.
pub(super) fn names(indent: usize, ink: TextRole, text: &str, style: TextStyle) -> Vec<StyledLine> {
    let room = room(indent, style);
    filled(indent, ink, text.split_whitespace().flat_map(|name| parts(name, room)), style)
}

/// Splits a name into parts that fit; a name without a slash in a good place is not split.
fn parts(name: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = name;
    while rest.width() > room {
        let end = rest.char_indices().nth(room).map_or(rest.len(), |(end, _)| end);
        let Some(slash) = rest[..end].rfind('/') else { break };
        let (part, more) = rest.split_at(slash + 1);
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// Adds a text to the last of some lines: at a column, directly behind it, or below it, whichever fits first.
pub(super) fn append(lines: &mut Vec<StyledLine>, ink: TextRole, text: &str, column: usize, style: TextStyle) {
    let length = text.width();
    match lines.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.width() + 2 <= column && column + length <= style.width => {
            *last = last.clone().up_to(column).ink(ink, text);
        }
        Some(last) if last.width() + 2 + length <= style.width => {
            *last = last.clone().plain("  ").ink(ink, text);
        }
        _ => lines.extend(paragraph(BELOW, ink, text, style)),
    }
}

/// Returns a line with a name, and its identifier in a column or directly behind it.
pub(super) fn identified(name: &str, id: &str, column: usize) -> StyledLine {
    beside(StyledLine::at(0).plain(name), id, column)
}

/// Adds a text to a line, in a column or directly behind it: never wrapped, so that it can be copied.
pub(super) fn beside(line: StyledLine, text: &str, column: usize) -> StyledLine {
    let line = if line.width() + 2 <= column { line.up_to(column) } else { line.plain("  ") };
    line.plain(text)
}

/// Returns the column of the text beside names that start at `start`. Very wide names are ignored.
pub(super) fn column<'a>(start: usize, names: impl Iterator<Item = &'a str>) -> usize {
    let widths = names.map(UnicodeWidthStr::width).filter(|width| *width <= WIDEST);
    start + widths.max().unwrap_or_default() + 2
}

fn filled<'a>(indent: usize, ink: TextRole, words: impl Iterator<Item = &'a str>, style: TextStyle) -> Vec<StyledLine> {
    let room = room(indent, style);
    let mut lines = vec![String::new()];
    for word in words {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.into_iter().map(|text| StyledLine::at(indent).ink(ink, text)).collect()
}

/// Returns a text behind a label; its further lines are aligned with its first.
pub(super) fn labelled(label: &str, ink: TextRole, text: &str, style: TextStyle) -> Vec<StyledLine> {
    let indent = label.width();
    let mut lines: Vec<StyledLine> = Vec::new();
    for part in text.lines() {
        let part = part.trim_end();
        if part.starts_with(' ') && part.width() <= room(indent, style) {
            // An indented part, such as a marked position: its spaces are kept.
            lines.push(StyledLine::at(indent).plain(super::value::safe(part)));
            continue;
        }
        lines.extend(paragraph(indent, TextRole::Plain, &super::value::safe(part), style));
    }
    let first = if lines.is_empty() { StyledLine::default() } else { lines.remove(0) };
    lines.insert(0, StyledLine::at(0).ink(ink, label).then(first));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[StyledLine]) -> String {
        screen(lines, TextStyle::default())
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let line = StyledLine::at(0).plain("東京").up_to(6).plain("x");
        assert_eq!((line.width(), shown(&[line]).as_str()), (7, "東京  x\n"));
        assert_eq!(column(0, ["東京", "abc"].into_iter()), 6);
    }

    #[test]
    fn a_name_is_broken_behind_a_slash_and_only_if_it_must() {
        let long = format!("manifest/{}/{}", "a".repeat(60), "b".repeat(40));
        let lines = names(4, TextRole::Plain, &format!("one/two {long}"), TextStyle::default());
        assert_eq!(shown(&lines), format!("    one/two\n    manifest/{}/\n    {}\n", "a".repeat(60), "b".repeat(40)));
        let whole = "c".repeat(100);
        assert_eq!(shown(&names(0, TextRole::Plain, &whole, TextStyle::default())), format!("{whole}\n"));
    }

    #[test]
    fn a_caret_stays_below_what_it_points_at() {
        let text = "what is wrong:\n  key: [1\n       ^ here";
        let lines = labelled("error: ", TextRole::Plain, text, TextStyle::default());
        assert_eq!(shown(&lines), "error: what is wrong:\n         key: [1\n              ^ here\n");
    }

    #[test]
    fn notes_are_placed_where_they_fit() {
        let at = |name: &str, text: &str| {
            let mut lines = vec![StyledLine::at(2).plain(name)];
            append(&mut lines, TextRole::Faint, text, 12, TextStyle::default());
            shown(&lines)
        };
        assert_eq!(at("vpc", "id"), "  vpc       id\n");
        assert_eq!(at("security-group", "id"), "  security-group  id\n");
        assert_eq!(at("vpc", &"x".repeat(74)), format!("  vpc\n        {}\n", "x".repeat(74)));
        assert_eq!(at("vpc", ""), "  vpc\n");
        assert_eq!(column(4, ["a", "four", &"w".repeat(41)].into_iter()), 10);
    }
}
