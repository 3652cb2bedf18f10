//! The fields of a document: each is read once, and the rest is reported.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// The fields of an object that were not read yet.
#[derive(Debug, Default)]
pub(super) struct KopsFields<'j>(BTreeMap<&'j str, &'j Json>);

impl<'j> KopsFields<'j> {
    /// Returns the fields of an object; none of another value. Fields without a value are left out.
    pub(super) fn of(value: &'j Json) -> Self {
        let fields = value.as_object().into_iter().flatten();
        Self(fields.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), value)).collect())
    }

    /// Reads a field.
    pub(super) fn take(&mut self, name: &str) -> Option<&'j Json> {
        self.0.remove(name)
    }

    /// Reads a text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).and_then(text)
    }

    /// Reads a whole number.
    pub(super) fn number(&mut self, name: &str) -> Option<u32> {
        self.take(name).and_then(Json::as_u64).and_then(|number| number.try_into().ok())
    }

    /// Reads a list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        self.take(name).and_then(Json::as_array).into_iter().flatten().filter_map(text).collect()
    }

    /// Drops fields that have no meaning for Quorate.
    pub(super) fn drop_all(&mut self, names: &[&'static str]) {
        for name in names {
            self.0.remove(name);
        }
    }

    /// Drops a field with the value that Quorate has, too.
    pub(super) fn drop_if(&mut self, name: &str, same: impl Fn(&Json) -> bool) {
        if self.0.get(name).is_some_and(|value| same(value)) {
            self.0.remove(name);
        }
    }

    /// Returns what was not read.
    pub(super) fn rest(self) -> impl Iterator<Item = (&'j str, &'j Json)> {
        self.0.into_iter()
    }
}

/// Returns a scalar as text: YAML reads `1.30` as a number.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.trim().to_owned()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The advice about a field that has no setting, by the first part of its name.
const ADVICE: [(&str, &str); 27] = [
    ("additionalPolicies", "policies of machines cannot be set: use IAM roles of the workloads"),
    ("additionalSans", "the API's certificate has the names of the cluster only"),
    ("additionalUserData", "machines run Quorate's script only; build an image of your own for more"),
    ("addons", "write a manifest, and an `addon` block for it"),
    ("authentication", "users are authenticated with certificates that AWS permissions control (`quorate kubeconfig`)"),
    (
        "awsLoadBalancerController",
        "write a manifest, and an `addon` block for it; services have network load balancers (`nlb`)",
    ),
    ("certManager", "write a manifest, and an `addon` block for it"),
    ("cloudControllerManager", "the cloud controller manager is part of every cluster, and has no settings"),
    (
        "clusterAutoscaler",
        "write a manifest, and an `addon` block for it; groups with `min` and `max` leave the number to it",
    ),
    ("containerd", "containerd has no settings"),
    ("externalDns", "services have DNS names of their own (`nlb.domain`); for others, write an `addon` block"),
    ("fileAssets", "machines run Quorate's script only; build an image of your own for more"),
    ("hooks", "machines run Quorate's script only; build an image of your own for more"),
    ("iam", "the roles of machines are Quorate's own"),
    ("image", "machines start Amazon Linux 2023; an image of your own (`image`) has to be made from it"),
    ("maxPrice", "write `spot = true` in the node group: Spot Instances have no maximum price of their own"),
    ("metricsServer", "write a manifest, and an `addon` block for it"),
    ("maxPods", "write `kubelet { max_pods }` in each node group"),
    ("mixedInstancesPolicy", "masters have one instance size, on demand"),
    ("nodeProblemDetector", "write a manifest, and an `addon` block for it"),
    ("nodeTerminationHandler", "write a manifest, and an `addon` block for it"),
    ("packages", "machines install Quorate's packages only; build an image of your own for more"),
    ("podIdentityWebhook", "write a manifest, and an `addon` block for it"),
    (
        "rollingUpdate",
        "write `roll { max_surge, max_unavailable }` in the node group; by default one new machine at a time",
    ),
    ("snapshotController", "write a manifest, and an `addon` block for it"),
    ("updatePolicy", "machines are replaced by `quorate apply` only"),
    ("volumes", "machines have their root volume only; pods have volumes of their own"),
];

/// Returns the difference of a field that has no setting in the cluster file.
pub(super) fn without_setting(name: &str, value: &Json) -> String {
    let advice =
        ADVICE.iter().find(|(known, _)| *known == name).map_or("Quorate has no setting for it", |(_, text)| text);
    match short(value) {
        Some(value) => format!("{value}: {advice}"),
        None => advice.to_owned(),
    }
}

/// Returns a value that is short enough for a message.
pub(super) fn short(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        _ => return None,
    };
    (text.len() <= 60 && !text.is_empty() && !text.contains('\n')).then_some(text)
}
