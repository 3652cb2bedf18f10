//! The expected time of a plan.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change_times::ChangeTimes;
use super::default_time;
use crate::engine::{Action, Address, ExecutablePlan, PlanMode, Value};
use crate::resource::{AutoScalingGroup, LaunchTemplate, Resource};

/// The expected time of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDuration {
    /// The time from the first change to the end of the last one, in seconds.
    pub seconds: u64,
    /// The changes that this time is the sum of, in order: each one waits for the one before it.
    pub critical_path: Vec<CriticalChange>,
}

/// A change that others wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CriticalChange {
    /// The object.
    pub address: Address,
    /// The action. The end of a replacement is a deletion.
    pub action: Action,
    /// The expected time in seconds.
    pub seconds: u64,
    /// The source of this time.
    pub source: TimeSource,
}

/// The source of an expected time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// A default of this release.
    Default,
    /// Earlier runs on this cluster.
    Measured,
}

impl PlanDuration {
    /// Estimates the time of a plan with at most `concurrency` changes at a time, and sets the expected time of its steps, by
    /// which an apply starts them. `None` for a plan that changes nothing, or only shows differences.
    pub fn estimate(run: &mut ExecutablePlan, times: &ChangeTimes, concurrency: usize) -> Option<Self> {
        if run.plan.mode == PlanMode::Refresh || run.plan.is_empty() {
            return None;
        }
        run.expect(&|run, address, action| change_seconds(run, times, address, action).0);
        let forecast = run.forecast(concurrency);
        let critical_path = forecast.critical_path.into_iter().map(|step| {
            let (_, source) = change_seconds(run, times, &step.address, step.action);
            CriticalChange { address: step.address, action: step.action, seconds: step.seconds, source }
        });
        Some(Self { seconds: forecast.seconds, critical_path: critical_path.collect() })
    }
}

impl ChangeTimes {
    /// Adds the time that a change of a plan took.
    pub fn learn_change(&mut self, run: &ExecutablePlan, address: &Address, action: Action, time: Duration) {
        let (sort, rounds) = sort_of(run, address, action);
        self.learn(&sort, time / u32::try_from(rounds).unwrap_or(u32::MAX));
    }
}

/// Returns the expected time of a change in seconds, with its source.
fn change_seconds(run: &ExecutablePlan, times: &ChangeTimes, address: &Address, action: Action) -> (u64, TimeSource) {
    let (sort, rounds) = sort_of(run, address, action);
    let default = || default_time::seconds(address.kind(), action, is_masters(run, address));
    let measured = times.seconds(&sort);
    let source = if measured.is_some() { TimeSource::Measured } else { TimeSource::Default };
    (measured.unwrap_or_else(default).saturating_mul(rounds), source)
}

/// Returns the sort of a change, and the number of times that it is repeated: rounds of machine replacements.
fn sort_of(run: &ExecutablePlan, address: &Address, action: Action) -> (String, u64) {
    let verb = match action {
        Action::Delete => "delete",
        Action::Replace | Action::Create => "create",
        Action::Roll => "roll",
        Action::Update => "update",
        Action::Adopt => "adopt",
        Action::Wait => "wait",
        Action::Refuse => "refuse",
    };
    let role = if is_masters(run, address) { " of masters" } else { "" };
    let rounds = if action == Action::Roll { rounds(run, address) } else { 1 };
    (format!("{}{role} {verb}", address.kind()), rounds)
}

fn is_masters(run: &ExecutablePlan, address: &Address) -> bool {
    group(run, address).is_some_and(|group| group.is_masters())
}

fn group(run: &ExecutablePlan, address: &Address) -> Option<AutoScalingGroup> {
    let is_group = address.kind() == AutoScalingGroup::KIND.name;
    let wanted = run.desired.get(address).map(|object| &object.attributes);
    let attributes = wanted.or_else(|| run.live.get(address).map(|live| &live.attributes)).filter(|_| is_group)?;
    AutoScalingGroup::from_attributes(attributes).ok()
}

/// Returns the number of rounds in which the machines of a group are replaced.
fn rounds(run: &ExecutablePlan, address: &Address) -> u64 {
    let members = run.live.get(address).map(|live| live.members.as_slice()).unwrap_or_default();
    let has_new_template =
        run.plan.changes.iter().any(|change| change.address == LaunchTemplate::address(address.name()));
    let wanted = run.desired.get(address);
    let replaced = match wanted.and_then(|object| object.attributes.get("version")) {
        Some(Value::Text(version)) if !has_new_template => {
            let requested = wanted.and_then(|object| object.attributes.get("replace"));
            let requested = if let Some(Value::List(ids)) = requested { ids.len() } else { 0 };
            members.iter().filter(|member| member.version != *version).count().max(requested)
        }
        _ => members.len(),
    };
    let width = group(run, address).map_or(1, |group| group.roll_limits(members.len()).width());
    u64::try_from(replaced.div_ceil(width.max(1)).max(1)).unwrap_or(u64::MAX)
}
