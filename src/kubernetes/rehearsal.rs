//! What would become of objects if they were applied now: the server's own word, by dry run.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use super::client::{Apply, Connection, HEIR};
use super::failure::{Refusal, is_alone};
use super::live::{as_live, ours};
use super::place::{Json, Place};
use super::provider::{ABREAST, sent};
use crate::engine::{Address, Attributes, Class, Failure, Live, Object, Phase, Rehearsal, repeat};
use crate::resource::{ApiType, fields};

/// How often it is looked for one object.
const LOOKS: u32 = 3;
/// How long before something is asked once more.
const PAUSE: Duration = Duration::from_millis(500);
/// How many objects are named that the same holds for.
const NAMED: usize = 3;

/// What is said of one object.
struct Said {
    object: Object,
    in_the_way: Option<Live>,
    refused: Option<String>,
    notes: Vec<String>,
    /// What nothing can be said of, where the server failed to.
    failed: Option<(Unsaid, String)>,
}

/// What the server could not say of an object, and why.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Unsaid {
    /// Whether it is there.
    Presence(String),
    /// What would become of it.
    Outcome(String),
}

/// Asks the server about every object. What it cannot say of one of them (who has to agree to it is down, its namespace is
/// leaving) is told, and no reason to say nothing of the others.
pub(super) async fn rehearse(
    connection: &Connection,
    cluster: &str,
    objects: Vec<Object>,
    live: &[Live],
) -> Result<Rehearsal, Failure> {
    let mut there: BTreeMap<&Address, Vec<&Live>> = BTreeMap::new();
    for live in live {
        there.entry(&live.address).or_default().push(live);
    }
    let asked = objects.into_iter().map(|object| {
        let known = there.get(&object.address).map(Vec::as_slice).unwrap_or_default();
        ask(connection, cluster, object, known)
    });
    let mut said: Vec<Said> = futures_util::stream::iter(asked).buffer_unordered(ABREAST).try_collect().await?;
    said.sort_by(|one, other| one.object.address.cmp(&other.object.address));
    let mut rehearsal = Rehearsal::default();
    let mut failed: BTreeMap<Unsaid, Vec<String>> = BTreeMap::new();
    for said in said {
        rehearsal.refused.extend(said.refused.map(|message| (said.object.address.clone(), message)));
        rehearsal.objects.push(said.object);
        rehearsal.in_the_way.extend(said.in_the_way);
        rehearsal.notes.extend(said.notes);
        if let Some((unsaid, place)) = said.failed {
            failed.entry(unsaid).or_default().push(place);
        }
    }
    rehearsal.notes.extend(failed.iter().map(|(unsaid, places)| unsaid.note(places)));
    Ok(rehearsal)
}

/// Asks the server about one object, of which `known` says how it was seen.
async fn ask(connection: &Connection, cluster: &str, object: Object, known: &[&Live]) -> Result<Said, Failure> {
    let mut said = Said { object, in_the_way: None, refused: None, notes: Vec::new(), failed: None };
    let (place, manifest) = match sent(connection, &said.object).await {
        Ok(Some(sent)) => sent,
        // Its type is made by the same apply: nobody can say more yet.
        Ok(None) => return Ok(said),
        Err(failure) if is_alone(&failure) => {
            said.failed = Some((Unsaid::Outcome(failure.message), said.object.address.to_string()));
            return Ok(said);
        }
        Err(failure) => return Err(failure),
    };
    if !known.iter().any(|live| live.id == place.to_string()) {
        let there = match look(connection, &place).await {
            // Objects of its type were listed, and it was not among them: it is made, or turns out to be somebody else's.
            Err(failure) if is_alone(&failure) && is_built_in(&place.api) => {
                said.failed = Some((Unsaid::Outcome(failure.message), place.to_string()));
                return Ok(said);
            }
            Err(failure) if is_alone(&failure) => {
                said.failed = Some((Unsaid::Presence(failure.message), place.to_string()));
                // What was seen elsewhere is no second one of it.
                said.in_the_way = known.is_empty().then(|| as_wanted(&said.object, &place));
                return Ok(said);
            }
            there => there?,
        };
        if let Some(there) = there
            && !is_free(cluster, &mut said, known, &place, &there)
        {
            return Ok(said);
        }
    }
    rehearse_one(connection, &mut said, known, &place, &manifest).await?;
    Ok(said)
}

