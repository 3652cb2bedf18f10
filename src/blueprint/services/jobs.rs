//! The manifests of a service's jobs.

use serde_json::{Value as Json, json};

use super::manifests::{self, NAME, PodVolumes, annotations, mounts, pod_volumes, program, set, settle};
use crate::blueprint::names;
use crate::resource::{CRON_JOB, JOB};
use crate::spec::{Job, Service};

/// The label of the pods of a job. Nothing selects by it: the selectors of services do not match them.
const JOB_LABEL: &str = "quorate.dev/job";
/// Maximum length of a cron job's name: Kubernetes adds a number to it for each run.
const LONGEST_CRON_JOB: usize = 52;
/// Maximum length of a job's name, which is the value of a label.
const LONGEST_JOB: usize = 63;

/// Returns the kind and the manifest of a job: a cron job if it has a schedule.
pub(super) fn object(service_name: &str, service: &Service, name: &str, job: &Job) -> (&'static str, Json) {
    let stem = format!("{service_name}-{name}");
    let mut metadata = manifests::metadata(service_name, service);
    let spec = spec(service_name, service, name, job);
    let Some(schedule) = &job.schedule else {
        metadata["name"] = names::hashed(&stem, &[&spec["template"].to_string()], LONGEST_JOB).into();
        return (JOB, json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec }));
    };
    metadata["name"] = names::fitted(&stem, LONGEST_CRON_JOB).into();
    let spec = json!({
        "schedule": schedule.cron,
        "timeZone": schedule.time_zone,
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": { "spec": spec },
    });
    (CRON_JOB, json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec }))
}

fn spec(service_name: &str, service: &Service, name: &str, job: &Job) -> Json {
    let mut container = program(name, &job.process, service);
    set(&mut container, "volumeMounts", mounts(service, PodVolumes::WithoutClaims));
    // A pod that failed stays, with what it wrote.
    let mut pod = json!({ "restartPolicy": "Never", "containers": [container] });
    set(&mut pod, "volumes", pod_volumes(service_name, service, Vec::new()));
    settle(&mut pod, service);
    let mut template = json!({ "metadata": { "labels": { JOB_LABEL: name, NAME: service_name } }, "spec": pod });
    set(&mut template["metadata"], "annotations", annotations(service));
    let mut spec = json!({
        "backoffLimit": job.retries,
        // A drained node is no failed attempt.
        "podFailurePolicy": { "rules": [{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] }] },
        "template": template,
    });
    if let Some(seconds) = job.timeout_seconds {
        spec["activeDeadlineSeconds"] = seconds.into();
    }
    spec
}
