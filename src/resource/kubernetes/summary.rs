//! The summaries of new Kubernetes objects.

use super::kinds::{AUTOSCALER, CRON_JOB, DEPLOYMENT, JOB, MANIFEST, SERVICE, STATEFUL_SET, VOLUME_CLAIM};
use crate::engine::Value;
use crate::resource::{NewAttributes, text};

/// Returns a short summary that distinguishes a new object of a kind; empty if only its name does.
pub(in crate::resource) fn summary(kind: &str, new: &NewAttributes<'_>) -> String {
    match kind {
        DEPLOYMENT | STATEFUL_SET => pods(new),
        AUTOSCALER => range_of_pods(new),
        JOB => image(new, "spec.template.spec.containers["),
        CRON_JOB => {
            let schedule = new.join(&["spec.schedule"]);
            format!("{schedule}, {}", image(new, "spec.jobTemplate.spec.template.spec.containers["))
        }
        SERVICE => new.join(&["spec.type"]),
        VOLUME_CLAIM => new.join(&["spec.resources.requests.storage"]),
        MANIFEST => new.join(&["kind"]),
        _ => String::new(),
    }
}

/// Between how many pods it decides.
fn range_of_pods(new: &NewAttributes<'_>) -> String {
    let number = |name: &str| new.get(name).map(text::inline);
    match (number("spec.minReplicas"), number("spec.maxReplicas")) {
        (Some(fewest), Some(most)) => format!("{fewest} to {most} pods"),
        _ => String::new(),
    }
}

/// Returns the image of the first container in a list.
fn image(new: &NewAttributes<'_>, containers: &str) -> String {
    new.find(containers, "].image").map(text::inline).unwrap_or_default()
}

/// Returns the number of pods and their image.
fn pods(new: &NewAttributes<'_>) -> String {
    let image = image(new, "spec.template.spec.containers[");
    match new.get("spec.replicas") {
        Some(Value::Integer(1)) | None => image,
        Some(replicas) => format!("{} pods of {image}", text::inline(replicas)),
    }
}
