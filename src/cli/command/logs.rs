//! `quorate logs`: the journal of a machine, or its console output.

use std::time::Duration;

use clap::Args;

use crate::cli::completion;
use crate::cli::connect::open_cluster;
use crate::cli::error::CliError;
use crate::cli::file::ShownDiagnostics;
use crate::cli::journal::{BOOT_UNIT, JournalCursor, JournalPage, UnitName, script};
use crate::cli::machines::{ClusterMachine, find_machine};
use crate::cli::run::wait::account;
use crate::cli::{ApiWait, ClusterContext, Exit, Session};
use crate::cloud::{COMMAND_OUTPUT, MachineAccess};
use crate::engine::PollLoop;
use crate::view::logs::{LogDocument, LogSource, text};
use crate::words;

/// Interval between two questions for new lines: each is a command on the machine.
const FOLLOW_PAUSE: Duration = Duration::from_secs(5);

/// Show the log of a machine
///
/// Prints the last lines of a unit of systemd, which Systems Manager reads on the machine: no port has to be open. If the machine
/// is not connected to Systems Manager, prints its console output instead, and says so.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// The machine: an instance id, or a name that `quorate show` prints, for example `master-a`
    #[arg(value_name = "MACHINE", add = completion::machines())]
    machine: String,
    /// The unit of systemd: `kubelet`, `containerd`, …; the default is the boot script
    #[arg(long, value_name = "UNIT", default_value = BOOT_UNIT, value_parser = UnitName::parse)]
    unit: UnitName,
    /// The number of lines
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    lines: u32,
    /// Print new lines until Ctrl-C
    #[arg(long)]
    follow: bool,
}

/// The log that is shown.
#[derive(Debug, Clone)]
pub struct LogRequest {
    machine: String,
    unit: UnitName,
    lines: u32,
    follow: bool,
}

impl LogRequest {
    /// Requests the last lines of a unit on a machine.
    ///
    /// # Errors
    /// Returns the reason why the name of the unit is invalid.
    pub fn new(machine: &str, unit: &str, lines: u32) -> Result<Self, String> {
        Ok(Self { machine: machine.to_owned(), unit: UnitName::parse(unit)?, lines, follow: false })
    }
}

impl LogsArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let Self { machine, unit, lines, follow } = self;
        if follow && session.ui.is_json() {
            return Err(CliError::Usage {
                message: "--follow has no end, and --json prints one document".to_owned(),
                hint: "pass only one of them".to_owned(),
            });
        }
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::Never).await?;
        logs(&context, LogRequest { machine, unit, lines, follow }).await
    }
}

/// Shows the log of a machine.
///
/// # Errors
/// Returns an error if the machine is unknown or simulated, or if AWS refuses a call.
pub async fn logs(context: &ClusterContext<'_>, request: LogRequest) -> Result<Exit, CliError> {
    let access = machine_access(context)?;
    let machine = find_machine(context, &request.machine).await?;
    if !context.cluster.ssm {
        context.ui.note(&console_note(&machine, "`ssm = false` in the cluster file"));
        return console(context, access, &machine, &request).await;
    }
    let Some(page) = journal(context, access, &machine, &request, None).await? else {
        let reason =
            "it is not connected to Systems Manager: it may still start, or its role or image may lack what that needs";
        context.ui.note(&console_note(&machine, reason));
        return console(context, access, &machine, &request).await;
    };
    let mut document = document(context, &machine, LogSource::Journal).await?;
    document.unit = Some(request.unit.as_str().to_owned());
    document.truncated = page.truncated;
    remark(context, &machine, &request, &page);
    document.lines = page.lines;
    context.ui.document(&document, |_| text(&document.lines))?;
    if request.follow { follow(context, access, &machine, &request, page.cursor).await } else { Ok(Exit::Done) }
}

