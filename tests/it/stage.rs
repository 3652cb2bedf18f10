//! A cluster on moto, worked on in process: what a command does, without the command line.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate::aws::{Aws, S3Store, Scope};
use quorate::cli::flow::{self, Consent, Flow, Look};
use quorate::cli::{ByAws, CliError, Clouds, Errand, Exit, Input, Interrupt, Manner, Ui, Vault};
use quorate::engine::{Action, Condition, Mode, RetryPolicy, Store};
use quorate::resource::Cloud;
use quorate::spec::{Cluster, StateLocation};
use quorate::state::Holder;

use crate::kubernetes::testbed::TestApi;
use crate::kubernetes::{Detour, Kubernetes, Sieve};
use crate::wire::Wire;

/// The cluster of the tutorial.
pub(crate) const TUTORIAL: &str = include_str!("../../examples/tutorial/cluster.hcl");

/// A cluster on moto, with a Kubernetes API.
pub(crate) struct Stage {
    pub(crate) wire: Wire,
    pub(crate) api: TestApi,
    pub(crate) cluster: Cluster,
    runs: u32,
    workshop: tempfile::TempDir,
}

/// What a run said and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// One change of a plan, as short as can be: `update vpc/main: tags`.
pub(crate) type Changes = Vec<String>;

impl Stage {
    /// The cluster that a file describes, at the end of a wire.
    pub(crate) async fn new(wire: Wire, file: &str) -> Self {
        let workshop = tempfile::tempdir().expect("a directory can be made");
        let api = TestApi::start().await;
        api.machines("workers", 9).await;
        Self { wire, api, cluster: read(file), runs: 0, workshop }
    }

    /// Works with another file from now on.
    pub(crate) fn edit(&mut self, file: &str) {
        self.cluster = read(file);
    }

    pub(crate) async fn plan(&mut self) -> Run {
        self.stay(Manner::default(), async |flow| flow::plan(flow, Look { mode: Mode::Apply, detailed: true }).await)
            .await
    }

