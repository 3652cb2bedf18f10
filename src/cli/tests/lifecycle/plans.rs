//! Plans of clusters as they are built and changed.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_first_plan_shows_everything_and_changes_nothing() {
    let user = SandboxUser::new();
    let before = user.sandbox.inventory().unwrap();
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out);
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_plan_after_apply_is_empty_and_a_destroy_leaves_what_was_there_before() {
    let user = SandboxUser::new();
    let before = user.sandbox.inventory().unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    insta::assert_snapshot!(out);
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert!(out.ends_with("0 resources left.\n"), "{out}");
    assert!(!user.err.read().contains("the lease"), "it went with the bucket: {}", user.err.read());
    assert_eq!(user.sandbox.inventory().unwrap(), before);
    assert_eq!(user.with(async |context| context.store.list("").await).await.unwrap(), Vec::<String>::new());
}

/// Returns the plan of a built cluster whose file is changed like this. After it is applied, the plan is empty.
async fn changed(text: String) -> String {
    let user = SandboxUser { text, ..SandboxUser::built().await };
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    out
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_shown_as_that_and_nothing_else() {
    insta::assert_snapshot!(changed(FILE.replace("count = 2", "count = 4")).await);
}

#[tokio::test(start_paused = true)]
async fn another_size_rolls_the_masters() {
    insta::assert_snapshot!(changed(FILE.replacen("t3.medium", "t3.large", 1)).await);
}

#[tokio::test(start_paused = true)]
async fn drift_is_named_and_corrected() {
    let user = SandboxUser::built().await;
    let address = "autoscaling-group/masters-a".parse().unwrap();
    user.sandbox.set(&address, &"max=7".parse().unwrap()).unwrap();
    let (_, refreshed) = user.plan_for(PlanMode::Refresh).await;
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out + "\n--refresh-only\n" + &refreshed);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_tags_is_neither_made_again_nor_forgotten() {
    let mut user = SandboxUser::built().await;
    for address in ["volume/etcd-a", "vpc/main", "security-group/nodes", "load-balancer/api"] {
        user.sandbox.untag(&address.parse().unwrap()).unwrap();
    }
    user.options.json = true;
    let (_, out) = user.plan().await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let changes = json["plan"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4, "{out}");
    assert!(changes.iter().all(|change| change["action"] == "update" && change["reason"]["kind"] == "drift"), "{out}");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "they carry their tags again");
    user.sandbox.untag(&"volume/etcd-a".parse().unwrap()).unwrap();
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(user.sandbox.inventory().unwrap(), SandboxUser::new().sandbox.inventory().unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_changes_no_object_is_written_down_all_the_same() {
    let mut user = SandboxUser::built().await;
    user.text = format!("{FILE}\nservice \"nginx\" {{\n image = \"nginx:1.27\"\n}}\n")
        .replace("zones", "account = \"123456789012\"\nzones");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let record =
        user.with(async |context| context.store.get("chat.poeticoding.com/state.json").await).await.unwrap().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap();
    assert_eq!(record["cluster_spec"]["account"], "123456789012");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_be_made_refuses_the_whole_plan() {
    let mut user = SandboxUser::built().await;
    user.text = format!("{FILE}\nnetwork {{ cidr = \"10.0.0.0/16\" }}\n").replace("count = 2", "count = 4");
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    insta::assert_snapshot!(out);
    user.text = FILE.to_owned();
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "nothing of it was applied");
}

#[tokio::test(start_paused = true)]
async fn unreadable_pins_are_reported_as_those_of_the_record() {
    let user = SandboxUser::built().await;
    let key = "chat.poeticoding.com/state.json";
    let store = user.sandbox.store("state.chat.poeticoding.com", "");
    let stored = store.get(key).await.unwrap().unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&stored.bytes).unwrap();
    record["pins"] = serde_json::json!({ "node_ports": "all" });
    let condition = crate::engine::WriteCondition::Matches(stored.etag);
    store.put(key, record.to_string().as_bytes(), &condition).await.unwrap();
    let error = user.plan().await.0.unwrap_err();
    assert_eq!(error.to_string(), "reading the record failed");
    assert!(error.report().causes[0].contains("/chat.poeticoding.com/state.json cannot be read"), "{error:?}");
}
