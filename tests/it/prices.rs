//! The script that makes the table of prices, on small price list files in AWS's format.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quorate::analysis::cost::PriceTable;

use quorate::testkit::skip;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the sample files, sorted.
fn samples() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/prices")).expect("there are samples");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

/// Runs the script; `None` if this machine has no Python.
fn made(arguments: &[&str], files: &[PathBuf]) -> Option<Output> {
    let python = std::env::var("QUORATE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    Command::new(python).arg(root().join("data/prices")).args(arguments).args(files).output().ok()
}

#[test]
fn a_table_is_made_of_the_price_list_files_of_aws() {
    let Some(made) = made(&["--region", "us-east-1"], &samples()) else { return skip("no Python") };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let table = String::from_utf8(made.stdout).expect("it is text");
    insta::assert_snapshot!(table, @r#"
    [us-east-1]
    date = "2026-07-20"
    application_load_balancer_hour = "0.0225"
    application_load_balancer_lcu_hour = "0.008"
    gp3_gb_month = "0.08"
    hosted_zone_month = "0.50"
    load_balancer_hour = "0.0225"
    load_balancer_lcu_hour = "0.006"
    managed_control_plane_hour = "0.10"
    nat_gateway_gb = "0.045"
    nat_gateway_hour = "0.045"
    public_address_hour = "0.005"
    s3_gb_month = "0.023"
    zone_transfer_gb = "0.01"

    # Linux, on demand, shared tenancy, per hour.
    [us-east-1.instance_hour]
    "c7i.large" = "0.08925"
    "p4d.24xlarge" = "21.957642"
    "t3.medium" = "0.0416"
    "#);
    let read = PriceTable::parse(&table);
    assert!(read.is_ok(), "{read:?}");
    // What the sample has is what is shipped, line by line.
    let shipped = include_str!("../../data/prices.toml");
    let missing: Vec<_> = table.lines().filter(|line| !shipped.contains(line)).collect();
    assert_eq!(missing, ["\"p4d.24xlarge\" = \"21.957642\""]);
}

#[test]
fn a_price_that_the_files_do_not_have_is_left_out_and_named() {
    let files: Vec<_> = samples().into_iter().filter(|file| !file.ends_with("AWSELB.csv")).collect();
    let Some(made) = made(&["--region", "us-east-1", "--sizes", "t3.*"], &files) else { return skip("no Python") };
    let (out, err) = (String::from_utf8_lossy(&made.stdout), String::from_utf8_lossy(&made.stderr));
    assert!(!out.contains("load_balancer") && !out.contains("c7i.large") && out.contains("t3.medium"), "{out}");
    assert_eq!(err.lines().count(), 4, "{err}");
    assert!(err.contains("not found, so unknown: load_balancer_hour\n"), "{err}");
}

#[test]
fn the_prices_of_another_region_are_brought_in_a_file() {
    let desk = tempfile::tempdir().expect("a directory can be made");
    let file = include_str!("../../examples/ha/cluster.hcl");
    std::fs::write(desk.path().join("cluster.hcl"), file).expect("it can be written");
    let run = |prices: &str| {
        std::fs::write(desk.path().join("prices.toml"), prices).expect("it can be written");
        let mut quorate = Command::new(env!("CARGO_BIN_EXE_quorate"));
        quorate.args(["plan", "--sandbox"]).current_dir(desk.path()).env("QUORATE_PRICES", "prices.toml");
        quorate.output().expect("it runs")
    };
    let region =
        "[eu-central-1]\ndate = \"2026-08-01\"\nhosted_zone_month = \"0.50\"\nload_balancer_hour = \"0.027\"\n";
    let planned = String::from_utf8(run(region).stdout).expect("it is text");
    // 0.50, and 0.027 x 730.
    let reported = "Cost: at least 20.21 USD per month. Price unknown: gp3 etcd volume, gp3 root\n";
    assert!(planned.contains(reported), "{planned}");
    let wrong = run("[eu-central-1]\nload_balancer_hour = 0.027\n");
    assert_eq!(wrong.status.code(), Some(64));
    let err = String::from_utf8_lossy(&wrong.stderr);
    assert!(err.contains("QUORATE_PRICES: prices.toml is not a table of prices"), "{err}");
}

#[test]
fn a_file_that_is_not_a_price_list_is_refused() {
    let Some(made) = made(&["--region", "us-east-1"], &[root().join("Cargo.toml")]) else { return skip("no Python") };
    assert!(!made.status.success() && made.stdout.is_empty());
}
