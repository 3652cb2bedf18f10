//! Tags of the file on a living cluster: they are set everywhere, and replace nothing.

use super::*;
use crate::engine::{Address, Value};

/// Returns the file with these tags.
fn tagged(tags: &[(&str, &str)]) -> String {
    let tags: Vec<String> = tags.iter().map(|(key, value)| format!("\"{key}\" = \"{value}\"")).collect();
    format!("{FILE}\ntags = {{\n{}\n}}\n", tags.join("\n"))
}

/// Returns each tagged object's value for a key, as it is observed.
async fn observed(user: &SandboxUser, key: &str) -> Vec<(Address, Option<String>)> {
    let live = user.with(async |context| context.cloud.observe().await).await.unwrap().live;
    let tags = live.iter().filter_map(|live| match live.attributes.get("tags") {
        Some(Value::Map(tags)) => {
            Some((live.address.clone(), tags.get(key).and_then(Value::as_text).map(str::to_owned)))
        }
        _ => None,
    });
    tags.collect()
}

async fn applied(user: &SandboxUser) -> String {
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    let (exit, plan) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{plan}");
    out
}

#[tokio::test(start_paused = true)]
async fn a_changed_tag_arrives_everywhere_and_replaces_nothing() {
    let mut user = SandboxUser::built().await;
    let machines = user.machines().await;
    let edits: [&[(&str, &str)]; 5] = [
        &[("team", "data")],
        &[("team", "web"), ("cost-center", "7")],
        &[("Team", "web"), ("cost-center", "7")],
        &[("cost-center", "8")],
        &[],
    ];
    let mut keys: Vec<&str> = Vec::new();
    for edit in edits {
        user.text = tagged(edit);
        let out = applied(&user).await;
        assert!(!out.contains("roll") && !out.contains("replace"), "{out}");
        assert_eq!(user.machines().await, machines, "{edit:?}");
        keys.extend(edit.iter().map(|(key, _)| *key));
        for key in &keys {
            let wanted = edit.iter().find(|(wanted, _)| wanted == key).map(|(_, value)| (*value).to_owned());
            for (address, value) in observed(&user, key).await {
                assert_eq!(value, wanted, "{key} of {address} after {edit:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_machines_lost_is_drift_and_comes_back_in_place() {
    let mut user = SandboxUser::new();
    user.text = tagged(&[("team", "data")]);
    applied(&user).await;
    let machines = user.machines().await;
    user.sandbox.untag_machines(&"autoscaling-group/nodes-workers".parse().unwrap(), "team").unwrap();
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(out.contains("autoscaling-group/nodes-workers") && out.contains("(not on i-"), "{out}");
    applied(&user).await;
    assert_eq!(user.machines().await, machines);

    for address in ["role/nodes", "instance-profile/masters"] {
        user.sandbox.set(&address.parse().unwrap(), &"tags.team=mine".parse().unwrap()).unwrap();
        let (exit, out) = user.plan().await;
        assert_eq!(exit.unwrap(), Exit::Differs);
        assert!(out.contains(address), "{out}");
        applied(&user).await;
    }
}

/// Machines started before and after a change of tags are equivalent; a real change still replaces all of them.
#[tokio::test(start_paused = true)]
async fn a_real_change_after_one_of_tags_replaces_every_machine_once() {
    let mut user = SandboxUser::built().await;
    user.text = tagged(&[("team", "data")]);
    applied(&user).await;
    let (first, _) = user.machines().await.into_iter().find(|(_, group)| group == "nodes-workers").unwrap();
    user.sandbox.terminate(&first).unwrap();
    user.sandbox.pass(Duration::from_mins(2)).unwrap();
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "a machine of the newer version is no difference: {out}");

    let before = user.machines().await;
    let old = "nodes \"workers\" {\n  count = 2\n  size  = \"t3.medium\"";
    assert!(user.text.contains(old));
    user.text = user.text.replace(old, "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"");
    let out = applied(&user).await;
    assert!(out.contains("roll"), "{out}");
    let after = user.machines().await;
    let kept: Vec<_> = after.iter().filter(|machine| before.contains(machine)).collect();
    assert!(kept.iter().all(|(_, group)| group.starts_with("masters-")) && kept.len() == 3, "{kept:?}");
}
