//! Boot files of machines: their first script, and the files that it fetches.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::slots::{fill, shell_quoted};
use super::{BlueprintProblem, BuildContext, dns, masters, names, nodes, storage};
use crate::engine::{Address, Object, Payload, TemplatePart, TextInput};
use crate::resource::{BucketObject, ClusterLocation, KeyPrefix, Resource, root};
use crate::spec::{Cluster, NetworkPlugin, StateLocation};

/// Maximum size of EC2 user data in bytes, before encoding.
pub(super) const USER_DATA_LIMIT: usize = crate::limits::aws::USER_DATA;

/// The name of the script that makes a machine a part of the cluster.
pub(super) const SCRIPT: &str = "node.sh";

const USER_DATA: &str = include_str!("../bootstrap/user-data.sh");
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
    include_str!("../bootstrap/node/65-access.sh"),
    include_str!("../bootstrap/node/65-leave.sh"),
    include_str!("../bootstrap/node/67-enroll.sh"),
    include_str!("../bootstrap/node/70-node.sh"),
    include_str!("../bootstrap/node/90-main.sh"),
);

/// Maximum length of an output that user data refers to (ids of volumes and zones).
const LONGEST_OUTPUT: usize = 64;

/// The location of the files of machines.
#[derive(Debug)]
pub(super) struct BootstrapStore {
    /// The bucket's name: the state's bucket, or one created for the purpose.
    pub bucket: String,
    /// The prefix of every key of the cluster, without a slash at its end.
    pub root: String,
    /// The script that every machine runs.
    script: BootstrapFile,
}

/// A file in the store, named by its content.
#[derive(Debug)]
struct BootstrapFile {
    key: String,
    sha256: String,
    content: String,
}

