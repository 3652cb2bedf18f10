//! Finds what is still open at a place in HCL that does not parse: a rough scan of brackets,
//! strings, comments and heredocs, only for better messages.

use crate::spec::source::Span;

/// Brackets, strings and heredocs that are open at the end of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OpenBrackets {
    /// The innermost bracket.
    pub(super) bracket: Option<Span>,
    /// An unterminated string: it does not end on its line.
    pub(super) broken_string: Option<Span>,
    /// Start of an unterminated heredoc.
    pub(super) heredoc: Option<usize>,
}

/// Scans line by line, because strings end with their line.
pub(super) fn scan(text: &str) -> OpenBrackets {
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
                    return OpenBrackets { broken_string: Some(string), ..OpenBrackets::default() };
                }
                LineEnd::Heredoc(at) => {
                    heredoc = Some((at, text[at..start + line.len()].trim_start_matches(['<', '-']).trim()));
                }
                LineEnd::String(_) | LineEnd::Plain => {}
            }
        }
        start += line.len();
    }
    OpenBrackets { bracket: brackets.pop(), broken_string: None, heredoc: heredoc.map(|(at, _)| at) }
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
        assert_eq!(scan("a = \"[\" # (\n"), OpenBrackets::default());
        assert_eq!(scan("a = \"x\nb").broken_string, Some(4..6));
        assert_eq!(scan("a = \"\\\"\"\n"), OpenBrackets::default());
        assert_eq!(scan("a = <<-EOT\n {\n EOT\n"), OpenBrackets::default());
        assert_eq!(scan("a = <<EOT\n {\n").heredoc, Some(4));
    }
}
