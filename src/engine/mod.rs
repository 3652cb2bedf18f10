//! Objects, references, diff, plan, schedule, apply: generic, independent of any cloud.

mod address;
mod apply;
mod canonical;
mod diff;
mod event;
mod failure;
mod graph;
mod object;
mod plan;
mod planner;
mod poll;
mod provider;
mod retry;
mod rules;
mod schedule;
mod store;
#[cfg(test)]
mod tests;
mod value;

pub use address::{Address, NotAnAddress};
pub use apply::{ApplyOptions, Outcome, apply};
pub use event::{EventListener, NoListener, RunEvent};
pub(crate) use failure::chain;
pub use failure::{Failure, FailureClass};
pub use object::{GroupMember, Live, Object, ObjectPhase, Payload, RecordedObject};
pub use plan::{Action, AttributeChange, Change, DifferenceOrigin, Plan, PlanMode, Reason};
pub use planner::{ExecutablePlan, ForecastStep, PlanError, PlanForecast, PlanInputs, plan};
pub use poll::{Backoff, PollLoop};
pub use provider::{BoxFuture, ChangeCounter, DryRun, IdempotencyToken, Observation, ProgressNote, Provider};
pub use retry::{RetryPolicy, repeat};
pub use rules::{
    Attribute, ChangeEffect, ComparedWith, Comparison, DataReplicas, Kind, KindRegistry, OutputShape, OutputSpec,
};
pub use store::{Etag, ObjectStore, StoredObject, WriteCondition, WriteOutcome};
pub use value::{Attributes, Reference, TemplatePart, TextInput, TextTemplate, Value};
