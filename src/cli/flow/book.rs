//! Writing down what was done.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::blueprint::Pins;
use crate::cli::error::CliError;
use crate::engine::{Address, Outcome};
use crate::resource::Facts;
use crate::spec::Cluster;
use crate::state::{Journal, Operation, Record, StateError};

use super::Flow;

/// The record of a run, and where it is written.
pub(super) struct Book {
    pub(super) record: Record,
    pub(super) journal: Journal,
}

/// What a run settled for the next ones, as it is recorded.
pub(super) struct Settled {
    /// While the run works.
    begun: serde_json::Value,
    /// Once it came to its end.
    reached: serde_json::Value,
    cluster_spec: serde_json::Value,
}

impl Settled {
    /// The choices that a plan rests on, and the file that it was made from.
    pub(super) fn new(flow: &Flow<'_>, pins: &Pins) -> Result<Self, CliError> {
        // Services may hold secrets in their environment, and the record never holds one.
        let told = Cluster { services: BTreeMap::new(), ..flow.cluster.clone() };
        Ok(Self {
            begun: serde_json::to_value(pins)?,
            reached: serde_json::to_value(pins.clone().reached())?,
            cluster_spec: serde_json::to_value(told)?,
        })
    }

    /// Whether the record says so already.
    pub(super) fn is_in(&self, record: &Record) -> bool {
        self.reached == record.pins && self.cluster_spec == record.cluster_spec
    }
}

impl Book {
    /// Goes on with the record that was loaded, or begins the cluster's first.
    pub(super) fn open(flow: &Flow<'_>, facts: &Facts, record: Option<Record>, journal: Journal) -> Self {
        let record = record.unwrap_or_else(|| {
            Record::first(flow.name(), &facts.account, &facts.region, &flow.holder.run, Timestamp::now())
        });
        Self { record, journal }
    }

    /// What makes the tokens of this generation of the record its own.
    pub(super) fn seed(&self) -> String {
        format!("{}:{}", self.record.lineage, self.record.serial)
    }

    /// Writes down that a run begins, before it changes anything.
    pub(super) async fn begin(&mut self, flow: &Flow<'_>, operation: &str) -> Result<(), CliError> {
        self.turn_page(flow);
        self.record.in_progress = Some(Operation {
            run: flow.holder.run.clone(),
            operation: operation.to_owned(),
            since: self.record.written,
        });
        self.journal.save(&self.record).await.map_err(CliError::state("writing the record"))
    }

    /// What is recorded, by id.
    pub(super) fn ids(&self) -> BTreeMap<Address, String> {
        self.record.objects.iter().map(|(address, recorded)| (address.clone(), recorded.id.clone())).collect()
    }

    /// Takes over the choices that the run rests on.
    pub(super) fn pin(&mut self, settled: &Settled) {
        self.record.pins.clone_from(&settled.begun);
    }

    /// Takes over what an apply did.
    pub(super) fn note(&mut self, outcome: &Outcome) {
        self.record.objects.clone_from(&outcome.recorded);
    }

    /// Writes down what was done, and what it was done for. `through` is whether all of it was. `false` when it could only
    /// be kept on this machine.
    pub(super) async fn finish(&mut self, flow: &Flow<'_>, settled: Option<&Settled>, through: bool) -> bool {
        self.turn_page(flow);
        self.record.in_progress = None;
        if let Some(settled) = settled {
            self.record.pins.clone_from(if through { &settled.reached } else { &settled.begun });
            self.record.cluster_spec.clone_from(&settled.cluster_spec);
        }
        match self.journal.save(&self.record).await {
            Ok(()) => true,
            Err(error) => {
                self.keep(flow, &error);
                false
            }
        }
    }

    fn turn_page(&mut self, flow: &Flow<'_>) {
        self.record = self.record.next(&flow.holder.run, Timestamp::now());
    }

    /// Keeps a copy that somebody can compare by hand: nothing that was done is forgotten.
    fn keep(&self, flow: &Flow<'_>, error: &StateError) {
        // Named by the run: the copy of another one is never overwritten.
        let name = format!("{}.{}.{}.state.json", flow.name(), self.record.serial, flow.holder.run);
        let path = flow.workshop.join(name);
        let bytes = self.record.to_bytes().map_err(std::io::Error::other);
        let kept = bytes.and_then(|bytes| {
            std::fs::create_dir_all(&flow.workshop)?;
            std::fs::write(&path, bytes)
        });
        let copy = match kept {
            Ok(()) => format!("a copy is in {}", path.display()),
            Err(source) => format!("neither could a copy in {} ({source})", path.display()),
        };
        flow.ui.warning(&format!(
            "the record could not be written ({error}); {copy}. The next run finds by tag what was made."
        ));
    }
}
