//! Carries a plan out: a ready queue over the graph, with bounded concurrency.

mod create;
mod ledger;
mod token;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::planner::{Part, Prepared, Step, Work};
use super::schedule::Schedule;
use super::{Action, Address, BoxFuture, Class, Event, Failure, Listener, Provider, Recorded, RetryPolicy, Vocabulary};
use ledger::Ledger;
use worker::{Done, Halt, Lanes, Worker};

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How many changes are made at a time.
    pub concurrency: usize,
    /// What makes the tokens of this run its own: the record's lineage and serial.
    pub token_seed: String,
    /// How patient the run is.
    pub retry: RetryPolicy,
    /// Start nothing new, let changes in flight finish, and end waits: for machines, pods and removals.
    pub stop: CancellationToken,
    /// Stop waiting for changes in flight, too.
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

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The objects whose changes are done, in the order in which they were.
    pub done: Vec<Address>,
    /// The objects whose changes failed, and how.
    pub failed: Vec<(Address, Failure)>,
    /// The objects whose changes were made, and whose end the run did not wait for, because it was stopped. The record has
    /// them as they were, so the next run waits for them.
    pub unfinished: Vec<Address>,
    /// The objects whose changes were not tried, because one that they need failed or the run was stopped.
    pub skipped: Vec<Address>,
    /// Whether the run was stopped before everything was tried.
    pub interrupted: bool,
    /// What the record should now say of the objects.
    pub recorded: BTreeMap<Address, Recorded>,
}

impl Outcome {
    /// Whether everything was tried, and nothing failed.
    pub fn is_through(&self) -> bool {
        self.failed.is_empty() && !self.interrupted
    }

    /// Adds what became of a plan that was carried out next, from what was recorded by then.
    pub fn absorb(&mut self, next: Self) {
        self.done.extend(next.done);
        self.failed.extend(next.failed);
        self.unfinished.extend(next.unfinished);
        self.skipped.extend(next.skipped);
        self.interrupted |= next.interrupted;
        self.recorded = next.recorded;
    }
}

/// Carries a plan out. One that holds a refusal is not begun.
///
/// A failure ends only what needs it; everything else goes on.
pub async fn apply(
    provider: &dyn Provider,
    vocabulary: &dyn Vocabulary,
    prepared: &Prepared,
    recorded: &BTreeMap<Address, Recorded>,
    options: &ApplyOptions,
    listener: &dyn Listener,
) -> Outcome {
    let worker = Worker { provider, vocabulary, options, listener, lanes: Lanes::default() };
    let mut run = Run {
        worker: &worker,
        prepared,
        schedule: schedule(prepared, options.concurrency),
        ledger: Ledger::new(prepared, recorded, vocabulary, options.retry.fresh),
        outcome: Outcome::default(),
        skipped: BTreeSet::new(),
    };
    if run.refuse() {
        run.outcome.recorded.clone_from(recorded);
        return run.outcome;
    }
    run.carry_out().await;
    run.close()
}

fn schedule(prepared: &Prepared, concurrency: usize) -> Schedule {
    let tasks = prepared.steps().iter().map(|step| step.task.clone()).collect();
    Schedule::new(prepared.graph().clone(), tasks, concurrency)
}

struct Run<'a> {
    worker: &'a Worker<'a>,
    prepared: &'a Prepared,
    schedule: Schedule,
    ledger: Ledger<'a>,
    outcome: Outcome,
    skipped: BTreeSet<Address>,
}

type Flight<'a> = BoxFuture<'a, (usize, Result<Done, Halt>)>;

impl<'a> Run<'a> {
    fn refuse(&mut self) -> bool {
        let refused = self.prepared.plan.refusals().map(|change| {
            let reason = "the plan says that this cannot be done, so none of it is";
            (change.address.clone(), Failure::own(Class::Invalid, "refuse", reason))
        });
        self.outcome.failed.extend(refused);
        !self.outcome.failed.is_empty()
    }

