//! The evidence before an upgrade of Kubernetes, from the live API.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;

use super::KubernetesProvider;
use super::census::node;
use super::client::ListQuery;
use crate::engine::Failure;
use crate::health::{DisruptionBudget, UpgradeEvidence};

impl KubernetesProvider {
    /// Returns the evidence before an upgrade; `None` while the cluster has no API. Makes three calls. The metrics are those of
    /// one API server: they cover the requests that it has served since its start.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn upgrade_evidence(&self) -> Result<Option<UpgradeEvidence>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let (metrics, nodes, budgets) = tokio::try_join!(
            connection.text("/metrics"),
            connection.read::<Node>(ListQuery::ALL),
            connection.read::<PodDisruptionBudget>(ListQuery::ALL),
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
        Ok(Some(UpgradeEvidence { metrics, nodes: nodes.iter().map(node).collect(), budgets: budgets.collect() }))
    }
}
