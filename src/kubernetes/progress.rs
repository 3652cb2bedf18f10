//! How far something has come on its way to be as it should.

use super::place::Json;

/// The label of a master's node, and its taint.
const MASTER: &str = "node-role.kubernetes.io/control-plane";

/// How far something has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is as it should be.
    Done,
    /// Not yet: what is missing, in a few words.
    Waiting(String),
    /// It has given up.
    Stalled(String),
}

/// How far an object has come. What runs nothing is there once it is stored.
pub(super) fn progress(object: &Json) -> Progress {
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
                0 if seen && is_for_masters(spec) => Progress::Waiting("no master is a node yet".to_owned()),
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
            Some(established) if established["status"] == "True" => Progress::Done,
            _ => Progress::Waiting("until it is established".to_owned()),
        },
        _ => Progress::Done,
    }
}

fn deployment(object: &Json, seen: bool) -> Progress {
    let status = &object["status"];
    let number = |name: &str| status[name].as_u64().unwrap_or(0);
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let (all, updated, available) = (number("replicas"), number("updatedReplicas"), number("availableReplicas"));
    let there = updated.min(available);
    // Old pods that are still there may serve, but they are not what was asked for.
    if seen && updated == wanted && all == wanted && available == wanted {
        return Progress::Done;
    }
    let told = pods(false, there, wanted);
    let gave_up = condition(object, "Progressing").filter(|condition| condition["status"] == "False");
    match (seen, gave_up, told) {
        (true, Some(_), Progress::Waiting(told)) => Progress::Stalled(told),
        (_, _, told) => told,
    }
}

/// Whether a `DaemonSet` is for every master, and for nothing else.
fn is_for_masters(spec: &Json) -> bool {
    let pod = &spec["template"]["spec"];
    let only = pod["nodeSelector"].as_object().is_some_and(|labels| labels.len() == 1 && labels.contains_key(MASTER));
    let mut tolerated = pod["tolerations"].as_array().into_iter().flatten();
    only && pod["affinity"].is_null() && tolerated.any(|taint| taint["key"] == MASTER || taint["key"].is_null())
}

fn pods(done: bool, there: u64, wanted: u64) -> Progress {
    if done { Progress::Done } else { Progress::Waiting(format!("{there} of {wanted} pods are ready")) }
}

/// The condition of this type.
pub(super) fn condition<'a>(object: &'a Json, name: &str) -> Option<&'a Json> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}
