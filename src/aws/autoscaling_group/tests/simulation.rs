//! Rolls in a simulated Auto Scaling, with any limits and any order of events: machines boot, drain and fail at any moment.

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use proptest::prelude::*;

use super::super::answering::TargetStates;
use super::super::roll::keep_quorum;
use super::*;
use crate::resource::{PurchaseOption, TargetHealth};

/// A machine of the simulated group.
#[derive(Debug, Clone)]
struct Machine {
    id: String,
    version: &'static str,
    /// Launched, in service, or terminating.
    state: LifecycleState,
    /// `true` once it works; it has reported that it is ready.
    ready: bool,
}

#[derive(Debug)]
struct World {
    desired: usize,
    machines: Vec<Machine>,
    launched: usize,
    replaced: BTreeSet<String>,
    reports: MachineReports,
}

/// Something that happens between two steps of a roll, to the machine at this place.
#[derive(Debug, Clone, Copy)]
enum Event {
    Launch,
    Serve(usize),
    Ready(usize),
    End(usize),
    Fail(usize),
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Launch),
        4 => (0_usize..8).prop_map(Event::Serve),
        4 => (0_usize..8).prop_map(Event::Ready),
        4 => (0_usize..8).prop_map(Event::End),
        1 => (0_usize..8).prop_map(Event::Fail),
    ]
}

impl World {
    fn new(size: usize, prefix: &str) -> Self {
        let machine = |number| Machine {
            id: format!("{prefix}old-{number}"),
            version: "2",
            state: LifecycleState::InService,
            ready: true,
        };
        Self {
            desired: size,
            machines: (0..size).map(machine).collect(),
            launched: 0,
            replaced: BTreeSet::new(),
            reports: MachineReports::default(),
        }
    }

    fn group(&self) -> Answer {
        let instances = self.machines.iter().map(|one| machine(&one.id, one.version, one.state.clone())).collect();
        let desired = i32::try_from(self.desired).unwrap();
        group(desired).set_instances(Some(instances)).build()
    }

    fn working(&self) -> usize {
        self.machines.iter().filter(|machine| machine.works()).count()
    }

    /// Lets something happen. A failure ends a machine that the roll did not choose; returns `true` for it.
    fn happen(&mut self, event: Event, prefix: &str) -> bool {
        let staying = self.machines.iter().filter(|machine| machine.stays()).count();
        match event {
            Event::Launch if staying < self.desired => {
                self.launched += 1;
                let id = format!("{prefix}new-{:03}", self.launched);
                self.machines.push(Machine { id, version: "3", state: LifecycleState::Pending, ready: false });
            }
            Event::Launch => {}
            Event::Serve(at) => {
                if let Some(machine) =
                    self.machines.get_mut(at).filter(|machine| machine.state == LifecycleState::Pending)
                {
                    machine.state = LifecycleState::InService;
                }
            }
            Event::Ready(at) => {
                if let Some(machine) =
                    self.machines.get_mut(at).filter(|machine| machine.state == LifecycleState::InService)
                {
                    machine.ready = true;
                }
            }
            Event::End(at) => {
                if self.machines.get(at).is_some_and(|machine| !machine.stays()) {
                    self.machines.remove(at);
                }
            }
            Event::Fail(at) => {
                if let Some(machine) = self.machines.get_mut(at).filter(|machine| machine.stays()) {
                    machine.state = LifecycleState::Terminating;
                    return true;
                }
            }
        }
        false
    }

    /// Everything that is under way comes to its end.
    fn settle(&mut self, prefix: &str) {
        self.machines.retain(Machine::stays);
        while self.machines.len() < self.desired {
            self.happen(Event::Launch, prefix);
        }
        for machine in &mut self.machines {
            machine.state = LifecycleState::InService;
            machine.ready = true;
        }
    }

    fn next(&mut self, size: usize, limits: RollLimits, requested: &[String]) -> RollStep {
        for machine in self.machines.iter().filter(|machine| machine.ready) {
            let ready = MachineStatus {
                step: "done".to_owned(),
                state: JoinProgress::Ready,
                at: jiff::Timestamp::UNIX_EPOCH,
                certificates_end: None,
            };
            self.reports.add(&machine.id, Some(ready), tokio::time::Instant::now());
        }
        let state = RollState {
            outdated: Outdated { wanted: EqualVersions { first: "3", last: "3" }, requested },
            size,
            limits,
            replaced: &self.replaced,
            postponed: &BTreeMap::new(),
            healthy: None,
            reports: &self.reports,
        };
        next(&self.group(), &state)
    }

    /// Does what a step asks for. Returns `true` if it ended a machine that worked.
    fn take(&mut self, step: &RollStep) -> bool {
        match step {
            RollStep::Surge(desired) => self.desired = *desired,
            RollStep::Replace { machine, shrinks } => {
                self.desired -= usize::from(*shrinks);
                self.replaced.insert(machine.clone());
                let ended = self.machines.iter_mut().find(|one| one.id == *machine).unwrap();
                let worked = ended.works();
                ended.state = LifecycleState::Terminating;
                return worked;
            }
            _ => {}
        }
        false
    }
}

impl Machine {
    fn stays(&self) -> bool {
        self.state != LifecycleState::Terminating
    }

