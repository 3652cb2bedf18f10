//! The cluster file: its location and its variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::spec::{self, Cluster, Diagnostic, ParsedFile};

use super::Ui;
use super::error::CliError;
use super::manifests::{self, FileFindings};

/// The default names of a cluster file.
pub(super) const NAMES: [&str; 2] = ["cluster.hcl", "cluster.toml"];
/// The prefix of environment variables that set variables of the cluster file.
const PREFIX: &str = "QUORATE_VAR_";

/// A cluster file that was found and read, with the values of its variables.
#[derive(Debug)]
pub struct ClusterFile {
    /// The file's path.
    pub path: PathBuf,
    /// The directory that relative paths in the file refer to.
    directory: PathBuf,
    text: String,
    variables: BTreeMap<String, String>,
}

/// The problems of a file that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownDiagnostics {
    /// Warnings too: the command is about the file.
    Everything,
    /// Problems that stop the command.
    Errors,
}

/// The sources of variables: a later one takes precedence.
#[derive(Debug, Default)]
pub struct VariableSources {
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Files of `name = value` lines.
    pub files: Vec<PathBuf>,
    /// `name=value` on the command line.
    pub given: Vec<String>,
}

impl ClusterFile {
    /// Finds and reads the file: the given one, or the one in `directory`, which relative paths in it refer to.
    pub fn read(given: Option<&Path>, directory: &Path, settings: &VariableSources) -> Result<Self, CliError> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => find(directory)?,
        };
        let text =
            std::fs::read_to_string(&path).map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
        Ok(Self { path, directory: directory.to_owned(), text, variables: settings.variables()? })
    }

    /// Parses the file, and the manifests that it names. Returns the problems of both.
    pub(super) fn parse(&self) -> (ParsedFile, Vec<FileFindings>) {
        let mut parsed = spec::parse(&self.path.display().to_string(), &self.text, &self.variables);
        let manifests = manifests::read(&mut parsed, &self.directory);
        (parsed, manifests)
    }

    /// Shows the problems of the file and returns the cluster. Problems of manifests are not shown if only errors are
    /// requested: nothing is created from manifests then.
    pub fn cluster(&self, ui: &Ui, shown: ShownDiagnostics) -> Result<Cluster, CliError> {
        let (mut parsed, mut manifests) = self.parse();
        if shown == ShownDiagnostics::Errors {
            manifests.clear();
        }
        if ui.is_quiet() {
            parsed.diagnostics.retain(Diagnostic::is_error);
        }
        if shown == ShownDiagnostics::Everything && !parsed.diagnostics.is_empty() || parsed.has_errors() {
            let style = ui.message_style();
            ui.message(&parsed.render(style.color, style.width));
        }
        for findings in &manifests {
            findings.show(ui);
        }
        let found = parsed.diagnostics.iter().chain(manifests.iter().flat_map(|findings| &findings.problems));
        let codes: Vec<&str> = found.filter(|problem| problem.is_error()).map(|problem| problem.code).collect();
        let file = || self.path.display().to_string();
        let code = codes.first().copied().unwrap_or("CODE");
        match parsed.cluster {
            Ok(cluster) if codes.is_empty() => Ok(cluster),
            _ => Err(CliError::File { file: file(), errors: codes.len(), code }),
        }
    }
}

fn find(directory: &Path) -> Result<PathBuf, CliError> {
    let mut found: Vec<PathBuf> = NAMES.iter().map(|name| directory.join(name)).filter(|path| path.is_file()).collect();
    match found.len() {
        1 => Ok(strip_dot(found.remove(0))),
        0 => Err(CliError::Usage {
            message: "there is no cluster.hcl and no cluster.toml here".to_owned(),
            hint: "`quorate init` writes one; or go to its directory, or name it with --file".to_owned(),
        }),
        _ => Err(CliError::Usage {
            message: "there are both a cluster.hcl and a cluster.toml here".to_owned(),
            hint: "remove one, or name the right one with --file".to_owned(),
        }),
    }
}

/// Removes the prefix `./`, as in `./cluster.hcl`.
fn strip_dot(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
}

impl VariableSources {
    fn variables(&self) -> Result<BTreeMap<String, String>, CliError> {
        let mut variables: BTreeMap<String, String> = self
            .environment
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value.clone())))
            .collect();
        for file in &self.files {
            variables.extend(from_file(file)?);
        }
        for setting in &self.given {
            let (name, value) = setting
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| usage(format!("--var {setting} sets nothing"), "write it as --var name=value"))?;
            variables.insert(name.to_owned(), value.to_owned());
        }
        Ok(variables)
    }
}

/// Reads variables from a file of `name = value` lines (TOML, and the part of HCL with the same syntax).
fn from_file(path: &Path) -> Result<BTreeMap<String, String>, CliError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| CliError::Unreadable { path: path.to_owned(), source })?;
    let place = path.display();
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        usage(format!("{place} is not a file of variables: {}", error.message()), "write name = \"value\" lines")
    })?;
    table
        .into_iter()
        .map(|(name, value)| match value {
            toml::Value::String(text) => Ok((name, text)),
            toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Float(_) => Ok((name, value.to_string())),
            _ => Err(usage(
                format!("the variable `{name}` in {place} is neither text nor a number"),
                "give lists and maps in the cluster file itself",
            )),
        })
        .collect()
}

fn usage(message: String, hint: &str) -> CliError {
    CliError::Usage { message, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_command_line_wins_over_files_and_files_over_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prod.vars");
        std::fs::write(&file, "image = \"from-file\"\nreplicas = 3\n").unwrap();
        let settings = VariableSources {
            environment: vec![
                ("QUORATE_VAR_image".to_owned(), "from-environment".to_owned()),
                ("QUORATE_VAR_zone".to_owned(), "us-east-1a".to_owned()),
                ("PATH".to_owned(), "/bin".to_owned()),
            ],
            files: vec![file],
            given: vec!["replicas=5=5".to_owned()],
        };
        let expected = [("image", "from-file"), ("replicas", "5=5"), ("zone", "us-east-1a")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(settings.variables().unwrap(), BTreeMap::from(expected));
    }

    #[test]
    fn a_setting_without_a_name_is_refused() {
        for given in ["image", "=x"] {
            let settings = VariableSources { given: vec![given.to_owned()], ..VariableSources::default() };
            assert_eq!(settings.variables().unwrap_err().exit(), crate::cli::Exit::Usage);
        }
    }

    #[test]
    fn two_cluster_files_are_one_too_many_and_none_is_one_too_few() {
        let directory = tempfile::tempdir().unwrap();
        let read = || ClusterFile::read(None, directory.path(), &VariableSources::default());
        assert!(read().unwrap_err().to_string().contains("no cluster.hcl"));
        std::fs::write(directory.path().join("cluster.toml"), "").unwrap();
        assert_eq!(read().unwrap().path, directory.path().join("cluster.toml"));
        std::fs::write(directory.path().join("cluster.hcl"), "").unwrap();
        assert!(read().unwrap_err().to_string().contains("both"));
    }
}
