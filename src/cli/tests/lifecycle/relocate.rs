//! A state that moves: nothing is lost at any moment, and nothing is left behind at the end.

use super::neighbours::{ALL, assert_quiet, base, built, inventory, person};
use super::*;
use crate::engine::{WriteCondition, WriteOutcome};
use crate::resource::SecretContent;
use crate::sandbox::{CrashPoint, FaultRates};
use crate::state::{DirectoryStore, MoveLeg, RecordEntry, lease_key, record_key};

const NAME: &str = "a.example.com";
const OLD: &str = "s3://a-state";
const NEW: &str = "s3://b-state/team";

fn file(state: &str) -> String {
    base(NAME, state, "us-east-1a")
}

fn store(user: &SandboxUser, state: &str) -> Arc<dyn ObjectStore> {
    match spec::StateLocation::parse(state).unwrap() {
        spec::StateLocation::S3 { bucket, prefix } => Arc::new(user.sandbox.store(&bucket, &prefix)),
        spec::StateLocation::Directory(path) => Arc::new(DirectoryStore::new(path)),
    }
}

async fn entry(user: &SandboxUser, state: &str) -> RecordEntry {
    crate::state::open(store(user, state), NAME).read_entry().await.unwrap()
}

/// The content of every secret in a bucket.
async fn secrets(user: &SandboxUser, state: &str) -> BTreeMap<&'static str, Vec<u8>> {
    let mut found = BTreeMap::new();
    for secret in SecretContent::ALL {
        let stored = store(user, state).get(&format!("{NAME}/{}", secret.path())).await.unwrap();
        found.extend(stored.map(|stored| (secret.name(), stored.bytes)));
    }
    found
}

async fn put(user: &SandboxUser, state: &str, key: &str, text: &str) {
    let written = store(user, state).put(key, text.as_bytes(), &WriteCondition::Absent).await.unwrap();
    assert!(matches!(written, WriteOutcome::Yes(_)), "{key}");
}

async fn text_at(user: &SandboxUser, state: &str, key: &str) -> Option<String> {
    store(user, state).get(key).await.unwrap().map(|stored| String::from_utf8(stored.bytes).unwrap())
}

/// The actions and addresses of a plan.
async fn changes(user: &mut SandboxUser) -> Vec<String> {
    user.options.json = true;
    let (exit, out) = user.plan().await;
    user.options.json = false;
    exit.unwrap();
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let changes = json["plan"]["changes"].as_array().unwrap();
    changes.iter().map(|change| format!("{} {}", change["action"], change["address"]).replace('"', "")).collect()
}

async fn moved(user: &SandboxUser, from: Option<&str>) -> String {
    let (exit, out) = user.move_state(from).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    out
}

async fn applied(user: &SandboxUser) -> String {
    let (exit, out) = user.apply(YES).await;
    let err = user.err.read();
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{err}");
    err
}