/// Returns the access to the machines, or the error that they are simulated.
pub(super) fn machine_access<'c>(context: &'c ClusterContext<'_>) -> Result<&'c dyn MachineAccess, CliError> {
    context.cloud.machine_access().ok_or_else(|| CliError::Absent {
        message: "the machines of the sandbox are simulated: they run nothing, and have no log".to_owned(),
        hint: "without --sandbox, the command works on the machines of AWS".to_owned(),
    })
}

fn console_note(machine: &ClusterMachine, reason: &str) -> String {
    format!("this is the console output of {}, from EC2, and not its journal: {reason}", machine.title())
}

/// Reads the journal of a machine; `None` if the machine is not connected to Systems Manager.
async fn journal(
    context: &ClusterContext<'_>,
    access: &dyn MachineAccess,
    machine: &ClusterMachine,
    request: &LogRequest,
    after: Option<&JournalCursor>,
) -> Result<Option<JournalPage>, CliError> {
    let script = script(&request.unit, request.lines, after);
    let run = context.interrupt.or(access.run_script(&machine.instance, &script)).await?;
    let output = run.map_err(CliError::cloud("reading the journal"))?;
    Ok(output.as_ref().map(JournalPage::read))
}

/// Explains what is missing in a page.
fn remark(context: &ClusterContext<'_>, machine: &ClusterMachine, request: &LogRequest, page: &JournalPage) {
    if !page.error.is_empty() {
        context.ui.warning(&format!("journalctl on {}: {}", machine.title(), page.error));
    }
    if page.truncated {
        context.ui.note(&format!(
            "older lines are left out: Systems Manager returns at most {COMMAND_OUTPUT} characters of a command"
        ));
    }
    if page.lines.is_empty() && page.error.is_empty() {
        context.ui.note(&format!("the journal of {} has no line of {}", machine.title(), request.unit.as_str()));
    }
}

/// Prints new lines, until the process is ended.
async fn follow(
    context: &ClusterContext<'_>,
    access: &dyn MachineAccess,
    machine: &ClusterMachine,
    request: &LogRequest,
    mut cursor: Option<JournalCursor>,
) -> Result<Exit, CliError> {
    let mut poll = PollLoop::every(FOLLOW_PAUSE);
    loop {
        context.interrupt.or(poll.pause()).await?;
        let Some(page) = journal(context, access, machine, request, cursor.as_ref()).await? else {
            return Err(CliError::Absent {
                message: format!("{} is no longer connected to Systems Manager", machine.title()),
                hint: "`quorate show` lists the machines".to_owned(),
            });
        };
        if page.truncated || !page.error.is_empty() {
            remark(context, machine, request, &page);
        }
        context.ui.text(&text(&page.lines));
        // Without new lines, journalctl shows no cursor.
        cursor = page.cursor.or(cursor);
    }
}

/// Shows the last lines of the console output.
async fn console(
    context: &ClusterContext<'_>,
    access: &dyn MachineAccess,
    machine: &ClusterMachine,
    request: &LogRequest,
) -> Result<Exit, CliError> {
    let output = context.interrupt.or(access.console_output(&machine.instance)).await?;
    let output = words::plain(&output.map_err(CliError::cloud("reading the console output"))?);
    let mut document = document(context, machine, LogSource::Console).await?;
    document.lines = words::last_lines(&output, usize::try_from(request.lines).unwrap_or(usize::MAX));
    if document.lines.is_empty() {
        context.ui.note("EC2 has no console output yet: it takes a minute or two after the start of a machine");
    }
    if request.follow {
        context.ui.note("console output cannot be followed: run the command again");
    }
    context.ui.document(&document, |_| text(&document.lines))?;
    Ok(Exit::Done)
}

async fn document(
    context: &ClusterContext<'_>,
    machine: &ClusterMachine,
    source: LogSource,
) -> Result<LogDocument, CliError> {
    let heading = context.heading(if context.ui.is_json() { account(context).await? } else { String::new() });
    Ok(LogDocument::new(heading, &machine.name, &machine.instance, source))
}
