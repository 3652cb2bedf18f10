//! Call budgets of commands, counted on the wire.

use std::pin::Pin;
use std::time::{Duration, Instant};

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;
use quorate::testkit::fake::FakeApi;

/// Maximum number of calls of a plan of a new cluster, beside those for quotas.
const NEW: usize = 23;
/// Maximum number of calls of a plan without changes, for a cluster of any number of machines. Five of them read tags that no
/// list has: those of two roles, two instance profiles, and all machines. Four read the last report of each group.
const UNCHANGED: usize = 45;
/// Maximum number of further calls if the facts are not recorded yet, as after an upgrade from an older release: the zones, the
/// sizes, where they are offered, and the newest images.
const FACTS: usize = 4;
/// Maximum number of calls of a first apply, beside those for quotas.
const FIRST: usize = 90;
/// Number of calls for the quotas that a first apply needs a part of: two for vCPUs, one for VPCs.
const QUOTAS: usize = 3;
/// Number of calls for the quota of vCPUs, which an apply needs more of that starts a machine more.
const VCPU_QUOTA: usize = 2;
/// Maximum number of calls of an apply that changes one field, beside those of its plan.
const CHANGED: usize = 6;
/// Maximum number of calls of a destroy.
const DESTROY: usize = 122;
/// Maximum number of further calls for each service with a load balancer, each node group, and each master: of a plan without
/// changes, of a first apply, and of a destroy.
const GROWTH: [(&str, &str, [usize; 3]); 3] = [
    ("service with a load balancer", SERVICE, [3, 11, 9]),
    ("node group", GROUP, [1, 4, 3]),
    ("master in a zone", MASTERS, [1, 5, 5]),
];
/// Time before each answer.
const DELAY: Duration = Duration::from_millis(50);
/// Maximum number of its calls that wait for one another.
const HOPS: usize = 3;
/// Number of objects of the tutorial's cluster on AWS, in an account without a public zone.
const OBJECTS: usize = 42;
/// Number of its objects in Kubernetes: the add-ons.
const INSIDE: usize = 19;
/// Maximum number of Kubernetes requests of a first apply for each object: existence, apply, and a wait.
const FIRST_INSIDE: usize = 5;
/// Maximum number of Kubernetes requests of a plan without changes: a list for each type, a dry run for each object.
const UNCHANGED_INSIDE: usize = 55;

const SERVICE: &str = r#"
service "extra" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80
  nlb {
    port = 80
  }
}
"#;
const GROUP: &str = r#"
nodes "extra" {
  count = 1
  size  = "t3.medium"
}
"#;
/// Two more masters.
const MASTERS: &str = "";

#[tokio::test]
async fn a_first_apply_and_an_unchanged_plan_stay_within_their_budgets() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), &sized(3)).await;
    let first = stage.apply().await.must(Exit::Done);
    let calls = wire.take_log();
    assert!(first.out.contains(&format!("{} created", OBJECTS + INSIDE)), "{}", first.out);
    let inside = requests(&stage);
    assert!(inside.len() <= INSIDE * FIRST_INSIDE, "{} requests:\n{}", inside.len(), inside.join("\n"));
    let messages = format!("{} calls for {OBJECTS} objects:\n{}", calls.len(), calls.join("\n"));
    assert!(calls.len() <= FIRST + QUOTAS, "{messages}");

    let small = unchanged(&moto, &mut stage).await;
    shown(&wire, &mut stage).await;
    stage.edit(&sized(300));
    stage.apply().await.must(Exit::Done);
    requests(&stage);
    let large = unchanged(&moto, &mut stage).await;
    assert_eq!(nameless(&small), nameless(&large), "300 nodes cost as many calls as 3");
}

/// Returns the Kubernetes requests since the last call, as far as they count.
fn requests(stage: &MotoStage) -> Vec<String> {
    stage.api.fake().map(FakeApi::take_requests).unwrap_or_default()
}

/// Shows the cluster within the budget of a plan without changes. Ages, sizes and pods need no call for each machine.
async fn shown(wire: &TestWire, stage: &mut MotoStage) {
    wire.take_log();
    let run = stage.show().await.must(Exit::Done);
    assert!(run.out.contains("MACHINE") && run.out.contains("master a  i-"), "{}", run.out);
    let (calls, inside) = (wire.take_log(), requests(stage));
    assert!(calls.len() <= UNCHANGED, "{} calls:\n{}", calls.len(), calls.join("\n"));
    assert!(inside.len() <= UNCHANGED_INSIDE, "{} requests:\n{}", inside.len(), inside.join("\n"));
}

/// Returns the calls of a plan without changes, sorted.
async fn unchanged(moto: &MotoServer, stage: &mut MotoStage) -> Vec<String> {
    let wire = std::mem::replace(&mut stage.wire, TestWire::counting_hops(moto.endpoint()));
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    let hops = stage.wire.hops();
    let mut calls = stage.wire.take_log();
    stage.wire = wire;
    let inside = requests(stage);
    assert!(inside.len() <= UNCHANGED_INSIDE, "{} requests:\n{}", inside.len(), inside.join("\n"));
    calls.sort();
    assert!(calls.len() <= UNCHANGED, "{} calls:\n{}", calls.len(), calls.join("\n"));
    assert!(hops <= HOPS, "{hops} hops:\n{}", calls.join("\n"));
    calls
}

/// Returns the tutorial's cluster with this number of nodes, which may be more than a route table can lead to.
fn sized(nodes: u32) -> String {
    let file = TUTORIAL.replacen("count = 2", &format!("count = {nodes}"), 1);
    format!("{file}\nnetwork {{\n  plugin = \"none\"\n}}\n")
}

