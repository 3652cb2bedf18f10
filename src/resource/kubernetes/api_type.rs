//! The object types of the Kubernetes API that Quorate knows.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value as Json;

/// A type of object in the Kubernetes API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiType {
    /// Group and version as in manifests: `v1`, `apps/v1`.
    pub api_version: Cow<'static, str>,
    /// The kind as in manifests: `Deployment`.
    pub kind: Cow<'static, str>,
    /// The kind as in addresses: `deployments`.
    pub plural: Cow<'static, str>,
    /// `true` if its objects are in namespaces.
    pub namespaced: bool,
}

const fn namespaced(api_version: &'static str, kind: &'static str, plural: &'static str) -> ApiType {
    ApiType::known(api_version, kind, plural, true)
}

const fn of_cluster(api_version: &'static str, kind: &'static str, plural: &'static str) -> ApiType {
    ApiType::known(api_version, kind, plural, false)
}

/// Every type that manifests may use without defining it, in the order in which their objects should be created.
pub const API_TYPES: &[ApiType] = &[
    of_cluster("v1", "Namespace", "namespaces"),
    of_cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions"),
    of_cluster("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses"),
    of_cluster("storage.k8s.io/v1", "StorageClass", "storageclasses"),
    of_cluster("storage.k8s.io/v1", "CSIDriver", "csidrivers"),
    of_cluster("storage.k8s.io/v1", "VolumeAttributesClass", "volumeattributesclasses"),
    of_cluster("node.k8s.io/v1", "RuntimeClass", "runtimeclasses"),
    of_cluster("networking.k8s.io/v1", "IngressClass", "ingressclasses"),
    of_cluster("v1", "PersistentVolume", "persistentvolumes"),
    of_cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"),
    of_cluster("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings"),
    namespaced("v1", "ServiceAccount", "serviceaccounts"),
    namespaced("rbac.authorization.k8s.io/v1", "Role", "roles"),
    namespaced("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
    namespaced("v1", "ConfigMap", "configmaps"),
    namespaced("v1", "Secret", "secrets"),
    namespaced("v1", "LimitRange", "limitranges"),
    namespaced("v1", "ResourceQuota", "resourcequotas"),
    namespaced("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    namespaced("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    namespaced("v1", "Service", "services"),
    namespaced("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
    namespaced("apps/v1", "Deployment", "deployments"),
    namespaced("apps/v1", "StatefulSet", "statefulsets"),
    namespaced("apps/v1", "DaemonSet", "daemonsets"),
    namespaced("batch/v1", "Job", "jobs"),
    namespaced("batch/v1", "CronJob", "cronjobs"),
    namespaced("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    namespaced("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    namespaced("networking.k8s.io/v1", "Ingress", "ingresses"),
    of_cluster("apiregistration.k8s.io/v1", "APIService", "apiservices"),
    of_cluster(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    of_cluster(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    of_cluster(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    of_cluster(ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
];

/// The API version of the types that configure admission control.
const ADMISSION: &str = "admissionregistration.k8s.io/v1";

impl ApiType {
    /// Creates a type that is built into this release.
    pub const fn known(api_version: &'static str, kind: &'static str, plural: &'static str, namespaced: bool) -> Self {
        Self {
            api_version: Cow::Borrowed(api_version),
            kind: Cow::Borrowed(kind),
            plural: Cow::Borrowed(plural),
            namespaced,
        }
    }

    /// Returns the built-in type of this API version and kind.
    pub fn find(api_version: &str, kind: &str) -> Option<&'static Self> {
        API_TYPES.iter().find(|known| known.api_version == api_version && known.kind == kind)
    }

    /// Returns the types that a custom resource definition defines: one for each served version, the stored one first.
    pub fn defined(definition: &Json) -> Vec<Self> {
        let spec = &definition["spec"];
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let (Some(group), Some(kind), Some(plural)) =
            (text(&spec["group"]), text(&spec["names"]["kind"]), text(&spec["names"]["plural"]))
        else {
            return Vec::new();
        };
        let versions = spec["versions"].as_array().into_iter().flatten();
        let mut served: Vec<&Json> = versions.filter(|version| version["served"] == true).collect();
        served.sort_by_key(|version| version["storage"] != true);
        let names = served.into_iter().filter_map(|version| version["name"].as_str());
        names
            .map(|version| Self {
                api_version: format!("{group}/{version}").into(),
                kind: kind.clone().into(),
                plural: plural.clone().into(),
                namespaced: spec["scope"] == "Namespaced",
            })
            .collect()
    }

    /// Returns `true` if the type is built into this release.
    pub fn is_known(&self) -> bool {
        Self::find(&self.api_version, &self.kind).is_some()
    }

    /// Returns the path of its objects in a namespace; without a namespace, of all objects.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        let within = namespace.filter(|_| self.namespaced);
        let within = within.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        format!("{root}/{}{within}/{}", self.api_version, self.plural)
    }

    /// Returns the group: empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

impl fmt::Display for ApiType {
    /// Formats the type as kubectl does: `deployments.apps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plural)?;
        match self.group() {
            "" => Ok(()),
            group => write!(f, ".{group}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_makes_a_type_for_each_version_that_is_served() {
        let versions = json!([
            { "name": "v1alpha1", "served": false, "storage": false },
            { "name": "v1beta1", "served": true, "storage": false },
            { "name": "v1", "served": true, "storage": true },
        ]);
        let definition = json!({ "spec": {
            "group": "example.com", "scope": "Namespaced", "versions": versions,
            "names": { "kind": "Room", "plural": "rooms" },
        } });
        let made: Vec<String> = ApiType::defined(&definition).iter().map(|api| api.path(Some("chat"))).collect();
        assert_eq!(
            made,
            ["/apis/example.com/v1/namespaces/chat/rooms", "/apis/example.com/v1beta1/namespaces/chat/rooms"]
        );
        assert_eq!(ApiType::defined(&json!({ "spec": {} })), []);
    }

    #[test]
    fn paths_are_those_of_the_api() {
        let path = |kind: &str, namespace| {
            API_TYPES.iter().find(|known| known.kind == kind).map(|known| known.path(namespace)).unwrap()
        };
        assert_eq!(path("Service", Some("chat")), "/api/v1/namespaces/chat/services");
        assert_eq!(path("Deployment", None), "/apis/apps/v1/deployments");
        assert_eq!(path("Namespace", Some("ignored")), "/api/v1/namespaces");
    }

    #[test]
    fn a_type_is_shown_as_kubectl_shows_it() {
        let shown = |api_version, kind| ApiType::find(api_version, kind).unwrap().to_string();
        assert_eq!(shown("apps/v1", "Deployment"), "deployments.apps");
        assert_eq!(shown("v1", "Namespace"), "namespaces");
        assert!(ApiType::find("v1", "Deployment").is_none(), "the version belongs to the type");
    }
}
