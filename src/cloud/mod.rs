//! The boundary to a cloud that clusters are built on: what the steps of a command ask beside the objects.
//!
//! AWS and the sandbox implement it, and so does the provider that joins one of them with Kubernetes.

use jiff::Timestamp;

use crate::engine::{BoxFuture, Failure, Live, ProgressNote, Provider};
use crate::resource::{AccessGrant, AllowList, Facts, FactsQuery, KubernetesState, TargetHealth};

/// A cloud that a cluster can be built on.
pub trait CloudProvider: Provider {
    /// Returns the account that the credentials belong to: 12 digits. Queried once for all callers.
    fn account(&self) -> BoxFuture<'_, Result<String, Failure>>;

    /// Returns the health of the machines in a target group, by the group's ARN. One call.
    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>>;

    /// Returns the nodes and the pods of the cluster, as its Kubernetes API reports them; `None` without an API.
    fn kubernetes_state(&self) -> BoxFuture<'_, Result<Option<KubernetesState>, Failure>>;

    /// Returns the current time: that of this machine, unless the cloud is simulated.
    fn now(&self) -> BoxFuture<'_, Result<Timestamp, Failure>>;

    /// Returns the facts, in one hop.
    fn facts<'a>(&'a self, question: &'a FactsQuery) -> BoxFuture<'a, Result<Facts, Failure>>;

    /// Returns the ARN of the caller, by one call.
    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>>;

    /// Returns the firewall of the Kubernetes API.
    fn api_firewall(&self) -> &dyn ApiFirewall;

    /// Returns objects that the cluster's own controllers created, by their tags. Only the plan of a destroy contains them.
    fn unmanaged(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>>;

    /// Lets the cluster's controllers delete the objects that they created, and waits for that for a limited time: before the
    /// cluster itself is deleted.
    fn release<'a>(&'a self, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The firewall of one cluster's API.
pub trait ApiFirewall: Send + Sync {
    /// Returns the ranges that may reach the API; `None` while the cluster has no firewall.
    fn admission(&self) -> BoxFuture<'_, Result<Option<AllowList>, Failure>>;

    /// Creates a grant. A grant for the same range is replaced by it; a rule that allows the range permanently is not changed.
    /// Idempotent.
    fn grant<'a>(&'a self, grant: &'a AccessGrant) -> BoxFuture<'a, Result<(), Failure>>;

    /// Revokes grants, if they are still unchanged. Idempotent.
    fn revoke<'a>(&'a self, grants: &'a [AccessGrant]) -> BoxFuture<'a, Result<(), Failure>>;
}
