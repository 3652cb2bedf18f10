//! Creating an object exactly once, whatever the cloud answers.

use std::collections::BTreeSet;

use super::token::token;
use super::worker::{StepHalt, StepJob, StepWorker};
use crate::engine::diff::{diff, keep_our_tags, replacing};
use crate::engine::{Action, ChangeEffect, Failure, FailureClass, Kind, Live, Object, ObjectPhase, PollLoop};

/// Number of tokens that are tried if the cloud reports that one was used for something else.
const GENERATIONS: u32 = 2;

/// Number of lookups for an object that a creation without an answer may have made.
const LOOKUPS: u32 = 5;

impl StepWorker<'_> {
    /// Creates the object, in place of `old` if there is one, and waits until it can be used.
    ///
    /// A creation that may have succeeded is never sent again without a check: the address is looked up first.
    pub(super) async fn create(
        &self,
        job: &StepJob<'_>,
        object: &Object,
        old: Option<&Live>,
    ) -> Result<Live, StepHalt> {
        let mut patience = self.retry_budget(job);
        let mut uncertain = false;
        let mut generation = 1;
        loop {
            let token = token(&self.options.token_seed, job.address, old.map(|old| old.id.as_str()), generation);
            let failure = match self.provider.create(object, &token).await {
                Ok(live) => return self.ready(job, &live).await,
                Err(failure) => failure,
            };
            let in_use = failure.class == FailureClass::AlreadyExists;
            if !in_use {
                self.retry_or_fail(job, &mut patience, failure.clone()).await?;
            }
            if let Some(found) = self.look_up(job, object, &failure).await? {
                return self.complete(job, object, found).await;
            }
            match (in_use, uncertain) {
                (false, _) => uncertain = true,
                // An earlier attempt may have made it: it is there, and not visible yet.
                (true, true) => {
                    let hidden = Failure { class: FailureClass::NotYetConsistent, ..failure.clone() };
                    self.retry_or_fail(job, &mut patience, hidden).await.map_err(|_| conflict(failure))?;
                }
                (true, false) if generation < GENERATIONS => generation += 1,
                (true, false) => return Err(conflict(failure).into()),
            }
        }
    }

    /// Looks up the object that a failed creation may have made. After a lost answer, or an error of the service, it may exist
    /// without being visible yet: not every kind takes a token that makes a retry safe.
    async fn look_up(&self, job: &StepJob<'_>, object: &Object, failure: &Failure) -> Result<Option<Live>, Failure> {
        let doubtful = matches!(failure.class, FailureClass::UnknownOutcome | FailureClass::Unavailable);
        let mut poll = PollLoop::every(self.options.retry.settle).at_most(if doubtful { LOOKUPS } else { 1 });
        loop {
            if let Some(found) = self.find(job, object).await? {
                return Ok(Some(found));
            }
            if !poll.again().await {
                return Ok(None);
            }
        }
    }

    /// Finds the object that carries the address and can become the wanted one. One that is being replaced cannot.
    async fn find(&self, job: &StepJob<'_>, object: &Object) -> Result<Option<Live>, Failure> {
        let found = self.retry(job, || self.provider.find(job.address)).await?;
        let usable = found.into_iter().filter_map(|live| {
            let differing = self.kind(job).map(|kind| diff(kind, &object.attributes, &live.attributes, None));
            let differing = differing.unwrap_or_default();
            let usable = matches!(live.phase, ObjectPhase::Pending | ObjectPhase::Ready)
                && (live.proven || differing.is_empty())
                && replacing(&differing) == 0;
            usable.then_some((differing.len(), live))
        });
        // Of several, the one that is nearest to done: others may already refer to it.
        let best =
            usable.min_by_key(|(differing, live)| (*differing, live.created.is_none(), live.created, live.id.clone()));
        Ok(best.map(|(_, live)| live))
    }

    /// Completes an object that was found after a creation without a clear answer: it may be half done.
    async fn complete(&self, job: &StepJob<'_>, object: &Object, mut found: Live) -> Result<Live, StepHalt> {
        let Some(kind) = self.kind(job) else { return self.ready(job, &found).await };
        keep_our_tags(kind, &object.attributes, None, &mut found.attributes);
        let changed = unfinished(kind, object, &found);
        let live = self.update(job, found, object, &changed).await?;
        let live = self.ready(job, &live).await?;
        let still = diff(kind, &object.attributes, &live.attributes, None);
        let rolls = still.iter().any(|change| change.action == Action::Roll);
        if rolls { Ok(self.roll(job, live, object).await?) } else { Ok(live) }
    }

    fn kind(&self, job: &StepJob<'_>) -> Option<&Kind> {
        self.vocabulary.kind(job.address.kind())
    }
}

/// Returns the attributes to set again: those that differ, and those that the cloud does not return.
fn unfinished(kind: &Kind, object: &Object, found: &Live) -> BTreeSet<String> {
    let differing = diff(kind, &object.attributes, &found.attributes, None).into_iter().map(|change| change.name);
    let unobserved = object.attributes.keys().filter(|name| !kind.attribute(name).is_observed()).cloned();
    differing.chain(unobserved).filter(|name| kind.attribute(name).effect == ChangeEffect::Update).collect()
}

fn conflict(failure: Failure) -> Failure {
    let message = format!(
        "{}; nothing shows that this cluster made it: remove or rename what is there, then apply again",
        failure.message
    );
    Failure { message, ..failure }
}
