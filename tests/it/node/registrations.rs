//! Labels and taints of nodes, the kubelet's settings, and interruptions of Spot Instances.

use serde_json::json;

use super::ScriptMachine;

/// Stores the labels and taints of the node groups, under a hash that stands for their content.
fn store(machine: &ScriptMachine, hash: &str, groups: &serde_json::Value) {
    machine.store(&format!("bootstrap/{}/node-registrations", hash.repeat(64)), &groups.to_string());
}

fn workers(labels: &serde_json::Value, taints: &serde_json::Value) -> serde_json::Value {
    json!({ "workers": { "labels": labels, "taints": taints }, "others": { "labels": { "not": "mine" }, "taints": [] } })
}

fn set(machine: &ScriptMachine, lines: &str) {
    let settings = machine.read("etc/quorate/settings");
    machine.write("etc/quorate/settings", &format!("{settings}{lines}"));
}

#[test]
fn a_node_joins_with_the_labels_and_taints_of_its_group() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    let labels = json!({ "team": "ml", "example.com/tier": "", "node-role.kubernetes.io/worker": "" });
    let taints = json!([{ "key": "dedicated", "value": "ml", "effect": "NoSchedule" }]);
    store(&machine, "a", &workers(&labels, &taints));
    machine.boot().must();
    let joined = machine.read("world/joined");
    // A kubelet may not give itself a label of Kubernetes' own domains: masters do.
    assert!(
        joined.contains("\"quorate.dev/role=node,quorate.dev/group=workers,example.com/tier=,team=ml\""),
        "{joined}"
    );
    assert!(
        joined.contains("taints: [{\"effect\":\"NoSchedule\",\"key\":\"dedicated\",\"value\":\"ml\"}]"),
        "{joined}"
    );
    let noted = r#"quorate.dev/registered={"labels":["example.com/tier","node-role.kubernetes.io/worker","team"],"taints":["dedicated:NoSchedule"]}"#;
    assert_eq!(machine.read("world/annotations").trim(), noted);
}

#[test]
fn a_node_of_a_group_without_labels_joins_as_it_always_did() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.boot().must();
    let joined = machine.read("world/joined");
    assert!(joined.contains("value: \"quorate.dev/role=node,quorate.dev/group=workers\""), "{joined}");
    assert!(joined.contains("taints: []"), "{joined}");
    assert!(!machine.path("etc/systemd/system/quorate-interruption.service").exists(), "it is no Spot Instance");
}

