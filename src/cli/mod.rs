//! The command line: arguments, commands, and the run of a plan. The only module that reads the environment, prints and prompts.

mod api_reachability;
mod client_access;
mod client_origin;
mod cluster_secrets;
mod command;
mod completion;
mod composite_provider;
mod connect;
mod context;
mod error;
mod exit;
mod file;
mod interrupt;
mod joining;
mod journal;
mod kubeconfig_files;
mod machines;
mod manifests;
mod name_servers;
mod output_target;
mod packages;
mod plan_limits;
mod price_cache;
mod prices;
mod process;
mod progress;
mod run;
mod screen;
mod session;
mod session_plugin;
mod ui;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ErrorKind};

pub use client_access::ByAws;
pub use client_origin::ClientOrigin;
pub use cluster_secrets::ClusterSecrets;
pub use command::Command;
pub use command::apply::{ApplyRequest, apply};
pub use command::destroy::destroy;
pub use command::doctor::doctor;
pub use command::logs::{LogRequest, logs};
pub use command::plan::{PlanOptions, plan};
pub use command::show::show;
pub use command::state::{MoveOptions, move_state};
pub use composite_provider::{ApiWait, CompositeProvider};
pub use context::{ClusterContext, StatePlace, StatePlaces};
pub use error::CliError;
pub use exit::Exit;
pub use interrupt::Interrupt;
pub use kubeconfig_files::KubeconfigFiles;
pub use output_target::OutputTarget;
pub use packages::PackageRepository;
pub use plan_limits::{PlanLimits, Requirement};
pub use price_cache::PriceCache;
pub use run::plan_request::{PlanChoices, PlanRequest};
pub use run::prompt::Consent;
pub use run::replacement::MachineSelection;
pub use run::saved_plan::PlanFile;
pub use session::{ColorMode, GlobalArgs, ProcessEnvironment, Session};
pub use ui::{OutputOptions, PromptInput, Ui};

/// One version-controlled file, one highly available Kubernetes cluster on AWS.
///
/// `plan` shows every change before it is made, `apply` makes the changes, `destroy` removes everything.
/// To try it without an AWS account: `quorate plan --sandbox`.
#[derive(Debug, Parser)]
#[command(name = "quorate", version, max_term_width = 100, after_help = Exit::table())]
pub struct CliArgs {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
    /// Arguments of every command.
    #[command(flatten)]
    pub globals: GlobalArgs,
}

/// Runs the program with its arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if completion::answer(&arguments) {
        return Exit::Done;
    }
    let arguments = match CliArgs::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if error.kind() == ErrorKind::ValueValidation => {
            let environment = ProcessEnvironment::process();
            let ui = Ui::process(GlobalArgs::default().output_options(&environment, false));
            return fail(&ui, &invalid_value(&error));
        }
        Err(error) => {
            // Fails only if the output is closed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let environment = ProcessEnvironment::process();
    let ui = Ui::process(arguments.globals.output_options(&environment, arguments.command.is_verbose()));
    let session = Session { globals: arguments.globals, ui, interrupt: Interrupt::default(), environment };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&session.ui, &CliError::Start(error)),
    };
    let exit = runtime.block_on(async {
        if arguments.command.winds_down() {
            let sender = session.ui.sender();
            session.interrupt.listen(move |text| sender.note(text));
        }
        run(arguments.command, &session).await
    });
    // A prompt that is no longer answered must not keep the process alive.
    runtime.shutdown_background();
    exit
}

/// Returns the error for a value that an argument does not take.
fn invalid_value(error: &clap::Error) -> CliError {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let reason = if reason.contains(&value) { reason } else { format!("`{}`: {reason}", crate::words::plain(&value)) };
    CliError::Usage { message: format!("{argument}: {reason}"), hint: "--help describes all options".to_owned() }
}

/// Runs a command, and reports the error that stopped it, or that its output could not be written.
pub async fn run(command: Command, session: &Session) -> Exit {
    let exit = match command.run(session).await {
        Ok(exit) => exit,
        Err(error) => fail(&session.ui, &error),
    };
    match session.ui.lost() {
        None => exit,
        Some(source) => {
            let error = fail(&session.ui, &CliError::Output(source));
            if matches!(exit, Exit::Done | Exit::Differs) { error } else { exit }
        }
    }
}

fn fail(ui: &Ui, error: &CliError) -> Exit {
    ui.report(&error.report());
    error.exit()
}
