//! Property tests over the whole life of real clusters: random edits, outside changes, faults and crashes.
//!
//! Every life is determined by its seed, which a failure names.

use std::future::Future;

use super::*;
use crate::blueprint::{Pins, blueprint};
use crate::cloud::CloudProvider;
use crate::engine::{
    ApplyOptions, ExecutablePlan, KindRegistry, NoListener, Outcome, PlanInputs, PlanMode, Reason, RecordedObject,
    RetryPolicy, apply, plan,
};
use crate::resource::{Facts, FactsQuery, ResourceKinds};
use crate::spec::{Cluster, parse};

/// One cluster from its first plan to its last.
struct ClusterHistory {
    sandbox: Sandbox,
    random: fastrand::Rng,
    recorded: BTreeMap<Address, RecordedObject>,
    pins: Pins,
    runs: u64,
    /// The number of masters in the last file: a living cluster refuses fewer.
    masters: usize,
}

/// The settings in the file.
#[derive(Debug, Clone)]
struct FileSettings {
    zones: usize,
    masters: usize,
    size: &'static str,
    nodes: &'static str,
    allow: &'static str,
}

impl FileSettings {
    fn tutorial() -> Self {
        Self { zones: 2, masters: 3, size: "t3.medium", nodes: "count = 2", allow: "" }
    }

    fn random(random: &mut fastrand::Rng) -> Self {
        Self {
            // Zones are added at the end, so that the ranges of the others stay.
            zones: random.usize(1..=3),
            masters: *random.choice(&[1, 3]).unwrap(),
            size: random.choice(["t3.medium", "m5.large", "t4g.medium"]).unwrap(),
            nodes: random.choice(["count = 1", "count = 2", "count = 6", "min = 1\nmax = 4"]).unwrap(),
            allow: random.choice(["", "\"203.0.113.7/32\"", "\"203.0.113.7/32\", \"198.51.100.0/24\""]).unwrap(),
        }
    }

    fn cluster(&self) -> Cluster {
        let zones = ["\"us-east-1d\"", "\"us-east-1f\"", "\"us-east-1a\""][..self.zones].join(", ");
        let Self { masters, size, nodes, allow, .. } = self;
        // Nodes with other processors are refused: masters may have them.
        let workers = if *size == "t4g.medium" { "t3.medium" } else { size };
        let text = format!(
            "name = \"{CLUSTER}\"\nstate = \"s3://{BUCKET}\"\nzones = [{zones}]\n\
             masters {{\n count = {masters}\n size = \"{size}\"\n}}\n\
             nodes \"workers\" {{\n {nodes}\n size = \"{workers}\"\n}}\n\
             api {{\n allow = [{allow}]\n}}\n"
        );
        let parsed = parse("cluster.hcl", &text, &BTreeMap::new());
        assert!(parsed.cluster.is_ok(), "{}", parsed.render(false, 100));
        parsed.cluster.unwrap()
    }
}

impl ClusterHistory {
    fn new(seed: u64) -> Self {
        let settings = SandboxSettings { seed, bucket: Some(BUCKET.to_owned()), ..settings() };
        Self::on(Sandbox::in_memory(settings), seed)
    }

    fn on(sandbox: Sandbox, seed: u64) -> Self {
        Self {
            sandbox,
            random: fastrand::Rng::with_seed(seed),
            recorded: BTreeMap::new(),
            pins: Pins::default(),
            runs: 0,
            masters: 0,
        }
    }

    /// Opens the same account as another process.
    fn process(&self, faults: FaultRates) -> Sandbox {
        self.sandbox.again(SandboxSettings { faults, ..self.sandbox.settings().clone() })
    }

    /// Observes and plans.
    async fn plan(&mut self, sandbox: &Sandbox, wish: Option<&FileSettings>) -> ExecutablePlan {
        let live = patiently(|| sandbox.observe()).await.live;
        let (mode, desired) = match wish {
            Some(wish) => (PlanMode::Apply, self.blueprint(sandbox, wish).await),
            None => (PlanMode::Destroy, Vec::new()),
        };
        let inputs = PlanInputs {
            mode,
            desired,
            incomplete: BTreeSet::new(),
            live,
            recorded: &self.recorded,
            serial: self.runs,
            holds_rolls: false,
            vocabulary: &ResourceKinds,
        };
        plan(inputs).unwrap()
    }

