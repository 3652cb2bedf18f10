//! Node ports of services behind load balancers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::blueprint::{BlueprintProblem, Pins};
use crate::spec::{Cluster, Service};

/// The static node ports. Kubernetes itself assigns one of the others (30086 to 32767) to a service that
/// names none.
const BAND: RangeInclusive<u16> = 30_000..=30_085;

/// Maximum number of target groups that AWS attaches to an Auto Scaling group. This quota cannot be raised.
const TARGET_GROUPS: usize = 50;

/// Returns the node port of each target of a load balancer, and of each separate health check: its previous one, or the
/// first free one.
pub(in crate::blueprint) fn node_ports(
    cluster: &Cluster,
    pins: &Pins,
) -> Result<BTreeMap<String, u16>, BlueprintProblem> {
    let wanted: Vec<String> = cluster.services.iter().flat_map(|(name, service)| users(name, service)).collect();
    if wanted.len() > BAND.len() {
        return Err(BlueprintProblem::TooManyNodePorts { found: wanted.len(), most: BAND.len() });
    }
    let target_groups = |service: &Service| service.targets().len() + usize::from(service.http.is_some());
    let targets: usize = cluster.services.values().map(target_groups).sum();
    if targets > TARGET_GROUPS {
        return Err(BlueprintProblem::TooManyTargets { found: targets, most: TARGET_GROUPS });
    }
    let mut ports: BTreeMap<String, u16> = BTreeMap::new();
    let mut taken: BTreeSet<u16> = BTreeSet::new();
    for user in &wanted {
        if let Some(port) = pins.node_ports.get(user).filter(|port| BAND.contains(port) && taken.insert(**port)) {
            ports.insert(user.clone(), *port);
        }
    }
    // A removed service keeps its port until it is deleted: a new one gets an unused port, as long as there is one.
    let had: BTreeSet<u16> = pins.node_ports.values().copied().collect();
    let (used, fresh): (Vec<u16>, Vec<u16>) =
        BAND.filter(|port| !taken.contains(port)).partition(|port| had.contains(port));
    let mut free = fresh.into_iter().chain(used);
    for user in wanted {
        if !ports.contains_key(&user) {
            ports.extend(free.next().map(|port| (user, port)));
        }
    }
    Ok(ports)
}

/// Returns everything about a service that needs a node port.
fn users(name: &str, service: &Service) -> Vec<String> {
    let targets = service.exposed().into_iter().map(|port| target(name, port));
    let health = service.nlb.as_ref().filter(|nlb| nlb.preserve_client_ip).map(|_| health(name));
    targets.chain(health).collect()
}

/// Returns the node port of a port of a service.
pub(super) fn of_target(node_ports: &BTreeMap<String, u16>, service: &str, port: &str) -> Option<u16> {
    node_ports.get(&target(service, port)).copied()
}

/// Returns the node port that reports whether a machine has a pod of a service; only for a service that sees its clients'
/// addresses.
pub(super) fn of_health(node_ports: &BTreeMap<String, u16>, service: &str) -> Option<u16> {
    node_ports.get(&health(service)).copied()
}

/// Returns the name of a target in the record: by its name and not by its number, so that a container may listen on
/// another port while its load balancer stays as it is.
fn target(service: &str, port: &str) -> String {
    if port == Service::MAIN { service.to_owned() } else { format!("{service}/{port}") }
}

/// Returns the name of a health check in the record. No port can have that name.
fn health(service: &str) -> String {
    format!("{service}/health check")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::spec::parse;

    fn ports(services: &str, pins: &[(&str, u16)]) -> Result<Vec<(String, u16)>, String> {
        let text = format!(
            "name = \"chat.example.com\"\nstate = \"file:./state\"\nzones = [\"us-east-1a\"]\n\
             masters {{\nsize = \"m7g.large\"\n}}\n{services}"
        );
        let parsed = parse("cluster.hcl", &text, &BTreeMap::new());
        let cluster = parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 80)));
        let node_ports = pins.iter().map(|(user, port)| ((*user).to_owned(), *port)).collect();
        let pins = Pins { node_ports, ..Pins::default() };
        node_ports_of(&cluster, &pins)
    }

    fn node_ports_of(cluster: &Cluster, pins: &Pins) -> Result<Vec<(String, u16)>, String> {
        node_ports(cluster, pins).map(|ports| ports.into_iter().collect()).map_err(|problem| problem.to_string())
    }

    fn web(name: &str) -> String {
        format!("service \"{name}\" {{\nimage = \"nginx\"\nport = 80\nnlb {{\nport = 80\n}}\n}}\n")
    }

    fn owned(all: &[(&str, u16)]) -> Vec<(String, u16)> {
        all.iter().map(|(user, port)| ((*user).to_owned(), *port)).collect()
    }

    #[test]
    fn each_target_has_a_port_and_so_has_a_health_check_of_its_own() {
        let game = "service \"game\" {\nimage = \"game\"\nport = 7000\nports = { play = \"7777/udp\", metrics = \"9090\" }\n\
                    nlb {\nport = 80\npreserve_client_ip = true\nlistener \"a\" {\nport = 81\n}\n\
                    listener \"play\" {\nport = 7777\ntarget = \"play\"\n}\n}\n}\n";
        let found = ports(game, &[]).unwrap();
        assert_eq!(found, owned(&[("game", 30_000), ("game/health check", 30_002), ("game/play", 30_001)]));
    }

    #[test]
    fn ports_stay_and_one_that_is_about_to_be_free_is_not_given_away_yet() {
        let had = [("a", 30_000), ("b", 30_001)];
        assert_eq!(ports(&(web("b") + &web("c")), &had).unwrap(), owned(&[("b", 30_001), ("c", 30_002)]));
        assert_eq!(ports(&web("c"), &[("c", 31_000)]).unwrap(), owned(&[("c", 30_000)]), "not one of ours");
        assert_eq!(ports(&(web("a") + &web("b")), &[("a", 30_005), ("b", 30_005)]).unwrap()[0].1, 30_005);
    }

    #[test]
    fn there_are_ports_for_so_many_and_no_more() {
        let many = |number: usize| (0..number).map(|n| web(&format!("s{n}"))).collect::<String>();
        assert_eq!(ports(&many(50), &[]).unwrap().len(), 50);
        let refused = ports(&many(51), &[]).unwrap_err();
        assert!(refused.contains("need 51 target groups") && refused.contains("allows 50"), "{refused}");
        let seeing = |number| many(number).replace("nlb {", "nlb {\n  preserve_client_ip = true");
        assert_eq!(ports(&seeing(43), &[("gone", 30_000)]).unwrap().len(), 86, "the port of one that leaves, too");
        let refused = ports(&seeing(44), &[]).unwrap_err();
        assert!(refused.contains("need 88 node ports") && refused.contains("86 are available"), "{refused}");
    }
}
