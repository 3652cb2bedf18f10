//! The jobs of earlier applies: the next one starts after them.

use k8s_openapi::Resource as _;
use k8s_openapi::api::batch::v1::Job;

use super::client::{ApiConnection, GoneCondition, ListQuery};
use super::live::ours;
use super::object_ref::ObjectRef;
use super::progress::{RolloutProgress, progress};
use super::rollout;
use crate::engine::{Address, Failure};
use crate::resource::CLUSTER_TAG;

/// Waits for the end of jobs with the same address that still run, and removes one of the same name that has failed, because it
/// would never run again. Nothing else is done if the object is not a job.
///
/// An apply that was stopped leaves its job running. Two migrations at the same time would disturb each other, and one that is
/// stopped in the middle may leave half of its changes.
pub(super) async fn make_way(
    connection: &ApiConnection,
    cluster: &str,
    address: &Address,
    place: &ObjectRef,
) -> Result<(), Failure> {
    let Some(namespace) = place.namespace.as_deref().filter(|_| place.api.kind == Job::KIND) else { return Ok(()) };
    let label = format!("{CLUSTER_TAG}={cluster}");
    let jobs = connection.list(&place.api, ListQuery::within(namespace).labelled(&label)).await?;
    for job in jobs.iter().filter(|job| ours(cluster, job).as_ref() == Some(address)) {
        let Some(other) = ObjectRef::of(&place.api, job) else { continue };
        let is_same = other.name == place.name;
        match progress(job) {
            // Its failure is no reason not to run the next one.
            RolloutProgress::Waiting(_) if !is_same => drop(rollout::wait(connection, &other, &|_| ()).await),
            RolloutProgress::Stalled(_) if is_same => {
                let uid = job["metadata"]["uid"].as_str();
                connection.delete(&other, uid, GoneCondition::GoFirst).await?;
                rollout::wait_gone(connection, &other, uid, rollout::LIMIT, &|_| ()).await?;
            }
            _ => {}
        }
    }
    Ok(())
}
