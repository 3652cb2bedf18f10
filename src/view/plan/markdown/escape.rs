//! Text in Markdown as GitHub renders it: nothing that a name or a message contains is formatting, HTML or a mention.

/// Characters with a meaning inside a line of Markdown.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '{', '}', '[', ']', '(', ')', '#', '|', '~', '!'];

/// Returns text as a code span that is safe in a table and in a line of text.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space separates backticks of the text from those around it, and GitHub removes one at each end.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Returns a sentence with every special character escaped. What stands between two backticks becomes a code span.
pub(super) fn text(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(&text);
    }
    let parts =
        parts.iter().enumerate().map(|(index, part)| if index.is_multiple_of(2) { plain(part) } else { code(part) });
    parts.collect()
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention would notify somebody: a comment ends the word.
            '@' => out.push_str("@<!-- -->"),
            c if SPECIAL.contains(&c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Returns text for inside an element of HTML.
pub(super) fn html(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns the lines in a block of code whose fence is longer than any run of backticks in it.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// Returns the beginning of a text that is longer than `most` characters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_formatting_nor_html_nor_a_mention() {
        assert_eq!(text("a_b*c <img src=x> @admin | [x](y) #1"), {
            "a\\_b\\*c &lt;img src=x&gt; @<!-- -->admin \\| \\[x\\]\\(y\\) \\#1"
        });
        assert_eq!(text("pass `--delete-data` to a|b"), "pass `--delete-data` to a\\|b");
        assert_eq!(text("one ` alone"), "one \\` alone");
        assert_eq!(html("</summary>\n<b>"), "&lt;/summary&gt; &lt;b&gt;");
    }

    #[test]
    fn a_code_span_survives_backticks_and_pipes() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("\n"), "");
        assert_eq!(fenced("diff", &["```".to_owned()]), "````diff\n```\n````\n");
    }

    #[test]
    fn a_long_text_is_clipped_between_characters() {
        assert_eq!((clipped("äöü", 3).as_str(), clipped("äöü", 2).as_str()), ("äöü", "äö…"));
    }
}
