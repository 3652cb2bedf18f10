//! `destroy`: everything but the bucket, then what is kept in it, then the bucket, then a last look.

use std::collections::BTreeSet;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::{Address, Live, Mode, Outcome, Prepared};
use crate::resource::{Bucket, Resource, SecretContent};
use crate::spec::StateLocation;
use crate::view;
use crate::view::plan::Document;

use super::Flow;
use super::apply::{ask, change, finish};
use super::begin::{Tenure, begin};
use super::book::Book;
use super::draft::draft;
use super::survey::{Survey, survey};
use super::wait::{patiently, settle};

/// What a cluster keeps in its store, below its name, beside its secrets. Whatever else is there is somebody else's:
/// another tool may use the same name.
const OURS: [&str; 3] = ["bootstrap/", "state.json", "state.lock"];
/// How often it is looked whether something is left: what was removed may be seen for a while.
const LOOKS: u32 = 5;
/// How many keys of others are named.
const NAMED: usize = 5;

/// Removes the cluster. Asks for its name unless `yes`.
pub async fn destroy(flow: &Flow<'_>, yes: bool) -> Result<Exit, CliError> {
    let tenure = begin(flow, "destroy").await?;
    let exit = run(flow, &tenure, yes).await;
    tenure.end(flow).await;
    exit
}

async fn run(flow: &Flow<'_>, tenure: &Tenure, yes: bool) -> Result<Exit, CliError> {
    let mut survey = survey(flow, tenure.memory()).await?;
    if tenure.took_over() || survey.record.as_ref().is_some_and(|record| record.in_progress.is_some()) {
        survey.live = settle(flow, survey.live).await?;
    }
    let draft = draft(flow, &survey, Mode::Destroy)?;
    let document = draft.document(flow, &survey);
    flow.ui.text(&view::plan::text(&document, flow.ui.style()));
    if !document.plan.is_empty() && !yes {
        let question = format!("\nThis removes the whole cluster. Its name (`{}`) goes on: ", flow.name());
        ask(flow, &question, flow.name(), "--yes").await?;
    }
    if tenure.is_lost() {
        return Err(CliError::refused("the lease is lost: another run may have begun", "run the command again"));
    }
    demolish(flow, tenure, &document, draft.prepared, survey).await
}

async fn demolish(
    flow: &Flow<'_>,
    tenure: &Tenure,
    document: &Document,
    prepared: Prepared,
    survey: Survey,
) -> Result<Exit, CliError> {
    if survey.record.is_none() && document.plan.is_empty() {
        let exit = finish(flow, tenure, document, &Outcome::default(), true)?;
        return last_look(flow, &BTreeSet::new(), &Kept::Nothing, exit).await;
    }
    let (bucket, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
    let stored = matches!(tenure, Tenure::Leased { .. });
    let mut book = Book::open(flow, &survey.facts, survey.record, survey.journal);
    if stored && !rest.plan.is_empty() {
        book.begin(flow, "destroy").await?;
    }
    let mut outcome = change(flow, tenure, &rest, &book.record.objects, book.seed()).await;
    let ours: BTreeSet<String> = book.record.objects.values().map(|recorded| recorded.id.clone()).collect();
    book.note(&outcome);
    if !outcome.failed.is_empty() || outcome.interrupted {
        let written = !stored || book.finish(flow, None).await?;
        return finish(flow, tenure, document, &outcome, written);
    }
    let kept = if stored { empty_store(flow, &bucket).await? } else { Kept::Nothing };
    if matches!(kept, Kept::Nothing) && !bucket.plan.is_empty() {
        let removed = change(flow, tenure, &bucket, &book.record.objects, book.seed()).await;
        outcome.done.extend(removed.done);
        outcome.failed.extend(removed.failed);
        outcome.interrupted |= removed.interrupted;
    }
    let exit = finish(flow, tenure, document, &outcome, true)?;
    last_look(flow, &ours, &kept, exit).await
}

/// Whose keys keep the bucket.
enum Kept {
    Nothing,
    Bucket(Address),
}

/// Removes the record, the lease and what machines started from; then looks whether others use the bucket.
async fn empty_store(flow: &Flow<'_>, bucket: &Prepared) -> Result<Kept, CliError> {
    let secrets = SecretContent::ALL.map(SecretContent::path);
    for ours in OURS.into_iter().chain(secrets.iter().map(String::as_str)) {
        let prefix = format!("{}/{ours}", flow.name());
        patiently(flow, || flow.store.purge(&prefix)).await.map_err(CliError::cloud("emptying the store"))?;
    }
    let Some(change) = bucket.plan.changes.first() else { return Ok(Kept::Nothing) };
    if !matches!(flow.cluster.state, StateLocation::S3 { .. }) {
        // The store is a directory: what others keep in it is not in the bucket.
        return Ok(Kept::Nothing);
    }
    let keys =
        patiently(flow, || flow.store.list("")).await.map_err(CliError::cloud("looking what is left in the store"))?;
    if keys.is_empty() {
        return Ok(Kept::Nothing);
    }
    let named: Vec<&str> = keys.iter().take(NAMED).map(String::as_str).collect();
    let more = if keys.len() > NAMED { format!(" and {} more", keys.len() - NAMED) } else { String::new() };
    flow.ui.note(&format!(
        "{} stays, because others keep something in it: {}{more}",
        flow.store.location(),
        named.join(", ")
    ));
    Ok(Kept::Bucket(change.address.clone()))
}

/// Looks afresh, and says what is left.
async fn last_look(flow: &Flow<'_>, recorded: &BTreeSet<String>, kept: &Kept, exit: Exit) -> Result<Exit, CliError> {
    let mut left = Vec::new();
    for look in 0..LOOKS {
        if look > 0 {
            flow.interrupt.or(tokio::time::sleep(flow.retry.settle)).await?;
        }
        let live = patiently(flow, || flow.cloud.observe()).await.map_err(CliError::cloud("looking at the cloud"))?;
        left = live.into_iter().filter(|live| is_left(live, recorded, kept)).collect();
        if left.is_empty() {
            flow.ui.text("0 resources left.\n");
            return Ok(exit);
        }
    }
    flow.ui.text(&view::show::left(&left, flow.ui.style()));
    Ok(if exit == Exit::Done { Exit::Error } else { exit })
}

fn is_left(live: &Live, recorded: &BTreeSet<String>, kept: &Kept) -> bool {
    let stays = matches!(kept, Kept::Bucket(address) if *address == live.address);
    let shared = live.address.kind() == Bucket::KIND.name && !live.proven;
    !stays && !shared && (live.proven || recorded.contains(&live.id))
}
