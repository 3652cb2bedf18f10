//! The Kubernetes API of a cluster on moto: the server of the library's own tests, reached by the access path that the
//! program uses.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use quorate::cli::{ByAws, CompositeProvider};
use quorate::cloud::{ApiFirewall, BucketOwner, CloudProvider, MachineAccess, PriceList, QuotaService};
use quorate::engine::{
    Address, BoxFuture, DryRun, Failure, IdempotencyToken, Live, Object, Observation, ProgressNote, Provider,
};
pub(crate) use quorate::kubernetes::{ApiAccess, ClientAccess, KubernetesProvider};
use quorate::resource::{Facts, FactsQuery, KubernetesState, TargetHealth, is_kubernetes, manifest_of, with_manifest};

use quorate::testkit::testbed::TestApi;

/// The program's access path, which ends at another server: moto's load balancers lead nowhere.
pub(crate) struct ServerOverride {
    pub(crate) access: ByAws,
    pub(crate) api: ApiAccess,
}

impl ClientAccess for ServerOverride {
    fn access(&self) -> BoxFuture<'_, Result<Option<ApiAccess>, Failure>> {
        Box::pin(async move { Ok(self.access.access().await?.map(|_| self.api.clone())) })
    }
}

/// The program's clouds, without the objects that an older API server does not know.
pub(crate) struct FilteredProvider<'a> {
    pub(crate) clouds: CompositeProvider,
    pub(crate) api: &'a TestApi,
}

impl FilteredProvider<'_> {
    fn known(&self, object: Object) -> Option<Object> {
        match manifest_of(&object).filter(|_| is_kubernetes(object.address.kind())) {
            Some(manifest) => Some(with_manifest(object, &self.api.sieve(manifest)?)),
            None => Some(object),
        }
    }
}

impl Provider for FilteredProvider<'_> {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>> {
        self.clouds.observe()
    }

    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Observation, Failure>> {
        self.clouds.recall(recorded)
    }

    fn dry_run<'a>(&'a self, objects: Vec<Object>, live: &'a [Live]) -> BoxFuture<'a, Result<DryRun, Failure>> {
        self.clouds.dry_run(objects.into_iter().filter_map(|object| self.known(object)).collect(), live)
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        self.clouds.find(address)
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>> {
        self.clouds.create(object, token)
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        self.clouds.update(live, object, changed)
    }

    fn roll<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        self.clouds.roll(live, object, note)
    }

    fn changes(&self) -> u64 {
        self.clouds.changes()
    }

    fn ready<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        self.clouds.ready(live, note)
    }

    fn delete<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        self.clouds.delete(live, note)
    }

    fn gone<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        self.clouds.gone(live, note)
    }
}

impl CloudProvider for FilteredProvider<'_> {
    fn account(&self) -> BoxFuture<'_, Result<String, Failure>> {
        self.clouds.account()
    }

    fn facts<'a>(&'a self, question: &'a FactsQuery) -> BoxFuture<'a, Result<Facts, Failure>> {
        self.clouds.facts(question)
    }

    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>> {
        self.clouds.caller()
    }

    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>> {
        self.clouds.targets(group)
    }

    fn kubernetes_state(&self) -> BoxFuture<'_, Result<Option<KubernetesState>, Failure>> {
        self.clouds.kubernetes_state()
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, Failure>> {
        self.clouds.now()
    }

    fn server_time(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Failure>> {
        self.clouds.server_time()
    }

    fn name_servers<'a>(&'a self, zone: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        self.clouds.name_servers(zone)
    }

    fn expect(&self, kinds: BTreeSet<&'static str>) {
        self.clouds.expect(kinds);
    }

    fn leave_out_details(&self) {
        self.clouds.leave_out_details();
    }

    fn bucket_owner(&self) -> BoxFuture<'_, Result<Option<BucketOwner>, Failure>> {
        self.clouds.bucket_owner()
    }

    fn api_firewall(&self) -> &dyn ApiFirewall {
        self.clouds.api_firewall()
    }

    fn quotas(&self) -> Option<&dyn QuotaService> {
        self.clouds.quotas()
    }

    fn price_list(&self) -> Option<&dyn PriceList> {
        self.clouds.price_list()
    }

    fn machine_access(&self) -> Option<&dyn MachineAccess> {
        self.clouds.machine_access()
    }

    fn unmanaged(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        self.clouds.unmanaged()
    }

    fn release<'a>(&'a self, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        self.clouds.release(note)
    }
}
