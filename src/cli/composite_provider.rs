//! AWS and the Kubernetes cluster that runs on it, behind one provider. An object's kind decides which of them handles it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;

use crate::cloud::{
    ApiFirewall, BucketOwner, CloudProvider, MachineAccess, NodeDrain, PermissionSimulator, PriceList, QuotaService,
};
use crate::engine::{
    Address, BoxFuture, DryRun, Failure, FailureClass, IdempotencyToken, Live, Object, Observation, ProgressNote,
    Provider, repeat,
};
use crate::kubernetes::KubernetesProvider;
use crate::resource::{DrainProgress, Facts, FactsQuery, KubernetesState, TargetHealth, is_kubernetes};
use crate::spec::NetworkPlugin;
use crate::words;

use super::api_reachability::ApiReachability;
use super::joining::{node_group, serving, until_nodes};

/// Number of attempts to dry-run Kubernetes objects before Kubernetes counts as unreachable: without the dry run, a plan
/// contains less.
const ATTEMPTS: u32 = 3;
/// Delay before the second attempt; it grows by the same amount with each further attempt.
const PAUSE: Duration = Duration::from_millis(500);

/// A provider for AWS and for the Kubernetes cluster that runs on it.
pub struct CompositeProvider {
    base: Arc<dyn CloudProvider>,
    kubernetes: Arc<KubernetesProvider>,
    network: NetworkPlugin,
    reachability: ApiReachability,
    /// The node groups of the file. A node group that leaves is removed only once one of these has nodes.
    groups: BTreeSet<String>,
}

/// Moves the pods of machines through the API of the cluster. Weak: the API's access uses the same cloud.
#[derive(Debug)]
struct ClusterDrain {
    kubernetes: Weak<KubernetesProvider>,
}

impl NodeDrain for ClusterDrain {
    fn drain<'a>(&'a self, machine: &'a str) -> BoxFuture<'a, Result<DrainProgress, Failure>> {
        Box::pin(async move {
            let Some(kubernetes) = self.kubernetes.upgrade() else { return Ok(DrainProgress::Done) };
            kubernetes.drain(machine).await
        })
    }
}

/// The wait of a run for the Kubernetes API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiWait {
    /// The run waits until the API is ready.
    UntilReady,
    /// The run does not wait for an API that does not answer yet.
    Never,
    /// The cluster is destroyed: the run does not wait for its API or for the end of its pods.
    Destroying,
}

impl CompositeProvider {
    /// Creates the provider for a cluster whose pods get their network from this plugin.
    pub fn new(
        base: Arc<dyn CloudProvider>,
        kubernetes: KubernetesProvider,
        network: NetworkPlugin,
        wait: ApiWait,
    ) -> Self {
        let reachability = ApiReachability::new(Arc::clone(&base), wait == ApiWait::Never);
        let kubernetes = Arc::new(if wait == ApiWait::Destroying { kubernetes.leaving() } else { kubernetes });
        base.drain_with(Arc::new(ClusterDrain { kubernetes: Arc::downgrade(&kubernetes) }));
        Self { base, kubernetes, network, reachability, groups: BTreeSet::new() }
    }

    /// Makes the removal of other node groups depend on these: one of them must have nodes that take pods first.
    #[must_use]
    pub fn with_groups(self, groups: impl IntoIterator<Item = String>) -> Self {
        Self { groups: groups.into_iter().collect(), ..self }
    }

    /// Refuses to remove a node group while no group of the file has a node that takes pods.
    async fn succeeded(&self, live: &Live) -> Result<(), Failure> {
        let leaving = node_group(live).filter(|group| !self.groups.is_empty() && !self.groups.contains(*group));
        let Some(leaving) = leaving else { return Ok(()) };
        let reads_nodes = self.kubernetes.is_connected() && self.reachability.given_up().await.is_none();
        if self.network != NetworkPlugin::Routes || !reads_nodes {
            return Ok(());
        }
        for group in &self.groups {
            if self.schedulable(group).await?.is_some_and(|nodes| nodes > 0) {
                return Ok(());
            }
        }
        let others: Vec<String> = self.groups.iter().cloned().collect();
        let message = format!(
            "the node group {leaving} stays: no machine of {} takes pods yet. `quorate validate` shows why; \
             then apply again",
            words::list(&others)
        );
        Err(Failure::own(FailureClass::Fatal, "delete", message))
    }

    fn of(&self, address: &Address) -> &dyn Provider {
        if is_kubernetes(address.kind()) { self.kubernetes.as_ref() } else { self.base.as_ref() }
    }

    /// Awaits a call. If the connection to the Kubernetes API fails, adds the reason that AWS knows to the failure.
    async fn through<T>(&self, done: BoxFuture<'_, Result<T, Failure>>) -> Result<T, Failure> {
        match done.await {
            Err(failure) => Err(self.reachability.classify(failure).await),
            done => done,
        }
    }

