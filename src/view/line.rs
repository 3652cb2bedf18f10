//! Lines of text with ink: what every renderer makes, and how they become a screen.

use anstyle::{AnsiColor, Effects, Style as Ansi};

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

/// A text in one ink, broken between words so that it fits.
pub(super) fn paragraph(indent: usize, ink: Ink, text: &str, style: Style) -> Vec<Line> {
    let room = style.width.saturating_sub(indent).max(20);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
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
        lines.extend(paragraph(indent, Ink::Plain, &super::value::safe(part), style));
    }
    let first = if lines.is_empty() { Line::default() } else { lines.remove(0) };
    lines.insert(0, Line::at(0).ink(ink, label).then(first));
    lines
}
