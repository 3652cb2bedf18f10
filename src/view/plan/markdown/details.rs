//! The changes of a plan as folded blocks of a `diff`, which GitHub shows in colour.

use std::collections::BTreeSet;

use crate::engine::{Address, PlanMode};
use crate::view::TextStyle;
use crate::view::line::{StyledLine, TextRole};
use crate::view::plan::section::SECTIONS;
use crate::view::plan::{PlanDocument, SectionText, causes, is_refused, section_text};
use crate::words;

use super::escape::html;
use super::page::LimitedPage;

/// Number of columns of the blocks: a comment of GitHub has room for them.
const WIDTH: usize = 100;
/// Number of columns with the sign of a change.
const SIGN: usize = 3;

/// Adds a folded block for each section of the plan. Changes that follow from a cause are in a block of their own at the end.
pub(super) fn push(document: &PlanDocument, verbose: bool, page: &mut LimitedPage) {
    let style = TextStyle { color: false, width: WIDTH, verbose };
    let following = causes::folded(document, style);
    let refused = is_refused(document);
    for section in SECTIONS.iter().filter(|section| verbose || !refused || section.refuses()) {
        let changes = document.plan.changes.iter().filter(|change| !following.contains(&change.address));
        if let Some(text) = section_text(section, changes, document.plan.mode, style) {
            let title = text.title.first().map(StyledLine::text).unwrap_or_default();
            page.push_folded(&summary(&title, text.changes), &lines(&text));
        }
    }
    if !following.is_empty() {
        push_following(document, &following, style, page);
    }
}

fn push_following(document: &PlanDocument, following: &BTreeSet<&Address>, style: TextStyle, page: &mut LimitedPage) {
    let texts = SECTIONS.iter().filter_map(|section| {
        let changes = document.plan.changes.iter().filter(|change| following.contains(&change.address));
        section_text(section, changes, PlanMode::Apply, style)
    });
    let lines: Vec<String> = texts.flat_map(|text| lines(&text)).collect();
    let title = "Boot files, launch templates, groups and add-ons, as they follow from the above";
    page.push_folded(&summary(title, following.len()), &lines);
}

fn summary(title: &str, changes: usize) -> String {
    format!("<b>{}</b> ({})", html(title), words::count(changes, "change"))
}

fn lines(text: &SectionText) -> Vec<String> {
    let explained = text.title.iter().skip(1).map(|line| format!("# {}", line.text()));
    explained.chain(text.body.iter().map(marked)).map(|line| line.trim_end().to_owned()).collect()
}

/// Returns a line of a plan as a line of a `diff`: its first column has the mark that gives it a colour.
fn marked(line: &StyledLine) -> String {
    let text = line.text();
    let mark = mark(line);
    let is_head = text.get(..SIGN).is_some_and(|sign| !sign.trim().is_empty());
    let rest = match (is_head, mark) {
        (true, ' ') => return format!(" {text}"),
        (true, _) => format!("{}{}", " ".repeat(SIGN - 1), &text[SIGN..]),
        (false, _) => text.get(1..).unwrap_or_default().to_owned(),
    };
    format!("{mark}{rest}")
}

/// Returns the mark of a line: added, removed, changed, or none.
fn mark(line: &StyledLine) -> char {
    let inks: Vec<TextRole> = line.pieces().map(|(ink, _)| ink).collect();
    let has = |role: TextRole| inks.contains(&role);
    let is_replaced = line.pieces().next().is_some_and(|(_, sign)| sign.trim() == "-/+");
    match (has(TextRole::Added), has(TextRole::Removed)) {
        _ if is_replaced => '!',
        (true, false) => '+',
        (false, true) => '-',
        (true, true) => '!',
        _ if has(TextRole::Changed) || has(TextRole::Rolled) || has(TextRole::Danger) => '!',
        _ => ' ',
    }
}
