//! Ownership of an object that others copy, restore, or create under the same name.

use super::*;

/// Returns a copy of an object: with its labels and annotations, without the fields that the server sets.
fn copied(object: &Json) -> Json {
    let mut copy = object.clone();
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"] {
        copy["metadata"].as_object_mut().unwrap().remove(field);
    }
    copy
}

#[tokio::test]
async fn a_copy_of_one_of_our_objects_is_not_ours() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let mut copy = copied(&life.api.get("Deployment", "default", "chat").await.unwrap());
    copy["metadata"]["name"] = "chat-by-hand".into();
    life.api.put("kubectl-create", copy).await;
    assert_eq!(lines(&life.plan(PlanMode::Apply, &wanted(chat())).await), Vec::<String>::new());
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert!(life.api.get("Deployment", "default", "chat-by-hand").await.is_some());
    assert!(life.api.get("Deployment", "default", "chat").await.is_none());
}

#[tokio::test]
async fn an_object_under_another_address_is_called_anew_and_stays() {
    let mut life = ClusterLife::begin().await;
    life.settle(&[object("manifest/old/Deployment/default/chat", chat())]).await;
    let uid = life.api.get("Deployment", "default", "chat").await.unwrap()["metadata"]["uid"].clone();
    let renamed = [object("manifest/new/Deployment/default/chat", chat())];
    let prepared = life.plan(PlanMode::Apply, &renamed).await;
    let mark = "metadata.annotations[quorate.dev/object]";
    assert_eq!(lines(&prepared), [format!("Update manifest/new/Deployment/default/chat (File): {mark}")]);
    life.settle(&renamed).await;
    assert_eq!(
        life.api.get("Deployment", "default", "chat").await.unwrap()["metadata"]["uid"],
        uid,
        "it is the same one"
    );
    assert_eq!(
        life.record.keys().map(ToString::to_string).collect::<Vec<_>>(),
        ["manifest/new/Deployment/default/chat"]
    );
}

#[tokio::test]
async fn what_stands_where_one_of_ours_should_move_is_refused_in_the_plan() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    life.api.put("them", json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "site" } })).await;
    let mut moved = chat();
    moved["metadata"]["namespace"] = "site".into();
    let mut theirs = moved.clone();
    theirs["metadata"]["labels"] = json!({});
    life.api.put("them", theirs).await;
    let prepared = life.plan(PlanMode::Apply, &wanted(moved)).await;
    let refused: Vec<_> = prepared.plan.refusals().map(|change| &change.reason).collect();
    assert!(
        matches!(refused[..], [Reason::Rejected { message }] if message.contains("site/chat exists already")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_unmarked_object_in_the_place_of_a_recorded_one_is_ours_only_if_it_is_that_very_one() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let unmarked = json!({ "metadata": { "labels": { "quorate.dev/cluster": null } } });
    life.api.edit("them", "Deployment", "default", "chat", &unmarked).await;
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    assert_eq!(lines(&prepared), ["Update deployment/chat (Drift): metadata.labels[quorate.dev/cluster]"]);
    life.settle(&wanted(chat())).await;

    let (record, prepared) = (life.record.clone(), life.plan(PlanMode::Destroy, &[]).await);
    life.carry_out(&prepared).await;
    let mut theirs = chat();
    theirs["metadata"]["labels"] = json!({});
    life.api.put("them", theirs).await;
    life.record = record;
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    let refused: Vec<_> = prepared.plan.refusals().map(|change| &change.reason).collect();
    assert_eq!(refused, [&Reason::Foreign], "they made it anew");
}

#[tokio::test]
async fn what_belongs_to_others_since_the_plan_is_not_deleted() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let prepared = life.plan(PlanMode::Apply, &[service()]).await;
    assert_eq!(lines(&prepared), ["Delete deployment/chat (NotInFile)"]);
    let taken = json!({ "metadata": { "labels": { "quorate.dev/cluster": null } } });
    life.api.edit("them", "Deployment", "default", "chat", &taken).await;
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert!(life.api.get("Deployment", "default", "chat").await.is_some());
}

