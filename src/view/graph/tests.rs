//! The layout of pictures: nothing overlaps, and no text leaves its box.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::layout::layout;
use super::scene::{Area, BoxRole, Scene, SceneBox};
use super::*;
use crate::analysis::diagram::{
    DiagramBalancer, DiagramGroup, DiagramMaster, DiagramService, DiagramVolume, DiagramZone, PartChange, PartCount,
};

const CHANGES: [PartChange; 6] = [
    PartChange::Unchanged,
    PartChange::Changed,
    PartChange::Replaced,
    PartChange::Created,
    PartChange::Deleted,
    PartChange::Refused,
];

fn overlap(a: Area, b: Area) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

fn contains(outer: Area, inner: Area) -> bool {
    outer.x <= inner.x && outer.y <= inner.y && inner.right() <= outer.right() && inner.bottom() <= outer.bottom()
}

fn is_ancestor(boxes: &[SceneBox], ancestor: usize, of: usize) -> bool {
    std::iter::successors(boxes[of].parent, |parent| boxes[*parent].parent).any(|parent| parent == ancestor)
}

/// Panics if boxes overlap, or a text leaves its box or covers something else.
fn check(scene: &Scene) {
    let whole = Area { x: 0, y: 0, width: scene.width, height: scene.height };
    for (number, own) in scene.boxes.iter().enumerate() {
        let outer = own.parent.map_or(whole, |parent| scene.boxes[parent].area);
        assert!(own.area.width > 0 && own.area.height > 0, "{own:?}");
        assert!(contains(outer, own.area), "{own:?} leaves {outer:?}");
        for (other_number, other) in scene.boxes.iter().enumerate().skip(number + 1) {
            // A load balancer lies over the columns of its zones.
            let roles = [own.role, other.role];
            let lies_over = roles.contains(&BoxRole::Zone) && is_balancer(&scene.boxes, number, other_number);
            let inside =
                is_ancestor(&scene.boxes, number, other_number) || is_ancestor(&scene.boxes, other_number, number);
            assert!(inside || lies_over || !overlap(own.area, other.area), "{own:?} overlaps {other:?}");
        }
    }
    for (number, text) in scene.texts.iter().enumerate() {
        let outer = text.parent.map_or(whole, |parent| scene.boxes[parent].area);
        assert!(contains(outer, text.area), "{text:?} leaves {outer:?}");
        for other in &scene.texts[number + 1..] {
            assert!(!overlap(text.area, other.area), "{text:?} covers {other:?}");
        }
        for own in scene.boxes.iter().enumerate().filter(|(number, _)| Some(*number) != text.parent) {
            let is_around = text.parent.is_some_and(|parent| is_ancestor(&scene.boxes, own.0, parent));
            let is_column = own.1.role == BoxRole::Zone;
            assert!(is_around || is_column || !overlap(text.area, own.1.area), "{text:?} covers {:?}", own.1);
        }
    }
}

/// Returns `true` if one of two boxes is a load balancer, or in one.
fn is_balancer(boxes: &[SceneBox], one: usize, other: usize) -> bool {
    let within = |number: usize| {
        let mut chain = std::iter::successors(Some(number), |number| boxes[*number].parent);
        chain.any(|number| boxes[number].role == BoxRole::Balancer)
    };
    within(one) || within(other)
}

fn title() -> PictureTitle {
    PictureTitle { name: "chat.poeticoding.com".to_owned(), subtitle: "us-east-1 · plan: 3 to create".to_owned() }
}

fn zone_name(number: usize) -> String {
    format!("us-east-1{}", char::from(b'a' + u8::try_from(number).unwrap()))
}

/// Returns a cluster of this size, in which every part has another change.
fn cluster(zones: usize, services: usize, name: &str, seed: usize) -> ClusterDiagram {
    let change = |number: usize| CHANGES[(number + seed) % CHANGES.len()];
    let names: Vec<String> = (0..zones).map(zone_name).collect();
    let count = |number: usize| {
        let count = |of: usize| u64::try_from((number * 7 + seed * of) % 11).unwrap();
        PartCount { before: count(1), after: count(2) }
    };
    let counts = |seed: usize| names.iter().enumerate().map(|(n, zone)| (zone.clone(), count(n + seed))).collect();
    let balancer = |number: usize| DiagramBalancer {
        names: (0..(number + seed) % 5).map(|n| (format!("{name}{n}.example.com"), change(n))).collect(),
        ports: vec!["80".to_owned(), "443 TLS".to_owned(), format!("{number} TCP/UDP")],
        is_public: number.is_multiple_of(2),
        zones: names.iter().enumerate().filter(|(n, _)| (n + number) % 3 < 2).map(|(_, zone)| zone.clone()).collect(),
        change: change(number),
    };
    let master = |number: usize| DiagramMaster {
        member: char::from(b'a' + u8::try_from(number).unwrap()).to_string(),
        zone: names[number % zones].clone(),
        size: format!("t3.medium → {name}"),
        change: change(number),
        volume: (number != 3)
            .then(|| DiagramVolume { text: format!("20 → 40 GiB gp3 {name}"), change: change(number + 1) }),
    };
    let service = |number: usize| DiagramService {
        name: format!("{name}-{number}"),
        image: format!("registry.example.com/{name}/image:{number}"),
        range: number.is_multiple_of(3).then_some((2, 10)),
        pods: counts(number),
        volumes: (0..number % 3).map(|n| format!("{n}0Gi")).collect(),
        balancer: number.is_multiple_of(2).then(|| balancer(number)),
        change: change(number),
    };
    ClusterDiagram {
        zones: names
            .iter()
            .enumerate()
            .map(|(number, zone)| DiagramZone {
                name: zone.clone(),
                cidr: Some(format!("172.20.{}.0/19", number * 32)),
                change: change(number),
            })
            .collect(),
        api: Some(balancer(1)),
        masters: (0..5).map(master).collect(),
        groups: (0..2)
            .map(|number| DiagramGroup {
                name: format!("{name}{number}"),
                size: "m6i.large".to_owned(),
                range: (number == 1).then_some((1, 40)),
                machines: counts(number),
                change: change(number),
            })
            .collect(),
        services: (0..services).map(service).collect(),
    }
}

