//! Services: the user's programs in the cluster, and their load balancers.

mod balancer;
mod expansion;
mod jobs;
mod manifests;
mod ports;
mod priorities;
mod security;
mod web;

use std::collections::{BTreeMap, BTreeSet};

use super::outputs::{kubernetes_api, nodes_groups};
use super::{BlueprintProblem, BuildContext, addons};
use crate::engine::{Address, Object, TextInput};
use crate::resource::{
    AUTOSCALER, CONFIG_MAP, Certificate, DEPLOYMENT, DISRUPTION_BUDGET, GroupRule, JOB, NAMESPACE, Resource, SERVICE,
    STATEFUL_SET, VOLUME_CLAIM, manifest_object,
};
use crate::spec::{Cluster, Scale, Service};

pub(super) use ports::node_ports;
pub(super) use priorities::rule_priorities;

/// The namespace that always exists.
const ALWAYS_THERE: &str = "default";

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects: Vec<Object> = namespaces(site).map(|name| namespace(site, name)).collect();
    for (name, service) in &site.cluster.services {
        objects.extend(in_the_cluster(site, name, service));
        if let Some(nlb) = &service.nlb {
            objects.extend(balancer::objects(site, name, service, nlb)?);
        }
    }
    objects.extend(web::objects(site)?);
    Ok(objects)
}

/// Returns the target groups that every node is registered in.
pub(super) fn target_groups(site: &BuildContext<'_>) -> Vec<TextInput> {
    balancer::target_groups(site).chain(web::target_groups(site)).collect()
}

/// Returns the rules by which load balancers reach the nodes.
pub(super) fn rules_of_nodes<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = GroupRule> + 'a {
    balancer::rules_of_nodes(site).chain(web::rules_of_nodes(site))
}

/// Returns the kinds of objects that few clusters have, and that this one has.
pub(super) fn optional_kinds(cluster: &Cluster) -> BTreeSet<&'static str> {
    let is_on_the_web = cluster.services.values().any(|service| service.http.is_some());
    BTreeSet::from_iter(is_on_the_web.then_some(Certificate::KIND.name))
}

/// Returns the claims of services by name, each with its volumes and their services.
pub(super) fn volume_claims(site: &BuildContext<'_>) -> BTreeMap<String, Vec<String>> {
    let mut claims: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, service) in &site.cluster.services {
        for (claim, volume, _) in manifests::claims(name, service) {
            claims.entry(claim).or_default().push(format!("the volume {volume} of the service {name}"));
        }
    }
    claims
}

/// Returns the namespaces of services, each once, without those that an add-on creates.
fn namespaces<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = &'a str> {
    let named: BTreeSet<&str> = site.cluster.services.values().map(|service| service.namespace.as_str()).collect();
    named.into_iter().filter(|name| *name != ALWAYS_THERE && addons::namespace(site, name).is_none())
}

fn namespace(site: &BuildContext<'_>, name: &str) -> Object {
    let mut object = kubernetes_object(site, Address::new(NAMESPACE, name), manifests::namespace(name));
    object.depends_on.extend(kubernetes_api(site.cluster));
    object
}

fn kubernetes_object(site: &BuildContext<'_>, address: Address, manifest: serde_json::Value) -> Object {
    manifest_object(site.cluster.name.as_str(), address, manifest)
}

/// Returns the Kubernetes objects of a service.
fn in_the_cluster(site: &BuildContext<'_>, name: &str, service: &Service) -> Vec<Object> {
    let mut first: BTreeSet<Address> = kubernetes_api(site.cluster).collect();
    if service.namespace != ALWAYS_THERE {
        let made = addons::namespace(site, &service.namespace);
        first.insert(made.unwrap_or_else(|| Address::new(NAMESPACE, &service.namespace)));
    }
    let mut objects: Vec<Object> = manifests::claims(name, service)
        .map(|(claim, _, wanted)| {
            let manifest = manifests::volume_claim(&claim, service, wanted);
            let mut claim = kubernetes_object(site, Address::new(VOLUME_CLAIM, claim), manifest);
            // Who makes volumes is there before the first claim, and leaves after the last.
            claim.depends_on.extend(addons::workloads_of(site, addons::EBS));
            claim
        })
        .collect();
    if !service.files.is_empty() {
        objects.push(kubernetes_object(site, Address::new(CONFIG_MAP, name), manifests::files(name, service)));
    }
    // Pods mount both, and need machines to run on, and a controller that initializes these as nodes.
    let mut needs: BTreeSet<Address> = objects.iter().map(|mounted| mounted.address.clone()).collect();
    needs.extend(nodes_groups(site.cluster));
    needs.extend(addons::workloads_of(site, addons::CLOUD_CONTROLLER));
    let mut jobs: Vec<Object> = service
        .jobs
        .iter()
        .map(|(job, wanted)| {
            let (kind, manifest) = jobs::object(name, service, job, wanted);
            kubernetes_object(site, Address::new(kind, format!("{name}/{job}")), manifest)
        })
        .collect();
    for job in &mut jobs {
        job.depends_on.extend(needs.iter().filter(|need| need.kind() != VOLUME_CLAIM).cloned());
    }
    let (kind, manifest) = if service.volume_per_pod {
        (STATEFUL_SET, manifests::stateful_set(name, service))
    } else {
        (DEPLOYMENT, manifests::deployment(name, service))
    };
    let mut workload = kubernetes_object(site, Address::new(kind, name), manifest);
    // A job without a schedule has to succeed first.
    needs.extend(jobs.iter().map(|job| job.address.clone()).filter(|job| job.kind() == JOB));
    workload.depends_on.extend(needs);
    objects.extend(jobs);
    let own = workload.address.clone();
    objects.push(workload);
    if service.volume_per_pod && !service.ports.is_empty() {
        let manifest = manifests::pods_service(name, service);
        objects.push(kubernetes_object(site, Address::new(SERVICE, format!("{name}/pods")), manifest));
    }
    if !service.ports.is_empty() {
        let node_ports = manifests::NodePorts {
            of: &|port| ports::of_target(&site.node_ports, name, port),
            health: ports::of_health(&site.node_ports, name),
        };
        let manifest = manifests::service(name, service, &node_ports);
        objects.push(kubernetes_object(site, Address::new(SERVICE, name), manifest));
    }
    if service.scale.least() > 1 {
        let manifest = manifests::disruption_budget(name, service);
        objects.push(kubernetes_object(site, Address::new(DISRUPTION_BUDGET, name), manifest));
    }
    if let Scale::Range { min, max } = service.scale {
        let manifest = manifests::autoscaler(name, service, min, max);
        let mut autoscaler = kubernetes_object(site, Address::new(AUTOSCALER, name), manifest);
        autoscaler.depends_on.insert(own);
        objects.push(autoscaler);
    }
    for object in &mut objects {
        object.depends_on.extend(first.iter().cloned());
    }
    objects
}

/// Returns the services whose number of pods follows their load.
pub(super) fn scaled(site: &BuildContext<'_>) -> Vec<String> {
    let scaled = site.cluster.services.iter().filter(|(_, service)| matches!(service.scale, Scale::Range { .. }));
    scaled.map(|(name, _)| name.clone()).collect()
}

/// Returns an output of one of a service's objects.
fn output<R: Resource>(object: &str, output: &str) -> TextInput {
    TextInput::output(R::address(object), output)
}
