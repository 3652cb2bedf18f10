//! The environment variables and arguments of a service's containers.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::service::SecretKey;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, all, pods};
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

/// The command line and the environment of a service's containers.
pub(super) struct Environment {
    pub(super) command: Vec<String>,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, SecretKey>,
}

/// The settings of a program in the file.
pub(super) struct ProgramFile<'f> {
    /// The path of its block: `service.chat`.
    pub(super) path: String,
    pub(super) command: &'f Option<Spanned<super::List<String>>>,
    pub(super) args: &'f Option<Spanned<super::List<String>>>,
    pub(super) env: &'f Option<Spanned<super::Map<String>>>,
    pub(super) secrets: &'f Option<Spanned<super::Map<String>>>,
}

pub(super) fn read(context: &mut LoweringContext, file: &ProgramFile<'_>) -> Result<Environment, ErrorReported> {
    let env = variables(context, file.env.as_ref(), |context, variable, written| {
        let value = written.value()?;
        // A program is given `NAME=value`, which is one text.
        argument(context, value, variable.len() + 1, &written.span, &format!("the value of {variable}"))
    });
    let secrets = variables(context, file.secrets.as_ref(), pods::secret);
    let twice = twice(context, file);
    let command = arguments(context, file.command.as_ref(), "command");
    let args = arguments(context, file.args.as_ref(), "args");
    twice?;
    Ok(Environment { command: command?, args: args?, env: env?, secrets: secrets? })
}

/// Reads a table of variables: checks each name, and reads each value.
fn variables<T>(
    context: &mut LoweringContext,
    setting: Option<&Spanned<super::Map<String>>>,
    mut read: impl FnMut(&mut LoweringContext, &str, &Spanned<String>) -> Result<T, ErrorReported>,
) -> Result<BTreeMap<String, T>, ErrorReported> {
    context.map(setting, |context, variable, written| {
        let named = variable_name(context, variable, written);
        let value = read(context, variable, written);
        named?;
        value
    })
}

fn variable_name(
    context: &mut LoweringContext,
    variable: &str,
    written: &Spanned<String>,
) -> Result<(), ErrorReported> {
    if limits::is_variable(variable) {
        return Ok(());
    }
    let message = format!("{variable:?} cannot be the name of an environment variable");
    let problem = Diagnostic::new(&ENV, written.key.clone(), message);
    Err(context.error(problem.note("letters, digits and underscores, and no digit first")))
}

fn twice(context: &mut LoweringContext, file: &ProgramFile<'_>) -> Result<(), ErrorReported> {
    let Some(plain) = file.env.given() else { return Ok(()) };
    let secrets = file.secrets.given().into_iter().flatten();
    all(secrets.filter_map(|(variable, secret)| {
        let first = plain.get(variable)?;
        let message = format!("`{}` sets {variable} twice", file.path);
        let problem = Diagnostic::new(&TWICE, secret.key.clone(), message)
            .related(first.key.clone(), "first here")
            .help("keep one of them");
        Some(Err(context.error(problem)))
    }))
}

fn arguments(
    context: &mut LoweringContext,
    setting: Option<&Spanned<super::List<String>>>,
    name: &str,
) -> Result<Vec<String>, ErrorReported> {
    let what = format!("a text of `{name}`");
    context.list(setting, |context, item| argument(context, item.value()?, 0, &item.span, &what))
}

/// A text that a program is given, after `before` bytes of it.
fn argument(
    context: &mut LoweringContext,
    text: &str,
    before: usize,
    span: &Span,
    what: &str,
) -> Result<String, ErrorReported> {
    limits::check_argument(text, before).map(|()| text.to_owned()).map_err(|breach| {
        let message = format!("no program can be given {what}");
        context.error(Diagnostic::new(&VALUE, span.clone(), message).label(breach.to_string()))
    })
}
