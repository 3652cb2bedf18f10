//! API versions that versions of Kubernetes remove.

use super::ApiType;

/// A stored type in an API version that a version of Kubernetes no longer has.
#[derive(Debug)]
pub struct RemovedApi {
    /// The first version of Kubernetes without it, for example `(1, 37)`.
    pub removed_in: (u32, u32),
    /// The type in that API version.
    pub api: ApiType,
}

const fn removed(
    minor: u32,
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
) -> RemovedApi {
    RemovedApi { removed_in: (1, minor), api: ApiType::known(api_version, kind, plural, namespaced) }
}

/// The API versions that the supported versions of Kubernetes remove. Their source is the repository `kubernetes/api`: the
/// functions `APILifecycleRemoved`, and for alpha versions the types that the next version does not have.
///
/// Almost all of them are off by default. The machines of a cluster do not turn them on, but a cluster administrator can.
pub const REMOVED_APIS: &[RemovedApi] = &[
    removed(35, "certificates.k8s.io/v1alpha1", "PodCertificateRequest", "podcertificaterequests", true),
    removed(35, "storage.k8s.io/v1alpha1", "VolumeAttributesClass", "volumeattributesclasses", false),
    removed(35, "storagemigration.k8s.io/v1alpha1", "StorageVersionMigration", "storageversionmigrations", false),
    removed(36, "scheduling.k8s.io/v1alpha1", "Workload", "workloads", true),
    removed(37, "certificates.k8s.io/v1alpha1", "ClusterTrustBundle", "clustertrustbundles", false),
    removed(37, "networking.k8s.io/v1beta1", "IPAddress", "ipaddresses", false),
    removed(37, "networking.k8s.io/v1beta1", "ServiceCIDR", "servicecidrs", false),
    removed(37, "scheduling.k8s.io/v1alpha2", "PodGroup", "podgroups", true),
    removed(37, "scheduling.k8s.io/v1alpha2", "Workload", "workloads", true),
    removed(37, "storage.k8s.io/v1beta1", "VolumeAttributesClass", "volumeattributesclasses", false),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::API_TYPES;

    #[test]
    fn no_manifest_of_a_cluster_file_is_of_a_removed_api_version() {
        for removed in REMOVED_APIS {
            assert!(!API_TYPES.contains(&removed.api), "{} is removed in {:?}", removed.api, removed.removed_in);
        }
    }
}