#[test]
fn nothing_overlaps_at_any_number_of_zones_and_services() {
    for zones in 1..=9 {
        for services in [0, 1, 2, 7, 50] {
            check(&layout(&cluster(zones, services, "chat", zones + services), &title()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever names are like, texts stay in their boxes, and the formats stay well-formed.
    #[test]
    fn no_text_leaves_its_box(
        zones in 1_usize..=9,
        services in 0_usize..=12,
        seed in 0_usize..100,
        name in prop_oneof!["[a-z0-9.-]{0,80}", "[W@M…東京ñ<>&\"' ]{0,40}", "\\PC{0,30}"],
    ) {
        let diagram = cluster(zones, services, &name, seed);
        check(&layout(&diagram, &PictureTitle { name: name.clone(), subtitle: name.repeat(3) }));
        let picture = svg(&diagram, &title(), PictureTheme::Auto);
        let opened = picture.matches('<').count();
        prop_assert_eq!(opened, picture.matches('>').count());
        prop_assert!(picture.chars().all(|c| c == '\n' || !c.is_control()));
        let chart = mermaid(&diagram, &title());
        for line in chart.lines().skip(3).filter(|line| !line.contains("-->") && !line.contains("classDef")) {
            prop_assert!(line.matches('"').count().is_multiple_of(2) && line.matches('"').count() <= 2, "{line}");
        }
    }
}

#[test]
fn a_load_balancer_lies_over_each_run_of_its_zones() {
    let mut diagram = cluster(5, 0, "chat", 0);
    let api = diagram.api.as_mut().unwrap();
    api.zones = ["us-east-1a", "us-east-1b", "us-east-1d"].map(str::to_owned).into();
    let scene = layout(&diagram, &title());
    let bars: Vec<i32> =
        scene.boxes.iter().filter(|own| own.role == BoxRole::Balancer).map(|own| own.area.width).take(2).collect();
    assert_eq!(scene.connectors.len(), 2);
    assert!(bars[0] > 2 * bars[1], "{bars:?}");
}

#[test]
fn every_change_has_a_sign_and_its_meaning_in_the_legend() {
    let scene = layout(&cluster(6, 6, "chat", 0), &title());
    for change in CHANGES.into_iter().filter(|change| *change != PartChange::Unchanged) {
        let sign = scene::sign(change).unwrap();
        assert!(scene.texts.iter().any(|text| text.text == sign), "{sign}");
        assert!(scene.texts.iter().any(|text| text.text == scene::meaning(change)), "{sign}");
    }
    let signs: BTreeSet<_> = CHANGES.into_iter().filter_map(scene::sign).collect();
    assert_eq!(signs.len(), CHANGES.len() - 1);
}

#[test]
fn a_theme_has_only_its_own_colours() {
    let diagram = cluster(2, 1, "chat", 0);
    let [auto, light, dark] =
        [PictureTheme::Auto, PictureTheme::Light, PictureTheme::Dark].map(|theme| svg(&diagram, &title(), theme));
    assert!(auto.contains("prefers-color-scheme") && auto.contains("#0d1117") && auto.contains("#ffffff"));
    assert!(!light.contains("prefers-color-scheme") && !light.contains("#0d1117"));
    assert!(!dark.contains("prefers-color-scheme") && !dark.contains("#ffffff"));
}

#[test]
fn what_is_not_drawn_is_counted() {
    let mut diagram = cluster(1, 0, "chat", 0);
    diagram.groups[0].machines = BTreeMap::from([("us-east-1a".to_owned(), PartCount { before: 40, after: 40 })]);
    let scene = layout(&diagram, &title());
    assert!(scene.texts.iter().any(|text| text.text == "+35"), "{:?}", scene.texts);
    check(&scene);
}