    async fn blueprint(&mut self, sandbox: &Sandbox, wish: &FileSettings) -> Vec<Object> {
        let sizes = vec![wish.size.to_owned(), "t3.medium".to_owned()];
        let question = FactsQuery { sizes, name: CLUSTER.to_owned(), ..FactsQuery::default() };
        let facts: Facts = patiently(|| sandbox.facts(&question)).await;
        let laid_out = blueprint(&wish.cluster(), &facts, &self.pins).unwrap();
        self.pins = laid_out.pins;
        laid_out.objects
    }

    /// Runs the program once. `None` if it died: then nothing was recorded either.
    async fn run(&mut self, wish: Option<&FileSettings>, faults: FaultRates) -> Option<Outcome> {
        let process = self.process(faults);
        self.runs += 1;
        let options = ApplyOptions {
            token_seed: self.runs.to_string(),
            retry: RetryPolicy { seed: self.runs, ..RetryPolicy::default() },
            ..ApplyOptions::default()
        };
        let outcome = {
            let dying = process.clone();
            let work = async {
                let prepared = self.plan(&process, wish).await;
                apply(&process, &ResourceKinds, &prepared, &self.recorded, &options, &NoListener).await
            };
            tokio::select! {
                outcome = work => Some(outcome),
                () = dying.crashed() => None,
            }
        };
        if let Some(outcome) = &outcome {
            self.recorded.clone_from(&outcome.recorded);
        }
        // The run after a dead one waits for its lease to expire: by then everything that it created is visible.
        tokio::time::sleep(Duration::from_mins(1)).await;
        self.sandbox.pass(Duration::from_mins(1)).unwrap();
        assert!(self.sandbox.with(|account| account.is_consistent()).unwrap(), "the index is not that of the objects");
        outcome
    }

    /// Runs until the cloud matches the file; no run may fail.
    async fn converge(&mut self, wish: &FileSettings, faults: FaultRates) {
        let outcome = self.run(Some(wish), faults).await.unwrap();
        assert_eq!(outcome.failed, [], "{wish:?}");
        let quiet = self.process(FaultRates::default());
        let prepared = self.plan(&quiet, Some(wish)).await;
        assert!(prepared.plan.is_empty(), "{wish:?}: {:#?}", prepared.plan.changes);
    }

    /// Returns a file with other settings, none of which a living cluster refuses.
    fn edited(&mut self) -> FileSettings {
        let settings = FileSettings::random(&mut self.random);
        self.masters = self.masters.max(settings.masters);
        FileSettings { masters: self.masters, ..settings }
    }

    async fn destroy(&mut self, faults: FaultRates) {
        let outcome = self.run(None, faults).await.unwrap();
        assert_eq!(outcome.failed, []);
        assert_eq!(outcome.recorded, BTreeMap::new());
    }

    /// Makes one change to the cluster from outside. Not every change is possible at every time.
    async fn tamper(&mut self) -> String {
        let ours: Vec<AccountObject> = self.sandbox.inventory().unwrap().into_iter().filter(can_be_corrected).collect();
        let Some(victim) = self.random.choice(&ours) else { return String::new() };
        let address = victim.address.clone().unwrap();
        let done = match self.random.u8(..10) {
            0 => self.sandbox.remove(&address).await.map(|()| format!("remove {address}")),
            1 => match self.random.choice(ours.iter().flat_map(|resident| &resident.members).collect::<Vec<_>>()) {
                Some(machine) => self.sandbox.terminate(&machine.id).map(|()| format!("terminate {}", machine.id)),
                None => Ok("nothing".to_owned()),
            },
            2 => {
                let fell = self.sandbox.fail_zone("us-east-1d");
                self.sandbox.restore_zone("us-east-1d").unwrap();
                fell.map(|ended| format!("lose {} machines", ended.len()))
            }
            _ => {
                let edits: Vec<&str> =
                    EDITS.iter().filter(|(kind, _)| *kind == address.kind()).map(|(_, edit)| *edit).collect();
                let edit = self.random.choice(edits).unwrap_or("tags.Name=somebody");
                self.sandbox.set(&address, &edit.parse().unwrap()).map(|()| format!("{edit} on {address}"))
            }
        };
        done.unwrap_or_else(|error| format!("in vain: {error}"))
    }
}

