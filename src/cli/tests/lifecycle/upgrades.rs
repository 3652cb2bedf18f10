//! Recorded versions, and the upgrades that change them.

use super::*;
use crate::blueprint::Upgrade;

/// A cluster with one group, and a version of Kubernetes if it is given.
fn file(kubernetes: &str) -> String {
    format!("{FILE}{kubernetes}")
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_of_kubernetes_is_shown_as_one_change_on_a_screen() {
    let mut user = SandboxUser::new();
    user.text = file("kubernetes = \"1.35\"\n");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = file("kubernetes = \"1.36\"\n");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(out.lines().count() <= 45, "{out}");
    insta::assert_snapshot!(out);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
}

/// Five node groups, two of which are rolled faster, and all machines are replaced: the plan still fits on a screen.
#[tokio::test(start_paused = true)]
async fn an_upgrade_of_five_groups_fits_on_a_screen() {
    let mut user = SandboxUser::new();
    let group =
        |name: &str, settings: &str| format!("nodes \"{name}\" {{\n  count = 3\n  size = \"t3.large\"\n{settings}}}\n");
    let wide = "  roll {\n    max_surge = 3\n  }\n";
    let groups = [group("batch", wide), group("data", ""), group("ingress", ""), group("web", wide)].concat();
    user.text = format!("{FILE}{groups}kubernetes = \"1.35\"\n");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = format!("{FILE}{groups}kubernetes = \"1.36\"\n");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(out.lines().count() <= 45, "{out}");
    insta::assert_snapshot!(out);
}

#[tokio::test(start_paused = true)]
async fn newer_images_are_a_note_until_an_upgrade_uses_them() {
    let mut user = SandboxUser::built().await;
    user.sandbox.publish_images().unwrap();
    user.err.read();
    let (exit, _) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "a new image changes nothing by itself");
    let note = line(&user.err.read());
    assert!(note.contains("newer versions are available: machine image (x86_64)"), "{note}");
    assert!(note.contains("`quorate upgrade` makes them"), "{note}");

    user.upgrade = Upgrade { patch: true, addons: true, ..Upgrade::default() };
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "nothing else is newer");
    user.upgrade = Upgrade::ALL;
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out);
    let before = user.machines().await;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let after = user.machines().await;
    assert!(after.iter().all(|machine| !before.contains(machine)), "all machines are replaced");

    user.upgrade = Upgrade::default();
    user.err.read();
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "the new image is recorded");
    assert!(!user.err.read().contains("newer versions"));
}

#[tokio::test(start_paused = true)]
async fn the_minor_version_moves_by_one_and_is_kept_without_the_file() {
    let mut user = SandboxUser::built().await;
    let next = crate::spec::KubernetesVersion::DEFAULT.next();
    user.upgrade.kubernetes = Some(next);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(out.contains(&format!("-> {}", next.newest_release())), "{out}");
    user.upgrade = Upgrade::default();
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");

    user.upgrade.kubernetes = Some(crate::spec::KubernetesVersion::DEFAULT);
    let report = user.apply(YES).await.0.unwrap_err().report();
    let causes = line(&report.causes.join(" "));
    assert!(causes.contains("Kubernetes does not go back to an older version"), "{causes}");
}

#[tokio::test(start_paused = true)]
async fn the_json_of_a_plan_names_the_cause_of_each_roll() {
    let mut user = SandboxUser::built().await;
    user.sandbox.publish_images().unwrap();
    user.upgrade = Upgrade::ALL;
    user.options.json = true;
    let (_, out) = user.plan().await;
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    let causes = plan["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(causes[0]["subject"], "machine image (x86_64)");
    let groups: Vec<&str> =
        causes[0]["groups"].as_array().unwrap().iter().map(|group| group.as_str().unwrap()).collect();
    let rolled = plan["plan"]["changes"].as_array().unwrap().iter().filter(|change| change["action"] == "roll").count();
    assert_eq!(groups.len(), rolled);
    assert!(groups[0].starts_with("masters-"), "masters come first: {groups:?}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_upgrade_is_resumed_by_a_plain_apply() {
    let mut user = SandboxUser::built().await;
    user.sandbox.publish_images().unwrap();
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    user.upgrade = Upgrade::ALL;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Partly);
    user.sandbox.restore_boot(&group).unwrap();
    user.upgrade = Upgrade::default();
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.err.read();
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    assert!(!user.err.read().contains("newer versions"), "the plain apply went on with the recorded choice");
}

/// Makes the cluster one of older versions: they are recorded, and its objects have them.
async fn with_older_versions(user: &SandboxUser) {
    let key = "chat.poeticoding.com/state.json";
    let store = user.sandbox.store("state.chat.poeticoding.com", "");
    let stored = store.get(key).await.unwrap().unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&stored.bytes).unwrap();
    record["pins"]["release"] = "1.36.1".into();
    record["pins"]["addons"]["versions"]["ebs-csi-driver"] = "v1.40.0".into();
    let condition = crate::engine::WriteCondition::Matches(stored.etag);
    store.put(key, record.to_string().as_bytes(), &condition).await.unwrap();
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn the_plans_of_a_patch_and_of_an_add_on_name_the_versions() {
    let mut user = SandboxUser::built().await;
    with_older_versions(&user).await;
    user.upgrade = Upgrade { patch: true, ..Upgrade::default() };
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!("patch", out);
    user.upgrade = Upgrade { addons: true, ..Upgrade::default() };
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!("addon", out);
    user.options.json = true;
    let (_, out) = user.plan().await;
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["causes"][0]["subject"], "ebs-csi-driver");
    assert_eq!(plan["causes"][0]["changes"].as_array().unwrap().len(), 2, "the Deployment and the DaemonSet");
}

#[tokio::test(start_paused = true)]
async fn settings_of_machines_are_named_beside_a_new_version() {
    let mut user = SandboxUser::new();
    user.text = file("kubernetes = \"1.35\"\n");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let kubelet = "nodes \"workers\" {\n  kubelet {\n    max_pods = 50\n  }";
    let days = "masters {\n  etcd {\n    keep_days = 1\n  }";
    user.text =
        file("kubernetes = \"1.36\"\n").replacen("nodes \"workers\" {", kubelet, 1).replacen("masters {", days, 1);
    let (_, out) = user.plan().await;
    let head = line(&out);
    assert!(head.contains("Kubernetes 1.35.9 -> 1.36.4"), "{out}");
    assert!(head.contains("kubelet.max_pods the default -> 50"), "{out}");
    assert!(head.contains("masters.etcd.keep_days 7 -> 1"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn the_plan_after_a_stopped_upgrade_names_the_version() {
    let mut user = SandboxUser::new();
    user.text = file("kubernetes = \"1.35\"\n");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = file("kubernetes = \"1.36\"\n");
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Partly);
    user.sandbox.restore_boot(&group).unwrap();
    let (_, out) = user.plan().await;
    assert!(line(&out).contains("Kubernetes 1.35 -> 1.36.4 replaces the machines of the node group workers"), "{out}");
}
