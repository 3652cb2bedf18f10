//! The layout of a picture: zones are columns, everything else is a row over them, with a card at its left.

mod legend;
pub(super) mod parts;

use crate::analysis::diagram::{ClusterDiagram, DiagramBalancer, DiagramMaster, DiagramService, PartChange, PartCount};
use crate::words;

use super::scene::{Area, BoxRole, Connector, Scene, TextKind, badge_width};
use parts::{CardText, PartKind};

/// The margin around the picture.
const MARGIN: i32 = 24;
/// The width of the cards at the left.
const CARD: i32 = 284;
/// The width of a zone.
const ZONE: i32 = 212;
/// The distance between columns, and between rows.
const GAP: i32 = 16;
/// The distance between the border of a box and what is in it.
const PADDING: i32 = 12;
/// The distance between boxes in a row.
const INNER: i32 = 8;
/// The height of a zone's heading.
const ZONE_HEAD: i32 = 48;
/// The height of a load balancer.
const BALANCER: i32 = 30;
/// The height of an etcd volume or a DNS name.
const CHIP: i32 = 26;
/// The height of a master.
const MASTER: i32 = 88;
/// The top of the zones: below the title.
const TOP: i32 = 84;

/// The words of a picture that are not in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureTitle {
    /// The name of the cluster.
    pub name: String,
    /// A line about the cluster, or about the plan.
    pub subtitle: String,
}

/// A zone's column.
struct Column {
    zone: String,
    /// The number of its box.
    number: usize,
    x: i32,
}

/// A picture that is being laid out, row by row.
struct Layout<'a> {
    diagram: &'a ClusterDiagram,
    scene: Scene,
    columns: Vec<Column>,
    /// The top of the next row.
    y: i32,
}

/// Returns the picture of a cluster.
pub(super) fn layout(diagram: &ClusterDiagram, title: &PictureTitle) -> Scene {
    let mut layout = Layout { diagram, scene: Scene::default(), columns: Vec::new(), y: TOP };
    layout.add_title(title);
    layout.add_zones();
    layout.add_control_plane();
    for group in &diagram.groups {
        let lines = vec![(TextKind::Detail, parts::machines(group)), (TextKind::Code, group.size.clone())];
        let card = CardText { title: format!("nodes {}", group.name), lines, names: &[], change: group.change };
        layout.add_row(&card, None, |layout, y| layout.add_counts(&group.machines, PartKind::Node(group.change), y));
    }
    for service in &diagram.services {
        layout.add_service(service);
    }
    layout.finish()
}

