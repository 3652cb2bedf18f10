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
