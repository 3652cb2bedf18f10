//! Access to the machines of a cluster without an open port: their console output, commands, and sessions.

use std::fmt;

use crate::engine::{BoxFuture, Failure};

/// Maximum number of characters of a command's output that Systems Manager returns: the first ones.
pub const COMMAND_OUTPUT: usize = 24_000;

/// Access to machines, by their instance ids.
pub trait MachineAccess: Send + Sync {
    /// Returns the latest console output of a machine, as it was written; empty if there is none yet.
    fn console_output<'a>(&'a self, instance: &'a str) -> BoxFuture<'a, Result<String, Failure>>;

    /// Runs a shell script on a machine, as root. The script may run twice, so it must only read. Returns `None` if the machine
    /// is not connected to Systems Manager.
    fn run_script<'a>(
        &'a self,
        instance: &'a str,
        script: &'a str,
    ) -> BoxFuture<'a, Result<Option<ScriptOutput>, Failure>>;

    /// Starts an interactive session on a machine. Returns `None` if the machine is not connected to Systems Manager.
    fn start_session<'a>(&'a self, instance: &'a str) -> BoxFuture<'a, Result<Option<MachineSession>, Failure>>;

    /// Ends a session, by its id. Idempotent.
    fn end_session<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<(), Failure>>;
}

/// The output of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScriptOutput {
    /// The text on stdout, at most [`COMMAND_OUTPUT`] characters.
    pub out: String,
    /// The text on stderr.
    pub err: String,
}

/// A session that was started, and that nobody has joined yet.
pub struct MachineSession {
    /// Its id.
    pub id: String,
    /// The region of its machine.
    pub region: String,
    /// The URL of the endpoint that started it.
    pub endpoint: String,
    /// The answer of the endpoint as JSON: it contains the token with which one client can join.
    pub answer: SessionAnswer,
}

/// The answer to the start of a session. It contains a token, so it cannot be printed.
#[derive(Clone)]
pub struct SessionAnswer(String);

impl SessionAnswer {
    /// Wraps an answer.
    pub fn new(json: String) -> Self {
        Self(json)
    }

    /// Returns the answer, for the program that joins the session.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionAnswer(…)")
    }
}

impl fmt::Debug for MachineSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineSession").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_session_is_not_printed() {
        let session = MachineSession {
            id: "ada-1".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: "https://ssm.us-east-1.amazonaws.com/".to_owned(),
            answer: SessionAnswer::new(r#"{"TokenValue":"secret"}"#.to_owned()),
        };
        assert_eq!(
            format!("{session:?} {:?}", session.answer),
            "MachineSession { id: \"ada-1\", .. } SessionAnswer(…)"
        );
    }
}
