//! Rules about the control plane: number of masters, zones, instance sizes.

use std::collections::BTreeMap;

use super::super::cluster::{EtcdVolume, InstanceSize, Masters, Zone};
use super::super::defaults;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::{EtcdFile, MastersFile};
use super::nodes::{NodesDraft, root};
use super::zones::RegionZones;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, all, image, size, zones};

pub(super) static RULES: [&Rule; 10] =
    [&EVEN, &NONE, &TOO_MANY, &SPREAD, &size::MALFORMED, &image::MALFORMED, &QUORUM, &SINGLE, &BURSTABLE, &TINY];

const MOST: u32 = 7;
/// Number of nodes above which the control plane's idle load uses up the credits of a burstable size.
const CREDITS_LAST_FOR: u64 = 10;

static EVEN: Rule = Rule {
    code: "Q0401",
    severity: Error,
    title: "an even number of masters",
    explanation: "etcd needs more than half of its members. Four masters survive the loss of one, \
        as three do; the fourth costs money and makes a loss more likely.",
    bad: "masters {\n  count = 4\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 3\n  size  = \"t3.medium\"\n}",
};

static NONE: Rule = Rule {
    code: "Q0402",
    severity: Error,
    title: "no masters",
    explanation: "The control plane runs on the masters: one for trying things out, three for \
        work that matters.",
    bad: "masters {\n  count = 0\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 1\n  size  = \"t3.medium\"\n}",
};

static TOO_MANY: Rule = Rule {
    code: "Q0403",
    severity: Error,
    title: "too many masters",
    explanation: "Every write goes to every etcd member, so more than seven make the cluster \
        slower and no safer. Larger clusters take larger masters.",
    bad: "masters {\n  count = 9\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 5\n  size  = \"m7g.large\"\n}",
};

