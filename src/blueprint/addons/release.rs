//! The versions of add-ons for each version of Kubernetes: one table.

use crate::spec::KubernetesVersion;

/// The versions of all components that run beside one minor version of Kubernetes.
pub(super) struct ReleaseVersions {
    /// Kubernetes' minor version.
    minor: u32,
    /// The AWS cloud controller manager, which follows Kubernetes.
    pub(super) cloud_controller: &'static str,
    /// The EBS CSI driver.
    pub(super) ebs_csi: &'static str,
    /// The CSI provisioner, which creates volumes for claims.
    pub(super) provisioner: &'static str,
    /// The CSI attacher, which attaches volumes.
    pub(super) attacher: &'static str,
    /// The CSI resizer, which expands volumes.
    pub(super) resizer: &'static str,
    /// The CSI node driver registrar, which registers the driver with the kubelet.
    pub(super) registrar: &'static str,
    /// The CSI liveness probe.
    pub(super) liveness: &'static str,
}

const fn release(minor: u32, cloud_controller: &'static str) -> ReleaseVersions {
    ReleaseVersions {
        minor,
        cloud_controller,
        ebs_csi: "v1.46.0",
        provisioner: "v5.3.0",
        attacher: "v4.9.0",
        resizer: "v1.14.0",
        registrar: "v2.14.0",
        liveness: "v2.16.0",
    }
}

/// The newest first. The cloud controller also works with older versions of Kubernetes. Before v1.36.1 it creates no route
/// once a route table has two: it filters for several machines where AWS accepts one (kubernetes/cloud-provider-aws, issue
/// 1351, fixed in 1463). v1.36.0 was never published (kubernetes/k8s.io, pull request 9796).
const RELEASES: [ReleaseVersions; 3] = [release(36, ROUTING), release(35, ROUTING), release(34, ROUTING)];

/// The first cloud controller that creates routes for all machines.
const ROUTING: &str = "v1.36.1";

impl ReleaseVersions {
    /// Returns the versions for a version of Kubernetes; for one that is not listed, those of the newest.
    pub(super) fn of(version: KubernetesVersion) -> &'static Self {
        RELEASES.iter().find(|release| release.minor == version.minor).unwrap_or(&RELEASES[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_that_a_file_may_name_has_its_line() {
        for version in KubernetesVersion::SUPPORTED {
            assert_eq!(ReleaseVersions::of(version).minor, version.minor);
        }
    }
}
