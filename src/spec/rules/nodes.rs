//! Rules about node groups: number of nodes, zones, instance sizes.

use std::collections::BTreeMap;

use super::super::cluster::{ImageId, InstanceSize, RootVolume, Zone};
use super::super::defaults;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::{NodesFile, RootFile};
use super::super::name::check_label;
use super::super::node_group::{Kubelet, NodeGroup, NodeRoll, Scale, Spot, Taint};
use super::zones::RegionZones;
use super::{
    ErrorReported, FileLanguage, LoweringContext, OptionalSetting, Rule, Span, Spanned, all, image, node_settings,
    zones,
};

pub(super) static RULES: [&Rule; 7] = [&SCALE, &ORDER, &NAME, &EMPTY, &NO_ZONES, &NO_NODES, &ROLL];

/// Maximum length of a group's name, which is part of the names of AWS resources, beside the cluster's.
const LONGEST_NAME: usize = 32;

static SCALE: Rule = Rule {
    code: "Q0421",
    severity: Error,
    title: "a node group has no size, or two",
    explanation: "`count` gives the number to this file. `min` and `max`, together, give it to an \
        autoscaler. Both at once would have two owners.",
    bad: "nodes \"workers\" {\n  count = 3\n  max   = 9\n  size  = \"t3.large\"\n}",
    good: "nodes \"workers\" {\n  min  = 3\n  max  = 9\n  size = \"t3.large\"\n}",
};

static ORDER: Rule = Rule {
    code: "Q0422",
    severity: Error,
    title: "a node group's `min` is larger than its `max`",
    explanation: "`min` is the fewest nodes and `max` the most.",
    bad: "nodes \"workers\" {\n  min  = 9\n  max  = 3\n  size = \"t3.large\"\n}",
    good: "nodes \"workers\" {\n  min  = 3\n  max  = 9\n  size = \"t3.large\"\n}",
};

pub(super) static NAME: Rule = Rule {
    code: "Q0423",
    severity: Error,
    title: "a name that cannot be the name of a node group or service",
    explanation: "Names of node groups and services are parts of names in AWS and Kubernetes: lower \
        case letters, digits and hyphens, at most 32 of them for a node group and 63 for a service.",
    bad: "nodes \"Web_Workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
    good: "nodes \"web-workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
};

static EMPTY: Rule = Rule {
    code: "Q0424",
    severity: Error,
    title: "a node group without nodes",
    explanation: "A group has at least one node (`count`) or may have one (`max`). To have none, \
        remove the group; with an autoscaler, `min = 0` is possible.",
    bad: "nodes \"workers\" {\n  count = 0\n  size  = \"t3.large\"\n}",
    good: "nodes \"workers\" {\n  min  = 0\n  max  = 3\n  size = \"t3.large\"\n}",
};

static NO_ZONES: Rule = Rule {
    code: "Q0425",
    severity: Error,
    title: "a node group without zones, or with one twice",
    explanation: "Without `zones` a group spans all of the cluster's. A list names at least one, \
        and each once.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = []\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
};

static NO_NODES: Rule = Rule {
    code: "Q0426",
    severity: Warning,
    title: "no node groups",
    explanation: "Masters run no pods of services, so without nodes no service and no DNS inside \
        the cluster can run.",
    bad: "nodes = {}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
};

static ROLL: Rule = Rule {
    code: "Q0427",
    severity: Error,
    title: "a roll that replaces no node, or all at once",
    explanation: "A roll replaces nodes by starting more of them (`max_surge`), by ending some first (`max_unavailable`), or \
        both. One of the two is at least 1. A group of several nodes keeps at least one while it is rolled.",
    bad: "nodes \"workers\" {\n  count = 3\n  size  = \"t3.large\"\n  roll {\n    max_surge       = 0\n    max_unavailable = 0\n  }\n}",
    good: "nodes \"workers\" {\n  count = 3\n  size  = \"t3.large\"\n  roll {\n    max_surge       = 0\n    max_unavailable = 1\n  }\n}",
};

/// The node groups, as far as they can be read: rules about several settings use what is there.
pub(super) struct NodesDraft {
    pub(super) groups: BTreeMap<String, GroupDraft>,
    whole: Result<(), ErrorReported>,
}

/// A node group, as far as it can be read.
pub(super) struct GroupDraft {
    /// The most nodes that it can have.
    pub(super) most: u64,
    pub(super) size: Result<InstanceSize, ErrorReported>,
    pub(super) zones: Result<Vec<Zone>, ErrorReported>,
    pub(super) taints: Result<Vec<Taint>, ErrorReported>,
    other_sizes: Vec<InstanceSize>,
    name: Result<(), ErrorReported>,
    scale: Result<Scale, ErrorReported>,
    spot: Result<Option<Spot>, ErrorReported>,
    labels: Result<BTreeMap<String, String>, ErrorReported>,
    kubelet: Result<Kubelet, ErrorReported>,
    image: Result<Option<ImageId>, ErrorReported>,
    root: Result<RootVolume, ErrorReported>,
    roll: Result<NodeRoll, ErrorReported>,
}

