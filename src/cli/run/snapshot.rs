//! Everything that a plan is made from, queried at the same time.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::blueprint::{self, Pins};
use crate::cli::error::CliError;
use crate::engine::{Address, Failure, Live, ObjectPhase, Observation, RecordedObject};
use crate::resource::{Facts, FactsQuery, KnownFacts, is_kubernetes};
use crate::spec::{Cluster, NodeGroup};
use crate::state::{self, ClusterRecord, RecordJournal};

use super::ClusterContext;
use super::claim;
use super::foreign_cluster::{ForeignClusterPolicy, KnownLocations};
use super::run_lock::{RecordSource, RunLock, own_account};
use super::wait::{patiently, wait_until_stable};

/// The state of the cloud and the record.
pub(in crate::cli) struct ClusterSnapshot {
    pub(in crate::cli) facts: Facts,
    pub(in crate::cli) live: Vec<Live>,
    /// The failure of the Kubernetes API, if it did not answer: `live` has its objects as they are in the record.
    pub(in crate::cli) unreachable: Option<Failure>,
    pub(in crate::cli) record: Option<ClusterRecord>,
    pub(in crate::cli) journal: RecordJournal,
    pub(in crate::cli) locations: KnownLocations,
}

/// Like [`snapshot`], for a run that holds the lease: waits until the cloud has settled if the previous run did not finish.
pub(in crate::cli) async fn snapshot_when_stable(
    context: &ClusterContext<'_>,
    lock: &RunLock,
    foreign: ForeignClusterPolicy,
) -> Result<ClusterSnapshot, CliError> {
    let mut snapshot = snapshot(context, lock.record_source(), foreign).await?;
    if lock.took_over() || snapshot.record.as_ref().is_some_and(|record| record.in_progress.is_some()) {
        let stable = wait_until_stable(context, Observation { live: snapshot.live, unreachable: snapshot.unreachable });
        Observation { live: snapshot.live, unreachable: snapshot.unreachable } = stable.await?;
        snapshot.recall(context).await?;
        snapshot.skip_foreign_objects(context, foreign)?;
    }
    Ok(snapshot)
}

/// Observes the cloud, queries facts and loads the record, all at the same time.
pub(in crate::cli) async fn snapshot(
    context: &ClusterContext<'_>,
    source: RecordSource,
    foreign: ForeignClusterPolicy,
) -> Result<ClusterSnapshot, CliError> {
    context.cloud.expect(blueprint::optional_kinds(&context.cluster));
    let mut journal = state::open(context.store.clone(), context.name());
    let observed = context
        .interrupt
        .or(async {
            tokio::try_join!(
                async {
                    patiently(context, || context.cloud.observe()).await.map_err(CliError::cloud("observing AWS"))
                },
                async {
                    let record = match source {
                        RecordSource::Stored => journal.load().await.map_err(CliError::state("reading the record"))?,
                        RecordSource::None => None,
                    };
                    let question = question_after(&context.cluster, record.as_ref());
                    let facts = patiently(context, || context.cloud.facts(&question)).await;
                    Ok((facts.map_err(CliError::cloud("asking for the account's facts"))?, record))
                },
            )
        })
        .await?;
    let (Observation { live, unreachable }, (facts, record)) = observed?;
    let locations = KnownLocations::new(context, &facts.account, record.as_ref());
    let mut snapshot = ClusterSnapshot { facts, live, unreachable, record, journal, locations };
    allowed(context, &snapshot)?;
    snapshot.recall(context).await?;
    snapshot.skip_foreign_objects(context, foreign)?;
    if foreign != ForeignClusterPolicy::Left {
        claim::check(context, snapshot.record.as_ref()).await?;
    }
    Ok(snapshot)
}

impl ClusterSnapshot {
    /// Removes objects of a cluster of the same name at another location, or returns an error if the run is refused beside it.
    fn skip_foreign_objects(
        &mut self,
        context: &ClusterContext<'_>,
        foreign: ForeignClusterPolicy,
    ) -> Result<(), CliError> {
        let elsewhere = self.locations.elsewhere(context.name(), &self.live);
        let Some(elsewhere) = elsewhere else { return Ok(()) };
        let refused = match foreign {
            ForeignClusterPolicy::Refused => true,
            ForeignClusterPolicy::LeftBeside => self.record.is_none(),
            ForeignClusterPolicy::Left => false,
        };
        if refused {
            return Err(self.locations.refusal(context, &elsewhere));
        }
        self.live.retain(|live| !self.locations.is_elsewhere(context.name(), live));
        if foreign == ForeignClusterPolicy::LeftBeside {
            context.ui.note(&format!("a cluster of the same name exists in {elsewhere}: its objects are not touched"));
        }
        Ok(())
    }

