//! The verbs of a kind, and the registry of kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use super::AwsProvider;
use super::failure::{ErrorCodes, internal};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use crate::cloud::KnownBalancer;
use crate::engine::{
    Address, BoxFuture, Failure, FailureClass, IdempotencyToken, Live, Object, ObjectPhase, Observation, ProgressNote,
    Provider,
};
use crate::resource::{API, LoadBalancer, LocationTraces, Resource};

/// The inputs of a creation other than the attributes.
pub(super) struct CreateContext<'a> {
    /// The object, resolved.
    pub(super) object: &'a Object,
    /// The client token.
    pub(super) token: &'a IdempotencyToken,
}

/// A kind of object on AWS. The verbs stand in this order in every file.
pub(super) trait AwsKind: Resource + Send + Sync {
    /// The codes by which AWS answers about this kind alone, by class. `failure.rs` has those that several kinds share.
    const CODES: ErrorCodes = &[];

    /// Returns all objects of the kind that belong to the cluster, in as few calls as the API allows.
    fn observe(cache: &ObserveCache<'_>) -> impl Future<Output = Result<Vec<Live>, Failure>> + Send;

    /// Creates the object, with its tags in the creating call.
    fn create(
        &self,
        aws: &AwsProvider,
        creation: &CreateContext<'_>,
    ) -> impl Future<Output = Result<Live, Failure>> + Send;

    /// Changes the named attributes to the values of `self`.
    fn update(
        &self,
        aws: &AwsProvider,
        live: &Live,
        changed: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Live, Failure>> + Send;

    /// Removes the object and waits until it is gone.
    fn delete(
        aws: &AwsProvider,
        live: &Live,
        note: ProgressNote<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits until the object can be used by others. Most kinds can be used at once.
    fn ready(
        _aws: &AwsProvider,
        live: &Live,
        _note: ProgressNote<'_>,
    ) -> impl Future<Output = Result<Live, Failure>> + Send {
        async { Ok(live.clone()) }
    }

    /// Replaces its machines one after the other.
    fn roll(
        &self,
        _aws: &AwsProvider,
        live: &Live,
        _note: ProgressNote<'_>,
    ) -> impl Future<Output = Result<Live, Failure>> + Send {
        async { Ok(live.clone()) }
    }
}

/// The verbs of a kind whose type is known at run time alone: a row of [`REGISTRY`].
trait AnyKind: Sync {
    /// The kind's name.
    fn name(&self) -> &'static str;
    /// The codes of its own, and their classes.
    fn codes(&self) -> ErrorCodes;
    /// [`Resource::OPTIONAL`].
    fn is_optional(&self) -> bool;
    /// [`AwsKind::observe`].
    fn observe<'a>(&self, cache: &'a ObserveCache<'_>) -> BoxFuture<'a, Result<Vec<Live>, Failure>>;
    /// [`AwsKind::create`].
    fn create<'a>(
        &self,
        aws: &'a AwsProvider,
        object: &'a Object,
        token: &'a IdempotencyToken,
    ) -> BoxFuture<'a, Result<Live, Failure>>;
    /// [`AwsKind::update`].
    fn update<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>>;
    /// [`AwsKind::roll`].
    fn roll<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>>;
    /// [`AwsKind::ready`].
    fn ready<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>>;
    /// [`AwsKind::delete`].
    fn delete<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<(), Failure>>;
}

/// A kind without a value of it.
struct KindOf<K>(PhantomData<fn() -> K>);

impl<K: AwsKind + 'static> AnyKind for KindOf<K> {
    fn name(&self) -> &'static str {
        K::KIND.name
    }

    fn codes(&self) -> ErrorCodes {
        K::CODES
    }

    fn is_optional(&self) -> bool {
        K::OPTIONAL
    }

