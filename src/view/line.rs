//! Lines of text with ink: what every renderer makes, and how they become a screen.

use anstyle::{AnsiColor, Effects, Style as Ansi};

/// A name wider than this does not push what is told of all others to the right.
const WIDEST: usize = 40;
/// Where what does not fit beside a name starts below it.
const BELOW: usize = 8;

/// How a screen looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes may be used.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// Whether every attribute of what is created is shown.
    pub verbose: bool,
}

impl Default for Style {
    /// Without colour, 80 columns, short.
    fn default() -> Self {
        Self { color: false, width: 80, verbose: false }
    }
}

/// What a piece of text means; the colour follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Ordinary text.
    Plain,
    /// Names and titles.
    Strong,
    /// What can be skipped when reading.
    Faint,
    /// What comes.
    Added,
    /// What changes.
    Changed,
    /// What goes.
    Removed,
    /// Machines that are replaced.
    Rolled,
    /// What cannot be undone, or is refused.
    Danger,
    /// Nothing here is real.
    Sandbox,
}

/// One line: an indent, and pieces of text with their ink.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    indent: usize,
    pieces: Vec<(Ink, String)>,
}

impl Ink {
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

impl Line {
    /// An empty line with an indent.
    pub(super) fn at(indent: usize) -> Self {
        Self { indent, pieces: Vec::new() }
    }

    /// Adds ordinary text.
    pub(super) fn plain(self, text: impl Into<String>) -> Self {
        self.ink(Ink::Plain, text)
    }

    /// Adds text with a meaning.
    pub(super) fn ink(mut self, ink: Ink, text: impl Into<String>) -> Self {
        self.pieces.push((ink, text.into()));
        self
    }

    /// Adds spaces up to a column.
    pub(super) fn up_to(self, column: usize) -> Self {
        let gap = column.saturating_sub(self.width());
        self.plain(" ".repeat(gap))
    }

    /// How many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.indent + self.pieces.iter().map(|(_, text)| text.chars().count()).sum::<usize>()
    }

    /// The pieces of another line after this one's.
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

/// The lines as text.
pub(super) fn screen(lines: &[Line], style: Style) -> String {
    let mut out = String::new();
    for line in lines {
        line.write(style.color, &mut out);
    }
    out
}

/// How many columns there are behind an indent; a screen that is very narrow gets lines that are too long.
fn room(indent: usize, style: Style) -> usize {
    style.width.saturating_sub(indent).max(20)
}

/// A text in one ink, broken between words so that it fits.
pub(super) fn paragraph(indent: usize, ink: Ink, text: &str, style: Style) -> Vec<Line> {
    filled(indent, ink, text.split_whitespace(), style)
}

/// Names in one ink, broken between them, and behind a slash where one alone does not fit.
pub(super) fn names(indent: usize, ink: Ink, text: &str, style: Style) -> Vec<Line> {
    let room = room(indent, style);
    filled(indent, ink, text.split_whitespace().flat_map(|name| parts(name, room)), style)
}

/// A name in parts that fit; what has no slash in a good place stays whole.
fn parts(name: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = name;
    while rest.chars().count() > room {
        let end = rest.char_indices().nth(room).map_or(rest.len(), |(end, _)| end);
        let Some(slash) = rest[..end].rfind('/') else { break };
        let (part, more) = rest.split_at(slash + 1);
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// Adds a text to the last of some lines: at a column, right behind it, or below it, whichever fits first.
pub(super) fn tell(lines: &mut Vec<Line>, ink: Ink, told: &str, column: usize, style: Style) {
    let length = told.chars().count();
    match lines.last_mut() {
        _ if told.is_empty() => {}
        Some(last) if last.width() + 2 <= column && column + length <= style.width => {
            *last = last.clone().up_to(column).ink(ink, told);
        }
        Some(last) if last.width() + 2 + length <= style.width => {
            *last = last.clone().plain("  ").ink(ink, told);
        }
        _ => lines.extend(paragraph(BELOW, ink, told, style)),
    }
}

/// A name, and its identifier in a column or right behind it.
pub(super) fn identified(name: &str, id: &str, column: usize) -> Line {
    beside(Line::at(0).plain(name), id, column)
}

/// A line, and something in a column or right behind it: never broken, as it is there to be copied.
pub(super) fn beside(line: Line, told: &str, column: usize) -> Line {
    let line = if line.width() + 2 <= column { line.up_to(column) } else { line.plain("  ") };
    line.plain(told)
}

/// Where what is told of names starts, which start at `start` themselves. A very wide one does not push it to the right.
pub(super) fn column<'a>(start: usize, names: impl Iterator<Item = &'a str>) -> usize {
    let widths = names.map(|name| name.chars().count()).filter(|width| *width <= WIDEST);
    start + widths.max().unwrap_or_default() + 2
}

fn filled<'a>(indent: usize, ink: Ink, words: impl Iterator<Item = &'a str>, style: Style) -> Vec<Line> {
    let room = room(indent, style);
    let mut lines = vec![String::new()];
    for word in words {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.into_iter().map(|text| Line::at(indent).ink(ink, text)).collect()
}

/// A text behind a label; its further lines stand below its first.
pub(super) fn labelled(label: &str, ink: Ink, text: &str, style: Style) -> Vec<Line> {
    let indent = label.chars().count();
    let mut lines: Vec<Line> = Vec::new();
    for part in text.lines() {
        let part = part.trim_end();
        if part.starts_with(' ') && part.chars().count() <= room(indent, style) {
            // A place that is pointed at: spaces count.
            lines.push(Line::at(indent).plain(super::value::safe(part)));
            continue;
        }
        lines.extend(paragraph(indent, Ink::Plain, &super::value::safe(part), style));
    }
    let first = if lines.is_empty() { Line::default() } else { lines.remove(0) };
    lines.insert(0, Line::at(0).ink(ink, label).then(first));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[Line]) -> String {
        screen(lines, Style::default())
    }

    #[test]
    fn a_name_is_broken_behind_a_slash_and_only_if_it_must() {
        let long = format!("manifest/{}/{}", "a".repeat(60), "b".repeat(40));
        let lines = names(4, Ink::Plain, &format!("one/two {long}"), Style::default());
        assert_eq!(shown(&lines), format!("    one/two\n    manifest/{}/\n    {}\n", "a".repeat(60), "b".repeat(40)));
        let whole = "c".repeat(100);
        assert_eq!(shown(&names(0, Ink::Plain, &whole, Style::default())), format!("{whole}\n"));
    }

    #[test]
    fn a_caret_stays_below_what_it_points_at() {
        let text = "what is wrong:\n  key: [1\n       ^ here";
        let lines = labelled("error: ", Ink::Plain, text, Style::default());
        assert_eq!(shown(&lines), "error: what is wrong:\n         key: [1\n              ^ here\n");
    }

    #[test]
    fn what_is_told_stands_where_it_fits() {
        let at = |name: &str, told: &str| {
            let mut lines = vec![Line::at(2).plain(name)];
            tell(&mut lines, Ink::Faint, told, 12, Style::default());
            shown(&lines)
        };
        assert_eq!(at("vpc", "id"), "  vpc       id\n");
        assert_eq!(at("security-group", "id"), "  security-group  id\n");
        assert_eq!(at("vpc", &"x".repeat(74)), format!("  vpc\n        {}\n", "x".repeat(74)));
        assert_eq!(at("vpc", ""), "  vpc\n");
        assert_eq!(column(4, ["a", "four", &"w".repeat(41)].into_iter()), 10);
    }
}
