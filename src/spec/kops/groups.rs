//! The documents of kind `InstanceGroup`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::cluster::KopsSubnets;
use super::fields::{KopsFields, short, without_setting};
use super::{KopsConversion, name};

/// The longest name of a node group.
const LONGEST_NAME: usize = 32;
/// The size of a group that names none, as kops has it for nodes.
const SIZE: u32 = 2;

/// The differences of groups: those that several groups share are reported once.
#[derive(Default)]
struct GroupDifferences(Vec<(String, String, Vec<String>)>);

impl GroupDifferences {
    fn add(&mut self, group: &str, field: impl Into<String>, text: impl Into<String>) {
        let (field, text) = (field.into(), text.into());
        match self.0.iter_mut().find(|(known, same, _)| *known == field && *same == text) {
            Some((_, _, groups)) => groups.push(group.to_owned()),
            None => self.0.push((field, text, vec![group.to_owned()])),
        }
    }

    fn report(self, conversion: &mut KopsConversion) {
        for (field, text, groups) in self.0 {
            let field = if field.is_empty() { String::new() } else { format!(" {field}") };
            conversion.differ(format!("InstanceGroup/{}{field}", groups.join(",")), text);
        }
    }
}

/// A group as far as both roles need it.
struct KopsGroup<'j> {
    name: &'j str,
    min: u32,
    max: u32,
    size: Option<String>,
    root_gib: Option<u32>,
    /// The zones of its subnets, each once.
    zones: Vec<String>,
    labels: BTreeMap<String, String>,
    taints: Vec<String>,
    /// The sizes of a mixed instances policy.
    sizes: Vec<String>,
    /// The number of On-Demand Instances, and their percentage above that, if there are Spot Instances.
    spot: Option<(u32, u32)>,
    max_pods: Option<u32>,
}

/// Converts the groups.
pub(super) fn convert(conversion: &mut KopsConversion, documents: &[&Json], subnets: &KopsSubnets) {
    if documents.is_empty() {
        let text = "the text has no groups, so the file has masters and nodes of default sizes: \
                    `kops get NAME -o yaml` prints the cluster with its groups";
        conversion.differ("InstanceGroup", text);
        return;
    }
    let mut differences = GroupDifferences::default();
    let (mut masters, mut nodes) = (Vec::new(), Vec::new());
    for document in documents {
        let mut spec = KopsFields::of(&document["spec"]);
        let role = spec.text("role").unwrap_or_default();
        let group = match role.as_str() {
            "Master" | "ControlPlane" | "Node" => group(&mut differences, name(document), &mut spec, subnets),
            "Bastion" => {
                differences.add(name(document), "", "there are no bastions: `ssh.allow` opens SSH to addresses");
                continue;
            }
            "APIServer" => {
                differences.add(name(document), "", "API servers run on masters only: use a larger size of masters");
                continue;
            }
            other => {
                differences.add(name(document), "spec.role", format!("{other}: Quorate has masters and nodes"));
                continue;
            }
        };
        if role == "Node" { nodes.push(group) } else { masters.push(group) }
    }
    control_plane(conversion, &mut differences, &masters, subnets);
    for node in &nodes {
        node_group(conversion, &mut differences, node, subnets);
    }
    differences.report(conversion);
}

