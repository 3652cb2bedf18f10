//! A moto server of one test's own, and a look at its account from outside.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::skip::skip_without_setup;

/// A running server. It stops with the test: its standard input ends.
pub(crate) struct Moto {
    process: Child,
    _stdin: ChildStdin,
    endpoint: String,
}

/// Everything in the account, by kind: what boto3 sees.
pub(crate) type Inventory = BTreeMap<String, Vec<serde_json::Value>>;

impl Moto {
    /// Starts a server; `None`, with a line that says so, where the tests' Python is missing.
    pub(crate) fn start() -> Option<Self> {
        let Some(python) = python() else {
            skip_without_setup("moto is not installed; `tests/run` installs it");
            return None;
        };
        let mut process = Command::new(python)
            .arg(script("server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let stdin = process.stdin.take().expect("standard input is piped");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("standard output is piped"))
            .read_line(&mut port)
            .expect("moto prints its port");
        let endpoint = format!("http://127.0.0.1:{}", port.trim());
        Some(Self { process, _stdin: stdin, endpoint })
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Things of other people, which must survive.
    pub(crate) fn seed(&self) {
        self.world(&["seed"]);
    }

    /// What the controllers of another cluster made.
    pub(crate) fn neighbour(&self, cluster: &str) {
        self.world(&["neighbour", cluster]);
    }

    /// Changes the world behind Quorate's back.
    pub(crate) fn hurt(&self, what: &str, cluster: &str) {
        self.world(&["hurt", what, cluster]);
    }

    /// Everything in the account.
    pub(crate) fn inventory(&self) -> Inventory {
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

impl Drop for Moto {
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
