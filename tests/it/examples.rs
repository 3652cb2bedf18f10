//! Every example, planned as a user who copies it would plan it.

use std::path::{Path, PathBuf};

use crate::program::{err, exits, out, quorate};

/// Returns the examples, by the name of their directory.
fn examples() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries =
        std::fs::read_dir(root).expect("there are examples").map(|entry| entry.expect("it can be read").path());
    let name = |path: &PathBuf| path.file_name().expect("it has a name").to_string_lossy().into_owned();
    let mut all: Vec<_> = entries.filter(|path| path.is_dir()).map(|path| (name(&path), path)).collect();
    all.sort();
    all
}

/// Returns a directory with one of an example's files, if the example has that file.
fn desk(example: &Path, file: &str) -> Option<tempfile::TempDir> {
    let from = example.join(file);
    let desk = from.exists().then(|| tempfile::tempdir().expect("a directory can be made"))?;
    std::fs::copy(from, desk.path().join(file)).expect("the example can be copied");
    Some(desk)
}

#[test]
fn every_example_is_planned_and_fits_on_a_screen() {
    let examples = examples();
    let names: Vec<&str> = examples.iter().map(|(name, _)| name.as_str()).collect();
    let known = [
        "github-actions",
        "ha",
        "minimal",
        "nginx",
        "phoenix-chat",
        "phoenix-chat-redis",
        "private",
        "teams",
        "tutorial",
        "web",
    ];
    assert_eq!(names, known);
    let page = include_str!("../../docs/services.md");
    for (name, path) in &examples {
        let desk = desk(path, "cluster.hcl").expect("an example is in HCL");
        let planned = quorate(desk.path(), &["plan", "--detailed-exitcode"]);
        exits(&planned, 2);
        let (messages, heard) = (out(&planned), err(&planned));
        assert!(messages.contains("to create.") && !messages.contains("Refused"), "{name}: {messages}");
        assert!(
            messages.lines().chain(heard.lines()).all(|line| line.chars().count() <= 80),
            "{name}: {messages}{heard}"
        );
        assert!(page.contains(&format!("](../examples/{name}/cluster.hcl)")), "docs/services.md explains {name}");
    }
}

#[test]
fn a_directory_of_an_example_has_one_cluster_file_so_that_commands_find_it() {
    for (name, path) in examples() {
        let found = ["cluster.hcl", "cluster.toml"].iter().filter(|file| path.join(file).exists()).count();
        assert_eq!(found, 1, "{name}");
    }
}

#[test]
fn an_example_in_both_languages_is_one_plan() {
    let mut twins = 0;
    for (name, path) in examples() {
        let Some(toml) = desk(&path.join("toml"), "cluster.toml") else { continue };
        let hcl = desk(&path, "cluster.hcl").expect("an example is in HCL");
        for arguments in [&["plan"][..], &["plan", "--json"]] {
            let (one, other) = (quorate(hcl.path(), arguments), quorate(toml.path(), arguments));
            assert!(out(&one).len() > 500, "{}", err(&one));
            assert_eq!(out(&one), out(&other), "{name}: {arguments:?}");
        }
        twins += 1;
    }
    assert!(twins >= 3, "the tutorial, and two more");
}

#[test]
fn the_chat_with_its_redis_lives_and_leaves_nothing() {
    let example = examples().into_iter().find(|(name, _)| name == "phoenix-chat-redis").expect("it is there").1;
    let desk = desk(&example, "cluster.hcl").expect("an example is in HCL");
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    exits(&quorate(desk.path(), &["plan", "--detailed-exitcode"]), 0);
    let shown = out(&quorate(desk.path(), &["show", "--all"]));
    assert!(shown.contains("amazonaws.com\n  (simulated: this name resolves to nothing)"), "{shown}");
    let destroyed = quorate(desk.path(), &["destroy", "--yes", "--delete-data"]);
    exits(&destroyed, 0);
    assert!(out(&destroyed).contains("0 resources left"), "{}", out(&destroyed));
}
