//! A moto server for one test, and a view of its account from outside.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use quorate::testkit::skip_without_setup;

/// A running server. It stops with the test: its standard input ends.
pub(crate) struct MotoServer {
    process: Child,
    _stdin: ChildStdin,
    endpoint: String,
}

/// Everything in the account, by kind, as boto3 returns it.
pub(crate) type AccountInventory = BTreeMap<String, Vec<serde_json::Value>>;

impl MotoServer {
    /// Starts a server; `None`, with a message, where the tests' Python is missing.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(|_| {})
    }

    /// Starts a server whose machines run the scripts of Systems Manager, with the journal of this directory
    /// (`tests/moto/machine/journalctl`).
    pub(crate) fn with_machine(directory: &Path) -> Option<Self> {
        Self::start_with(|command| {
            command.env("QUORATE_TEST_MACHINE", directory);
        })
    }

    fn start_with(prepare: impl FnOnce(&mut Command)) -> Option<Self> {
        let Some(python) = python() else {
            skip_without_setup("moto is not installed; `tests/run` installs it");
            return None;
        };
        let mut command = Command::new(python);
        command.arg(script("server.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        prepare(&mut command);
        let mut process = command.spawn().expect("moto starts");
        let stdin = process.stdin.take().expect("standard input is piped");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("standard output is piped"))
            .read_line(&mut port)
            .expect("moto prints its port");
        let endpoint = format!("http://127.0.0.1:{}", port.trim());
        Some(Self { process, _stdin: stdin, endpoint })
    }

    /// Returns the endpoint of the server.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets a command work on this server.
    pub(crate) fn serve(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_REGION", "us-east-1");
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "1");
    }

    /// Creates objects of other people, which must survive.
    pub(crate) fn seed(&self) {
        self.world(&["seed"]);
    }

    /// Creates the objects of another cluster's controllers.
    pub(crate) fn neighbour(&self, cluster: &str) {
        self.world(&["neighbour", cluster]);
    }

    /// Makes a change outside of Quorate.
    pub(crate) fn tamper(&self, what: &str, cluster: &str) {
        self.world(&["tamper", what, cluster]);
    }

    /// Returns everything in the account.
    pub(crate) fn inventory(&self) -> AccountInventory {
        serde_json::from_str(&self.world(&["inventory"])).expect("an inventory is JSON")
    }

    fn world(&self, arguments: &[&str]) -> String {
        let output = Command::new(python().expect("moto runs"))
            .arg(script("world.py"))
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .output()
            .expect("world.py starts");
        assert!(output.status.success(), "world.py {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("an inventory is UTF-8")
    }
}

impl Drop for MotoServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn python() -> Option<PathBuf> {
    std::env::var_os("QUORATE_TEST_PYTHON").map(PathBuf::from)
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/moto").join(name)
}
