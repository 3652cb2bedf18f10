//! `quorate man`

use std::future::{Ready, ready};
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory, ValueHint};
use clap_mangen::Man;

use crate::cli::{CliError, Exit, Session};
use crate::words;

/// Write the manual pages
///
/// Writes a page for the program and one for each command, of section 1. Packages install them. To read one without
/// installing it: quorate man man1, and then man --local-file man1/quorate-plan.1
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The directory of the pages; it is created if it does not exist
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
}

impl ManArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        ready(self.write(session))
    }

    fn write(&self, session: &Session) -> Result<Exit, CliError> {
        let unwritable = |source| CliError::Unwritable { path: self.directory.clone(), source };
        std::fs::create_dir_all(&self.directory).map_err(unwritable)?;
        // A page for `help` would have one for each command again.
        let mut command = crate::cli::CliArgs::command().disable_help_subcommand(true);
        command.build();
        let pages = write_pages(&command, &self.directory).map_err(unwritable)?;
        session.ui.note(&format!("wrote {} to {}", words::count(pages, "page"), self.directory.display()));
        Ok(Exit::Done)
    }
}

/// Writes the page of a command, and those of its subcommands. Returns their number.
fn write_pages(command: &Command, directory: &Path) -> io::Result<usize> {
    let page = Man::new(command.clone()).source(concat!("quorate ", env!("CARGO_PKG_VERSION"))).manual("Quorate");
    page.generate_to(directory)?;
    command.get_subcommands().try_fold(1, |pages, below| Ok(pages + write_pages(below, directory)?))
}
