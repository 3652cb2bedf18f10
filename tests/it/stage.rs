//! A cluster on moto, used in process: the work of a command, without the command line.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate::analysis::cost::PriceTable;
use quorate::aws::{AwsProvider, ClusterScope, S3Store};
use quorate::cli::{
    self, ApiWait, ApplyRequest, ByAws, CliError, ClusterContext, ClusterSecrets, CompositeProvider, Consent, Exit,
    Interrupt, LogRequest, MoveOptions, OutputOptions, OutputTarget, PlanOptions, PlanRequest, PriceCache, PromptInput,
    StatePlace, StatePlaces, Ui,
};
use quorate::cloud::CloudProvider;
use quorate::engine::{Action, BoxFuture, ObjectStore, PlanMode, RetryPolicy, WriteCondition};
use quorate::spec::{Cluster, StateLocation};
use quorate::state::LeaseHolder;

use crate::kubernetes::{FilteredProvider, KubernetesProvider, ServerOverride};
use crate::wire::TestWire;
use quorate::testkit::testbed::TestApi;

/// The cluster of the tutorial.
pub(crate) const TUTORIAL: &str = include_str!("../../examples/tutorial/cluster.hcl");

/// A cluster on moto, with a Kubernetes API.
pub(crate) struct MotoStage {
    pub(crate) wire: TestWire,
    pub(crate) api: TestApi,
    pub(crate) cluster: Cluster,
    runs: u32,
    workshop: tempfile::TempDir,
    /// The cache of prices that AWS is asked for; by default, it is not asked.
    pub(crate) price_cache: Option<PriceCache>,
}

/// The output of a run, and its exit code.
#[derive(Debug)]
pub(crate) struct CommandRun {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Changes of a plan in short form: `update vpc/main: tags`.
pub(crate) type PlanChanges = Vec<String>;

impl MotoStage {
    /// Creates the cluster that a file describes, at the end of a wire.
    pub(crate) async fn new(wire: TestWire, file: &str) -> Self {
        let workshop = tempfile::tempdir().expect("a directory can be made");
        let api = TestApi::start().await;
        api.machines("workers", 9).await;
        Self { wire, api, cluster: read(file), runs: 0, workshop, price_cache: None }
    }

    /// Uses another file from now on.
    pub(crate) fn edit(&mut self, file: &str) {
        self.cluster = read(file);
    }

    pub(crate) async fn plan(&mut self) -> CommandRun {
        self.stay(OutputOptions::default(), async |context| {
            cli::plan(context, PlanOptions { detailed: true, ..PlanOptions::default() }).await
        })
        .await
    }

    /// Prints a plan as a comment for a pull request.
    pub(crate) async fn comment(&mut self) -> CommandRun {
        self.stay(OutputOptions::default(), async |context| {
            let markdown = Some(OutputTarget::Stdout);
            cli::plan(context, PlanOptions { detailed: true, markdown, ..PlanOptions::default() }).await
        })
        .await
    }

    /// Returns the changes of a plan; checks how the run ended.
    pub(crate) async fn changes(&mut self, mode: PlanMode) -> PlanChanges {
        let json = OutputOptions { json: true, ..OutputOptions::default() };
        let run = self
            .stay(json, async |context| {
                cli::plan(
                    context,
                    PlanOptions { request: PlanRequest::new(mode), detailed: true, ..PlanOptions::default() },
                )
                .await
            })
            .await;
        let document: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("no plan: {run:?}"));
        document["plan"]["changes"].as_array().expect("a plan has changes").iter().map(summary).collect()
    }

    pub(crate) async fn apply(&mut self) -> CommandRun {
        self.consenting(Consent { yes: true, delete_data: false }).await
    }

    /// Applies a plan that loses data too.
    pub(crate) async fn consenting(&mut self, consent: Consent) -> CommandRun {
        self.stay(OutputOptions::default(), async |context| {
            cli::apply(context, ApplyRequest { consent, ..ApplyRequest::default() }).await
        })
        .await
    }

    /// Applies although the account's quotas have no room.
    pub(crate) async fn apply_ignoring_quotas(&mut self) -> CommandRun {
        let consent = Consent { yes: true, delete_data: false };
        self.stay(OutputOptions::default(), async |context| {
            cli::apply(context, ApplyRequest { consent, ignore_quotas: true, ..ApplyRequest::default() }).await
        })
        .await
    }

