//! Whole lives of a cluster in the sandbox, as a user lives them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod access;
mod balancers;
mod bucket;
mod consent;
mod controllers;
mod edits;
mod health;
mod living;
mod neighbours;
mod pass;
mod plans;
mod rolls;
mod runs;
mod services;
mod stops;
mod tags;
mod told;
mod zones;

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::cli::{CliError, Exit, Input, Manner, Origin, Vault};
use crate::engine::Mode;
use crate::kubernetes::Kubernetes;
use crate::kubernetes::fake::FakeApi;
use crate::sandbox::{Sandbox, Settings};
use crate::spec;
use crate::store::MemoryStore;

const FILE: &str = r#"
name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1d", "us-east-1f"]
masters {
  count = 3
  size  = "t3.medium"
}
nodes "workers" {
  count = 2
  size  = "t3.medium"
}
"#;

/// Text that a test reads.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn read(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

/// A person with a cluster file, a directory, and a simulated account.
struct Lab {
    sandbox: Sandbox,
    /// Instead of the sandbox alone.
    cloud: Option<Arc<dyn Cloud>>,
    /// Instead of the sandbox's bucket.
    store: Option<Arc<dyn Store>>,
    /// Where in the bucket the cluster's keys are.
    prefix: &'static str,
    text: String,
    directory: tempfile::TempDir,
    out: Paper,
    err: Paper,
    manner: Manner,
    interrupt: Interrupt,
    answers: Option<Vec<&'static str>>,
    /// Where the run comes from on a cloud that counts as real.
    origin: Option<Origin>,
}

impl Lab {
    fn new() -> Self {
        let mut settings = Settings::new("us-east-1", "chat.poeticoding.com");
        settings.bucket = Some("state.chat.poeticoding.com".to_owned());
        Self {
            sandbox: Sandbox::in_memory(settings),
            cloud: None,
            store: None,
            prefix: "",
            text: FILE.to_owned(),
            directory: tempfile::tempdir().unwrap(),
            out: Paper::default(),
            err: Paper::default(),
            manner: Manner::default(),
            interrupt: Interrupt::default(),
            answers: None,
            origin: None,
        }
    }

    async fn with<T>(&self, run: impl AsyncFnOnce(&Flow<'_>) -> T) -> T {
        let name = if self.text.starts_with("# TOML") { "cluster.toml" } else { "cluster.hcl" };
        let parsed = spec::parse(name, &self.text, &BTreeMap::new());
        let mut cluster = parsed.cluster.clone().unwrap_or_else(|| panic!("{}", parsed.render(false, 80)));
        for addon in cluster.addons.values_mut() {
            addon.content = std::fs::read_to_string(self.directory.path().join(&addon.manifest)).unwrap();
        }
        let input = self.answers.as_ref().map_or(Input::Nobody, |answers| {
            Input::Script(answers.iter().map(ToString::to_string).collect::<VecDeque<_>>())
        });
        let (bucket, prefix) = match &cluster.state {
            spec::StateLocation::S3 { bucket, prefix } => (bucket.clone(), prefix.clone()),
            spec::StateLocation::Directory(_) => ("state.chat.poeticoding.com".to_owned(), self.prefix.to_owned()),
        };
        let bucket = Arc::new(self.sandbox.store(&bucket, &prefix));
        let out = Arc::new(Mutex::new(self.out.clone()));
        let ui = Ui::captured(self.manner, input, out, Arc::new(Mutex::new(self.err.clone())));
        let flow = Flow {
            cluster: &cluster,
            cloud: self.cloud.as_deref().unwrap_or(&self.sandbox),
            store: self.store.clone().unwrap_or_else(|| bucket.clone()),
            bucket,
            sandbox: self.origin.is_none(),
            ui: &ui,
            interrupt: &self.interrupt,
            holder: holder(),
            workshop: self.directory.path().join(".quorate"),
            clinic: None,
            origin: self.origin,
            retry: RetryPolicy { settle: Duration::from_millis(1), ..RetryPolicy::default() },
        };
        run(&flow).await
    }

    async fn plan(&self) -> (Result<Exit, CliError>, String) {
        self.plan_for(Mode::Apply).await
    }

    async fn plan_for(&self, mode: Mode) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |flow| plan(flow, Look { mode, detailed: true }).await).await;
        (exit, self.out.read())
    }

    async fn apply(&self, consent: Consent) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |flow| apply(flow, consent).await).await;
        (exit, self.out.read())
    }

    async fn destroy(&self, yes: bool) -> (Result<Exit, CliError>, String) {
        self.destroy_with(Consent { yes, delete_data: yes }).await
    }

    async fn destroy_with(&self, consent: Consent) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |flow| destroy(flow, consent).await).await;
        (exit, self.out.read())
    }

    async fn keys(&self) -> Vec<String> {
        self.with(async |flow| flow.store.leftovers().await).await.unwrap()
    }

    async fn put_bytes(&self, key: &str, text: &str) {
        let store = self.sandbox.store("state.chat.poeticoding.com", "");
        store.put(key, text.as_bytes(), &crate::engine::Condition::Absent).await.unwrap();
    }

    async fn put(&self, prefix: &str, key: &str) {
        let store = self.sandbox.store("state.chat.poeticoding.com", prefix);
        store.put(key, b"{}", &crate::engine::Condition::Absent).await.unwrap();
    }

    /// The machines of the simulated cluster: instance and group.
    async fn machines(&self) -> Vec<(String, String)> {
        let live = self.with(async |flow| flow.cloud.observe().await).await.unwrap();
        let members = live.iter().flat_map(|live| live.members.iter().map(move |member| (member, live)));
        members.map(|(member, live)| (member.id.clone(), live.address.name().to_owned())).collect()
    }

    /// A lab whose cluster is built.
    async fn built() -> Self {
        let lab = Self::new();
        let (exit, out) = lab.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
        lab
    }
}

const YES: Consent = Consent { yes: true, delete_data: false };

fn holder() -> Holder {
    Holder {
        run: uuid::Uuid::new_v4().to_string(),
        who: "alice".to_owned(),
        host: "laptop".to_owned(),
        pid: 42,
        operation: String::new(),
        since: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn files_below(directory: &Path) -> usize {
    std::fs::read_dir(directory).map(Iterator::count).unwrap_or_default()
}