    /// Returns the number of nodes of a group that take pods. Returns `None` until the client is connected: the cluster's own
    /// objects keep trying to connect, and each attempt costs API calls.
    async fn schedulable(&self, group: &str) -> Result<Option<usize>, Failure> {
        if self.kubernetes.is_connected() {
            return self.through(Box::pin(self.kubernetes.schedulable(group))).await;
        }
        self.reachability.given_up().await.map_or(Ok(None), Err)
    }
}

impl Provider for CompositeProvider {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>> {
        Box::pin(async move {
            let (base, kubernetes) = tokio::join!(self.base.observe(), self.kubernetes.observe());
            let mut observation = base?;
            // What runs on the cluster answers only while the cluster does.
            match kubernetes {
                Ok(inside) => observation.live.extend(inside.live),
                Err(failure) => observation.unreachable = Some(failure),
            }
            self.reachability.observed(observation.unreachable.as_ref()).await;
            Ok(observation)
        })
    }

    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let part = |inside: bool| -> BTreeMap<Address, String> {
                let part = recorded.iter().filter(|(address, _)| is_kubernetes(address.kind()) == inside);
                part.map(|(address, id)| (address.clone(), id.clone())).collect()
            };
            let mut found = self.base.recall(&part(false)).await?;
            let inside = part(true);
            if !inside.is_empty() {
                match self.kubernetes.recall(&inside).await {
                    Ok(recalled) => found.live.extend(recalled.live),
                    Err(failure) => found.unreachable = Some(failure),
                }
            }
            Ok(found)
        })
    }

    fn dry_run<'a>(&'a self, objects: Vec<Object>, live: &'a [Live]) -> BoxFuture<'a, Result<DryRun, Failure>> {
        Box::pin(async move {
            let (inside, rest): (Vec<Object>, Vec<Object>) =
                objects.into_iter().partition(|object| is_kubernetes(object.address.kind()));
            let asked = repeat(ATTEMPTS, |attempt| PAUSE * attempt, || self.kubernetes.dry_run(inside.clone(), live));
            let mut dry_run = match asked.await {
                Ok(dry_run) => dry_run,
                Err(failure) => DryRun { objects: inside, unreachable: Some(failure), ..DryRun::default() },
            };
            dry_run.objects.extend(rest);
            Ok(dry_run)
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(self.through(self.of(address).find(address)))
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.through(self.of(&object.address).create(object, token)))
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.through(self.of(&object.address).update(live, object, changed)))
    }

    fn roll<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.through(self.of(&object.address).roll(live, object, note)))
    }

    fn changes(&self) -> u64 {
        self.base.changes() + self.kubernetes.changes()
    }

    fn ready<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let arrived = self.through(self.of(&live.address).ready(live, note)).await?;
            // With any other plugin, the network is installed after the machines and makes them ready.
            if self.network == NetworkPlugin::Routes
                && !self.reachability.skips_wait()
                && let Some(group) = node_group(&arrived)
                && self.reachability.given_up().await.is_none()
            {
                until_nodes(serving(&arrived), note, || self.schedulable(group)).await;
            }
            Ok(arrived)
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.succeeded(live).await?;
            self.through(self.of(&live.address).delete(live, note)).await
        })
    }

    fn gone<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.through(self.of(&live.address).gone(live, note)))
    }
}

impl CloudProvider for CompositeProvider {
    fn account(&self) -> BoxFuture<'_, Result<String, Failure>> {
        self.base.account()
    }

    fn facts<'a>(&'a self, question: &'a FactsQuery) -> BoxFuture<'a, Result<Facts, Failure>> {
        self.base.facts(question)
    }

    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>> {
        self.base.caller()
    }

    fn server_time(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Failure>> {
        self.base.server_time()
    }

    fn bucket_owner(&self) -> BoxFuture<'_, Result<Option<BucketOwner>, Failure>> {
        self.base.bucket_owner()
    }

    fn name_servers<'a>(&'a self, zone: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        self.base.name_servers(zone)
    }

    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>> {
        self.base.targets(group)
    }

    fn kubernetes_state(&self) -> BoxFuture<'_, Result<Option<KubernetesState>, Failure>> {
        Box::pin(self.through(Box::pin(self.kubernetes.state())))
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, Failure>> {
        self.base.now()
    }

    fn expect(&self, kinds: BTreeSet<&'static str>) {
        self.base.expect(kinds);
    }

    fn leave_out_details(&self) {
        self.base.leave_out_details();
    }

    fn api_firewall(&self) -> &dyn ApiFirewall {
        self.base.api_firewall()
    }

    fn quotas(&self) -> Option<&dyn QuotaService> {
        self.base.quotas()
    }

    fn price_list(&self) -> Option<&dyn PriceList> {
        self.base.price_list()
    }

    fn permission_simulator(&self) -> Option<&dyn PermissionSimulator> {
        self.base.permission_simulator()
    }

    fn machine_access(&self) -> Option<&dyn MachineAccess> {
        self.base.machine_access()
    }

    fn unmanaged(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        self.base.unmanaged()
    }

    fn release<'a>(&'a self, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.kubernetes.release(note))
    }
}
