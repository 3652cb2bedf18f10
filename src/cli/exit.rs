//! The exit codes of the program.

use std::process::ExitCode;

/// The exit code of the program; [`Exit::meaning`] describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was requested is done.
    Done,
    /// An error: nothing was changed, or the result could not be written.
    Error,
    /// A difference or a problem was found by a command that changes nothing.
    Differs,
    /// Some changes were made, some were not; or all were, and the cluster did not become healthy.
    Partly,
    /// Refused: continuing is not allowed.
    Refused,
    /// Another run holds the lease, or took it over.
    Held,
    /// The command line or the cluster file is invalid.
    Usage,
    /// Interrupted; completed changes are recorded.
    Interrupted,
}

impl Exit {
    /// All exit codes, sorted by number.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Error,
        Self::Differs,
        Self::Partly,
        Self::Refused,
        Self::Held,
        Self::Usage,
        Self::Interrupted,
    ];

    /// Returns the number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Differs => 2,
            Self::Partly => 3,
            Self::Refused => 4,
            Self::Held => 5,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// Returns the description; `docs/commands.md` begins with this text and explains more.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "error",
            Self::Differs => {
                "the plan is not empty (`plan --detailed-exitcode`), the cluster is not healthy (`validate`), or a check failed \
                 (`doctor`)"
            }
            Self::Partly => "partly applied; run the command again to resume",
            Self::Refused => {
                "refused: not confirmed, another account, data would be lost, a limit would be exceeded, or a change that is not \
                 possible"
            }
            Self::Held => "another run holds the lease, or took it over",
            Self::Usage => "the arguments or the cluster file are invalid",
            Self::Interrupted => "interrupted; completed changes are recorded",
        }
    }

    /// Returns the table of exit codes below the program's help.
    pub(super) fn table() -> String {
        let row = |exit: Self| format!("\n  {:>3}  {}", exit.code(), exit.meaning());
        format!("Exit codes:{}", Self::ALL.map(row).concat())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_code_with_the_same_meaning() {
        let page = include_str!("../../docs/commands.md");
        let rows: Vec<(&str, &str)> = page
            .lines()
            .skip_while(|line| *line != "## Exit codes")
            .skip(4)
            .map_while(|line| line.strip_prefix("| ")?.split_once(" | "))
            .collect();
        assert_eq!(rows.len(), Exit::ALL.len(), "{rows:?}");
        for (exit, (code, meaning)) in Exit::ALL.into_iter().zip(rows) {
            assert_eq!(code, exit.code().to_string());
            assert!(meaning.starts_with(exit.meaning()), "{code}: `{meaning}` is not `{}`", exit.meaning());
        }
    }
}
