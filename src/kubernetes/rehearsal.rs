//! What would become of objects if they were applied now: the server's own word, by dry run.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt};

use super::client::{Apply, Connection};
use super::live::{as_live, is_ours};
use super::place::Json;
use super::provider::{ABREAST, sent};
use crate::engine::{Address, Class, Failure, Live, Object, Rehearsal};
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
    let there: BTreeSet<&Address> = live.iter().map(|live| &live.address).collect();
    let asked = objects.into_iter().map(|object| {
        let known = there.contains(&object.address);
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

async fn ask(connection: &Connection, cluster: &str, object: Object, known: bool) -> Result<Said, Failure> {
    let (place, manifest) = sent(&object)?;
    let mut said = Said { object, in_the_way: None, refused: None, notes: Vec::new() };
    if !known
        && let Some(there) = connection.get(&place).await?
        && !is_ours(&there, cluster, &said.object.address)
    {
        said.in_the_way = as_live(&there, said.object.address.clone(), false);
        return Ok(said);
    }
    let polite = connection.apply(&place, &manifest, Apply::PoliteDryRun).await;
    let told = match polite {
        Err(refusal) if !refusal.conflicts.is_empty() => {
            said.notes.extend(refusal.conflicts.iter().map(|conflict| {
                format!("{place}: `{}` was set by {}; apply takes it back", conflict.field, conflict.owner)
            }));
            connection.apply(&place, &manifest, Apply::DryRun).await
        }
        told => told,
    };
    match told.map_err(Failure::from) {
        Ok(told) => canonical(&mut said.object, &manifest, &told),
        // Its namespace, or its type, is made by the same apply: nobody can say more yet.
        Err(failure) if failure.class == Class::Gone => {}
        Err(failure) if matches!(failure.class, Class::Invalid | Class::Denied) => said.refused = Some(failure.message),
        Err(failure) => return Err(failure),
    }
    Ok(said)
}

/// Takes over how the server writes what the manifest sets.
fn canonical(object: &mut Object, manifest: &Json, told: &Json) {
    let told = fields(told);
    for name in fields(manifest).into_keys() {
        if let Some(value) = told.get(&name) {
            object.attributes.insert(name, value.clone());
        }
    }
}