impl Layout<'_> {
    fn add_title(&mut self, title: &PictureTitle) {
        let zones = i32::try_from(self.diagram.zones.len()).unwrap_or(i32::MAX / 1_000);
        self.scene.width = 2 * MARGIN + CARD + zones * (GAP + ZONE);
        self.scene.title = format!("Cluster {}", title.name);
        self.scene.description.clone_from(&title.subtitle);
        let room = self.scene.width - 2 * MARGIN;
        self.scene.write((MARGIN, MARGIN), room, &title.name, TextKind::Title, None);
        self.scene.write((MARGIN, MARGIN + 31), room, &title.subtitle, TextKind::Detail, None);
    }

    fn add_zones(&mut self) {
        let mut x = MARGIN + CARD + GAP;
        for zone in &self.diagram.zones {
            let area = Area { x, y: TOP, width: ZONE, height: ZONE_HEAD };
            let number = self.scene.add(area, BoxRole::Zone, zone.change, None, &format!("zone {}", zone.name));
            let room = ZONE - 2 * PADDING - badge_width(zone.change);
            self.scene.write((x + PADDING, TOP + 8), room, &zone.name, TextKind::Name, Some(number));
            let subnet = zone.cidr.as_ref().map(|cidr| format!("subnet {cidr}")).unwrap_or_default();
            self.scene.write((x + PADDING, TOP + 27), room, &subnet, TextKind::Code, Some(number));
            self.columns.push(Column { zone: zone.name.clone(), number, x });
            x += ZONE + GAP;
        }
        self.y = TOP + ZONE_HEAD + 4;
    }

    fn add_control_plane(&mut self) {
        let diagram = self.diagram;
        let masters = words::count(diagram.masters.len(), "master");
        let api = diagram.api.as_ref();
        let names = api.map(|api| api.names.as_slice()).unwrap_or_default();
        let lines = vec![(TextKind::Detail, format!("control plane, {masters}"))];
        // The change of each master and of the load balancer is shown at its box.
        let card = CardText { title: "Kubernetes API".to_owned(), lines, names, change: PartChange::Unchanged };
        self.add_row(&card, api, |layout, y| {
            let mut bottom = y;
            for column in 0..layout.columns.len() {
                let mut y = y;
                let zone = layout.columns[column].zone.clone();
                for master in diagram.masters.iter().filter(|master| master.zone == zone) {
                    layout.add_master(master, column, y);
                    y += MASTER + INNER;
                }
                bottom = bottom.max(y - INNER);
            }
            bottom
        });
    }

    fn add_master(&mut self, master: &DiagramMaster, column: usize, y: i32) {
        let Column { number, x, .. } = self.columns[column];
        let area = Area { x: x + PADDING, y, width: ZONE - 2 * PADDING, height: MASTER };
        let name = format!("master {}", master.member);
        let hint = format!("{name}, {}", master.size);
        let own = self.scene.add(area, BoxRole::Cell, master.change, Some(number), &hint);
        let (left, room) = (area.x + PADDING, area.width - 2 * PADDING);
        self.scene.write((left, y + 8), room - badge_width(master.change), &name, TextKind::Name, Some(own));
        self.scene.write((left, y + 28), room, &master.size, TextKind::Code, Some(own));
        let Some(volume) = &master.volume else { return };
        let area = Area { x: left, y: area.bottom() - CHIP - 10, width: room, height: CHIP };
        let text = format!("etcd {}", volume.text);
        let chip = self.scene.add(area, BoxRole::Volume, volume.change, Some(own), &format!("etcd volume: {text}"));
        let room = room - 2 * INNER - badge_width(volume.change);
        self.scene.write((left + INNER, area.y + 5), room, &text, TextKind::Detail, Some(chip));
    }

    fn add_service(&mut self, service: &DiagramService) {
        let mut lines = vec![(TextKind::Code, service.image.clone()), (TextKind::Detail, parts::pods(service))];
        lines.extend(parts::volumes(service).map(|text| (TextKind::Detail, text)));
        let balancer = service.balancer.as_ref();
        let names = balancer.map(|balancer| balancer.names.as_slice()).unwrap_or_default();
        let card = CardText { title: format!("service {}", service.name), lines, names, change: service.change };
        self.add_row(&card, balancer, |layout, y| layout.add_counts(&service.pods, PartKind::Pod(service.change), y));
    }

    /// Adds a row: a card, a load balancer over the zones, and boxes in the zones. `add_boxes` gets their top and returns
    /// their bottom.
    fn add_row(
        &mut self,
        card: &CardText<'_>,
        balancer: Option<&DiagramBalancer>,
        add_boxes: impl FnOnce(&mut Self, i32) -> i32,
    ) {
        let top = self.y;
        let card = self.add_card(card, top);
        let below = match balancer {
            Some(balancer) => {
                self.add_balancer(balancer, top, card.right());
                top + BALANCER + INNER
            }
            None => top,
        };
        let bottom = add_boxes(self, below);
        self.y = bottom.max(card.bottom()).max(below) + GAP;
    }

    /// Adds a load balancer: one box over each run of neighbouring zones that it has an address in.
    fn add_balancer(&mut self, balancer: &DiagramBalancer, y: i32, from: i32) {
        let is_in = |column: &Column| balancer.zones.contains(&column.zone);
        let mut runs: Vec<(i32, i32)> = Vec::new();
        for column in self.columns.iter().filter(|column| is_in(column)) {
            let (start, end) = (column.x + INNER, column.x + ZONE - INNER);
            match runs.last_mut() {
                // What lies between two neighbours is a gap and two margins.
                Some((_, last)) if start - *last == GAP + 2 * INNER => *last = end,
                _ => runs.push((start, end)),
            }
        }
        let text = parts::balancer(balancer);
        let mut from = from;
        for (start, end) in runs {
            let area = Area { x: start, y, width: end - start, height: BALANCER };
            let number = self.scene.add(area, BoxRole::Balancer, balancer.change, None, &text);
            let room = area.width - 2 * PADDING - badge_width(balancer.change);
            self.scene.write((start + PADDING, y + 7), room, &text, TextKind::Detail, Some(number));
            self.scene.connectors.push(Connector { from, to: start, y: y + BALANCER / 2 });
            from = end;
        }
    }

    /// Adds the machines or pods of each zone. Returns their bottom.
    fn add_counts(&mut self, counts: &std::collections::BTreeMap<String, PartCount>, kind: PartKind, y: i32) -> i32 {
        let mut bottom = y;
        for column in 0..self.columns.len() {
            let count = counts.get(&self.columns[column].zone).copied().unwrap_or_default();
            if count.most() > 0 {
                bottom = bottom.max(self.add_count(count, kind, column, y));
            }
        }
        bottom
    }

    fn finish(mut self) -> Scene {
        let bottom = self.y;
        for column in &self.columns {
            self.scene.boxes[column.number].area.height = bottom - TOP;
        }
        self.y += GAP;
        self.add_legend();
        self.scene.height = self.y + MARGIN - GAP;
        self.scene
    }
}
