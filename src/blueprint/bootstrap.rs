//! Boot files of machines: their first script, and the files that it fetches.

use std::collections::{BTreeMap, BTreeSet};

use super::bootstrap_store::BootstrapFile;
use super::slots::{fill, shell_quoted};
use super::{BlueprintProblem, BuildContext};
use crate::engine::{Address, Object, TemplatePart, TextInput};
use crate::limits::aws::USER_DATA as USER_DATA_LIMIT;
use crate::resource::{BucketObject, NODE_REGISTRATIONS, NODE_SCRIPT, Resource, internal_domain};
use crate::spec::NetworkPlugin;

const USER_DATA: &str = include_str!("../bootstrap/user-data.sh");
/// Maximum length of an output that user data refers to (ids of volumes and zones).
const LONGEST_OUTPUT: usize = 64;

/// The lines with settings of the cluster file, by which a plan names the cause of a roll, and the paths of these settings. The
/// versions have causes of their own.
const SHOWN_SETTINGS: [(&str, &str); 9] = [
    ("QUORATE_EVICTION_DISK", "kubelet.eviction.disk"),
    ("QUORATE_EVICTION_MEMORY", "kubelet.eviction.memory"),
    ("QUORATE_KEEP_DAYS", "masters.etcd.keep_days"),
    ("QUORATE_MASTERS", "masters.count"),
    ("QUORATE_MAX_PODS", "kubelet.max_pods"),
    ("QUORATE_RESERVED_CPU", "kubelet.reserved.cpu"),
    ("QUORATE_RESERVED_MEMORY", "kubelet.reserved.memory"),
    ("QUORATE_SPOT", "spot"),
    ("QUORATE_FOLDER", "state"),
];

/// A machine's settings: a file that its first script fetches, and values that only AWS knows.
pub(super) struct MachineSettings {
    /// The name of the object and of its file, by which the roles' policies distinguish masters' settings from nodes'.
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
        ("QUORATE_RELEASE", site.release.to_string()),
        ("QUORATE_BUCKET", site.bootstrap.bucket.clone()),
        ("QUORATE_FOLDER", site.bootstrap.root.clone()),
        ("QUORATE_DOMAIN", internal_domain(site.cluster.name.as_str())),
        ("QUORATE_PODS", network.pods.to_string()),
        ("QUORATE_PLUGIN", plugin.to_owned()),
        ("QUORATE_KUBEADM", kubeadm),
    ]
}

impl MachineSettings {
    /// Returns the object of the file.
    pub(super) fn object(&self, site: &BuildContext<'_>) -> Result<Object, BlueprintProblem> {
        self.stored(site).object(&self.name)
    }

    fn stored(&self, site: &BuildContext<'_>) -> BootstrapFile {
        let lines = self.lines.iter().map(|(name, value)| format!("{name}={}\n", shell_quoted(value)));
        BootstrapFile::new(&site.bootstrap.root, &self.name, lines.collect()).with_settings(self.of_the_file())
    }

    /// Returns the settings of the cluster file, by their paths, that a plan names as the cause of a roll.
    fn of_the_file(&self) -> BTreeMap<String, String> {
        let named = |(line, value): &(&'static str, String)| {
            let (_, path) = SHOWN_SETTINGS.iter().find(|(known, _)| known == line)?;
            Some(((*path).to_owned(), value.clone()))
        };
        self.lines.iter().filter_map(named).collect()
    }

    /// Returns the files that must be in the bucket before a machine starts.
    pub(super) fn files(&self) -> BTreeSet<Address> {
        [NODE_SCRIPT, &self.name].map(BucketObject::address).into()
    }

    /// Returns the first script of the machine.
    pub(super) fn user_data(&self, site: &BuildContext<'_>) -> Result<TextInput, BlueprintProblem> {
        let (script, settings) = (&site.bootstrap.script, self.stored(site));
        let quoted = |text: &str| TextInput::from(shell_quoted(text));
        let user_data = fill(
            USER_DATA,
            &[
                ("@BUCKET@", quoted(&site.bootstrap.bucket)),
                ("@FOLDER@", quoted(&site.bootstrap.root)),
                ("@ROLE@", quoted(self.line("QUORATE_ROLE"))),
                ("@NAME@", quoted(self.line("QUORATE_NAME"))),
                ("@KUBERNETES@", quoted(self.line("QUORATE_KUBERNETES"))),
                ("@REGION@", quoted(&site.cluster.region)),
                ("@SCRIPT_KEY@", quoted(&script.key)),
                ("@SCRIPT_SHA256@", quoted(&script.sha256)),
                ("@SETTINGS_KEY@", quoted(&settings.key)),
                ("@SETTINGS_SHA256@", quoted(&settings.sha256)),
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

    /// Returns lines such as `QUORATE_VOLUME='vol-…'`. No id contains a character that would end the quotes.
    fn machine(&self) -> TextInput {
        let lines: Vec<_> = self.ids.iter().map(|(name, _)| format!("{name}='@{name}@'")).collect();
        let slots: Vec<_> = self.ids.iter().map(|(name, id)| (format!("@{name}@"), id.clone())).collect();
        fill(&lines.join("\n"), &slots)
    }
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = vec![site.bootstrap.script.object(NODE_SCRIPT)?];
    if let Some(file) = &site.bootstrap.registrations {
        objects.push(file.object(NODE_REGISTRATIONS)?);
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
