//! Making an object exactly once, whatever the answers.

use std::collections::BTreeSet;

use super::token::token;
use super::worker::{Halt, Job, Worker};
use crate::engine::diff::{diff, keep_our_tags, replacing};
use crate::engine::{Action, Class, Effect, Failure, Kind, Live, Object, Phase};

/// How many tokens are tried when the cloud says that one was used for something else.
const GENERATIONS: u32 = 2;

/// How often it is looked for what a creation without an answer may have made.
const LOOKS: u32 = 5;

impl Worker<'_> {
    /// Makes the object, in place of `old` if there is one, and waits until it can be used.
    ///
    /// A creation that may have happened is never blindly sent again: what carries the address is looked up first.
    pub(super) async fn create(&self, job: &Job<'_>, object: &Object, old: Option<&Live>) -> Result<Live, Halt> {
        let mut patience = self.patience(job);
        let mut uncertain = false;
        let mut generation = 1;
        loop {
            let token = token(&self.options.token_seed, job.address, old.map(|old| old.id.as_str()), generation);
            let failure = match self.provider.create(object, &token).await {
                Ok(live) => return self.ready(job, &live).await,
                Err(failure) => failure,
            };
            let in_use = failure.class == Class::AlreadyExists;
            if !in_use {
                self.bear(job, &mut patience, failure.clone()).await?;
            }
            if let Some(found) = self.look_for(job, object, &failure).await? {
                return self.complete(job, object, found).await;
            }
            match (in_use, uncertain) {
                (false, _) => uncertain = true,
                // An earlier attempt may have made it: it is there, and not visible yet.
                (true, true) => {
                    let hidden = Failure { class: Class::NotYetConsistent, ..failure.clone() };
                    self.bear(job, &mut patience, hidden).await.map_err(|_| in_the_way(failure))?;
                }
                (true, false) if generation < GENERATIONS => generation += 1,
                (true, false) => return Err(in_the_way(failure).into()),
            }
        }
    }

    /// What a creation that failed may have made. After an answer that was lost, or an error of the service, it may
    /// exist and not be visible yet: not every kind takes a token that would make sending it again harmless.
    async fn look_for(&self, job: &Job<'_>, object: &Object, failure: &Failure) -> Result<Option<Live>, Failure> {
        let doubtful = matches!(failure.class, Class::UnknownOutcome | Class::Unavailable);
        let looks = if doubtful { LOOKS } else { 1 };
        for look in 1..=looks {
            if let Some(found) = self.find(job, object).await? {
                return Ok(Some(found));
            }
            if look < looks {
                tokio::time::sleep(self.options.retry.settle).await;
            }
        }
        Ok(None)
    }

    /// What carries the address and can become the object. One that is being replaced cannot.
    async fn find(&self, job: &Job<'_>, object: &Object) -> Result<Option<Live>, Failure> {
        let found = self.persist(job, || self.provider.find(job.address)).await?;
        let usable = found.into_iter().filter_map(|live| {
            let differing = self.kind(job).map(|kind| diff(kind, &object.attributes, &live.attributes, None));
            let differing = differing.unwrap_or_default();
            let usable = matches!(live.phase, Phase::Pending | Phase::Ready)
                && (live.proven || differing.is_empty())
                && replacing(&differing) == 0;
            usable.then_some((differing.len(), live))
        });
        // Of several, the one that is nearest to done: others may already refer to it.
        let best =
            usable.min_by_key(|(differing, live)| (*differing, live.created.is_none(), live.created, live.id.clone()));
        Ok(best.map(|(_, live)| live))
    }

    /// Goes on with an object that was found after a creation without a good answer: it may be half done.
    async fn complete(&self, job: &Job<'_>, object: &Object, mut found: Live) -> Result<Live, Halt> {
        let Some(kind) = self.kind(job) else { return self.ready(job, &found).await };
        keep_our_tags(kind, &object.attributes, None, &mut found.attributes);
        let changed = unfinished(kind, object, &found);
        let live = self.update(job, found, object, &changed).await?;
        let live = self.ready(job, &live).await?;
        let still = diff(kind, &object.attributes, &live.attributes, None);
        let rolls = still.iter().any(|change| change.action == Action::Roll);
        if rolls { Ok(self.roll(job, live, object).await?) } else { Ok(live) }
    }

    fn kind(&self, job: &Job<'_>) -> Option<&Kind> {
        self.vocabulary.kind(job.address.kind())
    }
}

/// The attributes to set once more: those that differ, and those of which nobody can tell.
fn unfinished(kind: &Kind, object: &Object, found: &Live) -> BTreeSet<String> {
    let differing = diff(kind, &object.attributes, &found.attributes, None).into_iter().map(|change| change.name);
    let unseen = object.attributes.keys().filter(|name| !kind.attribute(name).observed).cloned();
    differing.chain(unseen).filter(|name| kind.attribute(name).effect == Effect::Update).collect()
}

fn in_the_way(failure: Failure) -> Failure {
    let message = format!(
        "{}; nothing shows that this cluster made it: remove or rename what is there, then apply again",
        failure.message
    );
    Failure { message, ..failure }
}
