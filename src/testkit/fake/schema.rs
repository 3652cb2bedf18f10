//! The validation of manifests, kind by kind, as in a real API server.

use k8s_openapi::api::{
    admissionregistration::v1 as admission,
    apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::{CronJob, Job},
    core::v1 as core,
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, IngressClass, NetworkPolicy},
    node::v1::RuntimeClass,
    policy::v1::PodDisruptionBudget,
    rbac::v1 as rbac,
    scheduling::v1::PriorityClass,
    storage::v1::{CSIDriver, StorageClass, VolumeAttributesClass},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::resource::ApiType;

/// A refusal: the status code, the reason, the message.
pub(super) type SchemaRefusal = (u16, &'static str, String);

/// The rules of a kind.
pub(super) struct KindSchema {
    pub(super) api: ApiType,
    round_trip: fn(&Json) -> Result<Json, serde_json::Error>,
    /// Required fields. `*` is every item of a list; fields below a missing list are not required.
    required: &'static [&'static str],
    /// Fields that cannot be changed after they are set.
    immutable: &'static [&'static str],
}

fn round_trip<T: Serialize + DeserializeOwned>(manifest: &Json) -> Result<Json, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(manifest.clone())?)
}

macro_rules! schemas {
    ($($type:ty, $version:literal, $kind:literal, $plural:literal, $namespaced:literal, [$($required:literal),*], [$($immutable:literal),*];)*) => {
        const SCHEMAS: &[KindSchema] = &[$(KindSchema {
            api: ApiType::known($version, $kind, $plural, $namespaced),
            round_trip: round_trip::<$type>,
            required: &[$($required),*],
            immutable: &[$($immutable),*],
        }),*];
    };
}

