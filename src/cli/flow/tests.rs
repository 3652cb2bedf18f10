//! Whole lives of a cluster in the sandbox, as a user lives them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod access;
mod balancers;
mod controllers;
mod pass;
mod rolls;
mod services;
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
        let parsed = spec::parse("cluster.hcl", &self.text, &BTreeMap::new());
        let cluster = parsed.cluster.clone().unwrap_or_else(|| panic!("{}", parsed.render(false, 80)));
        let input = self.answers.as_ref().map_or(Input::Nobody, |answers| {
            Input::Script(answers.iter().map(ToString::to_string).collect::<VecDeque<_>>())
        });
        let out = Arc::new(Mutex::new(self.out.clone()));
        let ui = Ui::captured(self.manner, input, out, Arc::new(Mutex::new(self.err.clone())));
        let flow = Flow {
            cluster: &cluster,
            cloud: self.cloud.as_deref().unwrap_or(&self.sandbox),
            store: self.store.clone().unwrap_or_else(|| Arc::new(self.sandbox.store("state.chat.poeticoding.com", ""))),
            bucket: Arc::new(self.sandbox.store("state.chat.poeticoding.com", self.prefix)),
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

#[tokio::test(start_paused = true)]
async fn a_first_plan_shows_everything_and_changes_nothing() {
    let lab = Lab::new();
    let before = lab.sandbox.inventory().unwrap();
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out);
    assert_eq!(lab.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_plan_after_apply_is_empty_and_a_destroy_leaves_what_was_there_before() {
    let lab = Lab::new();
    let before = lab.sandbox.inventory().unwrap();
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    insta::assert_snapshot!(out);
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    assert!(out.ends_with("0 resources left.\n"), "{out}");
    assert!(!lab.err.read().contains("the lease"), "it went with the bucket: {}", lab.err.read());
    assert_eq!(lab.sandbox.inventory().unwrap(), before);
    assert_eq!(lab.with(async |flow| flow.store.list("").await).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_shown_as_that_and_nothing_else() {
    let mut lab = Lab::built().await;
    lab.text = FILE.replace("count = 2", "count = 4");
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out);
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn another_size_rolls_the_masters() {
    let mut lab = Lab::built().await;
    lab.text = FILE.replacen("t3.medium", "t3.large", 1);
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out);
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn drift_is_named_and_mended() {
    let lab = Lab::built().await;
    let address = "autoscaling-group/masters-a".parse().unwrap();
    lab.sandbox.set(&address, &"max=7".parse().unwrap()).unwrap();
    let (_, refreshed) = lab.plan_for(Mode::Refresh).await;
    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!(out + "\n--refresh-only\n" + &refreshed);
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn nobody_to_ask_means_nothing_is_changed() {
    let lab = Lab::new();
    let before = lab.sandbox.inventory().unwrap();
    let error = lab.apply(Consent::default()).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("nobody to ask"), "{error}");
    assert_eq!(lab.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn only_yes_is_yes() {
    for answer in ["y", "Yes", "YES", "", "no"] {
        let lab = Lab { answers: Some(vec![answer]), ..Lab::new() };
        let error = lab.apply(Consent::default()).await.0.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused, "{answer}");
    }
    let lab = Lab { answers: Some(vec!["yes"]), ..Lab::new() };
    assert_eq!(lab.apply(Consent::default()).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_destroy_wants_the_name() {
    let mut lab = Lab::built().await;
    let before = lab.sandbox.inventory().unwrap().len();
    lab.answers = Some(vec!["yes"]);
    assert_eq!(lab.destroy(false).await.0.unwrap_err().exit(), Exit::Refused);
    assert_eq!(lab.sandbox.inventory().unwrap().len(), before);
    lab.answers = Some(vec!["chat.poeticoding.com"]);
    assert_eq!(lab.destroy(false).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn data_is_lost_only_when_it_is_asked_for() {
    let mut lab = Lab::built().await;
    lab.text = FILE.replace("\"us-east-1f\"]", "\"us-east-1f\", \"us-east-1a\"]");
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    assert!(out.contains("Loses data"), "{out}");
    let consent = Consent { yes: true, delete_data: true };
    let (exit, out) = lab.apply(consent).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
}

#[tokio::test(start_paused = true)]
async fn masters_are_not_taken_away_under_etcd() {
    let mut lab = Lab::built().await;
    lab.text = FILE.replace("count = 3", "count = 1");
    let (exit, out) = lab.apply(Consent { yes: true, delete_data: true }).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    let said = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("`masters` of a living cluster cannot be changed"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_destroys_without_a_question_takes_no_data() {
    let mut lab = Lab::built().await;
    let before = lab.sandbox.inventory().unwrap();
    let (exit, _) = lab.destroy_with(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    assert_eq!(lab.sandbox.inventory().unwrap(), before);
    lab.manner.json = true;
    let (exit, out) = lab.destroy_with(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["summary"]["loses_data"][0], "volume/etcd-a", "a refused plan is shown all the same");
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["left"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_tags_is_neither_made_again_nor_forgotten() {
    let mut lab = Lab::built().await;
    for address in ["volume/etcd-a", "vpc/main", "security-group/nodes", "load-balancer/api"] {
        lab.sandbox.untag(&address.parse().unwrap()).unwrap();
    }
    lab.manner.json = true;
    let (_, out) = lab.plan().await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let changes = json["plan"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4, "{out}");
    assert!(changes.iter().all(|change| change["action"] == "update" && change["reason"]["kind"] == "drift"), "{out}");
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done, "they carry their tags again");
    lab.sandbox.untag(&"volume/etcd-a".parse().unwrap()).unwrap();
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(lab.sandbox.inventory().unwrap(), Lab::new().sandbox.inventory().unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_changes_no_object_is_written_down_all_the_same() {
    let mut lab = Lab::built().await;
    lab.text = format!("{FILE}\nservice \"nginx\" {{\n image = \"nginx:1.27\"\n}}\n")
        .replace("zones", "account = \"123456789012\"\nzones");
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    let record = lab.with(async |flow| flow.store.get("chat.poeticoding.com/state.json").await).await.unwrap().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap();
    assert_eq!(record["cluster_spec"]["account"], "123456789012");
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_before_even_a_lease_is_written_there() {
    let mut lab = Lab::built().await;
    let before = lab.keys().await;
    lab.text = format!("account = \"210987654321\"\n{FILE}");
    let serial = lab.with(async |flow| flow.store.get("chat.poeticoding.com/state.json").await).await.unwrap();
    let error = lab.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(lab.keys().await, before);
    assert_eq!(
        lab.with(async |flow| flow.store.get("chat.poeticoding.com/state.json").await).await.unwrap().map(|s| s.etag),
        serial.map(|s| s.etag)
    );
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused() {
    let mut lab = Lab::new();
    lab.text = format!("account = \"210987654321\"\n{FILE}");
    let error = lab.plan().await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("210987654321"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_be_made_refuses_the_whole_plan() {
    let mut lab = Lab::built().await;
    lab.text = format!("{FILE}\nnetwork {{ cidr = \"10.0.0.0/16\" }}\n").replace("count = 2", "count = 4");
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    insta::assert_snapshot!(out);
    lab.text = FILE.to_owned();
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done, "nothing of it was applied");
}

#[tokio::test(start_paused = true)]
async fn a_second_run_says_who_works() {
    let lab = Lab::built().await;
    let _held = lab.with(async |flow| begin::begin(flow, "apply").await.ok().unwrap()).await;
    let error = lab.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Held);
    assert!(error.to_string().contains("alice on laptop"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_run_is_taken_over_and_said_so() {
    // The sandbox's own store tells ages by the real clock, which does not move here.
    let lab = Lab { store: Some(Arc::new(MemoryStore::new())), ..Lab::new() };
    drop(lab.with(async |flow| begin::begin(flow, "apply").await.ok().unwrap()).await);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let exit = lab.apply(YES).await.0;
    let said = lab.err.read();
    assert_eq!(exit.unwrap(), Exit::Done);
    assert!(said.contains("(`apply` by alice on laptop) did not finish"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_apply_is_recorded_and_the_next_one_goes_on() {
    let mut lab = Lab::new();
    let faults = "latency=50ms".parse().unwrap();
    lab.sandbox = lab.sandbox.again(Settings { faults, ..lab.sandbox.settings().clone() });
    let ((exit, out), ()) = tokio::join!(lab.apply(YES), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        lab.interrupt.stop.cancel();
    });
    assert_eq!(exit.unwrap(), Exit::Interrupted, "{out}");
    assert!(out.contains("Applied: ") && out.contains("not tried"), "{out}");
    lab.interrupt = Interrupt::default();
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(!out.contains("Plan: 37 to create"), "what was done is not done again: {out}");
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_plan_changes_nothing() {
    let lab = Lab::built().await;
    lab.interrupt.stop.cancel();
    assert_eq!(lab.apply(YES).await.0.unwrap_err().exit(), Exit::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_built_and_removed_on_a_bad_day() {
    let mut lab = Lab::new();
    let before = lab.sandbox.inventory().unwrap();
    let faults = "seed=3,throttle=0.1,unavailable=0.05,unknown=0.05,half=0.05,invisible=0.2".parse().unwrap();
    lab.sandbox = lab.sandbox.again(Settings { faults, ..lab.sandbox.settings().clone() });
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    assert_eq!(lab.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_keys_keep_the_bucket() {
    let lab = Lab::built().await;
    lab.put("", "other.example.com/state.json").await;
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (_, end) = out.split_once("Destroyed: ").unwrap();
    insta::assert_snapshot!(end, @r"
    59 deleted.
    1 resource left:
    bucket/state  state.chat.poeticoding.com
      others keep something in it: other.example.com/state.json
    ");
    assert_eq!(lab.keys().await, ["other.example.com/state.json"], "the lease is gone too");
    let bucket = lab.sandbox.inventory().unwrap().into_iter().find(|resident| resident.kind == "bucket");
    assert!(bucket.is_some());
}

#[tokio::test(start_paused = true)]
async fn our_bucket_without_its_tags_stays_and_is_named() {
    let lab = Lab::built().await;
    lab.sandbox.untag(&"bucket/state".parse().unwrap()).unwrap();
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let (_, end) = out.split_once("1 resource left:").unwrap();
    assert!(end.contains("bucket/state") && end.contains("its tags were taken away"), "{out}");
    assert_eq!(lab.keys().await, Vec::<String>::new(), "nothing of the cluster is in it");
}

#[tokio::test(start_paused = true)]
async fn keys_outside_our_prefix_keep_the_bucket_too() {
    let mut lab = Lab::new();
    lab.text = FILE.replace("s3://state.chat.poeticoding.com", "s3://state.chat.poeticoding.com/teams/chat");
    lab.prefix = "teams/chat";
    lab.store = Some(Arc::new(lab.sandbox.store("state.chat.poeticoding.com", "teams/chat")));
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
    lab.put("", "teams/other/state.json").await;
    lab.manner.json = true;
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["left"][0]["address"], "bucket/state");
    assert_eq!(json["left"][0]["because"], "others keep something in it: teams/other/state.json");
    assert_eq!(lab.keys().await, ["teams/other/state.json"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_the_last_look_is_not_taken_for_one_before_the_first_change() {
    let mut lab = Lab::built().await;
    let before = Lab::new().sandbox.inventory().unwrap();
    let faults = "latency=50ms".parse().unwrap();
    lab.sandbox = lab.sandbox.again(Settings { faults, ..lab.sandbox.settings().clone() });
    let ((exit, out), ()) = tokio::join!(lab.destroy(true), async {
        for _ in 0..1_000_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if lab.sandbox.inventory().unwrap() == before {
                break;
            }
        }
        lab.interrupt.stop.cancel();
    });
    assert_eq!(exit.unwrap(), Exit::Interrupted);
    assert!(out.contains("Destroyed: 60 deleted."), "{out}");
    assert!(lab.err.read().contains("nobody looked"));
}

#[tokio::test(start_paused = true)]
async fn json_is_all_that_stdout_gets() {
    let mut lab = Lab::new();
    lab.manner.json = true;
    for exit in [Exit::Differs, Exit::Done, Exit::Done] {
        let (found, out) = match exit {
            Exit::Differs => lab.plan().await,
            _ => lab.apply(YES).await,
        };
        assert_eq!(found.unwrap(), exit);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["format"], 1);
        assert_eq!(json["sandbox"], true);
    }
    lab.manner.json = false;
    assert_eq!(files_below(&lab.directory.path().join(".quorate")), 0);
}

impl Lab {
    fn clinic(&self, kubernetes: Option<Kubernetes>) -> Clinic {
        let bucket: Arc<dyn Store> = Arc::new(self.sandbox.store("state.chat.poeticoding.com", ""));
        let vault = Vault::new(bucket, "chat.poeticoding.com");
        Clinic { vault, kubernetes }
    }

    async fn validate(&self, clinic: &Clinic, patience: Duration) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |flow| validate(flow, clinic, patience).await).await;
        (exit, self.out.read())
    }

    /// Applies, and waits for the cluster.
    async fn attended(&self, clinic: &Clinic) -> Result<Exit, CliError> {
        self.with(async |flow| {
            let (store, bucket, holder) = (flow.store.clone(), flow.bucket.clone(), flow.holder.clone());
            let (workshop, retry) = (flow.workshop.clone(), flow.retry.clone());
            apply(&Flow { clinic: Some(clinic), store, bucket, holder, workshop, retry, ..*flow }, YES).await
        })
        .await
    }

    /// The machines of the simulated cluster: instance and group.
    async fn machines(&self) -> Vec<(String, String)> {
        let live = self.with(async |flow| flow.cloud.observe().await).await.unwrap();
        let members = live.iter().flat_map(|live| live.members.iter().map(move |member| (member, live)));
        members.map(|(member, live)| (member.id.clone(), live.address.name().to_owned())).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_simulated_cluster_is_looked_at_and_says_what_is_simulated() {
    let lab = Lab::built().await;
    let (exit, out) = lab.validate(&lab.clinic(None), Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    // The authority was made today, and ends in ten years.
    let (before, end) = out.split_once("ends on ").unwrap();
    insta::assert_snapshot!(format!("{before}ends on [date]{}", &end["2036-11-19".len()..]));
}

#[tokio::test]
async fn machines_that_told_of_themselves_and_an_api_that_answers_are_a_cluster_that_is_well() {
    let lab = Lab::built().await;
    let api = FakeApi::start().await;
    let clinic = lab.clinic(Some(Kubernetes::new("chat.poeticoding.com", Arc::new(api.access()))));
    let machines = lab.machines().await;
    let (exit, out) = lab.validate(&clinic, Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    let said = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("has not reported yet") && said.contains("is no Node"), "{out}");
    assert!(said.contains("0 of 3 masters run it"), "{out}");

    for (machine, group) in &machines {
        let status = serde_json::json!({
            "instance": machine, "role": "master", "name": "a", "step": "timers", "state": "ready",
            "at": jiff::Timestamp::now(), "kubernetes": "1.36",
        });
        lab.put_bytes(&format!("chat.poeticoding.com/nodes/{machine}/status.json"), &status.to_string()).await;
        api.put("kubelet", node(machine));
        if group.starts_with("masters") {
            for component in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
                api.put("kubelet", pod(machine, component));
            }
        }
    }
    for app in ["aws-cloud-controller-manager", "kube-dns", "kube-proxy"] {
        let mut pod = pod(&machines[0].0, app);
        pod["metadata"]["labels"] = serde_json::json!({ "k8s-app": app });
        api.put("kubelet", pod);
    }
    let (exit, out) = lab.validate(&clinic, Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(out.contains("3 of 3 members serve") && out.contains("The cluster is well."), "{out}");
}

#[tokio::test(start_paused = true)]
async fn an_apply_waits_for_its_cluster_and_says_what_it_waits_for() {
    let lab = Lab::new();
    let clinic = lab.clinic(None);
    assert_eq!(lab.attended(&clinic).await.unwrap(), Exit::Done, "{}", lab.err.read());

    // Machines that never tell of themselves: what was applied stays applied, and the exit code tells.
    let lab = Lab::new();
    let api = FakeApi::start().await;
    let access = api.access();
    drop(api);
    let clinic = lab.clinic(Some(Kubernetes::new("chat.poeticoding.com", Arc::new(access))));
    assert_eq!(lab.attended(&clinic).await.unwrap(), Exit::Partly);
    let said = lab.err.read();
    assert!(said.contains("waiting: ") && said.contains("has not reported yet"), "{said}");
    let lease = lab.with(async |flow| flow.store.get("chat.poeticoding.com/state.lock").await).await.unwrap();
    assert_eq!(lease, None, "others may work meanwhile");

    // Nothing is left to change, and the cluster is not well all the same.
    assert_eq!(lab.attended(&clinic).await.unwrap(), Exit::Partly);
    let said = lab.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("everything is applied, but after a minute the cluster is not well"), "{said}");
}

fn node(instance: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": format!("ip-{instance}") },
        "spec": { "providerID": format!("aws:///us-east-1d/{instance}") },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

fn pod(instance: &str, component: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{component}-{instance}"), "namespace": "kube-system",
            "labels": { "tier": "control-plane", "component": component },
        },
        "spec": { "nodeName": format!("ip-{instance}"), "containers": [{ "name": component, "image": "i:1" }] },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

#[tokio::test(start_paused = true)]
async fn show_lists_machines_below_their_groups() {
    let lab = Lab::built().await;
    lab.with(async |flow| show(flow).await).await.unwrap();
    insta::assert_snapshot!(lab.out.read());
}
