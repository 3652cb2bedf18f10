//! The parts of a row: its card, and the machines or pods of a zone.

use crate::analysis::diagram::{DiagramBalancer, DiagramGroup, DiagramService, PartChange, PartCount};
use crate::view::graph::scene::{Area, BoxRole, TextKind, badge_width, sign};
use crate::words;

use super::{CARD, CHIP, INNER, Layout, MARGIN, PADDING, ZONE};

/// The side of a node or a pod.
const SIDE: i32 = 20;
/// The distance between nodes or pods.
const BETWEEN: i32 = 6;
/// Maximum number of DNS names of a row.
const NAMES: usize = 3;

/// The text of a card.
pub(super) struct CardText<'a> {
    pub(super) title: String,
    pub(super) lines: Vec<(TextKind, String)>,
    /// DNS names, each in a box of its own.
    pub(super) names: &'a [(String, PartChange)],
    pub(super) change: PartChange,
}

/// A kind of equal parts, with the change of those that stay.
#[derive(Debug, Clone, Copy)]
pub(super) enum PartKind {
    Node(PartChange),
    Pod(PartChange),
}

impl PartKind {
    fn role(self) -> BoxRole {
        match self {
            Self::Node(_) => BoxRole::Node,
            Self::Pod(_) => BoxRole::Pod,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Node(_) => "node",
            Self::Pod(_) => "pod",
        }
    }

    /// Returns the change of the parts that are there before and after the plan.
    fn change(self) -> PartChange {
        match self {
            // Of a group or a deployment that is changed in place, the machines or pods stay as they are.
            Self::Node(change) | Self::Pod(change) if change == PartChange::Replaced => change,
            Self::Node(_) | Self::Pod(_) => PartChange::Unchanged,
        }
    }
}

impl Layout<'_> {
    /// Adds a card at the left. Returns its area.
    pub(super) fn add_card(&mut self, card: &CardText<'_>, y: i32) -> Area {
        let names: Vec<(String, PartChange)> = shown(card.names);
        let lines: Vec<&(TextKind, String)> = card.lines.iter().filter(|(_, text)| !text.is_empty()).collect();
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX / 1_000);
        let text = 28 + number(lines.len()) * 18;
        let height = text + number(names.len()) * (CHIP + BETWEEN) + if names.is_empty() { 6 } else { 10 };
        let area = Area { x: MARGIN, y, width: CARD, height };
        let hint = lines.iter().fold(card.title.clone(), |hint, (_, line)| format!("{hint}, {line}"));
        let own = self.scene.add(area, BoxRole::Card, card.change, None, &hint);
        let (left, room) = (MARGIN + PADDING, CARD - 2 * PADDING);
        self.scene.write((left, y + 8), room - badge_width(card.change), &card.title, TextKind::Name, Some(own));
        let mut below = y + 28;
        for (kind, line) in lines {
            self.scene.write((left, below), room, line, *kind, Some(own));
            below += 18;
        }
        below += 4;
        for (name, change) in names {
            let area = Area { x: left, y: below, width: room, height: CHIP };
            let chip = self.scene.add(area, BoxRole::Name, change, Some(own), &format!("DNS name {name}"));
            let room = room - 2 * INNER - badge_width(change);
            self.scene.write((left + INNER, below + 5), room, &name, TextKind::Code, Some(chip));
            below += CHIP + BETWEEN;
        }
        area
    }

    /// Adds the machines or pods of one zone. Returns their bottom.
    pub(super) fn add_count(&mut self, count: PartCount, kind: PartKind, column: usize, y: i32) -> i32 {
        let (number, x) = (self.columns[column].number, self.columns[column].x);
        let area = Area { x: x + PADDING, y, width: ZONE - 2 * PADDING, height: 60 };
        let text = number_of(count, kind.noun());
        let own = self.scene.add(area, BoxRole::Cell, PartChange::Unchanged, Some(number), &text);
        let (left, room) = (area.x + PADDING, area.width - 2 * PADDING);
        self.scene.write((left, y + 7), room, &text, TextKind::Detail, Some(own));
        let most = usize::try_from((room + BETWEEN) / (SIDE + BETWEEN)).unwrap_or(1);
        let total = usize::try_from(count.most()).unwrap_or(usize::MAX);
        // The last place has the number of those that are not drawn.
        let drawn = if total > most { most - 1 } else { total };
        let mut x = left;
        for part in 0..drawn {
            let change = change_of(part, count, kind);
            let area = Area { x, y: y + 30, width: SIDE, height: SIDE };
            let square = self.scene.add(area, kind.role(), change, Some(own), kind.noun());
            if let Some(sign) = sign(change) {
                self.scene.center(area, sign, TextKind::Sign, Some(square));
            }
            x += SIDE + BETWEEN;
        }
        if total > drawn {
            let more = format!("+{}", total - drawn);
            self.scene.write((x, y + 32), area.right() - PADDING - x, &more, TextKind::Detail, Some(own));
        }
        area.bottom()
    }
}

