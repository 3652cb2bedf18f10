//! Differences as lines.

use similar::{ChangeTag, TextDiff};

use crate::view::Style;
use crate::view::line::{Ink, Line};
use crate::view::value::safe;

use super::difference::{Difference, What};

/// How many lines around a changed one are shown.
const CONTEXT: usize = 3;
/// How many lines of a text that is wholly new or wholly gone are shown.
const EXCERPT: usize = 20;

/// The lines of one difference. `column` is where values start.
pub(super) fn lines(
    difference: &Difference,
    remark: Option<&str>,
    indent: usize,
    column: usize,
    style: Style,
) -> Vec<Line> {
    let name = Line::at(indent).plain(&difference.name);
    let head = |values: Line| {
        let line = name.clone().up_to(column);
        let line = if line.width() > column { line.plain("  ") } else { line };
        vec![with_remark(line.then(values), remark)]
    };
    let value = Line::at(0);
    match &difference.what {
        What::Other { before, after } => {
            let pair = value.ink(Ink::Removed, before).plain(" -> ").ink(Ink::Added, after);
            if pair.width() + column <= style.width { head(pair) } else { two(&name, remark, indent, before, after) }
        }
        What::Added(after) => head(value.ink(Ink::Added, format!("+ {after}"))),
        What::Removed(before) => head(value.ink(Ink::Removed, format!("- {before}"))),
        What::Elements { removed, added } => below(&name, remark, elements(indent, removed, added)),
        What::Text { before, after } => below(&name, remark, text(indent, before, after, style)),
    }
}

fn two(name: &Line, remark: Option<&str>, indent: usize, before: &str, after: &str) -> Vec<Line> {
    below(name, remark, elements(indent, &[before.to_owned()], &[after.to_owned()]))
}

fn below(name: &Line, remark: Option<&str>, rest: Vec<Line>) -> Vec<Line> {
    let mut lines = vec![with_remark(name.clone(), remark)];
    lines.extend(rest);
    lines
}

fn with_remark(line: Line, remark: Option<&str>) -> Line {
    match remark {
        Some(remark) => line.ink(Ink::Faint, format!("  ({remark})")),
        None => line,
    }
}

fn elements(indent: usize, removed: &[String], added: &[String]) -> Vec<Line> {
    let gone = removed.iter().map(|item| Line::at(indent + 2).ink(Ink::Removed, format!("- {item}")));
    let come = added.iter().map(|item| Line::at(indent + 2).ink(Ink::Added, format!("+ {item}")));
    gone.chain(come).collect()
}

fn text(indent: usize, before: &str, after: &str, style: Style) -> Vec<Line> {
    let one_sided = before.is_empty() || after.is_empty();
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push(Line::at(indent + 2).ink(Ink::Faint, "..."));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            lines.push(text_line(indent + 2, change.tag(), change.value()));
        }
    }
    if one_sided && !style.verbose && lines.len() > EXCERPT {
        let more = lines.len() - EXCERPT;
        lines.truncate(EXCERPT);
        lines.push(Line::at(indent + 2).ink(Ink::Faint, format!("... {more} more lines (--verbose shows them)")));
    }
    lines
}

fn text_line(indent: usize, tag: ChangeTag, text: &str) -> Line {
    let text = safe(&text.trim_end_matches(['\n', '\r']).replace('\t', "    "));
    let line = Line::at(indent);
    match tag {
        ChangeTag::Equal => line.ink(Ink::Faint, format!("  {text}")),
        ChangeTag::Delete => line.ink(Ink::Removed, format!("- {text}")),
        ChangeTag::Insert => line.ink(Ink::Added, format!("+ {text}")),
    }
}
