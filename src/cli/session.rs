//! The context of every command: the global arguments, the user interface, the environment.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use terminal_size::{Width, terminal_size_of};

use crate::state::LeaseHolder;
use crate::view::TextStyle;

use super::completion::paths;
use super::error::CliError;
use super::file::{ClusterFile, VariableSources};
use super::ui::OutputOptions;
use super::{Interrupt, Ui, process};

/// The subdirectory of `.quorate` with the simulated cloud.
pub(super) const SANDBOX: &str = "sandbox";
/// Number of columns of text if neither `COLUMNS` nor a terminal sets it.
const WIDTH: usize = 80;
/// The minimum and the maximum number of columns that text is formatted for.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=1000;

/// Arguments of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// The cluster file [default: cluster.hcl or cluster.toml in this directory]
    #[arg(short, long, global = true, value_name = "FILE", add = paths::cluster_files())]
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
    pub color: ColorMode,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// The use of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorMode {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The environment of the process.
#[derive(Debug, Clone, Default)]
pub struct ProcessEnvironment {
    /// The environment variables.
    pub variables: Vec<(String, String)>,
    /// The working directory, as paths in messages begin: `.` for the process's own one.
    pub directory: PathBuf,
    /// The host name.
    pub host: String,
    /// Number of columns of the terminal on stdout; `None` if stdout is not a terminal.
    pub columns: Option<usize>,
}

/// The context of every command.
pub struct Session {
    /// The global arguments.
    pub globals: GlobalArgs,
    /// The user interface.
    pub ui: Ui,
    /// The stop requests of the user.
    pub interrupt: Interrupt,
    /// The environment of the process.
    pub environment: ProcessEnvironment,
}

impl ProcessEnvironment {
    /// Returns the environment of this process.
    pub fn process() -> Self {
        Self {
            // A variable that is not Unicode is not one of Quorate's.
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            directory: PathBuf::from("."),
            host: host(),
            columns: terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns.into()),
        }
    }

    /// Returns the value of a variable, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the number of columns: the configured number, or the terminal's.
    fn width(&self) -> usize {
        let columns = self.get("COLUMNS").and_then(|columns| columns.trim().parse().ok()).or(self.columns);
        columns.map_or(WIDTH, |columns: usize| columns.clamp(*WIDTHS.start(), *WIDTHS.end()))
    }

    fn user(&self) -> &str {
        ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| self.get(name)).unwrap_or("unknown")
    }
}

fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if name.trim().is_empty() { "this machine".to_owned() } else { name.trim().to_owned() }
}

impl Session {
    /// Returns `true` if the cloud is simulated.
    pub fn is_sandbox(&self) -> bool {
        self.globals.sandbox || self.environment.get("QUORATE_SANDBOX").is_some_and(|value| value != "0")
    }

    /// Returns `true` if the directory has a simulated cloud.
    pub(super) fn has_sandbox(&self) -> bool {
        self.local_dir().join(SANDBOX).is_dir()
    }

    /// Finds and reads the cluster file.
    pub fn file(&self) -> Result<ClusterFile, CliError> {
        let settings = VariableSources {
            environment: self.environment.variables.clone(),
            files: self.globals.var_file.clone(),
            given: self.globals.var.clone(),
        };
        ClusterFile::read(self.globals.file.as_deref(), self.directory(), &settings)
    }

    /// Returns the directory of the cluster file: relative paths in it, and `.quorate`, start there. Empty if the file is
    /// given without a directory.
    pub fn directory(&self) -> &Path {
        match &self.globals.file {
            Some(file) => file.parent().unwrap_or(Path::new("")),
            None => &self.environment.directory,
        }
    }

    /// Returns the directory beside the cluster file that contains local files of this checkout: the sandbox, and copies of
    /// records that could not be written.
    pub fn local_dir(&self) -> PathBuf {
        self.directory().join(".quorate")
    }

    /// Returns the absolute path of the directory that contains the simulated cloud of this cluster file.
    pub fn simulated(&self) -> Result<PathBuf, CliError> {
        let directory = self.local_dir().join(SANDBOX);
        std::path::absolute(&directory).map_err(|source| CliError::Unreadable { path: directory, source })
    }

    /// Returns the description of this run for the lease.
    pub(super) fn holder(&self) -> LeaseHolder {
        LeaseHolder {
            run: uuid::Uuid::new_v4().to_string(),
            who: self.environment.user().to_owned(),
            host: self.environment.host.clone(),
            pid: std::process::id(),
            process: process::identity(),
            operation: String::new(),
            since: Timestamp::now(),
        }
    }
}

impl GlobalArgs {
    /// Returns the output options for the process's own streams.
    pub fn output_options(&self, environment: &ProcessEnvironment, verbose: bool) -> OutputOptions {
        let style = |color| TextStyle { color, width: environment.width(), verbose };
        OutputOptions {
            out: style(self.color.on(&std::io::stdout())),
            err: style(self.color.on(&std::io::stderr())),
            json: self.json,
            quiet: self.quiet,
        }
    }
}

impl ColorMode {
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
    fn text_has_the_chosen_width_or_that_of_the_terminal() {
        let width = |wanted: &str, columns| {
            let variables = vec![("COLUMNS".to_owned(), wanted.to_owned())];
            GlobalArgs::default()
                .output_options(&ProcessEnvironment { variables, columns, ..ProcessEnvironment::default() }, false)
                .out
                .width
        };
        assert_eq!(["120", "0", "wide", "99999"].map(|wanted| width(wanted, None)), [120, 40, 80, 1000]);
        assert_eq!((width("120", Some(100)), width("", Some(100)), width("wide", Some(100))), (120, 100, 100));
        assert_eq!((width("", Some(20)), width("", None)), (40, 80));
    }
}
