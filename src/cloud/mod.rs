//! The boundary to a cloud that clusters are built on: what the steps of a command ask beside the objects.
//!
//! AWS and the sandbox implement it, and so does the provider that joins one of them with Kubernetes.

mod machine_access;
mod permission_simulator;
mod price_list;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{BoxFuture, Failure, Live, ProgressNote, Provider};
use crate::resource::{
    AccessGrant, AccountQuota, AllowList, DrainProgress, Facts, FactsQuery, KubernetesState, TargetHealth,
};

pub use machine_access::{COMMAND_OUTPUT, MachineAccess, MachineSession, ScriptOutput, SessionAnswer};
pub use permission_simulator::PermissionSimulator;
pub use price_list::PriceList;

/// The owner of a bucket that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketOwner {
    /// The account of the caller.
    Caller,
    /// Another account, which shares the bucket.
    Other,
}

/// The load balancer of the cluster's API, as far as a run knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KnownBalancer {
    /// The run has to ask.
    #[default]
    Unknown,
    /// The run has observed that there is none, and has not created it.
    Absent,
    /// The run has created it, with this DNS name.
    Created(String),
}

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

    /// Returns the access to the machines; `None` if they are simulated.
    fn machine_access(&self) -> Option<&dyn MachineAccess> {
        None
    }

    /// Returns the evaluation of the caller's permissions; `None` if there are none in a simulated cloud.
    fn permission_simulator(&self) -> Option<&dyn PermissionSimulator> {
        None
    }

    /// Returns the quotas of the account; `None` if a simulated cloud has none.
    fn quotas(&self) -> Option<&dyn QuotaService> {
        None
    }

    /// Returns the price list of the region; `None` without one that has prices in US dollars.
    fn price_list(&self) -> Option<&dyn PriceList> {
        None
    }

    /// Returns objects that the cluster's own controllers created, by their tags. Only the plan of a destroy contains them.
    fn unmanaged(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>>;

    /// Returns the time at the cloud, by one call that needs no permission; `None` if the cloud has no clock of its own. A
    /// refused call returns the time too.
    fn server_time(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Failure>>;

    /// Returns the owner of the bucket of the cluster's machines; `None` if there is no bucket of that name.
    fn bucket_owner(&self) -> BoxFuture<'_, Result<Option<BucketOwner>, Failure>>;

    /// Returns the name servers of a public hosted zone, by its id; none if names of the cloud do not resolve.
    fn name_servers<'a>(&'a self, zone: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>>;

    /// Returns what this run knows of the load balancer of the cluster's API, without a call. Waits for an observation that is
    /// in progress if it has to.
    fn known_balancer(&self) -> BoxFuture<'_, KnownBalancer> {
        Box::pin(std::future::ready(KnownBalancer::Unknown))
    }

    /// Sets the kinds that the file has. Of the kinds that few clusters have, observations then look only for these; the record
    /// names the objects of others, which [`Provider::recall`] finds.
    fn expect(&self, _kinds: BTreeSet<&'static str>) {}

    /// Lets observations leave out what only a comparison needs: the cluster is deleted, whatever its attributes are. What shows
    /// to which cluster an object belongs is observed as always.
    fn leave_out_details(&self) {}

    /// Sets the drain of machines before a roll ends them. Without it, a machine drains itself while it shuts down.
    fn drain_with(&self, _drain: Arc<dyn NodeDrain>) {}

    /// Lets the cluster's controllers delete the objects that they created, and waits for that for a limited time: before the
    /// cluster itself is deleted.
    fn release<'a>(&'a self, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The quotas of an account in a region.
pub trait QuotaService: Send + Sync {
    /// Returns the part of each quota that objects use which do not belong to the cluster, in one hop. One call for each.
    fn used_by_others<'a>(
        &'a self,
        quotas: &'a BTreeSet<AccountQuota>,
    ) -> BoxFuture<'a, Result<BTreeMap<AccountQuota, u64>, Failure>>;

    /// Returns the values of quotas, in one hop. One call for each. A quota without a value is missing.
    fn limits<'a>(
        &'a self,
        quotas: &'a BTreeSet<AccountQuota>,
    ) -> BoxFuture<'a, Result<BTreeMap<AccountQuota, u64>, Failure>>;
}

/// Moves the pods of machines.
pub trait NodeDrain: std::fmt::Debug + Send + Sync {
    /// Lets no further pod start on a machine, and evicts those that are there, as far as their disruption budgets allow it.
    /// Called until the machine is drained.
    fn drain<'a>(&'a self, machine: &'a str) -> BoxFuture<'a, Result<DrainProgress, Failure>>;
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
