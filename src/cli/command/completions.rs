//! `quorate completions`

use std::future::{Ready, ready};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::{CliError, Exit, Session};

/// Print a shell completion script
///
/// For bash: quorate completions bash > ~/.local/share/bash-completion/completions/quorate
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        let mut script = Vec::new();
        generate(self.shell, &mut crate::cli::CliArgs::command(), "quorate", &mut script);
        session.ui.result(&String::from_utf8_lossy(&script));
        ready(Ok(Exit::Done))
    }
}
