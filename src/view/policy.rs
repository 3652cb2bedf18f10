//! An IAM policy with its reasons.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::analysis::permissions::{LeastPolicy, RunPurpose};
use crate::words;

use super::line::{StyledLine, TextRole, paragraph, screen};
use super::{FORMAT, TextStyle};

/// The column of reasons.
const COLUMN: usize = 18;

/// A policy with the reason for each statement, in a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster's name.
    pub cluster: String,
    /// The purposes of the runs that it is for.
    #[serde(rename = "for")]
    pub purposes: Vec<RunPurpose>,
    /// The documents for IAM: more than one if one would be too long.
    pub documents: Vec<Json>,
    /// The statements, in the order of the documents.
    pub statements: Vec<PolicyReason>,
}

/// The reason for a statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReason {
    /// The statement's name in its document.
    pub sid: String,
    /// The number of its actions.
    pub actions: usize,
    /// The reason, as a sentence without its end.
    pub reason: String,
}

impl PolicyDocument {
    /// Collects the documents and the reasons of a policy.
    ///
    /// # Errors
    /// Returns an error if a document is not JSON: a bug.
    pub fn new(cluster: &str, purposes: Vec<RunPurpose>, policy: &LeastPolicy) -> Result<Self, serde_json::Error> {
        let documents = policy.documents();
        let statements = policy.statements().map(|(statement, reason)| PolicyReason {
            sid: statement.sid().to_owned(),
            actions: statement.actions().len(),
            reason: reason.to_owned(),
        });
        Ok(Self {
            format: FORMAT,
            cluster: cluster.to_owned(),
            purposes,
            documents: documents.iter().map(|document| serde_json::from_str(document)).collect::<Result<_, _>>()?,
            statements: statements.collect(),
        })
    }
}

/// Returns documents as JSON for IAM, one after the other.
///
/// # Errors
/// Returns an error if a document cannot be written: a bug.
pub fn text(documents: &[Json]) -> Result<String, serde_json::Error> {
    documents.iter().map(|document| Ok(serde_json::to_string_pretty(document)? + "\n")).collect()
}

/// Returns a line for each statement, with its reason.
pub fn reasons(document: &PolicyDocument, style: TextStyle) -> String {
    let lines = document.statements.iter().flat_map(|statement| {
        let reason = format!("{}: {}", words::count(statement.actions, "action"), statement.reason);
        let mut reason = paragraph(COLUMN, TextRole::Plain, &reason, style).into_iter();
        let first = StyledLine::at(0).ink(TextRole::Strong, statement.sid.clone()).up_to(COLUMN);
        std::iter::once(first.then(reason.next().unwrap_or_default())).chain(reason)
    });
    screen(&lines.collect::<Vec<_>>(), style)
}
