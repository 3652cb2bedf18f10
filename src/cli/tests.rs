//! The command line as a user reads it.
#![allow(clippy::unwrap_used, reason = "tests")]

use clap::{CommandFactory, Parser};

use super::{Arguments, Exit};

#[test]
fn the_arguments_do_not_contradict_themselves() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_has_help() {
    let mut program = Arguments::command().term_width(80);
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
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        assert!(arguments.globals.sandbox);
        assert_eq!(arguments.globals.file.unwrap().to_str(), Some("x.hcl"));
    }
}

#[test]
fn exit_codes_are_what_the_help_says() {
    let codes = [
        (Exit::Done, 0),
        (Exit::Error, 1),
        (Exit::Differs, 2),
        (Exit::Partly, 3),
        (Exit::Refused, 4),
        (Exit::Held, 5),
        (Exit::Usage, 64),
        (Exit::Interrupted, 130),
    ];
    for (exit, code) in codes {
        assert_eq!(exit.code(), code);
        assert!(super::EXITS.contains(&code.to_string()), "{exit:?}");
    }
}
