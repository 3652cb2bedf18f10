//! Random clusters, whose failures are tried one by one on every placement of machines and pods that is possible: a model of its
//! own, which shares nothing with the one that is tested.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];
/// The memory for pods of a node in MiB: of the 4,096 that the facts of tests have, a quarter is reserved, and pods are evicted
/// from the last 100.
const NODE: u64 = 4096 - 1024 - 100;

/// A cluster as it is written in a file.
#[derive(Debug, Clone)]
struct World {
    zones: Vec<&'static str>,
    masters: Vec<&'static str>,
    groups: Vec<(Vec<&'static str>, u64)>,
    services: Vec<WorldService>,
    /// The request of each pod that has one, in MiB.
    memory: u64,
}

#[derive(Debug, Clone)]
struct WorldService {
    replicas: u64,
    volume: bool,
    groups: Vec<usize>,
    zones: Vec<&'static str>,
    asks: bool,
    /// A load balancer, and whether it crosses zones.
    balancer: Option<bool>,
}

/// A node: its group and its zone.
type Node = (usize, &'static str);

impl WorldService {
    fn may_run(&self, (group, zone): Node) -> bool {
        (self.groups.is_empty() || self.groups.contains(&group))
            && (self.zones.is_empty() || self.zones.contains(&zone))
    }

    /// Returns every placement of its pods on nodes, by the number of their node.
    fn pods(&self, nodes: &[Node]) -> Vec<Vec<usize>> {
        let hosts: Vec<usize> = (0..nodes.len()).filter(|node| self.may_run(nodes[*node])).collect();
        let zones: BTreeSet<&'static str> = hosts.iter().map(|node| nodes[*node].1).collect();
        let zones: Vec<&'static str> = zones.into_iter().collect();
        let mut all = Vec::new();
        for spread in spreads(self.replicas, &zones) {
            for turn in 0..hosts.len() {
                let mut pods = Vec::new();
                for (zone, count) in &spread {
                    let of_zone: Vec<usize> = hosts.iter().copied().filter(|node| nodes[*node].1 == *zone).collect();
                    let count = usize::try_from(*count).unwrap();
                    pods.extend((0..count).map(|pod| of_zone[(pod + turn) % of_zone.len()]));
                }
                all.push(pods);
            }
        }
        all
    }
}

impl World {
    fn random(random: &mut fastrand::Rng) -> Self {
        let zones = ZONES[..random.usize(1..=3)].to_vec();
        let some = |random: &mut fastrand::Rng| -> Vec<&'static str> {
            let some: Vec<_> = zones.iter().copied().filter(|_| random.bool()).collect();
            if some.is_empty() { zones.clone() } else { some }
        };
        let masters = [1, 3, 5][random.usize(..3)];
        let groups: Vec<_> = (0..random.usize(1..=2)).map(|_| (some(random), random.u64(1..=4))).collect();
        let services = (0..random.usize(..4)).map(|_| {
            let volume = random.u8(..4) == 0;
            let narrow = random.u8(..4) == 0;
            let chosen: Vec<usize> = (0..groups.len()).filter(|_| random.bool()).collect();
            let among = if chosen.is_empty() { (0..groups.len()).collect() } else { chosen.clone() };
            let near: BTreeSet<&str> = among.iter().flat_map(|group: &usize| groups[*group].0.clone()).collect();
            let places = ZONES.iter().copied().filter(|zone| near.contains(zone) && random.bool()).collect();
            WorldService {
                replicas: if volume { 1 } else { random.u64(1..=3) },
                volume,
                groups: chosen,
                zones: if narrow { places } else { Vec::new() },
                asks: !narrow && random.bool(),
                balancer: random.bool().then(|| random.bool()),
            }
        });
        let services = services.collect();
        let masters = (0..masters).map(|_| zones[random.usize(..zones.len())]).collect();
        Self { zones: zones.clone(), masters, groups, services, memory: [900, 1400, 2900][random.usize(..3)] }
    }

    fn file(&self) -> String {
        let list = |zones: &[&str]| format!("{zones:?}");
        let mut file = format!(
            "name = \"chat.poeticoding.com\"\nstate = \"s3://state\"\nzones = {}\nmasters {{\n  count = {}\n  size = \
             \"t3.medium\"\n  zones = {}\n}}\n",
            list(&self.zones),
            self.masters.len(),
            list(&self.masters),
        );
        for (place, (zones, count)) in self.groups.iter().enumerate() {
            writeln!(
                file,
                "nodes \"g{place}\" {{\n  count = {count}\n  size = \"t3.medium\"\n  zones = {}\n}}",
                list(zones)
            )
            .unwrap();
        }
        for (place, service) in self.services.iter().enumerate() {
            let mut body = format!("  image = \"app:1\"\n  port = 8080\n  replicas = {}\n", service.replicas);
            if service.volume {
                body.push_str("  volume \"data\" {\n    path = \"/data\"\n    gib = 1\n  }\n");
            }
            if service.asks {
                writeln!(body, "  memory = \"{}Mi\"", self.memory).unwrap();
            }
            if let Some(cross_zone) = service.balancer {
                writeln!(body, "  nlb {{\n    port = {}\n    cross_zone = {cross_zone}\n  }}", 80 + place).unwrap();
            }
            if !service.groups.is_empty() || !service.zones.is_empty() {
                let groups: Vec<String> = service.groups.iter().map(|group| format!("g{group}")).collect();
                writeln!(body, "  placement {{\n    nodes = {groups:?}\n    zones = {}\n  }}", list(&service.zones))
                    .unwrap();
            }
            writeln!(file, "service \"s{place}\" {{\n{body}}}").unwrap();
        }
        file
    }

    /// Returns every placement of the nodes that Auto Scaling may choose.
    fn placements(&self) -> Vec<Vec<Node>> {
        let mut all: Vec<Vec<Node>> = vec![Vec::new()];
        for (group, (zones, count)) in self.groups.iter().enumerate() {
            let choices = spreads(*count, zones);
            let extended = all.iter().flat_map(|nodes| {
                choices.iter().map(move |spread| {
                    let new = spread.iter().flat_map(|(zone, count)| (0..*count).map(move |_| (group, *zone)));
                    nodes.iter().copied().chain(new).collect()
                })
            });
            all = extended.collect();
        }
        all
    }

    /// Returns whether the pods that ask for memory have room on the nodes, by counting for each set of groups the pods that may
    /// run only there.
    fn has_room(&self, nodes: &[Node], with_volumes: bool) -> bool {
        let each = NODE / self.memory;
        let fits = |set: &[usize]| {
            let room = each * u64::try_from(nodes.iter().filter(|(group, _)| set.contains(group)).count()).unwrap();
            let bound = self.services.iter().filter(|service| {
                let only_here = !service.groups.is_empty() && service.groups.iter().all(|group| set.contains(group));
                let is_bound = only_here || set.len() == self.groups.len();
                let has_host = nodes.iter().any(|node| service.may_run(*node));
                service.asks && is_bound && has_host && (with_volumes || !service.volume)
            });
            bound.map(|service| service.replicas).sum::<u64>() <= room
        };
        let sets: &[&[usize]] = if self.groups.len() == 1 { &[&[0]] } else { &[&[0], &[1], &[0, 1]] };
        sets.iter().all(|set| fits(set))
    }

    /// Tries a failure of masters and nodes on one placement. Returns the worst outcome.
    fn outcome(&self, nodes: &[Node], failure: &TriedFailure, broken: &[bool], is_full: bool) -> FailureOutcome {
        let dead = |node: usize| match failure {
            TriedFailure::Zone(zone) => nodes[node].1 == *zone,
            TriedFailure::Node(dead) => node == *dead,
            TriedFailure::Master(_) => false,
        };
        let masters = self.masters.iter().enumerate().filter(|(place, zone)| match failure {
            TriedFailure::Zone(dead) => *zone != dead,
            TriedFailure::Master(dead) => place != dead,
            TriedFailure::Node(_) => true,
        });
        let api = masters.count() * 2 > self.masters.len();
        let is_zone = matches!(failure, TriedFailure::Zone(_));
        let mut worst = match (api, is_zone) {
            (true, _) => FailureOutcome::Survived,
            (false, true) => FailureOutcome::Stopped,
            (false, false) => FailureOutcome::Interrupted,
        };
        let left: Vec<Node> = (0..nodes.len()).filter(|node| !dead(*node)).map(|node| nodes[node]).collect();
        for (service, _) in self.services.iter().zip(broken).filter(|(_, broken)| !**broken) {
            for pods in service.pods(nodes) {
                if !pods.iter().all(|node| dead(*node)) {
                    continue;
                }
                let elsewhere = left.iter().any(|node| service.may_run(*node));
                let outcome = match failure {
                    TriedFailure::Zone(_) if service.volume || !api || !elsewhere => FailureOutcome::Stopped,
                    TriedFailure::Node(_) if !api => FailureOutcome::Stopped,
                    _ => FailureOutcome::Interrupted,
                };
                worst = worst.max(outcome);
            }
            if let (TriedFailure::Zone(dead), Some(cross_zone)) = (failure, service.balancer) {
                let addresses: Vec<_> = self.zones.iter().filter(|zone| *zone != dead).collect();
                let answers =
                    addresses.iter().any(|zone| cross_zone || left.iter().any(|(_, of_node)| of_node == *zone));
                if !answers {
                    worst = FailureOutcome::Stopped;
                }
            }
        }
        if !is_full && !self.has_room(&left, !is_zone) {
            let TriedFailure::Zone(dead) = failure else { return worst.max(FailureOutcome::Interrupted) };
            let elsewhere = self.groups.iter().all(|(zones, _)| zones.iter().any(|zone| zone != dead));
            worst = worst.max(if elsewhere { FailureOutcome::Interrupted } else { FailureOutcome::Stopped });
        }
        worst
    }

    /// Tries a failure on every placement.
    fn worst(&self, failures: impl Fn(&[Node]) -> Vec<TriedFailure>) -> FailureOutcome {
        let placements = self.placements();
        let broken: Vec<bool> = self
            .services
            .iter()
            .map(|service| placements.iter().any(|nodes| !nodes.iter().any(|node| service.may_run(*node))))
            .collect();
        let outcomes = placements.iter().flat_map(|nodes| {
            let is_full = !self.has_room(nodes, true);
            failures(nodes)
                .into_iter()
                .map(|failure| self.outcome(nodes, &failure, &broken, is_full))
                .collect::<Vec<_>>()
        });
        outcomes.max().unwrap_or(FailureOutcome::Survived)
    }
}

/// A failure of one thing of a world.
enum TriedFailure {
    Zone(&'static str),
    Master(usize),
    Node(usize),
}

/// Returns every even spread of a number over zones.
fn spreads(count: u64, zones: &[&'static str]) -> Vec<Vec<(&'static str, u64)>> {
    let number = u64::try_from(zones.len()).unwrap();
    if number == 0 {
        return Vec::new();
    }
    let (each, rest) = (count / number, count % number);
    let subsets = (0_u32..1 << zones.len()).filter(|set| u64::from(set.count_ones()) == rest);
    subsets
        .map(|set| {
            let more = |place: usize| u64::from(set >> place & 1);
            zones.iter().enumerate().map(|(place, zone)| (*zone, each + more(place))).collect()
        })
        .collect()
}

#[test]
fn every_failure_has_the_outcome_that_trying_it_has() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut observed: std::collections::BTreeMap<FailureOutcome, u32> = std::collections::BTreeMap::new();
    for number in 0..150 {
        let world = World::random(&mut random);
        let availability = judged(&world.file());
        for effects in &availability.failures {
            let tried = match &effects.failure {
                SingleFailure::Zone(name) => {
                    let zone = ZONES.into_iter().find(|zone| zone == name).unwrap();
                    world.worst(|_| vec![TriedFailure::Zone(zone)])
                }
                SingleFailure::Master(letter) => {
                    let place = usize::from(letter.as_bytes()[0] - b'a');
                    world.worst(|_| vec![TriedFailure::Master(place)])
                }
                SingleFailure::Node(name) => {
                    let group: usize = name[1..].parse().unwrap();
                    let of_group = |nodes: &[Node]| -> Vec<TriedFailure> {
                        let members = (0..nodes.len()).filter(|node| nodes[*node].0 == group);
                        members.map(TriedFailure::Node).collect()
                    };
                    world.worst(of_group)
                }
                // The data of a member is lost with its volume; the others have it if they are enough.
                SingleFailure::EtcdVolume(_) if world.masters.len() > 2 => FailureOutcome::Survived,
                SingleFailure::EtcdVolume(_) | SingleFailure::Volume(_) => FailureOutcome::Stopped,
            };
            *observed.entry(tried).or_default() += 1;
            assert_eq!(effects.outcome, tried, "world {number}, {}: {effects:#?}\n{}", effects.failure, world.file());
        }
    }
    assert!(observed.len() == 3 && observed.values().all(|times| *times > 60), "every outcome occurs: {observed:?}");
}
