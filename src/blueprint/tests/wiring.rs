//! References, order and tags, for any cluster.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::clusters::{all, any_cluster, objects, tutorial};
use crate::engine::{Address, KindRegistry, Object, TextInput};
use crate::resource::{
    AutoScalingGroup, CLUSTER_TAG, LaunchTemplate, OBJECT_TAG, Resource, ResourceKinds, RouteTable, tags_of,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_reference_names_an_object_and_one_of_its_outputs(cluster in any_cluster()) {
        let objects = objects(cluster);
        let addresses: BTreeSet<_> = objects.iter().map(|object| &object.address).collect();
        for object in &objects {
            for reference in object.references() {
                prop_assert!(addresses.contains(&reference.address), "{} needs {reference}", object.address);
                let kind = ResourceKinds.kind(reference.address.kind()).unwrap();
                let declared = kind.outputs.iter().any(|output| output.name == reference.output);
                prop_assert!(declared, "{} needs {reference}", object.address);
            }
            for address in &object.depends_on {
                prop_assert!(addresses.contains(address), "{} comes after {address}", object.address);
            }
        }
    }

    #[test]
    fn there_is_an_order(cluster in any_cluster()) {
        let objects = objects(cluster);
        let mut waiting: BTreeMap<_, _> = objects.iter().map(|object| (object.address.clone(), object.needs())).collect();
        while !waiting.is_empty() {
            let ready: Vec<Address> = waiting
                .iter()
                .filter(|(_, needs)| needs.iter().all(|need| !waiting.contains_key(need)))
                .map(|(address, _)| address.clone())
                .collect();
            prop_assert!(!ready.is_empty(), "a circle among {:?}", waiting.keys());
            waiting.retain(|address, _| !ready.contains(address));
        }
    }

    #[test]
    fn addresses_are_unique_and_sorted(cluster in any_cluster()) {
        let objects = objects(cluster);
        prop_assert!(objects.windows(2).all(|pair| pair[0].address < pair[1].address));
    }

    #[test]
    fn what_can_carry_tags_carries_ours(cluster in any_cluster()) {
        let name = cluster["name"].as_str().unwrap().to_owned();
        for object in objects(cluster.clone()) {
            if !taggable(&object) {
                continue;
            }
            let tags = tags_of(&object.attributes);
            prop_assert_eq!(tags.get(CLUSTER_TAG), Some(&name));
            prop_assert_eq!(tags.get(OBJECT_TAG), Some(&object.address.to_string()));
            // Beside private subnets, the cloud controller must find the table of these alone.
            let is_hidden = object.address == RouteTable::address("public") && !cluster["network"]["private"].is_null();
            let found = tags.get(&format!("kubernetes.io/cluster/{name}")).map(String::as_str);
            prop_assert_eq!(found, Some("owned").filter(|_| !is_hidden));
            prop_assert!(tags.contains_key("Name"));
        }
    }

    #[test]
    fn machines_carry_the_address_of_their_group(cluster in any_cluster()) {
        for (name, template) in all::<LaunchTemplate>(&objects(cluster)) {
            prop_assert_eq!(&template.instance_tags[OBJECT_TAG], &format!("autoscaling-group/{name}"));
            prop_assert!(template.instance_tags.contains_key(crate::blueprint::ROLE_TAG));
        }
    }
}

fn taggable(object: &Object) -> bool {
    ResourceKinds.kind(object.address.kind()).unwrap().attributes.iter().any(|attribute| attribute.name == "tags")
}

#[test]
fn a_node_waits_for_what_it_joins_by() {
    let objects = objects(tutorial());
    let group = objects.iter().find(|object| object.address.to_string() == "autoscaling-group/nodes-workers").unwrap();
    let secrets: Vec<_> = group.depends_on.iter().filter(|need| need.kind() == "secret").map(Address::name).collect();
    assert_eq!(secrets, ["join-ca", "join-token"]);
}

#[test]
fn a_node_group_may_be_called_like_a_master() {
    let mut cluster = tutorial();
    cluster["nodes"]["masters-a"] = cluster["nodes"]["workers"].clone();
    cluster["nodes"]["a"] = cluster["nodes"]["workers"].clone();
    let objects = objects(cluster);
    assert!(objects.windows(2).all(|pair| pair[0].address < pair[1].address));
    let names: BTreeSet<_> = all::<AutoScalingGroup>(&objects).into_values().map(|group| group.name).collect();
    assert_eq!(names.len(), 6, "{names:?}");
}

#[test]
fn the_same_file_gives_the_same_objects() {
    assert_eq!(objects(tutorial()), objects(tutorial()));
}

#[test]
fn ids_of_what_is_not_there_yet_are_references() {
    // A literal id would have to come from somewhere outside the file.
    let known = |object: &Object| {
        let mut texts = Vec::new();
        object.attributes.values().for_each(|value| value.visit(&mut |leaf| texts.extend(leaf.as_text())));
        texts.iter().any(|text| ["vpc-", "subnet-", "sg-", "igw-", "lt-", "vol-"].iter().any(|id| text.starts_with(id)))
    };
    assert_eq!(objects(tutorial()).iter().find(|object| known(object)), None);
}

#[test]
fn a_group_rolls_when_its_template_gets_a_generation_and_not_for_other_tags() {
    let moves = |attribute: &str| LaunchTemplate::KIND.attribute(attribute).moves;
    assert_eq!((moves("image"), moves("instance_tags")), (&["version", "generation"][..], &["version"][..]));
    for (name, group) in all::<AutoScalingGroup>(&objects(tutorial())) {
        let template = |output| TextInput::output(LaunchTemplate::address(&name), output);
        assert_eq!((group.version, group.machines), (template("version"), template("generation")), "{name}");
    }
}

#[test]
fn masters_roll_one_at_a_time_and_nodes_on_their_own() {
    for object in objects(tutorial()) {
        let master = object.address.to_string().starts_with("autoscaling-group/masters-");
        assert_eq!(object.lane.as_deref(), master.then_some("masters"), "{}", object.address);
    }
}

#[test]
fn no_machine_starts_before_what_it_starts_from() {
    let objects = objects(tutorial());
    let mut needed = BTreeSet::from([Address::new("autoscaling-group", "masters-a")]);
    loop {
        let more: BTreeSet<_> =
            objects.iter().filter(|object| needed.contains(&object.address)).flat_map(Object::needs).collect();
        if more.is_subset(&needed) {
            break;
        }
        needed.extend(more);
    }
    for address in [
        "bucket-object/node.sh",
        "bucket-object/masters-a",
        "secret/cluster-ca",
        "secret/etcd-ca",
        "secret/front-proxy-ca",
        "secret/service-account",
        "secret/join-token",
        "volume/etcd-a",
        "role/masters",
        "hosted-zone/internal",
        "route-table/public",
        "internet-gateway/main",
        "security-group-rules/masters",
    ] {
        assert!(needed.contains(&address.parse().unwrap()), "{address}");
    }
    assert!(!needed.contains(&"volume/etcd-b".parse().unwrap()), "masters do not wait for each other");
    assert!(!needed.contains(&"load-balancer/api".parse().unwrap()), "masters start while the load balancer does");
}
