//! Rules about the settings of nodes: instance sizes, Spot Instances, labels, taints, the kubelet.

use std::collections::{BTreeMap, BTreeSet};

use super::super::cluster::InstanceSize;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::{ClusterFile, NodesFile, PluginFile, SpotFile, SpotStrategyFile};
use super::super::name::{is_label_key, is_label_value};
use super::super::node_group::{Kubelet, Spot, SpotStrategy, Taint};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned, all, pods, size};

pub(super) static RULES: [&Rule; 7] = [&SIZES, &LABEL, &OWNED_LABEL, &TAINT, &ALL_SPOT, &RESERVED, &MANY_PODS];

static SIZES: Rule = Rule {
    code: "Q0441",
    severity: Error,
    title: "a node group whose instance sizes are not clear",
    explanation: "`size` names the only instance size of a group, `sizes` several, the preferred one first. One of the two \
        is needed. Images of services are built for one CPU architecture, so all sizes of a group have the same.",
    bad: "nodes \"workers\" {\n  count = 2\n  sizes = [\"m7i.large\", \"m7g.large\"]\n}",
    good: "nodes \"workers\" {\n  count = 2\n  sizes = [\"m7i.large\", \"m6i.large\"]\n}",
};

static LABEL: Rule = Rule {
    code: "Q0442",
    severity: Error,
    title: "a label that Kubernetes does not take",
    explanation: "The key of a label is a name, with a DNS name and a slash before it if it is not only yours: `team`, \
        `example.com/team`. Names and values have at most 63 letters, digits, `-`, `_` and `.`, and start and end with a \
        letter or digit. A value may be empty.",
    bad: "nodes \"workers\" {\n  count  = 2\n  size   = \"t3.large\"\n  labels = { team = \"machine learning\" }\n}",
    good: "nodes \"workers\" {\n  count  = 2\n  size   = \"t3.large\"\n  labels = { team = \"machine-learning\" }\n}",
};

static OWNED_LABEL: Rule = Rule {
    code: "Q0443",
    severity: Error,
    title: "a label or taint that others set",
    explanation: "Kubernetes and its cloud controller set the labels and taints that describe a machine (`kubernetes.io/hostname`, \
        `topology.kubernetes.io/zone`, `node.kubernetes.io/not-ready`), and Quorate sets those of `quorate.dev/`. Another \
        value would be overwritten, or pods would land on the wrong nodes.",
    bad: "nodes \"workers\" {\n  count  = 2\n  size   = \"t3.large\"\n  labels = { \"topology.kubernetes.io/zone\" = \"eu\" }\n}",
    good: "nodes \"workers\" {\n  count  = 2\n  size   = \"t3.large\"\n  labels = { \"example.com/zone\" = \"eu\" }\n}",
};

static TAINT: Rule = Rule {
    code: "Q0444",
    severity: Error,
    title: "that is not a taint of nodes",
    explanation: "A taint is written as kubectl writes it: a key, a value behind `=` if it has one, an effect behind a colon: \
        `NoSchedule`, `PreferNoSchedule` or `NoExecute`. A node has each key once for each effect.",
    bad: "nodes \"workers\" {\n  count  = 2\n  size   = \"t3.large\"\n  taints = [\"dedicated=ml\"]\n}",
    good: "nodes \"workers\" {\n  count  = 2\n  size   = \"t3.large\"\n  taints = [\"dedicated=ml:NoSchedule\"]\n}",
};

static ALL_SPOT: Rule = Rule {
    code: "Q0445",
    severity: Warning,
    title: "every node is a Spot Instance",
    explanation: "AWS can take all Spot Instances of one size back at the same time. A group of On-Demand Instances, or \
        `on_demand_base`, keeps some nodes.",
    bad: "nodes \"workers\" {\n  count = 3\n  size  = \"m7i.large\"\n  spot  = true\n}",
    good: "nodes \"workers\" {\n  count = 3\n  size  = \"m7i.large\"\n  spot {\n    on_demand_base = 1\n  }\n}",
};