    /// Returns the checks before the first apply, as JSON.
    pub(crate) async fn doctor(&mut self) -> CommandRun {
        let json = OutputOptions { json: true, ..OutputOptions::default() };
        self.stay(json, async |context| cli::doctor(context).await).await
    }

    pub(crate) async fn destroy(&mut self) -> CommandRun {
        let consent = Consent { yes: true, delete_data: true };
        self.run(ApiWait::Destroying, OutputOptions::default(), async |context| {
            cli::destroy(context, consent, None).await
        })
        .await
    }

    /// Shows the cluster.
    pub(crate) async fn show(&mut self) -> CommandRun {
        self.stay(OutputOptions::default(), async |context| cli::show(context, false).await).await
    }

    /// Shows the log of a machine.
    pub(crate) async fn logs(&mut self, request: LogRequest, json: bool) -> CommandRun {
        let options = OutputOptions { json, ..OutputOptions::default() };
        self.stay(options, async |context| cli::logs(context, request).await).await
    }

    /// Moves the state to the location in the file.
    pub(crate) async fn move_state(&mut self) -> CommandRun {
        let options = MoveOptions { from: None, yes: true };
        self.stay(OutputOptions::default(), async |context| cli::move_state(context, options).await).await
    }

    /// Writes an object of another owner into the bucket.
    pub(crate) async fn leave_in_bucket(&self, key: &str) {
        let (_, store) = self.connect().await;
        store.put(key, b"mine", &WriteCondition::Absent).await.expect("the bucket answers");
    }

    /// Returns the content of an object in a place of the state.
    pub(crate) async fn content(&self, state: &str, key: &str) -> Option<Vec<u8>> {
        let state = StateLocation::parse(state).expect("a place");
        let cluster = Cluster { state, ..self.cluster.clone() };
        connect(&self.wire, &cluster).await.1.get(key).await.expect("the bucket answers").map(|stored| stored.bytes)
    }

    /// Every key of a bucket.
    pub(crate) async fn keys_of(&self, state: &str) -> Vec<String> {
        let state = StateLocation::parse(state).expect("a place");
        let cluster = Cluster { state, ..self.cluster.clone() };
        connect(&self.wire, &cluster).await.1.leftovers().await.expect("the bucket answers")
    }

