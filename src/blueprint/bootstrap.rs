//! What machines start from: their first script, and the files that it fetches.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::slots::{fill, shell_word};
use super::{Problem, Site, dns, masters, names, nodes, storage};
use crate::engine::{Address, Input, Object, Part, Payload};
use crate::resource::{BucketObject, ClusterLocation, Folder, Resource, root};
use crate::spec::{Cluster, NetworkPlugin, StateLocation};

/// The most bytes of user data that EC2 takes, before it is encoded.
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

/// No output that user data refers to (ids of volumes and zones) is longer.
const LONGEST_OUTPUT: usize = 64;

/// Where machines get their files.
#[derive(Debug)]
pub(super) struct Store {
    /// The bucket's name: the state's, or one made for the purpose.
    pub bucket: String,
    /// The beginning of every key that is the cluster's, without a slash at its end.
    pub root: String,
    /// The script that every machine runs.
    script: File,
}

/// A file in the store, named by its content.
#[derive(Debug)]
struct File {
    key: String,
    sha256: String,
    content: String,
}

impl Store {
    /// The store of a cluster in an account.
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
        let script = File::new(&root, SCRIPT, NODE.to_owned());
        Self { bucket, root, script }
    }

    /// Where a cluster lives whose machines get their files here.
    pub(super) fn location(&self, cluster: &Cluster) -> ClusterLocation {
        let prefix = self.root.strip_suffix(cluster.name.as_str()).unwrap_or(&self.root);
        ClusterLocation::new(&cluster.region, &self.bucket, prefix)
    }

    /// The key of something that the cluster keeps: `key("pki/join.pem")`.
    pub(super) fn key(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }
}

impl File {
    fn new(root: &str, name: &str, content: String) -> Self {
        let sha256 = names::sha256(content.as_bytes());
        let key = Folder::Bootstrap.key(&format!("{sha256}/{name}"));
        Self { key: format!("{root}/{key}"), sha256, content }
    }

    fn object(&self, name: &str) -> Result<Object, Problem> {
        let payload = Payload(Arc::from(self.content.as_bytes()));
        let (key, sha256) = (self.key.clone(), self.sha256.clone());
        let object = BucketObject { bucket: storage::bucket(), key, sha256 }.object(name)?;
        Ok(Object { payload: Some(payload), ..object })
    }
}

/// A machine's settings: what its first script fetches, and what only AWS can tell.
pub(super) struct Settings {
    /// The name of the object and of the file in it, by which the roles' policies tell masters' from nodes'.
    pub name: String,
    /// What the cluster file says.
    pub lines: Vec<(&'static str, String)>,
    /// The ids of objects.
    pub ids: Vec<(&'static str, Input)>,
}

/// What every machine is told.
pub(super) fn common(site: &Site<'_>, role: &str, name: &str, kubeadm: String) -> Vec<(&'static str, String)> {
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

impl Settings {
    fn stored(&self, site: &Site<'_>) -> File {
        let lines = self.lines.iter().map(|(name, value)| format!("{name}={}\n", shell_word(value)));
        File::new(&site.bootstrap.root, &self.name, lines.collect())
    }

    /// The files that must be in the bucket before a machine starts.
    pub(super) fn files(&self) -> BTreeSet<Address> {
        [SCRIPT, &self.name].map(BucketObject::address).into()
    }

    /// The first script of the machine.
    pub(super) fn user_data(&self, site: &Site<'_>) -> Result<Input, Problem> {
        let (script, settings) = (&site.bootstrap.script, self.stored(site));
        let word = |text: &str| Input::from(shell_word(text));
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
            return Err(Problem::UserDataTooLong { machine: self.name.clone(), bytes });
        }
        Ok(user_data)
    }

    /// What the cluster file says under a name; nothing if it says nothing.
    fn line(&self, name: &str) -> &str {
        self.lines.iter().find(|(line, _)| *line == name).map_or("", |(_, value)| value)
    }

    /// Lines such as `QUORATE_VOLUME='vol-…'`. No id holds anything that would end a quoted word.
    fn machine(&self) -> Input {
        let lines: Vec<_> = self.ids.iter().map(|(name, _)| format!("{name}='@{name}@'")).collect();
        let slots: Vec<_> = self.ids.iter().map(|(name, id)| (format!("@{name}@"), id.clone())).collect();
        fill(&lines.join("\n"), &slots)
    }
}

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    let mut objects = vec![site.bootstrap.script.object(SCRIPT)?];
    for settings in masters::settings(site).chain(nodes::settings(site)) {
        objects.push(settings.stored(site).object(&settings.name)?);
    }
    Ok(objects)
}

/// The most bytes that a text can have once everything in it is known.
fn longest(text: &Input) -> usize {
    match text {
        Input::Known(text) => text.len(),
        Input::Pending(template) => template
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.len(),
                Part::Reference(_) => LONGEST_OUTPUT,
            })
            .sum(),
    }
}
