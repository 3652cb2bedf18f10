//! What is true so far: what was made, and what the record should say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::worker::{Done, Job};
use crate::engine::planner::{Part, Prepared, Step, Work};
use crate::engine::{Address, Class, Failure, Live, Object, Recorded, Reference, Vocabulary};

/// The books of one run.
pub(super) struct Ledger<'a> {
    prepared: &'a Prepared,
    before: &'a BTreeMap<Address, Recorded>,
    vocabulary: &'a dyn Vocabulary,
    recorded: BTreeMap<Address, Recorded>,
    made: BTreeMap<Address, Live>,
    fresh: Duration,
    fresh_until: BTreeMap<Address, Instant>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        prepared: &'a Prepared,
        before: &'a BTreeMap<Address, Recorded>,
        vocabulary: &'a dyn Vocabulary,
        fresh: Duration,
    ) -> Self {
        let (made, fresh_until) = (BTreeMap::new(), BTreeMap::new());
        Self { prepared, before, vocabulary, recorded: before.clone(), made, fresh, fresh_until }
    }

    /// A step with everything that it needs filled in.
    pub(super) fn job(&self, step: &'a Step) -> Result<Job<'a>, Failure> {
        let object = match (&step.work, self.prepared.desired.get(&step.address)) {
            (Work::Delete { .. }, _) | (_, None) => None,
            (_, Some(object)) => Some(self.resolve(object)?),
        };
        Ok(Job {
            address: &step.address,
            work: &step.work,
            fresh_until: self.inherited(&step.address),
            object,
            live: self.prepared.live.get(&step.address),
            made: self.made.get(&step.address).map(|live| live.id.clone()),
        })
    }

    /// Enters what a step has done, and returns the identifier of what it was done to.
    pub(super) fn enter(&mut self, step: &Step, done: Done, now: Instant) -> String {
        match done {
            Done::There { object, live } => {
                // What was only adopted is as old as it was.
                let adopted = matches!(step.work, Work::Adopt | Work::Wait);
                let until = if adopted { self.inherited(&step.address) } else { Some(now + self.fresh) };
                self.fresh_until.extend(until.map(|until| (step.address.clone(), until)));
                self.record(&step.address, *object, &live);
                let id = live.id.clone();
                self.made.insert(step.address.clone(), *live);
                id
            }
            Done::Gone { id } => {
                if matches!(step.work, Work::Delete { part: Part::Whole, .. }) {
                    self.recorded.remove(&step.address);
                }
                id
            }
        }
    }

    /// What the record should say, with what was right all along.
    pub(super) fn close(mut self) -> BTreeMap<Address, Recorded> {
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
                let message = format!("{reference} is not known: the object does not tell it");
                Err(Failure::own(Class::Invalid, "resolve", message))
            }
        }
    }

    /// What a reference stands for now: in this run's own work, in what was there before, in what an earlier part of
    /// a split plan recorded.
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

    /// Until when something that the object needs counts as made a moment ago.
    fn inherited(&self, address: &Address) -> Option<Instant> {
        self.needs(address).iter().filter_map(|need| self.fresh_until.get(need)).max().copied()
    }

    fn needs(&self, address: &Address) -> BTreeSet<Address> {
        self.prepared.desired.get(address).map(Object::needs).unwrap_or_default()
    }

    fn record(&mut self, address: &Address, resolved: Object, live: &Live) {
        let kind = self.vocabulary.kind(address.kind());
        let may = |name: &str| kind.is_none_or(|kind| kind.attribute(name).recorded);
        let recorded = Recorded {
            id: live.id.clone(),
            attributes: resolved.attributes.into_iter().filter(|(name, _)| may(name)).collect(),
            outputs: live.outputs.clone(),
            needs: self.needs(address),
        };
        self.recorded.insert(address.clone(), recorded);
    }
}
