//! Every file of `tests/broken`, and its message.

use super::{cluster_files, read};

#[test]
fn every_broken_file_has_its_message() {
    let files = cluster_files("tests/broken");
    assert!(files.len() >= 70, "only {} broken files", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(super::path("tests/broken/messages"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let failures: Vec<String> = settings
        .bind(|| files.iter().filter(|(name, text)| !snapshot(name, text)).map(|(name, _)| name.clone()).collect());
    assert!(failures.is_empty(), "other messages than in tests/broken/messages: {failures:#?}");
}

/// Compares one file's message, and does not stop at a difference.
fn snapshot(name: &str, text: &str) -> bool {
    let parsed = read(name, text);
    assert!(!parsed.diagnostics.is_empty(), "{name} has no problem");
    let message = parsed.render(false, 80);
    std::panic::catch_unwind(|| insta::assert_snapshot!(name, message)).is_ok()
}

#[test]
fn no_line_of_a_message_is_wider_than_the_terminal() {
    for (name, text) in cluster_files("tests/broken") {
        for line in read(&name, &text).render(false, 80).lines() {
            let is_prose = line.contains("= note:") || line.contains("= help:");
            assert!(!is_prose || line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn no_message_is_left_over() {
    let files: Vec<String> =
        cluster_files("tests/broken").into_iter().map(|(name, _)| format!("{name}.snap")).collect();
    for entry in std::fs::read_dir(super::path("tests/broken/messages")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains(&name) || name.ends_with(".snap.new"), "{name} has no broken file");
    }
}

#[test]
fn a_problem_has_a_form_for_machines() {
    let parsed = read("cluster.hcl", "name = \"chat\"\nkubernetes = \"1.19\"\nmastres {}\n");
    insta::assert_json_snapshot!(parsed.diagnostics);
}
