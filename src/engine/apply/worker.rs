//! Runs one step, with retries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::ApplyOptions;
use crate::engine::planner::StepAction;
use crate::engine::retry::RetryBudget;
use crate::engine::{
    Address, BoxFuture, EventListener, Failure, FailureClass, KindRegistry, Live, Object, ObjectPhase, Provider,
    RunEvent,
};

/// The shared inputs of all steps.
pub(super) struct StepWorker<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) vocabulary: &'a dyn KindRegistry,
    pub(super) options: &'a ApplyOptions,
    pub(super) listener: &'a dyn EventListener,
    /// The locks of the lanes: a roll holds the lock of its lane.
    pub(super) lanes: SerialGroups,
}

/// The lanes in which a roll is in progress. The schedule separates planned rolls; this also separates rolls that were not
/// planned, of objects that a creation without an answer has left half done.
#[derive(Default)]
pub(super) struct SerialGroups(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl SerialGroups {
    fn of(&self, object: &Object) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let lane = object.lane.clone()?;
        Some(Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(lane).or_default()))
    }
}

/// A step with all of its inputs.
pub(super) struct StepJob<'a> {
    pub(super) address: &'a Address,
    pub(super) work: &'a StepAction,
    /// The object as wanted, with all values known; `None` for a removal.
    pub(super) object: Option<Object>,
    /// The object as it was when the plan was made.
    pub(super) live: Option<&'a Live>,
    /// The identifier of the object that this run created under the same address.
    pub(super) made: Option<String>,
    /// Time until which a dependency counts as just created.
    pub(super) fresh_until: Option<Instant>,
}

/// The reason that a step does not complete.
pub(super) enum StepHalt {
    /// The cloud refused the change.
    Failed(Failure),
    /// The change was made, and the run was stopped while it waited for its completion.
    Stopped,
}

impl From<Failure> for StepHalt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The result of a step.
pub(super) enum StepResult {
    /// The object exists as wanted.
    There { object: Box<Object>, live: Box<Live> },
    /// The object is gone.
    Gone { id: String },
}

