//! A namespace takes everything in it along when it goes: so it goes only without what others made.

use super::client::Connection;
use super::failure::own;
use super::place::{Json, Place};
use crate::engine::{Class, Failure};
use crate::resource::{API_TYPES, CLUSTER_TAG};

/// What Kubernetes itself puts into every namespace.
const FURNITURE: [(&str, &str); 2] = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];
/// How many objects of others are named.
const NAMED: usize = 5;

/// Refuses to go on if a namespace holds what this cluster's file does not.
pub(super) async fn check_empty(connection: &Connection, place: &Place, cluster: &str) -> Result<(), Failure> {
    let mut others = Vec::new();
    for api in API_TYPES.iter().filter(|api| api.namespaced) {
        let found = connection.list_in(api, &place.name).await?;
        let strangers = found.iter().filter(|object| !belongs(object, cluster));
        others.extend(strangers.filter_map(Place::of).map(|place| place.to_string()));
    }
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

fn belongs(object: &Json, cluster: &str) -> bool {
    let metadata = &object["metadata"];
    let furniture = FURNITURE.iter().any(|(kind, name)| object["kind"] == *kind && metadata["name"] == *name);
    // What something else made goes with that.
    furniture || metadata["labels"][CLUSTER_TAG] == cluster || metadata["ownerReferences"].is_array()
}
