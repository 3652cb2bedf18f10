//! The command line: arguments, commands, and the run of a plan. The only module that reads the environment, prints and prompts.

mod clouds;
mod command;
mod door;
mod entrance;
mod error;
mod exit;
mod file;
pub mod flow;
mod ground;
mod interrupt;
mod joining;
mod kubeconfigs;
mod manifests;
mod origin;
mod progress;
mod session;
mod ui;
mod vault;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::Parser;

pub use clouds::{Clouds, Errand};
pub use command::Command;
pub use entrance::ByAws;
pub use error::CliError;
pub use exit::Exit;
pub use ground::Ground;
pub use interrupt::Interrupt;
pub use kubeconfigs::Kubeconfigs;
pub use origin::Origin;
pub use session::{Color, Environment, Globals, Session};
pub use ui::{Input, Manner, Ui};
pub use vault::Vault;

/// One version-controlled file, one highly available Kubernetes cluster on AWS.
///
/// `plan` shows every change before it is made, `apply` makes the changes, `destroy` removes everything.
/// To try it without an AWS account: `quorate plan --sandbox`.
#[derive(Debug, Parser)]
#[command(name = "quorate", version, max_term_width = 100, after_help = Exit::table())]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Arguments of every command.
    #[command(flatten)]
    pub globals: Globals,
}

/// Runs the program with its arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(told) => {
            // Fails only when nobody reads it.
            let _ = told.print();
            return if told.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let environment = Environment::process();
    let ui = Ui::process(arguments.globals.manner(&environment, arguments.command.is_verbose()));
    let session = Session { globals: arguments.globals, ui, interrupt: Interrupt::default(), environment };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&session.ui, &CliError::Start(error)),
    };
    let exit = runtime.block_on(async {
        if arguments.command.winds_down() {
            let teller = session.ui.teller();
            session.interrupt.listen(move |text| teller.note(text));
        }
        run(arguments.command, &session).await
    });
    // A question that nobody answers any more must not keep the process.
    runtime.shutdown_background();
    exit
}

/// Runs a command, and reports what stopped it, or that what it said got lost.
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
