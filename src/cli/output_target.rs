//! The place that an option writes a result to.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::store::file::{self, WriteDurability};

use super::error::CliError;
use super::ui::Ui;

/// A file, or stdout, which is written `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputTarget {
    /// Standard output, in place of the text of the command.
    Stdout,
    /// A file that is replaced.
    File(PathBuf),
}

impl FromStr for OutputTarget {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::Stdout } else { Self::File(PathBuf::from(text)) })
    }
}

impl OutputTarget {
    /// Returns an error if more than one result would be written to stdout, or one to a directory that does not exist.
    ///
    /// # Errors
    /// Returns an error of the command line.
    pub(super) fn check<'a>(targets: impl IntoIterator<Item = &'a Self>, ui: &Ui) -> Result<(), CliError> {
        let mut on_stdout = 0;
        for target in targets {
            match target {
                Self::Stdout => on_stdout += 1,
                Self::File(path) => check_directory(path)?,
            }
        }
        if on_stdout + usize::from(ui.is_json()) > 1 {
            return Err(CliError::Usage {
                message: "only one result can be written to stdout".to_owned(),
                hint: "pass a file instead of `-`, or leave out --json".to_owned(),
            });
        }
        Ok(())
    }

    /// Writes a result.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written. An error of stdout is reported when the command ends.
    pub(super) fn write(&self, text: &str, ui: &Ui) -> Result<(), CliError> {
        match self {
            Self::Stdout => ui.result(text),
            Self::File(path) => file::replace(path, text.as_bytes(), WriteDurability::Process)
                .map_err(|source| CliError::Unwritable { path: path.clone(), source })?,
        }
        Ok(())
    }
}

/// Returns an error if the directory of a file that a person names does not exist: a typing error makes no directories.
///
/// # Errors
/// Returns an error of the command line.
pub(super) fn check_directory(path: &Path) -> Result<(), CliError> {
    match path.parent() {
        Some(directory) if directory != Path::new("") && !directory.is_dir() => Err(CliError::Usage {
            message: format!("{} cannot be written: there is no directory {}", path.display(), directory.display()),
            hint: "create the directory, or name a file in another one".to_owned(),
        }),
        _ => Ok(()),
    }
}
