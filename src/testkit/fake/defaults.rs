//! The defaults of an API server, as far as they could show up as a difference.

use serde_json::{Value as Json, json};

/// Fields that a server leaves out if they are empty: `omitempty` in the API's own types.
const LEFT_OUT: [&str; 9] = [
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "minReadySeconds",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "subPath",
    "tty",
];

/// Fills in defaults, and leaves out empty fields.
pub(super) fn fill(object: &mut Json) {
    leave_out("", object);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "Deployment" => {
            let spec = &mut object["spec"];
            set(
                spec,
                json!({
                    "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                    "strategy": { "type": "RollingUpdate" },
                }),
            );
            if spec["strategy"]["type"] == "RollingUpdate" {
                set(&mut spec["strategy"], json!({ "rollingUpdate": {} }));
                set(&mut spec["strategy"]["rollingUpdate"], json!({ "maxSurge": "25%", "maxUnavailable": "25%" }));
            }
            pod(&mut spec["template"]["spec"]);
        }
        "DaemonSet" | "StatefulSet" | "Job" => pod(&mut object["spec"]["template"]["spec"]),
        "Service" => service(&mut object["spec"]),
        "PersistentVolumeClaim" => {
            set(&mut object["spec"], json!({ "volumeMode": "Filesystem" }));
            set(object, json!({ "status": { "phase": "Pending" } }));
        }
        "HorizontalPodAutoscaler" => set(&mut object["spec"], json!({ "minReplicas": 1 })),
        "Namespace" => {
            let name = object["metadata"]["name"].clone();
            set(&mut object["metadata"], json!({ "labels": {} }));
            set(&mut object["metadata"]["labels"], json!({ "kubernetes.io/metadata.name": name }));
            set(object, json!({ "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" } }));
        }
        "StorageClass" => set(object, json!({ "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate" })),
        _ => {}
    }
}

fn service(spec: &mut Json) {
    set(spec, json!({ "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster" }));
    if spec["type"] != "ExternalName" {
        set(spec, json!({ "clusterIP": "100.64.0.10", "ipFamilyPolicy": "SingleStack" }));
        set(spec, json!({ "clusterIPs": [spec["clusterIP"]], "ipFamilies": ["IPv4"] }));
    }
    if spec["type"] == "NodePort" || spec["type"] == "LoadBalancer" {
        set(spec, json!({ "externalTrafficPolicy": "Cluster" }));
    }
    for port in spec["ports"].as_array_mut().into_iter().flatten() {
        let same = port["port"].clone();
        set(port, json!({ "protocol": "TCP", "targetPort": same }));
    }
}

fn pod(spec: &mut Json) {
    set(
        spec,
        json!({
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "securityContext": {}, "schedulerName": "default-scheduler",
        }),
    );
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        let latest =
            container["image"].as_str().is_some_and(|image| !image.contains(':') || image.ends_with(":latest"));
        set(
            container,
            json!({
                "imagePullPolicy": if latest { "Always" } else { "IfNotPresent" }, "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }),
        );
        for port in container["ports"].as_array_mut().into_iter().flatten() {
            set(port, json!({ "protocol": "TCP" }));
        }
        for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
            if container[probe].is_object() {
                set(
                    &mut container[probe],
                    json!({
                        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
                    }),
                );
                if container[probe]["httpGet"].is_object() {
                    set(&mut container[probe]["httpGet"], json!({ "scheme": "HTTP" }));
                }
            }
        }
        for quantities in ["requests", "limits"] {
            for quantity in
                container["resources"][quantities].as_object_mut().into_iter().flat_map(|all| all.values_mut())
            {
                canonical(quantity);
            }
        }
        // Indexing JSON mutably creates the value.
        if let Some(container) = container.as_object_mut() {
            container.retain(|_, value| !value.is_null());
        }
        if let Some(resources) = container["resources"].as_object_mut() {
            resources.retain(|_, value| !value.is_null());
        }
    }
}

/// Removes empty fields at any depth.
fn leave_out(list: &str, value: &mut Json) {
    match value {
        Json::Object(members) => {
            let says_nothing = |value: &Json| *value == "" || *value == false || *value == 0;
            let variable = |name: &str| list == "env" && name == "value";
            members
                .retain(|name, value| !(says_nothing(value) && (variable(name) || LEFT_OUT.contains(&name.as_str()))));
            members.iter_mut().for_each(|(name, member)| leave_out(name, member));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| leave_out(list, item)),
        _ => {}
    }
}

/// Converts a quantity to its shortest form, as a server does: `1000m` to `1`, `1024Mi` to `1Gi`.
fn canonical(quantity: &mut Json) {
    let Some(text) = quantity.as_str() else { return };
    let shorter = |from: &str, base: u64, to: &str| {
        let number: u64 = text.strip_suffix(from)?.parse().ok()?;
        (number > 0 && number.is_multiple_of(base)).then(|| format!("{}{to}", number / base))
    };
    if let Some(shorter) = shorter("m", 1000, "").or_else(|| shorter("Mi", 1024, "Gi")) {
        *quantity = shorter.into();
    }
}

/// Sets fields that are not set yet.
fn set(object: &mut Json, defaults: Json) {
    if object.is_null() {
        *object = json!({});
    }
    let (Some(object), Json::Object(defaults)) = (object.as_object_mut(), defaults) else { return };
    for (name, value) in defaults {
        object.entry(name).or_insert(value);
    }
}