impl NodesDraft {
    /// The setting of the cluster.
    pub(super) fn finish(self) -> Result<BTreeMap<String, NodeGroup>, ErrorReported> {
        self.whole?;
        self.groups.into_iter().map(|(name, group)| Ok((name, group.finish()?))).collect()
    }

    /// The most nodes that the groups can have together.
    pub(super) fn most(&self) -> u64 {
        self.groups.values().map(|group| group.most).sum()
    }
}

impl GroupDraft {
    fn finish(self) -> Result<NodeGroup, ErrorReported> {
        self.name?;
        Ok(NodeGroup {
            scale: self.scale?,
            size: self.size?,
            other_sizes: self.other_sizes,
            spot: self.spot?,
            labels: self.labels?,
            taints: self.taints?,
            kubelet: self.kubelet?,
            image: self.image?,
            zones: self.zones?,
            root: self.root?,
            roll: self.roll?,
        })
    }
}

pub(super) fn read(context: &mut LoweringContext, zones: &Result<RegionZones, ErrorReported>) -> NodesDraft {
    let setting = &context.file.nodes;
    // Without masters the file is only begun: what is missing is reported already.
    if setting.as_ref().is_none_or(|nodes| nodes.given().is_some_and(BTreeMap::is_empty))
        && context.file.masters.given().is_some()
    {
        let sample = match context.language {
            FileLanguage::Hcl => "nodes \"workers\" { … }",
            FileLanguage::Toml => "[nodes.workers]",
        };
        let problem = Diagnostic::new(&NO_NODES, setting.key(), "the cluster has no nodes: nothing can run on it");
        context.warn(problem.help(format!("add a node group: {sample}")));
    }
    node_settings::warn_of_spot(context);
    let groups = setting.given().into_iter().flatten();
    let groups = groups.map(|(name, written)| (name.clone(), group(context, name, written, zones)));
    NodesDraft { groups: groups.collect(), whole: setting.optional().map(|_| ()) }
}

fn group(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<NodesFile>,
    zones: &Result<RegionZones, ErrorReported>,
) -> GroupDraft {
    let named = check_name(context, name, &written.key, LONGEST_NAME, "a node group");
    let file = match written.value() {
        Ok(file) => file,
        Err(proof) => return GroupDraft::unreadable(proof),
    };
    let (size, other_sizes) = match node_settings::sizes(context, name, written, file) {
        Ok((size, others)) => (Ok(size), others),
        Err(proof) => (Err(proof), Vec::new()),
    };
    GroupDraft {
        most: u64::from(
            [&file.count, &file.max, &file.min].iter().filter_map(|n| n.given()).max().copied().unwrap_or(0),
        ),
        name: named,
        scale: scale(context, name, written, file),
        size,
        other_sizes,
        spot: node_settings::spot(file),
        labels: node_settings::labels(context, file),
        taints: node_settings::taints(context, file),
        kubelet: node_settings::kubelet(context, file),
        image: image::read(context, file.image.as_ref()),
        zones: match &file.zones {
            Some(_) => group_zones(context, name, file),
            None => zones.as_ref().map(|(_, zones)| zones.clone()).map_err(|proof| *proof),
        },
        root: root(file.root.as_ref(), defaults::NODE_ROOT_GIB),
        roll: roll(context, name, file),
    }
}

impl GroupDraft {
    /// A group that is no table.
    fn unreadable(proof: ErrorReported) -> Self {
        Self {
            most: 0,
            size: Err(proof),
            other_sizes: Vec::new(),
            spot: Err(proof),
            labels: Err(proof),
            taints: Err(proof),
            kubelet: Err(proof),
            zones: Err(proof),
            name: Ok(()),
            scale: Err(proof),
            image: Err(proof),
            root: Err(proof),
            roll: Err(proof),
        }
    }
}

/// A root volume.
pub(super) fn root(setting: Option<&Spanned<RootFile>>, default: u32) -> Result<RootVolume, ErrorReported> {
    let gib = setting.optional()?.map_or(Ok(None), |root| root.gib.optional())?;
    Ok(RootVolume { gib: gib.copied().unwrap_or(default) })
}