impl BootstrapStore {
    /// Returns the store of a cluster in an account.
    pub(super) fn of(cluster: &Cluster, account: &str) -> Self {
        let (bucket, prefix) = match &cluster.state {
            StateLocation::S3 { bucket, prefix } => (bucket.clone(), prefix.as_str()),
            // Machines cannot read a directory on somebody's laptop. 63 characters are the most for a bucket's name.
            StateLocation::Directory(_) => {
                let name = names::dashed(cluster.name.as_str(), 63 - "quorate--".len() - account.len());
                (format!("quorate-{name}-{account}"), "")
            }
        };
        let root = root(prefix, cluster.name.as_str());
        let script = BootstrapFile::new(&root, SCRIPT, NODE.to_owned());
        Self { bucket, root, script }
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
    fn new(root: &str, name: &str, content: String) -> Self {
        let sha256 = names::sha256(content.as_bytes());
        let key = KeyPrefix::Bootstrap.key(&format!("{sha256}/{name}"));
        Self { key: format!("{root}/{key}"), sha256, content }
    }

    fn object(&self, name: &str) -> Result<Object, BlueprintProblem> {
        let payload = Payload(Arc::from(self.content.as_bytes()));
        let (key, sha256) = (self.key.clone(), self.sha256.clone());
        let object = BucketObject { bucket: storage::bucket(), key, sha256 }.object(name)?;
        Ok(Object { payload: Some(payload), ..object })
    }
}

/// A machine's settings: a file that its first script fetches, and values that only AWS knows.
pub(super) struct MachineSettings {
    /// The name of the object and of its file, by which the roles' policies tell masters' settings from nodes'.
    pub name: String,
    /// The settings from the cluster file.
    pub lines: Vec<(&'static str, String)>,
    /// The ids of objects.
    pub ids: Vec<(&'static str, TextInput)>,
}

/// Returns the settings that every machine gets.
pub(super) fn common(site: &BuildContext<'_>, role: &str, name: &str, kubeadm: String) -> Vec<(&'static str, String)> {
    let network = &site.cluster.network;
    let plugin = match network.plugin {
        NetworkPlugin::Routes => "routes",
        NetworkPlugin::None => "none",
    };
    vec![
        ("QUORATE_ROLE", role.to_owned()),
        ("QUORATE_NAME", name.to_owned()),
        ("QUORATE_CLUSTER", site.cluster.name.to_string()),
        ("QUORATE_KUBERNETES", site.cluster.kubernetes.to_string()),
        ("QUORATE_BUCKET", site.bootstrap.bucket.clone()),
        ("QUORATE_FOLDER", site.bootstrap.root.clone()),
        ("QUORATE_DOMAIN", dns::internal_domain(site)),
        ("QUORATE_PODS", network.pods.to_string()),
        ("QUORATE_PLUGIN", plugin.to_owned()),
        ("QUORATE_KUBEADM", kubeadm),
    ]
}

impl MachineSettings {
    fn stored(&self, site: &BuildContext<'_>) -> BootstrapFile {
        let lines = self.lines.iter().map(|(name, value)| format!("{name}={}\n", shell_quoted(value)));
        BootstrapFile::new(&site.bootstrap.root, &self.name, lines.collect())
    }

    /// Returns the files that must be in the bucket before a machine starts.
    pub(super) fn files(&self) -> BTreeSet<Address> {
        [SCRIPT, &self.name].map(BucketObject::address).into()
    }

    /// Returns the first script of the machine.
    pub(super) fn user_data(&self, site: &BuildContext<'_>) -> Result<TextInput, BlueprintProblem> {
        let (script, settings) = (&site.bootstrap.script, self.stored(site));
        let word = |text: &str| TextInput::from(shell_quoted(text));
        let user_data = fill(
            USER_DATA,
            &[
                ("@BUCKET@", word(&site.bootstrap.bucket)),
                ("@FOLDER@", word(&site.bootstrap.root)),
                ("@ROLE@", word(self.line("QUORATE_ROLE"))),
                ("@NAME@", word(self.line("QUORATE_NAME"))),
                ("@KUBERNETES@", word(self.line("QUORATE_KUBERNETES"))),
                ("@REGION@", word(&site.cluster.region)),
                ("@SCRIPT_KEY@", word(&script.key)),
                ("@SCRIPT_SHA256@", word(&script.sha256)),
                ("@SETTINGS_KEY@", word(&settings.key)),
                ("@SETTINGS_SHA256@", word(&settings.sha256)),
                ("@MACHINE@", self.machine()),
            ],
        );
        let bytes = longest(&user_data);
        if bytes > USER_DATA_LIMIT {
            return Err(BlueprintProblem::UserDataTooLong { machine: self.name.clone(), bytes });
        }
        Ok(user_data)
    }

    /// Returns the setting of a name; empty if there is none.
    fn line(&self, name: &str) -> &str {
        self.lines.iter().find(|(line, _)| *line == name).map_or("", |(_, value)| value)
    }

    /// Returns lines such as `QUORATE_VOLUME='vol-…'`. No id holds a character that would end a quoted word.
    fn machine(&self) -> TextInput {
        let lines: Vec<_> = self.ids.iter().map(|(name, _)| format!("{name}='@{name}@'")).collect();
        let slots: Vec<_> = self.ids.iter().map(|(name, id)| (format!("@{name}@"), id.clone())).collect();
        fill(&lines.join("\n"), &slots)
    }
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = vec![site.bootstrap.script.object(SCRIPT)?];
    for settings in masters::settings(site).chain(nodes::settings(site)) {
        objects.push(settings.stored(site).object(&settings.name)?);
    }
    Ok(objects)
}

/// Returns the maximum size in bytes of a text once all its outputs are known.
fn longest(text: &TextInput) -> usize {
    match text {
        TextInput::Known(text) => text.len(),
        TextInput::Pending(template) => template
            .parts
            .iter()
            .map(|part| match part {
                TemplatePart::Literal(text) => text.len(),
                TemplatePart::Reference(_) => LONGEST_OUTPUT,
            })
            .sum(),
    }
}
