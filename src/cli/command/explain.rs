//! `quorate explain`

use std::future::{Ready, ready};

use clap::Args;
use serde_json::json;

use crate::cli::completion;
use crate::cli::{CliError, Exit, Session};
use crate::spec::{Rule, rule, rules};
use crate::view::{FORMAT, TextStyle, prose};

/// Explain a rule of the cluster file
///
/// Lists all rules if no code is given.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The code from the message, for example Q0107
    #[arg(value_name = "CODE", add = completion::codes())]
    code: Option<String>,
}

impl ExplainArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        ready(explain(session, self.code.as_deref()))
    }
}

fn explain(session: &Session, code: Option<&str>) -> Result<Exit, CliError> {
    let Some(code) = code else { return list(session) };
    let rule = rule(code).ok_or_else(|| CliError::Usage {
        message: format!("there is no rule {code}"),
        hint: "`quorate explain` lists all rules".to_owned(),
    })?;
    let mut document = json(rule);
    document["format"] = FORMAT.into();
    session.ui.document(&document, |style| text(rule, style))?;
    Ok(Exit::Done)
}

fn list(session: &Session) -> Result<Exit, CliError> {
    let document = json!({ "format": FORMAT, "rules": rules().map(json).collect::<Vec<_>>() });
    let line = |rule: &Rule| format!("{}  {:<7}  {}\n", rule.code, rule.severity.name(), rule.title);
    session.ui.document(&document, |_| rules().map(line).collect())?;
    Ok(Exit::Done)
}

fn text(rule: &Rule, style: TextStyle) -> String {
    let mut text =
        format!("{} ({}): {}\n\n{}", rule.code, rule.severity.name(), rule.title, prose(rule.explanation, style));
    for (title, example) in [("Wrong", rule.bad), ("Right", rule.good)] {
        if !example.trim().is_empty() {
            let lines = example.trim_end().lines().map(|line| format!("    {line}\n"));
            text.extend(std::iter::once(format!("\n{title}:\n\n")).chain(lines));
        }
    }
    text
}

fn json(rule: &Rule) -> serde_json::Value {
    json!({
        "code": rule.code,
        "severity": rule.severity.name(),
        "title": rule.title,
        "explanation": rule.explanation,
        "wrong": rule.bad,
        "right": rule.good,
    })
}
