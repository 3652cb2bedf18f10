//! Every example does what its comments say.

use super::{cluster_files, read};
use crate::spec::{ParsedFile, PublicZone, StateLocation};

fn example(name: &str) -> ParsedFile {
    let files = cluster_files("examples");
    let (_, text) = files.iter().find(|(file, _)| file == name).expect("the example is there");
    read(name, text)
}

#[test]
fn examples_have_no_errors() {
    for (name, text) in cluster_files("examples") {
        let parsed = read(&name, &text);
        assert!(parsed.cluster.is_ok(), "{name}:\n{}", parsed.render(false, 100));
    }
}

#[test]
fn hcl_and_toml_mean_the_same() {
    let hcl = example("tutorial/cluster.hcl").cluster.expect("a cluster");
    assert_eq!(Ok(&hcl), example("tutorial/toml/cluster.toml").cluster.as_ref());
    insta::assert_json_snapshot!(hcl);
    assert_eq!(example("nginx/cluster.hcl").cluster, example("nginx/toml/cluster.toml").cluster);
}

#[test]
fn what_the_examples_warn_about() {
    let warnings = |name: &str| {
        let codes = example(name).diagnostics.iter().map(|d| d.code).collect::<Vec<_>>();
        codes.join(" ")
    };
    assert_eq!(warnings("tutorial/cluster.hcl"), "Q0411");
    assert_eq!(warnings("minimal/cluster.hcl"), "Q0412");
    assert_eq!(warnings("ha/cluster.hcl"), "");
    assert_eq!(warnings("phoenix-chat/cluster.hcl"), "Q0511");
    assert_eq!(warnings("nginx/cluster.hcl"), "");
    assert_eq!(warnings("phoenix-chat-redis/cluster.hcl"), "");
    assert_eq!(warnings("web/cluster.hcl"), "Q0511");
}

#[test]
fn the_tutorial_warns_about_the_zone_with_two_masters() {
    insta::assert_snapshot!(example("tutorial/cluster.hcl").render(false, 80));
}

#[test]
fn the_minimal_cluster_has_no_public_names() {
    let cluster = example("minimal/cluster.hcl").cluster.expect("a cluster");
    assert_eq!(cluster.dns.zone, PublicZone::None);
    assert_eq!(cluster.state, StateLocation::Directory("./state".into()));
    assert_eq!(cluster.masters.zones.len(), 1);
}

#[test]
fn the_full_file() {
    insta::assert_json_snapshot!(example("phoenix-chat/cluster.hcl").cluster.expect("a cluster"));
}
