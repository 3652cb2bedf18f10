//! Types that an add-on defines, and secrets of an add-on.

use super::*;

/// Returns the definition of a type in two versions, of which the newer one is stored.
pub(super) fn definition() -> Object {
    let version = |name: &str, storage: bool| {
        json!({ "name": name, "served": true, "storage": storage,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } })
    };
    let manifest = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "rooms.example.com" },
        "spec": { "group": "example.com", "scope": "Namespaced",
                  "names": { "kind": "Room", "plural": "rooms", "singular": "room", "listKind": "RoomList" },
                  "versions": [version("v1", true), version("v1beta1", false)] },
    });
    object("manifest/rooms/CustomResourceDefinition/rooms.example.com", manifest)
}

pub(super) fn room(version: &str, seats: u64) -> Object {
    let manifest = json!({ "apiVersion": format!("example.com/{version}"), "kind": "Room",
                           "metadata": { "name": "lobby", "namespace": "default" }, "spec": { "seats": seats } });
    let mut room = object("manifest/rooms/Room.example.com/default/lobby", manifest);
    room.depends_on.insert(definition().address);
    room
}

#[tokio::test]
async fn a_custom_resource_is_planned_before_its_type_is_there_and_lives_like_any_other() {
    let mut life = ClusterLife::begin().await;
    let prepared = life.plan(PlanMode::Apply, &[definition(), room("v1", 4)]).await;
    assert_eq!(prepared.plan.changes.iter().map(|change| change.action).collect::<Vec<_>>(), [Action::Create; 2]);
    life.settle(&[definition(), room("v1", 4)]).await;

    life.api.edit("kubectl-edit", "Room", "default", "lobby", &json!({ "spec": { "seats": 9 } })).await;
    let reported = lines(&life.plan(PlanMode::Apply, &[definition(), room("v1", 4)]).await);
    assert_eq!(reported, ["Update manifest/rooms/Room.example.com/default/lobby (Drift): spec.seats"]);
    life.settle(&[definition(), room("v1", 4)]).await;

    life.settle(&[definition()]).await;
    assert!(life.api.get("Room", "default", "lobby").await.is_none(), "it left the file");
}

#[tokio::test]
async fn a_custom_resource_without_its_mark_is_remembered() {
    let mut life = ClusterLife::begin().await;
    life.settle(&[definition(), room("v1", 4)]).await;
    let unmarked = json!({ "metadata": { "labels": { "quorate.dev/cluster": null } } });
    life.api.edit("them", "Room", "default", "lobby", &unmarked).await;
    let reported = lines(&life.plan(PlanMode::Apply, &[definition(), room("v1", 4)]).await);
    let mark = "metadata.labels[quorate.dev/cluster]";
    assert_eq!(reported, [format!("Update manifest/rooms/Room.example.com/default/lobby (Drift): {mark}")]);
}

#[tokio::test]
async fn a_custom_resource_is_compared_in_the_version_of_its_manifest() {
    let mut life = ClusterLife::begin().await;
    life.settle(&[definition(), room("v1beta1", 4)]).await;
    life.settle(&[definition(), room("v1", 4)]).await;
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert_eq!(life.cloud.observe().await.unwrap().live, []);
}

#[tokio::test]
async fn a_key_of_a_secret_comes_and_goes_and_its_value_is_neither_shown_nor_recorded() {
    let mut life = ClusterLife::begin().await;
    let secret = |data: Json| {
        let manifest = json!({ "apiVersion": "v1", "kind": "Secret", "data": data,
                               "metadata": { "name": "chat", "namespace": "default" } });
        [object("manifest/chat/Secret/default/chat", manifest)]
    };
    life.settle(&secret(json!({ "a": "aHVudGVyMg==", "b": "Yg==" }))).await;
    let prepared = life.plan(PlanMode::Apply, &secret(json!({ "a": "aHVudGVyMw==", "b": "Yg==" }))).await;
    assert_eq!(lines(&prepared), ["Update manifest/chat/Secret/default/chat (File): data[a].value"]);
    let attribute = &prepared.plan.changes[0].attributes[0];
    let hidden = |text: &str| Some(Value::Text(text.to_owned()));
    assert_eq!(
        (&attribute.before, &attribute.after),
        (&hidden("(sensitive)"), &hidden("(sensitive, changed)")),
        "guesses cannot be tested with it"
    );
    let fewer = secret(json!({ "a": "aHVudGVyMg==" }));
    let reported = lines(&life.plan(PlanMode::Apply, &fewer).await);
    assert_eq!(reported, ["Update manifest/chat/Secret/default/chat (File): data[b].key"]);
    life.settle(&fewer).await;
    let kept = format!("{:?}", life.record);
    assert!(!kept.contains("[a].value") && !kept.contains("aHVudGVyMg"), "{kept}");
    assert_eq!(life.api.get("Secret", "default", "chat").await.unwrap()["data"], json!({ "a": "aHVudGVyMg==" }));
}
