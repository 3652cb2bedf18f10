//! The command line as a user reads it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod graph;
mod init;
mod lifecycle;

use clap::{CommandFactory, Parser};

use super::CliArgs;

#[test]
fn the_arguments_do_not_contradict_themselves() {
    CliArgs::command().debug_assert();
}

#[test]
fn every_command_has_help() {
    let mut program = CliArgs::command().term_width(80);
    program.build();
    insta::assert_snapshot!("help", program.render_long_help().to_string());
    for command in program.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let name = format!("help_{}", command.get_name());
        let help = command.clone().term_width(80).render_long_help().to_string();
        insta::assert_snapshot!(name, help);
    }
}

#[test]
fn global_arguments_stand_before_and_after_the_command() {
    for line in ["quorate --sandbox plan -f x.hcl", "quorate plan --sandbox --file x.hcl"] {
        let arguments = CliArgs::try_parse_from(line.split(' ')).unwrap();
        assert!(arguments.globals.sandbox);
        assert_eq!(arguments.globals.file.unwrap().to_str(), Some("x.hcl"));
    }
}

#[test]
fn a_value_that_an_argument_does_not_take_is_named_with_its_argument() {
    let error = |line: &str| {
        let error = CliArgs::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation, "{line}");
        super::invalid_value(&error).to_string()
    };
    let found = error("quorate apply --lock-timeout 5z");
    assert!(found.starts_with("--lock-timeout <DURATION>: `5z` is not a duration"), "{found}");
    let found = error("quorate upgrade --kubernetes 1.22");
    assert!(found.contains("`1.22` is not supported"), "{found}");
    // The reason of a number does not repeat it.
    let found = error("quorate init --masters three");
    assert!(found.starts_with("--masters <NUMBER>: `three`: "), "{found}");
}

#[test]
fn a_plan_previews_an_upgrade_with_the_options_of_upgrade() {
    CliArgs::try_parse_from("quorate plan --upgrade --images --kubernetes 1.37".split(' ')).unwrap();
    let error = CliArgs::try_parse_from("quorate plan --images".split(' ')).unwrap_err();
    assert!(error.to_string().contains("--upgrade"), "{error}");
}

#[test]
fn the_page_documents_the_json_of_every_command() {
    let page = include_str!("../../docs/commands.md");
    let (_, json) = page.split_once("## JSON").unwrap();
    let (json, _) = json.split_once("\n## ").unwrap();
    let reported: String = json.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    // Other programs such as kubectl and shells define the format of these outputs, or there is none.
    let others = ["credential", "completions", "man", "shell"];
    for command in CliArgs::command().get_subcommands().map(clap::Command::get_name) {
        let is_listed = reported.contains(&format!("`{command}`")) || reported.contains(&format!("`{command} "));
        assert!(is_listed != others.contains(&command), "`{command}`");
    }
}
