//! The legend below a picture.

use crate::analysis::diagram::PartChange;
use crate::view::graph::measure::width;
use crate::view::graph::scene::{Area, BADGE, BoxRole, TextKind, badge_width, meaning, sign};

use super::{GAP, Layout, MARGIN};

/// The height of a line of the legend.
const LINE: i32 = 26;
/// The width and height of the sample of a box.
const SAMPLE: (i32, i32) = (18, 18);
/// The width of the sample of a wide box.
const WIDE_SAMPLE: i32 = 30;

/// An entry: the sample of a box, or the sign of a change.
enum Entry {
    Box(BoxRole),
    Change(PartChange),
}

impl Layout<'_> {
    /// Adds the legend: the boxes that need one, and the changes that occur.
    pub(super) fn add_legend(&mut self) {
        let mut entries = vec![
            (Entry::Box(BoxRole::Balancer), "load balancer"),
            (Entry::Box(BoxRole::Volume), "etcd volume"),
            (Entry::Box(BoxRole::Node), "node"),
        ];
        if !self.diagram.services.is_empty() {
            entries.push((Entry::Box(BoxRole::Pod), "pod"));
        }
        entries.extend(self.diagram.changes().into_iter().map(|change| (Entry::Change(change), meaning(change))));
        let mut x = MARGIN;
        for (entry, text) in entries {
            let (typeface, size) = TextKind::Detail.font();
            let sample = match entry {
                Entry::Box(role) => sample_width(role),
                Entry::Change(change) => badge_width(change),
            };
            let needed = sample + 7 + width(text, typeface, size);
            if x > MARGIN && x + needed > self.scene.width - MARGIN {
                x = MARGIN;
                self.y += LINE;
            }
            self.add_sample(&entry, x);
            let room = self.scene.width - MARGIN - x - sample - 7;
            self.scene.write((x + sample + 7, self.y + 1), room, text, TextKind::Detail, None);
            x += needed + 20;
        }
        self.y += LINE;
        if !self.diagram.services.is_empty() {
            let text = "Pods are drawn evenly spread; Kubernetes may place them differently.";
            self.scene.write((MARGIN, self.y), self.scene.width - 2 * MARGIN, text, TextKind::Detail, None);
            self.y += LINE;
        }
        self.y += GAP - 6;
    }

    fn add_sample(&mut self, entry: &Entry, x: i32) {
        let area = Area { x, y: self.y, width: SAMPLE.0, height: SAMPLE.1 };
        match entry {
            Entry::Box(role) => {
                let area = Area { width: sample_width(*role), ..area };
                self.scene.add(area, *role, PartChange::Unchanged, None, "");
            }
            Entry::Change(change) => {
                let area = Area { width: badge_width(*change), height: BADGE.0, ..area };
                // A badge has no sign of its own change in its corner: it is one.
                let number = self.scene.add(area, BoxRole::Node, *change, None, "");
                self.scene.center(area, sign(*change).unwrap_or_default(), TextKind::Sign, Some(number));
            }
        }
    }
}

fn sample_width(role: BoxRole) -> i32 {
    match role {
        BoxRole::Balancer | BoxRole::Volume => WIDE_SAMPLE,
        _ => SAMPLE.0,
    }
}