/// Returns `true` if apply restores the object after any change: it is ours, and not a key that machines trust.
fn can_be_corrected(resident: &AccountObject) -> bool {
    resident.cluster.is_some()
        && resident.address.as_ref().is_none_or(|address| ResourceKinds.irreplaceable(address).is_none())
}

/// Changes that people make in consoles.
const EDITS: &[(&str, &str)] = &[
    ("autoscaling-group", "max=9"),
    ("autoscaling-group", "min=0"),
    ("autoscaling-group", "tags.Name=somebody"),
    ("bucket", "versioned=false"),
    ("bucket-object", "sha256=0"),
    ("hosted-zone", "comment=somebody"),
    ("launch-template", "metadata_hops=2"),
    ("launch-template", "user_data=#!/bin/false"),
    ("load-balancer", "cross_zone=false"),
    ("record", "target=elsewhere.example.com"),
    ("role", "policies.extra={}"),
    ("role", "attached+=arn:aws:iam::aws:policy/AdministratorAccess"),
    ("role", "trust={}"),
    ("route-table", "routes-=0"),
    ("security-group-rules", r#"ingress+={"protocol":"all","ports":"all","peer":"0.0.0.0/0","description":""}"#),
    ("security-group-rules", "ingress-=0"),
    ("target-group", "health_check.interval=30"),
    ("target-group", "preserve_client_ip=false"),
    ("target-group", "sticky=true"),
    ("volume", "volume_type=gp2"),
    ("volume", "tags.Name=somebody"),
    ("vpc", "dns_support=false"),
];

/// Retries while the failure is temporary.
async fn patiently<'a, T, F>(ask: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, Failure>> + Send + 'a,
{
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(failure) if failure.class.is_transient() => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(failure) => panic!("{failure}"),
        }
    }
}

fn trouble(seed: u64) -> FaultRates {
    FaultRates {
        seed,
        throttle: 0.05,
        unavailable: 0.05,
        unknown: 0.05,
        half: 0.1,
        invisible: 0.2,
        ..FaultRates::default()
    }
}

/// Runs work on a paused clock, which does not wait.
fn on_paused_clock<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

/// Runs one life.
fn live(seed: u64, life: impl AsyncFnOnce(&mut ClusterHistory)) {
    on_paused_clock(async {
        let mut cluster = ClusterHistory::new(seed);
        let before = cluster.sandbox.inventory().unwrap();
        life(&mut cluster).await;
        assert_eq!(cluster.sandbox.inventory().unwrap(), before, "life {seed} left something behind");
    });
}

/// Returns the seeds of the lives; `QUORATE_LIVES` sets their number for a long run.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    0..std::env::var("QUORATE_LIVES").ok().and_then(|lives| lives.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_quiet_life() {
    live(1, async |life| {
        let mut wish = FileSettings::tutorial();
        life.converge(&wish, FaultRates::default()).await;
        wish.nodes = "count = 4";
        life.converge(&wish, FaultRates::default()).await;
        wish.zones = 3;
        life.converge(&wish, FaultRates::default()).await;
        life.destroy(FaultRates::default()).await;
    });
}

