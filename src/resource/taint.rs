//! Taints of nodes as tags of their Auto Scaling group, as the Kubernetes cluster autoscaler reads them.

use std::collections::BTreeMap;

use super::Tags;
use crate::engine::Value;
use crate::spec::{Taint, TaintEffect, Toleration};

/// The prefix of a tag with a taint that the nodes of a group have; the key of the taint comes after it. The value is that
/// of the taint, a colon, and the effect.
const TAINT_TAG: &str = "k8s.io/cluster-autoscaler/node-template/taint/";

/// Returns the tags of a group whose nodes have these taints.
pub fn taint_tags(taints: &[Taint]) -> Tags {
    let tag =
        |taint: &Taint| (format!("{TAINT_TAG}{}", taint.key), format!("{}:{}", taint.value, taint.effect.as_str()));
    taints.iter().map(tag).collect()
}

/// Returns `true` if the nodes of a group with these tags accept new pods with these tolerations (`spec.tolerations`).
pub fn accepts_pods(tags: &Tags, tolerations: &[Value]) -> bool {
    untolerated(tags, tolerations).all(|taint| taint.effect == TaintEffect::PreferNoSchedule)
}

/// Returns `true` if the nodes of a group with these tags evict pods with these tolerations.
pub fn evicts_pods(tags: &Tags, tolerations: &[Value]) -> bool {
    untolerated(tags, tolerations).any(|taint| taint.effect == TaintEffect::NoExecute)
}

/// Returns the taints of a group with these tags that pods with these tolerations do not tolerate.
fn untolerated(tags: &Tags, tolerations: &[Value]) -> impl Iterator<Item = Taint> {
    let tolerations: Vec<Toleration> = tolerations.iter().filter_map(toleration).collect();
    taints_in(tags).into_iter().filter(move |taint| !tolerations.iter().any(|toleration| toleration.covers(taint)))
}

fn toleration(value: &Value) -> Option<Toleration> {
    let Value::Map(fields) = value else { return None };
    let text = |fields: &BTreeMap<String, Value>, name: &str| fields.get(name)?.as_text().map(str::to_owned);
    Some(Toleration { key: text(fields, "key")?, value: text(fields, "value"), effect: text(fields, "effect") })
}

/// Returns the taints in the tags of a group.
fn taints_in(tags: &Tags) -> Vec<Taint> {
    let taint = |(tag, value): (&String, &String)| {
        let key = tag.strip_prefix(TAINT_TAG)?;
        // A machine that lacks the tag may be named after the value.
        let (value, effect) = value.split(' ').next()?.split_once(':')?;
        let equals = if value.is_empty() { "" } else { "=" };
        Taint::parse(&format!("{key}{equals}{value}:{effect}"))
    };
    tags.iter().filter_map(taint).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn taints_are_read_from_the_tags_that_they_become() {
        let taints = ["dedicated=ml:NoSchedule", "example.com/gpu:NoExecute"].map(|text| Taint::parse(text).unwrap());
        let mut tags = taint_tags(&taints);
        assert_eq!(tags["k8s.io/cluster-autoscaler/node-template/taint/dedicated"], "ml:NoSchedule");
        tags.insert("team".to_owned(), "ml".to_owned());
        assert_eq!(taints_in(&tags), taints);
        let drifted = tags.into_iter().map(|(key, value)| (key, format!("{value} (not on i-1)"))).collect();
        assert_eq!(taints_in(&drifted), taints, "a machine that lacks a tag is no change of the group's taints");
    }

    #[test]
    fn a_group_accepts_pods_that_tolerate_each_of_its_taints() {
        let tags =
            |taints: &[&str]| taint_tags(&taints.iter().map(|text| Taint::parse(text).unwrap()).collect::<Vec<_>>());
        let toleration = |fields: &[(&str, &str)]| {
            Value::Map(
                fields.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))).collect(),
            )
        };
        let ml = toleration(&[("key", "dedicated"), ("operator", "Equal"), ("value", "ml")]);
        assert!(accepts_pods(&tags(&[]), &[]));
        assert!(accepts_pods(&tags(&["busy:PreferNoSchedule"]), &[]), "there may be no other node");
        assert!(!accepts_pods(&tags(&["dedicated=ml:NoSchedule"]), &[]));
        assert!(accepts_pods(&tags(&["dedicated=ml:NoSchedule"]), std::slice::from_ref(&ml)));
        assert!(!accepts_pods(&tags(&["dedicated=ml:NoSchedule", "gpu:NoExecute"]), std::slice::from_ref(&ml)));
        assert!(evicts_pods(&tags(&["gpu:NoExecute"]), std::slice::from_ref(&ml)));
        assert!(!evicts_pods(&tags(&["gpu:NoSchedule"]), std::slice::from_ref(&ml)), "pods that run stay");
        assert!(!evicts_pods(&tags(&["dedicated=ml:NoExecute"]), &[ml]));
    }
}
