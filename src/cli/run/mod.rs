//! A run that may change a cluster: its lease, the snapshot, the plan, the execution, and the record of what was done.

pub(in crate::cli) mod claim;
pub(in crate::cli) mod foreign_cluster;
pub(in crate::cli) mod former;
mod node_groups;
pub(in crate::cli) mod permission_check;
pub(in crate::cli) mod plan_request;
pub(in crate::cli) mod planned_run;
pub(in crate::cli) mod prompt;
pub(in crate::cli) mod quota_check;
pub(in crate::cli) mod replacement;
pub(in crate::cli) mod run_lock;
pub(in crate::cli) mod saved_plan;
pub(in crate::cli) mod snapshot;
pub(in crate::cli) mod state_writer;
pub(in crate::cli) mod temporary_access;
mod versions;
pub(in crate::cli) mod wait;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::engine::{self, Action, Address, ExecutablePlan, NoListener, Outcome, RecordedObject};
use crate::resource::ResourceKinds;
use crate::view;
use crate::view::failure::FailureReport;

use super::error::CliError;
use super::progress::{MeasuredChange, MeasuringListener};
use super::{ClusterContext, Exit};

use foreign_cluster::ForeignClusterPolicy;
use plan_request::PlanRequest;
use planned_run::PlannedRun;
use run_lock::RunLock;
use snapshot::ClusterSnapshot;
use state_writer::{ResolvedSpec, StateWriter};

/// A run that may change a cluster. It holds the lease from its begin to its end, and writes the record.
pub(in crate::cli) struct Run<'a> {
    pub(in crate::cli) context: &'a ClusterContext<'a>,
    pub(in crate::cli) lock: RunLock,
}

impl<'a> Run<'a> {
    /// Takes the lease.
    ///
    /// # Errors
    /// Returns an error if another run holds it, or the account is not the file's.
    pub(in crate::cli) async fn begin(context: &'a ClusterContext<'a>, operation: &str) -> Result<Self, CliError> {
        Ok(Self { context, lock: run_lock::open_run(context, operation).await? })
    }

    /// Observes the cloud and loads the record. Waits until the cloud has settled if the previous run did not finish.
    pub(in crate::cli) async fn snapshot(&self, foreign: ForeignClusterPolicy) -> Result<ClusterSnapshot, CliError> {
        snapshot::snapshot_when_stable(self.context, &self.lock, foreign).await
    }

    /// Plans the changes, and shows them with their notes.
    pub(in crate::cli) async fn plan(
        &self,
        snapshot: &ClusterSnapshot,
        request: &PlanRequest,
    ) -> Result<PlannedRun, CliError> {
        let planned = planned_run::plan(self.context, snapshot, request).await?;
        let ui = self.context.ui;
        ui.text(&view::plan::text(&planned.document, ui.style()));
        planned.show_notes(self.context);
        Ok(planned)
    }

    /// Executes a plan while the run holds the lease, and enters the results in the record.
    pub(in crate::cli) async fn execute(&self, state: &mut StateWriter, prepared: &ExecutablePlan) -> Outcome {
        let executed = change(self.context, &self.lock, prepared, &state.record.objects, state.seed()).await;
        state.note(&executed.outcome);
        // The simulated cloud is not a measure of AWS.
        if !self.context.sandbox {
            state.learn(prepared, &executed.changes);
            if let Some(taken) = executed.taken() {
                self.context.ui.note(&taken);
            }
        }
        executed.outcome
    }

    /// Enters in the record what an empty plan leaves to record: objects of a dead run, and objects that are no longer in
    /// the file.
    pub(in crate::cli) async fn execute_nothing(&self, state: &mut StateWriter, prepared: &ExecutablePlan) -> Outcome {
        let options = self.context.apply_options(String::new());
        let recorded = &state.record.objects;
        let cloud = self.context.cloud.as_ref();
        let outcome = engine::apply(cloud, &ResourceKinds, prepared, recorded, &options, &NoListener).await;
        state.note(&outcome);
        outcome
    }

    /// Takes the lease in the store that the run has created, if it has none, and records the start of the run.
    pub(in crate::cli) async fn record_start(
        &mut self,
        state: &mut StateWriter,
        operation: &str,
        resolved: Option<&ResolvedSpec>,
    ) -> Result<(), CliError> {
        if matches!(self.lock, RunLock::NoStore) {
            // If another run was faster, the record is no longer absent, and writing this one is refused.
            self.lock = run_lock::lease_in_new_store(self.context, operation).await?;
        }
        if self.lock.is_lost() {
            return Err(CliError::Overtaken);
        }
        if let Some(resolved) = resolved {
            state.pin(resolved);
        }
        claim::claim(self.context, &state.record).await?;
        state.record_start(self.context, operation).await
    }

    /// Reports failures, or what stopped the run. `written` is true if the record was written. Returns the exit code.
    pub(in crate::cli) fn report(&self, outcome: &Outcome, written: bool) -> Exit {
        let overtaken = self.lock.is_lost() && !(outcome.is_through() && written);
        if overtaken {
            let report = FailureReport { failures: view::outcome::failures(outcome), ..CliError::Overtaken.report() };
            self.context.ui.report(&report);
        } else if let Some(report) = view::outcome::report(outcome) {
            self.context.ui.report(&report);
        }
        if overtaken {
            Exit::Held
        } else if outcome.interrupted && self.context.interrupt.stop.is_cancelled() && written {
            Exit::Interrupted
        } else if outcome.is_through() && written {
            Exit::Done
        } else if !outcome.changed && outcome.done.is_empty() && outcome.deferred.is_empty() && written {
            Exit::Error
        } else {
            Exit::Partly
        }
    }

    /// Releases the lease.
    pub(in crate::cli) async fn end(self) {
        self.lock.end(self.context).await;
    }
}

/// Executes a plan while the lease is held.
pub(in crate::cli) async fn change(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    prepared: &ExecutablePlan,
    recorded: &BTreeMap<Address, RecordedObject>,
    seed: String,
) -> ExecutedPlan {
    let options = context.apply_options(seed);
    // A replacement finishes twice: the new object is created, the old one is deleted.
    let changes = prepared.plan.changes.len() + prepared.plan.count(Action::Replace);
    let expected = prepared.forecast(options.concurrency).seconds;
    let listener = MeasuringListener::new(context.ui.listener(changes, expected));
    let began = Instant::now();
    let cloud = context.cloud.as_ref();
    let work = engine::apply(cloud, &ResourceKinds, prepared, recorded, &options, &listener);
    let outcome = while_leased(context, lock, &options.stop, work).await;
    ExecutedPlan { outcome, changes: listener.into_measured(), time: began.elapsed() }
}

/// The result of a plan that was executed, with the time that it took.
pub(in crate::cli) struct ExecutedPlan {
    pub(in crate::cli) outcome: Outcome,
    changes: Vec<MeasuredChange>,
    time: Duration,
}

impl ExecutedPlan {
    /// Returns a sentence with the time and the longest changes; `None` if it did not take long.
    fn taken(&self) -> Option<String> {
        let changes = self.changes.iter().map(|change| (change.action, &change.address, change.time));
        view::duration::taken(self.time, &changes.collect::<Vec<_>>())
    }
}

async fn while_leased<T>(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = lock.lost() => {
            context.ui.warning("the lease is lost: another run may have begun. Nothing new is started.");
            stop.cancel();
        }
    }
    work.await
}
