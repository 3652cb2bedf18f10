//! `quorate kubeconfig`: the address of the cluster and the credentials, for kubectl.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;

use super::credential;
use crate::cli::client_access::api_address;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, KubeconfigFiles, ProcessEnvironment, Session};
use crate::kubeconfig::{ExecPlugin, KubeconfigDocument, KubeconfigEntry, KubeconfigUser, merge};
use crate::pki::ClientCertificate;
use crate::resource::internal_api;
use crate::view::FORMAT;
use crate::words;

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

/// The options of the command.
#[derive(Debug, Clone)]
struct KubeconfigOptions {
    /// Lifetime of an administrator's certificate that is written instead of the credential plugin.
    admin: Option<SignedDuration>,
    /// The name of the context; without it, the cluster's.
    context: Option<String>,
    /// The credential plugin.
    plugin: ExecPlugin,
    /// The files to change; `None` to print the kubeconfig.
    files: Option<KubeconfigFiles>,
}

impl KubeconfigArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let files = self.files(session)?;
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        let plugin = ExecPlugin {
            command: program(&session.environment)?,
            arguments: credential::CredentialArgs::of(session, &context).await?.typed(),
            // In another shell, the same credentials must be used.
            environment: variables(&session.environment, &["AWS_PROFILE"]),
        };
        let options = KubeconfigOptions { admin: self.admin, context: self.context, plugin, files };
        configure(&context, options).await
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

/// Writes or prints a kubeconfig.
async fn configure(context: &ClusterContext<'_>, options: KubeconfigOptions) -> Result<Exit, CliError> {
    let secrets = context.secrets();
    let server = server(context).await?;
    let authority = context.interrupt.or(secrets.certificate()).await??;
    let client = match options.admin {
        Some(lifetime) => Some(context.interrupt.or(secrets.administrator(context.cloud.as_ref(), lifetime)).await??),
        None => None,
    };
    let name = context.name().to_owned();
    let entry = KubeconfigEntry {
        context: options.context.unwrap_or_else(|| name.clone()),
        server,
        tls_server_name: internal_api(&name),
        authority,
        user: client.as_ref().map_or(KubeconfigUser::Plugin(options.plugin), certificate),
        name,
    };
    match options.files {
        Some(files) => show_result(context, &entry, &files.add(&entry)?, client.as_ref())?,
        None => context.ui.result(&alone(&entry)?),
    }
    warn(context, &entry, client.as_ref());
    Ok(Exit::Done)
}

fn certificate(client: &ClientCertificate) -> KubeconfigUser {
    KubeconfigUser::Certificate { certificate: client.certificate.clone(), key: client.key.clone() }
}

/// Returns the API's address as it was last applied: its DNS name, or its load balancer's if no zone contains the name.
async fn server(context: &ClusterContext<'_>) -> Result<String, CliError> {
    context
        .interrupt
        .or(api_address(&context.store, context.name()))
        .await??
        .ok_or_else(|| CliError::no_api(context.name()))
}

/// Returns the text of a kubeconfig with only this entry.
fn alone(entry: &KubeconfigEntry) -> Result<String, CliError> {
    let mut documents = [KubeconfigDocument::default()];
    merge(&mut documents, entry);
    let [document] = documents;
    document.text().map_err(|source| CliError::Kubeconfig { path: "-".into(), source })
}

fn show_result(
    context: &ClusterContext<'_>,
    entry: &KubeconfigEntry,
    changed: &[std::path::PathBuf],
    client: Option<&ClientCertificate>,
) -> Result<(), CliError> {
    let files: Vec<String> = changed.iter().map(|path| path.display().to_string()).collect();
    if context.ui.is_json() {
        let document = json!({
            "format": FORMAT,
            "cluster": context.name(),
            "sandbox": context.sandbox,
            "context": entry.context,
            "server": entry.server,
            "files": files,
            "certificate_until": client.map(|client| client.end),
        });
        return context.ui.json(&document);
    }
    context.show_sandbox_notice();
    let place = if files.is_empty() { "As it was already".to_owned() } else { files.join(", ") };
    context.ui.text(&format!("{place}: the current context is {}, at {}\n", entry.context, entry.server));
    Ok(())
}

fn warn(context: &ClusterContext<'_>, entry: &KubeconfigEntry, client: Option<&ClientCertificate>) {
    if context.sandbox {
        context.ui.note(&format!("nothing answers at {}: the sandbox runs no Kubernetes", entry.server));
    } else if context.cluster.api.allow.is_empty() {
        context.ui.warning(
            "`api.allow` is empty, so the API cannot be reached from outside: `quorate access open` opens it for a limited time, `api { allow = [...] }` permanently",
        );
    }
    if let Some(client) = client {
        let end = words::moment(client.end);
        context
            .ui
            .warning(&format!("this certificate gives full access to the cluster until {end}, and cannot be revoked"));
    }
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
