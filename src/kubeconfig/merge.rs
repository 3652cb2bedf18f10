//! Putting an entry among others, in one file or in several.

use super::document::Section;
use super::{Document, Entry};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is as it was.
    None,
    /// It says something else now.
    Changed,
}

/// Puts an entry into the files of `KUBECONFIG`, in their order, of which there is at least one.
///
/// Of several things of one name, the first file's counts; so each of ours replaces the one that counts, or else joins
/// the first of ours, or else stands in the first file. The same is true of the context in use.
pub fn merge(documents: &mut [Document], entry: &Entry) -> Vec<Change> {
    let before = documents.to_vec();
    let parts = [(Section::Contexts, &entry.context), (Section::Clusters, &entry.name), (Section::Users, &entry.name)];
    let at = |section, name: &str| before.iter().position(|document| document.find(section, name).is_some());
    let home = parts.iter().find_map(|(section, name)| at(*section, name)).unwrap_or(0);
    for (section, name) in parts {
        let Some(document) = documents.get_mut(at(section, name).unwrap_or(home)) else { continue };
        let there = document.find(section, name);
        let value = match section {
            Section::Clusters => entry.cluster(there),
            Section::Users => entry.user(),
            Section::Contexts => entry.context(there),
        };
        document.put(section, name, value);
    }
    let deciding = before.iter().position(|document| document.current().is_some()).unwrap_or(home);
    if let Some(document) = documents.get_mut(deciding) {
        document.set_current(&entry.context);
    }
    let changed = |(now, before): (&Document, &Document)| if now == before { Change::None } else { Change::Changed };
    documents.iter().zip(&before).map(changed).collect()
}