static RESERVED: Rule = Rule {
    code: "Q0446",
    severity: Error,
    title: "that is not an amount for the kubelet",
    explanation: "`reserved` takes amounts as Kubernetes writes them: `0.5` or `500m` CPUs, `512Mi` or `1Gi` of memory. \
        `eviction` takes amounts of memory and disk space, or percentages: `200Mi`, `5%`.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  kubelet {\n    eviction {\n      memory = \"5 percent\"\n    }\n  }\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  kubelet {\n    eviction {\n      memory = \"5%\"\n    }\n  }\n}",
};

static MANY_PODS: Rule = Rule {
    code: "Q0447",
    severity: Error,
    title: "more pods on a node than it has addresses",
    explanation: "With the network plugin `routes` a node has a range of 256 pod addresses, of which 253 are for pods. Pods \
        that are replaced need some of them twice, so `max_pods` is at most 250.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"m7i.8xlarge\"\n  kubelet {\n    max_pods = 400\n  }\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"m7i.8xlarge\"\n  kubelet {\n    max_pods = 250\n  }\n}",
};

/// Maximum length of the key of a taint, which is part of a tag.
const LONGEST_TAINT: usize = 80;

/// Maximum number of pods on a node with the plugin `routes`.
const MOST_PODS: u32 = 250;

/// Labels and taints that Kubernetes, its kubelet or its cloud controller sets: whole keys, or prefixes that end in a slash.
const OWNED: [&str; 13] = [
    "quorate.dev/",
    "beta.kubernetes.io/",
    "failure-domain.beta.kubernetes.io/",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node.cloudprovider.kubernetes.io/",
    "node.kubernetes.io/",
    "topology.ebs.csi.aws.com/",
    "topology.k8s.aws/",
    "topology.kubernetes.io/",
];

/// The instance sizes of a group: the preferred one, and the others.
pub(super) type Sizes = (InstanceSize, Vec<InstanceSize>);

/// Reads `size` or `sizes`.
pub(super) fn sizes(
    context: &mut LoweringContext,
    name: &str,
    group: &Spanned<NodesFile>,
    file: &NodesFile,
) -> Result<Sizes, ErrorReported> {
    let problem = match (&file.size, &file.sizes) {
        (Some(_), None) => return Ok((size::read(context, file.size.as_ref())?, Vec::new())),
        (Some(one), Some(several)) => {
            Diagnostic::new(&SIZES, several.key.clone(), format!("`nodes.{name}` has both `size` and `sizes`"))
                .related(one.key.clone(), "the size")
                .help("keep `size` for one size, `sizes` for several")
        }
        (None, None) => Diagnostic::new(&SIZES, group.key.clone(), format!("`nodes.{name}` has no `size`"))
            .help("for example: size = \"t3.large\""),
        (None, Some(several)) => return listed(context, name, several),
    };
    Err(context.error(problem))
}

/// Reads a list of sizes.
fn listed(
    context: &mut LoweringContext,
    name: &str,
    several: &Spanned<Vec<Spanned<String>>>,
) -> Result<Sizes, ErrorReported> {
    let mut known: Vec<(InstanceSize, super::Span)> = Vec::new();
    all::<(), Vec<()>>(several.value()?.iter().map(|item| {
        let size = size::read(context, Some(item))?;
        let first = known.first().map(|(size, span)| (size.clone(), span.clone()));
        let problem = if let Some((_, other)) = known.iter().find(|(known, _)| *known == size) {
            Diagnostic::new(&SIZES, item.span.clone(), format!("`nodes.{name}` lists {size} twice"))
                .related(other.clone(), "the first time")
                .help("list each size once")
        } else if let Some((first, place)) = first.filter(|(first, _)| first.architecture() != size.architecture()) {
            let message = format!("the sizes of `nodes.{name}` have two CPU architectures");
            Diagnostic::new(&SIZES, item.span.clone(), message)
                .label(format!("{size}: {}", size.architecture()))
                .related(place, format!("{first}: {}", first.architecture()))
                .help("make a second group for the other architecture")
        } else {
            known.push((size, item.span.clone()));
            return Ok(());
        };
        Err(context.error(problem))
    }))?;
    let mut sizes = known.into_iter().map(|(size, _)| size);
    let Some(first) = sizes.next() else {
        let problem =
            Diagnostic::new(&SIZES, several.span.clone(), format!("`nodes.{name}` has an empty list of sizes"));
        return Err(context.error(problem.help("for example: sizes = [\"m7i.large\", \"m6i.large\"]")));
    };
    Ok((first, sizes.collect()))
}

