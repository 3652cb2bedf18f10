//! The boundary to a cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use super::{Address, Failure, Live, Object};

/// A boxed future, so that a provider can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A token that makes a creation idempotent: the same for the same object of the same generation of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(pub String);

/// Hears what a long change is waiting for, in a few words.
pub type Note<'a> = &'a (dyn Fn(String) + Send + Sync);

/// What a cloud says of objects before they are made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rehearsal {
    /// The objects, their attributes as the cloud would tell them back: `1000m` of a CPU is `1`.
    pub objects: Vec<Object>,
    /// What stands where they should be and carries no mark of ours.
    pub in_the_way: Vec<Live>,
    /// Objects that the cloud would not take, and what it says.
    pub refused: Vec<(Address, String)>,
    /// What somebody who reads the plan should know.
    pub notes: Vec<String>,
}

/// A cloud: something that holds objects.
///
/// Verbs take resolved objects: every value in them is known. They do not retry; they classify.
pub trait Provider: Send + Sync {
    /// Every object of the cluster, in a fixed small number of calls.
    fn observe(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>>;

    /// Those of the recorded objects (address to id) that are there although an observation does not show them: their
    /// mark was taken away. They come unproven: it is the record that says whose they are.
    ///
    /// A cloud whose marks cannot be lost has nothing to say.
    fn recall<'a>(&'a self, _recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Says what would become of objects if they were made so now. A cloud that cannot be asked says nothing.
    ///
    /// `live` is what [`observe`](Provider::observe) has seen.
    fn rehearse<'a>(&'a self, objects: Vec<Object>, _live: &'a [Live]) -> BoxFuture<'a, Result<Rehearsal, Failure>> {
        Box::pin(std::future::ready(Ok(Rehearsal { objects, ..Rehearsal::default() })))
    }

    /// The objects that carry one address, looked up afresh: after a creation whose outcome is unknown.
    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>>;

    /// Makes the object, marked as ours from its first moment, and returns it as it is now.
    ///
    /// May fail half way: the caller finds what is there by address and goes on with `update`.
    fn create<'a>(&'a self, object: &'a Object, token: &'a Token) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Changes the attributes named in `changed` to what `object` says, and returns the object as it is now.
    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Replaces the machines of a group that do not run what the group says, one after the other.
    fn roll<'a>(&'a self, live: &'a Live, object: &'a Object, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Waits until the object can be used by others. It changes nothing, so it may be dropped at any time.
    fn ready<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>>;

    /// Removes the object. What is gone already is no failure. Waits until it is gone, unless [`gone`](Provider::gone)
    /// does.
    fn delete<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>>;

    /// Waits until an object is gone whose removal [`delete`](Provider::delete) has begun. It changes nothing, so it may be
    /// dropped at any time.
    fn gone<'a>(&'a self, _live: &'a Live, _note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
