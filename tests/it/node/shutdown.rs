//! Shutdown of a machine.

use serde_json::json;

use super::ScriptMachine;

const POWEROFF: &str = "122 poweroff.target start waiting\n140 kubelet.service stop waiting\n";
const REBOOT: &str = "122 reboot.target start waiting\n140 kubelet.service stop waiting\n";

/// Returns a machine that is up, with an empty list of calls, and that shuts down for this reason.
fn going(settings: &str, jobs: &str) -> Option<ScriptMachine> {
    let machine = ScriptMachine::new(settings)?;
    machine.write("world/ready", "");
    machine.boot().must();
    machine.write("world/calls", "");
    machine.write("world/going", jobs);
    Some(machine)
}

fn pod(name: &str) -> serde_json::Value {
    json!({"metadata": {"namespace": "default", "name": name}, "status": {"phase": "Running"}})
}

/// Returns a pod that no other machine could run, or that has finished.
fn fixed() -> Vec<serde_json::Value> {
    let mut mirror = pod("kube-scheduler");
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "0123"});
    let mut daemon = pod("kube-proxy");
    daemon["metadata"]["ownerReferences"] = json!([{"kind": "DaemonSet", "controller": true}]);
    let mut done = pod("job");
    done["status"]["phase"] = "Succeeded".into();
    vec![mirror, daemon, done]
}

fn evictions(machine: &ScriptMachine) -> Vec<String> {
    let calls = machine.calls_of("kubectl").into_iter();
    calls.filter_map(|call| Some(call.split_once("/pods/")?.1.split_once("/eviction")?.0.to_owned())).collect()
}

#[test]
fn pods_move_as_their_budgets_allow() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    let pods: Vec<_> = fixed().into_iter().chain([pod("web"), pod("db")]).collect();
    machine.write("world/pods", &json!({ "items": pods }).to_string());
    machine.write("world/budget", "db\n");
    machine.write("world/meanwhile", "[[ $(grep --count ^sleep calls) -lt 3 ]] || rm -f budget");
    let run = machine.run(&["drain"]).must();
    assert!(run.messages.contains("default/db is not evicted yet"), "{}", run.messages);
    assert!(run.messages.contains("violate the pod's disruption budget"), "{}", run.messages);
    assert!(run.messages.contains("no pod is left to move"), "{}", run.messages);
    assert_eq!(evictions(&machine), ["web", "db", "db", "db", "db"]);
    assert!(machine.path("world/cordoned").exists(), "no new pod came");
    assert!(machine.calls_of("kubectl").iter().all(|call| call.contains("/etc/kubernetes/kubelet.conf")));
}

#[test]
fn a_machine_goes_after_the_volumes_of_its_pods() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    machine.write("world/volumes", "[\"kubernetes.io/csi/ebs.csi.aws.com^vol-0def\"]");
    machine.write("world/meanwhile", "[[ $(grep --count ^sleep calls) -lt 3 ]] || rm -f volumes");
    let run = machine.run(&["drain"]).must();
    assert!(run.messages.contains("waiting for their volumes"), "{}", run.messages);
    assert!(!run.messages.contains("shutting down with the remaining"), "{}", run.messages);
    assert_eq!(machine.calls_of("sleep").len(), 3, "as long as they are in use");
}

#[test]
fn a_volume_that_stays_keeps_no_machine() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    machine.write("world/volumes", "[\"kubernetes.io/csi/ebs.csi.aws.com^vol-0def\"]");
    let run = machine.run(&["drain"]).must();
    assert!(
        run.messages.contains("shutting down with the remaining") && run.messages.contains("vol-0def"),
        "{}",
        run.messages
    );
}

#[test]
fn a_pod_that_may_not_go_keeps_no_machine() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    machine.write("world/pods", &json!({ "items": [pod("db")] }).to_string());
    machine.write("world/budget", "db\n");
    let run = machine.run(&["drain"]).must();
    assert!(run.messages.contains("shutting down with the remaining: default db"), "{}", run.messages);
}

#[test]
fn an_api_that_is_silent_keeps_no_machine() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    machine.write("world/faults", &"kubectl *\n".repeat(9));
    let run = machine.run(&["drain"]).must();
    assert!(run.messages.contains("the API does not respond"), "{}", run.messages);
    assert_eq!(machine.calls_of("sleep").len(), 3);
}

#[test]
fn a_machine_that_only_starts_again_keeps_its_pods_and_its_volume() {
    let Some(machine) = going("masters-a", REBOOT) else { return };
    machine.run(&["drain"]).must();
    assert_eq!(machine.calls_of("kubectl"), Vec::<String>::new());
    machine.run(&["leave"]).must();
    assert_eq!(machine.read("world/volume"), "in-use i-0aaa attached\n");
    assert!(!machine.path("world/mounted").exists(), "what is on it is complete");
}

#[test]
fn a_machine_that_comes_back_takes_pods_again() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    machine.run(&["drain"]).must();
    machine.boot().must();
    assert!(!machine.path("world/cordoned").exists());
    machine.write("world/cordoned", "by hand");
    machine.boot().must();
    assert!(machine.path("world/cordoned").exists(), "the order of another administrator stays");
}

#[test]
fn systemd_knows_before_the_first_pod_that_a_shutdown_ends_no_slice_of_pods() {
    for settings in ["masters-a", "nodes-workers"] {
        let Some(machine) = ScriptMachine::new(settings) else { return };
        machine.write("world/ready", "");
        machine.boot().must();
        for slices in ["kubepods.slice.d", "kubepods-.slice.d"] {
            let file = machine.read(&format!("etc/systemd/system/{slices}/10-quorate.conf"));
            assert_eq!(file, "[Unit]\nDefaultDependencies=no\n");
        }
        let calls = machine.calls();
        let first = |word: &str| calls.iter().position(|call| call.starts_with(word));
        let kubelet = first("kubeadm init phase kubelet-start").or_else(|| first("kubeadm join"));
        assert!(first("systemctl daemon-reload") < kubelet, "{calls:?}");
    }
}

#[test]
fn a_master_that_leaves_puts_its_volume_down() {
    let Some(machine) = going("masters-a", POWEROFF) else { return };
    machine.run(&["leave"]).must();
    assert_eq!(machine.read("world/volume"), "available None None\n");
    assert!(!machine.path("world/mounted").exists());
    let calls = machine.calls();
    let at = |word: &str| calls.iter().position(|call| call.starts_with(word)).expect("it was called");
    assert!(at("crictl stop --timeout 28 kube-apiserver") < at("crictl stop --timeout 20 etcd"), "{calls:?}");
    assert!(at("crictl stop --timeout 20 etcd") < at("umount"), "{calls:?}");
    assert!(at("umount") < at("aws ec2 detach-volume"), "{calls:?}");
}

#[test]
fn a_node_that_leaves_ends_its_containers() {
    let Some(machine) = going("nodes-workers", POWEROFF) else { return };
    machine.run(&["leave"]).must();
    assert!(machine.calls_of("crictl stop").contains(&"crictl stop --timeout 20 kube-proxy".to_owned()));
    assert_eq!(machine.calls_of("aws ec2"), Vec::<String>::new());
}
