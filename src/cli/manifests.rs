//! The manifests that the add-ons of a cluster file name: read beside it, and checked with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Ui;
use crate::blueprint;
use crate::resource::ApiType;
use crate::spec::{self, Diagnostic, Parsed, Source};

/// What is wrong with one file, and its text to show it with.
pub(super) struct Findings {
    pub(super) problems: Vec<Diagnostic>,
    source: Source,
}

impl Findings {
    /// Shows them.
    pub(super) fn tell(&self, ui: &Ui) {
        let style = ui.message_style();
        ui.message(&spec::render(&self.problems, &self.source, style.color, style.width));
    }
}

/// Reads the manifests from the cluster file's directory, into the cluster if the file means one. What is wrong with
/// them, file by file.
pub(super) fn read(parsed: &mut Parsed, directory: &Path) -> Vec<Findings> {
    let texts: Vec<(PathBuf, std::io::Result<String>)> = parsed
        .manifests
        .values()
        .map(|manifest| {
            let path = directory.join(manifest);
            let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
            let text = std::fs::read_to_string(&path);
            (path, text)
        })
        .collect();
    // An object of one add-on may be of a type that another one defines.
    let custom: Vec<ApiType> = texts
        .iter()
        .filter_map(|(_, text)| text.as_ref().ok())
        .flat_map(|text| blueprint::custom_types(text))
        .collect();
    let namespaced = |api_version: &str, kind: &str| namespaced(api_version, kind, &custom);
    let (mut found, mut contents) = (Vec::new(), BTreeMap::new());
    for ((name, manifest), (path, text)) in parsed.manifests.iter().zip(texts) {
        let findings = match text {
            Ok(text) => {
                let source = Source::new(&path.display().to_string(), &text);
                contents.insert(name, text);
                Findings { problems: spec::check_manifest(name, &source, &namespaced), source }
            }
            Err(error) => {
                let written = manifest.display().to_string();
                let problem = spec::absent_manifest(name, &written, &error.to_string(), &parsed.source);
                Findings { problems: vec![problem], source: parsed.source.clone() }
            }
        };
        found.push(findings);
    }
    for (name, addon) in parsed.cluster.iter_mut().flat_map(|cluster| &mut cluster.addons) {
        addon.content = contents.remove(name).unwrap_or_default();
    }
    found.retain(|findings| !findings.problems.is_empty());
    found
}

fn namespaced(api_version: &str, kind: &str, custom: &[ApiType]) -> Option<bool> {
    let custom = custom.iter().find(|api| api.api_version == api_version && api.kind == kind);
    ApiType::find(api_version, kind).or(custom).map(|api| api.namespaced)
}
