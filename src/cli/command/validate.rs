//! `quorate validate`: the health of the cluster, and waiting until it is healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::future::{join_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::kubeconfig::duration;
use crate::blueprint;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::wait::{account, patiently};
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::engine::{FailureClass, GroupMember, Live, PollLoop, Value};
use crate::health::{
    ApiState, BalancerTarget, CertificateState, CheckStatus, DnsName, HealthEvidence, HealthFinding, ObservedGroup,
    ObservedMachine, StatusReport, examine, examine_boot,
};
use crate::kubernetes::KubernetesProvider;
use crate::resource::{
    API, AutoScalingGroup, DnsRecord, ETCD_STATUS, LoadBalancer, Resource, STATUS, TargetGroup, machine_file,
    masters_group,
};
use crate::spec::Cluster;
use crate::state::{self, StateError};
use crate::view;
use crate::view::health::HealthDocument;
use crate::words;

/// Interval between two checks.
const PAUSE: Duration = Duration::from_secs(5);
/// Maximum time that `apply` waits for a cluster that it has changed.
const PATIENCE: Duration = Duration::from_mins(20);
/// Time after its launch in which a machine reports for the first time.
const FIRST_REPORT: SignedDuration = SignedDuration::from_mins(4);
/// Number of lines of console output that are quoted for a machine that did not start up.
const QUOTED_LINES: usize = 10;
/// Maximum number of machines whose console output is quoted: the others usually have the same reason.
const QUOTED_MACHINES: usize = 3;
/// Maximum time that it waits for one that it has not changed: an apply before it may have stopped waiting too early.
const GLANCE: Duration = Duration::from_mins(1);

/// Check the health of the cluster
///
/// Checks machines and their boot, clocks, etcd, the control plane, nodes, load balancer targets, DNS names and
/// certificates. Prints one line for each, and what to do about each problem. Exits with code 2 if a check fails or
/// cannot be made.
#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    /// Repeat until the cluster is healthy, at most for this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<SignedDuration>,
}

impl ValidateArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        let patience = self.wait.map_or(Duration::ZERO, SignedDuration::unsigned_abs);
        validate(&context, patience).await
    }
}

/// Shows the health of the cluster. With `patience`, waits at most that long until it is healthy.
pub(in crate::cli) async fn validate(context: &ClusterContext<'_>, patience: Duration) -> Result<Exit, CliError> {
    context.interrupt.or(applied(context)).await??;
    let mut checks = await_health(context, patience, HealthFinding::is_trouble).await?;
    quote_consoles(context, &mut checks).await?;
    let document = HealthDocument::new(context.heading(account(context).await?), checks);
    context.ui.document(&document, |style| view::health::text(&document, style))?;
    Ok(if document.healthy { Exit::Done } else { Exit::Differs })
}

/// Adds the last lines of the console output to the findings about machines that did not start up. Output that cannot be read
/// changes no finding.
async fn quote_consoles(context: &ClusterContext<'_>, checks: &mut [HealthFinding]) -> Result<(), CliError> {
    let Some(access) = context.cloud.machine_access() else { return Ok(()) };
    let silent = checks.iter_mut().filter_map(|check| Some((check.machine.clone()?, check)));
    for (machine, check) in silent.take(QUOTED_MACHINES) {
        match context.interrupt.or(access.console_output(&machine)).await? {
            Ok(output) => check.log = words::last_lines(&words::plain(&output), QUOTED_LINES),
            Err(failure) => {
                context.ui.note(&format!("the console output of {machine} cannot be read: {}", failure.message));
            }
        }
    }
    Ok(())
}

/// Shows the console output that findings quote.
fn show_consoles(context: &ClusterContext<'_>, checks: &[HealthFinding]) {
    for check in checks.iter().filter(|check| !check.log.is_empty()) {
        let machine = check.machine.as_deref().unwrap_or_default();
        context.ui.excerpt(&format!("the last lines of the console output of {machine}"), &check.log);
    }
}

