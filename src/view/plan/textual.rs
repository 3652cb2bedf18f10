//! Differences as lines.

use similar::{ChangeTag, TextDiff};

use crate::view::TextStyle;
use crate::view::line::{StyledLine, TextRole};
use crate::view::value::safe;

use super::difference::{AttributeDiff, DiffKind};

/// Number of context lines around a changed line.
const CONTEXT: usize = 3;
/// Maximum number of lines that are shown of an added or removed text.
const EXCERPT: usize = 20;

/// Returns the lines of one difference. `column` is the column of the values.
pub(super) fn lines(
    difference: &AttributeDiff,
    remark: Option<&str>,
    indent: usize,
    column: usize,
    style: TextStyle,
) -> Vec<StyledLine> {
    let name = StyledLine::at(indent).plain(&difference.name);
    let head = |values: StyledLine| {
        let line = name.clone().up_to(column);
        let line = if line.width() > column { line.plain("  ") } else { line };
        vec![with_remark(line.then(values), remark)]
    };
    let value = StyledLine::at(0);
    match &difference.what {
        DiffKind::Other { before, after } => {
            let pair = value.ink(TextRole::Removed, before).plain(" -> ").ink(TextRole::Added, after);
            if pair.width() + column <= style.width { head(pair) } else { two(&name, remark, indent, before, after) }
        }
        DiffKind::Added(after) => head(value.ink(TextRole::Added, format!("+ {after}"))),
        DiffKind::Removed(before) => head(value.ink(TextRole::Removed, format!("- {before}"))),
        DiffKind::Elements { removed, added } => below(&name, remark, elements(indent, removed, added)),
        DiffKind::Text { before, after } => below(&name, remark, text(indent, before, after, style)),
    }
}

fn two(name: &StyledLine, remark: Option<&str>, indent: usize, before: &str, after: &str) -> Vec<StyledLine> {
    below(name, remark, elements(indent, &[before.to_owned()], &[after.to_owned()]))
}

fn below(name: &StyledLine, remark: Option<&str>, rest: Vec<StyledLine>) -> Vec<StyledLine> {
    let mut lines = vec![with_remark(name.clone(), remark)];
    lines.extend(rest);
    lines
}

fn with_remark(line: StyledLine, remark: Option<&str>) -> StyledLine {
    match remark {
        Some(remark) => line.ink(TextRole::Faint, format!("  ({remark})")),
        None => line,
    }
}

fn elements(indent: usize, removed: &[String], added: &[String]) -> Vec<StyledLine> {
    let gone = removed.iter().map(|item| StyledLine::at(indent + 2).ink(TextRole::Removed, format!("- {item}")));
    let come = added.iter().map(|item| StyledLine::at(indent + 2).ink(TextRole::Added, format!("+ {item}")));
    gone.chain(come).collect()
}

fn text(indent: usize, before: &str, after: &str, style: TextStyle) -> Vec<StyledLine> {
    let one_sided = before.is_empty() || after.is_empty();
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push(StyledLine::at(indent + 2).ink(TextRole::Faint, "..."));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            lines.push(text_line(indent + 2, change.tag(), change.value()));
        }
    }
    if one_sided && !style.verbose && lines.len() > EXCERPT {
        let more = lines.len() - EXCERPT;
        lines.truncate(EXCERPT);
        lines.push(
            StyledLine::at(indent + 2).ink(TextRole::Faint, format!("... {more} more lines (--verbose shows them)")),
        );
    }
    lines
}

fn text_line(indent: usize, tag: ChangeTag, text: &str) -> StyledLine {
    let text = safe(&text.trim_end_matches(['\n', '\r']).replace('\t', "    "));
    let line = StyledLine::at(indent);
    match tag {
        ChangeTag::Equal => line.ink(TextRole::Faint, format!("  {text}")),
        ChangeTag::Delete => line.ink(TextRole::Removed, format!("- {text}")),
        ChangeTag::Insert => line.ink(TextRole::Added, format!("+ {text}")),
    }
}