schemas! {
    core::Namespace, "v1", "Namespace", "namespaces", false, [], [];
    core::ServiceAccount, "v1", "ServiceAccount", "serviceaccounts", true, [], [];
    core::ConfigMap, "v1", "ConfigMap", "configmaps", true, [], [];
    core::Secret, "v1", "Secret", "secrets", true, [], ["type"];
    core::LimitRange, "v1", "LimitRange", "limitranges", true, [], [];
    core::ResourceQuota, "v1", "ResourceQuota", "resourcequotas", true, [], [];
    core::Node, "v1", "Node", "nodes", false, [], [];
    core::Pod, "v1", "Pod", "pods", true, ["spec.containers"], ["spec.containers.*.name"];
    core::Service, "v1", "Service", "services", true,
        ["spec.ports", "spec.ports.*.port"], ["spec.clusterIP"];
    core::PersistentVolumeClaim, "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true,
        ["spec.accessModes", "spec.resources.requests.storage"],
        ["spec.accessModes", "spec.storageClassName", "spec.volumeMode", "spec.selector"];
    Deployment, "apps/v1", "Deployment", "deployments", true,
        ["spec.selector.matchLabels", "spec.template.metadata.labels", "spec.template.spec.containers",
         "spec.template.spec.containers.*.name", "spec.template.spec.containers.*.image"],
        ["spec.selector"];
    StatefulSet, "apps/v1", "StatefulSet", "statefulsets", true,
        ["spec.selector.matchLabels", "spec.template.metadata.labels", "spec.template.spec.containers",
         "spec.template.spec.containers.*.name", "spec.template.spec.containers.*.image"],
        ["spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"];
    DaemonSet, "apps/v1", "DaemonSet", "daemonsets", true,
        ["spec.selector.matchLabels", "spec.template.metadata.labels", "spec.template.spec.containers",
         "spec.template.spec.containers.*.name", "spec.template.spec.containers.*.image"],
        ["spec.selector"];
    Job, "batch/v1", "Job", "jobs", true, ["spec.template.spec.containers", "spec.template.spec.restartPolicy"], ["spec.template"];
    CronJob, "batch/v1", "CronJob", "cronjobs", true, ["spec.schedule", "spec.jobTemplate.spec.template.spec.containers"], [];
    PodDisruptionBudget, "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true, [], [];
    HorizontalPodAutoscaler, "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true,
        ["spec.maxReplicas", "spec.scaleTargetRef.kind", "spec.scaleTargetRef.name"], [];
    Ingress, "networking.k8s.io/v1", "Ingress", "ingresses", true, [], [];
    ReplicaSet, "apps/v1", "ReplicaSet", "replicasets", true, [], ["spec.selector"];
    core::Event, "v1", "Event", "events", true, [], [];
    NetworkPolicy, "networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true, [], [];
    rbac::Role, "rbac.authorization.k8s.io/v1", "Role", "roles", true, ["rules.*.verbs"], [];
    rbac::RoleBinding, "rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true,
        ["roleRef.name", "roleRef.kind", "roleRef.apiGroup"], ["roleRef"];
    rbac::ClusterRole, "rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false, ["rules.*.verbs"], [];
    rbac::ClusterRoleBinding, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false,
        ["roleRef.name", "roleRef.kind", "roleRef.apiGroup"], ["roleRef"];
    PriorityClass, "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", false, ["value"], ["value", "preemptionPolicy"];
    StorageClass, "storage.k8s.io/v1", "StorageClass", "storageclasses", false,
        ["provisioner"], ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"];
    CSIDriver, "storage.k8s.io/v1", "CSIDriver", "csidrivers", false, ["spec"], ["spec.attachRequired"];
    CustomResourceDefinition, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false,
        ["spec.group", "spec.names.plural", "spec.scope", "spec.versions"], ["spec.group"];
    EndpointSlice, "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true, ["addressType"], ["addressType"];
    IngressClass, "networking.k8s.io/v1", "IngressClass", "ingressclasses", false, [], ["spec.controller"];
    RuntimeClass, "node.k8s.io/v1", "RuntimeClass", "runtimeclasses", false, ["handler"], ["handler"];
    core::PersistentVolume, "v1", "PersistentVolume", "persistentvolumes", false, ["spec.capacity", "spec.accessModes"], [];
    VolumeAttributesClass, "storage.k8s.io/v1", "VolumeAttributesClass", "volumeattributesclasses", false,
        ["driverName", "parameters"], ["driverName", "parameters"];
    APIService, "apiregistration.k8s.io/v1", "APIService", "apiservices", false,
        ["spec.groupPriorityMinimum", "spec.versionPriority"], [];
    admission::MutatingWebhookConfiguration, "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations", false, ["webhooks.*.sideEffects"], [];
    admission::ValidatingWebhookConfiguration, "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations", false, ["webhooks.*.sideEffects"], [];
    admission::ValidatingAdmissionPolicy, "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies", false, [], [];
    admission::ValidatingAdmissionPolicyBinding, "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings", false, [], [];
}

/// Returns the types of a custom definition. They live as long as the test, and are references like the others.
pub(super) fn defined(definition: &Json) -> Vec<&'static KindSchema> {
    let types = ApiType::defined(definition).into_iter();
    let schema = |api| KindSchema { api, round_trip: |manifest| Ok(manifest.clone()), required: &[], immutable: &[] };
    types.map(|api| &*Box::leak(Box::new(schema(api)))).collect()
}

impl KindSchema {
    /// Returns every known type.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        SCHEMAS.iter()
    }

    /// Checks the types of a manifest: rejects fields that do not exist and values of another type. A real server answers this
    /// with 500, and without a reason.
    pub(super) fn check_types(&self, manifest: &Json, name: &str) -> Result<(), SchemaRefusal> {
        let refuse = |what: String| {
            let message = format!("failed to create typed patch object ({name}; {}): {what}", self.api.api_version);
            Err((500, "", message))
        };
        match (self.round_trip)(manifest) {
            Err(error) => refuse(format!("{error}")),
            Ok(known) => match unknown_field(manifest, &known, "") {
                Some(field) => refuse(format!("{field}: field not declared in schema")),
                None => Ok(()),
            },
        }
    }

    /// Validates an object before it is stored.
    pub(super) fn validate(&self, object: &Json, before: Option<&Json>) -> Result<(), SchemaRefusal> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let invalid = |field: &str, why: &str| {
            Err((422, "Invalid", format!("{} \"{name}\" is invalid: {field}: {why}", self.api.kind)))
        };
        if !is_dns_name(name) || (self.api.kind == "Service" && !is_service_name(name)) {
            return invalid(
                "metadata.name",
                "Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
            );
        }
        for field in self.required {
            if let Some(missing) = missing(object, &field.split('.').collect::<Vec<_>>()) {
                let nothing = if missing { "Required value" } else { "Invalid value" };
                return invalid(field, nothing);
            }
        }
        for field in self.immutable {
            let at = |object: &Json| object.pointer(&format!("/{}", field.replace('.', "/"))).cloned();
            if let Some(before) = before.and_then(at)
                && at(object) != Some(before)
            {
                return invalid(field, "Invalid value: field is immutable");
            }
        }
        if let Some(why) = before.and_then(|before| shrunk(object, before)) {
            return invalid("spec", why);
        }
        if let Some((field, why)) = out_of_range(object) {
            return invalid(field, why);
        }
        Ok(())
    }
}

