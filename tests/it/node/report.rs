//! Reports of masters about etcd, for `quorate validate`.

use quorate::health::{EtcdMember, EtcdStatus};
use serde_json::json;

use super::ScriptMachine;

/// Returns a master whose member reports this, in an etcd of three members, the third of which has not started.
fn member(standing: &serde_json::Value) -> Option<ScriptMachine> {
    let machine = ScriptMachine::master()?;
    let url = |letter: &str| [format!("https://etcd-{letter}.internal.chat.poeticoding.com:2380")];
    let members = json!({ "members": [
        { "ID": "8211f1d0f64f3269", "name": "etcd-a", "peerURLs": url("a") },
        { "ID": "91bc3c398fb3c146", "name": "etcd-b", "peerURLs": url("b") },
        { "ID": "fd422379fda50e48", "peerURLs": url("c"), "isLearner": true },
    ] });
    machine.write("world/members", &members.to_string());
    machine.write("world/standing", &standing.to_string());
    machine.write("world/healthy/127.0.0.1", "");
    Some(machine)
}

fn reported(machine: &ScriptMachine) -> EtcdStatus {
    serde_json::from_str(&machine.stored("nodes/i-0aaa/etcd.json")).expect("it is what `validate` reads")
}

/// Returns the calls that write a report, and delete the previous one.
fn words(machine: &ScriptMachine) -> Vec<String> {
    machine.calls_of("aws s3api ").iter().filter_map(|call| call.split(' ').nth(2).map(str::to_owned)).collect()
}

#[test]
fn a_member_reports_the_members_and_the_leader() {
    let leads = json!({ "leader": "91bc3c398fb3c146", "dbSize": "22020096", "dbSizeQuota": "4294967296" });
    let Some(machine) = member(&leads) else { return };
    machine.run(&["etcd"]).must();
    let (reported, member) = (reported(&machine), |name: &str, learner| EtcdMember { name: name.to_owned(), learner });
    assert_eq!(
        (reported.member.as_str(), reported.answers, reported.leader.as_deref()),
        ("etcd-a", true, Some("etcd-b"))
    );
    assert_eq!(reported.members, [member("etcd-a", false), member("etcd-b", false), member("etcd-c", true)]);
    assert_eq!((reported.alarms, reported.bytes, reported.quota), (Vec::new(), 22_020_096, 4_294_967_296));
    assert_eq!(machine.calls_of("sleep"), Vec::<String>::new());
}

#[test]
fn a_member_reports_a_missing_leader_after_the_time_of_an_election() {
    let Some(machine) = member(&json!({ "dbSize": "22020096", "errors": ["etcdserver: no leader"] })) else { return };
    machine.run(&["etcd"]).must();
    let status = reported(&machine);
    assert_eq!((status.answers, status.leader, status.members.len(), status.quota), (true, None, 3, 2 << 30));
    assert_eq!(machine.calls_of("sleep").len(), 5);
    machine.write("world/meanwhile", "echo '{\"leader\": \"8211f1d0f64f3269\"}' > standing");
    machine.run(&["etcd"]).must();
    assert_eq!(reported(&machine).leader.as_deref(), Some("etcd-a"));
}

#[test]
fn a_master_without_its_member_reports_that() {
    let Some(machine) = member(&json!({})) else { return };
    std::fs::remove_file(machine.path("world/healthy/127.0.0.1")).expect("it is ours");
    machine.run(&["etcd"]).must();
    let reported = reported(&machine);
    assert_eq!((reported.answers, reported.leader, reported.members), (false, None, Vec::new()));
}

#[test]
fn alarms_are_reported_with_their_member() {
    let errors = ["memberID:91bc3c398fb3c146 alarm:NOSPACE ", "memberID:7 alarm:CORRUPT", "something else"];
    // etcd writes these ids in decimals.
    let errors = errors.map(|error| error.replace("91bc3c398fb3c146", "10501334649042878790"));
    let Some(machine) = member(&json!({ "leader": "10501334649042878790", "errors": errors })) else { return };
    let members = machine.read("world/members").replace("91bc3c398fb3c146", "10501334649042878790");
    machine.write("world/members", &members);
    machine.run(&["etcd"]).must();
    assert_eq!(reported(&machine).alarms, ["NOSPACE of etcd-b", "CORRUPT of 7"]);
}

#[test]
fn a_bucket_with_versions_keeps_the_last_report_only() {
    let Some(machine) = member(&json!({ "leader": "91bc3c398fb3c146" })) else { return };
    for version in ["before", "now"] {
        machine.write("world/versions", version);
        machine.run(&["etcd"]).must();
    }
    assert_eq!(words(&machine), ["put-object", "put-object", "delete-object"]);
    assert!(machine.calls_of("aws s3api delete-object")[0].ends_with("/nodes/i-0aaa/etcd.json --version-id before"));
    // Where versions are suspended, all have one name: removing it would remove the new report.
    machine.write("world/versions", "null");
    machine.run(&["etcd"]).must();
    machine.write("world/calls", "");
    machine.run(&["etcd"]).must();
    assert_eq!(words(&machine), ["put-object"]);
}

#[test]
fn a_report_that_cannot_be_written_fails_the_timer() {
    let Some(machine) = member(&json!({ "leader": "91bc3c398fb3c146" })) else { return };
    machine.fault("aws s3api put-object *");
    machine.run(&["etcd"]).must_not("etcd: failed at line");
}

#[test]
fn the_first_report_comes_with_the_boot() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    assert_eq!(machine.calls_of("systemctl start --no-block quorate-etcd").len(), 1);
    let timer = machine.read("etc/systemd/system/quorate-etcd.timer");
    assert!(timer.contains("OnCalendar=*-*-* *:04/5:00\n"), "{timer}");
}