/// Reads what groups of all roles have, and reports the rest.
fn group<'j>(
    differences: &mut GroupDifferences,
    name: &'j str,
    spec: &mut KopsFields<'j>,
    subnets: &KopsSubnets,
) -> KopsGroup<'j> {
    let (least, most) = (spec.number("minSize"), spec.number("maxSize"));
    let mut zones = Vec::new();
    for subnet in spec.texts("subnets") {
        match subnets.zone_of.get(&subnet) {
            Some(zone) if zones.contains(zone) => {}
            Some(zone) => zones.push(zone.clone()),
            None => differences.add(name, "spec.subnets", format!("{subnet}: the cluster has no such subnet")),
        }
    }
    let mut root = KopsFields::of(spec.take("rootVolume").unwrap_or(&Json::Null));
    let root_gib = spec.number("rootVolumeSize").or(root.number("size"));
    for (field, value) in root.rest() {
        differences.add(name, format!("spec.rootVolume.{field}"), without_setting(field, value));
    }
    let size = spec.text("machineType");
    spec.drop_if("associatePublicIp", |value| value == true);
    spec.drop_if("rootVolumeEncryption", |value| value == true);
    spec.drop_if("rootVolumeType", |value| value == "gp3");
    spec.drop_if("manager", |value| value == "CloudGroup");
    spec.drop_all(&[
        "rootVolumeOptimization",
        "rootVolumeDeleteOnTermination",
        "compressUserData",
        "autoscale",
        "zones",
    ]);
    let labels = spec.take("nodeLabels").and_then(Json::as_object).into_iter().flatten();
    let labels = labels.filter(|(label, _)| !is_label_of_kops(label));
    let labels = labels.filter_map(|(label, value)| Some((label.clone(), short(value)?))).collect();
    let taints = spec.texts("taints");
    let (sizes, spot) = mixed(name, spec, differences);
    let mut kubelet = KopsFields::of(spec.take("kubelet").unwrap_or(&Json::Null));
    let max_pods = kubelet.number("maxPods");
    for (field, value) in kubelet.rest() {
        differences.add(name, format!("spec.kubelet.{field}"), without_setting(field, value));
    }
    let mut metadata = KopsFields::of(spec.take("instanceMetadata").unwrap_or(&Json::Null));
    metadata.drop_if("httpTokens", |value| value == "required");
    for (field, value) in metadata.rest() {
        let text = match field {
            "httpTokens" => "IMDSv2 is always required".to_owned(),
            _ => without_setting(field, value),
        };
        differences.add(name, format!("spec.instanceMetadata.{field}"), text);
    }
    for (field, value) in std::mem::take(spec).rest() {
        let text = match field {
            "associatePublicIp" => "machines have public addresses, and security groups close them".to_owned(),
            "rootVolumeEncryption" => "volumes are always encrypted".to_owned(),
            "rootVolumeType" => format!("{}: root volumes are gp3", short(value).unwrap_or_default()),
            "cloudLabels" => "tags are those of the cluster (`tags`), the same for all groups".to_owned(),
            "manager" => format!("{}: the group is an Auto Scaling group", short(value).unwrap_or_default()),
            _ => without_setting(field, value),
        };
        differences.add(name, format!("spec.{field}"), text);
    }
    let min = least.or(most).unwrap_or(SIZE);
    let max = most.unwrap_or(min).max(min);
    KopsGroup { name, min, max, size, root_gib, zones, labels, taints, sizes, spot, max_pods }
}

/// Reads the mixed instances policy of a group: the instance sizes, and the number and the percentage of On-Demand Instances
/// if there are Spot Instances.
fn mixed(
    name: &str,
    spec: &mut KopsFields<'_>,
    differences: &mut GroupDifferences,
) -> (Vec<String>, Option<(u32, u32)>) {
    let mut policy = KopsFields::of(spec.take("mixedInstancesPolicy").unwrap_or(&Json::Null));
    let sizes = policy.texts("instances");
    let (base, percent) = (policy.number("onDemandBase"), policy.number("onDemandAboveBase"));
    policy.drop_if("spotAllocationStrategy", |value| value == "price-capacity-optimized");
    policy.drop_if("onDemandAllocationStrategy", |value| value == "prioritized");
    for (field, value) in policy.rest() {
        differences.add(name, format!("spec.mixedInstancesPolicy.{field}"), without_setting(field, value));
    }
    let share = (base.unwrap_or(0), percent.unwrap_or(100));
    (sizes, Some(share).filter(|(_, percent)| *percent < 100))
}

/// Labels that kops sets by itself.
fn is_label_of_kops(label: &str) -> bool {
    ["kops.k8s.io/", "node-role.kubernetes.io/", "kubernetes.io/role"].iter().any(|start| label.starts_with(start))
}

/// The masters: one for each machine of all groups of masters.
fn control_plane(
    conversion: &mut KopsConversion,
    differences: &mut GroupDifferences,
    groups: &[KopsGroup<'_>],
    subnets: &KopsSubnets,
) {
    let Some(first) = groups.first() else { return };
    let origin = |group: &KopsGroup<'_>, field: &str| format!("InstanceGroup/{} spec.{field}", group.name);
    let of_group = |group: &KopsGroup<'_>| {
        let zones = if group.zones.is_empty() { &subnets.zones } else { &group.zones };
        // A group of masters has one machine unless it says more.
        zones.iter().cycle().take(group.min.max(1) as usize).cloned().collect::<Vec<_>>()
    };
    let zones: Vec<String> = groups.iter().flat_map(of_group).collect();
    let count = u32::try_from(zones.len()).unwrap_or(u32::MAX);
    if count % 2 == 0 || count > 7 {
        let wanted = if count > 7 { 7 } else { count + 1 };
        let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
        conversion.draft.set(&["masters", "count"], wanted, origin(first, "minSize"));
        conversion.differ(
            format!("InstanceGroup/{} spec.minSize", names.join(",")),
            format!("{count} masters: etcd needs 1, 3, 5 or 7. The file has {wanted}"),
        );
    } else {
        conversion.draft.set(&["masters", "count"], count, origin(first, "minSize"));
        let usual = subnets.zones.iter().cycle().take(zones.len());
        if !usual.eq(&zones) && zones.iter().all(|zone| subnets.zones.contains(zone)) {
            conversion.draft.set(&["masters", "zones"], zones, origin(first, "subnets"));
        }
    }
    match &first.size {
        Some(size) => conversion.draft.set(&["masters", "size"], size.as_str(), origin(first, "machineType")),
        None => differences.add(first.name, "spec.machineType", "not given: the file has the default"),
    }
    for group in groups.iter().filter(|group| group.size != first.size) {
        let size = group.size.as_deref().unwrap_or("the default");
        differences.add(
            group.name,
            "spec.machineType",
            format!("{size}: all masters have one size, that of {}", first.name),
        );
    }
    let root = groups.iter().filter_map(|group| group.root_gib).max();
    if let Some(root) = root {
        conversion.draft.set(&["masters", "root", "gib"], root, origin(first, "rootVolumeSize"));
    }
}