/// Reads the share of Spot Instances.
pub(super) fn spot(file: &NodesFile) -> Result<Option<Spot>, ErrorReported> {
    let all_spot = Spot { on_demand_base: 0, on_demand_percent: 0, strategy: SpotStrategy::default() };
    let block = match file.spot.optional()? {
        None | Some(SpotFile::Switch(false)) => return Ok(None),
        Some(SpotFile::Switch(true)) => return Ok(Some(all_spot)),
        Some(SpotFile::Block(block)) => block,
    };
    Ok(Some(Spot {
        on_demand_base: block.on_demand_base.optional()?.copied().unwrap_or(0),
        on_demand_percent: block.on_demand_percent.optional()?.copied().unwrap_or(0),
        strategy: block.strategy.optional()?.map(|strategy| strategy_of(*strategy)).unwrap_or_default(),
    }))
}

fn strategy_of(file: SpotStrategyFile) -> SpotStrategy {
    match file {
        SpotStrategyFile::PriceCapacityOptimized => SpotStrategy::PriceCapacityOptimized,
        SpotStrategyFile::CapacityOptimized => SpotStrategy::CapacityOptimized,
        SpotStrategyFile::CapacityOptimizedPrioritized => SpotStrategy::CapacityOptimizedPrioritized,
        SpotStrategyFile::LowestPrice => SpotStrategy::LowestPrice,
    }
}

/// Warns if no group has an On-Demand Instance.
pub(super) fn warn_of_spot(context: &mut LoweringContext) {
    let groups: Vec<&NodesFile> =
        context.file.nodes.given().into_iter().flatten().filter_map(|(_, group)| group.given()).collect();
    let only_spot = |group: &&NodesFile| {
        spot(group).ok().flatten().is_some_and(|spot| spot.on_demand_base == 0 && spot.on_demand_percent == 0)
    };
    if let Some(first) = groups.first().filter(|_| groups.iter().all(only_spot)) {
        let problem = Diagnostic::new(&ALL_SPOT, first.spot.key(), "every node of the cluster is a Spot Instance")
            .note("AWS can take all of them back at the same time")
            .help(format!("write {}, or add a group without `spot`", context.block("spot", "on_demand_base = 1")));
        context.warn(problem);
    }
}

/// Reads the labels.
pub(super) fn labels(
    context: &mut LoweringContext,
    file: &NodesFile,
) -> Result<BTreeMap<String, String>, ErrorReported> {
    context.map(&file.labels, |context, key, written| {
        let value = written.value()?;
        let problem = if !is_label_key(key) {
            Diagnostic::new(&LABEL, written.key.clone(), format!("{key:?} cannot be the key of a label"))
                .expected(["a key, for example \"team\" or \"example.com/team\""])
        } else if is_owned(key) {
            owned(written.key.clone(), "label", key)
        } else if !value.is_empty() && !is_label_value(value) {
            Diagnostic::new(&LABEL, written.span.clone(), format!("the label `{key}` cannot have the value {value:?}"))
                .expected(["at most 63 letters, digits, `-`, `_` and `.`"])
        } else {
            return Ok(value.clone());
        };
        Err(context.error(problem))
    })
}

/// Reads the taints.
pub(super) fn taints(context: &mut LoweringContext, file: &NodesFile) -> Result<Vec<Taint>, ErrorReported> {
    let mut known = BTreeSet::new();
    context.list(&file.taints, |context, item| {
        let text = item.value()?;
        let problem = match Taint::parse(text) {
            None => Diagnostic::new(&TAINT, item.span.clone(), format!("{text:?} is not a taint of nodes"))
                .expected(["a key, a value, an effect, for example \"dedicated=ml:NoSchedule\""]),
            Some(taint) if taint.key.len() > LONGEST_TAINT => {
                let message = format!("the key of the taint {taint} has {} characters", taint.key.len());
                let why = format!("it is part of a tag of the Auto Scaling group: at most {LONGEST_TAINT} characters");
                Diagnostic::new(&TAINT, item.span.clone(), message).label(why)
            }
            Some(taint) if is_owned(&taint.key) => owned(item.span.clone(), "taint", &taint.key),
            Some(taint) if !known.insert((taint.key.clone(), taint.effect)) => {
                let message = format!("the taint `{}:{}` is there twice", taint.key, taint.effect.as_str());
                Diagnostic::new(&TAINT, item.span.clone(), message).help("keep one of them")
            }
            Some(taint) => return Ok(taint),
        };
        Err(context.error(problem))
    })
}

