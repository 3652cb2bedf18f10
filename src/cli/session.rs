//! What every command works with: the global arguments, the person, the environment.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use terminal_size::{Width, terminal_size_of};

use crate::state::Holder;
use crate::view::Style;

use super::clouds::Errand;
use super::error::CliError;
use super::file::{ClusterFile, Settings, Told};
use super::ground::Ground;
use super::ui::Manner;
use super::{Interrupt, Ui};

/// Where the workshop keeps the simulated cloud.
pub(super) const SANDBOX: &str = "sandbox";
/// How many columns text is made for where neither `COLUMNS` nor a terminal says otherwise.
const WIDTH: usize = 80;
/// The narrowest and the widest screen that text is made for.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=1000;

/// Arguments of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The cluster file [default: cluster.hcl or cluster.toml in this directory]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Set a variable of the cluster file; can be repeated
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub var: Vec<String>,
    /// Set variables from a file with lines of `name = value`; can be repeated
    #[arg(long, global = true, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// Use a simulated cloud in .quorate/sandbox instead of AWS [env: QUORATE_SANDBOX=1]
    #[allow(clippy::doc_markdown, reason = "the help shows the text as it stands")]
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Print only JSON to stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What the process was started with.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: Vec<(String, String)>,
    /// The working directory, as paths in messages begin: `.` for the process's own.
    pub directory: PathBuf,
    /// The machine's name.
    pub host: String,
    /// How many columns the terminal has that results go to; nothing where they go elsewhere.
    pub columns: Option<usize>,
}

/// What every command works with.
pub struct Session {
    /// The global arguments.
    pub globals: Globals,
    /// The person.
    pub ui: Ui,
    /// What stops it.
    pub interrupt: Interrupt,
    /// What it was started with.
    pub environment: Environment,
}

impl Environment {
    /// The process's own.
    pub fn process() -> Self {
        Self {
            // A variable that is no Unicode is none of ours.
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            directory: PathBuf::from("."),
            host: host(),
            columns: terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns.into()),
        }
    }

    /// The value of a variable, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// How many columns there are: as many as somebody wants, or as the terminal has.
    fn width(&self) -> usize {
        let columns = self.get("COLUMNS").and_then(|columns| columns.trim().parse().ok()).or(self.columns);
        columns.map_or(WIDTH, |columns: usize| columns.clamp(*WIDTHS.start(), *WIDTHS.end()))
    }

    fn user(&self) -> &str {
        ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| self.get(name)).unwrap_or("somebody")
    }
}

fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if name.trim().is_empty() { "this machine".to_owned() } else { name.trim().to_owned() }
}

impl Session {
    /// Whether the cloud is simulated.
    pub fn is_sandbox(&self) -> bool {
        self.globals.sandbox || self.environment.get("QUORATE_SANDBOX").is_some_and(|value| value != "0")
    }

    /// Finds and reads the cluster file.
    pub fn file(&self) -> Result<ClusterFile, CliError> {
        let settings = Settings {
            environment: self.environment.variables.clone(),
            files: self.globals.var_file.clone(),
            given: self.globals.var.clone(),
        };
        ClusterFile::read(self.globals.file.as_deref(), self.directory(), &settings)
    }

    /// The directory that the cluster file is in: paths in it, and `.quorate`, start there. Empty where the file is given
    /// without one.
    pub fn directory(&self) -> &Path {
        match &self.globals.file {
            Some(file) => file.parent().unwrap_or(Path::new("")),
            None => &self.environment.directory,
        }
    }

    /// The directory beside the cluster file that holds what belongs to this checkout: the sandbox, and copies of
    /// records that could not be written.
    pub fn workshop(&self) -> PathBuf {
        self.directory().join(".quorate")
    }

    /// The directory that the simulated cloud of this cluster file is kept in, from the root of the disk on.
    pub fn simulated(&self) -> Result<PathBuf, CliError> {
        let directory = self.workshop().join(SANDBOX);
        std::path::absolute(&directory).map_err(|source| CliError::Unreadable { path: directory, source })
    }

    /// Reads the file and opens the cloud that it speaks of. Makes no call, unless nobody but AWS knows the account that
    /// the bucket's name holds.
    pub async fn ground(&self, told: Told, errand: Errand) -> Result<Ground, CliError> {
        let cluster = self.file()?.cluster(&self.ui, told)?;
        Ground::open(self, cluster, errand).await
    }

    /// This run, as the lease names it.
    pub(super) fn holder(&self) -> Holder {
        Holder {
            run: uuid::Uuid::new_v4().to_string(),
            who: self.environment.user().to_owned(),
            host: self.environment.host.clone(),
            pid: std::process::id(),
            operation: String::new(),
            since: Timestamp::now(),
        }
    }
}

impl Globals {
    /// How to talk on the process's own streams.
    pub fn manner(&self, environment: &Environment, verbose: bool) -> Manner {
        let style = |color| Style { color, width: environment.width(), verbose };
        Manner {
            out: style(self.color.on(&std::io::stdout())),
            err: style(self.color.on(&std::io::stderr())),
            json: self.json,
            quiet: self.quiet,
        }
    }
}

impl Color {
    fn on(self, stream: &impl anstream::stream::RawStream) -> bool {
        match self {
            Self::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_somebody_wants_or_as_the_terminal_is() {
        let width = |wanted: &str, columns| {
            let variables = vec![("COLUMNS".to_owned(), wanted.to_owned())];
            Globals::default().manner(&Environment { variables, columns, ..Environment::default() }, false).out.width
        };
        assert_eq!(["120", "0", "wide", "99999"].map(|wanted| width(wanted, None)), [120, 40, 80, 1000]);
        assert_eq!((width("120", Some(100)), width("", Some(100)), width("wide", Some(100))), (120, 100, 100));
        assert_eq!((width("", Some(20)), width("", None)), (40, 80));
    }
}