#[test]
fn nodes_that_run_get_the_labels_and_taints_of_the_newest_file() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    store(&machine, "b", &workers(&json!({ "old": "1" }), &json!([])));
    std::thread::sleep(std::time::Duration::from_millis(20));
    store(&machine, "a", &workers(&json!({ "team": "ml" }), &json!([{ "key": "a", "effect": "NoExecute" }])));
    let registered = r#"{"labels":["old"],"taints":["b:NoSchedule"]}"#;
    let node = |name: &str, group: &str, more: serde_json::Value, taints: serde_json::Value| {
        let mut node = json!({
            "metadata": { "name": name, "resourceVersion": "7", "labels": { "quorate.dev/group": group } },
            "spec": { "taints": taints },
        });
        for (path, value) in more.as_object().expect("it is a table") {
            node["metadata"][path] = value.clone();
        }
        node
    };
    let theirs = json!([{ "key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z" }, { "key": "b", "effect": "NoSchedule" }]);
    let before = json!({ "labels": { "quorate.dev/group": "workers", "old": "1", "by-hand": "1" }, "annotations": { "quorate.dev/registered": registered } });
    let items = [node("one", "workers", before, theirs), node("two", "gone", json!({}), json!([]))];
    machine.write("world/nodes", &json!({ "items": items }).to_string());
    machine.run(&["nodes"]).must();
    let patches = machine.read("world/patches");
    let lines: Vec<&str> = patches.lines().collect();
    assert_eq!(lines.len(), 1, "only the Node that differs: {patches}");
    let patch: serde_json::Value =
        serde_json::from_str(lines[0].strip_prefix("one ").expect("its name")).expect("JSON");
    assert_eq!(
        patch,
        json!({
            "metadata": {
                "resourceVersion": "7",
                "labels": { "team": "ml", "old": null },
                "annotations": { "quorate.dev/registered": r#"{"labels":["team"],"taints":["a:NoExecute"]}"# },
            },
            "spec": { "taints": [
                { "key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z" },
                { "key": "a", "effect": "NoExecute" },
            ] },
        })
    );
    // With the change made, nothing is left to do: a time that Kubernetes adds is no difference.
    let registered = r#"{"labels":["team"],"taints":["a:NoExecute"]}"#;
    let after = json!({ "labels": { "quorate.dev/group": "workers", "team": "ml" }, "annotations": { "quorate.dev/registered": registered } });
    let taints = json!([{ "key": "a", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z" }]);
    machine.write("world/nodes", &json!({ "items": [node("one", "workers", after, taints)] }).to_string());
    machine.run(&["nodes"]).must();
    assert_eq!(machine.read("world/patches"), patches);
}

#[test]
fn a_bucket_that_does_not_answer_takes_no_label_away() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    machine.write("world/nodes", r#"{"items": []}"#);
    machine.fault("aws s3api list-objects-v2 *bootstrap*");
    machine.run(&["nodes"]).must_not("a fault that the test asked for");
    assert_eq!(
        machine.calls_of("kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 30s patch"),
        [""; 0]
    );
}

#[test]
fn a_small_machine_keeps_memory_for_itself() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.boot().must();
    let patch = machine.read("etc/quorate/patches/kubeletconfiguration+merge.yaml");
    for line in ["maxPods: 110", "memory.available: \"100Mi\"", "nodefs.available: \"10%\""] {
        assert!(patch.contains(line), "{line}: {patch}");
    }
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    set(
        &machine,
        "QUORATE_MAX_PODS='60'\nQUORATE_RESERVED_CPU='200m'\nQUORATE_RESERVED_MEMORY='1Gi'\nQUORATE_EVICTION_MEMORY='5%'\n\
         QUORATE_EVICTION_DISK='2Gi'\n",
    );
    machine.boot().must();
    let patch = machine.read("etc/quorate/patches/kubeletconfiguration+merge.yaml");
    for line in
        ["maxPods: 60", "cpu: \"200m\"", "memory: \"1Gi\"", "memory.available: \"5%\"", "nodefs.available: \"2Gi\""]
    {
        assert!(patch.contains(line), "{line}: {patch}");
    }
}

#[test]
fn a_spot_instance_moves_its_pods_when_ec2_takes_it_back() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write("world/metadata/instance-life-cycle", "spot");
    set(&machine, "QUORATE_SPOT='yes'\n");
    machine.boot().must();
    assert!(machine.read("world/joined").contains(",quorate.dev/capacity-type=spot\""));
    assert!(machine.path("etc/systemd/system/quorate-interruption.service").exists());
    machine.write("world/calls", "");
    let pod = json!({ "metadata": { "namespace": "default", "name": "web" }, "status": { "phase": "Running" } });
    machine.write("world/pods", &json!({ "items": [pod] }).to_string());
    let notice = r#"{"action": "terminate", "time": "2026-11-30T18:00:00Z"}"#;
    machine.write("world/notice", notice);
    machine.write("world/meanwhile", "[[ $(grep --count ^sleep calls) -lt 3 ]] || cp notice metadata/instance-action");
    let run = machine.run(&["interruption"]).must();
    assert!(run.messages.contains(&format!("EC2 takes this Spot Instance back: {notice}")), "{}", run.messages);
    assert!(run.messages.contains("default/web is being evicted"), "{}", run.messages);
    assert!(run.messages.contains("no pod is left to move"), "{}", run.messages);
    assert!(machine.path("world/cordoned").exists());
}

#[test]
fn an_on_demand_machine_of_a_mixed_group_waits_for_no_interruption() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write("world/metadata/instance-life-cycle", "on-demand");
    set(&machine, "QUORATE_SPOT='yes'\n");
    machine.boot().must();
    assert!(machine.read("world/joined").contains(",quorate.dev/capacity-type=on-demand\""));
    assert!(!machine.path("etc/systemd/system/quorate-interruption.service").exists());
}
