//! Ordinary edits of the file of a living cluster, which must not destroy it.

use super::*;
use crate::engine::Live;
use crate::resource::{EbsVolume, Resource};

const THREE: &str = r#"
name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
masters {
  count = 3
  size  = "t3.medium"
}
nodes "w" {
  count = 1
  size  = "t3.medium"
}
"#;

async fn three() -> SandboxUser {
    let user = SandboxUser { text: THREE.to_owned(), ..SandboxUser::new() };
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    user
}

/// Returns the zone and the id of each etcd volume.
async fn volumes(user: &SandboxUser) -> BTreeMap<String, (String, String)> {
    let live = user.with(async |context| context.cloud.observe().await).await.unwrap().live;
    let volumes = live.into_iter().filter(|live| live.address.kind() == EbsVolume::KIND.name);
    let place = |live: &Live| live.attributes["zone"].as_text().unwrap().to_owned();
    volumes.map(|live| (live.address.name().to_owned(), (place(&live), live.id.clone()))).collect()
}

/// Deletes the record: its contents are read from the existing objects.
async fn forget(user: &SandboxUser) {
    let store = user.sandbox.store("state.chat.poeticoding.com", "");
    let key = "chat.poeticoding.com/state.json";
    let etag = store.get(key).await.unwrap().unwrap().etag;
    assert!(store.remove(key, &etag).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn zones_in_another_order_or_one_in_front_move_no_master() {
    let mut user = three().await;
    let before = volumes(&user).await;
    user.text = THREE
        .replace("\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"", "\"us-east-1c\", \"us-east-1a\", \"us-east-1b\"");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    forget(&user).await;
    let (_, out) = user.plan().await;
    assert!(!out.contains("Replace") && !out.contains("Roll") && !out.contains("Create"), "without the record: {out}");
    user.text = THREE.replace("zones = [", "zones = [\"us-east-1d\", ");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(volumes(&user).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_goes_moves_its_master_alone_and_with_its_data() {
    let mut user = three().await;
    let before = volumes(&user).await;
    user.text = THREE.replace("\"us-east-1b\"", "\"us-east-1d\"");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    let messages = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let named =
        "master b moves from us-east-1b to us-east-1d: its etcd member joins anew and gets its data from the others";
    assert!(messages.contains(named) && !messages.contains("permanently"), "{out}");
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    let after = volumes(&user).await;
    assert_eq!(after["etcd-b"].0, "us-east-1d");
    assert_eq!((&after["etcd-a"], &after["etcd-c"]), (&before["etcd-a"], &before["etcd-c"]));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_single_master_stays_in_its_zone() {
    let one = THREE.replace("count = 3", "count = 1").replace(", \"us-east-1b\", \"us-east-1c\"", "");
    let mut user = SandboxUser { text: one.clone(), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = one.replace("us-east-1a", "us-east-1b");
    let (exit, out) = user.apply(Consent { yes: true, delete_data: true }).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    let messages = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(messages.contains("apply `count = 3` in `masters` first"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_renamed_node_group_goes_after_the_new_one_is_there() {
    let mut user = three().await;
    user.text = THREE.replace("nodes \"w\"", "nodes \"workers\"");
    user.options.json = true;
    let (_, out) = user.plan().await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let changes = json["plan"]["changes"].as_array().unwrap();
    let old = changes.iter().find(|change| change["address"] == "autoscaling-group/nodes-w").unwrap();
    assert!(old["needs"].as_array().unwrap().contains(&"autoscaling-group/nodes-workers".into()), "{old}");
    assert!(!user.err.read().contains("without nodes"));
    user.options.json = false;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_leaves_the_cluster_without_nodes_warns() {
    let mut user = three().await;
    let (without, _) = THREE.split_once("nodes").unwrap();
    user.text = without.to_owned();
    user.plan().await.0.unwrap();
    let messages = user.err.read();
    assert!(messages.contains("this plan leaves the cluster without nodes: it takes nodes-w away"), "{messages}");
}

/// Returns the plan of an edited file.
async fn refused(before: &str, after: &str) -> String {
    let mut user = SandboxUser { text: before.to_owned(), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    after.clone_into(&mut user.text);
    let (exit, out) = user.apply(Consent { yes: true, delete_data: true }).await;
    let error = exit.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused, "{out}");
    before.clone_into(&mut user.text);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "nothing of it was applied");
    let report = error.report();
    format!("{out} {} {}", report.message, report.causes.join(" ")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn what_can_only_grow_is_refused_with_the_way() {
    let etcd = |gib: u32| THREE.replace("count = 3", &format!("count = 3\n  etcd {{\n gib = {gib}\n }}"));
    let messages = refused(&etcd(20), &etcd(10)).await;
    assert!(messages.contains("can grow, but not shrink. Keep 20 in `masters { etcd { gib } }`"), "{messages}");
    let claim = |gib: u32| {
        format!(
            "{THREE}service \"db\" {{\n image = \"postgres:17\"\n port = 5432\n volume \"data\" {{\n gib = {gib}\n path = \"/d\"\n }}\n}}\n"
        )
    };
    let messages = refused(&claim(5), &claim(4)).await;
    assert!(messages.contains("Keep `gib = 5`"), "{messages}");
}

#[tokio::test(start_paused = true)]
async fn what_would_break_a_living_cluster_is_refused_with_the_way() {
    let with = |line: &str| format!("{THREE}{line}\n");
    let messages = refused(THREE, &with("network {\n services = \"10.64.0.0/16\"\n}")).await;
    assert!(messages.contains("`network.services` cannot be changed from 100.64.0.0/13 to 10.64.0.0/16"), "{messages}");
    let messages = refused(&with("kubernetes = \"1.34\""), &with("kubernetes = \"1.36\"")).await;
    assert!(messages.contains("Apply 1.35 first, then 1.36"), "{messages}");
    let arm = THREE.replace("count = 1\n  size  = \"t3.medium\"", "count = 1\n  size  = \"t4g.medium\"");
    let messages = refused(THREE, &arm).await;
    assert!(messages.contains("Add a node group of the new size and apply"), "{messages}");
}
