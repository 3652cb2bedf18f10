//! Problems of a pod, in messages that name the remedy.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};

/// Reasons for waiting that end by themselves.
const NORMAL: &[&str] = &["ContainerCreating", "PodInitializing"];

/// The message for an image that cannot be pulled.
const NO_IMAGE: &str = "cannot get";

/// Returns the reason that a pod is not ready; `None` if it is ready, or is starting.
pub(super) fn trouble(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    unschedulable(status).or_else(|| {
        let first = status.init_container_statuses.iter().flatten();
        let own = || status.container_statuses.iter().flatten();
        // What comes before the others runs as long as it takes.
        first.chain(own()).find_map(container).or_else(|| own().find_map(unready))
    })
}

fn unschedulable(status: &PodStatus) -> Option<String> {
    let mut conditions = status.conditions.iter().flatten();
    let scheduled = conditions.find(|condition| condition.type_ == "PodScheduled")?;
    let why = scheduled.message.as_deref().unwrap_or("the scheduler does not say why");
    (scheduled.reason.as_deref() == Some("Unschedulable")).then(|| format!("no node can take a pod: {why}"))
}

fn container(status: &ContainerStatus) -> Option<String> {
    let name = &status.name;
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().filter(|reason| !NORMAL.contains(reason))?;
    let message = waiting.message.as_deref().unwrap_or_default();
    let image = if status.image.is_empty() { "its image" } else { &status.image };
    Some(match reason {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" | "RegistryUnavailable" => {
            no_image(name, image, reason, message)
        }
        "CrashLoopBackOff" => {
            let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
            let code = last.map(|last| format!(", last with exit code {}", last.exit_code)).unwrap_or_default();
            let why = last.and_then(|last| last.reason.as_deref()).filter(|why| *why != "Error");
            let why = why.map(|why| format!(" ({why})"));
            format!(
                "the container {name} terminates repeatedly{code}{}; `kubectl logs` shows the reason",
                why.unwrap_or_default()
            )
        }
        "CreateContainerConfigError" => with(format!("the container {name} cannot be configured"), message),
        other => with(format!("the container {name} waits ({other})"), message),
    })
}

/// The kubelet reports a failure alternately as itself and as the pause before the next attempt: the cause is returned.
fn no_image(name: &str, image: &str, reason: &str, message: &str) -> String {
    let pause = format!("Back-off pulling image \"{image}\"");
    let cause = message.strip_prefix(&pause).unwrap_or(message).trim_start_matches(": ");
    let cause = cause.strip_prefix("ErrImagePull: ").unwrap_or(cause);
    let text = format!("the container {name} {NO_IMAGE} {image}");
    if cause.is_empty() { format!("{text} ({reason})") } else { with(text, cause) }
}

/// Returns distinct problems. The cause of an image that cannot be pulled differs for each pod: one of them is returned.
pub(super) fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut troubles: Vec<&str> = Vec::new();
    for trouble in all {
        match troubles.iter_mut().find(|known| same(known, trouble)) {
            // The message with a cause is more precise.
            Some(known) if known.len() < trouble.len() => *known = trouble,
            Some(_) => {}
            None => troubles.push(trouble),
        }
    }
    troubles.sort_unstable();
    troubles
}

fn same(one: &str, other: &str) -> bool {
    let image = |trouble: &str| {
        let (container, rest) = trouble.split_once(NO_IMAGE)?;
        let name = rest.split([' ', ')']).find(|word| !word.is_empty())?;
        Some((container.to_owned(), name.trim_end_matches(':').to_owned()))
    };
    one == other || image(one).is_some_and(|of_one| image(other) == Some(of_one))
}

fn unready(status: &ContainerStatus) -> Option<String> {
    let runs = status.state.as_ref().is_some_and(|state| state.running.is_some());
    (runs && !status.ready).then(|| format!("the container {} runs, but is not ready", status.name))
}

fn with(text: String, message: &str) -> String {
    if message.is_empty() { text } else { format!("{text}: {message}") }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use serde_json::{Value as JsonObject, json};

    use super::*;

    fn trouble(pod: &JsonObject) -> Option<String> {
        super::trouble(&serde_json::from_value(pod.clone()).expect("a pod"))
    }

    fn waiting(reason: &str, message: &str) -> JsonObject {
        let status = json!({ "name": "chat", "image": "chat:9", "state": { "waiting": { "reason": reason, "message": message } } });
        json!({ "status": { "containerStatuses": [status] } })
    }

    #[test]
    fn each_reason_to_be_stuck_is_reported() {
        let mut crash = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container");
        crash["status"]["containerStatuses"][0]["lastState"] =
            json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
        let unschedulable = json!({ "status": { "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available: 3 Insufficient cpu.",
        }] } });
        let message: Vec<String> = [
            waiting("ImagePullBackOff", "Back-off pulling image \"chat:9\": ErrImagePull: not found"),
            waiting("ErrImagePull", "not found"),
            waiting("InvalidImageName", ""),
            crash,
            waiting("CreateContainerConfigError", "secret \"chat\" not found"),
            unschedulable,
        ]
        .iter()
        .filter_map(trouble)
        .collect();
        assert_eq!(
            message,
            [
                "the container chat cannot get chat:9: not found",
                "the container chat cannot get chat:9: not found",
                "the container chat cannot get chat:9 (InvalidImageName)",
                "the container chat terminates repeatedly, last with exit code 137 (OOMKilled); `kubectl logs` shows the reason",
                "the container chat cannot be configured: secret \"chat\" not found",
                "no node can take a pod: 0/3 nodes are available: 3 Insufficient cpu.",
            ]
        );
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_reported_once_with_its_cause() {
        let troubles = [
            "the container web cannot get web:1: not found",
            "the container chat cannot get chat:9 (ErrImagePull)",
            "the container chat cannot get chat:9: not found, request 1",
            "the container chat cannot get chat:9: not found, request 2",
            "the container chat cannot get chat:9:1: not found",
        ];
        assert_eq!(
            distinct(troubles.into_iter()),
            [
                "the container chat cannot get chat:9: not found, request 1",
                "the container chat cannot get chat:9:1: not found",
                "the container web cannot get web:1: not found",
            ]
        );
    }

    #[test]
    fn a_running_container_that_is_not_ready_is_reported_but_not_an_init_container() {
        let status =
            json!({ "name": "chat", "ready": false, "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } } });
        let pod = |status: JsonObject| json!({ "status": { "containerStatuses": [status] } });
        assert_eq!(trouble(&pod(status.clone())).as_deref(), Some("the container chat runs, but is not ready"));
        assert_eq!(trouble(&json!({ "status": { "initContainerStatuses": [status] } })), None);
        let mut ready = status;
        ready["ready"] = true.into();
        assert_eq!(trouble(&pod(ready)), None);
    }

    #[test]
    fn a_pod_that_starts_or_leaves_is_in_no_trouble() {
        assert_eq!(trouble(&waiting("ContainerCreating", "")), None);
        let mut leaving = waiting("ImagePullBackOff", "");
        leaving["metadata"] = json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" });
        assert_eq!(trouble(&leaving), None);
    }
}
