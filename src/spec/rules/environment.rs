//! The environment variables and arguments of a service's containers.

use super::super::diagnostic::Severity::Error;
use super::super::file::ServiceFile;
use super::{FileCheck, Rule};
use crate::limits::kubernetes as limits;

pub(super) static RULES: [&Rule; 3] = [&ENV, &TWICE, &VALUE];

static ENV: Rule = Rule {
    code: "Q0507",
    severity: Error,
    title: "that cannot be the name of an environment variable",
    explanation: "Names of environment variables are letters, digits and underscores (Kubernetes \
        also takes dots and hyphens), and do not start with a digit.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  env   = { \"MY VAR\" = \"1\" }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  env   = { MY_VAR = \"1\" }\n}",
};

static TWICE: Rule = Rule {
    code: "Q0528",
    severity: Error,
    title: "an environment variable that is set twice",
    explanation: "`env` gives a variable its value, and `secrets` takes it from a secret. A variable in both would be set \
        twice in the container, and Kubernetes refuses to keep track of such a pair.",
    bad: "service \"web\" {\n  image   = \"nginx:1.27\"\n  env     = { TOKEN = \"none\" }\n  secrets = { TOKEN = \"web/token\" }\n}",
    good: "service \"web\" {\n  image   = \"nginx:1.27\"\n  secrets = { TOKEN = \"web/token\" }\n}",
};

static VALUE: Rule = Rule {
    code: "Q0530",
    severity: Error,
    title: "a text that no program can be given",
    explanation: "Linux gives a program its arguments and its environment as texts that end with a null character, of 128 KiB \
        each at most. A container with a longer one, or with that character in one, does not start. Larger texts are \
        for a ConfigMap in an `addon`, mounted as a file.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  args  = [\"a\\u0000b\"]\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  args  = [\"a b\"]\n}",
};

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let plain = service.env.iter().flatten().map(|(variable, _)| ("env", variable));
    let secret = service.secrets.iter().flatten().map(|(variable, _)| ("secrets", variable));
    for (setting, variable) in plain.chain(secret) {
        if limits::is_variable(variable) {
            continue;
        }
        let path = ["service", name, setting, variable];
        let problem = check
            .at_key(&ENV, &path, format!("{variable:?} cannot be the name of an environment variable"))
            .note("letters, digits and underscores, and no digit first");
        check.report(problem);
    }
    twice(check, name, service);
    values(check, name, service);
}

fn twice(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let Some(plain) = &service.env else { return };
    for variable in service.secrets.iter().flatten().map(|(variable, _)| variable) {
        if plain.contains_key(variable) {
            let path = |setting| ["service", name, setting, variable];
            let problem = check
                .at_key(&TWICE, &path("secrets"), format!("`service.{name}` sets {variable} twice"))
                .related(check.tree.key_span(&path("env")), "first here")
                .help("keep one of them");
            check.report(problem);
        }
    }
}

/// Checks the values that a program would get: `NAME=value` is one text.
fn values(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let variables = service.env.iter().flatten().filter_map(|(variable, value)| {
        let breach = limits::check_argument(value, variable.len() + 1).err()?;
        Some((check.tree.span(&["service", name, "env", variable]), format!("the value of {variable}"), breach))
    });
    let listed = ["command", "args"].into_iter().flat_map(|setting| {
        let texts = check.texts(&["service", name, setting]).into_iter();
        texts.filter_map(move |(text, span)| {
            Some((span, format!("a text of `{setting}`"), limits::check_argument(&text, 0).err()?))
        })
    });
    let found: Vec<_> = variables.chain(listed).collect();
    for (span, what, breach) in found {
        let message = format!("no program can be given {what}");
        check.report(super::Diagnostic::new(&VALUE, span, message).label(breach.to_string()));
    }
}
