//! The order of starting steps: a ready queue over the graph, the longest remaining path first, no waves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::graph::Graph;

/// The inputs of the schedule for a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScheduledStep {
    /// Estimated time in seconds.
    pub(crate) seconds: u64,
    /// The lane: steps of one lane are never in flight together.
    pub(crate) lane: Option<String>,
    /// `true` for a barrier: it is done as soon as all of its predecessors are.
    pub(crate) instant: bool,
}

/// The order in which steps may start. It has no clock: its caller runs the steps and reports their results.
#[derive(Debug)]
pub(crate) struct StepSchedule {
    graph: Graph,
    tasks: Vec<ScheduledStep>,
    step_graph: Vec<u64>,
    missing: Vec<usize>,
    state: Vec<StepState>,
    ready: BinaryHeap<(u64, Reverse<usize>)>,
    parked: BTreeMap<String, Vec<usize>>,
    busy: BTreeSet<String>,
    running: usize,
    cap: usize,
}

/// A step that will not be started, and the failed step that is the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SkippedStep {
    pub(crate) step: usize,
    pub(crate) because: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepState {
    Waiting,
    Running,
    Over,
}

impl StepSchedule {
    /// Returns a schedule of at most `cap` steps at a time.
    pub(crate) fn new(graph: Graph, tasks: Vec<ScheduledStep>, cap: usize) -> Self {
        let weights: Vec<u64> = tasks.iter().map(|task| task.seconds).collect();
        let mut schedule = Self {
            step_graph: graph.remaining(&weights),
            missing: graph.counts_before(),
            state: vec![StepState::Waiting; graph.len()],
            ready: BinaryHeap::new(),
            parked: BTreeMap::new(),
            busy: BTreeSet::new(),
            running: 0,
            cap: cap.max(1),
            graph,
            tasks,
        };
        let free = (0..schedule.missing.len()).filter(|&step| schedule.missing[step] == 0).collect();
        schedule.release(free);
        schedule
    }

    /// Returns the step to start now; `None` if no step may start.
    pub(crate) fn start(&mut self) -> Option<usize> {
        while self.running < self.cap {
            let (_, Reverse(step)) = self.ready.pop()?;
            if self.state[step] != StepState::Waiting {
                continue;
            }
            if let Some(lane) = &self.tasks[step].lane
                && !self.busy.insert(lane.clone())
            {
                self.parked.entry(lane.clone()).or_default().push(step);
                continue;
            }
            self.state[step] = StepState::Running;
            self.running += 1;
            return Some(step);
        }
        None
    }

    /// Reports that a running step is done.
    pub(crate) fn finish(&mut self, step: usize) {
        self.stop_running(step);
        if let Some(lane) = &self.tasks[step].lane {
            self.busy.remove(lane);
            for parked in self.parked.remove(lane).unwrap_or_default() {
                self.ready.push((self.step_graph[parked], Reverse(parked)));
            }
        }
        let freed = self.freed_by(step);
        self.release(freed);
    }

    /// Reports that a running step failed. Its dependents are skipped, and so is the rest of its lane: if a group did not
    /// recover, the next group must not be rolled.
    pub(crate) fn fail(&mut self, step: usize) -> Vec<SkippedStep> {
        self.stop_running(step);
        let mut pending = self.graph.after(step).to_vec();
        if let Some(lane) = self.tasks[step].lane.clone() {
            pending.extend((0..self.tasks.len()).filter(|&other| self.tasks[other].lane.as_ref() == Some(&lane)));
        }
        let mut skipped = Vec::new();
        while let Some(next) = pending.pop() {
            if self.state[next] == StepState::Waiting {
                self.state[next] = StepState::Over;
                skipped.push(SkippedStep { step: next, because: step });
                pending.extend(self.graph.after(next));
            }
        }
        skipped.sort_by_key(|skipped| skipped.step);
        skipped
    }

    /// Reports that a running step is no longer waited for. Its dependents may not start.
    pub(crate) fn leave(&mut self, step: usize) {
        self.stop_running(step);
    }

    /// Returns the steps that were never started nor skipped.
    pub(crate) fn left(&self) -> impl Iterator<Item = usize> {
        (0..self.state.len()).filter(|&step| self.state[step] == StepState::Waiting)
    }

