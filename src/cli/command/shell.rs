//! `quorate shell`: an interactive session on a machine.

use clap::Args;

use crate::cli::completion;
use crate::cli::connect::open_cluster;
use crate::cli::error::CliError;
use crate::cli::file::ShownDiagnostics;
use crate::cli::machines::{ClusterMachine, find_machine};
use crate::cli::session_plugin::SessionPlugin;
use crate::cli::{ApiWait, ClusterContext, Exit, Session};
use crate::cloud::{MachineAccess, MachineSession};

use super::logs::machine_access;

/// Open a shell on a machine
///
/// Starts a session of Systems Manager: no port has to be open, and no key is needed. The user on the machine is `ssm-user`, who may
/// use `sudo`. Needs the program `session-manager-plugin` of AWS.
#[derive(Debug, Clone, Args)]
pub struct ShellArgs {
    /// The machine: an instance id, or a name that `quorate show` prints, for example `master-a`
    #[arg(value_name = "MACHINE", add = completion::machines())]
    machine: String,
}

impl ShellArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        if session.ui.is_json() {
            return Err(CliError::Usage {
                message: "a shell has no form in JSON".to_owned(),
                hint: "`quorate logs --json` prints the log of a machine".to_owned(),
            });
        }
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::Never).await?;
        shell(&context, &self.machine).await
    }
}

/// Opens a shell on a machine, and waits until it ends.
async fn shell(context: &ClusterContext<'_>, wanted: &str) -> Result<Exit, CliError> {
    let access = machine_access(context)?;
    if !context.cluster.ssm {
        return Err(CliError::refused(
            "`ssm = false` in the cluster file: the machines may not use Systems Manager, so a shell is not possible",
            "remove the line and run `quorate apply`; `quorate logs` shows the console output of a machine",
        ));
    }
    // Before the session is started: it would wait for a client that never comes.
    let plugin = SessionPlugin::find().await?;
    let machine = find_machine(context, wanted).await?;
    let started = context.interrupt.or(access.start_session(&machine.instance)).await?;
    let Some(session) = started.map_err(CliError::cloud("starting the session"))? else {
        return Err(CliError::Absent {
            message: format!("{} is not connected to Systems Manager", machine.title()),
            hint: "a machine connects within minutes of its start; `quorate logs` shows its console output until then"
                .to_owned(),
        });
    };
    join(&plugin, access, &machine, &session).await
}

/// Joins a session, and waits until it ends. A session that nobody can join is ended.
async fn join(
    plugin: &SessionPlugin,
    access: &dyn MachineAccess,
    machine: &ClusterMachine,
    session: &MachineSession,
) -> Result<Exit, CliError> {
    match plugin.join(session, &machine.instance).await {
        Ok(status) if status.success() => Ok(Exit::Done),
        Ok(status) => Err(CliError::Absent {
            message: format!(
                "the session on {} was lost: `session-manager-plugin` ended with {status}",
                machine.title()
            ),
            hint: "its own message is above; run the command again for a new session".to_owned(),
        }),
        Err(error) => {
            let hint = match access.end_session(&session.id).await {
                Ok(()) => "the session was ended; check that you may run the program".to_owned(),
                Err(failure) => format!(
                    "the session {} could not be ended either ({}): it ends by itself after 20 minutes",
                    session.id, failure.message
                ),
            };
            Err(CliError::Absent { message: format!("`session-manager-plugin` could not be started: {error}"), hint })
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;
    use std::sync::Mutex;

    use super::*;
    use crate::cloud::{ScriptOutput, SessionAnswer};
    use crate::engine::{BoxFuture, Failure};

    /// Access to machines that notes the sessions that are ended.
    #[derive(Default)]
    struct EndedSessions(Mutex<Vec<String>>);

    impl MachineAccess for EndedSessions {
        fn console_output<'a>(&'a self, _instance: &'a str) -> BoxFuture<'a, Result<String, Failure>> {
            unreachable!()
        }

        fn run_script<'a>(
            &'a self,
            _instance: &'a str,
            _script: &'a str,
        ) -> BoxFuture<'a, Result<Option<ScriptOutput>, Failure>> {
            unreachable!()
        }

        fn start_session<'a>(&'a self, _instance: &'a str) -> BoxFuture<'a, Result<Option<MachineSession>, Failure>> {
            unreachable!()
        }

        fn end_session<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
            self.0.lock().unwrap().push(session.to_owned());
            Box::pin(std::future::ready(Ok(())))
        }
    }

    #[tokio::test]
    async fn a_session_that_nobody_can_join_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let (new, program) = (directory.path().join("new"), directory.path().join("plugin"));
        std::fs::write(&new, "#!/bin/sh\necho 1.2.694.0\n").unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &program).unwrap();
        let plugin = SessionPlugin::at(program.clone().into()).await.unwrap();
        let session = MachineSession {
            id: "ada-1".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: "https://ssm.us-east-1.amazonaws.com".to_owned(),
            answer: SessionAnswer::new("{}".to_owned()),
        };
        let (machine, access) = (ClusterMachine::default(), EndedSessions::default());
        assert_eq!(join(&plugin, &access, &machine, &session).await.unwrap(), Exit::Done);
        assert_eq!(access.0.lock().unwrap().len(), 0, "the program ends it");

        std::fs::remove_file(&program).unwrap();
        let report = join(&plugin, &access, &machine, &session).await.unwrap_err().report();
        assert!(report.message.contains("could not be started"), "{report:?}");
        assert_eq!(*access.0.lock().unwrap(), ["ada-1"]);
    }
}
