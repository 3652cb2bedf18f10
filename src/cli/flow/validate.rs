//! `validate`: the health of the cluster, and waiting until it is healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::blueprint;
use crate::cli::error::CliError;
use crate::cli::{Exit, Vault};
use crate::engine::{Class, Live};
use crate::health::{Api, Certificate, Check, Evidence, Group, Machine, Name, Report, Target, Verdict, examine};
use crate::kubernetes::Kubernetes;
use crate::resource::{
    API, AutoScalingGroup, ETCD_STATUS, LoadBalancer, Record as DnsRecord, Resource, STATUS, TargetGroup, machine_file,
};
use crate::spec::Cluster;
use crate::state::{self, StateError};
use crate::view;
use crate::view::health::Document;

use super::Flow;
use super::wait::{account, patiently};

/// How long between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// How long `apply` waits for a cluster that it has changed.
const PATIENCE: Duration = Duration::from_mins(20);
/// How long it waits for one that it has not: an apply before it may have given up too early.
const GLANCE: Duration = Duration::from_mins(1);

/// Where a cluster tells how it is.
pub struct Clinic {
    /// Its secrets.
    pub vault: Vault,
    /// Its API; nothing where machines are simulated.
    pub kubernetes: Option<Kubernetes>,
}

/// Shows the health of the cluster. With `patience`, waits for at most that long until it is healthy.
pub async fn validate(flow: &Flow<'_>, clinic: &Clinic, patience: Duration) -> Result<Exit, CliError> {
    flow.interrupt.or(applied(flow)).await??;
    let checks = await_health(flow, clinic, patience, Check::is_trouble).await?;
    let document = Document::new(flow.heading(account(flow).await?), checks);
    flow.ui.document(&document, |style| view::health::text(&document, style))?;
    Ok(if document.healthy { Exit::Done } else { Exit::Differs })
}

/// Refuses to look at what was never begun: it has no record, and nothing of it is there.
async fn applied(flow: &Flow<'_>) -> Result<(), CliError> {
    let mut journal = state::open(Arc::clone(&flow.store), flow.name());
    match journal.load().await {
        Ok(None) => {}
        Ok(Some(_)) => return Ok(()),
        Err(StateError::Store { source, .. }) if source.class == Class::Gone => {}
        Err(error) => return Err(CliError::state("reading the record")(error)),
    }
    let live = patiently(flow, || flow.cloud.observe()).await.map_err(CliError::cloud("looking at the cloud"))?;
    if live.is_empty() {
        Err(CliError::not_applied(format!("nothing of {} is applied yet", flow.name())))
    } else {
        Ok(())
    }
}

/// Waits for a cluster at the end of an apply: long if that has changed something. What nobody can look at from here is
/// not waited for.
pub(super) async fn attend(flow: &Flow<'_>, clinic: &Clinic, changed: bool) -> Result<Exit, CliError> {
    let pending = |check: &Check| matches!(check.verdict, Verdict::Waiting | Verdict::Wrong);
    let patience = if changed { PATIENCE } else { GLANCE };
    let checks = match await_health(flow, clinic, patience, pending).await {
        Ok(checks) => checks,
        Err(CliError::Interrupted) => {
            flow.ui.note("stopped waiting for the machines; `quorate validate` shows their state");
            return Ok(Exit::Interrupted);
        }
        Err(error) => {
            flow.ui.warning("everything is applied, but the health of the cluster could not be checked");
            flow.ui.report(&error.report());
            return Ok(Exit::Partly);
        }
    };
    let unknown = checks.iter().find(|check| check.verdict == Verdict::Unknown);
    if let Some(pending) = checks.iter().find(|check| pending(check)) {
        let waited = patience.as_secs() / 60;
        let waited = if waited == 1 { "a minute".to_owned() } else { format!("{waited} minutes") };
        flow.ui.warning(&format!(
            "everything is applied, but the cluster is not healthy after {waited}: {}. `quorate validate --wait 10m` waits longer.",
            pending.finding
        ));
        return Ok(Exit::Partly);
    }
    if let Some(unknown) = unknown.filter(|_| changed) {
        flow.ui.note(&format!("the machines are up; Kubernetes was not checked: {}", unknown.finding));
    } else if changed && checks.iter().all(|check| check.verdict == Verdict::Healthy) {
        flow.ui.note("the cluster is healthy. Next: `quorate kubeconfig` configures kubectl");
    }
    Ok(Exit::Done)
}

