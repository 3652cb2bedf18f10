//! The state of a run so far: the objects that were created, and the next content of the record.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::worker::{StepJob, StepResult};
use crate::engine::planner::{ExecutablePlan, PlanStep, RemovalPart, StepAction};
use crate::engine::{Address, Failure, FailureClass, KindRegistry, Live, Object, RecordedObject, Reference};

/// The state of one run.
pub(super) struct RunState<'a> {
    prepared: &'a ExecutablePlan,
    before: &'a BTreeMap<Address, RecordedObject>,
    vocabulary: &'a dyn KindRegistry,
    recorded: BTreeMap<Address, RecordedObject>,
    made: BTreeMap<Address, Live>,
    fresh: Duration,
    fresh_until: BTreeMap<Address, Instant>,
}

impl<'a> RunState<'a> {
    pub(super) fn new(
        prepared: &'a ExecutablePlan,
        before: &'a BTreeMap<Address, RecordedObject>,
        vocabulary: &'a dyn KindRegistry,
        fresh: Duration,
    ) -> Self {
        let (made, fresh_until) = (BTreeMap::new(), BTreeMap::new());
        Self { prepared, before, vocabulary, recorded: before.clone(), made, fresh, fresh_until }
    }

    /// Returns a step with all of its inputs resolved.
    pub(super) fn job(&self, step: &'a PlanStep) -> Result<StepJob<'a>, Failure> {
        let object = match (&step.work, self.prepared.desired.get(&step.address)) {
            (StepAction::Delete { .. }, _) | (_, None) => None,
            (_, Some(object)) => Some(self.resolve(object)?),
        };
        Ok(StepJob {
            address: &step.address,
            work: &step.work,
            fresh_until: self.inherited(&step.address),
            object,
            live: self.prepared.live.get(&step.address),
            made: self.made.get(&step.address).map(|live| live.id.clone()),
        })
    }

    /// Records the result of a step, and returns the identifier of the object.
    pub(super) fn enter(&mut self, step: &PlanStep, done: StepResult, now: Instant) -> String {
        match done {
            StepResult::There { object, live } => {
                // What was only adopted is as old as it was.
                let adopted = matches!(step.work, StepAction::Adopt | StepAction::Wait);
                let until = if adopted { self.inherited(&step.address) } else { Some(now + self.fresh) };
                self.fresh_until.extend(until.map(|until| (step.address.clone(), until)));
                self.record(&step.address, *object, &live);
                let id = live.id.clone();
                self.made.insert(step.address.clone(), *live);
                id
            }
            StepResult::Gone { id } => {
                if matches!(step.work, StepAction::Delete { part: RemovalPart::Whole, .. }) {
                    self.recorded.remove(&step.address);
                }
                id
            }
        }
    }

    /// Returns the objects for the record, including those that needed no change.
    pub(super) fn close(mut self) -> BTreeMap<Address, RecordedObject> {
        let subset = &self.prepared.subset;
        for address in &subset.unchanged {
            let prepared = self.prepared;
            let (Some(object), Some(live)) = (prepared.desired.get(address), prepared.live.get(address)) else {
                continue;
            };
            // One that cannot be resolved needs something that failed: what was recorded stays.
            if let Ok(object) = self.resolve(object) {
                self.record(address, object, live);
            }
        }
        for address in subset.stale.iter().chain(&subset.borrowed) {
            self.recorded.remove(address);
        }
        self.recorded
    }

    fn resolve(&self, object: &Object) -> Result<Object, Failure> {
        let resolved = object.resolve(&|reference| self.look_up(reference));
        match resolved.references().first() {
            None => Ok(resolved),
            Some(reference) => {
                let message = format!("{reference} is not known: the object has no such output");
                Err(Failure::own(FailureClass::Invalid, "resolve", message))
            }
        }
    }

    /// Returns the current value of a reference: from this run's changes, from the live objects, or from the record of an
    /// earlier part of a split plan.
    fn look_up(&self, reference: &Reference) -> Option<String> {
        let Reference { address, output } = reference;
        let there = || self.prepared.live.get(address).map(|live| &live.outputs);
        let remembered = || self.before.get(address).map(|recorded| &recorded.outputs);
        let outputs = match self.made.get(address) {
            Some(made) => Some(&made.outputs),
            None if self.prepared.desired.contains_key(address) => there(),
            None => remembered().or_else(there),
        };
        outputs?.get(output).cloned()
    }

    /// Returns the time until which a dependency of the object counts as just created.
    fn inherited(&self, address: &Address) -> Option<Instant> {
        self.needs(address).iter().filter_map(|need| self.fresh_until.get(need)).max().copied()
    }

    fn needs(&self, address: &Address) -> BTreeSet<Address> {
        self.prepared.desired.get(address).map(Object::needs).unwrap_or_default()
    }

    fn record(&mut self, address: &Address, resolved: Object, live: &Live) {
        let kind = self.vocabulary.kind(address.kind());
        let may = |name: &str| kind.is_none_or(|kind| kind.attribute(name).recorded);
        let recorded = RecordedObject {
            id: live.id.clone(),
            attributes: resolved.attributes.into_iter().filter(|(name, _)| may(name)).collect(),
            outputs: live.outputs.clone(),
            needs: self.needs(address),
        };
        self.recorded.insert(address.clone(), recorded);
    }
}
