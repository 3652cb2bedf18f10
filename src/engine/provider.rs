//! The interface to a cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Address, Failure, FailureClass, Live, Object};

/// A boxed future, so that a provider can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A token that makes a creation idempotent: the same for the same object of the same generation of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyToken(pub String);

/// A callback that reports what a long change is waiting for, as a short text.
pub type ProgressNote<'a> = &'a (dyn Fn(String) + Send + Sync);

/// Number of calls of a provider that have changed something, or may have.
#[derive(Debug, Default)]
pub struct ChangeCounter(AtomicU64);

impl ChangeCounter {
    /// Counts a call that changes something, by its result: after an error of the service, or without an answer, it may have
    /// been made.
    pub fn count<T>(&self, result: &Result<T, Failure>) {
        let refused = result.as_ref().is_err_and(|failure| match failure.class {
            FailureClass::UnknownOutcome => false,
            // Without a code, nothing was sent: there was no connection.
            FailureClass::Unavailable => failure.code.is_none(),
            _ => true,
        });
        if !refused {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The result of an observation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// The observed objects.
    pub live: Vec<Live>,
    /// The failure of the part of the cloud that did not answer, whose objects were not observed: the API of a cluster
    /// runs on machines of that cluster.
    pub unreachable: Option<Failure>,
}

impl From<Vec<Live>> for Observation {
    fn from(live: Vec<Live>) -> Self {
        Self { live, unreachable: None }
    }
}

/// The answer of a cloud about objects before they are created.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DryRun {
    /// The objects, with attributes as the cloud would return them: `1000m` of a CPU is `1`.
    pub objects: Vec<Object>,
    /// Existing objects in their place that carry no mark of Quorate.
    pub conflicting: Vec<Live>,
    /// Objects that the cloud would reject, and its message.
    pub refused: Vec<(Address, String)>,
    /// Notes for the reader of the plan.
    pub notes: Vec<String>,
    /// The failure of the part of the cloud that did not answer: its objects are as they were passed.
    pub unreachable: Option<Failure>,
}

/// A cloud: it holds objects.
///
/// Methods take resolved objects: every value in them is known. They do not retry; they classify.
pub trait Provider: Send + Sync {
    /// Returns every object of the cluster, in a fixed small number of calls.
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>>;

    /// Returns the recorded objects (address to id) that exist although an observation does not show them: their mark was
    /// removed. They are returned as unproven: only the record proves whose they are.
    ///
    /// A cloud whose marks cannot be removed returns nothing.
    fn recall<'a>(&'a self, _recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(std::future::ready(Ok(Observation::default())))
    }

    /// Reports the result of creating the objects now, as a dry run. A cloud without dry runs reports nothing.
    ///
    /// `live` is the result of [`observe`](Provider::observe).
    fn dry_run<'a>(&'a self, objects: Vec<Object>, _live: &'a [Live]) -> BoxFuture<'a, Result<DryRun, Failure>> {
        Box::pin(std::future::ready(Ok(DryRun { objects, ..DryRun::default() })))
    }

    /// Returns the objects that carry one address, read again: used after a creation whose outcome is unknown.
    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>>;

    /// Creates the object, marked as the cluster's from the start, and returns it is now.
    ///
    /// May fail after a part of its calls: the caller finds the object by address and continues with `update`.
    fn create<'a>(&'a self, object: &'a Object, token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Changes the attributes named in `changed` to their values in `object`, and returns the object as it is now.
    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Replaces the machines of a group that do not run its current version, one after the other.
    fn roll<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Waits until the object can be used by others. It changes nothing, so it may be dropped at any time.
    fn ready<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Removes the object. An object that is already gone is no failure. Waits until it is gone, unless [`gone`](Provider::gone)
    /// does.
    fn delete<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>>;

    /// Returns the number of calls so far that have changed something, or may have. A failed change can be half done.
    fn changes(&self) -> u64;

    /// Waits until an object is gone whose removal [`delete`](Provider::delete) has started. It changes nothing, so it may be
    /// dropped at any time.
    fn gone<'a>(&'a self, _live: &'a Live, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
