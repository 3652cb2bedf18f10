//! The files from which machines start, in the bucket of the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::outputs::bucket;
use super::{BlueprintProblem, names};
use crate::engine::{Object, Payload};
use crate::resource::{
    BucketObject, ClusterLocation, KeyPrefix, NODE_REGISTRATIONS, NODE_SCRIPT, NodeRegistration, Resource, root,
};
use crate::spec::{Cluster, NodeGroup, StateLocation};

/// One script, in parts that can be read one at a time.
pub(super) const NODE: &str = concat!(
    include_str!("../bootstrap/node/10-begin.sh"),
    include_str!("../bootstrap/node/15-units.sh"),
    include_str!("../bootstrap/node/20-machine.sh"),
    include_str!("../bootstrap/node/25-images.sh"),
    include_str!("../bootstrap/node/30-volume.sh"),
    include_str!("../bootstrap/node/40-keys.sh"),
    include_str!("../bootstrap/node/50-etcd.sh"),
    include_str!("../bootstrap/node/55-backup.sh"),
    include_str!("../bootstrap/node/56-report.sh"),
    include_str!("../bootstrap/node/60-master.sh"),
    include_str!("../bootstrap/node/62-registrations.sh"),
    include_str!("../bootstrap/node/65-access.sh"),
    include_str!("../bootstrap/node/65-leave.sh"),
    include_str!("../bootstrap/node/66-interruption.sh"),
    include_str!("../bootstrap/node/67-enroll.sh"),
    include_str!("../bootstrap/node/69-kubelet.sh"),
    include_str!("../bootstrap/node/70-node.sh"),
    include_str!("../bootstrap/node/90-main.sh"),
);

/// The location of the files of machines.
#[derive(Debug)]
pub(super) struct BootstrapStore {
    /// The bucket's name: the state's bucket, or one created for the purpose.
    pub bucket: String,
    /// The prefix of every key of the cluster, without a slash at its end.
    pub root: String,
    /// The script that every machine runs.
    pub script: BootstrapFile,
    /// The labels and taints of all node groups; `None` if there are none.
    pub registrations: Option<BootstrapFile>,
}

/// A file in the store, named by its content.
#[derive(Debug)]
pub(super) struct BootstrapFile {
    pub key: String,
    pub sha256: String,
    content: String,
    registrations: BTreeMap<String, NodeRegistration>,
    settings: Option<BTreeMap<String, String>>,
}

impl BootstrapStore {
    /// Returns the store of a cluster in an account.
    pub(super) fn of(cluster: &Cluster, account: &str) -> Self {
        let (bucket, prefix) = match &cluster.state {
            StateLocation::S3 { bucket, prefix } => (bucket.clone(), prefix.as_str()),
            // Machines cannot read a directory on a laptop. A bucket's name has at most 63 characters.
            StateLocation::Directory(_) => {
                let name = names::dashed(cluster.name.as_str(), 63 - "quorate--".len() - account.len());
                (format!("quorate-{name}-{account}"), "")
            }
        };
        let root = root(prefix, cluster.name.as_str());
        let script = BootstrapFile::new(&root, NODE_SCRIPT, NODE.to_owned());
        let registrations = BootstrapFile::of_registrations(&root, cluster);
        Self { bucket, root, script, registrations }
    }

    /// Returns the location of a cluster whose machines get their files here.
    pub(super) fn location(&self, cluster: &Cluster) -> ClusterLocation {
        let prefix = self.root.strip_suffix(cluster.name.as_str()).unwrap_or(&self.root);
        ClusterLocation::new(&cluster.region, &self.bucket, prefix)
    }

    /// Returns the key of an object of the cluster: `key("pki/join.pem")`.
    pub(super) fn key(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }
}

impl BootstrapFile {
    pub(super) fn new(root: &str, name: &str, content: String) -> Self {
        let sha256 = names::sha256(content.as_bytes());
        let key = KeyPrefix::Bootstrap.key(&format!("{sha256}/{name}"));
        Self { key: format!("{root}/{key}"), sha256, content, registrations: BTreeMap::new(), settings: None }
    }

    pub(super) fn object(&self, name: &str) -> Result<Object, BlueprintProblem> {
        let payload = Payload(Arc::from(self.content.as_bytes()));
        let (key, sha256) = (self.key.clone(), self.sha256.clone());
        let (registrations, settings) = (self.registrations.clone(), self.settings.clone());
        let object = BucketObject { bucket: bucket(), key, sha256, registrations, settings };
        Ok(Object { payload: Some(payload), ..object.object(name)? })
    }

    /// Adds the settings of the cluster file that its content has.
    pub(super) fn with_settings(self, settings: BTreeMap<String, String>) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Returns the file with the labels and taints of all node groups; `None` if there are none.
    fn of_registrations(root: &str, cluster: &Cluster) -> Option<Self> {
        let of_group = |group: &NodeGroup| NodeRegistration {
            labels: group.labels.clone(),
            taints: group.taints.iter().map(ToString::to_string).collect(),
        };
        let groups = cluster.nodes.iter().map(|(name, group)| (name.clone(), of_group(group)));
        let registrations: BTreeMap<String, NodeRegistration> =
            groups.filter(|(_, registration)| *registration != NodeRegistration::default()).collect();
        if registrations.is_empty() {
            return None;
        }
        let groups =
            cluster.nodes.iter().map(|(name, group)| (name, json!({ "labels": group.labels, "taints": group.taints })));
        let content = json!(groups.collect::<BTreeMap<_, _>>()).to_string();
        Some(Self { registrations, ..Self::new(root, NODE_REGISTRATIONS, content) })
    }
}
