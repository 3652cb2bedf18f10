//! Converts the export of a kops cluster (`kops get -o yaml`) to a draft of a cluster file.
//!
//! The conversion names everything that the cluster file cannot express, or expresses differently.

mod cluster;
mod fields;
mod groups;
mod settle;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::draft::{ClusterDraft, DraftProblem};
use super::yaml::{YamlError, read_yaml};
use fields::KopsFields;

/// A part of a kops cluster that the cluster file does not have, or has differently.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KopsDifference {
    /// The field: `spec.networking.calico`, `InstanceGroup/nodes spec.taints`.
    pub path: String,
    /// The difference, and what to do.
    pub text: String,
}

/// The draft of a cluster file from a kops cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KopsConversion {
    /// The draft.
    pub draft: ClusterDraft,
    /// Everything that the draft does not have, or has differently.
    pub differences: Vec<KopsDifference>,
}

/// Error of a text that is not the export of a kops cluster on AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KopsError {
    /// The text is not YAML.
    #[error("it is not YAML: {0}")]
    Yaml(#[from] YamlError),
    /// A document of another format.
    #[error("{0} is not the format v1alpha2, which `kops get -o yaml` prints")]
    Version(String),
    /// No document of the kind Cluster.
    #[error("it has no document of kind Cluster")]
    NoCluster,
    /// Documents of several clusters.
    #[error("it has the clusters {0}, and a cluster file describes one")]
    SeveralClusters(String),
    /// A cluster that is not on AWS.
    #[error("the cluster is on {0}, and Quorate builds on AWS only")]
    OtherCloud(String),
}

/// Converts the export of a kops cluster.
///
/// # Errors
/// Returns an error if the text is not the export of one kops cluster on AWS.
pub fn from_kops(text: &str) -> Result<KopsConversion, KopsError> {
    let documents: Vec<Json> = read_yaml(text)?.into_iter().flat_map(items).filter(|it| !it.is_null()).collect();
    let of_kops = documents.iter().filter(|document| version(document).is_some());
    if let Some(other) = of_kops.clone().filter_map(version).find(|version| !version.ends_with("/v1alpha2")) {
        return Err(KopsError::Version(other.to_owned()));
    }
    let of_kind = |kind: &'static str| of_kops.clone().filter(move |document| document["kind"] == kind);
    let clusters: Vec<&Json> = of_kind("Cluster").collect();
    let cluster = match clusters.as_slice() {
        [] => return Err(KopsError::NoCluster),
        [cluster] => *cluster,
        several => {
            let names: Vec<String> = several.iter().map(|cluster| name(cluster).to_owned()).collect();
            return Err(KopsError::SeveralClusters(crate::words::list(&names)));
        }
    };
    let mut conversion = KopsConversion { draft: ClusterDraft::default(), differences: Vec::new() };
    let subnets = cluster::convert(&mut conversion, cluster)?;
    groups::convert(&mut conversion, &of_kind("InstanceGroup").collect::<Vec<_>>(), &subnets);
    for document in &documents {
        if !matches!(document["kind"].as_str(), Some("Cluster" | "InstanceGroup")) || version(document).is_none() {
            let kind = document["kind"].as_str().unwrap_or("document");
            let text = "Quorate does not read it: apply it with kubectl, or add it as an `addon`";
            conversion.differ(format!("{kind}/{}", name(document)), text);
        }
    }
    Ok(conversion)
}

/// Returns the items of a list, or the document itself.
fn items(mut document: Json) -> Vec<Json> {
    match document["items"].take() {
        Json::Array(items) => items,
        _ => vec![document],
    }
}

/// Returns the version of a document of kops.
fn version(document: &Json) -> Option<&str> {
    document["apiVersion"]
        .as_str()
        .filter(|version| version.starts_with("kops.k8s.io/") || version.starts_with("kops/"))
}

fn name(document: &Json) -> &str {
    document["metadata"]["name"].as_str().unwrap_or_default()
}

impl KopsConversion {
    fn differ(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.differences.push(KopsDifference { path: path.into(), text: text.into() });
    }

    /// Reports all fields that were not read.
    fn differ_in_rest(&mut self, prefix: &str, fields: KopsFields<'_>) {
        for (name, value) in fields.rest() {
            self.differ(format!("{prefix}.{name}"), fields::without_setting(name, value));
        }
    }

    /// Removes values that the rules of the cluster file refuse, with a difference for each, and completes the draft.
    /// Values that are not from kops stay.
    ///
    /// # Errors
    /// Returns the problems that remain.
    pub fn settle(&mut self, file_name: &str, origin: impl Fn(&str) -> String) -> Result<(), Vec<DraftProblem>> {
        settle::settle(self, file_name, origin)
    }

    /// Adds the differences to the end of the file, as comments.
    pub fn remark(&mut self) {
        let mut remark = "The cluster of kops has more than this file, or has it differently:\n".to_owned();
        for KopsDifference { path, text } in &self.differences {
            let _ = write!(remark, "\n{:2}{path}:\n{:4}{text}", "", "");
        }
        self.draft.remark(remark);
    }
}
