//! Plans, objects, failures and progress as text and JSON. Pure: it returns text, and prints nothing.

pub mod access;
pub mod failure;
pub mod health;
mod hint;
mod line;
pub mod outcome;
pub mod plan;
pub mod progress;
pub mod reach;
pub mod show;
mod value;

pub use line::Style;
pub use value::short_id;

use serde::{Deserialize, Serialize};

use line::{Ink, Line, paragraph, screen};

/// The version of every JSON document that the program prints.
pub const FORMAT: u32 = 1;

/// What every screen says first: which cluster, where, in whose account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The cluster's name.
    pub cluster: String,
    /// The account's 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// Where the record is kept.
    pub state: String,
    /// Whether the cloud is simulated.
    pub sandbox: bool,
}

impl Heading {
    fn lines(&self) -> Vec<Line> {
        let row = |label: &str, text: &str| Line::at(0).ink(Ink::Faint, format!("{label:<9}")).plain(text);
        let mut lines = Vec::new();
        if self.sandbox {
            lines.push(Line::at(0).ink(Ink::Sandbox, "SANDBOX").plain("  a simulated cloud: nothing here is real"));
        }
        lines.push(Line::at(0).ink(Ink::Faint, format!("{:<9}", "Cluster")).ink(Ink::Strong, &self.cluster));
        lines.push(row("Account", &format!("{}, {}", self.account, self.region)));
        lines.push(row("State", &self.state));
        lines
    }
}

/// A document as JSON, with a final newline.
///
/// # Errors
/// When a value has no form in JSON: a bug.
pub fn json(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| text + "\n")
}

/// Text in paragraphs, broken between words so that it fits.
pub fn prose(text: &str, style: Style) -> String {
    let paragraphs = text.trim().split("\n\n").map(|text| screen(&paragraph(0, Ink::Plain, text, style), style));
    paragraphs.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
