//! Writing down what was done.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::blueprint::Pins;
use crate::cli::error::CliError;
use crate::engine::Outcome;
use crate::resource::Facts;
use crate::spec::Cluster;
use crate::state::{Journal, Operation, Record, StateError};

use super::Flow;

/// The record of a run, and where it is written.
pub(super) struct Book {
    pub(super) record: Record,
    pub(super) journal: Journal,
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

    /// Takes over what an apply did.
    pub(super) fn note(&mut self, outcome: &Outcome) {
        self.record.objects.clone_from(&outcome.recorded);
    }

    /// Writes down what was done, and what it was done for. `false` when it could only be kept on this machine.
    pub(super) async fn finish(&mut self, flow: &Flow<'_>, pins: Option<&Pins>) -> Result<bool, CliError> {
        self.turn_page(flow);
        self.record.in_progress = None;
        if let Some(pins) = pins {
            self.record.pins = serde_json::to_value(pins)?;
            // Services may hold secrets in their environment, and the record never holds one.
            let told = Cluster { services: BTreeMap::new(), ..flow.cluster.clone() };
            self.record.cluster_spec = serde_json::to_value(told)?;
        }
        match self.journal.save(&self.record).await {
            Ok(()) => Ok(true),
            Err(error) => self.keep(flow, &error).map(|()| false),
        }
    }

    fn turn_page(&mut self, flow: &Flow<'_>) {
        self.record = self.record.next(&flow.holder.run, Timestamp::now());
    }

    /// Keeps a copy that somebody can compare by hand: nothing that was done is forgotten.
    fn keep(&self, flow: &Flow<'_>, error: &StateError) -> Result<(), CliError> {
        let path = flow.workshop.join(format!("{}.{}.state.json", flow.name(), self.record.serial));
        let bytes = self.record.to_bytes()?;
        std::fs::create_dir_all(&flow.workshop)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
        flow.ui.warning(&format!(
            "the record could not be written ({error}); a copy is in {}. The next run finds by tag what was made.",
            path.display()
        ));
        Ok(())
    }
}
