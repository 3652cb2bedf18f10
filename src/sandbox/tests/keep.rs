//! State that is kept between commands.

use super::*;

const SNAPSHOT: &str = "cloud.json";
const JOURNAL: &str = "cloud.journal";

/// Returns the snapshot and the journal.
fn files(directory: &Path) -> [Option<Vec<u8>>; 2] {
    [SNAPSHOT, JOURNAL].map(|file| std::fs::read(directory.join(file)).ok())
}

/// Copies the account, not the contents of its buckets.
fn copy(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in [SNAPSHOT, JOURNAL] {
        if directory.join(file).exists() {
            std::fs::copy(directory.join(file), copy.path().join(file)).unwrap();
        }
    }
    copy
}

/// Creates VPCs with these numbers.
async fn vpcs(sandbox: &Sandbox, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let object = Object { address: Address::new("vpc", number.to_string()), ..vpc() };
        sandbox.create(&object, &IdempotencyToken(String::new())).await.unwrap();
    }
}

fn inventory(directory: &Path) -> Vec<AccountObject> {
    Sandbox::open(directory, settings()).inventory().unwrap()
}

#[tokio::test]
async fn the_account_is_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let first = Sandbox::open(directory.path(), settings());
    ObjectBuilder::whole(&first).await;
    let second = Sandbox::open(directory.path(), settings());
    assert_eq!(second.inventory().unwrap(), first.inventory().unwrap());
    assert_eq!(second.observe().await.unwrap().live.len(), cluster().len());
}

#[tokio::test]
async fn opening_touches_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("sandbox");
    drop(Sandbox::open(&root, settings()));
    assert!(!root.exists());
}

#[tokio::test]
async fn the_same_seed_makes_the_same_bytes() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (directory, seed) in directories.iter().zip([1, 1, 2]) {
        ObjectBuilder::whole(&Sandbox::open(directory.path(), SandboxSettings { seed, ..settings() })).await;
    }
    let [one, two, three] = directories.each_ref().map(|directory| files(directory.path()));
    assert!(one == two, "the same seed");
    assert!(one != three, "another seed");
}

#[tokio::test]
async fn reading_a_file_and_writing_it_changes_no_byte() {
    let directory = tempfile::tempdir().unwrap();
    ObjectBuilder::whole(&Sandbox::open(directory.path(), settings())).await;
    let before = files(directory.path());
    Sandbox::open(directory.path(), settings()).inventory().unwrap();
    assert!(files(directory.path()) == before);
}