/// Returns calls about machines, without the machines' ids.
fn nameless(calls: &[String]) -> Vec<String> {
    let nameless = |call: &String| match call.split_once("/nodes/i-") {
        Some((before, after)) => {
            format!("{before}/nodes/{}", after.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()))
        }
        None => call.clone(),
    };
    calls.iter().map(nameless).collect()
}

/// The calls of a command, the longest chain of them, and its time.
#[derive(Debug)]
struct CommandCalls {
    calls: Vec<String>,
    chain: usize,
    time: Duration,
}

impl CommandCalls {
    fn of<'a>(wire: &'a TestWire, command: impl Future<Output = ()> + 'a) -> Pin<Box<dyn Future<Output = Self> + 'a>> {
        Box::pin(async move {
            wire.take_log();
            wire.take_chain();
            let start = Instant::now();
            command.await;
            Self { time: start.elapsed(), chain: wire.take_chain(), calls: wire.take_log() }
        })
    }

    #[track_caller]
    fn at_most(&self, most: usize, command: &str) {
        let mut calls = self.calls.clone();
        calls.sort();
        assert!(calls.len() <= most, "{command}: {} calls, at most {most}:\n{}", calls.len(), calls.join("\n"));
    }
}

/// Each command of a cluster's life stays within its budget. With `--nocapture`, prints the table of docs/performance.md.
#[tokio::test]
#[allow(clippy::print_stdout, reason = "the script of docs/performance.md reads the table")]
async fn each_command_stays_within_its_budget() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::delayed(moto.endpoint(), DELAY);
    let mut stage = MotoStage::new(wire.clone(), &sized(3)).await;
    let new = CommandCalls::of(&wire, async { drop(stage.plan().await.must(Exit::Differs)) }).await;
    let first = CommandCalls::of(&wire, async { drop(stage.apply().await.must(Exit::Done)) }).await;
    let unchanged = CommandCalls::of(&wire, async { drop(stage.plan().await.must(Exit::Done)) }).await;
    stage.edit(&sized(4));
    let changed = CommandCalls::of(&wire, async { drop(stage.apply().await.must(Exit::Done)) }).await;
    let destroyed = CommandCalls::of(&wire, async { drop(stage.destroy().await.must(Exit::Done)) }).await;
    println!("| command | calls | chain | time |\n|---|---|---|---|");
    let most = [
        ("plan of a new cluster", &new, NEW + QUOTAS),
        ("first apply", &first, FIRST + QUOTAS),
        ("plan without changes", &unchanged, UNCHANGED),
        ("apply of one changed field", &changed, unchanged.calls.len() + CHANGED + VCPU_QUOTA),
        ("destroy", &destroyed, DESTROY),
    ];
    for (command, CommandCalls { calls, chain, time }, _) in &most {
        println!("| {command} | {} | {chain} | {:.1} s |", calls.len(), time.as_secs_f64());
    }
    for (command, calls, most) in most {
        calls.at_most(most, command);
    }
}

/// A plan after an upgrade from a release that recorded no facts asks for them once.
#[tokio::test]
async fn facts_are_asked_for_once() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), &sized(3)).await;
    stage.apply().await.must(Exit::Done);
    stage.forget_facts().await;
    let asked = CommandCalls::of(&wire, async { drop(stage.plan().await.must(Exit::Done)) }).await;
    asked.at_most(UNCHANGED + FACTS, "plan without recorded facts");
    assert!(asked.calls.iter().any(|call| call.ends_with("DescribeInstanceTypes")), "{:?}", asked.calls);
    // An apply records them, although nothing changes.
    stage.apply().await.must(Exit::Done);
    let known = CommandCalls::of(&wire, async { drop(stage.plan().await.must(Exit::Done)) }).await;
    known.at_most(UNCHANGED, "plan with recorded facts");
    // Another size is not known.
    stage.edit(&sized(3).replacen("t3.medium", "t3.large", 1));
    let resized = CommandCalls::of(&wire, async { drop(stage.plan().await.must(Exit::Differs)) }).await;
    assert!(resized.calls.iter().any(|call| call.ends_with("DescribeInstanceTypes")), "{:?}", resized.calls);
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "a failure shows only one of the numbers")]
async fn calls_grow_with_services_groups_and_masters_by_a_fixed_number() {
    let Some(moto) = MotoServer::start() else { return };
    let base = Box::pin(life(&moto, &sized(1))).await;
    for (what, more, most) in GROWTH {
        let (file, times) = match more {
            MASTERS => (sized(1).replacen("count = 3", "count = 5", 1), 2),
            more => (format!("{}{more}", sized(1)), 1),
        };
        let grown = Box::pin(life(&moto, &file)).await;
        for ((command, most), (before, after)) in COMMANDS.iter().zip(most).zip(base.iter().zip(&grown)) {
            let further = after.saturating_sub(*before);
            println!("{command}: {further} further calls for {times} {what}");
            assert!(
                further <= most * times,
                "{command}: {further} further calls for {times} {what}, at most {most} each"
            );
        }
    }
}

/// The commands whose growth is bounded.
const COMMANDS: [&str; 3] = ["plan without changes", "first apply", "destroy"];

/// Returns the number of calls of each of [`COMMANDS`] in a cluster's life.
async fn life(moto: &MotoServer, file: &str) -> [usize; 3] {
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), file).await;
    stage.api.machines("extra", 1).await;
    let first = CommandCalls::of(&wire, async { drop(stage.apply().await.must(Exit::Done)) }).await;
    let unchanged = CommandCalls::of(&wire, async { drop(stage.plan().await.must(Exit::Done)) }).await;
    let destroyed = CommandCalls::of(&wire, async { drop(stage.destroy().await.must(Exit::Done)) }).await;
    [unchanged, first, destroyed].map(|command| command.calls.len())
}
