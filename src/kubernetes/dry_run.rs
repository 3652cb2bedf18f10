//! The result of applying objects now, by the server's dry run.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use super::client::{ApiConnection, ApplyMode, HEIR};
use super::failure::{ApiRefusal, is_alone};
use super::live::{as_live, ours};
use super::object_ref::{JsonObject, ObjectRef};
use super::provider::{ABREAST, sent};
use crate::engine::{Address, Attributes, DryRun, Failure, FailureClass, Live, Object, ObjectPhase, repeat};
use crate::resource::{ApiType, fields};

/// Maximum number of reads of one object.
const ATTEMPTS: u32 = 3;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// Maximum number of objects that one note names.
const NAMED: usize = 3;

/// The result for one object.
struct DryRunAnswer {
    object: Object,
    conflicting: Option<Live>,
    refused: Option<String>,
    notes: Vec<String>,
    /// The part of the result that is unknown because the server failed.
    failed: Option<(DryRunGap, String)>,
}

/// The unknown part of a result, with the reason.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum DryRunGap {
    /// The existence of the object.
    Presence(String),
    /// The result of the apply.
    Outcome(String),
}

/// Asks the server about every object. An unknown result for one of them (its admission webhook is down, its namespace is
/// being deleted) is reported, and does not stop the results for the others.
pub(super) async fn dry_run_all(
    connection: &ApiConnection,
    cluster: &str,
    objects: Vec<Object>,
    live: &[Live],
) -> Result<DryRun, Failure> {
    let mut there: BTreeMap<&Address, Vec<&Live>> = BTreeMap::new();
    for live in live {
        there.entry(&live.address).or_default().push(live);
    }
    let asked = objects.into_iter().map(|object| {
        let known = there.get(&object.address).map(Vec::as_slice).unwrap_or_default();
        ask(connection, cluster, object, known)
    });
    let mut answers: Vec<DryRunAnswer> =
        futures_util::stream::iter(asked).buffer_unordered(ABREAST).try_collect().await?;
    answers.sort_by(|one, other| one.object.address.cmp(&other.object.address));
    let mut dry_run = DryRun::default();
    let mut failed: BTreeMap<DryRunGap, Vec<String>> = BTreeMap::new();
    for answer in answers {
        dry_run.refused.extend(answer.refused.map(|message| (answer.object.address.clone(), message)));
        dry_run.objects.push(answer.object);
        dry_run.conflicting.extend(answer.conflicting);
        dry_run.notes.extend(answer.notes);
        if let Some((gap, place)) = answer.failed {
            failed.entry(gap).or_default().push(place);
        }
    }
    dry_run.notes.extend(failed.iter().map(|(gap, places)| gap.note(places)));
    Ok(dry_run)
}

/// Asks the server about one object; `known` are the objects that were observed.
async fn ask(
    connection: &ApiConnection,
    cluster: &str,
    object: Object,
    known: &[&Live],
) -> Result<DryRunAnswer, Failure> {
    let mut answer = DryRunAnswer { object, conflicting: None, refused: None, notes: Vec::new(), failed: None };
    let (place, manifest) = match sent(connection, &answer.object).await {
        Ok(Some(sent)) => sent,
        // Its type is created by the same apply: nothing more is known yet.
        Ok(None) => return Ok(answer),
        Err(failure) if is_alone(&failure) => {
            answer.failed = Some((DryRunGap::Outcome(failure.message), answer.object.address.to_string()));
            return Ok(answer);
        }
        Err(failure) => return Err(failure),
    };
    if !known.iter().any(|live| live.id == place.to_string()) {
        let there = match observe(connection, &place).await {
            // Objects of its type were listed, and it was not among them: it is created, or turns out to belong to
            // others.
            Err(failure) if is_alone(&failure) && is_built_in(&place.api) => {
                answer.failed = Some((DryRunGap::Outcome(failure.message), place.to_string()));
                return Ok(answer);
            }
            Err(failure) if is_alone(&failure) => {
                answer.failed = Some((DryRunGap::Presence(failure.message), place.to_string()));
                // An object that was found elsewhere is not a second one.
                answer.conflicting = known.is_empty().then(|| as_wanted(&answer.object, &place));
                return Ok(answer);
            }
            there => there?,
        };
        if let Some(there) = there
            && !is_free(cluster, &mut answer, known, &place, &there)
        {
            return Ok(answer);
        }
    }
    dry_run_one(connection, &mut answer, known, &place, &manifest).await?;
    Ok(answer)
}

/// Returns one object, if it exists; retries while the failure is temporary.
pub(super) async fn observe(connection: &ApiConnection, place: &ObjectRef) -> Result<Option<JsonObject>, Failure> {
    repeat(ATTEMPTS, |attempt| PAUSE * attempt, || connection.get(place)).await
}

