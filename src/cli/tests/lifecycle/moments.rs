//! The failures that a cluster survives while a plan is applied: what the plan says, against failures that are tried on every
//! state between two calls.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::analysis::availability::{FailureEffects, PlanAvailability, PlanDisruption, SingleFailure};
use crate::sandbox::{ClusterWitness, WitnessedMoment};

const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];
/// The name of the part with etcd and the API.
const CONTROL_PLANE: &str = "control plane";

/// A cluster as it is written in a file.
#[derive(Debug, Clone)]
struct World {
    masters: Vec<&'static str>,
    master_size: &'static str,
    kubernetes: u32,
    nodes: u32,
    node_zones: usize,
    size: &'static str,
    roll: &'static str,
    /// The number of pods of each service.
    services: Vec<u32>,
    image: u32,
}

impl World {
    fn random(random: &mut fastrand::Rng) -> Self {
        let masters = [1, 3, 3, 5][random.usize(..4)];
        Self {
            masters: (0..masters).map(|_| ZONES[random.usize(..3)]).collect(),
            master_size: "t3.medium",
            kubernetes: 35,
            nodes: random.u32(1..4),
            node_zones: random.usize(1..=3),
            size: "t3.medium",
            roll: ["", "max_surge = 0", "max_surge = 2", "max_unavailable = 1"][random.usize(..4)],
            services: (0..random.usize(..3)).map(|_| random.u32(1..4)).collect(),
            image: 1,
        }
    }

    fn text(&self) -> String {
        let Self { masters, master_size, kubernetes, nodes, node_zones, size, roll, services, image } = self;
        let count = masters.len();
        let node_zones = &ZONES[..*node_zones];
        let mut text = format!(
            "name = \"chat.poeticoding.com\"\nstate = \"s3://state.chat.poeticoding.com\"\nzones = {ZONES:?}\n\
             kubernetes = \"1.{kubernetes}\"\nmasters {{\n  count = {count}\n  size = \"{master_size}\"\n  zones = \
             {masters:?}\n}}\nnodes \"workers\" {{\n  count = {nodes}\n  size = \"{size}\"\n  zones = {node_zones:?}\n  roll \
             {{\n{roll}\n}}\n}}\n"
        );
        for (place, replicas) in services.iter().enumerate() {
            writeln!(
                text,
                "service \"s{place}\" {{\n  image = \"app:{image}\"\n  port = 80\n  replicas = {replicas}\n}}"
            )
            .unwrap();
        }
        text
    }

    /// Changes one setting or two. New masters and a new version are two applies.
    fn edit(&mut self, random: &mut fastrand::Rng) {
        let (masters, kubernetes) = (self.masters.len(), self.kubernetes);
        for _ in 0..random.u8(1..=2) {
            match random.u8(..6) {
                0 => self.master_size = "t3.large",
                1 => self.size = "t3.large",
                2 if self.masters.len() == masters => self.kubernetes = 36,
                3 => self.nodes = random.u32(1..4),
                4 if self.masters.len() < 5 && self.kubernetes == kubernetes => {
                    self.masters.extend([ZONES[random.usize(..3)], ZONES[random.usize(..3)]]);
                }
                _ => self.image += 1,
            }
        }
    }
}

/// Returns `true` if a master in a zone is lost by a failure.
fn is_lost(failure: &SingleFailure, master: &str, zone: &str) -> bool {
    match failure {
        SingleFailure::Zone(failing) => zone == failing,
        SingleFailure::Master(letter) => master == letter,
        _ => false,
    }
}

fn has_quorum(moment: &WitnessedMoment, failure: Option<&SingleFailure>) -> bool {
    let up = moment.voters.iter().filter(|(master, zone)| {
        let lost = |zone: &String| failure.is_some_and(|failure| is_lost(failure, master, zone));
        zone.as_ref().is_some_and(|zone| !lost(zone))
    });
    moment.voters.is_empty() || up.count() * 2 > moment.voters.len()
}

/// Returns the failures that do not stop the control plane before and after a plan.
fn survived(availability: &PlanAvailability) -> Vec<SingleFailure> {
    let (before, after) = (availability.before.as_ref().unwrap(), availability.after.as_ref().unwrap());
    let stops = |effects: &FailureEffects| effects.effects.iter().any(|effect| effect.part == CONTROL_PLANE);
    let known = after.failures.iter().filter(|effects| !stops(effects)).map(|effects| &effects.failure);
    known.filter(|failure| !before.effects_of(failure).is_some_and(stops)).cloned().collect()
}