/// One object, if it is there; asked again while the failure is one that passes.
pub(super) async fn look(connection: &Connection, place: &Place) -> Result<Option<Json>, Failure> {
    repeat(LOOKS, |attempt| PAUSE * attempt, || connection.get(place)).await
}

fn is_built_in(api: &ApiType) -> bool {
    ApiType::find(&api.api_version, &api.kind).is_some()
}

/// Whether an object may be applied where something stands that no look has shown.
fn is_free(cluster: &str, said: &mut Said, known: &[&Live], place: &Place, there: &Json) -> bool {
    let marked = ours(cluster, there);
    if marked.is_none() && !known.is_empty() {
        said.refused = Some(format!("{place} exists already, and nothing shows that this cluster made it"));
        return false;
    }
    // One of ours that was called otherwise stays, under its new name.
    said.in_the_way = as_live(&place.api, there, said.object.address.clone(), marked.is_some());
    marked.is_some()
}

/// An object that nobody can look at, as one of which nothing is to be changed: whether it is there is not known.
fn as_wanted(object: &Object, place: &Place) -> Live {
    Live {
        address: object.address.clone(),
        id: place.to_string(),
        attributes: object.attributes.clone(),
        outputs: BTreeMap::new(),
        phase: Phase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

/// Asks what would become of an object.
async fn rehearse_one(
    connection: &Connection,
    said: &mut Said,
    known: &[&Live],
    place: &Place,
    manifest: &Json,
) -> Result<(), Failure> {
    let told = match dry_run(connection, place, manifest, Apply::PoliteDryRun).await {
        Err(refusal) if !refusal.conflicts.is_empty() => {
            said.notes.extend(taken_back(place, &refusal));
            dry_run(connection, place, manifest, Apply::DryRun).await
        }
        told => told,
    };
    match told.map_err(Failure::from) {
        Ok(told) => {
            let there = known.iter().copied().chain(&said.in_the_way).map(|live| &live.attributes);
            canonical(&mut said.object, &fields(manifest), &fields(&told), &there.collect::<Vec<_>>());
        }
        // Its namespace is made by the same apply.
        Err(failure) if failure.class == Class::Gone => {}
        Err(failure) if matches!(failure.class, Class::Invalid | Class::Denied) => said.refused = Some(failure.message),
        Err(failure) if is_alone(&failure) => {
            said.failed = Some((Unsaid::Outcome(failure.message), place.to_string()));
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// A dry run; once more, where the second one may be answered otherwise: it changes nothing.
async fn dry_run(connection: &Connection, place: &Place, manifest: &Json, how: Apply) -> Result<Json, Refusal> {
    let told = connection.apply(place, manifest, how).await;
    match &told {
        Err(refusal) if refusal.failure.class.passes() => {
            tokio::time::sleep(PAUSE).await;
            connection.apply(place, manifest, how).await
        }
        _ => told,
    }
}

/// What it means that the objects of a type cannot be listed.
pub(super) fn unlisted(api: &ApiType, failure: &Failure) -> String {
    format!(
        "{api} could not be listed ({}): those in the file are asked for one by one, and what is no longer in the file \
         stays until they can be",
        failure.message
    )
}

impl Unsaid {
    fn note(&self, places: &[String]) -> String {
        let more = places.len().saturating_sub(NAMED);
        let named = places.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let named = if more > 0 { format!("{named} and {more} more") } else { named };
        match self {
            Self::Presence(why) => format!("{named}: could not be looked at ({why}), so nothing is changed there"),
            Self::Outcome(why) => {
                format!(
                    "{named}: the API could not say what an apply would change ({why}), so the plan compares as the file has it"
                )
            }
        }
    }
}

/// What an apply takes back, and from whom.
fn taken_back<'a>(place: &'a Place, refusal: &'a Refusal) -> impl Iterator<Item = String> + 'a {
    let of_others = refusal.conflicts.iter().filter(|conflict| conflict.owner != HEIR);
    of_others.map(move |conflict| {
        format!("{place}: `{}` was set by {}; apply takes it back", conflict.field, conflict.owner)
    })
}

/// Takes over how the server writes what the manifest sets. What it does not keep (many a field that is empty, zero or
/// false it leaves out) is no difference, unless it has something there now.
fn canonical(object: &mut Object, manifest: &Attributes, told: &Attributes, there: &[&Attributes]) {
    for name in manifest.keys() {
        if let Some(value) = told.get(name) {
            object.attributes.insert(name.clone(), value.clone());
        } else if there.iter().all(|attributes| !attributes.contains_key(name)) {
            object.attributes.remove(name);
        }
    }
}
