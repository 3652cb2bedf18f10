//! Tables of text: aligned columns, shortened where they do not fit the screen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::line::{StyledLine, TextRole};
use super::value;

/// Number of spaces between two columns.
const GAP: usize = 2;
/// Minimum width of a column that is shortened.
const NARROWEST: usize = 8;
/// Marks the place where a text is shortened.
const CUT: char = '…';

/// The part of a text that is left out if its column is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shorten {
    /// The column is never shortened: its texts are copied by users.
    Never,
    /// The end of the text is left out.
    End,
    /// The beginning of the text is left out.
    Start,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableColumn {
    /// Its title.
    pub(super) title: &'static str,
    /// The part of its texts that may be left out.
    pub(super) shorten: Shorten,
}

/// A table with a title above each column.
pub(super) struct TextTable<const N: usize> {
    columns: [TableColumn; N],
    rows: Vec<[(TextRole, String); N]>,
}

impl<const N: usize> TextTable<N> {
    /// Creates a table without rows.
    pub(super) fn new(columns: [TableColumn; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row. Control characters are escaped.
    pub(super) fn push(&mut self, row: [(TextRole, String); N]) {
        self.rows.push(row.map(|(role, text)| (role, value::safe(&text))));
    }

    /// Returns the titles and the rows. The widest columns are shortened until a line fits in `width` columns, as far as
    /// that is allowed.
    pub(super) fn lines(&self, width: usize) -> Vec<StyledLine> {
        let widths = self.widths(width);
        let titles = self.columns.map(|column| (TextRole::Faint, column.title.to_owned()));
        std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[(TextRole, String); N], widths: &[usize; N]) -> StyledLine {
        let mut line = StyledLine::at(0);
        let mut start = 0;
        for (((role, text), width), column) in row.iter().zip(widths).zip(&self.columns) {
            line = line.up_to(start).ink(*role, shortened(text, *width, column.shorten));
            start += width + GAP;
        }
        line
    }

    fn widths(&self, width: usize) -> [usize; N] {
        let mut widths = self.columns.map(|column| column.title.width());
        for row in &self.rows {
            for (widest, (_, text)) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(text.width());
            }
        }
        let least = self.columns.map(|column| column.title.width().max(NARROWEST));
        let room = width.saturating_sub(GAP * N.saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let wide = (0..N).filter(|at| self.columns[*at].shorten != Shorten::Never && widths[*at] > least[*at]);
            let Some(widest) = wide.max_by_key(|at| widths[*at]) else { break };
            widths[widest] -= 1;
        }
        widths
    }
}

/// Returns a text that takes at most `width` columns, if its column may be shortened.
fn shortened(text: &str, width: usize, shorten: Shorten) -> String {
    if shorten == Shorten::Never || text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    match shorten {
        Shorten::Start => {
            let kept: Vec<char> = fitting(text.chars().rev(), room);
            std::iter::once(CUT).chain(kept.into_iter().rev()).collect()
        }
        _ => fitting(text.chars(), room).into_iter().chain([CUT]).collect(),
    }
}

/// Returns the first characters that fit in `room` columns.
fn fitting(characters: impl Iterator<Item = char>, room: usize) -> Vec<char> {
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or_default();
        used <= room
    };
    characters.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::TextStyle;
    use crate::view::line::screen;

    fn table(rows: &[[&str; 3]]) -> TextTable<3> {
        let column = |title, shorten| TableColumn { title, shorten };
        let mut table = TextTable::new([
            column("NAME", Shorten::End),
            column("INSTANCE", Shorten::Never),
            column("ZONE", Shorten::Start),
        ]);
        for row in rows {
            table.push(row.map(|text| (TextRole::Plain, text.to_owned())));
        }
        table
    }

    fn shown(table: &TextTable<3>, width: usize) -> String {
        screen(&table.lines(width), TextStyle::default())
    }

    #[test]
    fn columns_are_aligned_below_their_titles() {
        let table = table(&[["a", "i-0123456789abcdef0", "us-east-1a"], ["workers", "-", "us-east-1b"]]);
        let expected = "\
NAME     INSTANCE             ZONE
a        i-0123456789abcdef0  us-east-1a
workers  -                    us-east-1b
";
        assert_eq!(shown(&table, 80), expected);
    }

    #[test]
    fn the_widest_column_is_shortened_first_and_an_identifier_never() {
        let table = table(&[["a-node-group-with-a-long-name", "i-0123456789abcdef0", "ap-southeast-2a"]]);
        assert!(
            shown(&table, 50).contains("\na-node-group-…  i-0123456789abcdef0  …southeast-2a\n"),
            "{}",
            shown(&table, 50)
        );
        assert!(shown(&table, 40).ends_with("\na-node-g…  i-0123456789abcdef0  …east-2a\n"), "{}", shown(&table, 40));
        let narrow = shown(&table, 10);
        assert!(narrow.contains("i-0123456789abcdef0"), "{narrow}");
    }

    #[test]
    fn wide_characters_and_control_characters_do_not_break_the_alignment() {
        let table = table(&[["東京東京東京", "i-1", "z\u{1b}"], ["a", "i-2", "b"]]);
        let expected = "\
NAME      INSTANCE  ZONE
東京東…   i-1       z\\u{1b}
a         i-2       b
";
        assert_eq!(shown(&table, 26), expected);
    }
}
