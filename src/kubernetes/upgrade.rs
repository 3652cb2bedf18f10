//! The evidence before an upgrade of Kubernetes, from the live API.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;

use super::KubernetesProvider;
use super::census::node;
use super::client::{ApiConnection, ListQuery};
use super::object_ref::{JsonObject, ObjectRef};
use super::provider::ABREAST;
use crate::engine::Failure;
use crate::health::{DisruptionBudget, RemovedVersion, UpgradeEvidence};
use crate::resource::{ApiType, REMOVED_APIS, RemovedApi};

/// The annotation in which `kubectl apply` stores the manifest.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The field managers that are upgraded with the cluster.
const COMPONENTS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"];

impl KubernetesProvider {
    /// Returns the evidence before an upgrade to a minor version, for example `(1, 37)`; `None` while the cluster has no API.
    /// The metrics are those of one API server: they cover the requests that it has served since its start.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn upgrade_evidence(&self, version: (u32, u32)) -> Result<Option<UpgradeEvidence>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let (metrics, nodes, budgets, removed) = tokio::try_join!(
            connection.text("/metrics"),
            connection.read::<Node>(ListQuery::ALL),
            connection.read::<PodDisruptionBudget>(ListQuery::ALL),
            removed_versions(connection, version),
        )?;
        let budgets = budgets.into_iter().map(|budget| {
            let status = budget.status.unwrap_or_default();
            let namespace = budget.metadata.namespace.unwrap_or_default();
            DisruptionBudget {
                name: format!("{namespace}/{}", budget.metadata.name.unwrap_or_default()),
                pods: status.expected_pods.unwrap_or_default(),
                allowed: status.disruptions_allowed.unwrap_or_default(),
            }
        });
        let nodes = nodes.iter().map(node).collect();
        Ok(Some(UpgradeEvidence { metrics, nodes, budgets: budgets.collect(), removed }))
    }
}

/// Returns the API versions that a version of Kubernetes removes, with the objects that were last written in them.
async fn removed_versions(connection: &ApiConnection, version: (u32, u32)) -> Result<Vec<RemovedVersion>, Failure> {
    let removed: Vec<&RemovedApi> = REMOVED_APIS.iter().filter(|removed| removed.removed_in == version).collect();
    let groups: BTreeSet<&str> = removed.iter().map(|removed| removed.api.group()).collect();
    let types = types_of(connection, &groups).await?;
    let (gone, lasting): (Vec<ApiType>, Vec<ApiType>) =
        types.into_iter().partition(|api| removed.iter().any(|removed| removed.api == *api));
    let examined = removed.iter().map(|removed| removed_version(connection, removed, &gone, &lasting));
    let found: Vec<Option<RemovedVersion>> =
        futures_util::stream::iter(examined).buffered(ABREAST).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Returns a removed API version with its objects; `None` if the server does not have the type. `gone` and `lasting` are the
/// types of the server that the new version does not have, and has. Objects are listed in another API version of their type: a
/// request in the removed one would count as a client that uses it.
async fn removed_version(
    connection: &ApiConnection,
    removed: &RemovedApi,
    gone: &[ApiType],
    lasting: &[ApiType],
) -> Result<Option<RemovedVersion>, Failure> {
    let api = &removed.api;
    let same = lasting.iter().find(|other| other.group() == api.group() && other.kind == api.kind);
    let objects = match same {
        Some(same) => Some(written_as(connection, same, &api.api_version).await?),
        None if gone.contains(api) => None,
        None => return Ok(None),
    };
    let (major, minor) = removed.removed_in;
    Ok(Some(RemovedVersion {
        api: format!("{} {}", api.api_version, api.plural),
        removed_in: format!("{major}.{minor}"),
        group: api.group().to_owned(),
        resource: api.plural.to_string(),
        objects,
    }))
}

/// Returns the types of all API versions of some groups.
async fn types_of(connection: &ApiConnection, groups: &BTreeSet<&str>) -> Result<Vec<ApiType>, Failure> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let versions = connection.versions().await?;
    let wanted =
        versions.iter().filter(|version| version.split_once('/').is_some_and(|(group, _)| groups.contains(group)));
    let asked = wanted.map(|version| connection.types_of(version));
    let found: Vec<Vec<ApiType>> = futures_util::stream::iter(asked).buffered(ABREAST).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Returns the names of the objects of a type that were last written in an API version.
async fn written_as(connection: &ApiConnection, api: &ApiType, version: &str) -> Result<Vec<String>, Failure> {
    let found = connection.list(api, ListQuery::ALL.names()).await?;
    let written = found.iter().filter(|object| is_written_as(object, version));
    let mut names: Vec<String> =
        written.filter_map(|object| ObjectRef::of(api, object)).map(|place| place.name()).collect();
    names.sort();
    Ok(names)
}

/// Returns `true` if a field manager or `kubectl apply` last wrote the object in an API version.
fn is_written_as(object: &JsonObject, version: &str) -> bool {
    let metadata = &object["metadata"];
    let mut managers = metadata["managedFields"].as_array().into_iter().flatten();
    let applied = || {
        let manifest: JsonObject = serde_json::from_str(metadata["annotations"][LAST_APPLIED].as_str()?).ok()?;
        Some(manifest["apiVersion"] == version)
    };
    let is_component = |manager: &JsonObject| COMPONENTS.iter().any(|component| manager == component);
    managers.any(|entry| entry["apiVersion"] == version && !is_component(&entry["manager"])) || applied() == Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_written_as_its_managers_and_its_manifest_say() {
        let managed = |manager: &str, version: &str| {
            json!({ "metadata": { "managedFields": [
                { "manager": "kubelet", "apiVersion": "v1" },
                { "manager": manager, "apiVersion": version },
            ] } })
        };
        let applied = |manifest: &str| json!({ "metadata": { "annotations": { LAST_APPLIED: manifest } } });
        let is_old = |object: &JsonObject| is_written_as(object, "networking.k8s.io/v1beta1");
        assert!(is_old(&managed("helm", "networking.k8s.io/v1beta1")));
        assert!(!is_old(&managed("helm", "networking.k8s.io/v1")));
        assert!(!is_old(&managed("kube-apiserver", "networking.k8s.io/v1beta1")), "it is upgraded with the cluster");
        assert!(is_old(&applied(r#"{"apiVersion":"networking.k8s.io/v1beta1","kind":"ServiceCIDR"}"#)));
        assert!(!is_old(&applied(r#"{"apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR"}"#)));
        assert!(!is_old(&applied("no manifest")) && !is_old(&json!({ "metadata": {} })));
    }
}
