//! `destroy`: everything but the bucket, then what is kept in it, then the bucket, then a last look.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::{Address, Failure, Live, Mode, Outcome, Prepared};
use crate::resource::{
    BY_KUBERNETES, Bucket, Folder, LoadBalancer, Resource, STATE_BUCKET, SecretContent, TargetGroup, Volume,
};
use crate::spec::StateLocation;
use crate::state::{lease_key, record_key};
use crate::view;
use crate::view::outcome::{Left, Remains};
use crate::view::plan::Document;

use super::Flow;
use super::apply::{self, Consent, ask, change};
use super::begin::{Tenure, begin};
use super::book::Book;
use super::draft::draft;
use super::neighbours::{KnownLocations, Neighbours};
use super::pass::Pass;
use super::survey::{Survey, survey_settled};
use super::wait::patiently;

/// How often it is looked whether something is left: what was removed may be seen for a while.
const LOOKS: u32 = 5;
/// How many keys of others are named.
const NAMED: usize = 5;

/// Removes the cluster. Asks for its name; without a question, data goes only if that was allowed too.
pub async fn destroy(flow: &Flow<'_>, consent: Consent) -> Result<Exit, CliError> {
    let mut tenure = begin(flow, "destroy").await?;
    // What controllers made goes with their Kubernetes objects, and for that the API has to be reached.
    let work = async {
        let exit = Box::pin(run(flow, &mut tenure, consent)).await;
        tenure.end(flow).await;
        exit
    };
    Pass::during(flow, false, work).await
}

async fn run(flow: &Flow<'_>, tenure: &mut Tenure, consent: Consent) -> Result<Exit, CliError> {
    let survey = survey_settled(flow, tenure, Neighbours::LeftBeside).await?;
    let draft = draft(flow, &survey, Mode::Destroy).await?;
    let document = draft.document(flow, &survey);
    flow.ui.text(&view::plan::text(&document, flow.ui.style()));
    draft.say_notes(flow);
    if let Err(refused) = permit(flow, &document, consent).await {
        flow.ui.json(&document)?;
        return Err(refused);
    }
    if tenure.is_lost() {
        return Err(CliError::Overtaken);
    }
    let end = demolish(flow, tenure, draft.prepared, survey).await?;
    let left = if end.outcome.is_through() { last_look(flow, &end).await } else { Ok(None) };
    tell(flow, tenure, &document, &end, left)
}

/// Whether the cluster may go: its name, typed, is a word for everything; a flag is only what it says.
async fn permit(flow: &Flow<'_>, document: &Document, consent: Consent) -> Result<(), CliError> {
    let backups = format!("{}/{}", flow.name(), Folder::Snapshots.path());
    let backups = flow.interrupt.or(patiently(flow, || flow.bucket.list(&backups))).await?;
    let backups = backups.map_err(CliError::cloud("looking for snapshots of etcd"))?.len();
    let volumes = document.summary.loses_data.len();
    if document.plan.is_empty() && backups == 0 {
        return Ok(());
    }
    if !consent.yes {
        let question = format!("\nThis removes the whole cluster. Its name (`{}`) goes on: ", flow.name());
        let without = if volumes + backups == 0 { "--yes" } else { "--yes --delete-data" };
        return ask(flow, &question, flow.name(), without).await;
    }
    if volumes + backups > 0 && !consent.delete_data {
        return Err(CliError::refused(
            format!("the cluster holds data ({volumes} volumes, {backups} snapshots), so nothing of it was removed"),
            "say --delete-data as well if etcd's data may go; without --yes, the cluster's name is asked for instead",
        ));
    }
    Ok(())
}

/// How far the removal got.
struct Demolition {
    outcome: Outcome,
    /// The keys of others that keep the bucket.
    others: Vec<String>,
    /// What the record knew, by id.
    recorded: BTreeMap<Address, String>,
    locations: KnownLocations,
    written: bool,
}

