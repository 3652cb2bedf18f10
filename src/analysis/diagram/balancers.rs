//! Load balancers, with the names and the listeners that belong to each.

use std::collections::{BTreeMap, BTreeSet};

use super::{DiagramBalancer, PartChange};
use crate::analysis::state::ClusterState;
use crate::engine::{Address, Attributes, ExecutablePlan, Live, Value};
use crate::resource::{
    ApplicationLoadBalancer, DnsRecord, Listener, ListenerRule, LoadBalancer, Resource, SecurityGroupRules,
    TargetGroup, WEB, web_target,
};

/// The scheme of a load balancer with public addresses.
const PUBLIC: &str = "internet-facing";

/// The load balancers of a cluster, before and after a plan.
pub(super) struct Balancers<'a> {
    run: &'a ExecutablePlan,
    before: ClusterState<'a>,
    after: ClusterState<'a>,
    changes: BTreeMap<&'a Address, PartChange>,
    is_marked: bool,
}

impl<'a> Balancers<'a> {
    pub(super) fn new(run: &'a ExecutablePlan, is_marked: bool) -> Self {
        let changes = run.plan.changes.iter().filter(|_| is_marked);
        Self {
            run,
            before: if is_marked { ClusterState::before(run) } else { ClusterState::default() },
            after: ClusterState::after(run),
            changes: changes.map(|change| (&change.address, change.action.into())).collect(),
            is_marked,
        }
    }

    /// Returns the load balancer of this name, if it is wanted or exists.
    pub(super) fn named(&self, name: &str) -> Option<DiagramBalancer> {
        let (after, before) = (self.after.named::<LoadBalancer>(name), self.before.named::<LoadBalancer>(name));
        let balancer = after.or(before)?;
        let zones = if after.is_some() { self.after.zones_of(balancer) } else { self.before.zones_of(balancer) };
        let address = LoadBalancer::address(name);
        Some(DiagramBalancer {
            names: self.domains(&address),
            ports: self.ports(&address),
            is_public: balancer.text("scheme") == Some(PUBLIC),
            zones,
            change: self.change(&address),
        })
    }

    /// Returns the load balancer of the web for a service that it leads to, with the hosts and paths of that service.
    pub(super) fn of_the_web(&self, service: &str) -> Option<DiagramBalancer> {
        let target = TargetGroup::address(&web_target(service));
        let has_target = |state: &ClusterState<'_>| state.at(target.kind(), target.name()).is_some();
        let state = if has_target(&self.after) { &self.after } else { &self.before };
        let balancer = state.named::<ApplicationLoadBalancer>(WEB).filter(|_| has_target(state))?;
        let rules = self.pointing::<ListenerRule>("target_group", "arn", &target);
        let change_of = |address: &Address| self.changes.get(address).copied().unwrap_or_default();
        let mut names: Vec<(String, PartChange)> =
            rules.iter().map(|rule| (rule.name().to_owned(), change_of(rule))).collect();
        names.sort();
        let own = change_of(&ApplicationLoadBalancer::address(WEB));
        let is_changed = change_of(&target) != PartChange::Unchanged
            || names.iter().any(|(_, change)| *change != PartChange::Unchanged);
        Some(DiagramBalancer {
            names,
            ports: vec!["443 HTTPS".to_owned()],
            is_public: balancer.text("scheme") == Some(PUBLIC),
            zones: state.zones_of(balancer),
            change: if own == PartChange::Unchanged && is_changed { PartChange::Changed } else { own },
        })
    }

    /// Returns the change of a load balancer. That of its listeners, target groups and rules is a change in place.
    fn change(&self, balancer: &Address) -> PartChange {
        let own = self.changes.get(balancer).copied().unwrap_or_default();
        let parts = [Listener::KIND.name, TargetGroup::KIND.name, SecurityGroupRules::KIND.name];
        let is_part = |address: &Address| {
            let name = address.name();
            let is_own = name == balancer.name() || name.starts_with(&format!("{}/", balancer.name()));
            is_own && parts.contains(&address.kind())
        };
        let changes =
            |(address, change): (&&Address, &PartChange)| is_part(address) && *change != PartChange::Unchanged;
        if own == PartChange::Unchanged && self.changes.iter().any(changes) { PartChange::Changed } else { own }
    }

    /// Returns the names of the records that point to a load balancer.
    fn domains(&self, balancer: &Address) -> Vec<(String, PartChange)> {
        let records = self.pointing::<DnsRecord>("target", "dns_name", balancer);
        let named = |address: &Address| {
            let attributes = self.attributes(address)?;
            Some((
                attributes.get("name")?.as_text()?.to_owned(),
                self.changes.get(address).copied().unwrap_or_default(),
            ))
        };
        let mut domains: Vec<(String, PartChange)> = records.iter().filter_map(named).collect();
        domains.sort();
        domains
    }

    /// Returns the ports of the listeners of a load balancer, sorted by number.
    fn ports(&self, balancer: &Address) -> Vec<String> {
        let listeners = self.pointing::<Listener>("load_balancer", "arn", balancer);
        let port = |address: &Address| {
            let attributes = self.attributes(address)?;
            let protocol = attributes.get("protocol").and_then(Value::as_text).filter(|protocol| *protocol != "TCP");
            match attributes.get("port") {
                Some(Value::Integer(port)) => Some((*port, protocol.unwrap_or_default().replace('_', "/"))),
                _ => None,
            }
        };
        let ports: BTreeSet<(i64, String)> = listeners.iter().filter_map(port).collect();
        ports.iter().map(|(port, protocol)| format!("{port} {protocol}").trim_end().to_owned()).collect()
    }

    /// Returns the objects of a kind with an attribute that refers to an output of a load balancer.
    fn pointing<R: Resource>(&self, attribute: &str, output: &str, balancer: &Address) -> Vec<Address> {
        let live = self.live(balancer).and_then(|live| live.outputs.get(output));
        let points = |address: &Address| match self.attributes(address)?.get(attribute)? {
            Value::Pending(template) => Some(template.references().any(|part| part.address == *balancer)),
            Value::Text(text) => Some(live.is_some_and(|live| live.eq_ignore_ascii_case(text))),
            _ => None,
        };
        let objects = self.before.objects().chain(self.after.objects()).filter(|object| object.is::<R>());
        let addresses: BTreeSet<&Address> = objects.map(|object| object.address).collect();
        addresses.into_iter().filter(|address| points(address) == Some(true)).cloned().collect()
    }

    /// Returns the attributes of an object after the plan, or before it.
    fn attributes(&self, address: &Address) -> Option<&'a Attributes> {
        let wanted = self.run.desired.get(address).map(|object| &object.attributes);
        wanted.or_else(|| self.live(address).filter(|_| self.is_marked).map(|live| &live.attributes))
    }

    fn live(&self, address: &Address) -> Option<&'a Live> {
        let surplus = || self.run.surplus.iter().find(|live| live.address == *address);
        self.run.live.get(address).or_else(surplus)
    }
}
