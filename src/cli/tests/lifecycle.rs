//! Whole lifecycles of a cluster in the sandbox, as a user runs them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod access;
mod availability;
mod balancers;
mod bucket;
mod consent;
mod controllers;
mod cost;
mod edits;
mod health;
mod living;
mod locks;
mod moments;
mod neighbours;
mod output;
mod plans;
mod relocate;
mod rolls;
mod runs;
mod saved_plans;
mod services;
mod stateful;
mod stops;
mod tags;
mod temporary_access;
mod upgrades;
mod views;
mod years;
mod zones;

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::blueprint::Upgrade;
use crate::cli::command::validate::validate;
use crate::cli::{
    ApplyRequest, CliError, ClientOrigin, ClusterContext, Consent, Exit, Interrupt, MoveOptions, OutputOptions,
    PlanLimits, PlanOptions, PlanRequest, PromptInput, StatePlace, StatePlaces, Ui, apply, destroy, move_state, plan,
};
use crate::cloud::CloudProvider;
use crate::engine::{BoxFuture, ObjectStore, PlanMode, RetryPolicy};
use crate::kubernetes::ClientAccess;
use crate::sandbox::{Sandbox, SandboxSettings};
use crate::spec;
use crate::state::LeaseHolder;
use crate::store::MemoryStore;
use crate::testkit::fake::FakeApi;

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

/// The output that a test reads.
#[derive(Clone, Default)]
struct TextBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for TextBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl TextBuffer {
    fn read(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

/// A user with a cluster file, a directory, and a simulated account.
struct SandboxUser {
    sandbox: Sandbox,
    /// The cloud that replaces the sandbox.
    cloud: Option<Arc<dyn CloudProvider>>,
    /// The Kubernetes API of its machines.
    kubernetes: Option<Arc<dyn ClientAccess>>,
    /// The store that replaces the sandbox's bucket.
    store: Option<Arc<dyn ObjectStore>>,
    /// The prefix of the cluster's keys in the bucket.
    prefix: &'static str,
    text: String,
    directory: tempfile::TempDir,
    out: TextBuffer,
    err: TextBuffer,
    options: OutputOptions,
    interrupt: Interrupt,
    answers: Option<Vec<&'static str>>,
    lock_timeout: Duration,
    /// The origin of the run on a cloud that counts as real.
    origin: Option<ClientOrigin>,
    limits: PlanLimits,
    upgrade: Upgrade,
}

/// Opens other places in the simulated account. Directories are in memory, for as long as the user.
struct SandboxPlaces {
    sandbox: Sandbox,
}

impl StatePlaces for SandboxPlaces {
    fn open<'a>(&'a self, cluster: &'a spec::Cluster) -> BoxFuture<'a, Result<StatePlace, CliError>> {
        Box::pin(async move {
            let location = crate::blueprint::location(cluster, &self.sandbox.settings().account);
            let prefix = match &cluster.state {
                spec::StateLocation::S3 { prefix, .. } => prefix.clone(),
                spec::StateLocation::Directory(_) => String::new(),
            };
            let bucket: Arc<dyn ObjectStore> = Arc::new(self.sandbox.store(location.bucket(), &prefix));
            let store = match &cluster.state {
                spec::StateLocation::S3 { .. } => Arc::clone(&bucket),
                spec::StateLocation::Directory(path) => Arc::new(crate::state::DirectoryStore::new(path)),
            };
            let settings = SandboxSettings {
                bucket: Some(location.bucket().to_owned()),
                location: Some(location),
                ..self.sandbox.settings().clone()
            };
            Ok(StatePlace { cloud: Arc::new(self.sandbox.seen_by(settings)), store, bucket })
        })
    }
}

impl SandboxUser {
    fn new() -> Self {
        let mut settings = SandboxSettings::new("us-east-1", "chat.poeticoding.com");
        settings.bucket = Some("state.chat.poeticoding.com".to_owned());
        Self {
            sandbox: Sandbox::in_memory(settings),
            cloud: None,
            kubernetes: None,
            store: None,
            prefix: "",
            text: FILE.to_owned(),
            directory: tempfile::tempdir().unwrap(),
            out: TextBuffer::default(),
            err: TextBuffer::default(),
            options: OutputOptions::default(),
            interrupt: Interrupt::default(),
            answers: None,
            lock_timeout: Duration::ZERO,
            origin: None,
            limits: PlanLimits::default(),
            upgrade: Upgrade::default(),
        }
    }

    async fn with<T>(&self, run: impl AsyncFnOnce(&ClusterContext<'_>) -> T) -> T {
        let name = if self.text.starts_with("# TOML") { "cluster.toml" } else { "cluster.hcl" };
        let parsed = spec::parse(name, &self.text, &BTreeMap::new());
        let mut cluster = parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 80)));
        for addon in cluster.addons.values_mut() {
            addon.content = std::fs::read_to_string(self.directory.path().join(&addon.manifest)).unwrap();
        }
        let input = self.answers.as_ref().map_or(PromptInput::Nobody, |answers| {
            PromptInput::Script(answers.iter().map(ToString::to_string).collect::<VecDeque<_>>())
        });
        let (bucket, prefix) = match &cluster.state {
            spec::StateLocation::S3 { bucket, prefix } => (bucket.clone(), prefix.clone()),
            spec::StateLocation::Directory(_) => {
                let location = crate::blueprint::location(&cluster, &self.sandbox.settings().account);
                (location.bucket().to_owned(), self.prefix.to_owned())
            }
        };
        let bucket = Arc::new(self.sandbox.store(&bucket, &prefix));
        let out = Arc::new(Mutex::new(self.out.clone()));
        let ui = Ui::captured(self.options, input, out, Arc::new(Mutex::new(self.err.clone())));
        let context = ClusterContext {
            cluster,
            cloud: self.cloud.clone().unwrap_or_else(|| Arc::new(self.sandbox.clone())),
            kubernetes: self.kubernetes.clone(),
            store: self.store.clone().unwrap_or_else(|| bucket.clone()),
            bucket,
            places: Arc::new(SandboxPlaces { sandbox: self.sandbox.clone() }),
            sandbox: self.origin.is_none(),
            ui: &ui,
            interrupt: &self.interrupt,
            prices: crate::analysis::cost::PriceTable::shipped(),
            price_cache: None,
            holder: holder(),
            local_dir: self.directory.path().join(".quorate"),
            retry: RetryPolicy { settle: Duration::from_millis(1), ..RetryPolicy::default() },
            lock_timeout: self.lock_timeout,
            packages: None,
            now: "2026-11-29T12:00:00Z".parse().unwrap(),
        };
        run(&context).await
    }

