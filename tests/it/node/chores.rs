//! Timers of masters.

use jiff::{SignedDuration, Timestamp};
use quorate::resource::{AccessGrant, Grantee};

use super::{HOME, ScriptMachine};

/// Returns a master that is up, with an empty list of calls.
fn running() -> Option<ScriptMachine> {
    let machine = ScriptMachine::master()?;
    machine.boot().must();
    machine.write("world/calls", "");
    for master in ["a", "b", "c"] {
        machine.write(&format!("world/healthy/etcd-{master}.internal.chat.poeticoding.com"), "");
    }
    Some(machine)
}

#[test]
fn each_master_has_its_own_time() {
    let when = |letter: &str| {
        let machine = ScriptMachine::new(&format!("masters-{letter}"))?;
        machine.boot().must();
        let calendar = |name: &str| {
            let text = machine.read(&format!("etc/systemd/system/quorate-{name}.timer"));
            let line = text.lines().find_map(|line| line.strip_prefix("OnCalendar="));
            line.expect("a timer has a calendar").to_owned()
        };
        Some((calendar("backup"), calendar("renew")))
    };
    let Some(a) = when("a") else { return };
    assert_eq!(a, ("*-*-* 0/3:17:00 UTC".to_owned(), "Mon *-*-* 03:30:00 UTC".to_owned()));
    let Some(c) = when("c") else { return };
    assert_eq!(c, ("*-*-* 2/3:17:00 UTC".to_owned(), "Wed *-*-* 03:30:00 UTC".to_owned()));
}

#[test]
fn units() {
    let Some(machine) = running() else { return };
    for unit in ["quorate-backup.service", "quorate-backup.timer", "quorate-drain.service", "quorate-leave.service"] {
        insta::assert_snapshot!(unit, machine.read(&format!("etc/systemd/system/{unit}")));
    }
    insta::assert_snapshot!("kubelet", machine.read("etc/systemd/system/kubelet.service.d/20-quorate.conf"));
}

#[test]
fn a_token_that_was_replaced_is_synced_and_the_old_one_goes() {
    let Some(machine) = running() else { return };
    machine.write("world/tokens", &format!("{}somebod made by hand\n", machine.read("world/tokens")));
    machine.run(&["token"]).must();
    assert_eq!(machine.calls_of("kubeadm init"), Vec::<String>::new(), "nothing is new");
    machine.store("pki/join-token", "fedcba.fedcba9876543210\n");
    machine.run(&["token"]).must();
    assert_eq!(machine.read("world/tokens"), "fedcba Quorate: pki/join-token\nsomebod made by hand\n");
    assert!(!machine.path("etc/quorate/token.yaml").exists());
    assert!(!machine.read("world/calls").contains("fedcba9876543210"), "no secret is an argument");
}

#[test]
fn a_machine_whose_node_is_gone_becomes_one_again() {
    for settings in ["masters-a", "nodes-workers"] {
        let Some(machine) = ScriptMachine::new(settings) else { return };
        machine.write("world/ready", "");
        machine.boot().must();
        machine.write("world/calls", "");
        machine.run(&["enroll"]).must();
        machine.fault("kubectl *get node*");
        machine.run(&["enroll"]).must();
        assert_eq!(machine.calls_of("systemctl"), Vec::<String>::new(), "it is one, or that is unknown");
        machine.write("world/unknown", "");
        let run = machine.run(&["enroll"]).must();
        assert!(run.messages.contains("the cluster has no Node of this machine"), "{}", run.messages);
        let reported = ["is-active --quiet quorate-node", "stop kubelet", "restart --no-block quorate-node"];
        assert_eq!(machine.calls_of("systemctl"), reported.map(|words| format!("systemctl {words}")));
        assert!(!machine.path("run/quorate/range-is-new").exists(), "pods need the range of the new Node");
        machine.write("world/starting", "");
        machine.write("world/calls", "");
        machine.run(&["enroll"]).must();
        assert_eq!(machine.calls_of("systemctl stop"), Vec::<String>::new(), "its start is not through");
    }
}

#[test]
fn a_snapshot_goes_into_the_bucket_and_old_ones_leave_it() {
    let Some(machine) = running() else { return };
    machine.store("backups/etcd/20200101T000000Z-b.db", "old");
    machine.store("backups/etcd/29990101T000000Z-b.db", "young");
    machine.store("backups/etcd/keep/20200101T000000Z.db", "another owner's");
    machine.run(&["backup"]).must();
    let folder = machine.path(&format!("world/s3/{HOME}/backups/etcd"));
    let names = std::fs::read_dir(folder).expect("it is ours").map(|entry| entry.expect("it is ours").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[0].ends_with("Z-a.db") && names[1..] == ["29990101T000000Z-b.db", "keep"], "{names:?}");
    assert!(!machine.path("var/lib/etcd/snapshot.db").exists(), "the volume does not fill up");
}