    /// Returns the steps in flight.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = usize> {
        (0..self.state.len()).filter(|&step| self.state[step] == StepState::Running)
    }

    fn stop_running(&mut self, step: usize) {
        self.state[step] = StepState::Over;
        self.running = self.running.saturating_sub(1);
    }

    fn freed_by(&mut self, step: usize) -> Vec<usize> {
        let mut freed = Vec::new();
        for &then in self.graph.after(step) {
            self.missing[then] -= 1;
            if self.missing[then] == 0 {
                freed.push(then);
            }
        }
        freed
    }

    fn release(&mut self, mut free: Vec<usize>) {
        while let Some(step) = free.pop() {
            if self.state[step] != StepState::Waiting {
                continue;
            }
            if self.tasks[step].instant {
                self.state[step] = StepState::Over;
                free.extend(self.freed_by(step));
            } else {
                self.ready.push((self.step_graph[step], Reverse(step)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(seconds: u64) -> ScheduledStep {
        ScheduledStep { seconds, ..ScheduledStep::default() }
    }

    fn in_lane(lane: &str) -> ScheduledStep {
        ScheduledStep { seconds: 1, lane: Some(lane.to_owned()), instant: false }
    }

    fn schedule(tasks: Vec<ScheduledStep>, edges: &[(usize, usize)], cap: usize) -> StepSchedule {
        let mut graph = Graph::new(tasks.len());
        for &(first, then) in edges {
            graph.add_edge(first, then);
        }
        StepSchedule::new(graph, tasks, cap)
    }

    fn started(schedule: &mut StepSchedule) -> Vec<usize> {
        std::iter::from_fn(|| schedule.start()).collect()
    }

    #[test]
    fn the_longest_remaining_road_starts_first() {
        let mut schedule = schedule(vec![task(5), task(1), task(9), task(5)], &[(1, 2)], 9);
        assert_eq!(started(&mut schedule), [1, 0, 3], "equal ones by number");
        schedule.finish(1);
        assert_eq!(started(&mut schedule), [2], "at once: nothing waits for the others");
    }

    #[test]
    fn the_cap_holds() {
        let mut schedule = schedule(vec![task(1), task(1), task(1)], &[], 2);
        assert_eq!(started(&mut schedule), [0, 1]);
        schedule.finish(0);
        assert_eq!(started(&mut schedule), [2]);
    }

    #[test]
    fn a_lane_is_one_at_a_time() {
        let mut schedule = schedule(vec![in_lane("m"), in_lane("m"), in_lane("n"), in_lane("m")], &[], 9);
        assert_eq!(started(&mut schedule), [0, 2]);
        schedule.finish(2);
        assert_eq!(started(&mut schedule), Vec::<usize>::new());
        schedule.finish(0);
        assert_eq!(started(&mut schedule), [1]);
        schedule.finish(1);
        assert_eq!(started(&mut schedule), [3]);
    }

    #[test]
    fn a_failure_skips_what_needs_it_and_the_rest_of_its_lane() {
        let tasks = vec![in_lane("m"), in_lane("m"), task(1), task(1), task(1)];
        let mut schedule = schedule(tasks, &[(0, 2), (1, 3)], 9);
        assert_eq!(started(&mut schedule), [0, 4], "1 is parked");
        let skipped = schedule.fail(0);
        assert_eq!(skipped, [1, 2, 3].map(|step| SkippedStep { step, because: 0 }));
        assert_eq!((started(&mut schedule), schedule.left().count()), (vec![], 0));
        assert_eq!(schedule.in_flight().collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn a_meeting_point_is_passed_at_once() {
        let meet = ScheduledStep { instant: true, ..ScheduledStep::default() };
        let mut schedule =
            schedule(vec![task(1), task(1), meet.clone(), meet, task(1)], &[(0, 2), (1, 2), (2, 3), (3, 4)], 9);
        assert_eq!(started(&mut schedule), [0, 1]);
        schedule.finish(0);
        assert_eq!(started(&mut schedule), Vec::<usize>::new());
        schedule.finish(1);
        assert_eq!(started(&mut schedule), [4]);
    }
}
