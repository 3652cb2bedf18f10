//! The DNS names of a cluster: those that AWS assigns to its load balancers, and the records that point to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{Address, RecordedObject, Value};
use crate::resource::{ApplicationLoadBalancer, DnsRecord, LoadBalancer, Resource, service_of_object};

use super::line::{self, StyledLine, TextRole};
use super::value;

/// A load balancer and its DNS names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// The load balancer.
    pub address: Address,
    /// The names of DNS records that point to it, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub domains: Vec<String>,
    /// The name that AWS assigned to it.
    pub name: String,
}

/// Returns the load balancers among these objects, sorted by address.
pub(super) fn endpoints(objects: &BTreeMap<Address, RecordedObject>) -> Vec<Endpoint> {
    let domains = |name: &str| {
        let leads_there = |recorded: &&RecordedObject| {
            let target = recorded.attributes.get("target").and_then(Value::as_text);
            target.is_some_and(|target| target.eq_ignore_ascii_case(name))
        };
        let records = objects.iter().filter(|(address, _)| address.kind() == DnsRecord::KIND.name);
        let leading = records.map(|(_, recorded)| recorded).filter(leads_there);
        let mut domains: Vec<String> = leading.filter_map(|recorded| recorded.outputs.get("name").cloned()).collect();
        domains.sort();
        domains
    };
    let endpoint = |(address, recorded): (&Address, &RecordedObject)| {
        let name = own_name(address, &recorded.outputs)?;
        Some(Endpoint { address: address.clone(), domains: domains(name), name: name.to_owned() })
    };
    objects.iter().filter_map(endpoint).collect()
}

/// Returns the name that AWS assigned to an object, if it is a load balancer.
pub(super) fn own_name<'a>(address: &Address, outputs: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let kinds = [LoadBalancer::KIND.name, ApplicationLoadBalancer::KIND.name];
    outputs.get("dns_name").filter(|_| kinds.contains(&address.kind())).map(String::as_str)
}

/// Returns the remark about names of simulated load balancers, which do not resolve.
pub(super) fn nowhere(sandbox: bool, names: usize) -> Option<&'static str> {
    sandbox.then_some(match names {
        1 => "(simulated: this name resolves to nothing)",
        _ => "(simulated: these names resolve to nothing)",
    })
}

/// Returns the names, one on each line, beside what they give access to.
pub(super) fn lines(endpoints: &[Endpoint], sandbox: bool) -> Vec<StyledLine> {
    if endpoints.is_empty() {
        return Vec::new();
    }
    let titles: Vec<String> = endpoints.iter().map(|endpoint| value::safe(&title(&endpoint.address))).collect();
    let column = line::column(2, titles.iter().map(String::as_str));
    let mut lines = vec![StyledLine::default(), StyledLine::at(0).ink(TextRole::Strong, "Reached by name:")];
    for (endpoint, title) in endpoints.iter().zip(&titles) {
        // A browser needs one of the names that the certificates are for.
        let is_web = endpoint.address.kind() == ApplicationLoadBalancer::KIND.name;
        let names = endpoint.domains.iter().map(|name| if is_web { format!("https://{name}") } else { name.clone() });
        for (place, name) in names.chain([endpoint.name.clone()]).enumerate() {
            let line = StyledLine::at(2).plain(if place == 0 { title.as_str() } else { "" });
            lines.push(line::beside(line, &value::safe(&name), column));
        }
    }
    lines.extend(nowhere(sandbox, usize::MAX).map(|remark| StyledLine::at(2).ink(TextRole::Faint, remark)));
    lines
}

/// Returns the title of what is behind a load balancer.
fn title(address: &Address) -> String {
    match service_of_object(address.name()) {
        _ if address.kind() == ApplicationLoadBalancer::KIND.name => "web".to_owned(),
        Some(service) => format!("service {service}"),
        None => "Kubernetes API".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::*;
    use crate::view::TextStyle;
    use crate::view::line::screen;

    fn recorded(address: &str, attribute: (&str, &str), output: (&str, &str)) -> (Address, RecordedObject) {
        let recorded = RecordedObject {
            id: String::new(),
            attributes: [(attribute.0.to_owned(), Value::Text(attribute.1.to_owned()))].into(),
            outputs: [(output.0.to_owned(), output.1.to_owned())].into(),
            needs: BTreeSet::new(),
        };
        (address.parse().unwrap(), recorded)
    }

    fn objects() -> BTreeMap<Address, RecordedObject> {
        let balancer = |name: &str, dns_name: &str| recorded(name, ("scheme", "internal"), ("dns_name", dns_name));
        let record = |name: &str, target: &str| {
            recorded(&format!("record/{name}"), ("target", target), ("name", &format!("{name}.poeticoding.com")))
        };
        [
            balancer("load-balancer/service-chat", "Chat-1.elb.us-east-1.amazonaws.com"),
            balancer("load-balancer/api", "api-1.elb.us-east-1.amazonaws.com"),
            balancer("load-balancer/service-dns", "dns-1.elb.us-east-1.amazonaws.com"),
            balancer("vpc/main", "none"),
            record("chat", "chat-1.elb.us-east-1.amazonaws.com"),
            record("api.chat", "api-1.elb.us-east-1.amazonaws.com"),
            record("other", "elsewhere.example.com"),
        ]
        .into()
    }

    #[test]
    fn a_load_balancer_stands_with_the_names_that_lead_to_it() {
        let text = |sandbox| screen(&lines(&endpoints(&objects()), sandbox), TextStyle::default());
        insta::assert_snapshot!(text(true));
        assert!(!text(false).contains("simulated"));
    }

    #[test]
    fn endpoints_without_a_name_are_not_shown() {
        assert_eq!(lines(&endpoints(&BTreeMap::new()), true), []);
    }
}