/// Reads the limits of a roll.
fn roll(context: &mut LoweringContext, name: &str, file: &NodesFile) -> Result<NodeRoll, ErrorReported> {
    let Some(written) = file.roll.optional()? else { return Ok(NodeRoll::default()) };
    let surge = written.max_surge.optional()?.copied().unwrap_or(NodeRoll::default().max_surge);
    let unavailable = written.max_unavailable.optional()?.copied().unwrap_or_else(|| u32::from(surge == 0));
    let count = file.count.given().copied().unwrap_or_default();
    let problem = if surge == 0 && unavailable == 0 {
        Diagnostic::new(
            &ROLL,
            written.max_unavailable.place(),
            format!("a roll of `nodes.{name}` would replace no node"),
        )
        .help("write max_surge = 1 to start another node first, or max_unavailable = 1 to end one first")
    } else if count > 1 && unavailable >= count {
        let message = format!("a roll of `nodes.{name}` would end all {count} nodes at once");
        Diagnostic::new(&ROLL, written.max_unavailable.place(), message)
            .help(format!("write a `max_unavailable` of at most {}", count - 1))
    } else {
        return Ok(NodeRoll { max_surge: surge, max_unavailable: unavailable });
    };
    Err(context.error(problem))
}

/// Checks the name of a node group, a service, a port, a volume.
pub(super) fn check_name(
    context: &mut LoweringContext,
    name: &str,
    place: &Span,
    longest: usize,
    what: &str,
) -> Result<(), ErrorReported> {
    let problem = Diagnostic::new(&NAME, place.clone(), format!("{name:?} cannot be the name of {what}"));
    let problem = match check_label(name) {
        Ok(()) if name.len() <= longest => return Ok(()),
        Ok(()) => problem.label(format!("{} characters; {longest} are the most", name.len())),
        Err(error) => problem.label(error.to_string()),
    };
    let tidied = name.to_lowercase().replace(['_', ' ', '.'], "-");
    Err(context.error(match check_label(&tidied) {
        Ok(()) if tidied != *name && tidied.len() <= longest => problem.help(format!("write \"{tidied}\"")),
        _ => problem.note("lower case letters, digits and hyphens"),
    }))
}

fn scale(
    context: &mut LoweringContext,
    name: &str,
    group: &Spanned<NodesFile>,
    file: &NodesFile,
) -> Result<Scale, ErrorReported> {
    let (range, place) = if file.min.is_some() { ("min", file.min.key()) } else { ("max", file.max.key()) };
    let problem = match (&file.count, &file.min, &file.max) {
        (Some(count), None, None) => match *count.value()? {
            0 => Diagnostic::new(&EMPTY, count.span.clone(), format!("`nodes.{name}` has no nodes"))
                .help("remove the group, or write how many nodes it has"),
            count => return Ok(Scale::Count(count)),
        },
        (None, Some(least), Some(most)) => match (*least.value()?, *most.value()?) {
            (min, max) if min > max => {
                let message = format!("`nodes.{name}` has a `min` of {min} and a `max` of {max}");
                Diagnostic::new(&ORDER, least.span.clone(), message)
                    .related(most.span.clone(), "the most")
                    .help(format!("write min = {max} and max = {min}"))
            }
            (_, 0) => Diagnostic::new(&EMPTY, most.span.clone(), format!("`nodes.{name}` can have no nodes"))
                .help("remove the group, or write how many nodes it may have"),
            (min, max) => return Ok(Scale::Range { min, max }),
        },
        (Some(count), _, _) => Diagnostic::new(&SCALE, place, format!("`nodes.{name}` has both `count` and `{range}`"))
            .related(count.key.clone(), "the count")
            .help("keep `count` to own the number, or `min` and `max` to leave it to an autoscaler"),
        (None, None, None) => {
            let message = format!("`nodes.{name}` does not say how many nodes it has");
            Diagnostic::new(&SCALE, group.key.clone(), message).help("write count = 3, or min = 3 and max = 9")
        }
        (None, least, _) => Diagnostic::new(&SCALE, place, format!("`nodes.{name}` has `{range}` alone"))
            .help(format!("add `{}`, or write `count`", if least.is_some() { "max" } else { "min" })),
    };
    Err(context.error(problem))
}

fn group_zones(context: &mut LoweringContext, name: &str, file: &NodesFile) -> Result<Vec<Zone>, ErrorReported> {
    let listed = file.zones.optional()?.map(Vec::as_slice).unwrap_or_default();
    if listed.is_empty() {
        let problem = Diagnostic::new(&NO_ZONES, file.zones.place(), format!("`nodes.{name}` has no zones"));
        return Err(context.error(problem.help("remove `zones` to span all of the cluster's")));
    }
    let mut distinct = Vec::new();
    all(listed.iter().map(|item| {
        let zone = zones::listed(context, item)?;
        if distinct.contains(&zone) {
            let message = format!("`nodes.{name}` lists {zone} twice");
            let problem = Diagnostic::new(&NO_ZONES, item.span.clone(), message).help("list each zone once");
            return Err(context.error(problem));
        }
        distinct.push(zone.clone());
        Ok(zone)
    }))
}