    fn observe<'a>(&self, cache: &'a ObserveCache<'_>) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(K::observe(cache))
    }

    fn create<'a>(
        &self,
        aws: &'a AwsProvider,
        object: &'a Object,
        token: &'a IdempotencyToken,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let wanted = read::<K>(object)?;
            wanted.create(aws, &CreateContext { object, token }).await.map_err(fresh)
        })
    }

    fn update<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move { read::<K>(object)?.update(aws, live, changed).await.map_err(fresh) })
    }

    fn roll<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move { read::<K>(object)?.roll(aws, live, note).await })
    }

    fn ready<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(K::ready(aws, live, note))
    }

    fn delete<'a>(
        &self,
        aws: &'a AwsProvider,
        live: &'a Live,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            match K::delete(aws, live, note).await {
                Err(failure) if failure.class == FailureClass::Gone => Ok(()),
                outcome => outcome,
            }
        })
    }
}

/// Makes the table of the kinds.
macro_rules! registry {
    ($($module:ident :: $type:ident),* $(,)?) => {
        /// The kinds of AWS.
        const REGISTRY: &[&dyn AnyKind] = &[$(&KindOf::<crate::resource::$type>(PhantomData)),*];
    };
}

crate::resource::kind_registry!(registry);

/// The kind of this name.
fn kind(name: &str) -> Result<&'static dyn AnyKind, Failure> {
    REGISTRY.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| unknown(name))
}

/// Returns the class of a code that one kind alone answers with.
pub(super) fn class_of(code: &str) -> Option<FailureClass> {
    codes().find(|(_, codes)| codes.contains(&code)).map(|(class, _)| *class)
}

/// The codes that one kind alone answers with, of all kinds.
pub(super) fn codes() -> impl Iterator<Item = &'static (FailureClass, &'static [&'static str])> {
    REGISTRY.iter().flat_map(|kind| kind.codes())
}

impl Provider for AwsProvider {
    /// Observes every kind at once, without optional kinds that the file does not have.
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>> {
        Box::pin(async move {
            let mut api = self.api.lock().await;
            let cache = ObserveCache::new(self);
            let kinds = REGISTRY.iter().filter(|kind| is_observed(self, **kind)).map(|kind| observe(*kind, &cache));
            let found = futures_util::future::try_join_all(kinds).await?.into_iter().flatten().collect::<Vec<_>>();
            let is_there = found.iter().any(|live| live.address == LoadBalancer::address(API));
            *api = if is_there { KnownBalancer::Unknown } else { KnownBalancer::Absent };
            Ok(judged(self, found.into_iter()).into())
        })
    }

    /// Reads the objects in the record, kind by kind, and only for the kinds that it names. Objects of optional kinds that were
    /// not observed still have their tags, as a rule.
    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let cache = ObserveCache::of(self, ObservationScope::Recorded(&self.scope.cluster, recorded));
            let is_named = |kind: &&&dyn AnyKind| recorded.keys().any(|address| address.kind() == kind.name());
            let kinds = REGISTRY.iter().filter(is_named).map(|kind| kind.observe(&cache));
            let found = futures_util::future::try_join_all(kinds).await?.into_iter().flatten();
            // A lookup by name returns every object that exists.
            let is_recorded = |live: &Live| recorded.get(&live.address).is_some_and(|id| *id == live.id);
            let mut named: Vec<Live> = found.filter(&is_recorded).map(|live| Live { proven: false, ..live }).collect();
            let tagged = ObserveCache::new(self);
            let unobserved = REGISTRY.iter().filter(is_named).filter(|kind| !is_observed(self, **kind));
            let found = futures_util::future::try_join_all(unobserved.map(|kind| kind.observe(&tagged))).await?;
            named.extend(judged(self, found.into_iter().flatten().filter(is_recorded)));
            Ok(named.into())
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let cache = ObserveCache::new(self);
            let found = kind(address.kind())?.observe(&cache).await?;
            Ok(judged(self, found.into_iter().filter(|live| live.address == *address)))
        })
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            self.balancers.forget();
            let made = kind(object.address.kind())?.create(self, object, token).await;
            if object.address == LoadBalancer::address(API) {
                let name = made.as_ref().ok().and_then(|made| made.outputs.get("dns_name")).cloned();
                *self.api.lock().await = name.map_or(KnownBalancer::Unknown, KnownBalancer::Created);
            }
            made
        })
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move { kind(object.address.kind())?.update(self, live, object, changed).await })
    }

    fn roll<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move { kind(object.address.kind())?.roll(self, live, object, note).await })
    }

    fn changes(&self) -> u64 {
        self.changes.get()
    }

    fn ready<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move { kind(live.address.kind())?.ready(self, live, note).await })
    }

    fn delete<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.balancers.forget();
            kind(live.address.kind())?.delete(self, live, note).await
        })
    }
}

