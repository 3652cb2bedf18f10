//! `quorate kubeconfig`

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;

use super::credential;
use crate::cli::file::ShownDiagnostics;
use crate::cli::flow::{self, KubeconfigOptions};
use crate::cli::{ApiWait, CliError, Exit, KubeconfigFiles, ProcessEnvironment, Session};
use crate::kubeconfig::ExecPlugin;

/// Configure kubectl for the cluster
///
/// Adds a cluster, a user and a context to the kubeconfig (KUBECONFIG, or ~/.kube/config) and makes the context the
/// current one. Other entries stay as they are. No key is written: kubectl runs `quorate credential` for a certificate
/// that is valid for one hour. This needs permission to read the cluster's keys in the state bucket.
#[derive(Debug, Clone, Args)]
pub struct KubeconfigArgs {
    /// Write an administrator's certificate that is valid for this long, instead of running `quorate credential`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    admin: Option<SignedDuration>,
    /// The name of the context [default: the cluster's name]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Write to this file; `-` prints a kubeconfig with only this cluster
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Parses a duration in human-readable form.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{text}` is not a duration; examples: `18h`, `2d 6h`");
    let read: jiff::Span = text.parse().map_err(|_| wrong())?;
    // A day is 24 hours here, independent of daylight saving time.
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = read.to_duration(days).map_err(|_| wrong())?;
    if duration >= SignedDuration::from_mins(1) {
        Ok(duration)
    } else {
        Err("the shortest duration is one minute".to_owned())
    }
}

impl KubeconfigArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let files = self.files(session)?;
        let ground = session.open_cluster(ShownDiagnostics::Errors, ApiWait::Stay).await?;
        let plugin = ExecPlugin {
            command: program(&session.environment)?,
            arguments: credential::CredentialArgs::of(session, &ground)?.typed(),
            // In another shell, the same credentials must be used.
            environment: variables(&session.environment, &["AWS_PROFILE"]),
        };
        let wish = KubeconfigOptions { admin: self.admin, context: self.context, plugin, files };
        flow::kubeconfig(&ground.flow(session), &ground.vault(), wish).await
    }

    fn files(&self, session: &Session) -> Result<Option<KubeconfigFiles>, CliError> {
        match &self.output {
            Some(path) if path == Path::new("-") && session.ui.is_json() => Err(CliError::Usage {
                message: "--output - prints a kubeconfig, but --json allows only JSON".to_owned(),
                hint: "pass only one of them".to_owned(),
            }),
            Some(path) if path == Path::new("-") => Ok(None),
            Some(path) => Ok(Some(KubeconfigFiles::only(path.clone()))),
            None => KubeconfigFiles::of(&session.environment).map(Some),
        }
    }
}

fn variables(environment: &ProcessEnvironment, names: &[&str]) -> Vec<(String, String)> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), environment.get(name)?.to_owned()))).collect()
}

/// Returns the command that kubectl runs: the program's name if it is on `PATH`, otherwise its path.
fn program(environment: &ProcessEnvironment) -> Result<String, CliError> {
    let name = "quorate";
    let path = environment.get("PATH").unwrap_or_default();
    if std::env::split_paths(path).any(|directory| directory.is_absolute() && directory.join(name).is_file()) {
        return Ok(name.to_owned());
    }
    let here = std::env::current_exe().map_err(CliError::Start)?;
    Ok(here.display().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("18h").unwrap(), SignedDuration::from_hours(18));
        assert_eq!(duration("2d 6h").unwrap(), SignedDuration::from_hours(54));
        for wrong in ["", "18", "-1h", "0s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_program_is_called_by_name_only_where_that_finds_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        let environment =
            ProcessEnvironment { variables: vec![("PATH".to_owned(), path)], ..ProcessEnvironment::default() };
        assert!(Path::new(&program(&environment).unwrap()).is_absolute());
        std::fs::write(directory.path().join("quorate"), "").unwrap();
        assert_eq!(program(&environment).unwrap(), "quorate");
    }
}
