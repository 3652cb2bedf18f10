//! Deletion of namespaces: it deletes everything inside, so a namespace is deleted only without objects of others.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt};
use kube::core::PartialObjectMeta;

use super::client::{ApiConnection, ListQuery, typed};
use super::failure::{is_alone, own};
use super::live::ours;
use super::object_ref::{JsonObject, ObjectRef};
use super::provider::ABREAST;
use crate::engine::{Attributes, Failure, FailureClass, Live, Object, Value};
use crate::resource::ApiType;

const NAMESPACE: &str = "Namespace";
static NAMESPACES: ApiType = ApiType::known("v1", NAMESPACE, "namespaces", false);
/// The objects that Kubernetes itself creates in every namespace.
const FURNITURE: [(&str, &str); 2] = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];
/// Types whose objects only describe others.
const ECHOES: [&str; 4] = ["events", "endpoints", "endpointslices", "leases"];
/// Maximum number of foreign objects that a message names.
const NAMED: usize = 5;
/// Maximum depth of the search for an owner: a pod's replica set, its deployment, and its owner.
const FAR: usize = 5;

/// Returns an error if a namespace holds objects that are not of this cluster. An object that cannot be read counts as one.
pub(super) async fn check_empty(connection: &ApiConnection, place: &ObjectRef, cluster: &str) -> Result<(), Failure> {
    let found = inside(connection, &place.name, cluster).await?;
    let family = NamespaceObjects::new(&found);
    let mut others: Vec<String> =
        found.iter().filter(|object| !family.holds(object)).map(NamespacedObject::title).collect();
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
    Err(own(FailureClass::Invalid, &format!("delete {place}"), message))
}

/// Returns notes about existing namespaces that are no longer wanted: those that cannot be deleted, and the reasons.
pub(super) async fn held(
    connection: &ApiConnection,
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
        let place = ObjectRef { api: NAMESPACES.clone(), namespace: None, name };
        match check_empty(connection, &place, cluster).await {
            Err(failure) if is_alone(&failure) => {
                notes.push(format!("{place} has left the file, and cannot be removed: {}", failure.message));
            }
            checked => checked?,
        }
    }
    Ok(notes)
}

/// Returns the metadata of everything in a namespace, of all types, without the content.
async fn inside(connection: &ApiConnection, namespace: &str, cluster: &str) -> Result<Vec<NamespacedObject>, Failure> {
    let types = connection.types().await?;
    let within = types.into_iter().filter(|api| api.namespaced && !ECHOES.contains(&api.plural.as_ref()));
    let asked = within.map(async |api| {
        let listed = connection.list(&api, ListQuery::within(namespace).names()).await?;
        listed.iter().map(|object| NamespacedObject::read(&api, object, cluster)).collect::<Result<Vec<_>, Failure>>()
    });
    let found: Vec<Vec<_>> = futures_util::stream::iter(asked).buffer_unordered(ABREAST).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// An object in a namespace, without its content.
struct NamespacedObject {
    api: ApiType,
    partial: PartialObjectMeta,
    /// `true` if it has the label of the cluster.
    is_ours: bool,
}

impl NamespacedObject {
    fn read(api: &ApiType, object: &JsonObject, cluster: &str) -> Result<Self, Failure> {
        Ok(Self { api: api.clone(), partial: typed(api, object)?, is_ours: ours(cluster, object).is_some() })
    }

    fn name(&self) -> &str {
        self.partial.metadata.name.as_deref().unwrap_or_default()
    }

    /// `Secret team/theirs`
    fn title(&self) -> String {
        let namespace = self.partial.metadata.namespace.as_deref().unwrap_or_default();
        format!("{} {namespace}/{}", self.api.kind, self.name())
    }
}

/// The objects in a namespace, by their identifiers.
struct NamespaceObjects<'a> {
    by_uid: BTreeMap<&'a str, &'a NamespacedObject>,
}

impl<'a> NamespaceObjects<'a> {
    fn new(found: &'a [NamespacedObject]) -> Self {
        let by_uid = found.iter().filter_map(|object| Some((object.partial.metadata.uid.as_deref()?, object)));
        Self { by_uid: by_uid.collect() }
    }

    fn holds(&self, object: &NamespacedObject) -> bool {
        let furniture = FURNITURE.contains(&(&object.api.kind, object.name()));
        // An object that is being deleted anyway need not be kept.
        furniture || object.partial.metadata.deletion_timestamp.is_some() || self.descends(object, FAR)
    }

    /// Returns `true` if the object belongs to the cluster, or is owned by one that does.
    fn descends(&self, object: &NamespacedObject, far: usize) -> bool {
        let owners = object.partial.metadata.owner_references.iter().flatten();
        let mut owners = owners.filter_map(|owner| self.by_uid.get(owner.uid.as_str()));
        object.is_ours || (far > 0 && owners.any(|owner| self.descends(owner, far - 1)))
    }
}
