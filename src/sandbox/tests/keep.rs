//! State that is kept between commands.

use super::*;

fn file(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("cloud.json")).unwrap()
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
    let [one, two, three] = directories.each_ref().map(|directory| file(directory.path()));
    assert!(one == two, "the same seed");
    assert!(one != three, "another seed");
}

#[tokio::test]
async fn reading_a_file_and_writing_it_changes_no_byte() {
    let directory = tempfile::tempdir().unwrap();
    ObjectBuilder::whole(&Sandbox::open(directory.path(), settings())).await;
    let before = file(directory.path());
    Sandbox::open(directory.path(), settings()).inventory().unwrap();
    assert!(file(directory.path()) == before);
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
async fn a_file_that_cannot_be_read_has_a_hint() {
    let directory = tempfile::tempdir().unwrap();
    for text in ["{", r#"{"format": 99}"#] {
        std::fs::write(directory.path().join("cloud.json"), text).unwrap();
        let failure = Sandbox::open(directory.path(), settings()).observe().await.unwrap_err();
        assert!(failure.message.contains("quorate sandbox reset"), "{failure}");
    }
    Sandbox::open(directory.path(), settings()).reset().await.unwrap();
    Sandbox::open(directory.path(), settings()).observe().await.unwrap();
}
