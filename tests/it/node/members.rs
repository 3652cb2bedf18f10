//! Membership in etcd: never a second cluster, and a lost volume costs only time.

use serde_json::json;

use super::{ScriptMachine, ScriptRun};

const PEERS: &[&str] = &["etcd-b.internal.chat.poeticoding.com", "etcd-c.internal.chat.poeticoding.com"];

/// Returns a member as etcd's gateway returns it; one that has not started has no name.
fn member(id: &str, letter: &str, started: bool) -> serde_json::Value {
    let url = format!("https://etcd-{letter}.internal.chat.poeticoding.com:2380");
    let name = if started { json!(format!("etcd-{letter}")) } else { json!(null) };
    json!({ "ID": id, "name": name, "peerURLs": [url] })
}

/// Returns a member that has no vote yet.
fn learner(id: &str, letter: &str, started: bool) -> serde_json::Value {
    let mut learner = member(id, letter, started);
    learner["isLearner"] = true.into();
    learner
}

/// Returns etcd's members at the end of a boot: id, and whether it has a vote.
fn members(machine: &ScriptMachine) -> Vec<(String, bool)> {
    let listed: serde_json::Value = serde_json::from_str(&machine.read("world/members")).expect("it is JSON");
    let of = |member: &serde_json::Value| {
        (member["ID"].as_str().unwrap_or_default().to_owned(), member["isLearner"] != true)
    };
    listed["members"].as_array().expect("it is a list").iter().map(of).collect()
}

/// Returns a master with a blank volume beside two healthy members that know it.
fn beside_a_quorum(known: &[serde_json::Value]) -> Option<ScriptMachine> {
    let machine = ScriptMachine::master()?;
    machine.store("nodes/etcd-b", "2026-01-01T00:00:00Z\n");
    for peer in PEERS {
        machine.write(&format!("world/healthy/{peer}"), "");
    }
    machine.write("world/members", &json!({ "members": known }).to_string());
    Some(machine)
}

fn written(machine: &ScriptMachine, name: &str) -> String {
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
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster-state"), "new");
    assert_eq!(written(&machine, "initial-cluster"), urls(&["a", "b", "c"]));
}

#[test]
fn a_volume_with_data_goes_on() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("var/lib/etcd/member/wal/0.wal", "log");
    machine.store("nodes/etcd-b", "");
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster-state"), "existing");
    assert_eq!(machine.calls_of("aws s3api list"), Vec::<String>::new(), "no member need be asked");
}

#[test]
fn a_blank_volume_beside_a_quorum_is_a_lost_one() {
    let Some(machine) = beside_a_quorum(&[member("1", "a", true), member("2", "b", true), member("3", "c", true)])
    else {
        return;
    };
    let run = machine.boot().must();
    assert!(run.messages.contains("removing the member 1, whose data is lost"), "{}", run.messages);
    assert_eq!(written(&machine, "initial-cluster-state"), "existing");
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "c", "a"]));
    assert!(machine.path(&format!("world/s3/{}/nodes/etcd-a", super::HOME)).exists());
}

#[test]
fn a_member_votes_only_once_it_has_what_the_others_have() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), member("3", "c", true)]) else { return };
    machine.write("world/behind", "one\ntwo\n");
    let run = machine.boot().must();
    assert!(
        run.messages.contains("not a voting member yet: etcdserver: can only promote a learner member"),
        "{}",
        run.messages
    );
    let changes = machine.calls_of("curl").into_iter().filter(|call| call.contains("/v3/cluster/member/"));
    let verbs: Vec<_> = changes.filter_map(|call| Some(call.rsplit_once('/')?.1.to_owned())).collect();
    assert_eq!(verbs, ["list", "add", "list", "promote", "promote", "promote"]);
    assert_eq!(members(&machine), [("2".to_owned(), true), ("3".to_owned(), true), ("99".to_owned(), true)]);
}

#[test]
fn a_learner_that_never_started_is_taken_over() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), learner("99", "a", false)]) else { return };
    let run = machine.boot().must();
    assert!(!run.messages.contains("removing") && !run.messages.contains("adding"), "{}", run.messages);
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "a"]));
    assert_eq!(members(&machine), [("2".to_owned(), true), ("99".to_owned(), true)]);
}

#[test]
fn a_learner_that_lost_its_volume_is_replaced() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), learner("9", "a", true)]) else { return };
    let run = machine.boot().must();
    assert!(run.messages.contains("removing the member 9, whose data is lost"), "{}", run.messages);
    assert_eq!(members(&machine), [("2".to_owned(), true), ("99".to_owned(), true)]);
}