/// Two processes, here two handles that share nothing but the directory, do not lose each other's changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_do_not_lose_each_others_changes() {
    let directory = tempfile::tempdir().unwrap();
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let sandbox = Sandbox::open(directory.path(), settings());
            tokio::spawn(async move {
                for number in 0..10 {
                    let object = Object { address: Address::new("vpc", format!("{worker}-{number}")), ..vpc() };
                    sandbox.create(&object, &IdempotencyToken(String::new())).await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(Sandbox::open(directory.path(), settings()).observe().await.unwrap().live.len(), 40);
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing() {
    for call in 1..=20 {
        let directory = tempfile::tempdir().unwrap();
        let crash = Some(CrashPoint { call, after: true });
        let dying = Sandbox::open(
            directory.path(),
            SandboxSettings { faults: FaultRates { crash, ..FaultRates::default() }, ..settings() },
        );
        tokio::select! {
            _ = ObjectBuilder::whole(&dying) => panic!("call {call} returned"),
            () = dying.crashed() => {}
        }
        let next = Sandbox::open(directory.path(), settings());
        assert_eq!(next.inventory().unwrap(), dying.inventory().unwrap());
    }
}

#[tokio::test]
async fn a_call_writes_what_it_changes_however_much_the_account_holds() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(directory.path(), settings());
    vpcs(&sandbox, 0..1).await;
    let mut lines = Vec::new();
    for block in [1..101, 101..501, 501..1001] {
        let calls = u64::from(block.end - block.start);
        let before = sandbox.home.written();
        vpcs(&sandbox, block).await;
        let after = sandbox.home.written();
        let written = after.lines - before.lines + after.snapshots - before.snapshots;
        assert_eq!(written, calls, "one write for each call");
        lines.push((after.line_bytes - before.line_bytes) / calls);
        assert!(after.snapshot_bytes <= 2 * after.line_bytes, "{after:?}");
    }
    assert!(lines.iter().all(|bytes| *bytes < 900), "bytes for each call, with 1, 101 and 501 objects: {lines:?}");
    let snapshots = sandbox.home.written().snapshots;
    assert!((2..=10).contains(&snapshots), "{snapshots} snapshots of 1,000 objects");
    assert_eq!(inventory(directory.path()), sandbox.inventory().unwrap());
}

#[tokio::test]
async fn a_call_that_changes_nothing_writes_its_time_and_a_look_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(directory.path(), settings());
    ObjectBuilder::whole(&sandbox).await;
    let before = sandbox.home.written();
    sandbox.observe().await.unwrap();
    let after = sandbox.home.written();
    assert_eq!((after.lines - before.lines, after.snapshots), (1, before.snapshots));
    assert!(after.line_bytes - before.line_bytes < 100, "{after:?}");
    sandbox.inventory().unwrap();
    sandbox.now().unwrap();
    assert_eq!(sandbox.home.written(), after);
}

/// A process that is killed while it writes leaves a part of a line. That call was not answered; all before it were.
#[tokio::test]
async fn a_torn_line_loses_only_the_call_that_was_not_answered() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(directory.path(), settings());
    ObjectBuilder::whole(&sandbox).await;
    vpcs(&sandbox, 0..1).await;
    let before = sandbox.inventory().unwrap();
    let [_, kept] = files(directory.path());
    let kept = kept.unwrap().len();
    vpcs(&sandbox, 1..2).await;
    let [_, whole] = files(directory.path());
    let whole = whole.unwrap();
    assert!(whole.len() > kept);
    for length in kept..whole.len() {
        let torn = copy(directory.path());
        std::fs::write(torn.path().join(JOURNAL), &whole[..length]).unwrap();
        assert_eq!(inventory(torn.path()), before, "{length} of {} bytes", whole.len());
        // The next call takes the place of the torn one, also with another process that has read the lines before it.
        let (next, other) = (Sandbox::open(torn.path(), settings()), Sandbox::open(torn.path(), settings()));
        other.inventory().unwrap();
        vpcs(&next, 1..2).await;
        assert_eq!(other.inventory().unwrap(), sandbox.inventory().unwrap());
        assert_eq!(inventory(torn.path()), sandbox.inventory().unwrap());
        assert_eq!(files(torn.path()), files(directory.path()));
    }
}

/// A process can be killed between the writing of a snapshot and the removal of the journal that it contains.
#[tokio::test]
async fn the_journal_of_an_earlier_snapshot_is_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(directory.path(), settings());
    let mut number = 0;
    let mut earlier = None;
    while sandbox.home.written().snapshots < 2 {
        earlier = files(directory.path())[1].clone();
        vpcs(&sandbox, number..number + 1).await;
        number += 1;
    }
    assert_eq!(files(directory.path())[1], None, "a snapshot has no journal yet");
    std::fs::write(directory.path().join(JOURNAL), earlier.unwrap()).unwrap();
    assert_eq!(inventory(directory.path()), sandbox.inventory().unwrap());
    let next = Sandbox::open(directory.path(), settings());
    vpcs(&next, number..number + 1).await;
    assert_eq!(inventory(directory.path()), sandbox.inventory().unwrap());
    assert_eq!(next.inventory().unwrap().len(), sandbox.inventory().unwrap().len());

    // The same with a new account, after a reset that was killed.
    let journal = files(directory.path())[1].clone().unwrap();
    next.reset().await.unwrap();
    std::fs::write(directory.path().join(JOURNAL), journal).unwrap();
    let fresh = Sandbox::open(directory.path(), settings());
    vpcs(&fresh, 0..1).await;
    assert_eq!(inventory(directory.path()), fresh.inventory().unwrap());
    assert_eq!(fresh.inventory().unwrap().iter().filter(|object| object.address.is_some()).count(), 1);
}

