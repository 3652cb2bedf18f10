//! A picture as boxes, texts and lines with whole coordinates, before it is written in any format.

use crate::analysis::diagram::PartChange;

use super::measure::{Typeface, fitted, width};

/// A picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The name of the picture.
    pub(super) title: String,
    /// The description of the picture, for readers who cannot see it.
    pub(super) description: String,
    pub(super) boxes: Vec<SceneBox>,
    pub(super) texts: Vec<SceneText>,
    pub(super) connectors: Vec<Connector>,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// The part of a cluster that a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BoxRole {
    /// A zone: a column below other boxes.
    Zone,
    /// A card beside the zones: what a row is about.
    Card,
    /// A master, or the machines or pods of a zone.
    Cell,
    /// An etcd volume.
    Volume,
    /// A load balancer.
    Balancer,
    /// A DNS name.
    Name,
    /// A node.
    Node,
    /// A pod.
    Pod,
    /// The sign of a change.
    Badge,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SceneBox {
    pub(super) area: Area,
    pub(super) role: BoxRole,
    pub(super) change: PartChange,
    /// The box that it is in.
    pub(super) parent: Option<usize>,
    /// Its text in full, shown beside the pointer.
    pub(super) hint: String,
}

/// The role of a text, which determines its font and its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// The name of the picture.
    Title,
    /// The name of a part.
    Name,
    /// A detail.
    Detail,
    /// An identifier: a DNS name, an address range, an image.
    Code,
    /// The sign of a change.
    Sign,
}

/// A text in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SceneText {
    /// The area that it may fill, estimated.
    pub(super) area: Area,
    pub(super) text: String,
    pub(super) kind: TextKind,
    /// The box that it is in; `None` for the picture.
    pub(super) parent: Option<usize>,
    /// `true` if it is centred in its area.
    pub(super) is_centered: bool,
}

/// A horizontal arrow from a card to a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connector {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) y: i32,
}

/// The height of a badge, and its distance from the corner of its box.
pub(super) const BADGE: (i32, i32) = (18, 5);

impl TextKind {
    /// Returns the font and its size.
    pub(super) fn font(self) -> (Typeface, i32) {
        match self {
            Self::Title => (Typeface::Bold, 20),
            Self::Name => (Typeface::Bold, 13),
            Self::Detail => (Typeface::Sans, 12),
            Self::Code => (Typeface::Mono, 12),
            Self::Sign => (Typeface::Bold, 12),
        }
    }

    /// Returns the height of a line.
    pub(super) fn line(self) -> i32 {
        self.font().1 * 4 / 3
    }
}

impl Area {
    /// Returns the first coordinate right of it.
    pub(super) fn right(self) -> i32 {
        self.x + self.width
    }

    /// Returns the first coordinate below it.
    pub(super) fn bottom(self) -> i32 {
        self.y + self.height
    }
}

impl Scene {
    /// Adds a box, with the sign of its change in its corner. Returns its number.
    pub(super) fn add(
        &mut self,
        area: Area,
        role: BoxRole,
        change: PartChange,
        parent: Option<usize>,
        hint: &str,
    ) -> usize {
        let number = self.boxes.len();
        self.boxes.push(SceneBox { area, role, change, parent, hint: hint.to_owned() });
        if let Some(sign) = sign(change).filter(|_| !matches!(role, BoxRole::Node | BoxRole::Pod)) {
            self.add_badge(area, sign, change, number);
        }
        number
    }

    fn add_badge(&mut self, area: Area, sign: &str, change: PartChange, parent: usize) {
        let (height, margin) = BADGE;
        let width = badge_width(change);
        let top = if area.height < height + 2 * margin { (area.height - height) / 2 } else { margin };
        let area = Area { x: area.right() - width - margin, y: area.y + top, width, height };
        let number = self.boxes.len();
        self.boxes.push(SceneBox { area, role: BoxRole::Badge, change, parent: Some(parent), hint: String::new() });
        self.center(area, sign, TextKind::Sign, Some(number));
    }

    /// Adds a text whose first line begins at a point. What is wider than the room loses its middle.
    pub(super) fn write(&mut self, at: (i32, i32), room: i32, text: &str, kind: TextKind, parent: Option<usize>) {
        let (typeface, size) = kind.font();
        let text = fitted(text, room, typeface, size);
        if text.is_empty() {
            return;
        }
        let area = Area { x: at.0, y: at.1, width: width(&text, typeface, size), height: kind.line() };
        self.texts.push(SceneText { area, text, kind, parent, is_centered: false });
    }

    /// Adds a text in the middle of an area.
    pub(super) fn center(&mut self, area: Area, text: &str, kind: TextKind, parent: Option<usize>) {
        let (typeface, size) = kind.font();
        let text = fitted(text, area.width, typeface, size);
        let width = width(&text, typeface, size);
        let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - kind.line()) / 2);
        let area = Area { x, y, width, height: kind.line() };
        self.texts.push(SceneText { area, text, kind, parent, is_centered: true });
    }
}

/// Returns the sign of a change, as a plan's text shows it.
pub(super) fn sign(change: PartChange) -> Option<&'static str> {
    match change {
        PartChange::Unchanged => None,
        PartChange::Changed => Some("~"),
        PartChange::Replaced => Some("~>"),
        PartChange::Created => Some("+"),
        PartChange::Deleted => Some("-"),
        PartChange::Refused => Some("!"),
    }
}

/// Returns the meaning of a change.
pub(super) fn meaning(change: PartChange) -> &'static str {
    match change {
        PartChange::Unchanged => "unchanged",
        PartChange::Changed => "changed in place",
        PartChange::Replaced => "replaced",
        PartChange::Created => "created",
        PartChange::Deleted => "deleted",
        PartChange::Refused => "refused",
    }
}

/// Returns the width of a change's badge; 0 without one.
pub(super) fn badge_width(change: PartChange) -> i32 {
    let (typeface, size) = TextKind::Sign.font();
    sign(change).map_or(0, |sign| (width(sign, typeface, size) + 8).max(BADGE.0))
}