    fn works(&self) -> bool {
        self.ready && self.state == LifecycleState::InService
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens meanwhile, a roll ends no machine that works unless the others are enough; it never has more machines
    /// than its limits allow, and it comes to its end with machines of the new version alone.
    #[test]
    fn a_roll_keeps_its_limits_and_ends(
        size in 1_usize..7,
        surge in 0_u32..4,
        unavailable in 0_u32..4,
        events in proptest::collection::vec(proptest::collection::vec(events(), 0..4), 0..40),
    ) {
        let group = AutoScalingGroup { max_surge: Some(surge), max_unavailable: Some(unavailable), ..wanted() };
        let limits = group.roll_limits(size);
        let mut world = World::new(size, "");
        let check = |world: &mut World, step: &RollStep| -> Result<(), TestCaseError> {
            let before = world.working();
            let worked = world.take(step);
            prop_assert!(!worked || before > size - limits.unavailable, "{step:?} with {before} of {size}");
            prop_assert!(world.desired <= size + limits.surge, "{} machines", world.desired);
            Ok(())
        };
        for happened in events {
            for event in happened {
                world.happen(event, "");
            }
            let step = world.next(size, limits, &[]);
            check(&mut world, &step)?;
        }
        for _ in 0..100 {
            world.settle("");
            let step = world.next(size, limits, &[]);
            if step == RollStep::Done {
                prop_assert!(world.machines.iter().all(|machine| machine.version == "3"));
                prop_assert_eq!((world.machines.len(), world.desired), (size, size));
                return Ok(());
            }
            prop_assert!(!matches!(step, RollStep::Wait(_) | RollStep::Hear(_)), "nothing is under way: {step:?}");
            check(&mut world, &step)?;
        }
        prop_assert!(false, "the roll does not end");
    }

    /// Masters roll in one lane. Whatever fails meanwhile, a roll ends no master that works while another one does not.
    #[test]
    fn a_roll_of_masters_takes_none_beside_one_that_is_down(
        count in prop_oneof![Just(1_usize), Just(3), Just(5)],
        events in proptest::collection::vec(proptest::collection::vec((0_usize..5, events()), 0..4), 0..60),
    ) {
        let limits = RollLimits { surge: 0, unavailable: 1 };
        let prefixes: Vec<String> = (0..count).map(|master| format!("{master}-")).collect();
        let mut masters: Vec<World> = prefixes.iter().map(|prefix| World::new(1, prefix)).collect();
        let mut rolling = 0;
        let targets = |masters: &[World]| {
            let machines = masters.iter().flat_map(|world| world.machines.iter().filter(|machine| machine.stays()));
            let target = |machine: &Machine| TargetHealth {
                instance: machine.id.clone(),
                state: if machine.works() { "healthy" } else { "unhealthy" }.to_owned(),
                reason: String::new(),
            };
            let mut states = TargetStates::default();
            states.add(machines.map(target).collect());
            states
        };
        let mut rounds = events.into_iter();
        for _ in 0..300 {
            if rolling == count {
                return Ok(());
            }
            match rounds.next() {
                Some(happened) => {
                    for (master, event) in happened {
                        if let Some(world) = masters.get_mut(master) {
                            world.happen(event, &prefixes[master]);
                        }
                    }
                }
                None => masters.iter_mut().zip(&prefixes).for_each(|(world, prefix)| world.settle(prefix)),
            }
            let states = targets(&masters);
            let step = keep_quorum(masters[rolling].next(1, limits, &[]), &states, count);
            let before: usize = masters.iter().map(World::working).sum();
            let worked = masters[rolling].take(&step);
            prop_assert!(!worked || before == count, "{step:?}: {before} of {count} work");
            if step == RollStep::Done {
                rolling += 1;
            }
        }
        prop_assert!(false, "the roll does not end");
    }
}

/// Machines whose replacement was requested are replaced once, and their successors are not.
#[test]
fn requested_machines_are_replaced_although_their_version_is_the_wanted_one() {
    let (size, limits) = (3, wanted().roll_limits(3));
    let mut world = World::new(size, "");
    world.machines.iter_mut().for_each(|machine| machine.version = "3");
    let requested = ["old-1".to_owned()];
    let mut steps = Vec::new();
    for _ in 0..10 {
        world.settle("");
        let step = world.next(size, limits, &requested);
        world.take(&step);
        steps.push(step);
    }
    let replaced = RollStep::Replace { machine: "old-1".to_owned(), shrinks: false };
    let shrunk = RollStep::Replace { machine: "old-1".to_owned(), shrinks: true };
    assert_eq!(steps[..2], [RollStep::Surge(4), if steps.contains(&shrunk) { shrunk } else { replaced }]);
    assert_eq!(steps[2..].iter().filter(|step| **step != RollStep::Done).count(), 0, "{steps:?}");
    assert_eq!(world.machines.len(), size);
}

fn wanted() -> AutoScalingGroup {
    AutoScalingGroup {
        name: "workers".to_owned(),
        launch_template: "lt-1".into(),
        version: "3".into(),
        machines: "3".into(),
        sizes: Vec::new(),
        purchase: PurchaseOption::OnDemand,
        subnets: Vec::new(),
        min: 1,
        max: 9,
        desired: Some(3),
        target_groups: Vec::new(),
        max_surge: None,
        max_unavailable: None,
        replace: Vec::new(),
        tags: Tags::new(),
    }
}