/// Returns an error for a claim that requests another size: only a claim with a volume may do so.
fn shrunk(object: &Json, before: &Json) -> Option<&'static str> {
    let asked = |claim: &Json| claim.pointer("/spec/resources/requests").cloned();
    let of_a_claim = object["kind"] == "PersistentVolumeClaim" && before["status"]["phase"] != "Bound";
    let why = "Forbidden: spec is immutable after creation except resources.requests for bound claims";
    (of_a_claim && asked(object) != asked(before)).then_some(why)
}

/// Checks the end of a path: returns `true` if it is missing, `None` if nothing is missing.
fn missing(value: &Json, path: &[&str]) -> Option<bool> {
    match path.split_first() {
        None => (value.is_null() || value.as_array().is_some_and(Vec::is_empty)).then_some(true),
        Some((&"*", rest)) => value.as_array()?.iter().find_map(|item| missing(item, rest)),
        Some((name, rest)) if rest.contains(&"*") && value.get(*name).is_none() => None,
        Some((name, rest)) => missing(value.get(*name).unwrap_or(&Json::Null), rest),
    }
}

/// Returns the first field of a manifest that its type does not have.
fn unknown_field(manifest: &Json, known: &Json, path: &str) -> Option<String> {
    match (manifest, known) {
        (Json::Object(members), Json::Object(known)) => members.iter().find_map(|(name, member)| {
            let path = format!("{path}.{name}");
            match known.get(name) {
                Some(known) => unknown_field(member, known, &path),
                None => (!member.is_null()).then_some(path),
            }
        }),
        (Json::Array(items), Json::Array(known)) => items
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(at, (item, known))| unknown_field(item, known, &format!("{path}[{at}]"))),
        _ => None,
    }
}

/// Returns an error for numbers out of range, and for selectors that do not match the template.
fn out_of_range(object: &Json) -> Option<(&'static str, &'static str)> {
    let spec = &object["spec"];
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        return Some(("spec.replicas", "Invalid value: must be greater than or equal to 0"));
    }
    let template = &spec["template"]["metadata"]["labels"];
    if let Some(selector) = spec["selector"]["matchLabels"].as_object()
        && template.is_object()
        && selector.iter().any(|(key, value)| template.get(key) != Some(value))
    {
        return Some(("spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`"));
    }
    for port in spec["ports"].as_array().into_iter().flatten() {
        if !(1..=65535).contains(&port["port"].as_i64().unwrap_or(1)) {
            return Some(("spec.ports[0].port", "Invalid value: must be between 1 and 65535, inclusive"));
        }
        if !(30_000..=32_767).contains(&port["nodePort"].as_i64().unwrap_or(30_000)) {
            return Some(("spec.ports[0].nodePort", "Invalid value: provided port is not in the valid range"));
        }
    }
    None
}

fn is_dns_name(name: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // The names of roles may hold colons: `system:cloud-controller-manager`.
    let inner = |c: char| end(c) || "-.:".contains(c);
    (1..=253).contains(&name.len()) && name.starts_with(end) && name.ends_with(end) && name.chars().all(inner)
}

fn is_service_name(name: &str) -> bool {
    name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains('.')
}
