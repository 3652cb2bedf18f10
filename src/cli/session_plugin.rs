//! The program `session-manager-plugin` of AWS, which speaks the protocol of a session.

use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitStatus};

use serde_json::json;

use crate::cloud::MachineSession;
use crate::words;

use super::error::CliError;

/// The name of the program.
const PROGRAM: &str = "session-manager-plugin";

/// The environment variable with the answer to the start of the session. The first argument of the program is this name: the
/// answer contains a token, and everybody on a machine can read the arguments of its processes.
const ANSWER: &str = "AWS_SSM_START_SESSION_RESPONSE";

/// The last version that takes the answer only as an argument.
const LAST_WITHOUT_VARIABLE: [u32; 4] = [1, 2, 497, 0];

/// The instructions to install the program.
const INSTALL: &str = "install it from https://docs.aws.amazon.com/systems-manager/latest/userguide/\
                       session-manager-working-with-install-plugin.html (macOS: `brew install --cask session-manager-plugin`); \
                       `quorate logs` works without it";

/// The program, installed in a version that keeps the token secret.
#[derive(Debug)]
pub(super) struct SessionPlugin {
    program: OsString,
}

impl SessionPlugin {
    /// Finds the program in `PATH`.
    pub(super) async fn find() -> Result<Self, CliError> {
        Self::at(PROGRAM.into()).await
    }

    /// Checks the program at a path.
    pub(super) async fn at(program: OsString) -> Result<Self, CliError> {
        let mut command = Command::new(&program);
        command.arg("--version");
        match blocking(move || command.output()).await {
            Ok(output) => {
                let version = String::from_utf8_lossy(&output.stdout);
                check_version(version.trim())?;
                Ok(Self { program })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(absent(format!("`{PROGRAM}` is not installed: a session needs it")))
            }
            Err(error) => Err(absent(format!("`{PROGRAM}` cannot be run: {error}"))),
        }
    }

    /// Joins a session, and waits until it ends. The program reads the terminal, so Ctrl-C and the like are its own meanwhile.
    ///
    /// # Errors
    /// Returns an error if the program cannot be started.
    pub(super) async fn join(&self, session: &MachineSession, instance: &str) -> io::Result<ExitStatus> {
        // The arguments of the AWS CLI: the answer, the region, the operation, the profile, the request, the endpoint.
        let request = json!({ "Target": instance }).to_string();
        let mut command = Command::new(&self.program);
        command.args([ANSWER, &session.region, "StartSession", "", &request, &session.endpoint]);
        command.env(ANSWER, session.answer.reveal());
        let _ignored = IgnoredSignals::listen();
        blocking(move || command.status()).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn absent(message: String) -> CliError {
    CliError::Absent { message, hint: INSTALL.to_owned() }
}

/// Refuses a version that needs the token as an argument, and a text that is no version.
fn check_version(version: &str) -> Result<(), CliError> {
    let numbers: Option<Vec<u32>> = version.split('.').map(|number| number.parse().ok()).collect();
    match numbers {
        Some(numbers) if numbers.as_slice() > LAST_WITHOUT_VARIABLE.as_slice() => Ok(()),
        Some(_) => Err(absent(format!(
            "`{PROGRAM}` {version} is too old: it takes the token of a session as an argument, which everybody on this \
             machine can read"
        ))),
        None => Err(absent(format!("`{PROGRAM} --version` printed no version: {:?}", words::plain(version)))),
    }
}

/// The signals of the terminal, which do not end or stop this process while they are listened to: the program gets them too, and
/// passes them on to the machine.
struct IgnoredSignals {
    #[cfg(unix)]
    _signals: Vec<tokio::signal::unix::Signal>,
}

impl IgnoredSignals {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // SIGTSTP, the signal of Ctrl-Z.
        let stop = SignalKind::from_raw(if cfg!(target_os = "linux") { 20 } else { 18 });
        let kinds = [SignalKind::interrupt(), SignalKind::quit(), stop];
        Self { _signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::cloud::SessionAnswer;

    const TOKEN: &str = r#"{"SessionId":"ada-1","StreamUrl":"wss://x","TokenValue":"secret"}"#;

    fn session() -> MachineSession {
        MachineSession {
            id: "ada-1".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: "https://ssm.us-east-1.amazonaws.com".to_owned(),
            answer: SessionAnswer::new(TOKEN.to_owned()),
        }
    }

    /// Writes a program of this version, which notes its arguments and the variable, and ends with a code.
    fn program(directory: &Path, version: &str, code: u8) -> OsString {
        let path = directory.join(PROGRAM);
        let out = directory.display();
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{version}'; exit; fi\n\
             printf '%s\\n' \"$@\" > '{out}/arguments'\nprintf '%s' \"${ANSWER}\" > '{out}/variable'\nexit {code}\n"
        );
        // Written under another name and moved: a file that is still open for writing cannot be run.
        let new = directory.join("new");
        std::fs::write(&new, script).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &path).unwrap();
        path.into()
    }

    #[tokio::test]
    async fn the_program_gets_the_token_in_its_environment_and_not_in_its_arguments() {
        let directory = tempfile::tempdir().unwrap();
        let plugin = SessionPlugin::at(program(directory.path(), "1.2.694.0", 0)).await.unwrap();
        assert!(plugin.join(&session(), "i-1").await.unwrap().success());
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let arguments = "AWS_SSM_START_SESSION_RESPONSE\nus-east-1\nStartSession\n\n{\"Target\":\"i-1\"}\n\
                         https://ssm.us-east-1.amazonaws.com\n";
        assert_eq!(read("arguments"), arguments);
        assert_eq!(read("variable"), TOKEN);
        assert!(std::env::var_os(ANSWER).is_none(), "only the program has it");
    }

    #[tokio::test]
    async fn the_exit_code_of_the_program_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let plugin = SessionPlugin::at(program(directory.path(), "1.2.536.0", 7)).await.unwrap();
        assert_eq!(plugin.join(&session(), "i-1").await.unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_reported_with_the_way_to_install_it() {
        let directory = tempfile::tempdir().unwrap();
        let report = SessionPlugin::at(directory.path().join(PROGRAM).into()).await.unwrap_err().report();
        assert_eq!(report.message, "`session-manager-plugin` is not installed: a session needs it");
        assert!(report.hints[0].contains("install-plugin.html"), "{report:?}");
    }

    #[tokio::test]
    async fn a_program_that_needs_the_token_as_an_argument_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (version, message) in
            [("1.2.497.0", "is too old"), ("1.1.61.0", "is too old"), ("not found", "printed no version")]
        {
            let report = SessionPlugin::at(program(directory.path(), version, 0)).await.unwrap_err().report();
            assert!(report.message.contains(message), "{version}: {report:?}");
        }
        assert!(check_version("1.2.497.1").is_ok() && check_version("2.0").is_ok());
    }
}
