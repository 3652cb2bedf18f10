//! Plans, objects, failures and progress as text, JSON, Markdown and pictures. Pure: it returns text, and prints nothing.

pub mod access;
pub mod availability;
mod check_row;
pub mod cost;
pub mod duration;
pub mod endpoint;
pub mod failure;
pub mod graph;
pub mod health;
mod hint;
mod line;
pub mod logs;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod progress;
pub mod show;
mod table;

pub use crate::resource::text::short_id;
pub use line::TextStyle;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::text as value;
use line::{StyledLine, TextRole, paragraph, screen};

/// The version of every JSON document that the program prints.
pub const FORMAT: u32 = 1;

/// The heading of every screen: the cluster, its region and its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterHeading {
    /// The cluster's name.
    pub cluster: String,
    /// The account's 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The location of the record.
    pub state: String,
    /// `true` if the cloud is simulated.
    pub sandbox: bool,
}

impl ClusterHeading {
    fn lines(&self) -> Vec<StyledLine> {
        let row = |label: &str, text: &str| StyledLine::at(0).ink(TextRole::Faint, format!("{label:<9}")).plain(text);
        let mut lines = Vec::new();
        if self.sandbox {
            lines.push(
                StyledLine::at(0).ink(TextRole::Sandbox, "SANDBOX").plain("  a simulated cloud: nothing here is real"),
            );
        }
        lines.push(
            StyledLine::at(0).ink(TextRole::Faint, format!("{:<9}", "Cluster")).ink(TextRole::Strong, &self.cluster),
        );
        lines.push(row("Account", &format!("{}, {}", self.account, self.region)));
        lines.push(row("State", &self.state));
        lines
    }
}

/// Returns a document as JSON, with a final newline.
///
/// # Errors
/// Returns an error if a value cannot be represented in JSON: a bug.
pub fn json(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| text + "\n")
}

/// Wraps text between words, paragraph by paragraph.
pub fn prose(text: &str, style: TextStyle) -> String {
    let paragraphs = text.trim().split("\n\n").map(|text| screen(&paragraph(0, TextRole::Plain, text, style), style));
    paragraphs.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
