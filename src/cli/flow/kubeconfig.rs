//! `kubeconfig`: how to reach the cluster, and as whom, for kubectl.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::{Exit, Kubeconfigs, Vault};
use crate::engine::Store;
use crate::kubeconfig::{Document, Entry, Plugin, User, merge};
use crate::pki::ClientCertificate;
use crate::resource::{API, LoadBalancer, Record as DnsRecord, Resource, internal_api};
use crate::state::{self, Record};
use crate::view::FORMAT;
use crate::words;

use super::Flow;

/// What is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Instead of a program that is asked each time: a certificate that is good for so long.
    pub admin: Option<SignedDuration>,
    /// The name of the context; without it, the cluster's.
    pub context: Option<String>,
    /// The program that is asked.
    pub plugin: Plugin,
    /// Where it is written; nowhere if it is printed.
    pub files: Option<Kubeconfigs>,
}

/// Writes or prints a kubeconfig.
pub async fn kubeconfig(flow: &Flow<'_>, vault: &Vault, wish: Wish) -> Result<Exit, CliError> {
    let server = server(flow).await?;
    let authority = flow.interrupt.or(vault.certificate()).await??;
    let client = match wish.admin {
        Some(lifetime) => Some(flow.interrupt.or(vault.administrator(flow.cloud, lifetime)).await??),
        None => None,
    };
    let name = flow.name().to_owned();
    let entry = Entry {
        context: wish.context.unwrap_or_else(|| name.clone()),
        server,
        tls_server_name: internal_api(&name),
        authority,
        user: client.as_ref().map_or(User::Plugin(wish.plugin), certificate),
        name,
    };
    match wish.files {
        Some(files) => tell(flow, &entry, &files.add(&entry)?, client.as_ref())?,
        None => flow.ui.result(&alone(&entry)?),
    }
    warn(flow, &entry, client.as_ref());
    Ok(Exit::Done)
}

fn certificate(client: &ClientCertificate) -> User {
    User::Certificate { certificate: client.certificate.clone(), key: client.key.clone() }
}

/// The API's address as it was last applied: by its name, or by its load balancer's where no zone holds the name.
async fn server(flow: &Flow<'_>) -> Result<String, CliError> {
    flow.interrupt.or(api_address(&flow.store, flow.name())).await??.ok_or_else(|| CliError::no_api(flow.name()))
}

/// The URL of a cluster's API, if it was applied as far as that.
pub(in crate::cli) async fn api_address(store: &Arc<dyn Store>, cluster: &str) -> Result<Option<String>, CliError> {
    let mut journal = state::open(Arc::clone(store), cluster);
    let record = journal.load().await.map_err(CliError::state("reading the record"))?;
    Ok(record.and_then(|record| address(&record, cluster)))
}

fn address(record: &Record, cluster: &str) -> Option<String> {
    let balancer = record.objects.get(&LoadBalancer::address(API))?;
    if record.objects.contains_key(&DnsRecord::address(API)) {
        return Some(format!("https://{API}.{cluster}"));
    }
    balancer.outputs.get("dns_name").map(|name| format!("https://{name}"))
}

/// The text of a kubeconfig that knows nothing else.
fn alone(entry: &Entry) -> Result<String, CliError> {
    let mut documents = [Document::default()];
    merge(&mut documents, entry);
    let [document] = documents;
    document.text().map_err(|source| CliError::Kubeconfig { path: "-".into(), source })
}

fn tell(
    flow: &Flow<'_>,
    entry: &Entry,
    changed: &[std::path::PathBuf],
    client: Option<&ClientCertificate>,
) -> Result<(), CliError> {
    let files: Vec<String> = changed.iter().map(|path| path.display().to_string()).collect();
    if flow.ui.is_json() {
        let document = json!({
            "format": FORMAT,
            "cluster": flow.name(),
            "sandbox": flow.sandbox,
            "context": entry.context,
            "server": entry.server,
            "files": files,
            "certificate_until": client.map(|client| client.end),
        });
        return flow.ui.json(&document);
    }
    flow.say_sandbox();
    let place = if files.is_empty() { "As it was already".to_owned() } else { files.join(", ") };
    flow.ui.text(&format!("{place}: the current context is {}, at {}\n", entry.context, entry.server));
    Ok(())
}

fn warn(flow: &Flow<'_>, entry: &Entry, client: Option<&ClientCertificate>) {
    if flow.sandbox {
        flow.ui.note(&format!("nothing answers at {}: the sandbox runs no Kubernetes", entry.server));
    } else if flow.cluster.api.allow.is_empty() {
        flow.ui.warning(
            "the cluster file lets nobody reach the API from outside: `quorate access open` does for a while, `api { allow = [...] }` for good",
        );
    }
    if let Some(client) = client {
        let end = words::moment(client.end);
        flow.ui.warning(&format!(
            "whoever has this certificate may do everything in the cluster until {end}; it cannot be taken back"
        ));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;

    use super::*;
    use crate::engine::Recorded;

    #[test]
    fn the_api_is_at_its_own_name_or_at_its_load_balancers() {
        let mut record = Record::first("c.example.com", "123456789012", "us-east-1", "run", Timestamp::UNIX_EPOCH);
        assert_eq!(address(&record, "c.example.com"), None);
        let outputs = BTreeMap::from([("dns_name".to_owned(), "api-1.elb.amazonaws.com".to_owned())]);
        let recorded = Recorded { id: String::new(), attributes: BTreeMap::new(), outputs, needs: BTreeSet::new() };
        record.objects.insert(LoadBalancer::address(API), recorded.clone());
        assert_eq!(address(&record, "c.example.com").unwrap(), "https://api-1.elb.amazonaws.com");
        record.objects.insert(DnsRecord::address(API), recorded);
        assert_eq!(address(&record, "c.example.com").unwrap(), "https://api.c.example.com");
    }
}