    /// Makes the lease of a killed run expire now: its time to live becomes zero.
    pub(crate) async fn expire_lease(&self) {
        let (_, store) = self.connect().await;
        let key = quorate::state::lease_key(self.cluster.name.as_str());
        let Some(lease) = store.get(&key).await.expect("the store answers") else { return };
        let mut note: serde_json::Value = serde_json::from_slice(&lease.bytes).expect("a lease is JSON");
        note["ttl_seconds"] = 0.into();
        let condition = WriteCondition::Matches(lease.etag);
        store.put(&key, note.to_string().as_bytes(), &condition).await.expect("the store answers");
        // S3 returns the age of an object in whole seconds.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    /// Removes the facts from the record, as a release that recorded none has left it.
    pub(crate) async fn forget_facts(&self) {
        let (_, store) = self.connect().await;
        let key = quorate::state::record_key(self.cluster.name.as_str());
        let stored = store.get(&key).await.expect("the store answers").expect("there is a record");
        let mut record: serde_json::Value = serde_json::from_slice(&stored.bytes).expect("a record is JSON");
        record.as_object_mut().expect("a record has fields").remove("facts").expect("it has the facts");
        let condition = WriteCondition::Matches(stored.etag);
        store.put(&key, record.to_string().as_bytes(), &condition).await.expect("the store answers");
    }

    async fn stay(
        &mut self,
        manner: OutputOptions,
        work: impl AsyncFnOnce(&ClusterContext<'_>) -> Result<Exit, CliError>,
    ) -> CommandRun {
        self.run(ApiWait::UntilReady, manner, work).await
    }

    async fn run(
        &mut self,
        wait: ApiWait,
        manner: OutputOptions,
        work: impl AsyncFnOnce(&ClusterContext<'_>) -> Result<Exit, CliError>,
    ) -> CommandRun {
        self.runs += 1;
        let (out, err) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let ui = Ui::captured(manner, PromptInput::Script(VecDeque::new()), out.clone(), err.clone());
        let interrupt = Interrupt::default();
        let (aws, store) = self.connect().await;
        let cloud = self.clouds(aws, &store, wait);
        let context = ClusterContext {
            cluster: self.cluster.clone(),
            cloud: Arc::new(cloud),
            kubernetes: None,
            store: Arc::new(store.clone()),
            bucket: Arc::new(store),
            places: Arc::new(OtherPlaces { wire: self.wire.clone() }),
            sandbox: false,
            ui: &ui,
            interrupt: &interrupt,
            prices: PriceTable::shipped(),
            price_cache: self.price_cache.clone(),
            holder: holder(self.runs),
            local_dir: self.workshop.path().to_owned(),
            retry: hurried(),
            lock_timeout: Duration::ZERO,
            packages: None,
            now: "2026-11-29T12:00:00Z".parse().unwrap(),
        };
        let exit = match work(&context).await {
            Ok(exit) => exit,
            Err(error) => {
                ui.report(&error.report());
                error.exit()
            }
        };
        CommandRun { exit, out: text(&out), err: text(&err) }
    }

    /// Returns AWS and Kubernetes, combined as in the program.
    fn clouds(&self, aws: Arc<AwsProvider>, store: &S3Store, wait: ApiWait) -> FilteredProvider<'_> {
        let name = self.cluster.name.as_str();
        let store: Arc<dyn ObjectStore> = Arc::new(store.clone());
        let aws: Arc<dyn CloudProvider> = aws;
        let secrets = ClusterSecrets::new(Arc::clone(&store), name);
        let access = ByAws::new(name, Arc::clone(&aws), store, secrets);
        let kubernetes = KubernetesProvider::new(name, Arc::new(ServerOverride { access, api: self.api.access() }));
        FilteredProvider {
            clouds: CompositeProvider::new(aws, kubernetes, self.cluster.network.plugin, wait),
            api: &self.api,
        }
    }

    async fn connect(&self) -> (Arc<AwsProvider>, S3Store) {
        connect(&self.wire, &self.cluster).await
    }
}

async fn connect(wire: &TestWire, cluster: &Cluster) -> (Arc<AwsProvider>, S3Store) {
    let StateLocation::S3 { bucket, prefix } = &cluster.state else { panic!("the state is in S3") };
    let scope = ClusterScope {
        cluster: cluster.name.to_string(),
        region: cluster.region.clone(),
        bucket: bucket.clone(),
        prefix: format!("{}/", quorate::resource::root(prefix, cluster.name.as_str())),
    };
    let aws = Arc::new(AwsProvider::connect(scope, Some(wire.client())).await);
    let store = S3Store::new(Arc::clone(&aws), bucket.as_str(), prefix);
    (aws, store)
}

/// Opens the cluster in another place, over the same wire.
struct OtherPlaces {
    wire: TestWire,
}

impl StatePlaces for OtherPlaces {
    fn open<'a>(&'a self, cluster: &'a Cluster) -> BoxFuture<'a, Result<StatePlace, CliError>> {
        Box::pin(async move {
            let (aws, store) = connect(&self.wire, cluster).await;
            let store: Arc<dyn ObjectStore> = Arc::new(store);
            Ok(StatePlace { cloud: aws, bucket: Arc::clone(&store), store })
        })
    }
}

impl CommandRun {
    /// Fails with the whole output, unless the run ended with this exit code.
    #[track_caller]
    pub(crate) fn must(self, exit: Exit) -> Self {
        assert_eq!(self.exit, exit, "\n{}\n{}", self.out, self.err);
        self
    }
}

fn read(file: &str) -> Cluster {
    let parsed = quorate::spec::parse("cluster.hcl", file, &BTreeMap::new());
    let reported = parsed.render(false, 100);
    parsed.cluster.unwrap_or_else(|_| panic!("{reported}"))
}

/// Returns `update vpc/main: tags`; a creation names no attributes.
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

fn holder(run: u32) -> LeaseHolder {
    LeaseHolder {
        run: format!("run-{run}"),
        who: "test".to_owned(),
        host: "test".to_owned(),
        pid: std::process::id(),
        process: None,
        operation: String::new(),
        since: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Returns the retry policy of the product, with shorter delays.
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