/// Shows, after an apply that failed in part, the machines that did not start up, with the last lines of their console output.
/// Returns the exit code of the apply. What cannot be read is left out: the failure itself was reported.
pub(super) async fn show_silent_machines(context: &ClusterContext<'_>, exit: Exit) -> Exit {
    if exit == Exit::Partly
        && context.cloud.machine_access().is_some()
        && let Ok(mut checks) = silent_machines(context).await
        && quote_consoles(context, &mut checks).await.is_ok()
    {
        for check in &checks {
            context.ui.warning(&check.finding);
        }
        show_consoles(context, &checks);
    }
    exit
}

/// Returns the findings about machines that failed to start up, or run for some minutes and have not reported.
async fn silent_machines(context: &ClusterContext<'_>) -> Result<Vec<HealthFinding>, CliError> {
    let observed = context.interrupt.or(patiently(context, || context.cloud.observe())).await?;
    let live = observed.map_err(CliError::cloud("observing AWS"))?.live;
    let groups = groups(&context.cluster, &live);
    let members: Vec<&GroupMember> = live.iter().flat_map(|live| &live.members).collect();
    let machines: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
    let statuses = context.interrupt.or(reports(context, &machines, STATUS)).await??;
    let started = Timestamp::now().checked_sub(FIRST_REPORT).unwrap_or(Timestamp::UNIX_EPOCH);
    let is_new = |id: &str| {
        let launched = members.iter().find(|member| member.id == id).and_then(|member| member.launched);
        launched.is_some_and(|launched| launched > started) && !statuses.contains_key(id)
    };
    let mut checks = examine_boot(&groups, &statuses);
    checks.retain(|check| check.machine.as_deref().is_some_and(|machine| !is_new(machine)));
    Ok(checks)
}

/// Returns an error if the cluster was never created: it has no record, and no object of it exists.
async fn applied(context: &ClusterContext<'_>) -> Result<(), CliError> {
    let mut journal = state::open(Arc::clone(&context.store), context.name());
    match journal.load().await {
        Ok(None) => {}
        Ok(Some(_)) => return Ok(()),
        Err(StateError::Store { source, .. }) if source.class == FailureClass::Gone => {}
        Err(error) => return Err(CliError::state("reading the record")(error)),
    }
    let observed = patiently(context, || context.cloud.observe()).await;
    let live = observed.map_err(CliError::cloud("observing AWS"))?.live;
    if live.is_empty() {
        Err(CliError::not_applied(format!("nothing of {} is applied yet", context.name())))
    } else {
        Ok(())
    }
}

/// Waits for a healthy cluster at the end of an apply: longer if the apply changed something. Health that cannot be checked
/// from here is not waited for.
pub(super) async fn wait_until_healthy(context: &ClusterContext<'_>, changed: bool) -> Result<Exit, CliError> {
    let pending = |check: &HealthFinding| matches!(check.verdict, CheckStatus::Waiting | CheckStatus::Wrong);
    let patience = if changed { PATIENCE } else { GLANCE };
    let mut checks = match await_health(context, patience, pending).await {
        Ok(checks) => checks,
        Err(CliError::Interrupted) => {
            context.ui.note("stopped waiting for the machines; `quorate validate` shows their state");
            return Ok(Exit::Interrupted);
        }
        Err(error) => {
            context.ui.warning("everything is applied, but the health of the cluster could not be checked");
            context.ui.report(&error.report());
            return Ok(Exit::Partly);
        }
    };
    if checks.iter().any(pending) {
        quote_consoles(context, &mut checks).await?;
    }
    let unknown = checks.iter().find(|check| check.verdict == CheckStatus::Unknown);
    if let Some(pending) = checks.iter().find(|check| pending(check)) {
        let waited = patience.as_secs() / 60;
        let waited = if waited == 1 { "a minute".to_owned() } else { format!("{waited} minutes") };
        context.ui.warning(&format!(
            "everything is applied, but the cluster is not healthy after {waited}: {}. `quorate validate --wait 10m` waits longer.",
            pending.finding
        ));
        show_consoles(context, &checks);
        return Ok(Exit::Partly);
    }
    if let Some(unknown) = unknown.filter(|_| changed) {
        context.ui.note(&format!("the machines are up; Kubernetes was not checked: {}", unknown.finding));
    } else if changed && checks.iter().all(|check| check.verdict == CheckStatus::Healthy) {
        context.ui.note("the cluster is healthy. Next: `quorate kubeconfig` configures kubectl");
    }
    Ok(Exit::Done)
}

