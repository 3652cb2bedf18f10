//! `kubeconfig`: the address of the cluster and the credentials, for kubectl.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::{ClusterSecrets, Exit, KubeconfigFiles};
use crate::engine::ObjectStore;
use crate::kubeconfig::{ExecPlugin, KubeconfigDocument, KubeconfigEntry, KubeconfigUser, merge};
use crate::pki::ClientCertificate;
use crate::resource::{API, DnsRecord, LoadBalancer, Resource, internal_api};
use crate::state::{self, ClusterRecord};
use crate::view::FORMAT;
use crate::words;

use super::CommandContext;

/// The options of the command.
#[derive(Debug, Clone)]
pub struct KubeconfigOptions {
    /// Lifetime of an administrator's certificate that is written instead of the credential plugin.
    pub admin: Option<SignedDuration>,
    /// The name of the context; without it, the cluster's.
    pub context: Option<String>,
    /// The credential plugin.
    pub plugin: ExecPlugin,
    /// The files to change; `None` to print the kubeconfig.
    pub files: Option<KubeconfigFiles>,
}

/// Writes or prints a kubeconfig.
pub async fn kubeconfig(
    context: &CommandContext<'_>,
    vault: &ClusterSecrets,
    wish: KubeconfigOptions,
) -> Result<Exit, CliError> {
    let server = server(context).await?;
    let authority = context.interrupt.or(vault.certificate()).await??;
    let client = match wish.admin {
        Some(lifetime) => Some(context.interrupt.or(vault.administrator(context.cloud, lifetime)).await??),
        None => None,
    };
    let name = context.name().to_owned();
    let entry = KubeconfigEntry {
        context: wish.context.unwrap_or_else(|| name.clone()),
        server,
        tls_server_name: internal_api(&name),
        authority,
        user: client.as_ref().map_or(KubeconfigUser::Plugin(wish.plugin), certificate),
        name,
    };
    match wish.files {
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
async fn server(context: &CommandContext<'_>) -> Result<String, CliError> {
    context
        .interrupt
        .or(api_address(&context.store, context.name()))
        .await??
        .ok_or_else(|| CliError::no_api(context.name()))
}

/// Returns the URL of a cluster's API, or `None` if it has not been applied yet.
pub(in crate::cli) async fn api_address(
    store: &Arc<dyn ObjectStore>,
    cluster: &str,
) -> Result<Option<String>, CliError> {
    let mut journal = state::open(Arc::clone(store), cluster);
    let record = journal.load().await.map_err(CliError::state("reading the record"))?;
    Ok(record.and_then(|record| address(&record, cluster)))
}

fn address(record: &ClusterRecord, cluster: &str) -> Option<String> {
    let balancer = record.objects.get(&LoadBalancer::address(API))?;
    if record.objects.contains_key(&DnsRecord::address(API)) {
        return Some(format!("https://{API}.{cluster}"));
    }
    balancer.outputs.get("dns_name").map(|name| format!("https://{name}"))
}

/// Returns the text of a kubeconfig with only this entry.
fn alone(entry: &KubeconfigEntry) -> Result<String, CliError> {
    let mut documents = [KubeconfigDocument::default()];
    merge(&mut documents, entry);
    let [document] = documents;
    document.text().map_err(|source| CliError::Kubeconfig { path: "-".into(), source })
}

fn show_result(
    context: &CommandContext<'_>,
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

fn warn(context: &CommandContext<'_>, entry: &KubeconfigEntry, client: Option<&ClientCertificate>) {
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

    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;

    use super::*;
    use crate::engine::RecordedObject;

    #[test]
    fn the_api_is_at_its_own_name_or_at_its_load_balancers() {
        let mut record =
            ClusterRecord::first("c.example.com", "123456789012", "us-east-1", "run", Timestamp::UNIX_EPOCH);
        assert_eq!(address(&record, "c.example.com"), None);
        let outputs = BTreeMap::from([("dns_name".to_owned(), "api-1.elb.amazonaws.com".to_owned())]);
        let recorded =
            RecordedObject { id: String::new(), attributes: BTreeMap::new(), outputs, needs: BTreeSet::new() };
        record.objects.insert(LoadBalancer::address(API), recorded.clone());
        assert_eq!(address(&record, "c.example.com").unwrap(), "https://api-1.elb.amazonaws.com");
        record.objects.insert(DnsRecord::address(API), recorded);
        assert_eq!(address(&record, "c.example.com").unwrap(), "https://api.c.example.com");
    }
}
