//! `apply`: look, compare, show, ask, change, write down.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::{self, Action, Address, Mode, Outcome, Prepared, Recorded};
use crate::resource::{Bucket, Facts, Kinds, Resource};
use crate::state::{Journal, Record};
use crate::view;
use crate::view::failure::Report;
use crate::view::plan::Document;

use super::Flow;
use super::begin::{Tenure, begin};
use super::book::{Book, Settled};
use super::draft::draft;
use super::neighbours::Neighbours;
use super::pass::Pass;
use super::survey::survey_settled;
use super::validate::attend;

/// How often the lease is asked for in a store that was made a moment ago.
const NEW_STORE: u32 = 10;

/// What is allowed without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent {
    /// The plan, whatever it is.
    pub yes: bool,
    /// That data is lost.
    pub delete_data: bool,
}

/// Makes the cloud match the file.
pub async fn apply(flow: &Flow<'_>, consent: Consent) -> Result<Exit, CliError> {
    let mut tenure = begin(flow, "apply").await?;
    let work = async {
        let ran = Box::pin(run(flow, &mut tenure, consent)).await;
        // Nothing is changed while we wait: others may work.
        tenure.end(flow).await;
        let Ran { exit, changed } = ran?;
        match flow.clinic.filter(|_| exit == Exit::Done) {
            Some(clinic) => Box::pin(attend(flow, clinic, changed)).await,
            None => Ok(exit),
        }
    };
    Pass::during(flow, true, work).await
}

/// A run that came to its end.
struct Ran {
    exit: Exit,
    /// Whether there was anything to change.
    changed: bool,
}

async fn run(flow: &Flow<'_>, tenure: &mut Tenure, consent: Consent) -> Result<Ran, CliError> {
    let survey = survey_settled(flow, tenure, Neighbours::Refused).await?;
    let draft = draft(flow, &survey, Mode::Apply).await?;
    let document = draft.document(flow, &survey);
    flow.ui.text(&view::plan::text(&document, flow.ui.style()));
    draft.say_notes(flow);
    let settled = draft.pins.as_ref().map(|pins| Settled::new(flow, pins)).transpose()?;
    let (facts, record, journal) = (survey.facts, survey.record, survey.journal);
    let plan = Agreed { document, prepared: draft.prepared, settled };
    if plan.document.plan.is_empty() {
        let exit = nothing_to_do(flow, tenure, &plan, record, journal).await?;
        return Ok(Ran { exit, changed: false });
    }
    if let Err(refused) = permit(flow, &plan.document, consent).await {
        flow.ui.json(&plan.document)?;
        return Err(refused);
    }
    let exit = carry_out(flow, tenure, plan, &facts, record, journal).await?;
    Ok(Ran { exit, changed: true })
}

/// A plan that somebody agreed to.
struct Agreed {
    document: Document,
    prepared: Prepared,
    settled: Option<Settled>,
}

async fn carry_out(
    flow: &Flow<'_>,
    tenure: &mut Tenure,
    plan: Agreed,
    facts: &Facts,
    record: Option<Record>,
    journal: Journal,
) -> Result<Exit, CliError> {
    let Agreed { document, mut prepared, settled } = plan;
    let mut outcome = Outcome::default();
    if matches!(tenure, Tenure::NoStore) {
        let (store, rest) = prepared.split(|address| address.kind() == Bucket::KIND.name);
        outcome = change(flow, tenure, &store, &BTreeMap::new(), flow.holder.run.clone()).await;
        if !outcome.is_through() {
            return finish(flow, tenure, &document, &outcome, true);
        }
        prepared = rest;
    }
    let mut book = Book::open(flow, facts, record, journal);
    if let Err(error) = open_up(flow, tenure, &mut book, &outcome, settled.as_ref()).await {
        if outcome.done.is_empty() {
            return Err(error);
        }
        if matches!(error, CliError::Interrupted) {
            outcome.interrupted = true;
            return finish(flow, tenure, &document, &outcome, true);
        }
        // The bucket was made: that is said, and why it went no further.
        let exit = finish(flow, tenure, &document, &outcome, false)?;
        flow.ui.report(&error.report());
        // Two first applies make the bucket; the one that was slower changes nothing more.
        return Ok(if error.exit() == Exit::Held { Exit::Held } else { exit });
    }
    let rest = change(flow, tenure, &prepared, &book.record.objects, book.seed()).await;
    book.note(&rest);
    let written = book.finish(flow, settled.as_ref(), rest.is_through()).await;
    outcome.absorb(rest);
    finish(flow, tenure, &document, &outcome, written)
}

/// Writes down that a run begins, with the lease in hand, and what it rests on: before anything is made from it, as a
/// killed run must not choose again.
async fn open_up(
    flow: &Flow<'_>,
    tenure: &mut Tenure,
    book: &mut Book,
    made: &Outcome,
    settled: Option<&Settled>,
) -> Result<(), CliError> {
    if matches!(tenure, Tenure::NoStore) {
        // Should another run have been faster, the record is no longer absent, and writing ours is refused.
        *tenure = lease_in_new_store(flow).await?;
    }
    if tenure.is_lost() {
        return Err(CliError::Overtaken);
    }
    book.record.objects.extend(made.recorded.clone());
    if let Some(settled) = settled {
        book.pin(settled);
    }
    book.begin(flow, "apply").await
}

