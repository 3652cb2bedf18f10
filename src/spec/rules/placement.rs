//! Rules about the placement of a service's pods.

use super::super::cluster::Zone;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ServiceFile;
use super::super::node_group::{Taint, TaintEffect};
use super::super::service::{Placement, Toleration};
use super::nodes::NodesDraft;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, zones};

pub(super) static RULES: [&Rule; 4] = [&GROUP, &TAINT, &NOWHERE, &TAINTED];

static GROUP: Rule = Rule {
    code: "Q0531",
    severity: Error,
    title: "a node group that the cluster does not have",
    explanation: "`placement.nodes` names node groups of this file. Pods that only run on nodes which are not there never run.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    nodes = [\"worker\"]\n  }\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    nodes = [\"workers\"]\n  }\n}",
};

static TAINT: Rule = Rule {
    code: "Q0532",
    severity: Error,
    title: "that is not a taint",
    explanation: "A taint is written as kubectl writes it: a key, a value behind `=` if it has one, an effect behind a colon \
        if only that one is meant (`NoSchedule`, `PreferNoSchedule`, `NoExecute`).",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    tolerate = [\"dedicated=web:Never\"]\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    tolerate = [\"dedicated=web:NoSchedule\"]\n  }\n}",
};

static NOWHERE: Rule = Rule {
    code: "Q0533",
    severity: Error,
    title: "no node is where the pods may run",
    explanation: "`placement.nodes` and `placement.zones` hold together: pods run on nodes of one of the groups which are in \
        one of the zones. No group that is named has a node in a zone that is named.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = [\"us-east-1a\"]\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    zones = [\"us-east-1b\"]\n  }\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = [\"us-east-1a\"]\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    zones = [\"us-east-1a\"]\n  }\n}",
};

static TAINTED: Rule = Rule {
    code: "Q0534",
    severity: Error,
    title: "every node has a taint that the pods do not tolerate",
    explanation: "Pods run only on nodes whose taints they tolerate (`placement { tolerate }`). Each node group that the service \
        may run on has a taint with the effect `NoSchedule` or `NoExecute` that it does not tolerate.",
    bad: "nodes \"games\" {\n  count  = 2\n  size   = \"t3.large\"\n  taints = [\"dedicated=games:NoSchedule\"]\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n}",
    good: "nodes \"games\" {\n  count  = 2\n  size   = \"t3.large\"\n  taints = [\"dedicated=games:NoSchedule\"]\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    tolerate = [\"dedicated=games:NoSchedule\"]\n  }\n}",
};

pub(super) fn read(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<ServiceFile>,
    service: &ServiceFile,
    draft: &NodesDraft,
) -> Result<Option<Placement>, ErrorReported> {
    let placement = restricted(context, service, draft)?;
    let place = service.placement.written().map_or_else(|| written.key.clone(), |placement| placement.key.clone());
    tolerated(context, name, placement.as_ref(), draft, place)?;
    Ok(placement)
}

/// Reads `placement`, if it is there.
fn restricted(
    context: &mut LoweringContext,
    service: &ServiceFile,
    draft: &NodesDraft,
) -> Result<Option<Placement>, ErrorReported> {
    let Some(file) = service.placement.optional()? else { return Ok(None) };
    let tolerate = context.list(&file.tolerate, toleration);
    let groups = context.list(&file.nodes, |context, item| group(context, item, draft));
    let zones = context.list(&file.zones, zones::listed);
    let (nodes, zones) = (groups?, zones?);
    somewhere(context, &nodes, &zones, draft, file.zones.place())?;
    Ok(Some(Placement { nodes, zones, tolerate: tolerate? }))
}

fn toleration(context: &mut LoweringContext, item: &Spanned<String>) -> Result<Toleration, ErrorReported> {
    let text = item.value()?;
    Toleration::parse(text).ok_or_else(|| {
        let problem = Diagnostic::new(&TAINT, item.span.clone(), format!("{text:?} is not a taint"));
        context.error(problem.expected(["a key, a value, an effect, for example \"dedicated=web:NoSchedule\""]))
    })
}

/// A node group that is named.
fn group(context: &mut LoweringContext, item: &Spanned<String>, nodes: &NodesDraft) -> Result<String, ErrorReported> {
    let group = item.value()?;
    if nodes.groups.contains_key(group) {
        return Ok(group.clone());
    }
    let known = || nodes.groups.keys().map(String::as_str);
    let problem = Diagnostic::new(&GROUP, item.span.clone(), format!("there is no node group {group:?}"))
        .expected(known().map(|name| format!("{name:?}")))
        .did_you_mean_as(group, known(), |name| format!("{name:?}"));
    Err(context.error(problem))
}

/// Checks that a group has a node in one of the zones: all groups, when none is named.
fn somewhere(
    context: &mut LoweringContext,
    named: &[String],
    zones: &[Zone],
    nodes: &NodesDraft,
    place: Span,
) -> Result<(), ErrorReported> {
    let groups: Vec<&String> = if named.is_empty() { nodes.groups.keys().collect() } else { named.iter().collect() };
    // A group with wrong zones is not reported again.
    let elsewhere = |group: &&String| {
        let own = nodes.groups.get(*group).map(|group| group.zones.as_ref());
        own.is_some_and(|own| own.is_ok_and(|own| !own.iter().any(|zone| zones.contains(zone))))
    };
    if zones.is_empty() || groups.is_empty() || !groups.iter().all(elsewhere) {
        return Ok(());
    }
    let message = match groups.as_slice() {
        [only] => format!("the node group {only} is not in any of these zones"),
        _ => "none of the groups is in any of these zones".to_owned(),
    };
    let problem = Diagnostic::new(&NOWHERE, place, message);
    Err(context.error(problem.help("name a zone that a group spans, or remove `zones`")))
}

/// Checks that a group accepts the pods.
fn tolerated(
    context: &mut LoweringContext,
    name: &str,
    placement: Option<&Placement>,
    draft: &NodesDraft,
    place: Span,
) -> Result<(), ErrorReported> {
    let (named, zones) = placement.map_or((&[][..], &[][..]), |it| (it.nodes.as_slice(), it.zones.as_slice()));
    let tolerate = placement.map_or(&[][..], |placement| placement.tolerate.as_slice());
    let mut refused: Option<(&String, Taint)> = None;
    for (group, nodes) in draft.groups.iter().filter(|(group, _)| named.is_empty() || named.contains(group)) {
        // What could not be read is reported already.
        let (Ok(taints), Ok(own)) = (&nodes.taints, &nodes.zones) else { return Ok(()) };
        if !zones.is_empty() && !own.iter().any(|zone| zones.contains(zone)) {
            continue;
        }
        let is_hard = |taint: &&Taint| taint.effect != TaintEffect::PreferNoSchedule;
        let covered = |taint: &Taint| tolerate.iter().any(|toleration| toleration.covers(taint));
        let Some(taint) = taints.iter().filter(is_hard).find(|taint| !covered(taint)) else { return Ok(()) };
        refused.get_or_insert((group, taint.clone()));
    }
    let Some((group, taint)) = refused else { return Ok(()) };
    let problem = Diagnostic::new(&TAINTED, place, format!("no node accepts the pods of `service.{name}`"))
        .note(format!("the nodes \"{group}\" have the taint {taint}"))
        .help(if placement.is_some() {
            format!("add tolerate = [\"{taint}\"] to `placement`")
        } else {
            format!("write {}", context.block("placement", &format!("tolerate = [\"{taint}\"]")))
        });
    Err(context.error(problem))
}
