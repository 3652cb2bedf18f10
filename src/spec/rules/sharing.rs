//! Rules about services with several pods: whether the pods share their data.

use super::super::diagnostic::{
    Diagnostic,
    Severity::{Hint, Warning},
};
use super::super::file::ServiceFile;
use super::{FileCheck, Rule, pods};

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

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    if service.stateful == Some(true) && pods::most(service) > 1 {
        let sticky = service.nlb.as_ref().is_some_and(|nlb| nlb.sticky == Some(true));
        let note = if sticky {
            "sticky connections keep a user on one pod: users of another one are still not seen"
        } else {
            "connections are spread over them: users of one pod do not see those of another"
        };
        let problem = check
            .at_key(
                &STATEFUL,
                &["service", name, "stateful"],
                format!("the pods of `service.{name}` do not share what they keep"),
            )
            .note(note)
            .help("share it through an internal service, or run one pod");
        check.report(problem);
    }
}

/// Adds one hint for the whole file, only if it has no errors: the advice is the same for every service.
pub(super) fn hint(check: &mut FileCheck) {
    if check.found.iter().any(Diagnostic::is_error) {
        return;
    }
    let apart: Vec<&str> = check
        .file
        .service
        .iter()
        .flatten()
        .filter(|(name, service)| may_be_apart(check, name, service))
        .map(|(name, _)| name.as_str())
        .collect();
    let Some((first, others)) = apart.split_first() else { return };
    let mut problem = check
        .at_key(&APART, &["service", first], format!("the pods of `service.{first}` may know nothing of each other"))
        .note("fine for pages, not for a chat that keeps its room in memory")
        .help(
            "write stateful = false if any pod may answer anything, or let them share it through an internal service",
        );
    for other in others {
        problem = problem.related(check.tree.key_span(&["service", other]), "nor these");
    }
    check.report(problem);
}

/// Returns `true` if several pods take connections from outside, and the file names nothing that they share.
fn may_be_apart(check: &FileCheck, name: &str, service: &ServiceFile) -> bool {
    let spread = service.nlb.as_ref().is_some_and(|nlb| nlb.sticky != Some(true)) && pods::most(service) > 1;
    let leads_somewhere = service.secrets.as_ref().is_some_and(|secrets| !secrets.is_empty())
        || service.env.iter().flatten().any(|(_, value)| names_another(check, name, value));
    spread && service.stateful.is_none() && !leads_somewhere
}

/// Returns `true` if a variable's value holds the name of another service: `redis`, `redis://redis.chat:6379/0`.
fn names_another(check: &FileCheck, name: &str, value: &str) -> bool {
    let mut words = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let services = check.file.service.as_ref();
    words.any(|word| word != name && services.is_some_and(|services| services.contains_key(word)))
}