    async fn carry_out(&mut self) {
        let options = self.worker.options;
        let mut flights: FuturesUnordered<Flight<'a>> = FuturesUnordered::new();
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
                    Some((step, Err(Halt::Failed(failure)))) => self.fail(step, failure),
                    Some((step, Err(Halt::Stopped))) => self.leave(step),
                    None => return,
                },
            }
        }
    }

    fn launch(&self, number: usize) -> Flight<'a> {
        let step = self.step(number);
        self.worker.listener.hear(&Event::Started { address: step.address.clone(), action: action(step) });
        let job = self.ledger.job(step);
        let worker = self.worker;
        Box::pin(async move {
            let done = match job {
                Ok(job) => worker.carry_out(job).await,
                Err(failure) => Err(failure.into()),
            };
            (number, done)
        })
    }

    fn finish(&mut self, number: usize, done: Done) {
        let step = self.step(number);
        let id = self.ledger.enter(step, done, Instant::now());
        // A replacement is done when the old one is gone, which is a step of its own.
        if !matches!(step.work, Work::Replace { .. }) {
            self.outcome.done.push(step.address.clone());
        }
        self.worker.listener.hear(&Event::Finished { address: step.address.clone(), action: action(step), id });
        self.schedule.finish(number);
    }

    fn fail(&mut self, number: usize, failure: Failure) {
        let step = self.step(number);
        self.fail_without_consequences(step, failure);
        for skipped in self.schedule.fail(number) {
            let because = self.step(skipped.because).address.clone();
            self.skip(skipped.step, Some(because));
        }
    }

    /// What needs an object that is not usable yet is left, as everything is that was not started.
    fn leave(&mut self, number: usize) {
        let step = self.step(number);
        self.schedule.leave(number);
        self.outcome.unfinished.push(step.address.clone());
        self.worker.listener.hear(&Event::Unfinished { address: step.address.clone(), action: action(step) });
    }

    fn fail_without_consequences(&mut self, step: &Step, failure: Failure) {
        let event = Event::Failed { address: step.address.clone(), action: action(step), failure: failure.clone() };
        self.worker.listener.hear(&event);
        self.outcome.failed.push((step.address.clone(), failure));
    }

    /// The end of a replacement whose beginning did not get through is not skipped once more.
    fn skip(&mut self, number: usize, because: Option<Address>) {
        let step = self.step(number);
        let failed = self.outcome.failed.iter().any(|(address, _)| *address == step.address);
        let told = failed || self.outcome.unfinished.contains(&step.address);
        let again = told && matches!(step.work, Work::Delete { part: Part::Replacement, .. });
        if step.task.instant || again || !self.skipped.insert(step.address.clone()) {
            return;
        }
        self.outcome.skipped.push(step.address.clone());
        self.worker.listener.hear(&Event::Skipped { address: step.address.clone(), because });
    }

    fn close(mut self) -> Outcome {
        let abandoned: Vec<usize> = self.schedule.in_flight().collect();
        let left: Vec<usize> = self.schedule.left().filter(|&number| !self.step(number).task.instant).collect();
        self.outcome.interrupted = !(abandoned.is_empty() && left.is_empty() && self.outcome.unfinished.is_empty());
        for number in abandoned {
            let reason = "nobody waited for the answer: the next run will see what became of it";
            let step = self.step(number);
            self.fail_without_consequences(step, Failure::own(Class::UnknownOutcome, "abandon", reason));
        }
        for number in left {
            self.skip(number, None);
        }
        self.outcome.recorded = self.ledger.close();
        self.outcome
    }

    fn step(&self, number: usize) -> &'a Step {
        &self.prepared.steps()[number]
    }
}

/// What listeners are told that a step does.
fn action(step: &Step) -> Action {
    match step.work {
        Work::Create { .. } => Action::Create,
        Work::Update { roll: false, .. } => Action::Update,
        Work::Update { roll: true, .. } => Action::Roll,
        Work::Replace { .. } => Action::Replace,
        Work::Adopt | Work::Meet => Action::Adopt,
        Work::Wait => Action::Wait,
        Work::Delete { .. } => Action::Delete,
    }
}