/// Returns `true` if Kubernetes or Quorate sets the label or taint.
fn is_owned(key: &str) -> bool {
    OWNED.iter().any(|owned| if owned.ends_with('/') { key.starts_with(owned) } else { key == *owned })
}

fn owned(place: super::Span, what: &str, key: &str) -> Diagnostic {
    let owner = if key.starts_with("quorate.dev/") { "Quorate" } else { "Kubernetes" };
    Diagnostic::new(&OWNED_LABEL, place, format!("{owner} sets the {what} `{key}`"))
        .help("use a name of your own, for example example.com/team")
}

/// Reads the settings of the kubelet.
pub(super) fn kubelet(context: &mut LoweringContext, file: &NodesFile) -> Result<Kubelet, ErrorReported> {
    let Some(kubelet) = file.kubelet.optional()? else { return Ok(Kubelet::default()) };
    let max_pods = max_pods(context, kubelet.max_pods.as_ref());
    let reserved = kubelet.reserved.optional();
    let eviction = kubelet.eviction.optional();
    let (reserved, eviction) = (reserved?, eviction?);
    let mut amount = |setting: Option<&Spanned<String>>, of: &str, units: &[&str]| match setting.optional()? {
        Some(text) if !is_amount(text, units) => {
            let example = units.iter().copied().find(|unit| !unit.is_empty()).unwrap_or_default();
            let example = if example == "%" { "\"200Mi\" or \"5%\"".to_owned() } else { format!("\"500{example}\"") };
            let message = format!("{text:?} is not an amount of {of}");
            let problem = Diagnostic::new(&RESERVED, setting.place(), message);
            Err(context.error(problem.expected([format!("an amount, for example {example}")])))
        }
        text => Ok(text.cloned()),
    };
    let reserved_cpu = amount(reserved.and_then(|file| file.cpu.as_ref()), "CPU", &["m", ""]);
    let reserved_memory = amount(reserved.and_then(|file| file.memory.as_ref()), "memory", &["Mi", "Gi", "Ki"]);
    let eviction_memory = amount(eviction.and_then(|file| file.memory.as_ref()), "memory", &["%", "Mi", "Gi", "Ki"]);
    let eviction_disk = amount(eviction.and_then(|file| file.disk.as_ref()), "disk space", &["%", "Mi", "Gi", "Ki"]);
    Ok(Kubelet {
        max_pods: max_pods?,
        reserved_cpu: reserved_cpu?,
        reserved_memory: reserved_memory?,
        eviction_memory: eviction_memory?,
        eviction_disk: eviction_disk?,
    })
}

/// Returns `true` for an amount in one of the units; a percentage is below 100.
fn is_amount(text: &str, units: &[&str]) -> bool {
    match text.strip_suffix('%') {
        Some(number) => units.contains(&"%") && number.parse::<u8>().is_ok_and(|number| (1..100).contains(&number)),
        None => pods::is_quantity(text, units),
    }
}

fn max_pods(context: &mut LoweringContext, setting: Option<&Spanned<u32>>) -> Result<Option<u32>, ErrorReported> {
    match setting.optional()? {
        Some(&number) if number > MOST_PODS && has_routes(context.file) => {
            let message = format!("a node has no addresses for {number} pods");
            let problem = Diagnostic::new(&MANY_PODS, setting.place(), message);
            Err(context.error(problem.help(format!("write max_pods = {MOST_PODS} or less"))))
        }
        number => Ok(number.copied()),
    }
}

/// Returns `true` if each node has a range of the pods' addresses.
fn has_routes(file: &ClusterFile) -> bool {
    let plugin = file.network.given().and_then(|network| network.plugin.given());
    plugin.is_none_or(|plugin| *plugin == PluginFile::Routes)
}
