//! Carries out one step, as often as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::ApplyOptions;
use crate::engine::planner::Work;
use crate::engine::retry::Patience;
use crate::engine::{Address, BoxFuture, Class, Event, Failure, Listener, Live, Object, Phase, Provider, Vocabulary};

/// What every step is carried out with.
pub(super) struct Worker<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) vocabulary: &'a dyn Vocabulary,
    pub(super) options: &'a ApplyOptions,
    pub(super) listener: &'a dyn Listener,
    /// Who rolls in a lane holds it.
    pub(super) lanes: Lanes,
}

/// The lanes in which something rolls. The schedule keeps rolls that were planned apart; this also those that nobody
/// planned, of objects that a creation without an answer has left half done.
#[derive(Default)]
pub(super) struct Lanes(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Lanes {
    fn of(&self, object: &Object) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let lane = object.lane.clone()?;
        Some(Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(lane).or_default()))
    }
}

/// A step with everything that it needs.
pub(super) struct Job<'a> {
    pub(super) address: &'a Address,
    pub(super) work: &'a Work,
    /// The object as it should be, all known; absent for a removal.
    pub(super) object: Option<Object>,
    /// The object as it was when the plan was made.
    pub(super) live: Option<&'a Live>,
    /// The identifier of what this run made under the same address.
    pub(super) made: Option<String>,
    /// Until when something that it needs counts as made a moment ago.
    pub(super) fresh_until: Option<Instant>,
}

/// Why a step does not get to its end.
pub(super) enum Halt {
    /// The cloud said no.
    Failed(Failure),
    /// Its change was made, and the run was stopped while it waited for the end of it.
    Stopped,
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What a step has done.
pub(super) enum Done {
    /// The object is there, as it should be.
    There { object: Box<Object>, live: Box<Live> },
    /// It is gone.
    Gone { id: String },
}

impl Worker<'_> {
    pub(super) async fn carry_out(&self, mut job: Job<'_>) -> Result<Done, Halt> {
        match (job.work, job.object.take()) {
            (Work::Delete { live, .. }, _) => self.remove(&job, live).await,
            (_, None) => Ok(Done::Gone { id: String::new() }),
            (work, Some(object)) => {
                let live = self.bring_about(&job, work, &object).await?;
                Ok(Done::There { object: Box::new(object), live: Box::new(live) })
            }
        }
    }

    async fn bring_about(&self, job: &Job<'_>, work: &Work, object: &Object) -> Result<Live, Halt> {
        match (work, job.live) {
            (Work::Create { leaving }, _) => {
                for live in leaving {
                    self.delete(job, live).await?;
                }
                self.create(job, object, None).await
            }
            (Work::Replace { old }, _) => self.create(job, object, Some(old)).await,
            (Work::Update { changed, roll }, Some(live)) => {
                let live = self.update(job, live.clone(), object, changed).await?;
                let live = self.settled(job, live).await?;
                if *roll { Ok(self.roll(job, live, object).await?) } else { Ok(live) }
            }
            // The run that made it may have ended before it could be used, and others are made once it can.
            (Work::Adopt, Some(live)) => self.ready(job, live).await,
            (_, Some(live)) => self.settled(job, live.clone()).await,
            (_, None) => Err(Failure::own(Class::Gone, "update", "the object is not there").into()),
        }
    }

    /// A key that is replaced by itself, under another content, has no old object to remove.
    async fn remove(&self, job: &Job<'_>, live: &Live) -> Result<Done, Halt> {
        if job.made.as_ref() != Some(&live.id) {
            self.delete(job, live).await?;
        }
        Ok(Done::Gone { id: live.id.clone() })
    }

    async fn delete(&self, job: &Job<'_>, live: &Live) -> Result<(), Halt> {
        let note = |text| self.note(job, text);
        match self.persist(job, || self.provider.delete(live, &note)).await {
            Err(failure) if failure.class == Class::Gone => return Ok(()),
            deleted => deleted?,
        }
        self.wait(self.persist(job, || self.provider.gone(live, &note))).await
    }

    /// Waits for the end of what was begun. A stop ends this at once: waiting changes nothing, and the next run waits on.
    async fn wait<T>(&self, waiting: impl Future<Output = Result<T, Failure>>) -> Result<T, Halt> {
        tokio::select! {
            biased;
            waited = waiting => Ok(waited?),
            () = self.options.stop.cancelled() => Err(Halt::Stopped),
        }
    }

    /// Changes attributes, if any are named.
    pub(super) async fn update(
        &self,
        job: &Job<'_>,
        live: Live,
        object: &Object,
        changed: &BTreeSet<String>,
    ) -> Result<Live, Failure> {
        if changed.is_empty() {
            return Ok(live);
        }
        self.persist(job, || self.provider.update(&live, object, changed)).await
    }

    /// Replaces what the object is made of, while nothing else of its lane does.
    pub(super) async fn roll(&self, job: &Job<'_>, live: Live, object: &Object) -> Result<Live, Failure> {
        let lane = self.lanes.of(object);
        let _alone = match &lane {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        let note = |text| self.note(job, text);
        self.persist(job, || self.provider.roll(&live, object, &note)).await
    }

    /// Waits until the object can be used.
    pub(super) async fn ready(&self, job: &Job<'_>, live: &Live) -> Result<Live, Halt> {
        let note = |text| self.note(job, text);
        let live = self.wait(self.persist(job, || self.provider.ready(live, &note))).await?;
        if live.phase == Phase::Failed {
            let reason = format!("{} will not become usable", live.id);
            return Err(Failure::own(Class::Fatal, "wait", reason).into());
        }
        Ok(live)
    }

    async fn settled(&self, job: &Job<'_>, live: Live) -> Result<Live, Halt> {
        if live.phase == Phase::Ready { Ok(live) } else { self.ready(job, &live).await }
    }

    /// Makes a call until it succeeds or patience ends.
    pub(super) async fn persist<'b, T>(
        &self,
        job: &Job<'_>,
        call: impl Fn() -> BoxFuture<'b, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut patience = self.patience(job);
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.bear(job, &mut patience, failure).await?,
            }
        }
    }

    pub(super) fn patience(&self, job: &Job<'_>) -> Patience<'_> {
        Patience::new(&self.options.retry, &job.address.to_string(), job.fresh_until)
    }

    /// Waits before the next attempt, or gives the failure back if there should be none: patience has ended, or the run is
    /// stopped and the wait is for others.
    pub(super) async fn bear(
        &self,
        job: &Job<'_>,
        patience: &mut Patience<'_>,
        failure: Failure,
    ) -> Result<(), Failure> {
        let Some(pause) = patience.pause(failure.class, Instant::now()) else { return Err(failure) };
        let (address, told) = (job.address.clone(), failure.clone());
        self.listener.hear(&Event::Retrying { address, failure: told, attempt: pause.attempt, pause: pause.length });
        let for_others = matches!(failure.class, Class::Throttled | Class::Unavailable | Class::Held);
        tokio::select! {
            biased;
            () = self.options.stop.cancelled(), if for_others => Err(failure),
            () = tokio::time::sleep(pause.length) => Ok(()),
        }
    }

    fn note(&self, job: &Job<'_>, note: String) {
        self.listener.hear(&Event::Waiting { address: job.address.clone(), note });
    }
}
