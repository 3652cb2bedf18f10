//! A namespace takes everything in it along when it goes: so it goes only without what others made.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt};

use super::client::{Connection, Query};
use super::failure::{is_alone, own};
use super::live::ours;
use super::place::{Json, Place};
use super::provider::ABREAST;
use crate::engine::{Attributes, Class, Failure, Live, Object, Value};
use crate::resource::ApiType;

const NAMESPACE: &str = "Namespace";
static NAMESPACES: ApiType = ApiType::known("v1", NAMESPACE, "namespaces", false);
/// What Kubernetes itself puts into every namespace.
const FURNITURE: [(&str, &str); 2] = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];
/// Types whose objects only tell of others.
const ECHOES: [&str; 4] = ["events", "endpoints", "endpointslices", "leases"];
/// How many objects of others are named.
const NAMED: usize = 5;
/// How far an owner is looked for: a pod's replica set, its deployment, and what made that.
const FAR: usize = 5;

/// Refuses to go on if a namespace holds what this cluster's file does not. What cannot be looked at counts as somebody's.
pub(super) async fn check_empty(connection: &Connection, place: &Place, cluster: &str) -> Result<(), Failure> {
    let found = inside(connection, &place.name).await?;
    let family = Family::new(&found, cluster);
    let mut others: Vec<String> = found.iter().filter(|object| !family.holds(object)).map(named).collect();
    if others.is_empty() {
        return Ok(());
    }
    let more = others.len().saturating_sub(NAMED);
    others.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "it holds what this cluster's file did not make: {}{more}; move that, or remove it yourself",
        others.join(", ")
    );
    Err(own(Class::Invalid, &format!("delete {place}"), message))
}

/// What to say of the namespaces that are there and no longer wanted: those that will not go, and why.
pub(super) async fn held(
    connection: &Connection,
    cluster: &str,
    wanted: &[Object],
    live: &[Live],
) -> Result<Vec<String>, Failure> {
    let name = |attributes: &Attributes| {
        let text = |field: &str| attributes.get(field).and_then(Value::as_text).map(str::to_owned);
        text("metadata.name").filter(|_| text("kind").as_deref() == Some(NAMESPACE))
    };
    let stay: BTreeSet<String> = wanted.iter().filter_map(|object| name(&object.attributes)).collect();
    let mut notes = Vec::new();
    for live in live.iter().filter(|live| live.proven) {
        let Some(name) = name(&live.attributes).filter(|name| !stay.contains(name)) else { continue };
        let place = Place { api: NAMESPACES.clone(), namespace: None, name };
        match check_empty(connection, &place, cluster).await {
            Err(failure) if is_alone(&failure) => {
                notes.push(format!("{place} has left the file, and cannot be removed: {}", failure.message));
            }
            checked => checked?,
        }
    }
    Ok(notes)
}

/// Everything in a namespace, of whatever type: what it is called and whose it is, not what is in it.
async fn inside(connection: &Connection, namespace: &str) -> Result<Vec<Json>, Failure> {
    let types = connection.types().await?;
    let within = types.into_iter().filter(|api| api.namespaced && !ECHOES.contains(&api.plural.as_ref()));
    let asked = within.map(async |api| connection.list(&api, Query::within(namespace).names()).await);
    let found: Vec<Vec<Json>> = futures_util::stream::iter(asked).buffer_unordered(ABREAST).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// What is this cluster's in a namespace, and what came of that.
struct Family<'a> {
    cluster: &'a str,
    by_uid: BTreeMap<&'a str, &'a Json>,
}

impl<'a> Family<'a> {
    fn new(found: &'a [Json], cluster: &'a str) -> Self {
        let by_uid = found.iter().filter_map(|object| Some((object["metadata"]["uid"].as_str()?, object)));
        Self { cluster, by_uid: by_uid.collect() }
    }

    fn holds(&self, object: &Json) -> bool {
        let metadata = &object["metadata"];
        let furniture = FURNITURE.iter().any(|(kind, name)| object["kind"] == *kind && metadata["name"] == *name);
        // What goes anyway is nobody's to keep.
        furniture || metadata["deletionTimestamp"].is_string() || self.descends(object, FAR)
    }

    /// Whether it is ours, or belongs to what is.
    fn descends(&self, object: &Json, far: usize) -> bool {
        let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        let mut owners = owners.filter_map(|owner| self.by_uid.get(owner["uid"].as_str()?));
        ours(self.cluster, object).is_some() || (far > 0 && owners.any(|owner| self.descends(owner, far - 1)))
    }
}

/// `Secret team/theirs`
fn named(object: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    format!("{} {}/{}", text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
}
