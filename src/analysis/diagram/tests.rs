//! The contents of a picture of a cluster.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::analysis::tests::{EXAMPLES, cluster, first_plan};

fn example(name: &str) -> &'static str {
    EXAMPLES.iter().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn the_parts_of_the_tutorial_are_in_their_zones() {
    let diagram = ClusterDiagram::after(&first_plan(&cluster(example("tutorial"))));
    let zones: Vec<&str> = diagram.zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(zones, ["us-east-1d", "us-east-1f"]);
    assert!(diagram.zones.iter().all(|zone| zone.cidr.is_some()));
    let masters: Vec<(&str, &str)> = diagram.masters.iter().map(|m| (m.member.as_str(), m.zone.as_str())).collect();
    assert_eq!(masters, [("a", "us-east-1d"), ("b", "us-east-1f"), ("c", "us-east-1d")]);
    assert!(diagram.masters.iter().all(|master| master.volume.is_some()));
    let machines: u64 = diagram.groups.iter().flat_map(|group| group.machines.values()).map(|count| count.after).sum();
    assert_eq!(machines, 2);
    let api = diagram.api.as_ref().unwrap();
    assert_eq!((api.zones.len(), api.is_public, api.ports.as_slice()), (2, true, &["443".to_owned()][..]));
    assert!(api.names.iter().any(|(name, _)| name == "api.chat.poeticoding.com"), "{:?}", api.names);
}

#[test]
fn services_have_their_pods_volumes_and_names() {
    let diagram = ClusterDiagram::after(&first_plan(&cluster(example("phoenix-chat-redis"))));
    for service in &diagram.services {
        assert!(!service.image.is_empty(), "{service:?}");
        assert!(service.pods.values().map(|count| count.after).sum::<u64>() > 0, "{service:?}");
    }
    let balanced: Vec<_> = diagram.services.iter().filter_map(|service| service.balancer.as_ref()).collect();
    assert!(balanced.iter().any(|balancer| balancer.ports == ["80"] && balancer.zones.len() == 3), "{balanced:?}");
}

#[test]
fn without_changes_nothing_is_marked_and_with_them_everything_is_new() {
    for (name, file) in EXAMPLES {
        let run = first_plan(&cluster(file));
        assert!(ClusterDiagram::after(&run).changes().is_empty(), "{name}");
        assert_eq!(ClusterDiagram::with_changes(&run).changes(), BTreeSet::from([PartChange::Created]), "{name}");
    }
}
