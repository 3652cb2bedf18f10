//! The commands and outputs of the pages: those that can be run are run in the sandbox, with the output that is shown.

mod compare;
mod page;
mod scenes;

use std::collections::BTreeSet;
use std::process::Command;

use clap::Parser;
use clap::error::ErrorKind;
use quorate::cli::CliArgs;
use quorate::testkit::skip_without_setup;

use compare::{is_part, is_shown};
use page::{CodeBlock, ShownCommand, blocks, inline_code, pages, root, text};
use scenes::{NOT_RUN, NotRun, OTHER_OUTPUTS, OtherOutput, OutputOrigin, SCENES, Scene};

/// Languages of blocks that have no commands.
const OTHER_LANGUAGES: &[&str] = &["hcl", "json", "mermaid", "toml", "yaml"];

/// A command that was run.
struct FinishedCommand {
    output: String,
    code: i32,
}

fn all_blocks() -> Vec<CodeBlock> {
    pages().iter().flat_map(|page| blocks(page)).collect()
}

fn scene_of(block: &CodeBlock) -> Option<&'static Scene> {
    SCENES.iter().find(|scene| scene.page == block.page && block.begin().starts_with(scene.begin))
}

fn other_output_of(block: &CodeBlock) -> Option<&'static OtherOutput> {
    OTHER_OUTPUTS.iter().find(|other| other.page == block.page && block.begin().starts_with(other.begin))
}

fn not_run(page: &str, command: &ShownCommand) -> Option<&'static NotRun> {
    NOT_RUN.iter().find(|not_run| not_run.page == page && command.text.starts_with(not_run.command))
}

/// Returns a directory with the file of the tutorial, and with the examples below it.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().expect("a directory can be made");
    let examples = root().join("examples");
    let copied = Command::new("cp").arg("-r").arg(&examples).arg(desk.path()).status().expect("cp runs");
    assert!(copied.success());
    std::fs::copy(examples.join("tutorial/cluster.hcl"), desk.path().join("cluster.hcl")).expect("it can be copied");
    for name in ["home", "tmp"] {
        std::fs::create_dir(desk.path().join(name)).expect("a directory can be made");
    }
    desk
}

