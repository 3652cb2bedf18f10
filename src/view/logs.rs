//! The log of a machine as a document; its text is the log itself.

use serde::{Deserialize, Serialize};

use super::{ClusterHeading, FORMAT};

/// The log of a machine with its heading, in a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The name of the machine, as `quorate show` prints it.
    pub machine: String,
    /// The id of its instance.
    pub instance: String,
    /// The origin of the lines.
    pub source: LogSource,
    /// The unit of systemd; `None` for console output.
    pub unit: Option<String>,
    /// The lines, oldest first.
    pub lines: Vec<String>,
    /// `true` if older lines were left out because of the limit of Systems Manager.
    pub truncated: bool,
}

/// The origin of the lines of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogSource {
    /// The journal of systemd.
    Journal,
    /// The console output, from EC2.
    Console,
}

impl LogDocument {
    /// Creates the document of a machine without lines.
    pub fn new(heading: ClusterHeading, machine: &str, instance: &str, source: LogSource) -> Self {
        Self {
            format: FORMAT,
            heading,
            machine: machine.to_owned(),
            instance: instance.to_owned(),
            source,
            unit: None,
            lines: Vec::new(),
            truncated: false,
        }
    }
}

/// Returns lines as text: nothing without lines.
pub fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}