    async fn plan(&self) -> (Result<Exit, CliError>, String) {
        self.plan_for(PlanMode::Apply).await
    }

    async fn plan_for(&self, mode: PlanMode) -> (Result<Exit, CliError>, String) {
        let exit = self
            .with(async |context| {
                let request = PlanRequest { mode, ..PlanRequest::upgrade(self.upgrade) };
                let limits = self.limits;
                plan(context, PlanOptions { request, detailed: true, limits, ..PlanOptions::default() }).await
            })
            .await;
        (exit, self.out.read())
    }

    async fn apply(&self, consent: Consent) -> (Result<Exit, CliError>, String) {
        self.apply_with(ApplyRequest {
            consent,
            limits: self.limits,
            origin: self.origin,
            ignore_quotas: false,
            wait: false,
            plan: PlanRequest::upgrade(self.upgrade),
            saved: None,
        })
        .await
    }

    async fn apply_with(&self, options: ApplyRequest) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |context| apply(context, options).await).await;
        (exit, self.out.read())
    }

    async fn destroy(&self, yes: bool) -> (Result<Exit, CliError>, String) {
        self.destroy_with(Consent { yes, delete_data: yes }).await
    }

    async fn destroy_with(&self, consent: Consent) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |context| destroy(context, consent, self.origin).await).await;
        (exit, self.out.read())
    }

    async fn move_state(&self, from: Option<&str>) -> (Result<Exit, CliError>, String) {
        let from = from.map(|from| spec::StateLocation::parse(from).unwrap());
        let exit = self.with(async |context| move_state(context, MoveOptions { from, yes: true }).await).await;
        (exit, self.out.read())
    }

    async fn keys(&self) -> Vec<String> {
        self.with(async |context| context.store.leftovers().await).await.unwrap()
    }

    async fn put_bytes(&self, key: &str, text: &str) {
        let store = self.sandbox.store("state.chat.poeticoding.com", "");
        store.put(key, text.as_bytes(), &crate::engine::WriteCondition::Absent).await.unwrap();
    }

    async fn put(&self, prefix: &str, key: &str) {
        let store = self.sandbox.store("state.chat.poeticoding.com", prefix);
        store.put(key, b"{}", &crate::engine::WriteCondition::Absent).await.unwrap();
    }

    /// Takes the lease of a dead run away.
    async fn put_away_lease(&self) {
        self.with(async |context| context.store.erase(&crate::state::lease_key(context.name())).await).await.unwrap();
    }

    /// Returns the machines of the simulated cluster: instance and group.
    async fn machines(&self) -> Vec<(String, String)> {
        let live = self.with(async |context| context.cloud.observe().await).await.unwrap().live;
        let members = live.iter().flat_map(|live| live.members.iter().map(move |member| (member, live)));
        members.map(|(member, live)| (member.id.clone(), live.address.name().to_owned())).collect()
    }

    /// Returns a user whose cluster is built.
    async fn built() -> Self {
        let user = Self::new();
        let (exit, out) = user.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
        user
    }
}

const YES: Consent = Consent { yes: true, delete_data: false };

fn holder() -> LeaseHolder {
    LeaseHolder {
        run: uuid::Uuid::new_v4().to_string(),
        who: "alice".to_owned(),
        host: "laptop".to_owned(),
        pid: 42,
        process: None,
        operation: String::new(),
        since: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn files_below(directory: &Path) -> usize {
    std::fs::read_dir(directory).map(Iterator::count).unwrap_or_default()
}