/// Runs commands one after the other in one bash, after those of the scene.
fn run(scene: Option<&Scene>, commands: &[&str]) -> Vec<FinishedCommand> {
    let desk = desk();
    let before = scene.map_or("", |scene| scene.before);
    let mut script = format!("exec 2>&1\nset -e\n{{ {before}\n:; }} > tmp/before 2>&1\nset +e\n");
    for command in commands {
        script.extend([command, "\nprintf '\\036%d\\036' $?\n"]);
    }
    let path = format!("{}:{}", root().join("tests/docs/bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(&script).current_dir(desk.path());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("QUORATE_")) {
        if name != "QUORATE_TEST_PYTHON" {
            bash.env_remove(name);
        }
    }
    bash.env("PATH", path).env("HOME", desk.path().join("home")).env("USER", "ada").env("COLUMNS", "80");
    bash.env("QUORATE_PROGRAM", env!("CARGO_BIN_EXE_quorate")).env("QUORATE_REPOSITORY", root());
    let output = bash.env("QUORATE_SANDBOX", "1").env("QUORATE_ADDRESS", "203.0.113.7").output().expect("bash runs");
    let output = String::from_utf8(output.stdout).expect("text is UTF-8");
    let parts: Vec<&str> = output.split('\u{1e}').collect();
    let finished: Vec<FinishedCommand> = parts
        .chunks_exact(2)
        .map(|part| FinishedCommand { output: part[0].to_owned(), code: part[1].parse().expect("a code") })
        .collect();
    if finished.len() != commands.len() {
        let before = std::fs::read_to_string(desk.path().join("tmp/before")).unwrap_or_default();
        panic!("{commands:?}\n{output}\nbefore:\n{before}");
    }
    finished
}

/// Returns what is wrong with the commands of a block.
fn problems_of_commands(block: &CodeBlock) -> Vec<String> {
    let scene = scene_of(block);
    let has_jq = std::env::var_os("QUORATE_TEST_PYTHON").is_some();
    let shown: Vec<ShownCommand> = block.commands();
    let shown: Vec<&ShownCommand> = shown
        .iter()
        .filter(|command| not_run(&block.page, command).is_none())
        .filter(|command| has_jq || !command.text.contains("| jq"))
        .collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let texts: Vec<&str> = shown.iter().map(|command| command.text.as_str()).collect();
    let mut problems = Vec::new();
    for (command, finished) in shown.iter().zip(run(scene, &texts)) {
        let exits = scene.into_iter().flat_map(|scene| scene.exits);
        let code =
            exits.filter(|(begin, _)| command.text.starts_with(begin)).map(|(_, code)| *code).next().unwrap_or(0);
        let FinishedCommand { output, code: ended } = finished;
        if ended != code {
            problems.push(format!("{}: `{}` ended with {ended}, not {code}:\n{output}", block.place(), command.text));
        } else if !command.output.is_empty() && !is_shown(&command.output, &output) {
            problems.push(format!("{}: the output of `{}` is\n{output}", block.place(), command.text));
        }
    }
    problems
}

/// Returns what is wrong with an output that is shown without its command.
fn problem_of_output(block: &CodeBlock) -> Option<String> {
    if let Some(scene) = scene_of(block) {
        let [finished] = run(Some(scene), &[scene.shows]).try_into().ok().expect("one command is run");
        let is_right = is_part(&block.lines, &finished.output);
        return (!is_right)
            .then(|| format!("{}: the output of `{}` is\n{}", block.place(), scene.shows, finished.output));
    }
    match other_output_of(block)?.of {
        OutputOrigin::Snapshot(path) => {
            let snapshot = text(path);
            (!is_part(&block.lines, &snapshot)).then(|| format!("{}: {path} is\n{snapshot}", block.place()))
        }
        OutputOrigin::Unchecked(_) => None,
    }
}

#[test]
fn commands_of_the_pages_do_what_is_shown() {
    if std::env::var_os("QUORATE_TEST_PYTHON").is_none() {
        skip_without_setup("the commands with jq; `tests/run` installs a package for it");
    }
    let blocks = all_blocks();
    let with_commands: Vec<&CodeBlock> =
        blocks.iter().filter(|block| ["console", "sh"].contains(&block.language.as_str())).collect();
    assert!(with_commands.len() > 30, "{} blocks", with_commands.len());
    let problems: Vec<String> = with_commands.into_iter().flat_map(problems_of_commands).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn outputs_of_the_pages_are_those_of_the_program() {
    let blocks = all_blocks();
    let outputs: Vec<&CodeBlock> = blocks.iter().filter(|block| block.language == "text").collect();
    assert!(outputs.len() > 10, "{} blocks", outputs.len());
    let problems: Vec<String> = outputs.into_iter().filter_map(problem_of_output).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// A row of a table that no page has any more would hide that nothing is checked.
#[test]
fn every_block_has_a_language_and_every_row_a_block() {
    let blocks = all_blocks();
    for block in &blocks {
        let language = block.language.as_str();
        let is_known = ["console", "sh", "text"].contains(&language) || OTHER_LANGUAGES.contains(&language);
        assert!(is_known, "{}: the language of the block is `{language}`", block.place());
        let is_made = scene_of(block).is_some_and(|scene| !scene.shows.is_empty());
        assert!(
            language != "text" || is_made || other_output_of(block).is_some(),
            "{}: nothing in tests/it/docs/scenes.rs makes this output",
            block.place()
        );
        assert!(language != "console" || !block.commands().is_empty(), "{}: no command", block.place());
    }
    for scene in SCENES {
        let is_there = blocks.iter().any(|block| scene_of(block).is_some_and(|found| std::ptr::eq(found, scene)));
        assert!(is_there, "no block of {} begins with `{}`", scene.page, scene.begin);
    }
    for other in OTHER_OUTPUTS {
        let is_there =
            blocks.iter().any(|block| other_output_of(block).is_some_and(|found| std::ptr::eq(found, other)));
        assert!(is_there, "no block of {} begins with `{}`", other.page, other.begin);
        if let OutputOrigin::Unchecked(why) = other.of {
            assert!(!why.is_empty());
        }
    }
    let commands: Vec<(&str, ShownCommand)> = blocks
        .iter()
        .flat_map(|block| block.commands().into_iter().map(|command| (block.page.as_str(), command)))
        .collect();
    for row in NOT_RUN {
        let is_there =
            commands.iter().any(|(page, command)| not_run(page, command).is_some_and(|found| std::ptr::eq(found, row)));
        assert!(is_there && !row.why.is_empty(), "{} has no command `{}`", row.page, row.command);
    }
}

/// The description of a rule of a security group begins like a command.
const GRANT: &str = "quorate grant until";

/// Returns `true` if a text in backticks is a command that can be parsed, and not a description of its arguments.
fn is_command(code: &str) -> bool {
    code.starts_with("quorate ") && !code.starts_with(GRANT) && !code.contains(['…', '[', '|', '<', '>', '*'])
}

#[test]
fn commands_in_the_text_of_the_pages_exist_with_their_options() {
    let mut seen = BTreeSet::new();
    for page in pages() {
        for code in inline_code(&page).into_iter().filter(|code| is_command(code)) {
            let words = code.split(' ').map(|word| word.trim_matches('"'));
            let is_right = match CliArgs::try_parse_from(words) {
                Ok(_) => true,
                // The text may name a command alone, and in place of a value what it is.
                Err(error) => match error.kind() {
                    ErrorKind::MissingRequiredArgument
                    | ErrorKind::MissingSubcommand
                    | ErrorKind::DisplayHelp
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                    | ErrorKind::DisplayVersion => true,
                    ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::InvalidSubcommand => code
                        .split(' ')
                        .any(|word| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase())),
                    _ => false,
                },
            };
            assert!(is_right, "{page}: `{code}` is not a command of the program");
            seen.insert(code);
        }
    }
    assert!(seen.len() > 40, "{seen:?}");
}

/// The number that the README gives, of the cluster that its first command makes.
#[test]
fn the_first_command_of_the_readme_makes_as_many_objects_as_it_says() {
    let readme = text("README.md");
    let first = readme.lines().find(|line| line.starts_with("cargo run -- ")).expect("a first command");
    let [finished] = run(None, &[first]).try_into().ok().expect("one command is run");
    assert_eq!(finished.code, 0, "{}", finished.output);
    assert!(finished.output.contains("62 created") && readme.contains("62 objects"), "{}", finished.output);
}