/// Returns the change of one of some equal parts: the first ones stay, the others are created or deleted.
fn change_of(part: usize, count: PartCount, kind: PartKind) -> PartChange {
    let part = u64::try_from(part).unwrap_or(u64::MAX);
    match (part < count.before, part < count.after) {
        (true, true) => kind.change(),
        (false, _) => PartChange::Created,
        (true, false) => PartChange::Deleted,
    }
}

/// Returns the number of parts: `2 pods`, `1 → 2 pods`; without the number before if there were none.
pub(in crate::view::graph) fn number_of(PartCount { before, after }: PartCount, noun: &str) -> String {
    let shown = words::count(usize::try_from(after).unwrap_or(usize::MAX), noun);
    if before == after || before == 0 { shown } else { format!("{before} → {shown}") }
}

/// Returns the first names, and the number of the others.
fn shown(names: &[(String, PartChange)]) -> Vec<(String, PartChange)> {
    let mut shown = names.to_vec();
    if shown.len() > NAMES {
        let more = shown.split_off(NAMES - 1);
        let change = more.iter().map(|(_, change)| *change).max().unwrap_or_default();
        shown.push((format!("and {} more names", more.len()), change));
    }
    shown
}

/// Returns the number of machines of a group.
pub(in crate::view::graph) fn machines(group: &DiagramGroup) -> String {
    let total = PartCount {
        before: group.machines.values().map(|count| count.before).sum(),
        after: group.machines.values().map(|count| count.after).sum(),
    };
    with_range(number_of(total, "node"), group.range)
}

/// Returns the number of pods of a service.
pub(in crate::view::graph) fn pods(service: &DiagramService) -> String {
    let total = PartCount {
        before: service.pods.values().map(|count| count.before).sum(),
        after: service.pods.values().map(|count| count.after).sum(),
    };
    with_range(number_of(total, "pod"), service.range)
}

fn with_range(number: String, range: Option<(u64, u64)>) -> String {
    match range {
        Some((min, max)) => format!("{number}, {min} to {max} by load"),
        None => number,
    }
}

/// Returns the volumes of a service.
pub(in crate::view::graph) fn volumes(service: &DiagramService) -> Option<String> {
    match service.volumes.as_slice() {
        [] => None,
        [only] => Some(format!("volume {only}")),
        many => Some(format!("volumes {}", many.join(", "))),
    }
}

/// Returns the description of a load balancer.
pub(in crate::view::graph) fn balancer(balancer: &DiagramBalancer) -> String {
    let internal = if balancer.is_public { "" } else { "internal " };
    match balancer.ports.as_slice() {
        [] => format!("{internal}network load balancer"),
        ports => format!("{internal}network load balancer · {}", ports.join(", ")),
    }
}
