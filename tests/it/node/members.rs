//! Who belongs to etcd: never a second cluster, and a lost volume costs nothing but time.

use serde_json::json;

use super::{Machine, Run};

const PEERS: &[&str] = &["etcd-b.internal.chat.poeticoding.com", "etcd-c.internal.chat.poeticoding.com"];

/// A member as etcd's gateway tells it; one that has not started has no name.
fn member(id: &str, letter: &str, started: bool) -> serde_json::Value {
    let url = format!("https://etcd-{letter}.internal.chat.poeticoding.com:2380");
    let name = if started { json!(format!("etcd-{letter}")) } else { json!(null) };
    json!({ "ID": id, "name": name, "peerURLs": [url] })
}

/// A master with a blank volume beside two healthy members that know it.
fn beside_a_quorum(known: &[serde_json::Value]) -> Option<Machine> {
    let machine = Machine::master()?;
    machine.store("nodes/etcd-b", "2026-01-01T00:00:00Z\n");
    for peer in PEERS {
        machine.write(&format!("world/healthy/{peer}"), "");
    }
    machine.write("world/members", &json!({ "members": known }).to_string());
    Some(machine)
}

fn written(machine: &Machine, name: &str) -> String {
    let text = machine.read("etc/quorate/kubeadm.yaml");
    let (_, rest) = text.split_once(&format!("- name: {name}\n        value: \"")).expect("an argument of etcd's");
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn urls(letters: &[&str]) -> String {
    let urls = letters.iter().map(|m| format!("etcd-{m}=https://etcd-{m}.internal.chat.poeticoding.com:2380"));
    urls.collect::<Vec<_>>().join(",")
}

#[test]
fn a_blank_volume_of_a_new_cluster_begins_it_with_all_masters() {
    let Some(machine) = Machine::master() else { return };
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster-state"), "new");
    assert_eq!(written(&machine, "initial-cluster"), urls(&["a", "b", "c"]));
}

#[test]
fn a_volume_with_data_goes_on() {
    let Some(machine) = Machine::master() else { return };
    machine.write("var/lib/etcd/member/wal/0.wal", "log");
    machine.store("nodes/etcd-b", "");
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster-state"), "existing");
    assert_eq!(machine.calls_of("aws s3api list"), Vec::<String>::new(), "nobody need be asked");
}

#[test]
fn a_blank_volume_beside_a_quorum_is_a_lost_one() {
    let Some(machine) = beside_a_quorum(&[member("1", "a", true), member("2", "b", true), member("3", "c", true)])
    else {
        return;
    };
    let run = machine.boot().must();
    assert!(run.said.contains("removing the member 1, whose data is gone"), "{}", run.said);
    assert_eq!(written(&machine, "initial-cluster-state"), "existing");
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "c", "a"]));
    assert!(machine.path(&format!("world/s3/{}/nodes/etcd-a", super::HOME)).exists());
}

#[test]
fn a_replacement_that_died_halfway_is_finished() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), member("3", "c", true), member("9", "a", false)])
    else {
        return;
    };
    let run = machine.boot().must();
    assert!(!run.said.contains("removing"), "{}", run.said);
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "c", "a"]));
}

#[test]
fn a_master_more_joins_those_that_are_there() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true)]) else { return };
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "a"]), "c is a master to come, and no member yet");
}

#[test]
fn without_a_quorum_nothing_begins() {
    let Some(machine) = beside_a_quorum(&[]) else { return };
    for peer in PEERS {
        std::fs::remove_file(machine.path(&format!("world/healthy/{peer}"))).expect("it is ours");
    }
    not_begun(&machine, machine.boot());
}

#[test]
fn the_only_master_does_not_forget_that_it_had_data() {
    let Some(machine) = Machine::master() else { return };
    machine.store("nodes/etcd-a", "2026-01-01T00:00:00Z\n");
    not_begun(&machine, machine.boot());
}

fn not_begun(machine: &Machine, run: Run) {
    let run = run.must_not("no other member of etcd is healthy");
    assert!(run.said.contains("docs/machines.md"), "{}", run.said);
    assert_eq!(machine.calls_of("kubeadm init phase etcd"), Vec::<String>::new());
    assert_eq!(machine.status()["step"], "etcd membership");
}

#[test]
fn markers_that_cannot_be_read_are_not_taken_for_none() {
    let Some(machine) = Machine::master() else { return };
    machine.fault("aws s3api list-objects-v2 *");
    machine.boot().must_not("etcd membership");
    assert_eq!(machine.calls_of("kubeadm init phase etcd"), Vec::<String>::new());
}

#[test]
fn a_member_that_is_not_healthy_leaves_no_marker() {
    let Some(machine) = Machine::master() else { return };
    machine.write("world/sick", "");
    machine.boot().must_not("etcd is not healthy");
    assert!(!machine.path(&format!("world/s3/{}/nodes/etcd-a", super::HOME)).exists());
}
