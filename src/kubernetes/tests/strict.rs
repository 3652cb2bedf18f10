//! The fake rejects the same manifests as a real API server.

use super::*;
use crate::engine::FailureClass;

async fn refused(manifest: &Json) -> Failure {
    TestServer::start().await.apply(manifest).await.expect_err("it cannot be applied")
}

fn service(spec: &Json) -> Json {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "chat", "namespace": "default" }, "spec": spec })
}

#[tokio::test]
async fn unknown_fields_and_wrong_types_are_refused_for_good() {
    let mut unknown = deployment("chat");
    unknown["spec"]["template"]["spec"]["containers"][0]["imagee"] = "nginx".into();
    let mut wrong = deployment("chat");
    wrong["spec"]["replicas"] = "two".into();
    for (manifest, messages) in [(unknown, ".imagee: field not declared in schema"), (wrong, "typed patch object")] {
        let failure = refused(&manifest).await;
        assert_eq!(failure.class, FailureClass::Invalid, "{failure}");
        assert!(failure.message.contains(messages), "{failure}");
    }
}

#[tokio::test]
async fn what_is_missing_or_impossible_is_refused() {
    let mut no_image = deployment("chat");
    no_image["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("image");
    let mut no_labels = deployment("chat");
    no_labels["spec"]["template"]["metadata"]["labels"]["app"] = "other".into();
    let mut bad_name = deployment("chat");
    bad_name["metadata"]["name"] = "Chat".into();
    for manifest in [
        no_image,
        no_labels,
        bad_name,
        service(&json!({})),
        service(&json!({ "ports": [{ "port": 70000, "protocol": "TCP" }] })),
        service(&json!({ "type": "NodePort", "ports": [{ "port": 80, "protocol": "TCP", "nodePort": 80 }] })),
    ] {
        let failure = refused(&manifest).await;
        assert_eq!((failure.class, failure.code.as_deref()), (FailureClass::Invalid, Some("Invalid")), "{failure}");
    }
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused() {
    let bench = TestServer::start().await;
    let mut chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    chat["spec"]["selector"]["matchLabels"]["more"] = "labels".into();
    chat["spec"]["template"]["metadata"]["labels"]["more"] = "labels".into();
    let failure = bench.apply(&chat).await.unwrap_err();
    assert!(failure.message.contains("immutable"), "{failure}");

    let claim = |size: &str, mode: &str| {
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": "default" },
                "spec": { "accessModes": [mode], "resources": { "requests": { "storage": size } } } })
    };
    bench.apply(&claim("10Gi", "ReadWriteOnce")).await.unwrap();
    for other in [claim("20Gi", "ReadWriteOnce"), claim("10Gi", "ReadWriteMany")] {
        let failure = bench.apply(&other).await.expect_err("a claim without a volume cannot be changed");
        assert!(failure.message.contains("immutable"), "{failure}");
    }
}

#[tokio::test]
async fn a_claim_that_has_its_volume_can_grow() {
    let bench = TestServer::fake().await;
    let claim = |size: &str| {
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": "default" },
                "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": size } } } })
    };
    bench.apply(&claim("10Gi")).await.unwrap();
    let bound = json!({ "status": { "phase": "Bound" } });
    bench.api.edit("controller", "PersistentVolumeClaim", "default", "data", &bound);
    bench.apply(&claim("20Gi")).await.expect("it can grow");
}

#[tokio::test]
async fn two_services_cannot_have_one_node_port() {
    let bench = TestServer::start().await;
    let mut one =
        service(&json!({ "type": "NodePort", "ports": [{ "port": 80, "protocol": "TCP", "nodePort": 30001 }] }));
    bench.apply(&one).await.unwrap();
    one["metadata"]["name"] = "other".into();
    let failure = bench.apply(&one).await.unwrap_err();
    assert!(failure.message.contains("already allocated"), "{failure}");
}

#[tokio::test]
async fn one_service_has_a_node_port_twice_only_for_two_protocols_of_one_port() {
    let bench = TestServer::start().await;
    let twice = |protocol: &str, port: u64| {
        service(&json!({ "type": "NodePort", "ports": [
            { "name": "a", "port": 80, "protocol": "TCP", "nodePort": 30001 },
            { "name": "b", "port": port, "protocol": protocol, "nodePort": 30001 },
        ] }))
    };
    for protocol in ["TCP", "UDP"] {
        let failure = bench.apply(&twice(protocol, 81)).await.unwrap_err();
        // Servers before 1.36 call the first one a duplicate.
        let before = bench.api.fake().is_none() && protocol == "TCP" && failure.message.contains("Duplicate value");
        assert!(before || failure.message.contains("already allocated"), "{failure}");
    }
    bench.apply(&twice("UDP", 80)).await.expect("one port, asked by two protocols");
}

#[tokio::test]
async fn a_service_that_names_no_node_port_is_given_one_and_keeps_it() {
    let bench = TestServer::start().await;
    let balanced = |port: u64| {
        let ports = json!([{ "name": "a", "port": port, "protocol": "TCP" }]);
        service(
            &json!({ "type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": { "app": "chat" }, "ports": ports }),
        )
    };
    let made = bench.apply(&balanced(80)).await.unwrap();
    let given = |service: &Json| {
        [&service["spec"]["ports"][0]["nodePort"], &service["spec"]["healthCheckNodePort"]].map(Json::as_u64)
    };
    let [port, check] = given(&made);
    assert!(port.is_some() && check.is_some() && port != check, "{made}");
    assert_eq!(given(&bench.apply(&balanced(80)).await.unwrap()), [port, check]);

    let mut other = balanced(80);
    other["spec"]["healthCheckNodePort"] = if check == Some(32_000) { 32_001 } else { 32_000 }.into();
    let failure = bench.apply(&other).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid, "{failure}");
    assert!(failure.message.contains("healthCheckNodePort"), "{failure}");
}

#[tokio::test]
async fn a_load_balancer_belongs_to_others_only_from_the_beginning() {
    let bench = TestServer::start().await;
    if !bench.api.knows("a class of load balancers", 24) {
        return;
    }
    let of = |class: &str| {
        let ports = json!([{ "name": "a", "port": 80, "protocol": "TCP" }]);
        service(
            &json!({ "type": "LoadBalancer", "loadBalancerClass": class, "selector": { "app": "chat" }, "ports": ports }),
        )
    };
    bench.apply(&of("example.com/one")).await.unwrap();
    let failure = bench.apply(&of("example.com/other")).await.unwrap_err();
    assert!(failure.message.contains("may not change once set"), "{failure}");
}

#[tokio::test]
async fn nothing_is_made_in_a_namespace_that_is_not_there() {
    let mut chat = deployment("chat");
    chat["metadata"]["namespace"] = "nowhere".into();
    assert_eq!(refused(&chat).await.class, FailureClass::Gone);
}
