//! What would become of objects if they were applied now: the server's own word, by dry run.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt};

use super::client::{Apply, Connection, HEIR};
use super::failure::Refusal;
use super::live::{as_live, ours};
use super::place::Place;
use super::provider::{ABREAST, sent};
use crate::engine::{Address, Attributes, Class, Failure, Live, Object, Rehearsal};
use crate::resource::fields;

/// What is said of one object.
struct Said {
    object: Object,
    in_the_way: Option<Live>,
    refused: Option<String>,
    notes: Vec<String>,
}

/// Asks the server about every object.
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
    for said in said {
        rehearsal.refused.extend(said.refused.map(|message| (said.object.address.clone(), message)));
        rehearsal.objects.push(said.object);
        rehearsal.in_the_way.extend(said.in_the_way);
        rehearsal.notes.extend(said.notes);
    }
    Ok(rehearsal)
}

/// Asks the server about one object, of which `known` says how it was seen.
async fn ask(connection: &Connection, cluster: &str, object: Object, known: &[&Live]) -> Result<Said, Failure> {
    let sent = sent(connection, &object).await?;
    let mut said = Said { object, in_the_way: None, refused: None, notes: Vec::new() };
    // Its type is made by the same apply: nobody can say more yet.
    let Some((place, manifest)) = sent else { return Ok(said) };
    if !known.iter().any(|live| live.id == place.to_string())
        && let Some(there) = connection.get(&place).await?
    {
        let marked = ours(cluster, &there);
        let address = &said.object.address;
        if marked.is_none() && !known.is_empty() {
            said.refused = Some(format!("{place} exists already, and nothing shows that this cluster made it"));
            return Ok(said);
        }
        if marked.as_ref() != Some(address) {
            // One of ours that was called otherwise stays, under its new name.
            said.in_the_way = as_live(&place.api, &there, address.clone(), marked.is_some());
        }
        if marked.is_none() {
            return Ok(said);
        }
    }
    let polite = connection.apply(&place, &manifest, Apply::PoliteDryRun).await;
    let told = match polite {
        Err(refusal) if !refusal.conflicts.is_empty() => {
            said.notes.extend(taken_back(&place, &refusal));
            connection.apply(&place, &manifest, Apply::DryRun).await
        }
        told => told,
    };
    match told.map_err(Failure::from) {
        Ok(told) => {
            let there = known.iter().copied().chain(&said.in_the_way).map(|live| &live.attributes);
            canonical(&mut said.object, &fields(&manifest), &fields(&told), &there.collect::<Vec<_>>());
        }
        // Its namespace is made by the same apply.
        Err(failure) if failure.class == Class::Gone => {}
        Err(failure) if matches!(failure.class, Class::Invalid | Class::Denied) => said.refused = Some(failure.message),
        Err(failure) => return Err(failure),
    }
    Ok(said)
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