static SPREAD: Rule = Rule {
    code: "Q0404",
    severity: Error,
    title: "`masters.zones` does not name a zone for each master",
    explanation: "`masters.zones` has one entry for each master. It may name a zone more than once. \
        New masters take the entries in order; another order moves no master. Without it, new masters \
        go round the cluster's zones.",
    bad: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nmasters {\n  count = 3\n  size  = \"t3.medium\"\n  zones = [\"us-east-1a\", \"us-east-1b\"]\n}",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nmasters {\n  count = 3\n  size  = \"t3.medium\"\n  zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1b\"]\n}",
};

static QUORUM: Rule = Rule {
    code: "Q0411",
    severity: Warning,
    title: "the loss of one zone loses the quorum",
    explanation: "When a zone holds half of the masters or more, its loss stops the control plane: \
        running pods keep running, but nothing can be changed or healed until the zone is back. \
        Three zones with a master each survive the loss of any one of them.",
    bad: "zones = [\"us-east-1a\", \"us-east-1b\"]",
    good: "zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"]",
};

static SINGLE: Rule = Rule {
    code: "Q0412",
    severity: Warning,
    title: "a single master",
    explanation: "One master does not survive any failure: while it is replaced, nothing can be changed or \
        healed. Its data is on a volume of its own and comes back.",
    bad: "masters {\n  count = 1\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 3\n  size  = \"t3.medium\"\n}",
};

static BURSTABLE: Rule = Rule {
    code: "Q0413",
    severity: Warning,
    title: "masters on CPU credits",
    explanation: "The `t` families run on credits. A control plane works all the time; on a small \
        size, or with more than ten nodes, the credits run out and either etcd misses heartbeats or \
        the extra CPU is charged.",
    bad: "masters {\n  size = \"t3.small\"\n}",
    good: "masters {\n  size = \"t3.medium\"\n}",
};

static TINY: Rule = Rule {
    code: "Q0414",
    severity: Warning,
    title: "masters with too little memory",
    explanation: "etcd, the API server and the controllers need about 2 GiB. On less they start and \
        are killed again, most often a few minutes after the cluster was ready.",
    bad: "masters {\n  size = \"t2.micro\"\n}",
    good: "masters {\n  size = \"t3.medium\"\n}",
};

/// The control plane, as far as it can be read.
pub(super) struct MastersDraft {
    /// The number of masters.
    pub(super) count: u32,
    masters: Result<Masters, ErrorReported>,
}

impl MastersDraft {
    /// The setting of the cluster.
    pub(super) fn finish(self) -> Result<Masters, ErrorReported> {
        self.masters
    }
}

pub(super) fn read(
    context: &mut LoweringContext,
    zones: &Result<RegionZones, ErrorReported>,
    nodes: &NodesDraft,
) -> MastersDraft {
    match context.required(&context.file.masters, "masters") {
        Ok(file) => MastersDraft { count: count(file), masters: masters(context, file, zones, nodes) },
        Err(proof) => MastersDraft { count: defaults::MASTERS, masters: Err(proof) },
    }
}

fn count(file: &MastersFile) -> u32 {
    let listed = || Some(u32::try_from(file.zones.given()?.len()).unwrap_or(u32::MAX));
    file.count.given().copied().or_else(listed).unwrap_or(defaults::MASTERS)
}

fn masters(
    context: &mut LoweringContext,
    file: &MastersFile,
    cluster_zones: &Result<RegionZones, ErrorReported>,
    nodes: &NodesDraft,
) -> Result<Masters, ErrorReported> {
    let wanted = file.count.optional().map(|_| count(file));
    let zones = placed(context, file, cluster_zones);
    let counted = wanted.and_then(|wanted| number(context, file, wanted));
    let size = size::read(context, file.size.as_ref());
    if let Ok(size) = &size {
        load(context, file.size.place(), size, nodes.most());
    }
    let image = image::read(context, file.image.as_ref());
    let root = root(file.root.as_ref(), defaults::MASTER_ROOT_GIB);
    let etcd = etcd(file.etcd.as_ref());
    if let (Ok(zones), Ok(()), Ok(_)) = (&zones, counted, cluster_zones) {
        quorum(context, file, zones);
    }
    counted?;
    Ok(Masters {
        size: size?,
        image: image?,
        zones: zones?,
        zones_given: file.zones.is_some(),
        root: root?,
        etcd: etcd?,
    })
}

fn etcd(setting: Option<&Spanned<EtcdFile>>) -> Result<EtcdVolume, ErrorReported> {
    let Some(file) = setting.optional()? else {
        return Ok(EtcdVolume { gib: defaults::ETCD_GIB, keep_days: defaults::KEEP_DAYS });
    };
    Ok(EtcdVolume {
        gib: file.gib.optional()?.copied().unwrap_or(defaults::ETCD_GIB),
        keep_days: file.keep_days.optional()?.copied().unwrap_or(defaults::KEEP_DAYS),
    })
}

/// The zone of each master.
fn placed(
    context: &mut LoweringContext,
    file: &MastersFile,
    cluster_zones: &Result<RegionZones, ErrorReported>,
) -> Result<Vec<Zone>, ErrorReported> {
    let wanted = count(file);
    let Some(listed) = file.zones.optional()? else {
        let (_, zones) = cluster_zones.as_ref().map_err(|proof| *proof)?;
        return Ok(defaults::master_zones(wanted.min(MOST), zones));
    };
    let zones = all(listed.iter().map(|item| zones::listed(context, item)));
    let number = listed.len();
    if file.count.given().is_some() && usize::try_from(wanted) != Ok(number) {
        let message = format!("`masters.zones` lists {number} zones for {wanted} masters");
        let problem = Diagnostic::new(&SPREAD, file.zones.place(), message)
            .related(file.count.place(), format!("{wanted} masters"))
            .help("list a zone for each master, or remove `count` or `zones`");
        return Err(context.error(problem));
    }
    zones
}

/// Checks that the number of masters is one that etcd can work with.
fn number(context: &mut LoweringContext, file: &MastersFile, number: u32) -> Result<(), ErrorReported> {
    let place = file.count.span().unwrap_or_else(|| file.zones.place());
    let problem = match number {
        0 => Diagnostic::new(&NONE, place, "a cluster has at least one master")
            .help("write 1 to try things out, 3 to survive the loss of a zone"),
        n if n > MOST => Diagnostic::new(&TOO_MANY, place, format!("{n} masters are too many"))
            .expected(["1", "3", "5", "7"])
            .note("every write goes to every master: more of them are slower, not safer"),
        n if n % 2 == 0 => even(place, n),
        _ => return Ok(()),
    };
    Err(context.error(problem))
}

fn even(place: Span, number: u32) -> Diagnostic {
    let survives = (number - 1) / 2;
    let fewer = number - 1;
    let problem = Diagnostic::new(&EVEN, place, format!("{number} masters are an even number")).note(match survives {
        0 => "2 masters survive the loss of none, as one does, and fail twice as often".to_owned(),
        _ => format!("{number} masters survive the loss of {survives}, as {fewer} do"),
    });
    problem.help(format!("write {fewer} or {}", number + 1))
}

fn load(context: &mut LoweringContext, place: Span, size: &InstanceSize, nodes: u64) {
    if size.tiny() {
        let message = format!("a {size} has too little memory for a control plane");
        let problem = Diagnostic::new(&TINY, place, message)
            .note("etcd and the API server need about 2 GiB")
            .help("use at least a t3.medium or t4g.medium");
        context.warn(problem);
    } else if size.burstable() && (size.size() == "small" || nodes > CREDITS_LAST_FOR) {
        let family = size.family();
        let why = if nodes > CREDITS_LAST_FOR {
            format!("with {nodes} nodes, a master uses more CPU than a {size} earns in credits")
        } else {
            format!("a control plane at rest uses about what a {size} earns in credits")
        };
        let other = if family == "t4g" { "m7g.large" } else { "m7i.large" };
        let message = format!("masters of size {size} run on CPU credits");
        let problem = Diagnostic::new(&BURSTABLE, place, message).note(why).help(match size.size() {
            "small" if nodes <= CREDITS_LAST_FOR => format!("use at least a {family}.medium"),
            _ => format!("use a size without credits, for example {other}"),
        });
        context.warn(problem);
    }
}

/// Warns about zones whose loss would lose the quorum.
fn quorum(context: &mut LoweringContext, file: &MastersFile, placed: &[Zone]) {
    let total = placed.len();
    if total == 1 {
        let place = file.count.span().unwrap_or_else(|| context.file.masters.place());
        context.warn(
            Diagnostic::new(&SINGLE, place, "one master does not survive any failure")
                .note("while it is replaced, nothing can be changed or healed")
                .help("write count = 3 and three zones to survive the loss of any one of them"),
        );
        return;
    }
    let mut held: BTreeMap<&Zone, usize> = BTreeMap::new();
    for zone in placed {
        *held.entry(zone).or_default() += 1;
    }
    let needed = total / 2 + 1;
    for (zone, holds) in held.into_iter().filter(|(_, holds)| total - holds < needed) {
        let problem = fatal_zone(context, file, zone, holds, total);
        context.warn(problem);
    }
}

fn fatal_zone(context: &LoweringContext, file: &MastersFile, zone: &Zone, holds: usize, total: usize) -> Diagnostic {
    let place = file.zones.span().unwrap_or_else(|| context.file.zones.place());
    let message = format!("losing {zone} loses the quorum: it holds {holds} of {total} masters");
    let problem = Diagnostic::new(&QUORUM, place, message)
        .note(format!("{} of {total} masters must be up for anything to be changed or healed", total / 2 + 1));
    if context.zones.len() >= 3 {
        return problem.help("spread the masters over three zones: remove `masters.zones`");
    }
    let problem = match file.zones {
        Some(_) => problem.note("remove `masters.zones` when there are three zones"),
        None => problem,
    };
    problem.help(format!("list a third zone, for example: zones = [{}]", three_zones(context).join(", ")))
}

/// Returns the cluster's zones and as many others of the region as make three.
fn three_zones(context: &LoweringContext) -> Vec<String> {
    let mut zones = context.zone_list();
    let region = context.zones.first().map_or("us-east-1", Zone::region);
    for letter in 'a'..='f' {
        let candidate = format!("\"{region}{letter}\"");
        if zones.len() < 3 && !zones.contains(&candidate) {
            zones.push(candidate);
        }
    }
    zones
}