    /// The changes of a plan, and how the run ended.
    pub(crate) async fn changes(&mut self, mode: Mode) -> Changes {
        let json = Manner { json: true, ..Manner::default() };
        let run = self.stay(json, async |flow| flow::plan(flow, Look { mode, detailed: true }).await).await;
        let document: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("no plan: {run:?}"));
        document["plan"]["changes"].as_array().expect("a plan has changes").iter().map(summary).collect()
    }

    pub(crate) async fn apply(&mut self) -> Run {
        self.consenting(Consent { yes: true, delete_data: false }).await
    }

    /// Applies a plan that loses data too.
    pub(crate) async fn consenting(&mut self, consent: Consent) -> Run {
        self.stay(Manner::default(), async |flow| flow::apply(flow, consent).await).await
    }

    pub(crate) async fn destroy(&mut self) -> Run {
        let consent = Consent { yes: true, delete_data: true };
        self.run(Errand::Leave, Manner::default(), async |flow| flow::destroy(flow, consent).await).await
    }

    /// Lets the lease of a killed run expire now: its time to live becomes nothing.
    pub(crate) async fn expire_lease(&self) {
        let (_, store) = self.connect().await;
        let key = quorate::state::lease_key(self.cluster.name.as_str());
        let Some(lease) = store.get(&key).await.expect("the store answers") else { return };
        let mut note: serde_json::Value = serde_json::from_slice(&lease.bytes).expect("a lease is JSON");
        note["ttl_seconds"] = 0.into();
        let condition = Condition::Matches(lease.etag);
        store.put(&key, note.to_string().as_bytes(), &condition).await.expect("the store answers");
        // S3 tells the age of an object in whole seconds.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    async fn stay(&mut self, manner: Manner, work: impl AsyncFnOnce(&Flow<'_>) -> Result<Exit, CliError>) -> Run {
        self.run(Errand::Stay, manner, work).await
    }

    async fn run(
        &mut self,
        errand: Errand,
        manner: Manner,
        work: impl AsyncFnOnce(&Flow<'_>) -> Result<Exit, CliError>,
    ) -> Run {
        self.runs += 1;
        let (out, err) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let ui = Ui::captured(manner, Input::Script(VecDeque::new()), out.clone(), err.clone());
        let interrupt = Interrupt::default();
        let (aws, store) = self.connect().await;
        let cloud = self.clouds(aws, &store, errand);
        let flow = Flow {
            cluster: &self.cluster,
            cloud: &cloud,
            store: Arc::new(store.clone()),
            bucket: Arc::new(store),
            sandbox: false,
            ui: &ui,
            interrupt: &interrupt,
            holder: holder(self.runs),
            workshop: self.workshop.path().to_owned(),
            clinic: None,
            origin: None,
            retry: hurried(),
        };
        let exit = match work(&flow).await {
            Ok(exit) => exit,
            Err(error) => {
                ui.report(&error.report());
                error.exit()
            }
        };
        Run { exit, out: text(&out), err: text(&err) }
    }

    /// AWS and Kubernetes, put together as the program does.
    fn clouds(&self, aws: Arc<Aws>, store: &S3Store, errand: Errand) -> Sieve<'_> {
        let name = self.cluster.name.as_str();
        let store: Arc<dyn Store> = Arc::new(store.clone());
        let aws: Arc<dyn Cloud> = aws;
        let way = ByAws {
            cluster: name.to_owned(),
            cloud: Arc::clone(&aws),
            store: Arc::clone(&store),
            vault: Vault::new(store, name),
        };
        let kubernetes = Kubernetes::new(name, Arc::new(Detour { way, api: self.api.access() }));
        Sieve { clouds: Clouds::new(aws, kubernetes, self.cluster.network.plugin, errand), api: &self.api }
    }

    async fn connect(&self) -> (Arc<Aws>, S3Store) {
        let StateLocation::S3 { bucket, prefix } = &self.cluster.state else { panic!("the state is in S3") };
        let scope = Scope {
            cluster: self.cluster.name.to_string(),
            region: self.cluster.region.clone(),
            bucket: bucket.clone(),
            prefix: format!("{}/", self.cluster.name),
        };
        let aws = Arc::new(Aws::connect(scope, Some(self.wire.client())).await);
        let store = S3Store::new(Arc::clone(&aws), bucket.as_str(), prefix);
        (aws, store)
    }
}

impl Run {
    /// Fails with everything that was said, unless the run ended like this.
    #[track_caller]
    pub(crate) fn must(self, exit: Exit) -> Self {
        assert_eq!(self.exit, exit, "\n{}\n{}", self.out, self.err);
        self
    }
}

fn read(file: &str) -> Cluster {
    let parsed = quorate::spec::parse("cluster.hcl", file, &BTreeMap::new());
    let told = parsed.render(false, 100);
    parsed.cluster.unwrap_or_else(|| panic!("{told}"))
}

/// `update vpc/main: tags`; a creation names no attributes.
fn summary(change: &serde_json::Value) -> String {
    let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
    let action = serde_json::from_value::<Action>(change["action"].clone()).expect("an action");
    let names: Vec<&str> = change["attributes"]
        .as_array()
        .map(|attributes| attributes.iter().filter_map(|attribute| attribute["name"].as_str()).collect())
        .unwrap_or_default();
    let reason = change["reason"]["kind"].as_str().unwrap_or_default();
    match action {
        Action::Create | Action::Delete | Action::Adopt => format!("{} {} ({reason})", text("action"), text("address")),
        _ => format!("{} {} ({reason}): {}", text("action"), text("address"), names.join(", ")),
    }
}

fn holder(run: u32) -> Holder {
    Holder {
        run: format!("run-{run}"),
        who: "test".to_owned(),
        host: "test".to_owned(),
        pid: std::process::id(),
        operation: String::new(),
        since: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// As patient as the product, but in less of a test's time.
fn hurried() -> RetryPolicy {
    RetryPolicy {
        base: Duration::from_millis(20),
        cap: Duration::from_millis(200),
        settle: Duration::from_millis(50),
        ..RetryPolicy::default()
    }
}

fn text(stream: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(stream.lock().expect("no test panicked").clone()).expect("text is UTF-8")
}
