//! The last lines that the pods of a failed job wrote.

use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::core::Request;

use super::client::{ANSWER, ApiConnection, ListQuery};
use super::object_ref::ObjectRef;
use super::typed::api;
use super::warnings::selector;
use crate::engine::Failure;

/// Number of lines.
const LINES: i64 = 10;

/// Returns the last lines of the newest pod of a job; none if they cannot be read.
pub(super) async fn last_lines(connection: &ApiConnection, place: &ObjectRef) -> Result<Vec<String>, Failure> {
    let Some(namespace) = place.namespace.as_deref() else { return Ok(Vec::new()) };
    let Some(labels) = connection.get(place).await?.as_ref().and_then(selector) else { return Ok(Vec::new()) };
    let mut pods = connection.read::<Pod>(ListQuery::within(namespace).labelled(&labels)).await?;
    pods.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|created| created.0));
    let Some(name) = pods.pop().and_then(|pod| pod.metadata.name) else { return Ok(Vec::new()) };
    let params = LogParams { tail_lines: Some(LINES), ..LogParams::default() };
    let Ok(request) = Request::new(api::<Pod>().path(Some(namespace))).logs(&name, &params) else {
        return Ok(Vec::new());
    };
    // That a job has failed is known without them, too.
    let log = tokio::time::timeout(ANSWER, connection.client.request_text(request)).await;
    let log = log.ok().and_then(Result::ok).unwrap_or_default();
    Ok(log.lines().map(str::to_owned).collect())
}
