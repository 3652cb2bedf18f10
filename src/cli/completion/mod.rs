//! The completion in a shell: its script runs the program, which answers with the values of the argument under the cursor.
//!
//! Values come from files of the working directory alone: the cluster file, and the sandbox. No call is made. What cannot be
//! read has no values: a completion prints no errors.

pub(super) mod paths;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use crate::sandbox::AccountObject;
use crate::spec::{Cluster, rules};

use super::file::{ClusterFile, VariableSources};
use super::{CliArgs, GlobalArgs, Interrupt, OutputOptions, ProcessEnvironment, Session, Ui, connect};

/// The variable by which the script of a shell asks for values; it names the shell.
const VARIABLE: &str = "QUORATE_COMPLETE";
/// The name of the program in the scripts.
const PROGRAM: &str = "quorate";

/// Returns the script that a shell reads once.
pub(super) fn registration(shell: &str) -> io::Result<String> {
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or(io::ErrorKind::Unsupported)?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Prints values if a shell asks for them. Returns `false` if the program was started otherwise.
pub(super) fn answer(arguments: &[OsString]) -> bool {
    let directory = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(CliArgs::command).var(VARIABLE).bin(PROGRAM).completer(PROGRAM);
    asked.try_complete(arguments, directory.as_deref()).unwrap_or(true)
}

/// Completes the names of machines, and in the sandbox their instance ids.
pub(super) fn machines() -> ArgValueCompleter {
    values(|project| {
        let masters = project.masters();
        let alone = project.groups().filter(|(_, count)| *count == 1).map(|(name, _)| name);
        masters.into_iter().chain(alone).chain(project.instances()).collect()
    })
}

/// Completes the instance ids of the sandbox.
pub(super) fn instances() -> ArgValueCompleter {
    values(Project::instances)
}

/// Completes the groups of machines.
pub(super) fn groups() -> ArgValueCompleter {
    values(|project| std::iter::once("masters".to_owned()).chain(project.groups().map(|(name, _)| name)).collect())
}

/// Completes the zones of the cluster.
pub(super) fn zones() -> ArgValueCompleter {
    values(|project| project.cluster.zones.iter().map(ToString::to_string).collect())
}

/// Completes the addresses of the sandbox.
pub(super) fn addresses() -> ArgValueCompleter {
    values(|project| project.objects().into_iter().filter_map(|object| Some(object.address?.to_string())).collect())
}

/// Completes the codes of rules.
pub(super) fn codes() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let found = rules().filter(|rule| rule.code.starts_with(&*current.to_string_lossy()));
        found.map(|rule| CompletionCandidate::new(rule.code).help(Some(rule.title.into()))).collect()
    })
}

fn values(of: impl Fn(&Project) -> Vec<String> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let current = current.to_string_lossy();
        let mut found = Project::here().map(|project| of(&project)).unwrap_or_default();
        found.retain(|value| value.starts_with(&*current));
        found.sort();
        found.into_iter().map(CompletionCandidate::new).collect::<Vec<_>>()
    })
}

/// The cluster that the typed command is about.
struct Project {
    cluster: Cluster,
    session: Session,
}

impl Project {
    /// Reads the cluster file that the command names, or the one of the working directory.
    fn here() -> Option<Self> {
        let typed: Vec<String> = std::env::args().skip_while(|argument| argument != "--").skip(1).collect();
        let environment = ProcessEnvironment::process();
        let globals = globals(&typed);
        let sources = VariableSources {
            environment: environment.variables.clone(),
            files: globals.var_file.clone(),
            given: globals.var.clone(),
        };
        let file = ClusterFile::read(globals.file.as_deref(), Path::new("."), &sources).ok()?;
        let cluster = file.parse().0.cluster.ok()?;
        let ui = Ui::process(OutputOptions { quiet: true, ..OutputOptions::default() });
        Some(Self { cluster, session: Session { globals, ui, interrupt: Interrupt::default(), environment } })
    }

    fn masters(&self) -> Vec<String> {
        let letters = ('a'..='z').take(self.cluster.masters.zones.len());
        letters.map(|letter| format!("master-{letter}")).collect()
    }

    /// Returns the node groups with the fewest machines that they have.
    fn groups(&self) -> impl Iterator<Item = (String, u32)> {
        self.cluster.nodes.iter().map(|(name, group)| (name.clone(), group.scale.least()))
    }

    /// Returns the objects of the cluster in the sandbox, if there is one.
    fn objects(&self) -> Vec<AccountObject> {
        if !self.session.has_sandbox() {
            return Vec::new();
        }
        let sandbox = connect::sandbox(&self.session, &self.cluster).ok();
        let all = sandbox.and_then(|sandbox| sandbox.inventory().ok()).unwrap_or_default();
        all.into_iter().filter(|object| object.cluster.as_deref() == Some(self.cluster.name.as_str())).collect()
    }

    fn instances(&self) -> Vec<String> {
        self.objects().into_iter().flat_map(|object| object.members).map(|member| member.id).collect()
    }
}

/// Returns the global arguments of an unfinished command line.
fn globals(typed: &[String]) -> GlobalArgs {
    let mut globals = GlobalArgs::default();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        let (option, attached) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        if !["-f", "--file", "--var", "--var-file"].contains(&option) {
            continue;
        }
        let Some(value) = attached.or_else(|| words.next().cloned()) else { break };
        match option {
            "--var" => globals.var.push(value),
            "--var-file" => globals.var_file.push(PathBuf::from(value)),
            _ => globals.file = Some(PathBuf::from(value)),
        }
    }
    globals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_arguments_are_read_from_an_unfinished_command_line() {
        let typed =
            ["quorate", "replace", "--file", "a.hcl", "--var=x=1", "--var", "y=2", "-f", "b.toml", "--var-file"];
        let read = globals(&typed.map(str::to_owned));
        assert_eq!(read.file, Some(PathBuf::from("b.toml")));
        assert_eq!((read.var.as_slice(), read.var_file.len()), (["x=1".to_owned(), "y=2".to_owned()].as_slice(), 0));
    }

    #[test]
    fn each_shell_has_a_script_that_runs_the_program() {
        for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
            let script = registration(shell).unwrap_or_default();
            assert!(script.contains(VARIABLE) && script.contains(PROGRAM), "{shell}: {script}");
        }
        assert!(registration("csh").is_err());
    }
}