fn is_said(during: &PlanDisruption, failure: &SingleFailure, part: &str) -> bool {
    let known = during.failures.iter().find(|effects| effects.failure == *failure);
    known.is_some_and(|effects| effects.effects.iter().any(|effect| effect.part == part))
}

/// The outcomes of the comparison.
#[derive(Debug, Default)]
struct Comparison {
    api_stops: u32,
    quorum_at_risk: u32,
    pods_move: u32,
    quiet: u32,
}

impl Comparison {
    fn of_control_plane(
        &mut self,
        during: &PlanDisruption,
        failures: &[SingleFailure],
        moments: &[WitnessedMoment],
        case: &str,
    ) {
        let stops = during.effects.iter().any(|effect| effect.part == CONTROL_PLANE);
        let stopped = moments.iter().any(|moment| !has_quorum(moment, None));
        assert_eq!(stops, stopped, "{case}: {during:#?}");
        self.api_stops += u32::from(stopped);
        if stopped {
            return;
        }
        let joins = moments.iter().any(|moment| moment.voters.len() > moments[0].voters.len());
        let of_masters =
            |failure: &&SingleFailure| matches!(failure, SingleFailure::Zone(_) | SingleFailure::Master(_));
        for failure in failures.iter().filter(of_masters) {
            let lost = moments.iter().any(|moment| !has_quorum(moment, Some(failure)));
            let said = is_said(during, failure, CONTROL_PLANE);
            assert!(said || !lost, "{case}, {failure}: {during:#?}\n{moments:#?}");
            // Of several masters that join, the plan does not say which one is first.
            assert!(said == lost || joins, "{case}, {failure}: {during:#?}\n{moments:#?}");
            self.quorum_at_risk += u32::from(lost);
        }
    }

    fn of_services(&mut self, during: &PlanDisruption, world: [&World; 2], moments: &[WitnessedMoment], case: &str) {
        let (first, last) = (&moments[0], moments.last().unwrap());
        let ended = first.nodes.keys().any(|node| !last.nodes.contains_key(node));
        for place in 0..world[0].services.len() {
            let part = format!("service s{place}");
            let stops = during.effects.iter().any(|effect| effect.part == part);
            let without_node = moments.iter().any(|moment| moment.nodes.is_empty());
            let wanted = without_node || (world[0].services[place] == 1 && ended);
            assert_eq!(stops, wanted, "{case}, {part}: {during:#?}\n{moments:#?}");
            self.pods_move += u32::from(wanted);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_stops_while_it_is_applied_and_what_would() {
    let mut random = fastrand::Rng::with_seed(14);
    let mut comparison = Comparison::default();
    for number in 0..40 {
        let before = World::random(&mut random);
        let mut after = before.clone();
        after.edit(&mut random);
        let case = format!("case {number}: {before:?} -> {after:?}");
        let mut user = SandboxUser { text: before.text(), ..SandboxUser::new() };
        assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done, "{case}{}", user.err.read());
        user.text = after.text();
        user.sandbox.witness(|witness| *witness = ClusterWitness::default());
        super::rolls::watched(&user);
        let plan = user.planned().await;
        let availability: PlanAvailability = serde_json::from_value(plan["availability"].clone()).unwrap();
        let during = availability.during.clone().unwrap_or_default();
        let first = seen(&user);
        let (exit, out) = user.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{case}{out}{}", user.err.read());
        let between = seen(&user);
        assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "{case}");
        let moments = first.into_iter().chain(between).chain(seen(&user));
        let moments: Vec<WitnessedMoment> = moments.collect();
        let failures = survived(&availability);
        comparison.of_control_plane(&during, &failures, &moments, &case);
        comparison.of_services(&during, [&before, &after], &moments, &case);
        comparison.quiet += u32::from(during.is_empty());
    }
    let Comparison { api_stops, quorum_at_risk, pods_move, quiet } = comparison;
    assert!(api_stops > 2 && quorum_at_risk > 20 && pods_move > 5 && quiet > 5, "{comparison:?}");
}

/// Returns the states of the machines since the last question.
fn seen(user: &SandboxUser) -> BTreeSet<WitnessedMoment> {
    user.sandbox.witness(|witness| std::mem::take(&mut witness.moments))
}