/// Observes a kind. Who may not read an optional kind has no object of it, unless the file or the record has one.
async fn observe(kind: &dyn AnyKind, cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
    let is_expected = !kind.is_optional() || cache.aws.expected.has(kind.name());
    match kind.observe(cache).await {
        Err(failure) if failure.class == FailureClass::Denied && !is_expected => Ok(Vec::new()),
        Ok(found) if found.is_empty() && kind.is_optional() => {
            cache.aws.expected.note_absent(kind.name());
            Ok(found)
        }
        observed => observed,
    }
}

/// Returns `true` if observations look for a kind. Those of a destroy look for all, and not again for what is not there.
fn is_observed(aws: &AwsProvider, kind: &dyn AnyKind) -> bool {
    let is_sought = || aws.is_shallow() && !aws.expected.is_absent(kind.name());
    !kind.is_optional() || aws.expected.has(kind.name()) || is_sought()
}

/// Clears the proof of ownership of objects of a cluster with the same name in another place: their path or their name
/// holds only the name of the cluster.
fn judged(aws: &AwsProvider, found: impl Iterator<Item = Live>) -> Vec<Live> {
    let (location, cluster) = (aws.scope.location(), &aws.scope.cluster);
    let judge =
        |live: Live| Live { proven: live.proven && !location.contradicts(&LocationTraces::of(cluster, &live)), ..live };
    found.map(judge).collect()
}

/// Converts the object to its kind.
fn read<K: Resource>(object: &Object) -> Result<K, Failure> {
    K::from_attributes(&object.attributes).map_err(|malformed| broken(object.address.kind(), &malformed))
}

/// Returns a live object of a kind.
pub(super) fn live<K: Resource>(
    name: &str,
    id: impl Into<String>,
    resource: &K,
    outputs: &[(&str, &str)],
) -> Result<Live, Failure> {
    Ok(Live {
        address: K::address(name),
        id: id.into(),
        attributes: resource.attributes().map_err(|malformed| broken(K::KIND.name, &malformed))?,
        outputs: outputs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    })
}

/// Returns a live object after an update: with the new attributes, and otherwise unchanged.
pub(super) fn updated<K: Resource>(before: &Live, now: &K) -> Result<Live, Failure> {
    let attributes = now.attributes().map_err(|malformed| broken(K::KIND.name, &malformed))?;
    Ok(Live { attributes, ..before.clone() })
}

/// Converts a live object's attributes to its kind.
pub(super) fn decode<K: Resource>(live: &Live) -> Result<K, Failure> {
    K::from_attributes(&live.attributes).map_err(|malformed| broken(K::KIND.name, &malformed))
}

/// Classifies a missing object in a creation or an update: it was most likely created a moment ago.
fn fresh(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::Gone => Failure { class: FailureClass::MaybeNotYetConsistent, ..failure },
        _ => failure,
    }
}

/// Returns the failure for a kind that is not registered.
fn unknown(kind: &str) -> Failure {
    internal(kind, format!("AWS has no kind `{kind}`"))
}

/// Returns the failure for attributes that do not fit their kind.
fn broken(kind: &str, malformed: &dyn std::error::Error) -> Failure {
    let cause = malformed.source().map(|source| format!(": {source}")).unwrap_or_default();
    internal(kind, format!("{malformed}{cause}"))
}