/// Carries a plan out while the lease is ours.
pub(super) async fn change(
    flow: &Flow<'_>,
    tenure: &Tenure,
    prepared: &Prepared,
    recorded: &BTreeMap<Address, Recorded>,
    seed: String,
) -> Outcome {
    let options = flow.options(seed);
    // A replacement finishes twice: the new object is made, the old one is gone.
    let changes = prepared.plan.changes.len() + prepared.plan.count(Action::Replace);
    let listener = flow.ui.listener(changes);
    let work = engine::apply(flow.cloud, &Kinds, prepared, recorded, &options, listener.as_ref());
    while_leased(flow, tenure, &options.stop, work).await
}

async fn while_leased<T>(
    flow: &Flow<'_>,
    tenure: &Tenure,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = tenure.lost() => {
            flow.ui.warning("the lease is lost: another run may have begun. Nothing new is started.");
            stop.cancel();
        }
    }
    work.await
}

/// The lease in a bucket that exists for a moment only: S3 may not show it everywhere yet.
async fn lease_in_new_store(flow: &Flow<'_>) -> Result<Tenure, CliError> {
    for _ in 0..NEW_STORE {
        match begin(flow, "apply").await? {
            Tenure::NoStore => flow.interrupt.or(tokio::time::sleep(flow.retry.settle)).await?,
            tenure @ Tenure::Leased { .. } => return Ok(tenure),
        }
    }
    Err(CliError::refused(
        format!("{} was made, but it does not answer yet", flow.store.location()),
        "run the command again in a minute",
    ))
}

/// Whether the plan may be carried out: by its nature, and by somebody's word.
async fn permit(flow: &Flow<'_>, document: &Document, consent: Consent) -> Result<(), CliError> {
    if document.summary.refuse > 0 {
        return Err(CliError::refused(
            "the plan holds changes that cannot be made, so none of it was applied",
            "the reasons stand above, each with the way out",
        ));
    }
    if !document.summary.loses_data.is_empty() && !consent.delete_data {
        return Err(CliError::refused(
            "the plan loses data, so none of it was applied",
            "put the objects back into the file, or say --delete-data if the data may go",
        ));
    }
    if consent.yes {
        return Ok(());
    }
    let question = "\nApply these changes? Only `yes` goes on: ";
    ask(flow, question, "yes", "--yes").await
}

/// Asks, and goes on only with exactly the one answer.
pub(super) async fn ask(flow: &Flow<'_>, question: &str, wanted: &str, without: &str) -> Result<(), CliError> {
    if !flow.ui.can_ask() {
        return Err(CliError::refused(
            "nothing was changed: there is nobody to ask",
            format!("say {without} when you want it without a question"),
        ));
    }
    match flow.interrupt.or(flow.ui.ask(question)).await? {
        Some(answer) if answer == wanted => Ok(()),
        _ => Err(CliError::refused(format!("nothing was changed: the answer was not `{wanted}`"), "")),
    }
}

/// An empty plan may still leave something to write down: what a dead run began, what is no longer in the file, or
/// words of the file that change no object.
async fn nothing_to_do(
    flow: &Flow<'_>,
    tenure: &Tenure,
    plan: &Agreed,
    record: Option<Record>,
    journal: Journal,
) -> Result<Exit, CliError> {
    let Some(record) = record else {
        tell(flow, &plan.document, &Outcome::default())?;
        return Ok(Exit::Done);
    };
    let options = flow.options(String::new());
    let outcome = engine::apply(flow.cloud, &Kinds, &plan.prepared, &record.objects, &options, &engine::Silent).await;
    tell(flow, &plan.document, &outcome)?;
    let told = plan.settled.as_ref().is_none_or(|settled| settled.is_in(&record));
    if (told && outcome.recorded == record.objects && record.in_progress.is_none()) || tenure.is_lost() {
        return Ok(Exit::Done);
    }
    let mut book = Book { record, journal };
    book.note(&outcome);
    let written = book.finish(flow, plan.settled.as_ref(), outcome.is_through()).await;
    Ok(if written { Exit::Done } else { Exit::Error })
}

/// Says what became of the plan.
fn finish(
    flow: &Flow<'_>,
    tenure: &Tenure,
    document: &Document,
    outcome: &Outcome,
    written: bool,
) -> Result<Exit, CliError> {
    tell(flow, document, outcome)?;
    Ok(end(flow, tenure, outcome, written))
}

fn tell(flow: &Flow<'_>, document: &Document, outcome: &Outcome) -> Result<(), CliError> {
    let told = view::outcome::Document::new(document, outcome);
    flow.ui.document(&told, |style| view::outcome::text(&told, style))
}

/// Says what failed, or what stopped it; and how the program ends after that.
pub(super) fn end(flow: &Flow<'_>, tenure: &Tenure, outcome: &Outcome, written: bool) -> Exit {
    let overtaken = tenure.is_lost() && !(outcome.is_through() && written);
    if overtaken {
        let report = Report { failures: view::outcome::failures(outcome), ..CliError::Overtaken.report() };
        flow.ui.report(&report);
    } else if let Some(report) = view::outcome::report(outcome) {
        flow.ui.report(&report);
    }
    if overtaken {
        Exit::Held
    } else if outcome.interrupted && flow.interrupt.stop.is_cancelled() && written {
        Exit::Interrupted
    } else if outcome.is_through() && written {
        Exit::Done
    } else if outcome.done.is_empty() && written {
        Exit::Error
    } else {
        Exit::Partly
    }
}