/// Looks until nothing troubles any more, or patience ends. Says what it waits for when that changes.
async fn await_health(
    flow: &Flow<'_>,
    clinic: &Clinic,
    patience: Duration,
    troubles: impl Fn(&Check) -> bool,
) -> Result<Vec<Check>, CliError> {
    let deadline = Instant::now() + patience;
    let mut said = String::new();
    loop {
        let gathered = flow.interrupt.or(gather(flow, clinic)).await?;
        let checks = match gathered {
            Ok(evidence) => examine(&evidence),
            // A look that failed is no reason to stop looking, as long as there is time.
            Err(error) if Instant::now() + PAUSE <= deadline => {
                flow.ui.note(&format!("waiting: {error}, {}", reason(&error)));
                flow.interrupt.or(tokio::time::sleep(PAUSE)).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let open: Vec<&Check> = checks.iter().filter(|check| troubles(check)).collect();
        let Some(first) = open.first() else { return Ok(checks) };
        if Instant::now() + PAUSE > deadline {
            return Ok(checks);
        }
        let more = if open.len() > 1 { format!(" (and {} more)", open.len() - 1) } else { String::new() };
        let waiting = format!("waiting: {}{more}", first.finding);
        if waiting != said {
            flow.ui.note(&waiting);
            said = waiting;
        }
        flow.interrupt.or(tokio::time::sleep(PAUSE)).await?;
    }
}

fn reason(error: &CliError) -> String {
    match error {
        CliError::Cloud { source, .. } => source.message.clone(),
        other => other.to_string(),
    }
}

/// Finds out everything, all at the same time.
async fn gather(flow: &Flow<'_>, clinic: &Clinic) -> Result<Evidence, CliError> {
    let live = patiently(flow, || flow.cloud.observe()).await.map_err(CliError::cloud("looking at the cloud"))?;
    let groups = groups(flow.cluster, &live);
    let machines: Vec<&str> =
        groups.iter().flat_map(|group| &group.machines).map(|machine| machine.id.as_str()).collect();
    let masters = groups.iter().filter(|group| group.masters).flat_map(|group| &group.machines);
    let masters: Vec<&str> = masters.map(|machine| machine.id.as_str()).collect();
    let (targets, statuses, etcd, kubernetes, names, certificates) = tokio::join!(
        targets(flow, &live),
        reports(flow, &machines, STATUS),
        reports(flow, &masters, ETCD_STATUS),
        api(clinic),
        names(flow, &live),
        certificates(clinic),
    );
    let at = Timestamp::now();
    let target_groups = live.iter().filter(|live| is::<TargetGroup>(live));
    let target_groups = target_groups.map(|live| live.address.name().to_owned()).collect();
    let (targets, statuses, etcd) = (targets?, statuses?, etcd?);
    Ok(Evidence { at, groups, target_groups, targets, statuses, etcd, kubernetes, names, certificates })
}

fn is<K: Resource>(live: &Live) -> bool {
    live.address.kind() == K::KIND.name
}

/// The groups that the file asks for, with the machines that each has. One that is not there has none.
fn groups(cluster: &Cluster, live: &[Live]) -> Vec<Group> {
    let masters = cluster.masters.placed().map(|(member, _)| (blueprint::masters_group(&member), true, 1));
    let nodes = cluster.nodes.iter().map(|(name, group)| (blueprint::nodes_group(name), false, group.scale.least()));
    let find = |name: &str| live.iter().find(|live| is::<AutoScalingGroup>(live) && live.address.name() == name);
    masters.chain(nodes).map(|(name, masters, wanted)| group(find(&name), name, masters, wanted)).collect()
}

fn group(live: Option<&Live>, name: String, masters: bool, wanted: u32) -> Group {
    let machine = |member: &crate::engine::Member| Machine {
        id: member.id.clone(),
        zone: member.zone.clone(),
        state: member.state.clone(),
    };
    Group {
        name,
        masters,
        wanted: usize::try_from(wanted).unwrap_or(usize::MAX),
        machines: live.into_iter().flat_map(|live| &live.members).map(machine).collect(),
    }
}

async fn targets(flow: &Flow<'_>, live: &[Live]) -> Result<Vec<Target>, CliError> {
    let groups = live.iter().filter(|live| is::<TargetGroup>(live));
    let told = try_join_all(groups.map(async |live| {
        let told = patiently(flow, || flow.cloud.targets(&live.id)).await?;
        Ok(told.into_iter().map(|target| Target {
            group: live.address.name().to_owned(),
            masters: live.address.name() == API,
            instance: target.instance,
            state: target.state,
            reason: target.reason,
        }))
    }));
    let told: Result<Vec<_>, crate::engine::Failure> = told.await;
    Ok(told.map_err(CliError::cloud("asking the load balancers"))?.into_iter().flatten().collect())
}

/// What each machine wrote last into a file of its own. One that wrote nothing, or nothing that can be read, has not
/// reported.
async fn reports<T: DeserializeOwned>(
    flow: &Flow<'_>,
    machines: &[&str],
    file: &str,
) -> Result<BTreeMap<String, Report<T>>, CliError> {
    let read = machines.iter().map(async |machine| {
        let key = format!("{}/{}", flow.name(), machine_file(machine, file));
        let stored = patiently(flow, || flow.bucket.get(&key)).await?;
        let report = stored.and_then(|stored| {
            let status = serde_json::from_slice(&stored.bytes).ok()?;
            Some(Report { status, written: stored.written })
        });
        Ok(report.map(|report| ((*machine).to_owned(), report)))
    });
    let read: Result<Vec<_>, crate::engine::Failure> = try_join_all(read).await;
    Ok(read.map_err(CliError::cloud("reading what the machines wrote"))?.into_iter().flatten().collect())
}

async fn api(clinic: &Clinic) -> Api {
    let Some(kubernetes) = &clinic.kubernetes else { return Api::Simulated };
    match kubernetes.census().await {
        Ok(Some(census)) => Api::Told(census),
        Ok(None) => Api::Silent("the cluster was never applied as far as its API".to_owned()),
        Err(failure) => Api::Silent(failure.message),
    }
}

/// The names that the cluster is reached by: those of its records, and without one for the API its load balancer's. Simulated
/// ones lead nowhere.
async fn names(flow: &Flow<'_>, live: &[Live]) -> Vec<Name> {
    if flow.sandbox {
        return Vec::new();
    }
    let looked = names_of(live).into_iter().map(async |name| {
        let trouble = match tokio::net::lookup_host((name.as_str(), 443)).await {
            Ok(mut addresses) => addresses.next().is_none().then(|| "it has no address".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        Name { name, trouble }
    });
    join_all(looked).await
}

/// Sorted, each once.
fn names_of(live: &[Live]) -> BTreeSet<String> {
    let output = |live: &Live, name: &str| live.outputs.get(name).cloned();
    let mut names: BTreeSet<String> =
        live.iter().filter(|live| is::<DnsRecord>(live)).filter_map(|record| output(record, "name")).collect();
    if !live.iter().any(|live| live.address == DnsRecord::address(API)) {
        let balancer = live.iter().find(|live| live.address == LoadBalancer::address(API));
        names.extend(balancer.and_then(|balancer| output(balancer, "dns_name")));
    }
    names
}

/// The certificates whose end can be read from here: those of machines stand in what they write.
async fn certificates(clinic: &Clinic) -> Vec<Certificate> {
    let end = async { crate::pki::end(&clinic.vault.certificate().await?).map_err(CliError::from) };
    let end = end.await.map_err(|error| reason(&error));
    vec![Certificate { name: "the cluster's authority".to_owned(), end }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Address, Attributes, Phase};

    fn live(address: Address, output: (&str, &str)) -> Live {
        Live {
            address,
            id: String::new(),
            attributes: Attributes::new(),
            outputs: BTreeMap::from([(output.0.to_owned(), output.1.to_owned())]),
            phase: Phase::Ready,
            proven: true,
            created: None,
            members: Vec::new(),
        }
    }

    #[test]
    fn every_name_that_the_cluster_is_reached_by_is_looked_up() {
        let balancer = live(LoadBalancer::address("api"), ("dns_name", "api-1.elb.amazonaws.com"));
        let chat = live(DnsRecord::address("chat.example.com"), ("name", "chat.example.com"));
        let api = live(DnsRecord::address("api"), ("name", "api.example.com"));
        assert_eq!(
            names_of(&[balancer.clone(), chat.clone()]),
            ["api-1.elb.amazonaws.com", "chat.example.com"].map(String::from).into()
        );
        assert_eq!(names_of(&[balancer, chat, api]), ["api.example.com", "chat.example.com"].map(String::from).into());
    }
}
