//! Rules about services with several pods: whether the pods share their data.

use super::super::cluster::Cluster;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Hint, Warning},
};
use super::super::file::ServiceFile;
use super::super::service::Service;
use super::{LoweringContext, OptionalSetting, Rule, Span, pods};

pub(super) static RULES: [&Rule; 2] = [&STATEFUL, &APART];

static STATEFUL: Rule = Rule {
    code: "Q0517",
    severity: Warning,
    title: "several pods that do not share what they keep",
    explanation: "A service marked `stateful` keeps something in each pod: a chat that holds its room in memory, a session. \
        Connections are spread over the pods, so two users may be in two rooms of the same name and never see each \
        other. Give the pods a place that they share (an internal `service \"redis\"` that they reach by name), or run \
        one pod. Then remove `stateful`. `sticky` in `nlb` keeps each address on one pod, which is enough for a session and \
        not for a room.",
    bad: "service \"chat\" {\n  image    = \"chat:1\"\n  port     = 4000\n  replicas = 2\n  stateful = true\n}",
    good: "service \"chat\" {\n  image    = \"chat:1\"\n  port     = 4000\n  replicas = 2\n  env      = { REDIS_HOST = \"redis\" }\n}\n\nservice \"redis\" {\n  image = \"redis:7\"\n  port  = 6379\n}",
};

static APART: Rule = Rule {
    code: "Q0527",
    severity: Hint,
    title: "several pods behind a load balancer that may know nothing of each other",
    explanation: "Connections are spread over the pods of a service. That is fine for pages that every pod answers alike, \
        and not for a chat that keeps its room in memory: its users land in different rooms. Nothing in the file leads \
        these pods to a place that they share: no variable names another service, and none comes from a secret. Write \
        `stateful = false` when any pod may answer anything, `stateful = true` when each keeps something, or let them share \
        it through an internal service that they reach by name.",
    bad: "service \"web\" {\n  image    = \"web:1\"\n  port     = 80\n  replicas = 2\n  nlb {\n    port = 80\n  }\n}",
    good: "service \"web\" {\n  image    = \"web:1\"\n  port     = 80\n  replicas = 2\n  stateful = false\n  nlb {\n    port = 80\n  }\n}",
};

pub(super) fn check(context: &mut LoweringContext, name: &str, file: &ServiceFile) {
    if file.stateful.given() == Some(&true) && pods::most(file) > 1 {
        let sticky = file.nlb.given().is_some_and(|nlb| nlb.sticky.given() == Some(&true));
        let note = if sticky {
            "sticky connections keep a user on one pod: users of another pod are still not visible"
        } else {
            "connections are spread over them: users of one pod do not see those of another"
        };
        let message = format!("the pods of `service.{name}` do not share what they keep");
        let problem = Diagnostic::new(&STATEFUL, file.stateful.key(), message)
            .note(note)
            .help("share it through an internal service, or run one pod");
        context.warn(problem);
    }
}

/// Adds one hint for the whole file, only if it has no errors: the advice is the same for every service.
pub(super) fn hint(context: &mut LoweringContext, cluster: &Cluster) {
    if context.sink.reported().is_some() {
        return;
    }
    let apart: Vec<&String> = cluster
        .services
        .iter()
        .filter(|(name, service)| may_be_apart(cluster, name, service))
        .map(|(name, _)| name)
        .collect();
    let Some((first, others)) = apart.split_first() else { return };
    let place = |name: &str| -> Span {
        let written = context.file.service.given().and_then(|services| services.get(name));
        written.map(|service| service.key.clone()).unwrap_or_default()
    };
    let message = format!("the pods of `service.{first}` may know nothing of each other");
    let mut problem = Diagnostic::new(&APART, place(first), message)
        .note("fine for pages, not for a chat that keeps its room in memory")
        .help(
            "write stateful = false if any pod may answer anything, or let them share it through an internal service",
        );
    for other in others {
        problem = problem.related(place(other), "nor these");
    }
    context.warn(problem);
}

/// Returns `true` if several pods take connections from outside, and the file names nothing that they share.
fn may_be_apart(cluster: &Cluster, name: &str, service: &Service) -> bool {
    let is_spread = service.nlb.as_ref().is_some_and(|nlb| !nlb.sticky) || service.http.is_some();
    let spread = is_spread && service.scale.most() > 1;
    let leads_somewhere =
        !service.secrets.is_empty() || service.env.values().any(|value| names_another(cluster, name, value));
    spread && service.stateful.is_none() && !leads_somewhere
}

/// Returns `true` if a variable's value holds the name of another service: `redis`, `redis://redis.chat:6379/0`.
fn names_another(cluster: &Cluster, name: &str, value: &str) -> bool {
    let mut words = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.any(|word| word != name && cluster.services.contains_key(word))
}
