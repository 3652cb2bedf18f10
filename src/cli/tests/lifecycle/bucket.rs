//! The contents of a bucket after its cluster is destroyed.

use super::*;

#[tokio::test(start_paused = true)]
async fn keys_of_others_keep_the_bucket() {
    let user = SandboxUser::built().await;
    user.put("", "other.example.com/state.json").await;
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (_, end) = out.split_once("Destroyed: ").unwrap();
    insta::assert_snapshot!(end, @r"
    61 deleted.
    1 resource left:
    bucket/state  state.chat.poeticoding.com
      others keep something in it: other.example.com/state.json
    ");
    assert_eq!(user.keys().await, ["other.example.com/state.json"], "the lease is gone too");
    let bucket = user.sandbox.inventory().unwrap().into_iter().find(|resident| resident.kind == "bucket");
    assert!(bucket.is_some());
}

#[tokio::test(start_paused = true)]
async fn our_bucket_without_its_tags_stays_and_is_named() {
    let user = SandboxUser::built().await;
    user.sandbox.untag(&"bucket/state".parse().unwrap()).unwrap();
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (_, end) = out.split_once("1 resource left:").unwrap();
    assert!(end.contains("bucket/state") && end.contains("its tags were taken away"), "{out}");
    assert_eq!(user.keys().await, Vec::<String>::new(), "nothing of the cluster is in it");
}

#[tokio::test(start_paused = true)]
async fn keys_outside_our_prefix_keep_the_bucket_too() {
    let mut user = SandboxUser::new();
    user.text = FILE.replace("s3://state.chat.poeticoding.com", "s3://state.chat.poeticoding.com/teams/chat");
    user.prefix = "teams/chat";
    user.store = Some(Arc::new(user.sandbox.store("state.chat.poeticoding.com", "teams/chat")));
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.put("", "teams/other/state.json").await;
    user.options.json = true;
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["left"][0]["address"], "bucket/state");
    assert_eq!(json["left"][0]["because"], "others keep something in it: teams/other/state.json");
    assert_eq!(user.keys().await, ["teams/other/state.json"]);
}