    /// Adds objects that the record contains and the observation did not find, because their tags were removed.
    async fn recall(&mut self, context: &ClusterContext<'_>) -> Result<(), CliError> {
        let Some(record) = &self.record else { return Ok(()) };
        if self.unreachable.is_some() {
            self.live.extend(unobserved(record, &self.live));
        }
        let is_observed =
            |address: &Address, id: &str| self.live.iter().any(|live| live.address == *address && live.id == id);
        let unobserved_ids = record.objects.iter().filter(|(address, recorded)| !is_observed(address, &recorded.id));
        let unobserved_ids: BTreeMap<Address, String> =
            unobserved_ids.map(|(address, recorded)| (address.clone(), recorded.id.clone())).collect();
        if unobserved_ids.is_empty() {
            return Ok(());
        }
        let recalled = context.interrupt.or(patiently(context, || context.cloud.recall(&unobserved_ids))).await?;
        let recalled = recalled.map_err(CliError::cloud("observing AWS"))?;
        self.live.extend(recalled.live);
        if recalled.unreachable.is_some() {
            self.unreachable = recalled.unreachable;
            self.live.extend(unobserved(record, &self.live));
        }
        Ok(())
    }
}

/// Returns the recorded Kubernetes objects that were not observed, as they were after the last apply.
fn unobserved(record: &ClusterRecord, live: &[Live]) -> Vec<Live> {
    let is_observed = |address: &Address| live.iter().any(|live| live.address == *address);
    let unobserved =
        record.objects.iter().filter(|(address, _)| is_kubernetes(address.kind()) && !is_observed(address));
    unobserved.map(|(address, recorded)| as_recorded(address, recorded)).collect()
}

/// Returns an object as it was after the last apply, because it cannot be observed.
fn as_recorded(address: &Address, recorded: &RecordedObject) -> Live {
    Live {
        address: address.clone(),
        id: recorded.id.clone(),
        attributes: recorded.attributes.clone(),
        outputs: recorded.outputs.clone(),
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

/// Returns the query for the facts of the account that a cluster needs.
pub(in crate::cli) fn question(cluster: &Cluster) -> FactsQuery {
    let masters = std::iter::once(&cluster.masters.size);
    let nodes = cluster.nodes.values().flat_map(NodeGroup::sizes);
    let mut sizes: Vec<String> = masters.chain(nodes).map(ToString::to_string).collect();
    sizes.sort();
    sizes.dedup();
    let masters = std::iter::once((cluster.masters.image.as_ref(), &cluster.masters.size));
    let nodes = cluster.nodes.values().map(|group| (group.image.as_ref(), &group.size));
    let machines: Vec<_> = masters.chain(nodes).collect();
    FactsQuery {
        sizes,
        own_images: machines
            .iter()
            .filter_map(|(own, size)| Some((own.as_ref()?.to_string(), size.architecture())))
            .collect(),
        skips_images: machines.iter().all(|(own, _)| own.is_some()),
        name: cluster.name.to_string(),
        known: None,
    }
}

/// Returns the query for the facts that the record does not answer.
fn question_after(cluster: &Cluster, record: Option<&ClusterRecord>) -> FactsQuery {
    let question = question(cluster);
    let zones: Vec<String> = cluster.zones.iter().map(ToString::to_string).collect();
    // A record of another release may hold facts or choices that this one cannot read: then it asks.
    let here = record.filter(|record| record.region == cluster.region);
    let known = here.and_then(|record| KnownFacts::deserialize(&record.facts).ok());
    let Some(known) = known.filter(|known| known.covers(&question.sizes, &zones)) else { return question };
    let pins = record.and_then(|record| Pins::deserialize(&record.pins).ok()).unwrap_or_default();
    let has_image =
        |size: &String| known.sizes.get(size).is_some_and(|size| pins.images.contains_key(&size.architecture));
    let skips_images = question.skips_images || question.sizes.iter().all(has_image);
    FactsQuery { skips_images, known: Some(known), ..question }
}

/// Refuses an account that is not the file's, and a record of another account or region.
fn allowed(context: &ClusterContext<'_>, snapshot: &ClusterSnapshot) -> Result<(), CliError> {
    let facts = &snapshot.facts;
    if let Some(expected) = &context.cluster.account {
        own_account(expected, &facts.account)?;
    }
    let Some(record) = &snapshot.record else { return Ok(()) };
    if record.account != facts.account || record.region != facts.region {
        return Err(CliError::refused(
            format!(
                "the record of {} belongs to account {} in {}, and this is account {} in {}",
                context.name(),
                record.account,
                record.region,
                facts.account,
                facts.region
            ),
            "destroy the cluster there first, or give this one another name or another `state`",
        ));
    }
    Ok(())
}
