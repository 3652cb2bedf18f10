//! Tags of the file on a living cluster: they are set everywhere, and replace nothing.

use super::*;
use crate::engine::{Address, Value};

/// Returns the file with these tags.
fn tagged(tags: &[(&str, &str)]) -> String {
    let tags: Vec<String> = tags.iter().map(|(key, value)| format!("\"{key}\" = \"{value}\"")).collect();
    format!("{FILE}\ntags = {{\n{}\n}}\n", tags.join("\n"))
}

/// Returns each tagged object's value for a key, as it is observed.
async fn seen(lab: &SandboxUser, key: &str) -> Vec<(Address, Option<String>)> {
    let live = lab.with(async |context| context.cloud.observe().await).await.unwrap().live;
    let tags = live.iter().filter_map(|live| match live.attributes.get("tags") {
        Some(Value::Map(tags)) => {
            Some((live.address.clone(), tags.get(key).and_then(Value::as_text).map(str::to_owned)))
        }
        _ => None,
    });
    tags.collect()
}

async fn applied(lab: &SandboxUser) -> String {
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    let (exit, plan) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{plan}");
    out
}

#[tokio::test(start_paused = true)]
async fn a_changed_tag_arrives_everywhere_and_replaces_nothing() {
    let mut lab = SandboxUser::built().await;
    let machines = lab.machines().await;
    let edits: [&[(&str, &str)]; 5] = [
        &[("team", "data")],
        &[("team", "web"), ("cost-center", "7")],
        &[("Team", "web"), ("cost-center", "7")],
        &[("cost-center", "8")],
        &[],
    ];
    let mut keys: Vec<&str> = Vec::new();
    for edit in edits {
        lab.text = tagged(edit);
        let out = applied(&lab).await;
        assert!(!out.contains("roll") && !out.contains("replace"), "{out}");
        assert_eq!(lab.machines().await, machines, "{edit:?}");
        keys.extend(edit.iter().map(|(key, _)| *key));
        for key in &keys {
            let wanted = edit.iter().find(|(wanted, _)| wanted == key).map(|(_, value)| (*value).to_owned());
            for (address, value) in seen(&lab, key).await {
                assert_eq!(value, wanted, "{key} of {address} after {edit:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_machines_lost_is_drift_and_comes_back_in_place() {
    let mut lab = SandboxUser::new();
    lab.text = tagged(&[("team", "data")]);
    applied(&lab).await;
    let machines = lab.machines().await;
    lab.sandbox.untag_machines(&"autoscaling-group/nodes-workers".parse().unwrap(), "team").unwrap();
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(out.contains("autoscaling-group/nodes-workers") && out.contains("(not on i-"), "{out}");
    applied(&lab).await;
    assert_eq!(lab.machines().await, machines);

    for address in ["role/nodes", "instance-profile/masters"] {
        lab.sandbox.set(&address.parse().unwrap(), &"tags.team=mine".parse().unwrap()).unwrap();
        let (exit, out) = lab.plan().await;
        assert_eq!(exit.unwrap(), Exit::Differs);
        assert!(out.contains(address), "{out}");
        applied(&lab).await;
    }
}

/// Machines started before and after a change of tags are equivalent; a real change still replaces all of them.
#[tokio::test(start_paused = true)]
async fn a_real_change_after_one_of_tags_replaces_every_machine_once() {
    let mut lab = SandboxUser::built().await;
    lab.text = tagged(&[("team", "data")]);
    applied(&lab).await;
    let (first, _) = lab.machines().await.into_iter().find(|(_, group)| group == "nodes-workers").unwrap();
    lab.sandbox.terminate(&first).unwrap();
    lab.sandbox.pass(Duration::from_mins(2)).unwrap();
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "a machine of the newer version is no difference: {out}");

    let before = lab.machines().await;
    let old = "nodes \"workers\" {\n  count = 2\n  size  = \"t3.medium\"";
    assert!(lab.text.contains(old));
    lab.text = lab.text.replace(old, "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"");
    let out = applied(&lab).await;
    assert!(out.contains("roll"), "{out}");
    let after = lab.machines().await;
    let kept: Vec<_> = after.iter().filter(|machine| before.contains(machine)).collect();
    assert!(kept.iter().all(|(_, group)| group.starts_with("masters-")) && kept.len() == 3, "{kept:?}");
}