fn node_group(
    conversion: &mut KopsConversion,
    differences: &mut GroupDifferences,
    group: &KopsGroup<'_>,
    subnets: &KopsSubnets,
) {
    if group.max == 0 {
        differences.add(group.name, "spec.maxSize", "0: a group without nodes is left out");
        return;
    }
    let name = free_name(conversion, group.name);
    if name != group.name {
        differences.add(group.name, "metadata.name", format!("the group is named `{name}` in the file"));
    }
    let origin = |field: &str| format!("InstanceGroup/{} spec.{field}", group.name);
    let draft = &mut conversion.draft;
    if group.min == group.max {
        draft.set(&["nodes", &name, "count"], group.min, origin("minSize"));
    } else {
        draft.set(&["nodes", &name, "min"], group.min, origin("minSize"));
        draft.set(&["nodes", &name, "max"], group.max, origin("maxSize"));
    }
    match &group.size {
        _ if !group.sizes.is_empty() => {
            draft.set(&["nodes", &name, "sizes"], group.sizes.clone(), origin("mixedInstancesPolicy.instances"));
        }
        Some(size) => draft.set(&["nodes", &name, "size"], size.as_str(), origin("machineType")),
        None => differences.add(group.name, "spec.machineType", "not given: the file has the default"),
    }
    let sorted = |zones: &[String]| zones.iter().cloned().collect::<BTreeSet<_>>();
    if !group.zones.is_empty() && sorted(&group.zones) != sorted(&subnets.zones) {
        draft.set(&["nodes", &name, "zones"], group.zones.clone(), origin("subnets"));
    }
    if let Some(gib) = group.root_gib {
        draft.set(&["nodes", &name, "root", "gib"], gib, origin("rootVolumeSize"));
    }
    if let Some((base, percent)) = group.spot {
        draft.set(&["nodes", &name, "spot", "on_demand_base"], base, origin("mixedInstancesPolicy.onDemandBase"));
        draft.set(
            &["nodes", &name, "spot", "on_demand_percent"],
            percent,
            origin("mixedInstancesPolicy.onDemandAboveBase"),
        );
    }
    if !group.labels.is_empty() {
        draft.set(&["nodes", &name, "labels"], group.labels.clone(), origin("nodeLabels"));
    }
    if !group.taints.is_empty() {
        draft.set(&["nodes", &name, "taints"], group.taints.clone(), origin("taints"));
    }
    if let Some(pods) = group.max_pods {
        draft.set(&["nodes", &name, "kubelet", "max_pods"], pods, origin("kubelet.maxPods"));
    }
}

/// Returns a name that a node group may have, and that no other group has.
fn free_name(conversion: &KopsConversion, name: &str) -> String {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let tidied: String = name.to_lowercase().chars().map(|c| if known(c) { c } else { '-' }).collect();
    let tidied: String = tidied.trim_matches('-').chars().take(LONGEST_NAME).collect();
    let tidied = tidied.trim_end_matches('-');
    let tidied = if tidied.is_empty() { "nodes" } else { tidied };
    let is_free =
        |name: &str| ["count", "min"].iter().all(|number| conversion.draft.get(&["nodes", name, number]).is_none());
    let numbered = (2..).map(|number: u32| {
        let start: String = tidied.chars().take(LONGEST_NAME - 5).collect();
        format!("{start}-{number}")
    });
    std::iter::once(tidied.to_owned()).chain(numbered.take(10_000)).find(|name| is_free(name)).unwrap_or_default()
}
