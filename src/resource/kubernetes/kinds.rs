//! The kinds of Kubernetes objects, and what a change to each of their fields means.

use crate::engine::{Address, Attribute, Attributes, Kind, Output, Value};

/// The fields of every kind, behind its own. An object of the same name can stand only in another namespace beside the
/// old one. What we set and no longer set, server-side apply takes away. A variable's value may be a secret that somebody
/// wrote into the file all the same: the record does not even keep its fingerprint, no more than that of a secret's data.
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

const OUTPUTS: &[Output] = &[Output::pattern("uid", "{hex}")];

const SELECTOR: &str = "Kubernetes cannot change what it selects; remove it from the file, apply, and put it back";
const CLAIM: &str = "Kubernetes cannot change it on a volume that is there; a new volume needs a new name";

const fn kind(name: &'static str, title: &'static str, attributes: &'static [Attribute], seconds: u32) -> Kind {
    Kind { name, title, attributes, outputs: OUTPUTS, data: false, shared: false, seconds }
}

/// Every kind of Kubernetes object, in the order of the house.
pub const KUBERNETES_KINDS: &[Kind] = &[
    // A namespace may be somebody else's: then it is used as it is.
    Kind { shared: true, ..kind(NAMESPACE, "namespace", fields![], 5) },
    // Of any type: what cannot be changed about it, the server says itself when it is asked before the apply.
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
    kind(SERVICE, "service", fields![], 2),
    kind(DEPLOYMENT, "deployment", fields![Attribute::fixed("spec.selector", SELECTOR)], 60),
    kind(DISRUPTION_BUDGET, "pod disruption budget", fields![], 2),
    kind(AUTOSCALER, "horizontal pod autoscaler", fields![], 2),
];

/// The kind of a namespace.
pub const NAMESPACE: &str = "namespace";
/// The kind of an object that an add-on's manifest describes, whatever its type.
pub const MANIFEST: &str = "manifest";
/// The kind of a claim to a volume.
pub const VOLUME_CLAIM: &str = "persistent-volume-claim";
/// The kind of a service: a name and an address in front of pods.
pub const SERVICE: &str = "service";
/// The kind of a deployment.
pub const DEPLOYMENT: &str = "deployment";
/// The kind of a pod disruption budget.
pub const DISRUPTION_BUDGET: &str = "pod-disruption-budget";
/// The kind of a horizontal pod autoscaler.
pub const AUTOSCALER: &str = "horizontal-pod-autoscaler";

/// Types of add-ons' objects that take data along when they go: the volume, all objects of a type, everything within.
const FULL: [&str; 3] = ["PersistentVolumeClaim", "CustomResourceDefinition", "Namespace"];

/// Whether an add-on's object takes data along when it goes.
pub(crate) fn is_full(address: &Address, attributes: &Attributes) -> bool {
    let kind = attributes.get("kind").and_then(Value::as_text);
    address.kind() == MANIFEST && kind.is_some_and(|kind| FULL.contains(&kind))
}

/// Whether objects of this kind are Kubernetes'.
pub fn is_kubernetes(kind: &str) -> bool {
    KUBERNETES_KINDS.iter().any(|known| known.name == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Effect;

    fn deployment() -> Kind {
        KUBERNETES_KINDS.iter().copied().find(|kind| kind.name == DEPLOYMENT).unwrap_or(KUBERNETES_KINDS[0])
    }

    #[test]
    fn fields_come_and_go_but_the_selector_stays() {
        let kind = deployment();
        assert!(matches!(kind.attribute("spec.selector").effect, Effect::Fixed(_)));
        assert!(kind.attribute("spec.replicas").pruned);
        assert_eq!(kind.attribute("metadata.namespace").effect, Effect::Replace);
    }

    #[test]
    fn values_of_variables_are_not_recorded() {
        let kind = deployment();
        let of = |field: &str| kind.attribute(&format!("spec.template.spec.containers[chat].env[PORT].{field}"));
        assert!(!of("value").recorded && of("value").pruned);
        assert!(of("name").recorded, "so that one that goes is noticed");
    }
}
