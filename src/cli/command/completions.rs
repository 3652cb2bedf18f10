//! `quorate completions`

use std::future::{Ready, ready};

use clap::Args;
use clap_complete::Shell;

use crate::cli::completion::registration;
use crate::cli::{CliError, Exit, Session};

/// Print a shell completion script
///
/// Completes commands, options, cluster files, machines, node groups, zones, rules, and the objects of the sandbox. The
/// script runs quorate for that, which reads the files of the directory only.
/// For bash: quorate completions bash > ~/.local/share/bash-completion/completions/quorate
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        ready(registration(&self.shell.to_string()).map_err(CliError::Output).map(|script| {
            session.ui.result(&script);
            Exit::Done
        }))
    }
}
