//! Objects, references, diff, plan, schedule, apply: generic, knows no cloud.

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
pub use event::{Event, Listener, Silent};
pub(crate) use failure::chain;
pub use failure::{Class, Failure};
pub use object::{Live, Member, Object, Payload, Phase, Recorded};
pub use plan::{Action, AttributeChange, Change, Mode, Origin, Plan, Reason};
pub use planner::{Inputs, PlanError, Prepared, plan};
pub use provider::{BoxFuture, Note, Provider, Rehearsal, Token};
pub use retry::{RetryPolicy, repeat};
pub use rules::{Attribute, Effect, Form, Kind, Output, Replicas, Shape, Vocabulary};
pub use store::{Condition, Etag, Store, Stored, Written};
pub use value::{Attributes, Input, Part, Reference, Template, Value};
