//! How the program ends.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done,
    /// Something went wrong, and nothing was changed.
    Error,
    /// There is something to do (`--detailed-exitcode`).
    Differs,
    /// Some changes were made, some were not.
    Partly,
    /// Not allowed to go on: no consent, another account, data that would be lost, a change that cannot be made.
    Refused,
    /// Another run works on the cluster.
    Held,
    /// The command line or the cluster file is wrong.
    Usage,
    /// Interrupted; what was done is recorded.
    Interrupted,
}

impl Exit {
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
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
