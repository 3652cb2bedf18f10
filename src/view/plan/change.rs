//! One change: its head, its reason, and its differences.

use unicode_width::UnicodeWidthStr;

use std::borrow::Cow;

use crate::engine::{
    Action, AttributeChange, Change, Comparison, DifferenceOrigin, Kind, KindRegistry, PlanMode, Reason,
};
use crate::resource::{MANIFEST, ResourceKinds};
use crate::view::line::{self, StyledLine, TextRole, paragraph};
use crate::view::{TextStyle, value};

use super::difference::{AttributeDiff, difference};
use super::section::{reason, sign};
use super::textual;

/// The column of the address.
const ADDRESS: usize = 4;
/// The indent of everything below the address.
const BODY: usize = 6;
/// Maximum length of names in the alignment of values: values of a longer name are not aligned.
const LONGEST_NAME: usize = 24;

/// Returns the first lines of each change of a group: sign, address, identifier.
pub(super) fn heads(group: &[&Change], mode: PlanMode, style: TextStyle) -> Vec<StyledLine> {
    let titles: Vec<String> = group.iter().map(|change| title(change)).collect();
    let column = line::column(ADDRESS, titles.iter().map(String::as_str));
    let head = |(change, title): (&&Change, &String)| {
        let (sign, ink) = sign(change.action, mode);
        let mut titles = line::names(BODY, TextRole::Strong, title, style).into_iter();
        let first = StyledLine::at(0).ink(ink, sign).plain(" ").then(titles.next().unwrap_or_default());
        let mut lines: Vec<StyledLine> = std::iter::once(first).chain(titles).collect();
        line::append(&mut lines, TextRole::Faint, &shown_id(change), column, style);
        lines
    };
    group.iter().zip(&titles).flat_map(head).collect()
}

/// Returns the identifier if it is more specific than the address.
fn shown_id(change: &Change) -> String {
    let id = change.id.as_deref().filter(|_| change.address.kind() != MANIFEST);
    id.map(value::short_id).unwrap_or_default()
}

fn title(change: &Change) -> String {
    value::safe(&change.address.to_string())
}

/// Returns everything below the head.
pub(super) fn body(change: &Change, shared_reason: bool, mode: PlanMode, style: TextStyle) -> Vec<StyledLine> {
    let mut lines = Vec::new();
    let special = matches!(
        change.reason,
        Reason::Fixed { .. }
            | Reason::Lost { .. }
            | Reason::Needed { .. }
            | Reason::Moved { .. }
            | Reason::Rejected { .. }
            | Reason::Duplicate { .. }
    );
    if !shared_reason || special {
        lines.extend(paragraph(BODY, TextRole::Faint, &why(change), style));
    }
    if let Some(lane) = &change.lane
        && change.action == Action::Roll
    {
        let text = format!("one machine at a time in all groups of `{}`", value::safe(lane));
        lines.extend(paragraph(BODY, TextRole::Faint, &text, style));
    }
    if change.loses_data {
        lines.extend(paragraph(BODY, TextRole::Danger, &loss(change), style));
    }
    if shows_attributes(change, mode, style) {
        lines.extend(attributes(change, mode, style));
    }
    lines
}

/// Returns the reason why the change of this object is made or refused.
fn why(change: &Change) -> String {
    match &change.reason {
        Reason::Fixed { attribute, instead } => {
            let title = kind_title(change);
            format!("the `{attribute}` of the {title} cannot be changed on a living cluster: {instead}")
        }
        other => reason(other),
    }
}

fn kind_title(change: &Change) -> &str {
    ResourceKinds.kind(change.address.kind()).map_or(change.address.kind(), |kind| kind.title)
}

/// Returns the consequences of the loss of the data.
fn loss(change: &Change) -> String {
    let title = kind_title(change);
    let id = change.id.as_deref().map(|id| format!(" {}", value::short_id(id))).unwrap_or_default();
    match change.action {
        Action::Replace => format!("The new {title} starts empty; the data on{id} is deleted permanently."),
        _ => format!("The {title} and its data are deleted permanently."),
    }
}

