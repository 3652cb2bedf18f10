//! The versions of built-in add-ons for each version of Kubernetes: one table, and what a cluster has recorded of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spec::KubernetesVersion;

/// The recorded versions of the built-in add-ons: a newer Quorate does not change them by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedAddons {
    /// The version of Kubernetes that they were chosen for.
    pub kubernetes: KubernetesVersion,
    /// The version of each component, for example `v1.46.0` of `ebs-csi-driver`.
    pub versions: BTreeMap<String, String>,
}

/// The components: the name, and its slot in the manifests.
pub(super) const COMPONENTS: [(&str, &str); 7] = [
    // Follows Kubernetes.
    ("cloud-controller-manager", "@CLOUD_CONTROLLER@"),
    ("ebs-csi-driver", "@EBS_CSI@"),
    // Creates volumes for claims.
    ("csi-provisioner", "@PROVISIONER@"),
    ("csi-attacher", "@ATTACHER@"),
    ("csi-resizer", "@RESIZER@"),
    // Registers the driver with the kubelet.
    ("csi-node-driver-registrar", "@REGISTRAR@"),
    ("livenessprobe", "@LIVENESS@"),
];

/// The versions of all components that run beside one minor version of Kubernetes, in the order of [`COMPONENTS`].
struct AddonRelease {
    /// Kubernetes' minor version.
    minor: u32,
    versions: [&'static str; COMPONENTS.len()],
}

const fn release(minor: u32, cloud_controller: &'static str) -> AddonRelease {
    AddonRelease { minor, versions: [cloud_controller, "v1.46.0", "v5.3.0", "v4.9.0", "v1.14.0", "v2.14.0", "v2.16.0"] }
}

/// The newest first. The cloud controller also works with older versions of Kubernetes, and with the next one: it may be one
/// minor version older than the API server. Before v1.36.1 it creates no route once a route table has two: it filters for
/// several machines where AWS accepts one (kubernetes/cloud-provider-aws, issue 1351, fixed in 1463). v1.36.0 was never
/// published (kubernetes/k8s.io, pull request 9796).
const RELEASES: [AddonRelease; 4] =
    [release(37, ROUTING), release(36, ROUTING), release(35, ROUTING), release(34, ROUTING)];

/// The first cloud controller that creates routes for all machines.
const ROUTING: &str = "v1.36.1";

impl PinnedAddons {
    /// Returns the versions of this release for a version of Kubernetes; for one that is not listed, those of the newest.
    pub(in crate::blueprint) fn newest(kubernetes: KubernetesVersion) -> Self {
        let release = RELEASES.iter().find(|release| release.minor == kubernetes.minor).unwrap_or(&RELEASES[0]);
        let versions = COMPONENTS.iter().zip(release.versions);
        Self {
            kubernetes,
            versions: versions.map(|((name, _), version)| ((*name).to_owned(), version.to_owned())).collect(),
        }
    }

    /// Returns the versions that a cluster gets: the recorded ones as long as they were chosen for the same version of
    /// Kubernetes.
    pub(in crate::blueprint) fn resolve(kubernetes: KubernetesVersion, pinned: Option<&Self>) -> Self {
        let mut resolved = Self::newest(kubernetes);
        if let Some(pinned) = pinned.filter(|pinned| pinned.kubernetes == kubernetes) {
            for (name, version) in &mut resolved.versions {
                if let Some(recorded) = pinned.versions.get(name) {
                    version.clone_from(recorded);
                }
            }
        }
        resolved
    }

    /// Returns the newer versions of this release: component, recorded version, newest version.
    pub(in crate::blueprint) fn newer(&self) -> Vec<(String, String, String)> {
        let newest = Self::newest(self.kubernetes);
        let pairs = newest.versions.into_iter().filter_map(|(name, version)| {
            let recorded = self.versions.get(&name)?;
            (numbers(recorded) < numbers(&version)).then(|| (name, recorded.clone(), version))
        });
        pairs.collect()
    }

    /// Returns the version of a component for its slot in the manifests.
    pub(super) fn of(&self, component: &str) -> &str {
        self.versions.get(component).map_or("", String::as_str)
    }
}

/// Returns the numbers of a version, to compare it by: `v1.46.0` is `[1, 46, 0]`.
fn numbers(version: &str) -> Vec<u32> {
    version.trim_start_matches('v').split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_that_a_file_may_name_has_its_line() {
        let minors: Vec<u32> = RELEASES.iter().rev().map(|release| release.minor).collect();
        assert_eq!(minors, KubernetesVersion::SUPPORTED.map(|version| version.minor));
    }

    #[test]
    fn recorded_versions_are_kept_until_kubernetes_has_another_version() {
        let version = KubernetesVersion::DEFAULT;
        let mut pinned = PinnedAddons::newest(version);
        pinned.versions.insert("ebs-csi-driver".to_owned(), "v1.9.0".to_owned());
        pinned.versions.insert("unknown".to_owned(), "v1.0.0".to_owned());
        pinned.versions.remove("livenessprobe");
        let resolved = PinnedAddons::resolve(version, Some(&pinned));
        assert_eq!(resolved.of("ebs-csi-driver"), "v1.9.0");
        assert_eq!(resolved.of("livenessprobe"), "v2.16.0", "a component that is new has the version of this release");
        assert!(!resolved.versions.contains_key("unknown"));
        let newer = [("ebs-csi-driver".to_owned(), "v1.9.0".to_owned(), "v1.46.0".to_owned())];
        assert_eq!(resolved.newer(), newer, "numbers, not texts, are compared");
        let next = PinnedAddons::resolve(version.next(), Some(&pinned));
        assert_eq!(next, PinnedAddons::newest(version.next()));
    }

    #[test]
    fn an_older_release_of_quorate_offers_no_older_versions() {
        let mut pinned = PinnedAddons::newest(KubernetesVersion::DEFAULT);
        pinned.versions.insert("ebs-csi-driver".to_owned(), "v99.0.0".to_owned());
        assert_eq!(pinned.newer(), []);
    }
}