#[test]
fn a_snapshot_that_fails_removes_nothing() {
    let Some(machine) = running() else { return };
    machine.store("backups/etcd/20200101T000000Z-b.db", "old");
    machine.fault("crictl exec *");
    machine.run(&["backup"]).must_not("failed");
    assert_eq!(machine.stored("backups/etcd/20200101T000000Z-b.db"), "old");
}

#[test]
fn certificates_are_renewed_near_their_end_and_read_one_after_another() {
    let Some(machine) = running() else { return };
    machine.run(&["renew"]).must();
    assert!(!machine.path("world/renewed").exists(), "there is time");
    machine.write("world/ending", "");
    machine.run(&["renew"]).must();
    assert!(machine.path("world/renewed").exists());
    assert_eq!(machine.status()["state"], "ready");
    let stopped = machine.calls_of("crictl stop --timeout 30 ").join(" ").replace("crictl stop --timeout 30 ", "");
    assert_eq!(stopped, "etcd kube-apiserver kube-controller-manager kube-scheduler");
}

#[test]
fn a_renewal_does_not_report_for_a_machine_that_still_starts() {
    let Some(machine) = running() else { return };
    machine.store("nodes/i-0aaa/status.json", r#"{"state":"working"}"#);
    machine.write("world/starting", "");
    machine.write("world/ending", "");
    machine.run(&["renew"]).must();
    assert!(machine.path("world/renewed").exists());
    assert_eq!(machine.status()["state"], "working");
}

#[test]
fn a_renewal_that_died_is_finished_by_the_next_one() {
    let Some(whole) = running() else { return };
    whole.write("world/ending", "");
    whole.run(&["renew"]).must();
    let steps = |call: &str| call.starts_with("kubeadm certs renew") || call.starts_with("crictl stop");
    let deaths: Vec<usize> =
        whole.calls().iter().enumerate().filter(|(_, call)| steps(call)).map(|(at, _)| at + 1).collect();
    assert_eq!(deaths.len(), 5, "{:?}", whole.calls());
    for death in deaths {
        let machine = running().expect("the first one could be made");
        machine.write("world/ending", "");
        machine.write("world/kill", &death.to_string());
        assert!(!machine.run(&["renew"]).done, "killed at call {death}");
        for file in ["world/kill", "world/calls"] {
            machine.write(file, "");
        }
        machine.run(&["renew"]).must();
        assert_eq!(machine.calls_of("crictl stop").len(), 4, "all are started again after the death at call {death}");
        machine.run(&["renew"]).must();
        assert_eq!(machine.calls_of("crictl stop").len(), 4, "and once is enough");
    }
}

#[test]
fn certificates_wait_while_another_master_is_down() {
    let Some(machine) = running() else { return };
    machine.write("world/ending", "");
    std::fs::remove_file(machine.path("world/healthy/etcd-b.internal.chat.poeticoding.com")).expect("it is ours");
    machine.run(&["renew"]).must_not("etcd-b is not healthy");
    assert!(!machine.path("world/renewed").exists());
}

#[test]
fn reports_of_a_machine_are_removed_days_after_its_end() {
    let Some(machine) = running() else { return };
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(5 * 24);
    for (instance, old_status) in [("i-0aaa", true), ("i-0bbb", true), ("i-0gone", true), ("i-0fresh", false)] {
        let key = format!("nodes/{instance}/status.json");
        machine.store(&key, "{}");
        if old_status {
            let file = std::fs::File::options().write(true).open(machine.path(&format!("world/s3/{HOME}/{key}")));
            file.expect("it is ours").set_modified(old).expect("it is ours");
        }
    }
    machine.run(&["backup"]).must();
    let gone = |instance: &str| !machine.path(&format!("world/s3/{HOME}/nodes/{instance}/status.json")).exists();
    assert!(gone("i-0gone"));
    assert!(!gone("i-0aaa") && !gone("i-0bbb"), "they live, however long ago they spoke");
    assert!(!gone("i-0fresh"), "it may still be needed");
    assert!(machine.stored("nodes/etcd-a").ends_with("Z\n"), "a marker is no status");
}

#[test]
fn no_status_is_removed_when_ec2_returns_no_machines() {
    let Some(machine) = running() else { return };
    machine.write("world/instances", "");
    machine.run(&["backup"]).must_not("EC2 does not return this machine");
}

const SNAPSHOT: &str = "20260101T001700Z-b.db";

#[test]
fn etcd_goes_back_to_a_snapshot() {
    let Some(machine) = running() else { return };
    machine.store(&format!("backups/etcd/{SNAPSHOT}"), "snapshot");
    std::fs::remove_file(machine.path("world/healthy/127.0.0.1")).expect("it is ours");
    machine.write("var/lib/etcd/member/wal/0.wal", "of the time before");
    machine.run(&["restore", SNAPSHOT]).must();
    assert_eq!(machine.read("var/lib/etcd/member/wal/0.wal"), "log\n");
    let aside = std::fs::read_dir(machine.path("var/lib/etcd")).expect("it is ours");
    let aside: Vec<_> = aside.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    assert!(aside.iter().any(|name| name.starts_with("before-20")), "nothing is thrown away: {aside:?}");
    assert!(!aside.iter().any(|name| name.starts_with("restore")), "{aside:?}");
    let calls = machine.calls();
    let at =
        |word: &str| calls.iter().position(|call| call.contains(word)).unwrap_or_else(|| panic!("{word}: {calls:?}"));
    assert!(at("aws s3 cp") < at("systemctl stop kubelet") && at("crictl stop --timeout 20 etcd") < at("--data-dir"));
    assert_eq!(machine.calls_of("crictl pull"), ["crictl pull registry.k8s.io/etcd:3.6"], "this machine may be new");
    assert!(at("crictl pull") < at("systemctl stop kubelet"), "an image that cannot be had costs nothing: {calls:?}");
    assert!(at("--data-dir") < at("systemctl start --no-block quorate-node"));
    let call = machine.calls_of("ctr").pop().expect("it was called");
    let (before, after) = call.split_once("quorate-restore-").expect("the container has a name");
    let call = format!("{before}quorate-restore-PID{}", after.trim_start_matches(|c: char| c.is_ascii_digit()));
    insta::assert_snapshot!("restore", call.replace(" --", "\n --"));
    machine.boot().must();
}

#[test]
fn a_healthy_etcd_is_not_put_back_by_mistake() {
    let Some(machine) = running() else { return };
    machine.store(&format!("backups/etcd/{SNAPSHOT}"), "snapshot");
    machine.run(&["restore", SNAPSHOT]).must_not("etcd is healthy");
    for wrong in ["", "latest", "../../pki/cluster-ca.pem"] {
        machine.run(&["restore", wrong]).must_not("usage: node.sh restore SNAPSHOT");
    }
    machine.run(&["restore", "20250101T001700Z-b.db", "--force"]).must_not("Not Found");
    assert_eq!(machine.calls_of("systemctl"), Vec::<String>::new(), "nothing was stopped");
    machine.run(&["restore", SNAPSHOT, "--force"]).must();
}

/// Returns a rule as EC2 lists it: its id, and the end of a grant.
fn granted(id: &str, minutes: i64) -> String {
    let until = Timestamp::now() + SignedDuration::from_mins(minutes);
    let range = "203.0.113.7/32".parse().expect("a range");
    let grant = AccessGrant::new(range, until, Grantee::Person("ada on laptop".to_owned()));
    format!("{id}\t{}\n", grant.rule().description)
}

#[test]
fn temporary_access_is_removed_after_its_end() {
    let Some(machine) = running() else { return };
    machine.run(&["access"]).must();
    let others =
        "sgr-0allow\tapi.allow in the cluster file\nsgr-0hand\tNone\nsgr-0odd\tquorate grant until yesterday\n";
    let runs = granted("sgr-0runs", 3);
    machine.write("world/rules", &format!("{others}{}{runs}{}", granted("sgr-0old", -300), granted("sgr-0over", -1)));
    machine.run(&["access"]).must();
    assert_eq!(machine.read("world/rules"), format!("{others}{runs}"));
    let filter = "Name=tag:quorate.dev/cluster,Values=chat.poeticoding.com Name=tag:quorate.dev/object,Values=security-group/api";
    assert!(machine.calls_of("aws ec2 describe-security-groups")[0].ends_with(filter), "of no other cluster");
}

#[test]
fn a_rule_that_another_master_took_away_is_no_failure_and_one_that_stays_is() {
    let Some(machine) = running() else { return };
    machine.write("world/rules", &(granted("sgr-0old", -9) + &granted("sgr-0over", -1)));
    machine.fault("aws ec2 revoke-security-group-ingress *sgr-0old*");
    machine.run(&["access"]).must_not("sgr-0old of sg-0api could not be revoked");
    machine.run(&["access"]).must();
    assert_eq!(machine.read("world/rules"), "");
    machine.fault("aws ec2 describe-security-group-rules *");
    machine.run(&["access"]).must_not("failed at line");
}