#[test]
fn a_learner_that_has_data_gets_its_vote_at_the_next_boot() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), learner("99", "a", true)]) else { return };
    machine.write("var/lib/etcd/member/wal/0.wal", "log");
    machine.boot().must();
    assert_eq!(members(&machine), [("2".to_owned(), true), ("99".to_owned(), true)]);
}

#[test]
fn a_voter_that_never_started_starts_over_without_a_vote() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), member("3", "c", true), member("9", "a", false)])
    else {
        return;
    };
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "c", "a"]));
    assert_eq!(members(&machine), [("2".to_owned(), true), ("3".to_owned(), true), ("99".to_owned(), true)]);
}

#[test]
fn one_member_at_a_time_is_taken_in() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true), learner("3", "c", false), member("1", "a", true)])
    else {
        return;
    };
    let run = machine.boot().must_not("etcd adds one member at a time");
    assert!(
        run.messages.contains("https://etcd-c.internal.chat.poeticoding.com:2380 is not a voting member yet"),
        "{}",
        run.messages
    );
    assert_eq!(members(&machine).len(), 3, "it removes nothing before it is its turn");
    machine.write("world/meanwhile", "sed -i 's/\"isLearner\": *true/\"isLearner\": false/' members");
    machine.boot().must();
    assert_eq!(members(&machine), [("2".to_owned(), true), ("3".to_owned(), true), ("99".to_owned(), true)]);
}

#[test]
fn nothing_starts_the_member_while_it_is_being_replaced() {
    let Some(machine) = beside_a_quorum(&[member("1", "a", true), member("2", "b", true), member("3", "c", true)])
    else {
        return;
    };
    // What a run before this one has left: a manifest, and a kubelet that is about to start it.
    machine.write("etc/kubernetes/manifests/etcd.yaml", "of a run before");
    machine.boot().must();
    let calls = machine.calls();
    let at = |word: &str| calls.iter().position(|call| call.contains(word)).expect("it was called");
    assert!(at("systemctl stop kubelet") < at("crictl stop --timeout 20 etcd"), "{calls:?}");
    assert!(at("crictl stop --timeout 20 etcd") < at("member/remove"), "{calls:?}");
}

#[test]
fn a_log_that_was_begun_meanwhile_is_kept() {
    let Some(machine) = beside_a_quorum(&[learner("99", "a", true), member("2", "b", true)]) else { return };
    // etcd writes its first log in the very moment in which it is stopped.
    machine.write("world/stopping", "mkdir -p /var/lib/etcd/member/wal && touch /var/lib/etcd/member/wal/0.wal");
    let run = machine.boot().must();
    assert!(run.messages.contains("has data and uses it") && !run.messages.contains("removing"), "{}", run.messages);
    assert_eq!(members(&machine), [("99".to_owned(), true), ("2".to_owned(), true)]);
}

#[test]
fn a_master_more_joins_those_that_are_there() {
    let Some(machine) = beside_a_quorum(&[member("2", "b", true)]) else { return };
    std::fs::remove_file(machine.path(&format!("world/healthy/{}", PEERS[1]))).expect("it is ours");
    machine.boot().must();
    assert_eq!(written(&machine, "initial-cluster"), urls(&["b", "a"]), "c is a master to come, and no member yet");
    assert_eq!(members(&machine), [("2".to_owned(), true), ("99".to_owned(), true)], "one of one is a quorum");
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
    let Some(machine) = ScriptMachine::master() else { return };
    machine.store("nodes/etcd-a", "2026-01-01T00:00:00Z\n");
    not_begun(&machine, machine.boot());
}

fn not_begun(machine: &ScriptMachine, run: ScriptRun) {
    let run = run.must_not("no other member of etcd is healthy");
    assert!(run.messages.contains("docs/machines.md"), "{}", run.messages);
    assert_eq!(machine.calls_of("kubeadm init phase etcd"), Vec::<String>::new());
    assert_eq!(machine.status()["step"], "etcd membership");
}

#[test]
fn markers_that_cannot_be_read_are_not_taken_for_none() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.fault("aws s3api list-objects-v2 *");
    machine.boot().must_not("etcd membership");
    assert_eq!(machine.calls_of("kubeadm init phase etcd"), Vec::<String>::new());
}

#[test]
fn a_member_that_is_not_healthy_leaves_no_marker() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/sick", "");
    machine.boot().must_not("etcd is not healthy");
    assert!(!machine.path(&format!("world/s3/{}/nodes/etcd-a", super::HOME)).exists());
}