fn shows_attributes(change: &Change, mode: PlanMode, style: TextStyle) -> bool {
    match change.action {
        Action::Delete | Action::Adopt | Action::Wait => false,
        Action::Create => style.verbose && mode != PlanMode::Refresh,
        _ => true,
    }
}

fn attributes(change: &Change, mode: PlanMode, style: TextStyle) -> Vec<StyledLine> {
    let kind = ResourceKinds.kind(change.address.kind());
    let rows: Vec<(&AttributeChange, Vec<AttributeDiff>)> = change
        .attributes
        .iter()
        .filter(|attribute| style.verbose || is_shown(change, attribute))
        .map(|attribute| (attribute, shown(attribute, kind, mode, style)))
        .collect();
    let column = rows
        .iter()
        .flat_map(|(_, differences)| differences.iter().map(|difference| difference.name.width()))
        .filter(|width| *width <= LONGEST_NAME)
        .max()
        .unwrap_or_default();
    rows.iter()
        .flat_map(|(attribute, differences)| {
            let remark = remark(change, attribute);
            differences.iter().flat_map(move |difference| {
                let name_column = BODY + column + 2;
                textual::lines(difference, remark, BODY, name_column, style)
            })
        })
        .collect()
}

/// Returns `true` if no other attribute shows the same: of a refused change, only refused attributes count; that machines
/// roll to the version of their template is shown by that version.
fn is_shown(change: &Change, attribute: &AttributeChange) -> bool {
    let waits = |change: &AttributeChange| change.after.as_ref().is_some_and(|after| !after.is_known());
    let same = |other: &AttributeChange| {
        other.before == attribute.before && (other.after == attribute.after || (waits(other) && waits(attribute)))
    };
    match (change.action, attribute.name.as_str()) {
        (Action::Refuse, name) => attribute.action == Action::Refuse || names(&change.reason, name),
        // The key of a bootstrap file contains its hash.
        (_, "sha256") => !change.attributes.iter().any(|other| other.name == "key"),
        (Action::Roll, "machines") => !change.attributes.iter().any(|other| other.name == "version" && same(other)),
        _ => true,
    }
}

/// Returns the differences as they are shown: hashes are shortened unless the output is verbose.
fn shown(attribute: &AttributeChange, kind: Option<&Kind>, mode: PlanMode, style: TextStyle) -> Vec<AttributeDiff> {
    let mut attribute = in_direction(attribute, mode).into_owned();
    if !style.verbose {
        attribute.before = attribute.before.as_ref().map(value::abridged);
        attribute.after = attribute.after.as_ref().map(value::abridged);
    }
    difference(&attribute, form(kind, &attribute.name))
}

/// Returns the attribute in the direction of the mode. A plan goes from the current value to the desired one; a refresh
/// goes from the applied value to the current one.
fn in_direction(attribute: &AttributeChange, mode: PlanMode) -> Cow<'_, AttributeChange> {
    if mode != PlanMode::Refresh {
        return Cow::Borrowed(attribute);
    }
    let (before, after) = (attribute.after.clone(), attribute.before.clone());
    Cow::Owned(AttributeChange { before, after, ..attribute.clone() })
}

fn form(kind: Option<&Kind>, attribute: &str) -> Comparison {
    kind.map_or(Comparison::Plain, |kind| kind.attribute(attribute).form)
}

/// Returns a remark about one attribute beside its values, if it differs from the change as a whole.
fn remark(change: &Change, attribute: &AttributeChange) -> Option<&'static str> {
    if change.action == Action::Replace && attribute.action == Action::Replace {
        return Some("needs a new one");
    }
    if attribute.action == Action::Refuse && !names(&change.reason, &attribute.name) {
        return Some("cannot be changed either");
    }
    match (&change.reason, attribute.origin) {
        (Reason::FileAndDrift, DifferenceOrigin::Drift) => Some("changed outside"),
        (Reason::FileAndDrift, DifferenceOrigin::Both) => Some("changed outside, and in the file"),
        _ => None,
    }
}

/// Returns `true` if the reason names this attribute already.
fn names(reason: &Reason, attribute: &str) -> bool {
    matches!(reason, Reason::Fixed { attribute: named, .. } if named == attribute)
}