/// A command can be repeated to the byte, although it does many things at once.
#[test]
fn the_same_life_leaves_the_same_bytes() {
    let bytes = [1, 2].map(|_| {
        let directory = tempfile::tempdir().unwrap();
        on_paused_clock(async {
            let mut life = ClusterHistory::on(Sandbox::open(directory.path(), settings()), 1);
            life.converge(&FileSettings::tutorial(), FaultRates::default()).await;
        });
        ["cloud.json", "cloud.journal"].map(|file| std::fs::read(directory.path().join(file)).unwrap())
    });
    assert!(bytes[0] == bytes[1]);
}

/// After any change of the file and any change from outside, one apply repairs the cluster and one destroy deletes it.
#[test]
fn lives_full_of_edits_and_drift() {
    for seed in seeds(6) {
        live(seed, async |life| {
            for _ in 0..4 {
                let wish = life.edited();
                life.converge(&wish, FaultRates::default()).await;
                let changes = life.random.usize(0..5);
                for _ in 0..changes {
                    life.tamper().await;
                }
            }
            life.destroy(FaultRates::default()).await;
        });
    }
}

/// Throttling, errors, lost answers and invisible objects only slow a life down.
#[test]
fn lives_in_a_troubled_cloud() {
    for seed in seeds(6) {
        live(seed, async |life| {
            for _ in 0..3 {
                let wish = life.edited();
                life.converge(&wish, trouble(seed)).await;
                life.tamper().await;
            }
            life.destroy(trouble(seed)).await;
        });
    }
}

/// Killed at any call with faults, before or after it took effect, the next run ends where an uninterrupted one ends.
#[test]
fn lives_with_many_deaths() {
    for seed in seeds(6) {
        live(seed, async |life| {
            for _ in 0..3 {
                let wish = life.edited();
                for _ in 0..3 {
                    let crash = Some(CrashPoint { call: life.random.u64(20..120), after: life.random.bool() });
                    life.run(Some(&wish), FaultRates { crash, ..trouble(seed) }).await;
                }
                life.converge(&wish, trouble(seed)).await;
            }
            let crash = Some(CrashPoint { call: life.random.u64(20..80), after: life.random.bool() });
            life.run(None, FaultRates { crash, ..trouble(seed) }).await;
            life.destroy(FaultRates::default()).await;
        });
    }
}

/// A new key in the place of a lost one would lock every machine out.
#[test]
fn a_lost_key_is_not_made_again_while_there_are_machines() {
    live(1, async |life| {
        let wish = FileSettings::tutorial();
        life.converge(&wish, FaultRates::default()).await;
        for (name, refused) in [("etcd-ca", true), ("join-token", false)] {
            let address = Address::new("secret", name);
            life.sandbox.remove(&address).await.unwrap();
            let quiet = life.process(FaultRates::default());
            let prepared = life.plan(&quiet, Some(&wish)).await;
            let refusals: Vec<_> = prepared.plan.refusals().map(|change| &change.address).collect();
            assert_eq!(refusals.contains(&&address), refused, "{refusals:?}");
            if !refused {
                let named: Vec<_> = prepared.plan.changes.iter().map(|change| change.address.name()).collect();
                assert_eq!(named, ["etcd-ca", name]);
            }
        }
        life.destroy(FaultRates::default()).await;
    });
}

/// The plan names changes from outside as drift.
#[test]
fn drift_is_called_drift() {
    live(1, async |life| {
        let wish = FileSettings::tutorial();
        life.converge(&wish, FaultRates::default()).await;
        for (kind, edit) in EDITS {
            let ours = life.sandbox.inventory().unwrap();
            let victim = ours.iter().find(|resident| resident.kind == *kind && resident.cluster.is_some()).unwrap();
            let address = victim.address.clone().unwrap();
            life.sandbox.set(&address, &edit.parse().unwrap()).unwrap();
            let quiet = life.process(FaultRates::default());
            let prepared = life.plan(&quiet, Some(&wish)).await;
            let change = prepared.plan.changes.iter().find(|change| change.address == address);
            assert_eq!(change.map(|change| &change.reason), Some(&Reason::Drift), "{edit} on {address}");
            life.converge(&wish, FaultRates::default()).await;
        }
        life.destroy(FaultRates::default()).await;
    });
}
