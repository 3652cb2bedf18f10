//! Recording the changes of a run.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::analysis::duration::ChangeTimes;
use crate::blueprint::Pins;
use crate::cli::error::CliError;
use crate::cli::progress::MeasuredChange;
use crate::engine::{Address, ExecutablePlan, Outcome};
use crate::resource::{Facts, KnownFacts};
use crate::spec::Cluster;
use crate::state::{ClusterRecord, RecordJournal, RecordedRun, StateError};

use super::ClusterContext;

/// The record of a run, and the journal that it is written to.
pub(in crate::cli) struct StateWriter {
    pub(in crate::cli) record: ClusterRecord,
    pub(in crate::cli) journal: RecordJournal,
}

/// The choices of a run for later ones, as they are recorded.
pub(in crate::cli) struct ResolvedSpec {
    /// The pins while the run works.
    begun: serde_json::Value,
    /// The pins after the run has finished.
    reached: serde_json::Value,
    cluster_spec: serde_json::Value,
    /// The facts that later runs need not ask for.
    facts: serde_json::Value,
}

impl ResolvedSpec {
    /// Collects the choices that a plan rests on, and the file that it was made from. With `no_roll`, the plan leaves machines
    /// as they are.
    pub(in crate::cli) fn new(
        context: &ClusterContext<'_>,
        pins: &Pins,
        facts: &Facts,
        no_roll: bool,
    ) -> Result<Self, CliError> {
        // Services may contain secrets in their environment variables, and the record never contains one.
        let spec = Cluster { services: BTreeMap::new(), ..context.cluster.clone() };
        Ok(Self {
            begun: serde_json::to_value(pins)?,
            reached: serde_json::to_value(pins.clone().reached(no_roll))?,
            cluster_spec: serde_json::to_value(spec)?,
            facts: serde_json::to_value(KnownFacts::of(facts))?,
        })
    }

    /// Returns `true` if the record contains the same choices.
    pub(in crate::cli) fn is_in(&self, record: &ClusterRecord) -> bool {
        self.reached == record.pins && self.cluster_spec == record.cluster_spec && self.facts == record.facts
    }
}

impl StateWriter {
    /// Continues the loaded record, or creates the cluster's first one.
    pub(in crate::cli) fn open(
        context: &ClusterContext<'_>,
        facts: &Facts,
        record: Option<ClusterRecord>,
        journal: RecordJournal,
    ) -> Self {
        let record = record.unwrap_or_else(|| {
            ClusterRecord::first(context.name(), &facts.account, &facts.region, &context.holder.run, Timestamp::now())
        });
        Self { record, journal }
    }

    /// Returns the seed that makes the tokens of this generation of the record unique.
    pub(in crate::cli) fn seed(&self) -> String {
        format!("{}:{}", self.record.lineage, self.record.serial)
    }

    /// Records that a run starts, before it changes anything.
    pub(in crate::cli) async fn record_start(
        &mut self,
        context: &ClusterContext<'_>,
        operation: &str,
    ) -> Result<(), CliError> {
        self.advance_serial(context);
        self.record.in_progress = Some(RecordedRun {
            run: context.holder.run.clone(),
            operation: operation.to_owned(),
            since: self.record.written,
        });
        self.journal.save(&self.record).await.map_err(CliError::state("writing the record"))
    }

    /// Returns the ids of the recorded objects.
    pub(in crate::cli) fn ids(&self) -> BTreeMap<Address, String> {
        self.record.objects.iter().map(|(address, recorded)| (address.clone(), recorded.id.clone())).collect()
    }

    /// Records the choices that the run rests on.
    pub(in crate::cli) fn pin(&mut self, resolved: &ResolvedSpec) {
        self.record.pins.clone_from(&resolved.begun);
    }

    /// Records the results of an apply.
    pub(in crate::cli) fn note(&mut self, outcome: &Outcome) {
        self.record.objects.clone_from(&outcome.recorded);
    }

    /// Records the times of changes, for the plans of later runs.
    pub(in crate::cli) fn learn(&mut self, prepared: &ExecutablePlan, changes: &[MeasuredChange]) {
        let mut times = ChangeTimes::from(std::mem::take(&mut self.record.change_times));
        for change in changes {
            times.learn_change(prepared, &change.address, change.action, change.time);
        }
        self.record.change_times = times.into();
    }

    /// Records the end of the run and its choices. `through` is true if all changes were made. Returns `false` if the record
    /// could only be saved on this machine.
    pub(in crate::cli) async fn finish(
        &mut self,
        context: &ClusterContext<'_>,
        resolved: Option<&ResolvedSpec>,
        through: bool,
    ) -> bool {
        self.advance_serial(context);
        self.record.in_progress = None;
        if let Some(resolved) = resolved {
            self.record.pins.clone_from(if through { &resolved.reached } else { &resolved.begun });
            self.record.cluster_spec.clone_from(&resolved.cluster_spec);
            self.record.facts.clone_from(&resolved.facts);
        }
        match self.journal.save(&self.record).await {
            Ok(()) => true,
            Err(error) => {
                self.write(context, &error);
                false
            }
        }
    }

    fn advance_serial(&mut self, context: &ClusterContext<'_>) {
        self.record = self.record.next(&context.holder.run, Timestamp::now());
    }

    /// Saves a copy that can be compared by hand: no change is forgotten.
    fn write(&self, context: &ClusterContext<'_>, error: &StateError) {
        // The name contains the run: the copy of another run is never overwritten.
        let name = format!("{}.{}.{}.state.json", context.name(), self.record.serial, context.holder.run);
        let path = context.local_dir.join(name);
        let bytes = self.record.to_bytes().map_err(std::io::Error::other);
        let kept = bytes.and_then(|bytes| {
            std::fs::create_dir_all(&context.local_dir)?;
            std::fs::write(&path, bytes)
        });
        let copy = match kept {
            Ok(()) => format!("a copy is in {}", path.display()),
            Err(source) => format!("neither could a copy in {} ({source})", path.display()),
        };
        context.ui.warning(&format!(
            "the record could not be written ({error}); {copy}. The next run finds the new objects by their tags."
        ));
    }
}