/// Two processes that work in turn follow each other's journal and snapshots.
#[tokio::test]
async fn two_processes_follow_each_others_snapshots() {
    let directory = tempfile::tempdir().unwrap();
    let one = Sandbox::open(directory.path(), settings());
    let two = Sandbox::open(directory.path(), settings());
    for number in 0..200 {
        let (writer, reader) = if number % 3 == 0 { (&one, &two) } else { (&two, &one) };
        vpcs(writer, number..number + 1).await;
        assert_eq!(reader.inventory().unwrap().len(), writer.inventory().unwrap().len(), "{number}");
    }
    assert!(one.home.written().snapshots + two.home.written().snapshots > 1);
    assert_eq!(one.inventory().unwrap(), two.inventory().unwrap());
    assert_eq!(inventory(directory.path()), one.inventory().unwrap());
}

/// Releases before the journal kept the whole account in one file, without a snapshot number.
#[tokio::test]
async fn a_directory_of_an_older_release_opens_and_becomes_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(directory.path(), settings());
    vpcs(&sandbox, 0..3).await;
    sandbox.fail_zone("us-east-1a").unwrap();
    // A snapshot of all of it.
    while files(directory.path())[1].is_some() {
        sandbox.observe().await.unwrap();
    }
    let mut older: serde_json::Value = serde_json::from_slice(&files(directory.path())[0].clone().unwrap()).unwrap();
    let fields = older.as_object_mut().unwrap();
    let serde_json::Value::Object(state) = fields.remove("state").unwrap() else { panic!("the state has fields") };
    fields.extend(state);
    fields.remove("snapshot");
    fields.insert("format".to_owned(), 1.into());
    std::fs::write(directory.path().join(SNAPSHOT), serde_json::to_vec_pretty(&older).unwrap()).unwrap();

    let newer = Sandbox::open(directory.path(), settings());
    assert_eq!(newer.now().unwrap(), sandbox.now().unwrap());
    assert_eq!(newer.inventory().unwrap(), sandbox.inventory().unwrap());
    vpcs(&newer, 3..4).await;
    let snapshot: serde_json::Value = serde_json::from_slice(&files(directory.path())[0].clone().unwrap()).unwrap();
    assert_eq!((&snapshot["format"], &snapshot["state"]["failed_zones"][0]), (&2.into(), &"us-east-1a".into()));
    assert_eq!(inventory(directory.path()), newer.inventory().unwrap());
}

#[tokio::test]
async fn a_damaged_journal_has_a_hint() {
    let directory = tempfile::tempdir().unwrap();
    vpcs(&Sandbox::open(directory.path(), settings()), 0..3).await;
    let journal = directory.path().join(JOURNAL);
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("\"state\"", "\"stat", 1)).unwrap();
    let failure = Sandbox::open(directory.path(), settings()).observe().await.unwrap_err();
    assert!(failure.message.contains("cloud.journal") && failure.message.contains("line 2"), "{failure}");
    assert!(failure.message.contains("quorate sandbox reset"), "{failure}");
    Sandbox::open(directory.path(), settings()).reset().await.unwrap();
    Sandbox::open(directory.path(), settings()).observe().await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_read_has_a_hint() {
    let directory = tempfile::tempdir().unwrap();
    for text in ["{", r#"{"format": 99}"#] {
        std::fs::write(directory.path().join(SNAPSHOT), text).unwrap();
        let failure = Sandbox::open(directory.path(), settings()).observe().await.unwrap_err();
        assert!(failure.message.contains("quorate sandbox reset"), "{failure}");
    }
    Sandbox::open(directory.path(), settings()).reset().await.unwrap();
    Sandbox::open(directory.path(), settings()).observe().await.unwrap();
}