/// Everything in the account with a mark of the cluster.
fn ours(user: &SandboxUser) -> Vec<String> {
    let found = inventory(user).into_iter().filter(|found| found.cluster.as_deref() == Some(NAME));
    found.map(|found| format!("{} {}", found.kind, found.id)).collect()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn a_state_moves_with_its_keys_and_leaves_none_behind() {
    let account = SandboxUser::new();
    let old = built(&account, &file(OLD)).await;
    let before = secrets(&old, OLD).await;
    assert_eq!(before.len(), SecretContent::ALL.len());
    put(&old, OLD, "a.example.com/backups/etcd/2026-01-01.db", "snapshot").await;
    put(&old, OLD, "a.example.com/nodes/etcd-a", "healthy").await;
    let mut new = person(&account, &file(NEW));

    let out = moved(&new, None).await;
    assert!(out.contains("from s3://a-state\n  to   s3://b-state/team"), "{out}");
    assert!(out.contains("6 secrets, 1 snapshot of etcd and 1 report of machines are copied"), "{out}");
    assert!(out.contains("Moved. 8 objects copied and compared by digest."), "{out}");
    assert!(!out.contains("BEGIN"), "no secret is shown");
    assert_eq!(secrets(&new, NEW).await, before);
    assert_eq!(text_at(&new, NEW, "a.example.com/nodes/etcd-a").await.as_deref(), Some("healthy"));

    // The error for the old file names the new location.
    for reported in [old.plan().await.0, old.apply(ALL).await.0, old.destroy(true).await.0] {
        let error = reported.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        let report = error.report();
        assert!(report.causes.concat().contains("the state moved to s3://b-state/team"), "{report:?}");
    }
    let again = moved(&new, None).await;
    assert!(again.contains("is in s3://b-state/team already"), "{again}");

    // Machines move over, and may read from both places until then.
    let first = changes(&mut new).await;
    for change in ["roll autoscaling-group/masters-a", "roll autoscaling-group/nodes-w", "update role/masters"] {
        assert!(first.iter().any(|found| found == change), "{first:?}");
    }
    assert!(!first.iter().any(|change| change.contains("create secret") || change.contains("volume")), "{first:?}");
    let messages = words(&new.err.read());
    assert!(messages.contains("the state moved from s3://a-state, which keeps a copy"), "{messages}");
    applied(&new).await;
    let is_role =
        |found: &crate::sandbox::AccountObject| found.kind == "role" && found.cluster.as_deref() == Some(NAME);
    let policies = inventory(&new).into_iter().find(is_role).unwrap();
    let policies = serde_json::to_string(&policies.attributes["policies"]).unwrap();
    assert!(policies.contains("b-state/team/a.example.com") && policies.contains(":::a-state/a.example.com"));

    // What machines wrote to the old place meanwhile is kept; then it is emptied.
    put(&new, OLD, "a.example.com/backups/etcd/2026-01-02.db", "later").await;
    assert_eq!(changes(&mut new).await, ["update role/masters", "update role/nodes"]);
    let messages = words(&new.err.read());
    assert!(messages.contains("no machine reads from s3://a-state any more"), "{messages}");
    let messages = applied(&new).await;
    assert!(messages.contains("emptied s3://a-state"), "{messages}");
    assert_quiet(&new).await;
    assert_eq!(text_at(&new, NEW, "a.example.com/backups/etcd/2026-01-02.db").await.as_deref(), Some("later"));
    assert_eq!(store(&new, OLD).leftovers().await.unwrap(), Vec::<String>::new());
    assert!(!ours(&new).iter().any(|left| left.contains("a-state")), "{:?}", ours(&new));
    let RecordEntry::Record(record) = entry(&new, NEW).await else { panic!("no record") };
    assert_eq!(record.moved_from, Vec::<String>::new());

    // The error for the old file is found by the objects, as for any other file.
    let error = old.plan().await.0.unwrap_err().to_string();
    assert!(error.contains("its state is in s3://b-state/team"), "{error}");
    let (exit, out) = new.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", new.err.read());
    assert_eq!(ours(&new), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_prefix_moves_within_its_bucket() {
    let account = SandboxUser::new();
    let old = built(&account, &file("s3://a-state/one")).await;
    let before = secrets(&old, "s3://a-state/one").await;
    let new = person(&account, &file("s3://a-state/two"));
    moved(&new, None).await;
    applied(&new).await;
    applied(&new).await;
    assert_quiet(&new).await;
    assert_eq!(secrets(&new, "s3://a-state/two").await, before);
    let left = store(&new, "s3://a-state").list("one/").await.unwrap();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_state_moves_out_of_a_directory_and_into_one() {
    let account = SandboxUser::new();
    let directory = tempfile::tempdir().unwrap();
    let state = format!("file:{}", directory.path().display());
    let mut at_home = person(&account, &file(&state));
    at_home.store = Some(store(&account, &state));
    applied(&at_home).await;
    let before = secrets(&at_home, "s3://quorate-a-example-com-123456789012").await;
    assert_eq!(before.len(), SecretContent::ALL.len());

    let new = person(&account, &file(NEW));
    let error = new.move_state(None).await.0.unwrap_err();
    assert!(error.to_string().contains("so it is in a directory"), "{error}");
    moved(&new, Some(&state)).await;
    assert_eq!(secrets(&new, NEW).await, before);
    let error = at_home.plan().await.0.unwrap_err().report();
    assert!(error.causes.concat().contains("the state moved to s3://b-state/team"), "{error:?}");
    for _ in 0..2 {
        applied(&new).await;
    }
    assert_quiet(&new).await;
    assert!(!ours(&new).iter().any(|left| left.contains("quorate-a-example-com-123456789012")), "{:?}", ours(&new));

    moved(&at_home, None).await;
    for _ in 0..2 {
        applied(&at_home).await;
    }
    assert_quiet(&at_home).await;
    assert_eq!(secrets(&at_home, "s3://quorate-a-example-com-123456789012").await, before);
    assert!(!ours(&new).iter().any(|left| left.contains("b-state")), "{:?}", ours(&new));
}

#[tokio::test(start_paused = true)]
async fn a_directory_moves_to_another_one_and_no_machine_with_it() {
    let account = SandboxUser::new();
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = places.each_ref().map(|place| format!("file:{}", place.path().display()));
    let [mut old, mut new] = [&one, &two].map(|state| person(&account, &file(state)));
    (old.store, new.store) = (Some(store(&account, &one)), Some(store(&account, &two)));
    applied(&old).await;
    moved(&new, Some(&one)).await;
    assert_quiet(&new).await;
    let error = old.apply(YES).await.0.unwrap_err().report();
    assert!(error.causes.concat().contains(&format!("the state moved to {two}")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_move_can_be_taken_back() {
    let account = SandboxUser::new();
    let old = built(&account, &file(OLD)).await;
    let before = secrets(&old, OLD).await;
    let new = person(&account, &file(NEW));
    moved(&new, None).await;
    applied(&new).await;
    let error = old.move_state(None).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused, "{error}");
    moved(&old, Some(NEW)).await;
    for _ in 0..2 {
        applied(&old).await;
    }
    assert_quiet(&old).await;
    assert_eq!(secrets(&old, OLD).await, before);
    assert!(!ours(&old).iter().any(|left| left.contains("b-state")), "{:?}", ours(&old));
}

/// A person in a copy of an account, whose process dies at a call: before its effect, or after.
fn dying(account: &SandboxUser, state: &str, call: u64, after: bool) -> SandboxUser {
    let copy = SandboxUser { sandbox: account.sandbox.fork(), ..SandboxUser::new() };
    let mut dying = person(&copy, &file(state));
    let faults = FaultRates { crash: Some(CrashPoint { call, after }), ..FaultRates::default() };
    dying.sandbox = dying.sandbox.again(SandboxSettings { faults, ..dying.sandbox.settings().clone() });
    dying
}

/// Returns the number of calls that a process has made.
fn calls(user: &SandboxUser) -> u64 {
    user.sandbox.calls().values().sum()
}

/// Returns `true` if a run died before it ended.
async fn dies(user: &SandboxUser, run: impl Future<Output = (Result<Exit, CliError>, String)>) -> bool {
    tokio::select! {
        biased;
        () = user.sandbox.crashed() => true,
        ended = run => {
            assert_eq!(ended.0.unwrap(), Exit::Done);
            false
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_that_is_killed_at_any_call_goes_on() {
    let account = SandboxUser::new();
    let old = built(&account, &file(OLD)).await;
    put(&old, OLD, "a.example.com/backups/etcd/2026-01-01.db", "snapshot").await;
    let before = secrets(&old, OLD).await;
    let whole = dying(&account, NEW, u64::MAX, false);
    moved(&whole, None).await;
    let mut deaths = 0;
    for call in 1..=calls(&whole) {
        for after in [false, true] {
            let dying = dying(&account, NEW, call, after);
            if !dies(&dying, Box::pin(dying.move_state(None))).await {
                continue;
            }
            deaths += 1;
            let new = person(&dying, &file(NEW));
            // The record is in one place, and never valid in both.
            let (was, is) = (entry(&new, OLD).await, entry(&new, NEW).await);
            let valid = [&was, &is].into_iter().filter(|entry| matches!(entry, RecordEntry::Record(_))).count();
            let carried = matches!(&was, RecordEntry::Marker(marker) if marker.record.is_some());
            assert!(valid == 1 || (valid == 0 && carried), "call {call}: {was:?} {is:?}");
            assert_eq!(secrets(&new, OLD).await, before, "call {call}: the old keys stay");
            if matches!(is, RecordEntry::Record(_)) {
                assert_eq!(secrets(&new, NEW).await, before, "call {call}: no record without its keys");
            }
            if let RecordEntry::Marker(marker) = &is {
                assert_eq!(marker.leg, MoveLeg::MovingFrom(OLD.to_owned()));
                let reported = new.plan().await.0.unwrap_err();
                assert_eq!(reported.exit(), Exit::Refused, "an unfinished move is no cluster of its own");
            }
            // The leases of the dead run expire.
            for state in [OLD, NEW] {
                store(&new, state).erase(&lease_key(NAME)).await.unwrap();
            }
            moved(&new, None).await;
            assert_eq!(secrets(&new, NEW).await, before, "call {call}");
            let RecordEntry::Record(record) = entry(&new, NEW).await else { panic!("call {call}: no record") };
            assert_eq!(record.moved_from, [OLD]);
            assert!(matches!(entry(&new, OLD).await, RecordEntry::Marker(_)), "call {call}");
        }
    }
    assert!(deaths > 60, "only {deaths} moments were tried");
}

#[tokio::test(start_paused = true)]
async fn an_emptying_that_is_killed_at_any_call_goes_on() {
    let account = SandboxUser::new();
    let old = built(&account, &file(OLD)).await;
    let before = secrets(&old, OLD).await;
    let new = person(&account, &file(NEW));
    moved(&new, None).await;
    applied(&new).await;
    let whole = dying(&account, NEW, u64::MAX, false);
    applied(&whole).await;
    let mut deaths = 0;
    for call in 1..=calls(&whole) {
        let dying = dying(&account, NEW, call, true);
        if !dies(&dying, Box::pin(dying.apply(YES))).await {
            continue;
        }
        deaths += 1;
        let new = person(&dying, &file(NEW));
        assert_eq!(secrets(&new, NEW).await, before, "call {call}");
        store(&new, NEW).erase(&lease_key(NAME)).await.unwrap();
        applied(&new).await;
        assert_quiet(&new).await;
        assert_eq!(secrets(&new, NEW).await, before, "call {call}");
        assert!(!ours(&new).iter().any(|left| left.contains("a-state")), "call {call}: {:?}", ours(&new));
    }
    assert!(deaths > 30, "only {deaths} moments were tried");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_holds_something_is_no_place_to_move_to() {
    let account = SandboxUser::new();
    built(&account, &file(OLD)).await;
    let refused = async |user: &SandboxUser, from: Option<&str>, message: &str| {
        let before = inventory(user);
        let error = user.move_state(from).await.0.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused, "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(inventory(user), before);
        assert!(matches!(entry(user, OLD).await, RecordEntry::Record(_)), "{message}");
    };
    built(&account, &base("b.example.com", "s3://b-state", "us-east-1a")).await;
    put(&account, "s3://b-state", "a.example.com/notes.txt", "mine").await;
    let other = person(&account, &file("s3://b-state"));
    refused(&other, None, "holds something of a cluster of this name: a.example.com/notes.txt").await;
    store(&account, "s3://b-state").erase("a.example.com/notes.txt").await.unwrap();
    let record = text_at(&account, OLD, &record_key(NAME)).await.unwrap();
    let RecordEntry::Record(own) = entry(&account, OLD).await else { panic!("no record") };
    put(&account, "s3://b-state", &record_key(NAME), &record.replace(&own.lineage, "another-life")).await;
    refused(&other, None, "holds the record of another cluster of this name").await;
    refused(&person(&account, &file(OLD)), Some(OLD), "nothing to move").await;
    let same = person(&account, &file(OLD));
    let before = inventory(&same);
    let messages = moved(&same, None).await;
    assert!(messages.contains("The state of a.example.com is already in s3://a-state: nothing to move."), "{messages}");
    assert_eq!(inventory(&same), before);
    refused(&person(&account, &file("s3://a-state/a.example.com/pki")), None, "is inside the other").await;
    refused(&person(&account, &file(NEW)), Some("s3://b-state/none"), "there is no record of a.example.com").await;
    let west = person(&account, &base(NAME, "s3://west-state", "us-west-2a"));
    refused(&west, None, "a.example.com lives in us-east-1").await;
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_not_in_the_new_place_keep_the_old_one() {
    let account = SandboxUser::new();
    built(&account, &file(OLD)).await;
    let mut new = person(&account, &file(NEW));
    moved(&new, None).await;
    applied(&new).await;
    let key = "a.example.com/pki/etcd-ca.pem";
    let there = store(&new, NEW).get(key).await.unwrap().unwrap();
    store(&new, NEW).put(key, b"another", &WriteCondition::Matches(there.etag)).await.unwrap();
    let (exit, out) = new.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Partly, "{out}");
    let messages = words(&new.err.read());
    assert!(messages.contains("does not hold the etcd-ca that is in s3://a-state"), "{messages}");
    assert_eq!(secrets(&new, OLD).await.len(), SecretContent::ALL.len());
    let changed = store(&new, NEW).get(key).await.unwrap().unwrap();
    store(&new, NEW).put(key, &there.bytes, &WriteCondition::Matches(changed.etag)).await.unwrap();
    assert_eq!(new.plan().await.0.unwrap(), Exit::Differs, "it is still to be emptied");
    new.err.read();
    applied(&new).await;
    assert_quiet(&new).await;
    assert_eq!(changes(&mut new).await, Vec::<String>::new());
    assert_eq!(secrets(&new, OLD).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_destroyed_leaves_nothing_in_the_old_place() {
    let account = SandboxUser::new();
    built(&account, &file(OLD)).await;
    put(&account, OLD, "others/notes.txt", "mine").await;
    let new = person(&account, &file(NEW));
    moved(&new, None).await;
    let (exit, out) = new.destroy(true).await;
    let err = words(&new.err.read());
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{err}");
    assert!(err.contains("s3://a-state, where the state was before, is emptied too"), "{err}");
    assert!(out.contains("1 resource left:") && out.contains("bucket/state  a-state"), "{out}");
    assert!(words(&out).contains("the state was there before, and others keep something in it: others/notes.txt"));
    assert_eq!(store(&new, OLD).leftovers().await.unwrap(), ["others/notes.txt"]);
    assert_eq!(ours(&new), ["bucket a-state"]);
}

#[tokio::test(start_paused = true)]
async fn a_state_does_not_move_in_the_middle_of_a_run() {
    let account = SandboxUser::new();
    let old = built(&account, &file(OLD)).await;
    let mut journal = crate::state::open(store(&old, OLD), NAME);
    let mut record = journal.load().await.unwrap().unwrap();
    let run = "dead".to_owned();
    let operation = "apply".to_owned();
    record.in_progress = Some(crate::state::RecordedRun { run, operation, since: record.written });
    journal.save(&record).await.unwrap();
    let new = person(&account, &file(NEW));
    let error = new.move_state(None).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("the last `apply` did not finish"), "{error}");
    applied(&old).await;
    moved(&new, None).await;
}
