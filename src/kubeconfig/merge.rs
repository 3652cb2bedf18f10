//! Merging an entry into one file or several.

use super::document::KubeconfigSection;
use super::{KubeconfigDocument, KubeconfigEntry};

/// The effect on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// The file is unchanged.
    None,
    /// The file is changed.
    Changed,
}

/// Merges an entry into the files of `KUBECONFIG`, in their order. There must be at least one file.
///
/// Of several items of one name, the first file's takes effect. Each item of the entry replaces the one in effect, or else
/// is put beside the first of its other items, or else into the first file. The same is true of the current context.
pub fn merge(documents: &mut [KubeconfigDocument], entry: &KubeconfigEntry) -> Vec<FileChange> {
    let before = documents.to_vec();
    let parts = [
        (KubeconfigSection::Contexts, &entry.context),
        (KubeconfigSection::Clusters, &entry.name),
        (KubeconfigSection::Users, &entry.name),
    ];
    let at = |section, name: &str| before.iter().position(|document| document.find(section, name).is_some());
    let home = parts.iter().find_map(|(section, name)| at(*section, name)).unwrap_or(0);
    for (section, name) in parts {
        let Some(document) = documents.get_mut(at(section, name).unwrap_or(home)) else { continue };
        let there = document.find(section, name);
        let value = match section {
            KubeconfigSection::Clusters => entry.cluster(there),
            KubeconfigSection::Users => entry.user(),
            KubeconfigSection::Contexts => entry.context(there),
        };
        document.put(section, name, value);
    }
    let deciding = before.iter().position(|document| document.current().is_some()).unwrap_or(home);
    if let Some(document) = documents.get_mut(deciding) {
        document.set_current(&entry.context);
    }
    let changed = |(now, before): (&KubeconfigDocument, &KubeconfigDocument)| {
        if now == before { FileChange::None } else { FileChange::Changed }
    };
    documents.iter().zip(&before).map(changed).collect()
}
