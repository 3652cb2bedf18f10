//! The Kubernetes API's address: a network load balancer in front of the masters.

use super::outputs::{API_PORT, api_load_balancer, api_target_group, internet_routes, security_group, subnet, vpc};
use super::{BlueprintProblem, BuildContext, names};
use crate::engine::Object;
use crate::resource::{API, HealthCheck, Listener, LoadBalancer, PUBLIC_API_PORT, Resource, TargetGroup};

/// The protocol of the listener: TCP, so that the masters see the client's certificate themselves.
const PROTOCOL: &str = "TCP";

/// The load balancer can be reached from the internet; its security group limits the clients.
const SCHEME: &str = "internet-facing";

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let cluster = site.cluster.name.as_str();
    let display = site.below(API);
    let balancer = LoadBalancer {
        name: names::regional(cluster, API, &[LoadBalancer::KIND.name, SCHEME], names::LOAD_BALANCER),
        scheme: SCHEME.to_owned(),
        subnets: site.cluster.network.subnets.keys().map(subnet).collect(),
        security_groups: vec![security_group(API)],
        // Masters need not be in every zone, and a zone's address must answer all the same.
        cross_zone: true,
        tags: site.tags(&LoadBalancer::address(API), &display),
    };
    let mut balancer = balancer.object(API)?;
    // AWS refuses a load balancer that faces the internet in a VPC without a gateway, and keeps the gateway while
    // there is one.
    balancer.depends_on.insert(internet_routes());
    let port = API_PORT.to_string();
    let fixed = [TargetGroup::KIND.name, PROTOCOL, &port];
    let targets = TargetGroup {
        name: names::regional(cluster, API, &fixed, names::TARGET_GROUP),
        vpc: vpc(),
        protocol: PROTOCOL.to_owned(),
        port: API_PORT,
        health_check: ready(),
        // A master that leaves is gone soon after: watches reconnect at once.
        deregistration_seconds: 30,
        // The API server's audit log names the client. Machines of the cluster use another path, which does not go
        // through the load balancer: one that was sent back to itself by an address of its own would get no answer.
        preserve_client_ip: true,
        sticky: false,
        tags: site.tags(&TargetGroup::address(API), &display),
    };
    let listener = Listener {
        load_balancer: api_load_balancer("arn"),
        protocol: PROTOCOL.to_owned(),
        port: PUBLIC_API_PORT,
        target_group: api_target_group(),
        certificate: None,
        tls_policy: None,
        tags: site.tags(&Listener::address(API), &display),
    };
    Ok(vec![balancer, targets.object(API)?, listener.object(API)?])
}

/// A master is healthy when its API server and its etcd member answer; a roll of the masters continues only then. (With a
/// check of the API server's port alone, the next master would be replaced while this one is still without etcd.)
fn ready() -> HealthCheck {
    HealthCheck {
        protocol: "HTTPS".to_owned(),
        port: None,
        path: Some("/readyz".to_owned()),
        codes: None,
        interval: 10,
        healthy: 2,
        unhealthy: 2,
    }
}
