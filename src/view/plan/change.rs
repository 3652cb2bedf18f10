//! One change: its head, why it is made, and what differs.

use std::borrow::Cow;

use crate::engine::{Action, AttributeChange, Change, Form, Kind, Mode, Origin, Reason, Vocabulary};
use crate::resource::{Kinds, MANIFEST};
use crate::view::line::{self, Ink, Line, paragraph};
use crate::view::{Style, value};

use super::difference::{Difference, difference};
use super::section::{reason, sign};
use super::textual;

/// Where the address starts.
const ADDRESS: usize = 4;
/// Where everything below it starts.
const BODY: usize = 6;
/// A name longer than this does not push the values of all others to the right.
const LONGEST_NAME: usize = 24;

/// The first lines: sign, address, identifier; those of each change of a group.
pub(super) fn heads(group: &[&Change], mode: Mode, style: Style) -> Vec<Line> {
    let titles: Vec<String> = group.iter().map(|change| title(change)).collect();
    let column = line::column(ADDRESS, titles.iter().map(String::as_str));
    let head = |(change, title): (&&Change, &String)| {
        let (sign, ink) = sign(change.action, mode);
        let mut titles = line::names(BODY, Ink::Strong, title, style).into_iter();
        let first = Line::at(0).ink(ink, sign).plain(" ").then(titles.next().unwrap_or_default());
        let mut lines: Vec<Line> = std::iter::once(first).chain(titles).collect();
        line::tell(&mut lines, Ink::Faint, &told_id(change), column, style);
        lines
    };
    group.iter().zip(&titles).flat_map(head).collect()
}

/// The identifier, where it tells more than the address.
fn told_id(change: &Change) -> String {
    let id = change.id.as_deref().filter(|_| change.address.kind() != MANIFEST);
    id.map(value::short_id).unwrap_or_default()
}

fn title(change: &Change) -> String {
    value::safe(&change.address.to_string())
}

/// Everything below the head.
pub(super) fn body(change: &Change, shared_reason: bool, mode: Mode, style: Style) -> Vec<Line> {
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
        lines.extend(paragraph(BODY, Ink::Faint, &why(change), style));
    }
    if let Some(lane) = &change.lane
        && change.action == Action::Roll
    {
        let text = format!("one machine at a time in all groups of `{}`", value::safe(lane));
        lines.extend(paragraph(BODY, Ink::Faint, &text, style));
    }
    if change.loses_data {
        lines.extend(paragraph(BODY, Ink::Danger, &loss(change), style));
    }
    if shows_attributes(change, mode, style) {
        lines.extend(attributes(change, mode, style));
    }
    lines
}

/// Why the change is made or refused, of this object.
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
    Kinds.kind(change.address.kind()).map_or(change.address.kind(), |kind| kind.title)
}

/// What losing the data means, in words.
fn loss(change: &Change) -> String {
    let title = kind_title(change);
    let id = change.id.as_deref().map(|id| format!(" {}", value::short_id(id))).unwrap_or_default();
    match change.action {
        Action::Replace => format!("The new {title} starts empty; what is on{id} is lost for good."),
        _ => format!("The {title} goes with everything on it, for good."),
    }
}

fn shows_attributes(change: &Change, mode: Mode, style: Style) -> bool {
    match change.action {
        Action::Delete | Action::Adopt | Action::Wait => false,
        Action::Create => style.verbose && mode != Mode::Refresh,
        _ => true,
    }
}

fn attributes(change: &Change, mode: Mode, style: Style) -> Vec<Line> {
    let kind = Kinds.kind(change.address.kind());
    let rows: Vec<(&AttributeChange, Vec<Difference>)> = change
        .attributes
        .iter()
        .filter(|attribute| style.verbose || tells(change, attribute))
        .map(|attribute| (attribute, shown(attribute, kind, mode, style)))
        .collect();
    let column = rows
        .iter()
        .flat_map(|(_, differences)| differences.iter().map(|difference| difference.name.chars().count()))
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

/// Whether an attribute says something that no other one says: of a refused change only what is refused does, and that machines roll
/// to the version of their template is said by that version.
fn tells(change: &Change, attribute: &AttributeChange) -> bool {
    let waits = |change: &AttributeChange| change.after.as_ref().is_some_and(|after| !after.is_known());
    let same = |other: &AttributeChange| {
        other.before == attribute.before && (other.after == attribute.after || (waits(other) && waits(attribute)))
    };
    match (change.action, attribute.name.as_str()) {
        (Action::Refuse, name) => attribute.action == Action::Refuse || names(&change.reason, name),
        // The key of a file of machines holds its hash.
        (_, "sha256") => !change.attributes.iter().any(|other| other.name == "key"),
        (Action::Roll, "machines") => !change.attributes.iter().any(|other| other.name == "version" && same(other)),
        _ => true,
    }
}

/// What differs, as it is shown: hashes by their beginnings, unless everything is asked for.
fn shown(attribute: &AttributeChange, kind: Option<&Kind>, mode: Mode, style: Style) -> Vec<Difference> {
    let mut seen = seen(attribute, mode).into_owned();
    if !style.verbose {
        seen.before = seen.before.as_ref().map(value::abridged);
        seen.after = seen.after.as_ref().map(value::abridged);
    }
    difference(&seen, form(kind, &attribute.name))
}

/// The attribute as the reader looks at it. A plan goes from what is to what should be; a look at what changed outside
/// goes from what was applied to what is.
fn seen(attribute: &AttributeChange, mode: Mode) -> Cow<'_, AttributeChange> {
    if mode != Mode::Refresh {
        return Cow::Borrowed(attribute);
    }
    let (before, after) = (attribute.after.clone(), attribute.before.clone());
    Cow::Owned(AttributeChange { before, after, ..attribute.clone() })
}

fn form(kind: Option<&Kind>, attribute: &str) -> Form {
    kind.map_or(Form::Plain, |kind| kind.attribute(attribute).form)
}

/// What is to be said of one attribute beside its values: where it differs from the change as a whole.
fn remark(change: &Change, attribute: &AttributeChange) -> Option<&'static str> {
    if change.action == Action::Replace && attribute.action == Action::Replace {
        return Some("needs a new one");
    }
    if attribute.action == Action::Refuse && !names(&change.reason, &attribute.name) {
        return Some("cannot be changed either");
    }
    match (&change.reason, attribute.origin) {
        (Reason::FileAndDrift, Origin::Drift) => Some("changed outside"),
        (Reason::FileAndDrift, Origin::Both) => Some("changed outside, and in the file"),
        _ => None,
    }
}

/// Whether the reason speaks of this attribute already.
fn names(reason: &Reason, attribute: &str) -> bool {
    matches!(reason, Reason::Fixed { attribute: named, .. } if named == attribute)
}
