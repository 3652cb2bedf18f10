//! The contents of a bucket after its cluster is destroyed.

use super::*;

#[tokio::test(start_paused = true)]
async fn somebody_elses_keys_keep_the_bucket() {
    let lab = SandboxUser::built().await;
    lab.put("", "other.example.com/state.json").await;
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (_, end) = out.split_once("Destroyed: ").unwrap();
    insta::assert_snapshot!(end, @r"
    61 deleted.
    1 resource left:
    bucket/state  state.chat.poeticoding.com
      others keep something in it: other.example.com/state.json
    ");
    assert_eq!(lab.keys().await, ["other.example.com/state.json"], "the lease is gone too");
    let bucket = lab.sandbox.inventory().unwrap().into_iter().find(|resident| resident.kind == "bucket");
    assert!(bucket.is_some());
}

#[tokio::test(start_paused = true)]
async fn our_bucket_without_its_tags_stays_and_is_named() {
    let lab = SandboxUser::built().await;
    lab.sandbox.untag(&"bucket/state".parse().unwrap()).unwrap();
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (_, end) = out.split_once("1 resource left:").unwrap();
    assert!(end.contains("bucket/state") && end.contains("its tags were taken away"), "{out}");
    assert_eq!(lab.keys().await, Vec::<String>::new(), "nothing of the cluster is in it");
}

#[tokio::test(start_paused = true)]
async fn keys_outside_our_prefix_keep_the_bucket_too() {
    let mut lab = SandboxUser::new();
    lab.text = FILE.replace("s3://state.chat.poeticoding.com", "s3://state.chat.poeticoding.com/teams/chat");
    lab.prefix = "teams/chat";
    lab.store = Some(Arc::new(lab.sandbox.store("state.chat.poeticoding.com", "teams/chat")));
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    lab.put("", "teams/other/state.json").await;
    lab.options.json = true;
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["left"][0]["address"], "bucket/state");
    assert_eq!(json["left"][0]["because"], "others keep something in it: teams/other/state.json");
    assert_eq!(lab.keys().await, ["teams/other/state.json"]);
}