#[tokio::test]
async fn a_label_that_was_added_to_a_selector_is_drift_and_removed() {
    let mut life = ClusterLife::begin().await;
    if !life.api.knows("a selector that is applied as a whole", 21) {
        return;
    }
    life.settle(&wanted(chat())).await;
    life.api
        .edit("them", "Service", "default", "chat", &json!({ "spec": { "selector": { "track": "canary" } } }))
        .await;
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    assert_eq!(lines(&prepared), ["Update service/chat (Drift): spec.selector"]);
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert_eq!(life.api.get("Service", "default", "chat").await.unwrap()["spec"]["selector"], json!({ "app": "chat" }));
    life.settle(&wanted(chat())).await;
}

/// Returns an object in the namespace `team` that a controller has created for an owner.
fn inside(kind: &str, version: &str, name: &str, owner: Option<&Json>) -> Json {
    let owners: Vec<Json> = owner.into_iter().map(|owner| json!({ "uid": owner["metadata"]["uid"] })).collect();
    let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name, "namespace": "team" } });
    if !owners.is_empty() {
        object["metadata"]["ownerReferences"] = owners.into();
    }
    if kind == "Pod" {
        object["spec"] = json!({ "containers": [{ "name": "c", "image": "c:1" }] });
    }
    object
}

#[tokio::test]
async fn a_namespace_goes_with_what_came_of_ours_and_stays_with_anything_else() {
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } });
    for (address, kind) in [("namespace/team", "Secret"), ("manifest/team/Namespace/team", "Pod")] {
        let mut life = ClusterLife::begin().await;
        let mut ours = chat();
        ours["metadata"]["namespace"] = "team".into();
        // As the blueprint does: without it, the server may read the deployment before it has the namespace.
        let mut inside_it = object("deployment/chat", ours.clone());
        inside_it.depends_on.insert(address.parse().unwrap());
        let wanted = [object(address, namespace.clone()), inside_it];
        life.settle(&wanted).await;
        let deployment = life.api.get("Deployment", "team", "chat").await.unwrap();
        // What the controllers of a real server have made by now.
        if let Some(fake) = life.api.fake() {
            fake.put("controller", inside("ReplicaSet", "apps/v1", "chat-5d", Some(&deployment)));
            let set = fake.get("ReplicaSet", "team", "chat-5d").unwrap();
            fake.put("controller", inside("Pod", "v1", "chat-5d-x", Some(&set)));
            fake.put("controller", inside("ServiceAccount", "v1", "default", None));
        }
        let connection = ApiConnection::new(&life.api.access()).unwrap();
        let check = async || crate::kubernetes::namespace::check_empty(&connection, &place(&namespace), CLUSTER).await;
        assert_eq!(check().await, Ok(()));

        // Owned by something that is neither ours nor in the namespace. A real server removes what has no such owner.
        let elsewhere = json!({ "metadata": { "uid": "of-a-node" } });
        let owner = life.api.fake().map(|_| &elsewhere);
        life.api.put("them", inside(kind, "v1", "theirs", owner)).await;
        let failure = check().await.unwrap_err();
        assert!(failure.message.contains(&format!("{kind} team/theirs")), "{failure}");
        let prepared = life.plan(PlanMode::Apply, &[object("deployment/chat", ours)]).await;
        let reported = life.notes.iter().any(|note| note.contains("namespaces team") && note.contains("team/theirs"));
        assert!(reported, "before anything is done: {:?}", life.notes);
        assert_eq!(life.carry_out(&prepared).await.failed.len(), 1, "{:?}", lines(&prepared));
        assert!(life.api.get(kind, "team", "theirs").await.is_some());
    }
}

