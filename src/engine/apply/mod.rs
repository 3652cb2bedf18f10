//! Applies a plan: a ready queue over the graph, with bounded concurrency.

mod create;
mod run_state;
mod token;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::planner::{ExecutablePlan, PlanStep, RemovalPart, StepAction};
use super::schedule::StepSchedule;
use super::{
    Address, BoxFuture, EventListener, Failure, FailureClass, KindRegistry, Provider, RecordedObject, RetryPolicy,
    RunEvent,
};
use run_state::RunState;
use worker::{SerialGroups, StepHalt, StepResult, StepWorker};

/// Options of an apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// Maximum number of changes at a time.
    pub concurrency: usize,
    /// Seed of the tokens of this run: the record's lineage and serial.
    pub token_seed: String,
    /// The retry policy of the run.
    pub retry: RetryPolicy,
    /// Stops the run: nothing new is started, changes in flight finish, and waits for machines, pods and removals end.
    pub stop: CancellationToken,
    /// Also stops the wait for changes in flight.
    pub abandon: CancellationToken,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            concurrency: 16,
            token_seed: String::new(),
            retry: RetryPolicy::default(),
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
        }
    }
}

/// The result of an apply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The objects whose changes are done, in the order of completion.
    pub done: Vec<Address>,
    /// The objects whose changes failed, with the failures.
    pub failed: Vec<(Address, Failure)>,
    /// The objects whose changes were made, and whose completion was not waited for, because the run was stopped. The record
    /// has their earlier state, so the next run waits for them.
    pub unfinished: Vec<Address>,
    /// The objects whose changes are left to a later run, because this one does not wait for what they need, and the changes
    /// that depend on them.
    pub deferred: Vec<Address>,
    /// The reason of the first deferred change.
    pub deferred_because: Option<String>,
    /// The objects whose changes were not tried, because a dependency failed or the run was stopped.
    pub skipped: Vec<Address>,
    /// `true` if the run was stopped before everything was tried.
    pub interrupted: bool,
    /// `true` if the run has changed something, or may have: a failed change can be half done.
    pub changed: bool,
    /// The objects for the record.
    pub recorded: BTreeMap<Address, RecordedObject>,
}

impl Outcome {
    /// Returns `true` if everything was tried, and nothing failed or was deferred.
    pub fn is_through(&self) -> bool {
        self.failed.is_empty() && self.deferred.is_empty() && !self.interrupted
    }

    /// Adds the result of a plan that was applied next, from the record as it was then.
    pub fn absorb(&mut self, next: Self) {
        self.done.extend(next.done);
        self.failed.extend(next.failed);
        self.unfinished.extend(next.unfinished);
        self.deferred.extend(next.deferred);
        self.deferred_because = self.deferred_because.take().or(next.deferred_because);
        self.skipped.extend(next.skipped);
        self.interrupted |= next.interrupted;
        self.changed |= next.changed;
        self.recorded = next.recorded;
    }
}

/// Applies a plan. A plan with a refusal is not started.
///
/// A failure stops only the changes that depend on it; all others continue.
pub async fn apply(
    provider: &dyn Provider,
    vocabulary: &dyn KindRegistry,
    prepared: &ExecutablePlan,
    recorded: &BTreeMap<Address, RecordedObject>,
    options: &ApplyOptions,
    listener: &dyn EventListener,
) -> Outcome {
    let worker = StepWorker { provider, vocabulary, options, listener, lanes: SerialGroups::default() };
    let mut run = PlanExecution {
        worker: &worker,
        prepared,
        schedule: schedule(prepared, options.concurrency),
        run_state: RunState::new(prepared, recorded, vocabulary, options.retry.fresh),
        outcome: Outcome::default(),
        skipped: BTreeSet::new(),
    };
    if run.refuse() {
        run.outcome.recorded.clone_from(recorded);
        return run.outcome;
    }
    let changes = provider.changes();
    run.carry_out().await;
    run.outcome.changed = provider.changes() > changes;
    run.close()
}

fn schedule(prepared: &ExecutablePlan, concurrency: usize) -> StepSchedule {
    let tasks = prepared.steps().iter().map(|step| step.task.clone()).collect();
    StepSchedule::new(prepared.graph().clone(), tasks, concurrency)
}

struct PlanExecution<'a> {
    worker: &'a StepWorker<'a>,
    prepared: &'a ExecutablePlan,
    schedule: StepSchedule,
    run_state: RunState<'a>,
    outcome: Outcome,
    skipped: BTreeSet<Address>,
}

type InFlight<'a> = BoxFuture<'a, (usize, Result<StepResult, StepHalt>)>;

impl<'a> PlanExecution<'a> {
    fn refuse(&mut self) -> bool {
        let refused = self.prepared.plan.refusals().map(|change| {
            let reason = "the plan contains a change that is not possible, so nothing of it was done";
            (change.address.clone(), Failure::own(FailureClass::Invalid, "refuse", reason))
        });
        self.outcome.failed.extend(refused);
        !self.outcome.failed.is_empty()
    }