impl StepWorker<'_> {
    pub(super) async fn carry_out(&self, mut job: StepJob<'_>) -> Result<StepResult, StepHalt> {
        match (job.work, job.object.take()) {
            (StepAction::Delete { live, .. }, _) => self.remove(&job, live).await,
            (_, None) => Ok(StepResult::Gone { id: String::new() }),
            (work, Some(object)) => {
                let live = self.bring_about(&job, work, &object).await?;
                Ok(StepResult::There { object: Box::new(object), live: Box::new(live) })
            }
        }
    }

    async fn bring_about(&self, job: &StepJob<'_>, work: &StepAction, object: &Object) -> Result<Live, StepHalt> {
        match (work, job.live) {
            (StepAction::Create { leaving }, _) => {
                for live in leaving {
                    self.delete(job, live).await?;
                }
                self.create(job, object, None).await
            }
            (StepAction::Replace { old }, _) => self.create(job, object, Some(old)).await,
            (StepAction::Update { changed, roll }, Some(live)) => {
                let live = self.update(job, live.clone(), object, changed).await?;
                let live = self.settled(job, live).await?;
                if *roll { Ok(self.roll(job, live, object).await?) } else { Ok(live) }
            }
            // The run that made it may have ended before it could be used, and others are made once it can.
            (StepAction::Adopt, Some(live)) => self.ready(job, live).await,
            (_, Some(live)) => self.settled(job, live.clone()).await,
            (_, None) => Err(Failure::own(FailureClass::Gone, "update", "the object is not there").into()),
        }
    }

    /// Removes the object. A key that is replaced by itself, with other content, has no old object to remove.
    async fn remove(&self, job: &StepJob<'_>, live: &Live) -> Result<StepResult, StepHalt> {
        if job.made.as_ref() != Some(&live.id) {
            self.delete(job, live).await?;
        }
        Ok(StepResult::Gone { id: live.id.clone() })
    }

    async fn delete(&self, job: &StepJob<'_>, live: &Live) -> Result<(), StepHalt> {
        let note = |text| self.note(job, text);
        match self.retry(job, || self.provider.delete(live, &note)).await {
            Err(failure) if failure.class == FailureClass::Gone => return Ok(()),
            deleted => deleted?,
        }
        self.wait(self.retry(job, || self.provider.gone(live, &note))).await
    }

    /// Waits for the completion of a change. A stop ends the wait at once: waiting changes nothing, and the next run waits.
    async fn wait<T>(&self, waiting: impl Future<Output = Result<T, Failure>>) -> Result<T, StepHalt> {
        tokio::select! {
            biased;
            waited = waiting => Ok(waited?),
            () = self.options.stop.cancelled() => Err(StepHalt::Stopped),
        }
    }

    /// Updates attributes, if any are named.
    pub(super) async fn update(
        &self,
        job: &StepJob<'_>,
        live: Live,
        object: &Object,
        changed: &BTreeSet<String>,
    ) -> Result<Live, Failure> {
        if changed.is_empty() {
            return Ok(live);
        }
        self.retry(job, || self.provider.update(&live, object, changed)).await
    }

    /// Replaces the machines of the object, while no other object of its lane rolls.
    pub(super) async fn roll(&self, job: &StepJob<'_>, live: Live, object: &Object) -> Result<Live, Failure> {
        let lane = self.lanes.of(object);
        let _alone = match &lane {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        let note = |text| self.note(job, text);
        self.retry(job, || self.provider.roll(&live, object, &note)).await
    }

    /// Waits until the object can be used.
    pub(super) async fn ready(&self, job: &StepJob<'_>, live: &Live) -> Result<Live, StepHalt> {
        let note = |text| self.note(job, text);
        let live = self.wait(self.retry(job, || self.provider.ready(live, &note))).await?;
        if live.phase == ObjectPhase::Failed {
            let reason = format!("{} will not become usable", live.id);
            return Err(Failure::own(FailureClass::Fatal, "wait", reason).into());
        }
        Ok(live)
    }

    async fn settled(&self, job: &StepJob<'_>, live: Live) -> Result<Live, StepHalt> {
        if live.phase == ObjectPhase::Ready { Ok(live) } else { self.ready(job, &live).await }
    }

    /// Retries a call until it succeeds or the retry limit is reached.
    pub(super) async fn retry<'b, T>(
        &self,
        job: &StepJob<'_>,
        call: impl Fn() -> BoxFuture<'b, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut patience = self.retry_budget(job);
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.retry_or_fail(job, &mut patience, failure).await?,
            }
        }
    }

    pub(super) fn retry_budget(&self, job: &StepJob<'_>) -> RetryBudget<'_> {
        RetryBudget::new(&self.options.retry, &job.address.to_string(), job.fresh_until)
    }

    /// Waits before the next attempt, or returns the failure if there is none: the retry limit is reached, or the run is
    /// stopped and the wait is for others.
    pub(super) async fn retry_or_fail(
        &self,
        job: &StepJob<'_>,
        patience: &mut RetryBudget<'_>,
        failure: Failure,
    ) -> Result<(), Failure> {
        let Some(pause) = patience.pause(failure.class, Instant::now()) else { return Err(failure) };
        self.listener.on_event(&RunEvent::Retrying {
            address: job.address.clone(),
            failure: failure.clone(),
            attempt: pause.attempt,
            pause: pause.length,
        });
        let for_others =
            matches!(failure.class, FailureClass::Throttled | FailureClass::Unavailable | FailureClass::Held);
        tokio::select! {
            biased;
            () = self.options.stop.cancelled(), if for_others => Err(failure),
            () = tokio::time::sleep(pause.length) => Ok(()),
        }
    }

    fn note(&self, job: &StepJob<'_>, note: String) {
        self.listener.on_event(&RunEvent::Waiting { address: job.address.clone(), note });
    }
}