#[tokio::test]
async fn data_that_an_add_on_deletes_is_reported() {
    let mut life = ClusterLife::begin().await;
    let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": "default" },
                        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } });
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "db" } });
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "map", "namespace": "default" } });
    life.settle(&[
        object("manifest/db/PersistentVolumeClaim/default/data", claim),
        object("manifest/db/Namespace/db", namespace),
        object("manifest/db/ConfigMap/default/map", map),
    ])
    .await;
    let prepared = life.plan(PlanMode::Apply, &[]).await;
    let lost = prepared.plan.changes.iter().filter(|change| change.loses_data);
    let lost: Vec<String> = lost.map(|change| change.address.to_string()).collect();
    assert_eq!(lost, ["manifest/db/Namespace/db", "manifest/db/PersistentVolumeClaim/default/data"]);
}

/// Sets the status of a deployment that has no pods any more and has failed.
fn gave_up(api: &FakeApi, at: &str) {
    let status = json!({ "status": { "availableReplicas": 0, "conditions": [
        { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "lastTransitionTime": at },
    ] } });
    api.edit("kube-controller-manager", "Deployment", "default", "chat", &status);
}

#[tokio::test]
async fn what_gave_up_before_is_waited_for_again() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&wanted(chat())).await;
    life.api.pretended().ready_on_report();
    gave_up(life.api.pretended(), "2026-01-01T00:00:00Z");
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    assert_eq!(lines(&prepared), ["Wait deployment/chat (Unfinished)"]);
    // What it lacked is there by now.
    let outcome = life.carry_out_while(&prepared, |api| api.rolled_out("default", "chat")).await;
    assert_eq!(outcome.failed, []);
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_rollout_and_the_next_apply_waits_on() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&wanted(chat())).await;
    life.api.pretended().ready_on_report();
    let mut newer = chat();
    newer["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28".into();
    let prepared = life.plan(PlanMode::Apply, &wanted(newer.clone())).await;
    let options = ApplyOptions::default();
    let outcome = life.carry_out_with(&prepared, &options, |_| options.stop.cancel()).await;
    assert_eq!((outcome.failed.len(), outcome.interrupted), (0, true));
    assert_eq!(outcome.unfinished, ["deployment/chat".parse().unwrap()]);
    let prepared = life.plan(PlanMode::Apply, &wanted(newer.clone())).await;
    assert_eq!(lines(&prepared), ["Wait deployment/chat (Unfinished)"]);
    let outcome = life.carry_out_while(&prepared, |api| api.rolled_out("default", "chat")).await;
    assert!(outcome.is_through(), "{outcome:?}");
    assert_eq!(lines(&life.plan(PlanMode::Apply, &wanted(newer)).await), Vec::<String>::new());
}

#[tokio::test]
async fn what_did_not_come_up_is_still_work_and_holds_nothing_else_up() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&wanted(chat())).await;
    life.api.pretended().ready_on_report();
    let mut autoscaled = wanted(chat());
    autoscaled[1].depends_on.insert("deployment/chat".parse().unwrap());
    autoscaled[1].attributes.insert("spec.type".to_owned(), Value::Text("NodePort".to_owned()));
    gave_up(life.api.pretended(), "2026-01-01T00:00:00Z");
    let prepared = life.plan(PlanMode::Apply, &autoscaled).await;
    let needs: Vec<usize> = prepared.plan.changes.iter().map(|change| change.needs.len()).collect();
    assert_eq!(needs, [0, 0], "{:?}", lines(&prepared));
    let outcome = life.carry_out_while(&prepared, |api| gave_up(api, "2026-01-01T00:05:00Z")).await;
    assert_eq!((outcome.failed.len(), outcome.skipped.len()), (1, 0), "{outcome:?}");
    assert!(outcome.failed[0].1.message.contains("0 of 2 pods are ready"), "{:?}", outcome.failed);
}

#[tokio::test]
async fn a_namespace_with_what_others_made_does_not_keep_the_cluster() {
    let mut life = ClusterLife::begin().await;
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } });
    life.settle(&[object("namespace/team", namespace)]).await;
    life.api.put("them", inside("Secret", "v1", "theirs", None)).await;
    let mut life = ClusterLife { cloud: life.cloud.leaving(), ..life };
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert!(life.api.get("Secret", "team", "theirs").await.is_some(), "it goes with the machines, not by our hand");
}
