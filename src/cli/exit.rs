//! How the program ends.

use std::process::ExitCode;

/// What the exit code says; [`Exit::meaning`] is the same for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done,
    /// Something went wrong: nothing was changed, or what was done could not be told.
    Error,
    /// Something is not as it should be, and nothing was to be changed.
    Differs,
    /// Some changes were made, some were not; or all were, and the cluster did not become well.
    Partly,
    /// Not allowed to go on.
    Refused,
    /// Another run works on the cluster, or took it over.
    Held,
    /// The command line or the cluster file is wrong.
    Usage,
    /// Interrupted; what was done is recorded.
    Interrupted,
}

impl Exit {
    /// Every way to end, by its number.
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

    /// The number.
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

    /// What it means; `docs/commands.md` begins with these words and tells more.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "error",
            Self::Differs => {
                "the plan is not empty (`plan --detailed-exitcode`), or the cluster is not healthy (`validate`)"
            }
            Self::Partly => "partly applied; run the command again to resume",
            Self::Refused => {
                "refused: not confirmed, another account, data would be lost, or a change that is not possible"
            }
            Self::Held => "another run holds the lease, or took it over",
            Self::Usage => "the arguments or the cluster file are invalid",
            Self::Interrupted => "interrupted; completed changes are recorded",
        }
    }

    /// The table below the help of the whole program.
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
    fn the_page_tells_every_code_in_the_same_words() {
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