/// Checks the health until no check is troubling, or `patience` ends. Reports the reason of the wait when it changes.
async fn await_health(
    context: &ClusterContext<'_>,
    patience: Duration,
    troubles: impl Fn(&HealthFinding) -> bool,
) -> Result<Vec<HealthFinding>, CliError> {
    let kubernetes = context.kubernetes();
    let mut poll = PollLoop::every(PAUSE).lasting(patience);
    loop {
        let gathered = context.interrupt.or(gather(context, kubernetes.as_ref())).await?;
        let checks = match gathered {
            Ok(evidence) => examine(&evidence),
            // A failed query does not end the wait before the deadline.
            Err(error) if poll.has_time() => {
                context.ui.note(&format!("waiting: {error}, {}", reason(&error)));
                context.interrupt.or(poll.pause()).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let open: Vec<&HealthFinding> = checks.iter().filter(|check| troubles(check)).collect();
        let Some(first) = open.first() else { return Ok(checks) };
        if !poll.has_time() {
            return Ok(checks);
        }
        let more = if open.len() > 1 { format!(" (and {} more)", open.len() - 1) } else { String::new() };
        poll.note_change(&format!("waiting: {}{more}", first.finding), |text| context.ui.note(&text));
        context.interrupt.or(poll.pause()).await?;
    }
}

fn reason(error: &CliError) -> String {
    match error {
        CliError::Cloud { source, .. } => source.message.clone(),
        other => other.to_string(),
    }
}

/// Collects all evidence at the same time.
async fn gather(
    context: &ClusterContext<'_>,
    kubernetes: Option<&KubernetesProvider>,
) -> Result<HealthEvidence, CliError> {
    let observed = patiently(context, || context.cloud.observe()).await;
    let live = observed.map_err(CliError::cloud("observing AWS"))?.live;
    let groups = groups(&context.cluster, &live);
    let machines: Vec<&str> =
        groups.iter().flat_map(|group| &group.machines).map(|machine| machine.id.as_str()).collect();
    let masters = groups.iter().filter(|group| group.masters).flat_map(|group| &group.machines);
    let masters: Vec<&str> = masters.map(|machine| machine.id.as_str()).collect();
    let (targets, statuses, etcd, kubernetes, names, certificates) = tokio::join!(
        targets(context, &live),
        reports(context, &machines, STATUS),
        reports(context, &masters, ETCD_STATUS),
        api(kubernetes),
        names(context, &live),
        certificates(context),
    );
    let at = Timestamp::now();
    let target_groups = live.iter().filter(|live| is::<TargetGroup>(live));
    let target_groups = target_groups.map(|live| live.address.name().to_owned()).collect();
    let (targets, statuses, etcd) = (targets?, statuses?, etcd?);
    Ok(HealthEvidence { at, groups, target_groups, targets, statuses, etcd, kubernetes, names, certificates })
}

fn is<K: Resource>(live: &Live) -> bool {
    live.address.kind() == K::KIND.name
}

/// Returns the groups of the file, with their existing machines. A missing group has none.
fn groups(cluster: &Cluster, live: &[Live]) -> Vec<ObservedGroup> {
    let masters = cluster.masters.placed().map(|(member, _)| (masters_group(&member), true, 1));
    let nodes = cluster.nodes.iter().map(|(name, group)| (blueprint::nodes_group(name), false, group.scale.least()));
    let find = |name: &str| live.iter().find(|live| is::<AutoScalingGroup>(live) && live.address.name() == name);
    masters.chain(nodes).map(|(name, masters, wanted)| group(find(&name), name, masters, wanted)).collect()
}

fn group(live: Option<&Live>, name: String, masters: bool, wanted: u32) -> ObservedGroup {
    let machine = |member: &GroupMember| ObservedMachine {
        id: member.id.clone(),
        zone: member.zone.clone(),
        state: member.state.clone(),
    };
    ObservedGroup {
        name,
        masters,
        wanted: usize::try_from(wanted).unwrap_or(usize::MAX),
        machines: live.into_iter().flat_map(|live| &live.members).map(machine).collect(),
        problem: live.and_then(machine_problem),
    }
}

/// Returns what is wrong with the machines of an observed group.
fn machine_problem(group: &Live) -> Option<String> {
    let machines = group.attributes.get("machines").and_then(Value::as_text)?;
    AutoScalingGroup::machine_problem(machines).map(str::to_owned)
}

async fn targets(context: &ClusterContext<'_>, live: &[Live]) -> Result<Vec<BalancerTarget>, CliError> {
    let groups = live.iter().filter(|live| is::<TargetGroup>(live));
    let targets = try_join_all(groups.map(async |live| {
        let targets = patiently(context, || context.cloud.targets(&live.id)).await?;
        Ok(targets.into_iter().map(|target| BalancerTarget {
            group: live.address.name().to_owned(),
            masters: live.address.name() == API,
            instance: target.instance,
            state: target.state,
            reason: target.reason,
        }))
    }));
    let targets: Result<Vec<_>, crate::engine::Failure> = targets.await;
    Ok(targets.map_err(CliError::cloud("asking the load balancers"))?.into_iter().flatten().collect())
}

/// Returns the last report of each machine, which is a file of its own. Without a report, or with one that cannot be read,
/// a machine counts as not reported.
async fn reports<T: DeserializeOwned>(
    context: &ClusterContext<'_>,
    machines: &[&str],
    file: &str,
) -> Result<BTreeMap<String, StatusReport<T>>, CliError> {
    let read = machines.iter().map(async |machine| {
        let key = format!("{}/{}", context.name(), machine_file(machine, file));
        let stored = patiently(context, || context.bucket.get(&key)).await?;
        let report = stored.and_then(|stored| {
            let status = serde_json::from_slice(&stored.bytes).ok()?;
            Some(StatusReport { status, written: stored.written })
        });
        Ok(report.map(|report| ((*machine).to_owned(), report)))
    });
    let read: Result<Vec<_>, crate::engine::Failure> = try_join_all(read).await;
    Ok(read.map_err(CliError::cloud("reading what the machines wrote"))?.into_iter().flatten().collect())
}

async fn api(kubernetes: Option<&KubernetesProvider>) -> ApiState {
    let Some(kubernetes) = kubernetes else { return ApiState::Simulated };
    match kubernetes.census().await {
        Ok(Some(census)) => ApiState::Answered(census),
        Ok(None) => ApiState::Silent("the cluster's API was never created: no apply got that far".to_owned()),
        Err(failure) => ApiState::Silent(failure.message),
    }
}

/// Returns the names of the cluster: those of its records, and its load balancer's if the API has none. Simulated names do
/// not resolve.
async fn names(context: &ClusterContext<'_>, live: &[Live]) -> Vec<DnsName> {
    if context.sandbox {
        return Vec::new();
    }
    let lookups = names_of(live).into_iter().map(async |name| {
        let trouble = match tokio::net::lookup_host((name.as_str(), 443)).await {
            Ok(mut addresses) => addresses.next().is_none().then(|| "it has no address".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        DnsName { name, trouble }
    });
    join_all(lookups).await
}

/// Returns the names, sorted, each once.
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

/// Returns the certificates whose end can be read from here: those of machines are in their reports.
async fn certificates(context: &ClusterContext<'_>) -> Vec<CertificateState> {
    let end = async { crate::pki::end(&context.secrets().certificate().await?).map_err(CliError::from) };
    let end = end.await.map_err(|error| reason(&error));
    vec![CertificateState { name: "the cluster's authority".to_owned(), end }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Address, Attributes, ObjectPhase};

    fn live(address: Address, output: (&str, &str)) -> Live {
        Live {
            address,
            id: String::new(),
            attributes: Attributes::new(),
            outputs: BTreeMap::from([(output.0.to_owned(), output.1.to_owned())]),
            phase: ObjectPhase::Ready,
            proven: true,
            created: None,
            members: Vec::new(),
        }
    }

    #[test]
    fn every_name_of_the_cluster_is_resolved() {
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
