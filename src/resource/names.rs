//! Names that identify the cluster of an object without tags, shared by the code that assigns them and that finds by them.

use sha2::{Digest, Sha256};

/// The name of the state bucket's object.
pub const STATE_BUCKET: &str = "state";

/// The name of every object of the Kubernetes API's endpoint (its load balancer, the security group that restricts access to
/// it, its record), and the label of its DNS names.
pub const API: &str = "api";

/// The name of every object of the application load balancer that all services on the web share.
pub const WEB: &str = "web";

/// Returns the name of the target group of a service on the web.
pub fn web_target(service: &str) -> String {
    format!("{WEB}/{service}")
}

/// Returns the service that a target group of this name belongs to; `None` if it is not on the web.
pub fn service_of_web_target(object: &str) -> Option<&str> {
    object.strip_prefix(WEB)?.strip_prefix('/')
}

/// The labels below the cluster's name that have their own records. The object's name is the label.
pub const RECORD_LABELS: &[&str] = &[API];

/// The prefix of the names of objects that the cluster's own controllers created.
pub const BY_KUBERNETES: &str = "by-kubernetes/";

/// Number of characters of the cluster's name in a load balancer's name.
const LABEL: usize = 10;

/// Returns the tag by which Kubernetes controllers find objects of a cluster: they delete `owned` ones with it.
pub fn kubernetes_tag(cluster: &str) -> String {
    format!("kubernetes.io/cluster/{cluster}")
}

/// The beginning of the names of the load balancer's objects of a service: no service can have the name of one of the
/// cluster's own.
const SERVICE_OBJECT: &str = "service-";

/// Returns the name of the objects of a service's load balancer.
pub fn service_object(service: &str) -> String {
    format!("{SERVICE_OBJECT}{service}")
}

/// Returns the service that an object of this name belongs to; `None` for one of the cluster's own.
pub fn service_of_object(object: &str) -> Option<&str> {
    object.strip_prefix(SERVICE_OBJECT)
}

/// The beginning of the names of private subnets and their route tables; the zone follows.
const PRIVATE_SUBNETS: &str = "private-";

/// Returns the name of a zone's private subnet. That of its public subnet is the zone.
pub fn private_subnet(zone: &str) -> String {
    format!("{PRIVATE_SUBNETS}{zone}")
}

/// Returns `true` if a subnet of this name is private.
pub fn is_private_subnet(name: &str) -> bool {
    name.starts_with(PRIVATE_SUBNETS)
}

/// Returns the domain of the private zone, in which machines find each other.
pub fn internal_domain(cluster: &str) -> String {
    format!("internal.{cluster}")
}

/// Returns the API's name inside the cluster, which is in its certificate: clients on other paths expect it too.
pub fn internal_api(cluster: &str) -> String {
    format!("{API}.{}", internal_domain(cluster))
}

/// Returns the prefix of the names of a cluster's load balancers and target groups: `chat-1a2b3c-`, at most 18 characters.
///
/// ELB cannot filter by tag; with these names an observation need not read the tags of all load balancers in the region.
/// The names are no proof: another cluster's hash may begin alike.
pub fn balancer_stem(cluster: &str) -> String {
    let first = cluster.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let label: String = first.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(LABEL).collect();
    // ELB reserves names that begin with `internal-`.
    let label = if format!("{label}-").starts_with("internal-") { "intern" } else { label.as_str() };
    format!("{label}-{}-", hex::encode(&Sha256::digest(cluster)[..3]))
}

/// The name of the script that makes a machine a part of the cluster, and of its object.
pub const NODE_SCRIPT: &str = "node.sh";
/// The name of the file with the labels and taints of all node groups.
pub const NODE_REGISTRATIONS: &str = "node-registrations";

/// The names of the Auto Scaling groups of masters begin with this; the member follows.
const MASTER_GROUPS: &str = "masters-";

/// Returns the name of a master's Auto Scaling group, by its member.
pub fn masters_group(member: &str) -> String {
    format!("{MASTER_GROUPS}{member}")
}

/// Returns the member of the master in an Auto Scaling group of this name; `None` if it is not a master's.
pub fn master_of_group(name: &str) -> Option<&str> {
    name.strip_prefix(MASTER_GROUPS)
}

/// Returns `true` if an Auto Scaling group of this name is a master's.
pub(super) fn is_masters_group(name: &str) -> bool {
    master_of_group(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_begins_with_the_first_label_and_differs_between_clusters() {
        let stem = balancer_stem("chat.poeticoding.com");
        assert!(stem.starts_with("chat-") && stem.ends_with('-'), "{stem}");
        assert_eq!(stem.len(), "chat-123456-".len());
        assert_ne!(stem, balancer_stem("chat.example.com"));
    }

    #[test]
    fn a_stem_leaves_room_for_the_rest_of_a_name() {
        assert_eq!(balancer_stem("a-very-long-label.example.com").len(), 18);
    }

    #[test]
    fn a_stem_is_never_one_that_elb_keeps_to_itself() {
        for cluster in ["internal.example.com", "internal-tools.example.com"] {
            assert!(balancer_stem(cluster).starts_with("intern-"), "{cluster}");
        }
        assert!(balancer_stem("internals.example.com").starts_with("internals-"));
    }
}
