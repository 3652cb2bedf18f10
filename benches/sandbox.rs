//! Benchmarks of whole commands on growing clusters in the sandbox: `cargo bench --bench sandbox`.
//!
//! Each command is a process of its own, as users run it: it reads the file, the sandbox and the record, and writes them. At
//! the end, a table shows one run of each size, the peak memory, and the slope: the exponent of the growth with the number of
//! objects, so 1 is linear and 2 is quadratic.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark that cannot begin says why and ends")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use divan::Bencher;
use tempfile::TempDir;

/// The sizes of the clusters, in objects.
const SIZES: [usize; 3] = [100, 1_000, 5_000];
/// Number of objects of the cluster itself: the network, the machines, the add-ons.
const BASE: usize = 63;
/// Number of objects of a service, and number of further ones if it has a load balancer.
const OF_SERVICE: usize = 4;
const OF_BALANCER: usize = 5;
/// One service of so many has a load balancer, until an Auto Scaling group has all the target groups that AWS allows.
const BALANCED: usize = 20;
const BALANCERS: usize = 50;

const PLAN: &[&str] = &["plan", "--sandbox", "--quiet"];
const APPLY: &[&str] = &["apply", "--sandbox", "--yes", "--quiet"];
const DESTROY: &[&str] = &["destroy", "--sandbox", "--yes", "--delete-data", "--quiet"];

fn main() {
    divan::main();
    // Under `cargo test --benches`, only the benchmarks themselves are tried.
    if std::env::args().any(|argument| argument == "--bench") {
        println!("\n{}", table());
    }
}

/// Returns the number of services with which a cluster has about this many objects.
fn services(objects: usize) -> usize {
    let of_services =
        |services: usize| OF_SERVICE * services + OF_BALANCER * services.div_ceil(BALANCED).min(BALANCERS);
    (1..=objects).take_while(|services| BASE + of_services(*services) <= objects).last().unwrap_or(1)
}

/// Returns a cluster file with about this many objects.
fn file(objects: usize) -> String {
    let mut text = r#"
name  = "bench.example.com"
state = "s3://state.bench.example.com"
zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]

masters {
  count = 3
  size  = "m7g.large"
}

nodes "workers" {
  count = 3
  size  = "m7g.large"
}
"#
    .to_owned();
    for number in 0..services(objects) {
        let has_balancer = number % BALANCED == 0 && number / BALANCED < BALANCERS;
        let balancer = if has_balancer { "\n  nlb {\n    port = 80\n  }" } else { "" };
        let _ = write!(
            text,
            "\nservice \"s{number}\" {{\n  image    = \"nginx:1.27\"\n  min      = 2\n  max      = 4\n  cpu      = \"100m\"\n  \
             port     = 80\n  stateful = false{balancer}\n}}\n"
        );
    }
    text
}

/// Returns a directory with a cluster file of this size.
fn desk(objects: usize) -> TempDir {
    let desk = tempfile::tempdir().expect("a temporary directory can be made");
    fs::write(desk.path().join("cluster.hcl"), file(objects)).expect("the file can be written");
    desk
}

/// Returns the same after an apply.
fn applied(objects: usize) -> TempDir {
    let desk = desk(objects);
    run(desk.path(), APPLY);
    desk
}

/// Runs a command. Returns its time, and its peak memory in kilobytes where the system reports it.
fn run(desk: &Path, arguments: &[&str]) -> (Duration, Option<u64>) {
    let start = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(arguments)
        .current_dir(desk)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program starts");
    let mut peak = None;
    let status = loop {
        if let Some(status) = process.try_wait().expect("the program ends") {
            break status;
        }
        peak = peak_memory(process.id()).or(peak);
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success(), "{arguments:?}: {status}");
    (start.elapsed(), peak)
}

/// Returns the peak memory of a process that runs, in kilobytes.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn plan_of_a_new_cluster(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.with_inputs(|| desk(objects)).bench_refs(|desk| run(desk.path(), PLAN));
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn first_apply(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.with_inputs(|| desk(objects)).bench_refs(|desk| run(desk.path(), APPLY));
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn plan_without_changes(bencher: Bencher<'_, '_>, objects: usize) {
    let desk = applied(objects);
    bencher.bench(|| run(desk.path(), PLAN));
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn destroy(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.with_inputs(|| applied(objects)).bench_refs(|desk| run(desk.path(), DESTROY));
}

/// Runs each command once on a cluster of each size.
fn table() -> String {
    let mut text = "| objects | plan | first apply | plan without changes | destroy | peak memory |\n".to_owned();
    text += "|---|---|---|---|---|---|\n";
    let mut seconds: Vec<[f64; 4]> = Vec::new();
    for objects in SIZES {
        let desk = desk(objects);
        let runs = [PLAN, APPLY, PLAN, DESTROY].map(|command| run(desk.path(), command));
        let times = runs.map(|(time, _)| time.as_secs_f64());
        let peak = runs.iter().filter_map(|(_, peak)| *peak).max();
        let peak = peak.map_or_else(|| "unknown".to_owned(), |peak| format!("{} MB", peak / 1024));
        let [plan, apply, unchanged, destroy] = times.map(|time| format!("{time:.2} s"));
        let _ = writeln!(text, "| {objects} | {plan} | {apply} | {unchanged} | {destroy} | {peak} |");
        seconds.push(times);
    }
    if let [.., small, large] = seconds.as_slice() {
        let size = |size: usize| f64::from(u32::try_from(size).unwrap_or(u32::MAX));
        let growth = (size(SIZES[2]) / size(SIZES[1])).ln();
        let slopes: Vec<String> =
            small.iter().zip(large).map(|(small, large)| format!("{:.2}", (large / small).ln() / growth)).collect();
        let _ = writeln!(text, "| slope from {} to {} | {} | |", SIZES[1], SIZES[2], slopes.join(" | "));
    }
    text
}
