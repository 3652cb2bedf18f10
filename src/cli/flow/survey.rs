//! Everything that a plan is made from, asked for at once.

use std::collections::BTreeMap;

use crate::cli::error::CliError;
use crate::engine::{Address, Live, Phase, Recorded};
use crate::resource::{Facts, Question, is_kubernetes};
use crate::spec::Cluster;
use crate::state::{self, Journal, Record};

use super::Flow;
use super::begin::Tenure;
use super::neighbours::{KnownLocations, Neighbours};
use super::wait::{patiently, settle};

/// What the cloud and the record say.
pub(super) struct Survey {
    pub(super) facts: Facts,
    pub(super) live: Vec<Live>,
    pub(super) record: Option<Record>,
    pub(super) journal: Journal,
    pub(super) locations: KnownLocations,
}

/// Where the record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// In the store, if there is one.
    Stored,
    /// Nowhere: there is no store.
    None,
}

/// As [`survey`], by a run that holds the lease: after one that did not end well, once the cloud has settled.
pub(super) async fn survey_settled(
    flow: &Flow<'_>,
    tenure: &Tenure,
    neighbours: Neighbours,
) -> Result<Survey, CliError> {
    let mut survey = survey(flow, tenure.memory(), neighbours).await?;
    if tenure.took_over() || survey.record.as_ref().is_some_and(|record| record.in_progress.is_some()) {
        survey.live = settle(flow, survey.live).await?;
        survey.recall(flow).await?;
        survey.leave_neighbours(flow, neighbours)?;
    }
    Ok(survey)
}

/// Observes, asks for facts and loads the record, all at the same time.
pub(super) async fn survey(flow: &Flow<'_>, memory: Memory, neighbours: Neighbours) -> Result<Survey, CliError> {
    let question = question(flow.cluster);
    let mut journal = state::open(flow.store.clone(), flow.name());
    let looked = flow
        .interrupt
        .or(async {
            tokio::try_join!(
                async {
                    patiently(flow, || flow.cloud.observe()).await.map_err(CliError::cloud("looking at the cloud"))
                },
                async {
                    let facts = patiently(flow, || flow.cloud.facts(&question)).await;
                    facts.map_err(CliError::cloud("asking for the account's facts"))
                },
                async {
                    match memory {
                        Memory::Stored => journal.load().await.map_err(CliError::state("reading the record")),
                        Memory::None => Ok(None),
                    }
                },
            )
        })
        .await?;
    let (live, facts, record) = looked?;
    let locations = KnownLocations::new(flow, &facts.account, record.as_ref());
    let mut survey = Survey { facts, live, record, journal, locations };
    allowed(flow, &survey)?;
    survey.recall(flow).await?;
    survey.leave_neighbours(flow, neighbours)?;
    Ok(survey)
}

impl Survey {
    /// Takes out what belongs to a cluster of the same name that lives elsewhere, and refuses to go on beside it.
    fn leave_neighbours(&mut self, flow: &Flow<'_>, neighbours: Neighbours) -> Result<(), CliError> {
        let elsewhere = self.locations.elsewhere(flow.name(), &self.live);
        let Some(elsewhere) = elsewhere else { return Ok(()) };
        let refused = match neighbours {
            Neighbours::Refused => true,
            Neighbours::LeftBeside => self.record.is_none(),
            Neighbours::Left => false,
        };
        if refused {
            return Err(self.locations.refusal(flow, &elsewhere));
        }
        self.live.retain(|live| !self.locations.is_elsewhere(flow.name(), live));
        if neighbours == Neighbours::LeftBeside {
            flow.ui.note(&format!("a cluster of the same name lives in {elsewhere}: what belongs to it stays"));
        }
        Ok(())
    }

    /// Adds what the record knows and the look did not show: somebody took its tags away.
    async fn recall(&mut self, flow: &Flow<'_>) -> Result<(), CliError> {
        let Some(record) = &self.record else { return Ok(()) };
        if flow.cloud.silence().is_some() {
            let remembered = record.objects.iter().filter(|(address, _)| is_kubernetes(address.kind()));
            self.live.extend(remembered.map(|(address, recorded)| as_recorded(address, recorded)));
        }
        let seen = |address: &Address, id: &str| self.live.iter().any(|live| live.address == *address && live.id == id);
        let unseen = record.objects.iter().filter(|(address, recorded)| !seen(address, &recorded.id));
        let unseen: BTreeMap<Address, String> =
            unseen.map(|(address, recorded)| (address.clone(), recorded.id.clone())).collect();
        if unseen.is_empty() {
            return Ok(());
        }
        let recalled = flow.interrupt.or(patiently(flow, || flow.cloud.recall(&unseen))).await?;
        self.live.extend(recalled.map_err(CliError::cloud("looking at the cloud"))?);
        Ok(())
    }
}

/// An object as it was after the last apply, for want of a look at it.
fn as_recorded(address: &Address, recorded: &Recorded) -> Live {
    Live {
        address: address.clone(),
        id: recorded.id.clone(),
        attributes: recorded.attributes.clone(),
        outputs: recorded.outputs.clone(),
        phase: Phase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

fn question(cluster: &Cluster) -> Question {
    let masters = std::iter::once(&cluster.masters.size);
    let nodes = cluster.nodes.values().map(|group| &group.size);
    let mut sizes: Vec<String> = masters.chain(nodes).map(ToString::to_string).collect();
    sizes.sort();
    sizes.dedup();
    let masters = std::iter::once((cluster.masters.image.as_ref(), &cluster.masters.size));
    let nodes = cluster.nodes.values().map(|group| (group.image.as_ref(), &group.size));
    let machines: Vec<_> = masters.chain(nodes).collect();
    Question {
        sizes,
        own_images: machines
            .iter()
            .filter_map(|(own, size)| Some((own.as_ref()?.to_string(), size.architecture())))
            .collect(),
        own_images_only: machines.iter().all(|(own, _)| own.is_some()),
        name: cluster.name.to_string(),
    }
}

/// Refuses credentials of another account than the file's.
pub(super) fn own_account(expected: &str, found: &str) -> Result<(), CliError> {
    if expected == found {
        return Ok(());
    }
    Err(CliError::refused(
        format!("the file belongs to account {expected}, and these credentials to account {found}"),
        "use the credentials of that account (AWS_PROFILE), or change `account` in the file",
    ))
}

/// Refuses an account that is not the file's, and a record of another account or region.
fn allowed(flow: &Flow<'_>, survey: &Survey) -> Result<(), CliError> {
    let facts = &survey.facts;
    if let Some(expected) = &flow.cluster.account {
        own_account(expected, &facts.account)?;
    }
    let Some(record) = &survey.record else { return Ok(()) };
    if record.account != facts.account || record.region != facts.region {
        return Err(CliError::refused(
            format!(
                "the record of {} belongs to account {} in {}, and this is account {} in {}",
                flow.name(),
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