fn is_built_in(api: &ApiType) -> bool {
    ApiType::find(&api.api_version, &api.kind).is_some()
}

/// Returns `true` if an object may be applied where an object exists that was not observed.
fn is_free(cluster: &str, answer: &mut DryRunAnswer, known: &[&Live], place: &ObjectRef, there: &JsonObject) -> bool {
    let marked = ours(cluster, there);
    if marked.is_none() && !known.is_empty() {
        answer.refused = Some(format!("{place} exists already, and nothing shows that this cluster made it"));
        return false;
    }
    // One of ours that was called otherwise stays, under its new name.
    answer.conflicting = as_live(&place.api, there, answer.object.address.clone(), marked.is_some());
    marked.is_some()
}

/// Returns an object that cannot be read as unchanged: its existence is unknown.
fn as_wanted(object: &Object, place: &ObjectRef) -> Live {
    Live {
        address: object.address.clone(),
        id: place.to_string(),
        attributes: object.attributes.clone(),
        outputs: BTreeMap::new(),
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

/// Asks the server for the result of applying an object.
async fn dry_run_one(
    connection: &ApiConnection,
    answer: &mut DryRunAnswer,
    known: &[&Live],
    place: &ObjectRef,
    manifest: &JsonObject,
) -> Result<(), Failure> {
    let result = match dry_run(connection, place, manifest, ApplyMode::PoliteDryRun).await {
        Err(refusal) if !refusal.conflicts.is_empty() => {
            answer.notes.extend(taken_back(place, &refusal));
            dry_run(connection, place, manifest, ApplyMode::DryRun).await
        }
        result => result,
    };
    match result.map_err(Failure::from) {
        Ok(result) => {
            let there = known.iter().copied().chain(&answer.conflicting).map(|live| &live.attributes);
            canonical(&mut answer.object, &fields(manifest), &fields(&result), &there.collect::<Vec<_>>());
        }
        // Its namespace is made by the same apply.
        Err(failure) if failure.class == FailureClass::Gone => {}
        Err(failure) if matches!(failure.class, FailureClass::Invalid | FailureClass::Denied) => {
            answer.refused = Some(failure.message);
        }
        Err(failure) if is_alone(&failure) => {
            answer.failed = Some((DryRunGap::Outcome(failure.message), place.to_string()));
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Makes a dry run, and retries it if the answer may change: a dry run changes nothing.
async fn dry_run(
    connection: &ApiConnection,
    place: &ObjectRef,
    manifest: &JsonObject,
    how: ApplyMode,
) -> Result<JsonObject, ApiRefusal> {
    let result = connection.apply(place, manifest, how).await;
    match &result {
        Err(refusal) if refusal.failure.class.is_temporary() => {
            tokio::time::sleep(PAUSE).await;
            connection.apply(place, manifest, how).await
        }
        _ => result,
    }
}

/// Returns the note about a type whose objects cannot be listed.
pub(super) fn unlisted(api: &ApiType, failure: &Failure) -> String {
    format!(
        "{api} could not be listed ({}): those in the file are asked for one by one, and what is no longer in the file \
         stays until they can be",
        failure.message
    )
}

impl DryRunGap {
    fn note(&self, places: &[String]) -> String {
        let more = places.len().saturating_sub(NAMED);
        let named = places.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let named = if more > 0 { format!("{named} and {more} more") } else { named };
        match self {
            Self::Presence(why) => format!("{named}: could not be read ({why}), so nothing is changed there"),
            Self::Outcome(why) => {
                format!("{named}: the API could not say what an apply would change ({why}), so the plan uses the file")
            }
        }
    }
}

/// Returns the fields that an apply takes back, with their managers.
fn taken_back<'a>(place: &'a ObjectRef, refusal: &'a ApiRefusal) -> impl Iterator<Item = String> + 'a {
    let of_others = refusal.conflicts.iter().filter(|conflict| conflict.owner != HEIR);
    of_others.map(move |conflict| {
        format!("{place}: `{}` was set by {}; apply takes it back", conflict.field, conflict.owner)
    })
}

/// Uses the server's form of the manifest's values. A value that it does not keep (it leaves out many fields that are empty,
/// zero or false) is no difference, unless it has a value there now.
fn canonical(object: &mut Object, manifest: &Attributes, returned: &Attributes, there: &[&Attributes]) {
    for name in manifest.keys() {
        if let Some(value) = returned.get(name) {
            object.attributes.insert(name.clone(), value.clone());
        } else if there.iter().all(|attributes| !attributes.contains_key(name)) {
            object.attributes.remove(name);
        }
    }
}