async fn demolish(
    flow: &Flow<'_>,
    tenure: &mut Tenure,
    prepared: Prepared,
    survey: Survey,
) -> Result<Demolition, CliError> {
    let (bucket, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
    let stored = matches!(tenure, Tenure::Leased { .. });
    let mut book = Book::open(flow, &survey.facts, survey.record, survey.journal);
    let recorded = book.ids();
    if stored && !rest.plan.is_empty() {
        book.begin(flow, "destroy").await?;
    }
    if !rest.plan.is_empty() {
        release(flow, tenure).await;
    }
    let outcome = pull_down(flow, tenure, rest, &mut book).await;
    let locations = survey.locations;
    let mut end = Demolition { outcome, others: Vec::new(), recorded, locations, written: true };
    if !end.outcome.is_through() {
        end.written = !stored || book.finish(flow, None, true).await;
        return Ok(end);
    }
    if stored {
        match empty_store(flow, tenure, &bucket).await {
            Ok(others) => end.others = others,
            Err(failure) => {
                end.outcome.failed.push((Bucket::address(STATE_BUCKET), failure));
                return Ok(end);
            }
        }
    }
    if end.others.is_empty() && !bucket.plan.is_empty() {
        end.outcome.absorb(change(flow, tenure, &bucket, &book.record.objects, book.seed()).await);
    }
    Ok(end)
}

/// Has the cluster's controllers remove what they made. They need not succeed: it is found by its mark all the same.
async fn release(flow: &Flow<'_>, tenure: &Tenure) {
    if flow.cloud.silence().is_some() {
        return;
    }
    let note = |told: String| flow.ui.note(&told);
    let released = tokio::select! {
        released = flow.interrupt.or(flow.cloud.release(&note)) => released,
        () = tenure.lost() => return,
    };
    if let Ok(Err(failure)) = released {
        flow.ui.note(&format!("the cluster does not remove what its controllers made ({}); going on", failure.message));
    }
}

/// Removes everything but the bucket: first what stands in front of the machines and is not ours to take apart, then all
/// that is ours, then what machines have held until then. Where one of these fails, the next is not begun.
async fn pull_down(flow: &Flow<'_>, tenure: &Tenure, rest: Prepared, book: &mut Book) -> Outcome {
    let stray = |address: &Address, kinds: &[&str]| {
        address.name().starts_with(BY_KUBERNETES) && kinds.contains(&address.kind())
    };
    let fronts = [LoadBalancer::KIND.name, TargetGroup::KIND.name];
    let (front, rest) = rest.split(|address| stray(address, &fronts));
    let (volumes, ours) = rest.split(|address| stray(address, &[Volume::KIND.name]));
    let mut outcome = Outcome::default();
    for stage in [front, ours, volumes].into_iter().filter(|stage| !stage.plan.is_empty()) {
        if !outcome.is_through() {
            outcome.skipped.extend(stage.plan.changes.into_iter().map(|change| change.address));
            continue;
        }
        let ended = change(flow, tenure, &stage, &book.record.objects, book.seed()).await;
        book.note(&ended);
        outcome.absorb(ended);
    }
    outcome
}

/// Removes what machines wrote and started from, the record, and last the lease; then looks which keys of others keep the
/// bucket.
///
/// Nothing is removed without the lease in hand: it is confirmed each time, and stands until everything else is gone, so
/// that no other run can slip in between.
async fn empty_store(flow: &Flow<'_>, tenure: &mut Tenure, bucket: &Prepared) -> Result<Vec<String>, Failure> {
    tenure.seal().await;
    for &folder in Folder::ALL {
        match folder {
            // Another tool's keys may stand beside ours.
            Folder::Pki => erase_secrets(flow, tenure).await?,
            Folder::Bootstrap | Folder::Nodes | Folder::Snapshots => {
                tenure.confirm().await?;
                let prefix = format!("{}/{}", flow.name(), folder.path());
                patiently(flow, || flow.bucket.purge(&prefix)).await?;
            }
        }
    }
    for key in [record_key(flow.name()), lease_key(flow.name())] {
        tenure.confirm().await?;
        patiently(flow, || flow.store.erase(&key)).await?;
    }
    // The lease went by our own hand: there is nothing to give back, and soon no place to give it back to.
    *tenure = Tenure::NoStore;
    // Where the store is a directory, what others keep in it is not in the bucket.
    if !bucket.plan.is_empty() && matches!(flow.cluster.state, StateLocation::S3 { .. }) {
        return patiently(flow, || flow.store.leftovers()).await;
    }
    Ok(Vec::new())
}

async fn erase_secrets(flow: &Flow<'_>, tenure: &Tenure) -> Result<(), Failure> {
    for secret in SecretContent::ALL {
        tenure.confirm().await?;
        let key = format!("{}/{}", flow.name(), secret.path());
        patiently(flow, || flow.bucket.erase(&key)).await?;
    }
    Ok(())
}

/// Looks afresh: what the cluster's marks show, and what the record knew. The bucket that others use may stay.
async fn last_look(flow: &Flow<'_>, end: &Demolition) -> Result<Option<Vec<Live>>, CliError> {
    let mut left = Vec::new();
    for look in 0..LOOKS {
        if look > 0 {
            flow.interrupt.or(tokio::time::sleep(flow.retry.settle)).await?;
        }
        left = flow.interrupt.or(remains(flow, end)).await?.map_err(CliError::cloud("the last look"))?;
        if left.iter().all(|live| stays(end, live)) {
            break;
        }
    }
    Ok(Some(left))
}

async fn remains(flow: &Flow<'_>, end: &Demolition) -> Result<Vec<Live>, Failure> {
    let mut live = patiently(flow, || flow.cloud.observe()).await?;
    live.extend(patiently(flow, || flow.cloud.recall(&end.recorded)).await?);
    live.extend(patiently(flow, || flow.cloud.strays()).await?);
    live.retain(|live| live.proven || end.recorded.get(&live.address) == Some(&live.id));
    live.retain(|live| !end.locations.is_elsewhere(flow.name(), live));
    // The bucket is found by its name, and again by the record.
    let mut seen = BTreeSet::new();
    live.retain(|live| seen.insert((live.address.clone(), live.id.clone())));
    Ok(live)
}

/// Whether something is left on purpose: the bucket that others use, or of which only the record said that it is ours.
fn stays(end: &Demolition, live: &Live) -> bool {
    live.address.kind() == Bucket::KIND.name && (!end.others.is_empty() || !live.proven)
}

/// Says what became of the plan, and what is left.
fn tell(
    flow: &Flow<'_>,
    tenure: &Tenure,
    document: &Document,
    end: &Demolition,
    left: Result<Option<Vec<Live>>, CliError>,
) -> Result<Exit, CliError> {
    let (left, unknown) = match left {
        Ok(left) => (left, None),
        Err(error) => (None, Some(error)),
    };
    let remains = left.as_ref().map(|left| Remains { left: left.iter().map(|live| remaining(end, live)).collect() });
    let told = view::outcome::Document::new(document, &end.outcome).with(remains);
    flow.ui.document(&told, |style| view::outcome::text(&told, style))?;
    let through = apply::end(flow, tenure, &end.outcome, end.written);
    if let Some(error) = unknown {
        flow.ui.warning("nobody looked whether something is left: `quorate plan --destroy` tells");
        return if matches!(error, CliError::Interrupted) { Ok(Exit::Interrupted) } else { Err(error) };
    }
    let forgotten = left.iter().flatten().any(|live| !stays(end, live));
    Ok(if through == Exit::Done && forgotten { Exit::Error } else { through })
}

fn remaining(end: &Demolition, live: &Live) -> Left {
    let because = stays(end, live).then(|| {
        if end.others.is_empty() {
            return "its tags were taken away, so nothing shows that it is the cluster's: if it is, remove it by hand"
                .to_owned();
        }
        let named: Vec<&str> = end.others.iter().take(NAMED).map(String::as_str).collect();
        let more = if end.others.len() > NAMED { " and more" } else { "" };
        format!("others keep something in it: {}{more}", named.join(", "))
    });
    Left { address: live.address.clone(), id: live.id.clone(), because }
}
