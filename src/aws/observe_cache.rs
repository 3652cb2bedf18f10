//! The shared answers of one observation.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::AwsProvider;
use super::tags::ObservationScope;
use crate::engine::Failure;

/// The shared answers of one observation: each is read once, for several kinds.
pub(super) struct ObserveCache<'a> {
    /// The connection.
    pub(super) aws: &'a AwsProvider,
    /// The objects to observe.
    pub(super) whose: ObservationScope<'a>,
    /// A cell for each type of answer.
    answers: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl<'a> ObserveCache<'a> {
    /// Returns an observation of the cluster's objects without any answers yet.
    pub(super) fn new(aws: &'a AwsProvider) -> Self {
        Self::of(aws, ObservationScope::Tagged(&aws.scope.cluster))
    }

    /// Returns an observation of other objects.
    pub(super) fn of(aws: &'a AwsProvider, whose: ObservationScope<'a>) -> Self {
        Self { aws, whose, answers: Mutex::default() }
    }

    /// Returns the answer of a type: the first caller reads it, and others wait for it.
    pub(super) async fn once<T, F>(&self, read: impl FnOnce() -> F) -> Result<Arc<T>, Failure>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Failure>>,
    {
        let cell = self.cell::<T>();
        cell.get_or_try_init(|| async { read().await.map(Arc::new) }).await.cloned()
    }

    fn cell<T: Send + Sync + 'static>(&self) -> Arc<OnceCell<Arc<T>>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = answers.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(OnceCell::<Arc<T>>::new()));
        // The key is the type, so the cell has it.
        Arc::clone(cell).downcast().unwrap_or_default()
    }
}
