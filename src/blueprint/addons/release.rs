//! The versions of add-ons that go with each version of Kubernetes: one table.

use crate::spec::KubernetesVersion;

/// The versions of everything that runs beside one minor version of Kubernetes.
pub(super) struct Release {
    /// Kubernetes' minor version.
    minor: u32,
    /// The AWS cloud controller manager, which follows Kubernetes.
    pub(super) cloud_controller: &'static str,
    /// The EBS CSI driver.
    pub(super) ebs_csi: &'static str,
    /// What makes volumes for claims.
    pub(super) provisioner: &'static str,
    /// What attaches them.
    pub(super) attacher: &'static str,
    /// What lets them grow.
    pub(super) resizer: &'static str,
    /// What tells the kubelet of the driver.
    pub(super) registrar: &'static str,
    /// What asks the driver whether it lives.
    pub(super) liveness: &'static str,
}

const fn release(minor: u32, cloud_controller: &'static str) -> Release {
    Release {
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

/// The newest first. The cloud controller goes with older versions of Kubernetes, too, and before v1.36.1 it makes no route
/// once a route table has two: it asks for several machines where it may ask for one (kubernetes/cloud-provider-aws, issue
/// 1351, mended in 1463). v1.36.0 was never published (kubernetes/k8s.io, pull request 9796).
const RELEASES: [Release; 3] = [release(36, ROUTING), release(35, ROUTING), release(34, ROUTING)];

/// The first cloud controller that makes routes for all machines.
const ROUTING: &str = "v1.36.1";

impl Release {
    /// What goes with a version: with one that is not listed, what goes with the newest.
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
            assert_eq!(Release::of(version).minor, version.minor);
        }
    }
}
