//! A cluster file's text, and the conversion of a byte offset to a line and a column.

use std::ops::Range;

/// A range of bytes in a [`SourceText`].
pub(super) type Span = Range<usize>;

/// A cluster file: the name that messages show, and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    name: String,
    text: String,
}

/// A place in a file, as editors count: both start at 1, and columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPosition {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl SourceText {
    /// Creates a source from a file's name and text. A byte order mark is dropped: editors do not show it.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned() }
    }

    /// Returns the file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the line and column of a byte offset; an offset past the end is the end.
    pub fn position(&self, offset: usize) -> TextPosition {
        let before = &self.text[..self.floor(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TextPosition { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }

    /// Returns the span cut to the text and widened to whole characters, so that it can be sliced.
    pub(super) fn clamp(&self, span: &Span) -> Span {
        let start = self.floor(span.start);
        let mut end = span.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        start..end
    }

    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = SourceText::new("f", "a\r\nüñx");
        let x = source.text().find('x').unwrap_or_default();
        assert_eq!(source.position(x), TextPosition { line: 2, column: 3 });
        assert_eq!(source.position(0), TextPosition { line: 1, column: 1 });
        assert_eq!(source.position(999), TextPosition { line: 2, column: 4 });
    }

    #[test]
    fn a_span_inside_a_character_is_widened() {
        let source = SourceText::new("f", "\u{feff}aé");
        assert_eq!(source.text(), "aé");
        assert_eq!(source.clamp(&(2..2)), 1..3);
        assert_eq!(source.clamp(&(50..60)), 3..3);
    }
}
