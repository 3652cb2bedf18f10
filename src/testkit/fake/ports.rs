//! Node ports, which services share: each is allocated to one service.

use serde_json::Value as Json;

use super::schema::SchemaRefusal;
use super::state::ServerState;
use super::target::ObjectKey;

/// The range for services that request no port: lower ports are reserved for requests of a certain port.
const FREE: std::ops::RangeInclusive<i64> = 30_086..=32_767;

impl ServerState {
    /// Allocates the ports that the service of this key needs and does not name.
    pub(super) fn give_ports(&self, key: &ObjectKey, service: &mut Json) {
        if service["kind"] != "Service" {
            return;
        }
        let mut taken = numbers(service);
        taken.extend(self.taken(key));
        let spec = &mut service["spec"];
        let open = spec["type"] == "NodePort"
            || (spec["type"] == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false);
        let mut free = FREE.filter(|port| !taken.contains(port));
        for port in spec["ports"].as_array_mut().into_iter().flatten().filter(|_| open) {
            if port["nodePort"].is_null() {
                port["nodePort"] = free.next().into();
            }
        }
        if is_checked(spec) && spec["healthCheckNodePort"].is_null() {
            spec["healthCheckNodePort"] = free.next().into();
        }
        // Indexing JSON mutably creates the value.
        if let Some(spec) = spec.as_object_mut() {
            spec.retain(|_, value| !value.is_null());
        }
    }

    /// Validates a service's ports and its load balancer, as the server does.
    pub(super) fn check_service(
        &self,
        key: &ObjectKey,
        service: &Json,
        before: Option<&Json>,
    ) -> Result<(), SchemaRefusal> {
        if service["kind"] != "Service" {
            return Ok(());
        }
        let refuse = |field: &str, why: &str| {
            Err((422, "Invalid", format!("Service \"{}\" is invalid: spec.{field}: {why}", key.2)))
        };
        let of_a_balancer = |service: &Json| service["spec"]["type"] == "LoadBalancer";
        let field = |service: &Json, name: &str| service["spec"].get(name).cloned();
        let other = |name: &str| before.is_some_and(|before| field(before, name) != field(service, name));
        if of_a_balancer(service) && before.is_some_and(of_a_balancer) && other("loadBalancerClass") {
            return refuse("loadBalancerClass", "Invalid value: may not change once set");
        }
        if !of_a_balancer(service) && field(service, "loadBalancerClass").is_some() {
            return refuse("loadBalancerClass", "Forbidden: may only be used when `type` is 'LoadBalancer'");
        }
        let checked = is_checked(&service["spec"]) && before.is_some_and(|before| is_checked(&before["spec"]));
        if checked && other("healthCheckNodePort") {
            return refuse("healthCheckNodePort", "Forbidden: field is immutable");
        }
        let taken = |port: i64| format!("Invalid value: {port}: provided port is already allocated");
        let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (at, port) in ports.iter().enumerate().filter(|(_, port)| port["nodePort"].is_i64()) {
            let mut same = ports[..at].iter().filter(|other| other["nodePort"] == port["nodePort"]);
            if same.clone().any(|other| other["protocol"] == port["protocol"]) {
                return refuse(&format!("ports[{at}].nodePort"), &taken(port["nodePort"].as_i64().unwrap_or_default()));
            }
            // Two protocols of one port share it.
            if same.any(|other| other["port"] != port["port"]) {
                return refuse(&format!("ports[{at}].nodePort"), &taken(port["nodePort"].as_i64().unwrap_or_default()));
            }
        }
        let of_others: Vec<i64> = self.taken(key).collect();
        match numbers(service).into_iter().find(|port| of_others.contains(port)) {
            Some(port) => refuse("ports[0].nodePort", &taken(port)),
            None => Ok(()),
        }
    }

    /// Returns the ports of all other services.
    fn taken(&self, key: &ObjectKey) -> impl Iterator<Item = i64> {
        let others = self.objects.iter().filter(move |(other, _)| *other != key && other.0 == "services");
        others.flat_map(|(_, stored)| numbers(&stored.object))
    }
}

/// Returns `true` if a load balancer checks which nodes have a pod of the service.
fn is_checked(spec: &Json) -> bool {
    spec["type"] == "LoadBalancer" && spec["externalTrafficPolicy"] == "Local"
}

/// Returns the ports of a service on every node.
fn numbers(service: &Json) -> Vec<i64> {
    let named = service["spec"]["ports"].as_array().into_iter().flatten().filter_map(|port| port["nodePort"].as_i64());
    named.chain(service["spec"]["healthCheckNodePort"].as_i64()).collect()
}
