//! Names that say whose an object is, where no tag can: what gives them and what finds by them agree here.

use sha2::{Digest, Sha256};

/// The name of the state bucket's object.
pub const STATE_BUCKET: &str = "state";

/// The name of every object that leads to the Kubernetes API (its load balancer, the security group that says who reaches
/// that, its record), and the label of its names in DNS.
pub const API: &str = "api";

/// The labels below the cluster's name that have a record of their own. The object's name is the label.
pub const RECORD_LABELS: &[&str] = &[API];

/// How the names begin of what the cluster's own controllers made.
pub const BY_KUBERNETES: &str = "by-kubernetes/";

/// How much of the cluster's name stands in a load balancer's.
const LABEL: usize = 10;

/// The tag by which Kubernetes' own controllers know what belongs to a cluster: `owned` is what they remove with it.
pub fn kubernetes_tag(cluster: &str) -> String {
    format!("kubernetes.io/cluster/{cluster}")
}

/// The domain of the private zone, in which machines find each other.
pub fn internal_domain(cluster: &str) -> String {
    format!("internal.{cluster}")
}

/// The API's name inside the cluster, which its certificate holds: whoever comes by another way expects it too.
pub fn internal_api(cluster: &str) -> String {
    format!("{API}.{}", internal_domain(cluster))
}

/// The beginning of the names of a cluster's load balancers and target groups: `chat-1a2b3c-`, at most 18 characters.
///
/// ELB cannot be asked by tag, so these names are what keeps a look from reading the tags of the whole region. They are
/// no proof: another cluster's hash may begin alike.
pub fn balancer_stem(cluster: &str) -> String {
    let first = cluster.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let label: String = first.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(LABEL).collect();
    // ELB keeps names that begin with `internal-` to itself.
    let label = if format!("{label}-").starts_with("internal-") { "intern" } else { label.as_str() };
    let hash = Sha256::digest(cluster);
    format!("{label}-{:02x}{:02x}{:02x}-", hash[0], hash[1], hash[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_begins_with_the_first_label_and_tells_clusters_apart() {
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
