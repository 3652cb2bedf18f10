//! The file that `quorate init` writes, or stdout.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::cli::file::NAMES;
use crate::cli::{CliError, Session};

/// The destination of a new cluster file.
#[derive(Debug)]
pub(super) struct InitTarget {
    /// The file; `None` for stdout.
    path: Option<PathBuf>,
    /// The name that selects the language and that the text mentions.
    file_name: String,
    force: bool,
    /// `true` if the other commands find the file without `--file`.
    is_default: bool,
}

impl InitTarget {
    /// Chooses the destination, and refuses to overwrite a file without `force`. Writes nothing.
    pub(super) fn of(session: &Session, stdout: bool, force: bool) -> Result<Self, CliError> {
        let given = session.globals.file.as_deref();
        let is_stdout = stdout || given == Some(Path::new("-"));
        let given = given.filter(|path| *path != Path::new("-"));
        let directory = &session.environment.directory;
        let here = |name: &&str| directory.join(name).exists();
        let existing: Vec<&str> = NAMES.into_iter().filter(here).collect();
        let target = |path: &Path, is_default| Self {
            path: (!is_stdout).then(|| path.to_owned()),
            file_name: path.display().to_string(),
            force,
            is_default,
        };
        match (given, existing.as_slice()) {
            (Some(path), _) => {
                let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
                if !matches!(extension.as_deref(), Some("hcl" | "toml")) {
                    return Err(CliError::Usage {
                        message: format!("--file {}: the name ends in neither .hcl nor .toml", path.display()),
                        hint: "the ending selects the language of the file".to_owned(),
                    });
                }
                if !is_stdout && !force && path.exists() {
                    return Err(exists(&path.display().to_string()));
                }
                Ok(target(path, false))
            }
            (None, []) => Ok(target(Path::new(NAMES[0]), true)),
            (None, _) if is_stdout => Ok(target(Path::new(NAMES[0]), true)),
            (None, [name]) if force => Ok(target(Path::new(name), true)),
            (None, [name]) => Err(exists(name)),
            (None, _) => Err(CliError::Usage {
                message: "there are both a cluster.hcl and a cluster.toml here: nothing was written".to_owned(),
                hint: "remove one, or name the right one with --file".to_owned(),
            }),
        }
        .map(|target| target.inside(directory))
    }

    /// Places the file in the working directory of the session.
    fn inside(self, directory: &Path) -> Self {
        let in_directory = |path: PathBuf| {
            let path = if path.is_relative() && self.is_default { directory.join(path) } else { path };
            path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
        };
        Self { path: self.path.map(in_directory), ..self }
    }

    /// Returns the file; `None` for stdout.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the name that selects the language.
    pub(super) fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Returns the arguments by which another command finds the file.
    pub(super) fn file_flag(&self) -> String {
        if self.is_default { String::new() } else { format!(" --file {}", self.file_name) }
    }

    /// Writes the file. Without `force`, a file that was created meanwhile is not overwritten.
    pub(super) fn write(&self, text: &str) -> Result<(), CliError> {
        let Some(path) = &self.path else { return Ok(()) };
        let written = if self.force { replace(path, text) } else { create(path, text) };
        written.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => exists(&path.display().to_string()),
            _ => CliError::Unwritable { path: path.clone(), source },
        })
    }
}

fn exists(name: &str) -> CliError {
    CliError::refused(
        format!("{name} exists already: nothing was written"),
        "pass --force to overwrite it, or write another file with --file",
    )
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A part of a file is useless; a failure to remove it changes nothing.
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a file as a whole: the old content stays if the new one cannot be written.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays, and the file that it leads to is replaced.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.draft", std::process::id()));
    let draft = real.with_file_name(name);
    create(&draft, text)?;
    let moved = fs::rename(&draft, &real);
    if moved.is_err() {
        let _ = fs::remove_file(&draft);
    }
    moved
}
