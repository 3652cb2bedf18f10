//! The manifests of the add-ons of a cluster file: read from its directory, and checked with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Ui;
use crate::blueprint;
use crate::resource::ApiType;
use crate::spec::{self, Diagnostic, ParsedFile, SourceText};

/// The problems of one file, with its text for the display.
pub(super) struct FileFindings {
    pub(super) problems: Vec<Diagnostic>,
    source: SourceText,
}

impl FileFindings {
    /// Shows the problems.
    pub(super) fn show(&self, ui: &Ui) {
        let style = ui.message_style();
        ui.message(&spec::render(&self.problems, &self.source, style.color, style.width));
    }
}

/// Reads the manifests from the cluster file's directory, into the cluster if the file is valid. Returns their problems
/// for each file.
pub(super) fn read(parsed: &mut ParsedFile, directory: &Path) -> Vec<FileFindings> {
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
                let source = SourceText::new(&path.display().to_string(), &text);
                contents.insert(name, text);
                FileFindings { problems: spec::check_manifest(name, &source, &namespaced), source }
            }
            Err(error) => {
                let written = manifest.display().to_string();
                let problem = spec::absent_manifest(name, &written, &error.to_string(), &parsed.source);
                FileFindings { problems: vec![problem], source: parsed.source.clone() }
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