    async fn carry_out(&mut self) {
        let options = self.worker.options;
        let mut flights: FuturesUnordered<InFlight<'a>> = FuturesUnordered::new();
        loop {
            while !options.stop.is_cancelled() && !options.abandon.is_cancelled() {
                let Some(step) = self.schedule.start() else { break };
                flights.push(self.launch(step));
            }
            tokio::select! {
                biased;
                () = options.abandon.cancelled() => return,
                landed = flights.next() => match landed {
                    Some((step, Ok(done))) => self.finish(step, done),
                    Some((step, Err(StepHalt::Failed(failure)))) => self.fail(step, failure),
                    Some((step, Err(StepHalt::Stopped))) => self.leave(step),
                    None => return,
                },
            }
        }
    }

    fn launch(&self, number: usize) -> InFlight<'a> {
        let step = self.step(number);
        self.worker.listener.on_event(&RunEvent::Started { address: step.address.clone(), action: step.action() });
        let job = self.run_state.job(step);
        let worker = self.worker;
        Box::pin(async move {
            let done = match job {
                Ok(job) => worker.carry_out(job).await,
                Err(failure) => Err(failure.into()),
            };
            (number, done)
        })
    }

    fn finish(&mut self, number: usize, done: StepResult) {
        let step = self.step(number);
        let id = self.run_state.enter(step, done, Instant::now());
        // A replacement is done when the old one is gone, which is a step of its own.
        if !matches!(step.work, StepAction::Replace { .. }) {
            self.outcome.done.push(step.address.clone());
        }
        self.worker.listener.on_event(&RunEvent::Finished { address: step.address.clone(), action: step.action(), id });
        self.schedule.finish(number);
    }

    fn fail(&mut self, number: usize, failure: Failure) {
        if failure.class == FailureClass::Deferred {
            self.outcome.deferred_because.get_or_insert(failure.message);
            self.defer(number);
            for skipped in self.schedule.fail(number) {
                self.defer(skipped.step);
            }
            return;
        }
        let step = self.step(number);
        self.fail_without_consequences(step, failure);
        for skipped in self.schedule.fail(number) {
            let because = self.step(skipped.because).address.clone();
            self.skip(skipped.step, Some(because));
        }
    }

    /// Leaves a change to a later run. A change of several steps is deferred once.
    fn defer(&mut self, number: usize) {
        let step = self.step(number);
        if !step.task.instant && !self.outcome.deferred.contains(&step.address) {
            self.outcome.deferred.push(step.address.clone());
            self.worker.listener.on_event(&RunEvent::Deferred { address: step.address.clone() });
        }
    }

    /// Stops waiting for a step: its object is not usable yet. Its dependents are left, like all steps that were not started.
    fn leave(&mut self, number: usize) {
        let step = self.step(number);
        self.schedule.leave(number);
        self.outcome.unfinished.push(step.address.clone());
        self.worker.listener.on_event(&RunEvent::Unfinished { address: step.address.clone(), action: step.action() });
    }

    fn fail_without_consequences(&mut self, step: &PlanStep, failure: Failure) {
        let event = RunEvent::Failed { address: step.address.clone(), action: step.action(), failure: failure.clone() };
        self.worker.listener.on_event(&event);
        self.outcome.failed.push((step.address.clone(), failure));
    }

    /// Skips a step. The end of a replacement that has failed before is not reported as skipped again.
    fn skip(&mut self, number: usize, because: Option<Address>) {
        let step = self.step(number);
        let failed = self.outcome.failed.iter().any(|(address, _)| *address == step.address);
        let is_reported = failed || self.outcome.unfinished.contains(&step.address);
        let is_repeated = is_reported && matches!(step.work, StepAction::Delete { part: RemovalPart::Replacement, .. });
        if step.task.instant || is_repeated || !self.skipped.insert(step.address.clone()) {
            return;
        }
        self.outcome.skipped.push(step.address.clone());
        self.worker.listener.on_event(&RunEvent::Skipped { address: step.address.clone(), because });
    }

    fn close(mut self) -> Outcome {
        let abandoned: Vec<usize> = self.schedule.in_flight().collect();
        let left: Vec<usize> = self.schedule.left().filter(|&number| !self.step(number).task.instant).collect();
        self.outcome.interrupted = !(abandoned.is_empty() && left.is_empty() && self.outcome.unfinished.is_empty());
        for number in abandoned {
            let reason = "cancelled before the response: the next run checks the result";
            let step = self.step(number);
            self.fail_without_consequences(step, Failure::own(FailureClass::UnknownOutcome, "abandon", reason));
        }
        for number in left {
            self.skip(number, None);
        }
        self.outcome.recorded = self.run_state.close();
        self.outcome
    }

    fn step(&self, number: usize) -> &'a PlanStep {
        &self.prepared.steps()[number]
    }
}
