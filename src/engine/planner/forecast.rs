//! The expected course of a plan: its steps in the order and the concurrency of an apply, with expected times.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::executable::ExecutablePlan;
use super::step_graph::PlanStep;
use crate::engine::schedule::StepSchedule;
use crate::engine::{Action, Address};

/// The expected course of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanForecast {
    /// Time until the last step is done, in seconds.
    pub seconds: u64,
    /// The steps that this time is the sum of: each begins when the one before it is done.
    pub critical_path: Vec<ForecastStep>,
}

/// A step of the expected course of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastStep {
    /// The object.
    pub address: Address,
    /// The action on it. The end of a replacement is a deletion.
    pub action: Action,
    /// The expected time, in seconds.
    pub seconds: u64,
}

impl ExecutablePlan {
    /// Sets the expected time of each step in seconds. An apply starts the steps first that the longest path begins with.
    pub fn expect(&mut self, seconds: &dyn Fn(&Self, &Address, Action) -> u64) {
        let expected: Vec<u64> = self.steps().iter().map(|step| seconds(self, &step.address, step.action())).collect();
        for (step, seconds) in self.steps_mut().iter_mut().zip(expected).filter(|(step, _)| !step.task.instant) {
            step.task.seconds = seconds;
        }
    }

    /// Runs the plan without doing anything: every step takes its expected time, and at most `concurrency` run at a time.
    pub fn forecast(&self, concurrency: usize) -> PlanForecast {
        let tasks = self.steps().iter().map(|step| step.task.clone()).collect();
        let mut schedule = StepSchedule::new(self.graph().clone(), tasks, concurrency);
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        // The step whose end let a step begin.
        let mut causes: BTreeMap<usize, usize> = BTreeMap::new();
        let mut last = None;
        let mut now = 0;
        loop {
            while let Some(step) = schedule.start() {
                causes.extend(last.map(|last| (step, last)));
                running.push(Reverse((now + self.steps()[step].task.seconds, step)));
            }
            let Some(Reverse((end, step))) = running.pop() else { break };
            now = end;
            last = Some(step);
            schedule.finish(step);
        }
        let mut path: Vec<usize> = std::iter::successors(last, |step| causes.get(step).copied()).collect();
        path.reverse();
        let steps = path.into_iter().map(|number| forecast_step(&self.steps()[number]));
        PlanForecast { seconds: now, critical_path: steps.filter(|step| step.seconds > 0).collect() }
    }
}

fn forecast_step(step: &PlanStep) -> ForecastStep {
    ForecastStep { address: step.address.clone(), action: step.action(), seconds: step.task.seconds }
}
