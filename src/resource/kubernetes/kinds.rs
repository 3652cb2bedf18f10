//! The kinds of Kubernetes objects, and the effect of a change to each of their fields.

use crate::engine::{Address, Attribute, Attributes, Kind, OutputSpec, Value};

/// The fields of every kind, after its own. An object of the same name can exist beside the old one only in another
/// namespace. Server-side apply removes fields that are no longer set. A variable's value may be a secret although it is
/// written in the file: the record does not even contain its fingerprint, as with a secret's data.
macro_rules! fields {
    ($($own:expr),* $(,)?) => {
        &[
            Attribute::replace("metadata.namespace"),
            Attribute::update("*.env[*].value").unrecorded().pruned(),
            Attribute::update("data[*].value").unrecorded().pruned(),
            $($own,)*
            Attribute::update("*").pruned(),
        ]
    };
}

const OUTPUTS: &[OutputSpec] = &[OutputSpec::pattern("uid", "{hex}")];

const SELECTOR: &str = "Kubernetes cannot change what it selects; remove it from the file, apply, and put it back";
const CLAIM: &str = "Kubernetes cannot change it on a volume that is there; a new volume needs a new name";

const TEMPLATES: &str = "Kubernetes cannot change which volumes the pods of a stateful set have; add a service of another name, and \
    copy the data";

const fn kind(name: &'static str, title: &'static str, attributes: &'static [Attribute], seconds: u32) -> Kind {
    Kind { name, title, attributes, outputs: OUTPUTS, data: false, shared: false, seconds }
}

/// Every kind of Kubernetes object, in the order in which plans list them.
pub const KUBERNETES_KINDS: &[Kind] = &[
    // A namespace may belong to others: then it is used unchanged.
    Kind { shared: true, ..kind(NAMESPACE, "namespace", fields![], 5) },
    // Objects of any type: the server itself reports immutable fields in the dry run before the apply.
    kind(MANIFEST, "object of an add-on", fields![], 30),
    Kind {
        data: true,
        ..kind(
            VOLUME_CLAIM,
            "persistent volume claim",
            fields![
                Attribute::fixed("spec.storageClassName", CLAIM),
                Attribute::fixed("spec.accessModes", CLAIM),
                Attribute::fixed("spec.volumeMode", CLAIM),
            ],
            10,
        )
    },
    kind(CONFIG_MAP, "config map", fields![], 2),
    kind(SERVICE, "service", fields![], 2),
    // What a job runs cannot be changed: its name has a hash of it, and another name is another job.
    kind(JOB, "job", fields![Attribute::replace("metadata.name")], 30),
    kind(CRON_JOB, "cron job", fields![], 2),
    kind(DEPLOYMENT, "deployment", fields![Attribute::fixed("spec.selector", SELECTOR)], 60),
    kind(
        STATEFUL_SET,
        "stateful set",
        fields![
            Attribute::fixed("spec.selector", SELECTOR),
            Attribute::fixed("spec.serviceName", SELECTOR),
            Attribute::fixed("spec.podManagementPolicy", SELECTOR),
            Attribute::fixed("spec.volumeClaimTemplates", TEMPLATES),
        ],
        60,
    ),
    kind(DISRUPTION_BUDGET, "pod disruption budget", fields![], 2),
    kind(AUTOSCALER, "horizontal pod autoscaler", fields![], 2),
];

/// The beginning of the attributes of a workload whose change replaces its pods.
pub const POD_TEMPLATE: &str = "spec.template.";
/// The kind of a namespace.
pub const NAMESPACE: &str = "namespace";
/// The kind of an object that an add-on's manifest describes, whatever its type.
pub const MANIFEST: &str = "manifest";
/// The kind of a claim to a volume.
pub const VOLUME_CLAIM: &str = "persistent-volume-claim";
/// The kind of a config map: the files of a service.
pub const CONFIG_MAP: &str = "config-map";
/// The kind of a service: a name and an address in front of pods.
pub const SERVICE: &str = "service";
/// The kind of a job: a program that ends.
pub const JOB: &str = "job";
/// The kind of a cron job: a program that ends, and runs by a schedule.
pub const CRON_JOB: &str = "cron-job";
/// The kind of a deployment.
pub const DEPLOYMENT: &str = "deployment";
/// The kind of a stateful set: pods with volumes of their own.
pub const STATEFUL_SET: &str = "stateful-set";
/// The kind of a pod disruption budget.
pub const DISRUPTION_BUDGET: &str = "pod-disruption-budget";
/// The kind of a horizontal pod autoscaler.
pub const AUTOSCALER: &str = "horizontal-pod-autoscaler";

/// Types of add-ons' objects that are deleted with data: the volume, all objects of a type, everything in a namespace.
const FULL: [&str; 3] = ["PersistentVolumeClaim", "CustomResourceDefinition", "Namespace"];

/// Returns `true` if an add-on's object is deleted with data.
pub(crate) fn is_full(address: &Address, attributes: &Attributes) -> bool {
    let kind = attributes.get("kind").and_then(Value::as_text);
    address.kind() == MANIFEST && kind.is_some_and(|kind| FULL.contains(&kind))
}

/// Returns `true` if objects of this kind run the pods of a service.
pub fn runs_service(kind: &str) -> bool {
    [DEPLOYMENT, STATEFUL_SET].contains(&kind)
}

/// Returns `true` if objects of this kind are Kubernetes objects.
pub fn is_kubernetes(kind: &str) -> bool {
    KUBERNETES_KINDS.iter().any(|known| known.name == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ChangeEffect;

    fn deployment() -> Kind {
        KUBERNETES_KINDS.iter().copied().find(|kind| kind.name == DEPLOYMENT).unwrap_or(KUBERNETES_KINDS[0])
    }

    #[test]
    fn fields_come_and_go_but_the_selector_stays() {
        let kind = deployment();
        assert!(matches!(kind.attribute("spec.selector").effect, ChangeEffect::Fixed(_)));
        assert!(kind.attribute("spec.replicas").pruned);
        assert_eq!(kind.attribute("metadata.namespace").effect, ChangeEffect::Replace);
    }

    #[test]
    fn values_of_variables_are_not_recorded() {
        let kind = deployment();
        let of = |field: &str| kind.attribute(&format!("spec.template.spec.containers[chat].env[PORT].{field}"));
        assert!(!of("value").recorded && of("value").pruned);
        assert!(of("name").recorded, "so that one that goes is noticed");
    }
}
