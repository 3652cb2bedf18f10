//! The progress of an object toward its wanted state.

use super::object_ref::JsonObject;

/// The label and the taint of a master's node.
const MASTER: &str = "node-role.kubernetes.io/control-plane";

/// The progress of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RolloutProgress {
    /// It has reached its wanted state.
    Done,
    /// It is not complete: the text names what is missing.
    Waiting(String),
    /// It has failed.
    Stalled(String),
}

/// Returns the progress of an object. An object that runs nothing is complete once it is stored.
pub(super) fn progress(object: &JsonObject) -> RolloutProgress {
    let (spec, status) = (&object["spec"], &object["status"]);
    let seen = status["observedGeneration"].as_u64() >= object["metadata"]["generation"].as_u64();
    let number = |name: &str| status[name].as_u64().unwrap_or(0);
    // Pods of the old kind stay until somebody removes them, and those below a partition for good: both as asked for.
    let on_delete = spec["updateStrategy"]["type"] == "OnDelete";
    match object["kind"].as_str().unwrap_or_default() {
        "Deployment" => deployment(object, seen),
        "DaemonSet" => {
            let wanted = number("desiredNumberScheduled");
            let updated = if on_delete { wanted } else { number("updatedNumberScheduled") };
            let there = updated.min(number("numberAvailable"));
            match wanted {
                // Every cluster has masters: they have not joined yet, or are not known as such.
                0 if seen && is_for_masters(spec) => RolloutProgress::Waiting("no master is a node yet".to_owned()),
                // Machines of another kind there may be none of, and more will come: that is as asked for.
                _ => pods(seen && there >= wanted, there, wanted),
            }
        }
        "StatefulSet" => {
            let wanted = spec["replicas"].as_u64().unwrap_or(1);
            let held_back = spec["updateStrategy"]["rollingUpdate"]["partition"].as_u64().unwrap_or(0);
            let held_back = if on_delete { wanted } else { held_back.min(wanted) };
            let there = (number("updatedReplicas") + held_back).min(number("readyReplicas"));
            pods(seen && there >= wanted, there, wanted)
        }
        "CustomResourceDefinition" => match condition(object, "Established") {
            Some(established) if established["status"] == "True" => RolloutProgress::Done,
            _ => RolloutProgress::Waiting("until it is established".to_owned()),
        },
        _ => RolloutProgress::Done,
    }
}

fn deployment(object: &JsonObject, seen: bool) -> RolloutProgress {
    let status = &object["status"];
    let number = |name: &str| status[name].as_u64().unwrap_or(0);
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let (all, updated, available) = (number("replicas"), number("updatedReplicas"), number("availableReplicas"));
    let there = updated.min(available);
    // Old pods that are still there may serve, but they are not what was asked for.
    if seen && updated == wanted && all == wanted && available == wanted {
        return RolloutProgress::Done;
    }
    let told = pods(false, there, wanted);
    let gave_up = condition(object, "Progressing").filter(|condition| condition["status"] == "False");
    match (seen, gave_up, told) {
        (true, Some(_), RolloutProgress::Waiting(told)) => RolloutProgress::Stalled(told),
        (_, _, told) => told,
    }
}

/// Returns `true` if a `DaemonSet` runs on every master, and on no other node.
fn is_for_masters(spec: &JsonObject) -> bool {
    let pod = &spec["template"]["spec"];
    let only = pod["nodeSelector"].as_object().is_some_and(|labels| labels.len() == 1 && labels.contains_key(MASTER));
    let mut tolerated = pod["tolerations"].as_array().into_iter().flatten();
    only && pod["affinity"].is_null() && tolerated.any(|taint| taint["key"] == MASTER || taint["key"].is_null())
}

fn pods(done: bool, there: u64, wanted: u64) -> RolloutProgress {
    if done { RolloutProgress::Done } else { RolloutProgress::Waiting(format!("{there} of {wanted} pods are ready")) }
}

/// Returns the condition of this type.
pub(super) fn condition<'a>(object: &'a JsonObject, name: &str) -> Option<&'a JsonObject> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}
