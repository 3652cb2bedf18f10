#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::SignedDuration;

use super::*;
use crate::engine::{Attributes, GroupMember, ObjectPhase, Value};
use crate::resource::{ClusterNode, WorkloadPods};
use crate::view::plan::sample;

fn now() -> Timestamp {
    "2026-11-22T20:00:00Z".parse().unwrap()
}

fn live(address: &str, attributes: &[(&str, Value)]) -> Live {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Live {
        address: address.parse().unwrap(),
        id: format!("id of {address}"),
        attributes: attributes.collect(),
        outputs: BTreeMap::new(),
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

fn text_value(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn machine(id: &str, zone: &str, state: &str, hours: i64) -> GroupMember {
    GroupMember {
        id: id.to_owned(),
        zone: zone.to_owned(),
        state: state.to_owned(),
        version: "1".to_owned(),
        size: Some("t3.medium".to_owned()),
        launched: Some(now() - SignedDuration::from_hours(hours)),
    }
}

fn group(name: &str, sizes: [i64; 3], node_group: Option<&str>, members: Vec<GroupMember>) -> Live {
    let [min, desired, max] = sizes.map(Value::Integer);
    let tags = node_group.map(|group| ("quorate.dev/group".to_owned(), text_value(group)));
    let tags = Value::Map(tags.into_iter().collect());
    let attributes = [("min", min), ("desired", desired), ("max", max), ("tags", tags)];
    Live { members, ..live(&format!("autoscaling-group/{name}"), &attributes) }
}

/// Returns the objects of a cluster of three masters and two node groups, with a public, a named and an internal service.
fn objects() -> Vec<Live> {
    let master = |letter: &str, id: &str, zone: &str| {
        group(&format!("masters-{letter}"), [1, 1, 1], None, vec![machine(id, zone, "InService", 24 * 41)])
    };
    let output = |mut live: Live, name: &str, value: &str| {
        live.outputs.insert(name.to_owned(), value.to_owned());
        live
    };
    let balancer =
        |service: &str, name: &str| output(live(&format!("load-balancer/service-{service}"), &[]), "dns_name", name);
    let listener = |service: &str, port: i64, protocol: &str| {
        let attributes = [("port", Value::Integer(port)), ("protocol", text_value(protocol))];
        live(&format!("listener/service-{service}/{port}"), &attributes)
    };
    let deployment =
        |name: &str, replicas: i64| live(&format!("deployment/{name}"), &[("spec.replicas", Value::Integer(replicas))]);
    let chat = "chat-ed9fd0-chat-bf08a12d-d07e43ed.elb.us-east-1.amazonaws.com";
    let record = live("record/chat.poeticoding.com", &[("target", text_value(chat))]);
    vec![
        master("b", "i-0b22222222222222b", "us-east-1b"),
        master("a", "i-0a11111111111111a", "us-east-1a"),
        master("c", "i-0c33333333333333c", "us-east-1c"),
        live("volume/etcd-b", &[("zone", text_value("us-east-1b"))]),
        live("launch-template/masters-b", &[("instance_size", text_value("t3.medium"))]),
        group(
            "nodes-workers",
            [2, 2, 6],
            Some("workers"),
            vec![
                machine("i-0d44444444444444d", "us-east-1b", "InService", 3),
                machine("i-0e55555555555555e", "us-east-1a", "Pending", 0),
            ],
        ),
        live("launch-template/nodes-workers", &[("instance_size", text_value("t3.large"))]),
        deployment("chat", 2),
        live("service/chat", &[("spec.ports[4000/TCP].port", Value::Integer(4000))]),
        balancer("chat", chat),
        listener("chat", 443, "TLS"),
        listener("chat", 80, "TCP"),
        output(record, "name", "chat.poeticoding.com"),
        deployment("redis", 1),
        live("service/redis", &[("spec.ports[6379/TCP].port", Value::Integer(6379))]),
        deployment("worker", 3),
    ]
}

fn node(instance: &str, ready: bool) -> ClusterNode {
    ClusterNode { instance: instance.to_owned(), kubelet: Some("1.36.2".to_owned()), ready }
}

fn pods(name: &str, ready: usize, wanted: usize) -> WorkloadPods {
    WorkloadPods { namespace: "default".to_owned(), name: name.to_owned(), ready, wanted }
}

fn kubernetes() -> KubernetesState {
    let instances = ["i-0a11111111111111a", "i-0b22222222222222b", "i-0c33333333333333c", "i-0d44444444444444d"];
    KubernetesState {
        nodes: instances.map(|instance| node(instance, true)).into(),
        workloads: vec![pods("chat", 2, 2), pods("redis", 1, 1), pods("worker", 2, 3)],
    }
}

fn document(live: Vec<Live>, kubernetes: Result<KubernetesState, String>, all: bool) -> ClusterDocument {
    let recorded = BTreeMap::new();
    let endpoint = (!live.is_empty()).then(|| "https://api.chat.poeticoding.com".to_owned());
    ClusterDocument::new(sample::heading(), ShownCluster { live, recorded: &recorded, endpoint, kubernetes }, all)
}

fn shown(document: &ClusterDocument) -> String {
    text(document, now(), TextStyle::default())
}

#[test]
fn a_healthy_cluster_is_shown_as_tables_as_the_page_shows_it() {
    let shown = shown(&document(objects(), Ok(kubernetes()), false));
    assert!(include_str!("../../../docs/commands.md").contains(&shown), "docs/commands.md lacks:\n{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_lost_machine_is_missing_with_the_zone_of_its_volume() {
    let mut live = objects();
    live[0].members.clear();
    let mut kubernetes = kubernetes();
    kubernetes.nodes[3].ready = false;
    let document = document(live, Ok(kubernetes), false);
    let states: Vec<_> = document.machines.iter().map(|machine| (machine.group.as_str(), machine.state)).collect();
    let expected = [
        ("a", MachineState::Ready),
        ("b", MachineState::Missing),
        ("c", MachineState::Ready),
        ("workers", MachineState::NotReady),
        ("workers", MachineState::Starting),
    ];
    assert_eq!(states, expected);
    insta::assert_snapshot!(shown(&document));
}

#[test]
fn without_the_kubernetes_api_its_values_are_not_known() {
    let reason = "the Kubernetes API does not answer (timed out)".to_owned();
    insta::assert_snapshot!(shown(&document(objects(), Err(reason), false)));
}

#[test]
fn an_empty_cluster_is_reported_as_empty() {
    insta::assert_snapshot!(shown(&document(Vec::new(), Err("there is none".to_owned()), false)));
}

#[test]
fn all_objects_are_listed_on_request() {
    insta::assert_snapshot!(shown(&document(objects(), Ok(kubernetes()), true)));
}

#[test]
fn a_machine_in_service_without_a_node_joins() {
    let mut kubernetes = kubernetes();
    kubernetes.nodes.remove(0);
    let document = document(objects(), Ok(kubernetes), false);
    assert_eq!((document.machines[0].state, &document.machines[0].kubelet), (MachineState::Joining, &None));
}

#[test]
fn the_machines_of_a_group_that_was_deleted_outside_are_missing() {
    let mut live = objects();
    let lost = live.remove(5);
    let recorded = RecordedObject {
        id: lost.id,
        attributes: lost.attributes,
        outputs: BTreeMap::new(),
        needs: std::collections::BTreeSet::new(),
    };
    let recorded = BTreeMap::from([(lost.address, recorded)]);
    let cluster = ShownCluster { live, recorded: &recorded, endpoint: None, kubernetes: Ok(kubernetes()) };
    let document = ClusterDocument::new(sample::heading(), cluster, false);
    assert_eq!((document.node_groups[0].wanted, document.node_groups[0].in_service), (2, 0));
    let missing = document.machines.iter().filter(|machine| machine.state == MachineState::Missing).count();
    assert_eq!(missing, 2);
}

#[test]
fn an_address_that_does_not_fit_is_below_its_service() {
    let mut live = objects();
    live.retain(|live| live.address.kind() != "record");
    let text = shown(&document(live, Ok(kubernetes()), false));
    assert!(text.contains("\n  chat-ed9fd0-chat-bf08a12d-d07e43ed.elb.us-east-1.amazonaws.com\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_narrow_screen_keeps_identifiers() {
    let document = document(objects(), Ok(kubernetes()), false);
    let text = text(&document, now(), TextStyle { width: 60, ..TextStyle::default() });
    assert!(text.contains("i-0d44444444444444d") && text.contains("…east-1b"), "{text}");
}

#[test]
fn the_json_does_not_depend_on_the_order_or_the_time() {
    let mut reversed = objects();
    reversed.reverse();
    let json = |live| crate::view::json(&document(live, Ok(kubernetes()), true)).unwrap();
    assert_eq!(json(objects()), json(reversed));
    let parsed: serde_json::Value = serde_json::from_str(&json(objects())).unwrap();
    assert_eq!(parsed["machines"][0]["launched"], "2026-10-12T20:00:00Z");
    assert_eq!(parsed["machines"][0]["member"], "etcd-a");
    assert_eq!(parsed["services"][0]["ports"][1]["protocol"], "TLS");
    assert_eq!(parsed["object_count"], 16);
}

/// A load balancer shows its name; a simulated one shows that it does not resolve.
#[test]
fn the_name_of_a_load_balancer_is_listed() {
    let name = "chat-ed9fd0-chat-bf08a12d-d07e43ed.elb.us-east-1.amazonaws.com";
    let shown = |sandbox| {
        let mut document = document(objects(), Ok(kubernetes()), true);
        document.heading.sandbox = sandbox;
        shown(&document)
    };
    assert!(shown(false).contains(&format!("\n  {name}\n")), "{}", shown(false));
    assert!(
        shown(true).contains(&format!("\n  {name}\n  (simulated: this name resolves to nothing)\n")),
        "{}",
        shown(true)
    );
}

#[test]
fn attributes_of_an_unknown_shape_are_no_error() {
    let live = vec![Live { attributes: Attributes::new(), ..group("nodes-x", [1, 1, 1], None, Vec::new()) }];
    let document = document(live, Ok(KubernetesState::default()), false);
    assert_eq!((document.machines.len(), document.node_groups.len()), (0, 0));
}
