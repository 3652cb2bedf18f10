//! Finds what is still open at a place in HCL that does not parse: a rough reading of brackets,
//! strings, comments and heredocs, only for better messages.

use crate::spec::source::Span;

/// What is open at the end of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    /// The innermost bracket.
    pub(super) bracket: Option<Span>,
    /// A string that does not end on its line.
    pub(super) broken_string: Option<Span>,
    /// Where a heredoc starts that does not end.
    pub(super) heredoc: Option<usize>,
}

/// Reads line by line, because that is how strings end.
pub(super) fn scan(text: &str) -> Open {
    let mut brackets: Vec<Span> = Vec::new();
    let mut heredoc: Option<(usize, &str)> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((_, delimiter)) = heredoc {
            if line.trim() == delimiter {
                heredoc = None;
            }
        } else {
            let complete = line.ends_with('\n');
            match scan_line(line, start, &mut brackets) {
                LineEnd::String(string) if complete => {
                    return Open { broken_string: Some(string), ..Open::default() };
                }
                LineEnd::Heredoc(at) => {
                    heredoc = Some((at, text[at..start + line.len()].trim_start_matches(['<', '-']).trim()));
                }
                LineEnd::String(_) | LineEnd::Plain => {}
            }
        }
        start += line.len();
    }
    Open { bracket: brackets.pop(), broken_string: None, heredoc: heredoc.map(|(at, _)| at) }
}

enum LineEnd {
    Plain,
    String(Span),
    Heredoc(usize),
}

fn scan_line(line: &str, start: usize, brackets: &mut Vec<Span>) -> LineEnd {
    let mut string: Option<usize> = None;
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        let place = start + at;
        match (string, character) {
            (Some(_), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(_), '"') if !escaped => string = None,
            (None, '"') => string = Some(place),
            (None, '#') => break,
            (None, '/') if line[at..].starts_with("//") => break,
            (None, '<') if line[at..].starts_with("<<") => return LineEnd::Heredoc(place),
            (None, '{' | '[' | '(') => brackets.push(place..place + 1),
            (None, '}' | ']' | ')') => drop(brackets.pop()),
            _ => {}
        }
        escaped = false;
    }
    let end = start + line.trim_end().len();
    string.map_or(LineEnd::Plain, |opened| LineEnd::String(opened..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_open() {
        assert_eq!(scan("a = [1, {b = 2}\n").bracket, Some(4..5));
        assert_eq!(scan("a = \"[\" # (\n"), Open::default());
        assert_eq!(scan("a = \"x\nb").broken_string, Some(4..6));
        assert_eq!(scan("a = \"\\\"\"\n"), Open::default());
        assert_eq!(scan("a = <<-EOT\n {\n EOT\n"), Open::default());
        assert_eq!(scan("a = <<EOT\n {\n").heredoc, Some(4));
    }
}
