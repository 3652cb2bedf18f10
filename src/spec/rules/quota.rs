//! AWS quotas of an account, at their default values.

use std::collections::BTreeMap;

use super::super::cluster::{Cluster, NetworkPlugin};
use super::super::diagnostic::{Diagnostic, Severity::Warning};
use super::super::file::NlbFile;
use super::super::service::{Service, Transport};
use super::{LoweringContext, OptionalSetting, Rule, Span, Spanned};

pub(super) static RULES: [&Rule; 1] = [&INBOUND];

/// Maximum number of inbound rules of a security group.
const MOST: usize = crate::limits::aws::SECURITY_GROUP_RULES;
/// Number of rules that the masters' group always has, and of those that only another network plugin needs.
const MASTERS: (usize, usize) = (12, 6);
/// Number of rules that the nodes' group always has.
const NODES: usize = 3;

static INBOUND: Rule = Rule {
    code: "Q0435",
    severity: Warning,
    title: "more rules than a security group takes by default",
    explanation: "AWS lets a security group have 60 inbound rules, and `apply` would stop at that group, unless the \
        account's quota \"Inbound or outbound rules per security group\" was raised. A load balancer's group has a rule for \
        each pair of a port (two for TCP and UDP) and a range in `allow`; the masters' and the nodes' groups have \
        one for each range in `ssh.allow`, and the nodes' one more for each port that a load balancer forwards to. \
        Name larger ranges, let several listeners forward to one port, or ask AWS for a higher quota.",
    bad: "api {\n  allow = [for host in range(61) : \"203.0.113.${host}/32\"]\n}",
    good: "api {\n  allow = [\"203.0.113.0/26\"]\n}",
};

/// Number of inbound rules of the security groups of a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InboundRules {
    /// The group of the API's load balancer.
    pub(crate) api: usize,
    /// The masters' group.
    pub(crate) masters: usize,
    /// The nodes' group.
    pub(crate) nodes: usize,
    /// The groups of services' load balancers, by service.
    pub(crate) services: BTreeMap<String, usize>,
    /// The group of the load balancer of the web.
    pub(crate) web: usize,
}

impl InboundRules {
    /// Counts the rules.
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let ssh = cluster.ssh.allow.len();
        let tunnels = if cluster.network.plugin == NetworkPlugin::None { MASTERS.1 } else { 0 };
        let is_on_the_web = cluster.services.values().any(|service| service.http.is_some());
        let listening = 1 + usize::from(cluster.web.redirect);
        let balanced = cluster.services.iter().filter(|(_, service)| service.nlb.is_some());
        Self {
            api: cluster.api.allow.len(),
            masters: MASTERS.0 + tunnels + ssh,
            nodes: NODES + ssh + cluster.services.values().map(backend_port_count).sum::<usize>(),
            services: balanced.map(|(name, service)| (name.clone(), heard(service))).collect(),
            web: if is_on_the_web { cluster.web.allow.len() * listening } else { 0 },
        }
    }
}

impl InboundRules {
    /// Returns the number of rules of the group that has most.
    pub(crate) fn most(&self) -> usize {
        let services = self.services.values().copied();
        services.chain([self.api, self.masters, self.nodes, self.web]).max().unwrap_or_default()
    }
}

/// Returns the number of rules of a load balancer's group: each port and protocol for each range.
fn heard(service: &Service) -> usize {
    let Some(nlb) = &service.nlb else { return 0 };
    let protocols = nlb.listeners.values().map(|listener| listener.protocol.transport().each().len());
    protocols.sum::<usize>() * nlb.allow.len()
}

/// Returns the number of rules by which a load balancer reaches nodes: each port and protocol behind it, and the port of
/// the health check if that is another one.
fn backend_port_count(service: &Service) -> usize {
    let on_the_web = usize::from(service.http.is_some());
    let Some(nlb) = &service.nlb else { return on_the_web };
    let targets = service.targets();
    let asked = nlb.preserve_client_ip || targets.values().any(|port| port.transport == Transport::Udp);
    targets.values().map(|port| port.transport.each().len()).sum::<usize>() + usize::from(asked) + on_the_web
}

pub(super) fn check(context: &mut LoweringContext, cluster: &Cluster) {
    let file = context.file;
    let inbound = InboundRules::of(cluster);
    let api = || file.api.given().map(|api| api.allow.key());
    at(context, api, inbound.api, "of the API's load balancer");
    at(context, || file.ssh.given().map(|ssh| ssh.allow.key()), inbound.masters, "of the masters");
    let balancer = |name: &str| file.service.given()?.get(name)?.given()?.nlb.as_ref();
    for (name, rules) in &inbound.services {
        let allow = |nlb: &Spanned<NlbFile>| nlb.given()?.allow.as_ref().map(|allow| allow.key.clone());
        let place = || balancer(name).map(|nlb| allow(nlb).unwrap_or_else(|| nlb.key.clone()));
        at(context, place, *rules, &format!("of the load balancer of `service.{name}`"));
    }
    let web = || file.web.given().and_then(|web| web.allow.as_ref()).map(|allow| allow.key.clone());
    at(context, web, inbound.web, "of the load balancer of the web");
    // The nodes' group is one for all services: the one that takes the most of it.
    let largest = cluster.services.iter().max_by_key(|(_, service)| backend_port_count(service));
    // Without a port in it, it has fewer than the masters'.
    if let Some((name, _)) = largest.filter(|(_, service)| service.nlb.is_some()) {
        at(context, || balancer(name).map(|nlb| nlb.key.clone()), inbound.nodes, "of the nodes");
    }
}

/// Warns if a group has too many rules.
fn at(context: &mut LoweringContext, place: impl FnOnce() -> Option<Span>, rules: usize, whose: &str) {
    if rules <= MOST {
        return;
    }
    let message = format!("the security group {whose} would have {rules} inbound rules");
    let problem = Diagnostic::new(&INBOUND, place().unwrap_or_default(), message)
        .note(format!("AWS allows {MOST}, unless the account's quota was raised"))
        .help("name larger ranges, or fewer ports");
    context.warn(problem);
}
