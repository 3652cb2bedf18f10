//! The summaries of new Kubernetes objects.

use super::kinds::{AUTOSCALER, DEPLOYMENT, MANIFEST, SERVICE, VOLUME_CLAIM};
use crate::engine::Value;
use crate::resource::{NewAttributes, text};

/// Returns a short summary that distinguishes a new object of a kind; empty if only its name does.
pub(in crate::resource) fn summary(kind: &str, new: &NewAttributes<'_>) -> String {
    match kind {
        DEPLOYMENT => pods(new),
        AUTOSCALER => range_of_pods(new),
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

/// Returns the number of pods and their image.
fn pods(new: &NewAttributes<'_>) -> String {
    let image = new.find("spec.template.spec.containers[", "].image").map(text::inline).unwrap_or_default();
    match new.get("spec.replicas") {
        Some(Value::Integer(1)) | None => image,
        Some(replicas) => format!("{} pods of {image}", text::inline(replicas)),
    }
}
