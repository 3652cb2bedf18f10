//! The expressions of `terraform.toml`, each with the value or the error that it has in Terraform.
#![allow(clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use serde::Deserialize;

use super::eval::{EvalScope, Evaluator};
use super::number::HclNumber;
use super::value::{HclEntries, HclNode, HclValue};
use super::{functions, json};

/// A part of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TablePart {
    /// Expressions and their values as JSON.
    #[serde(default)]
    values: Vec<(String, String)>,
    /// Expressions that are errors in Terraform and here, and the message here.
    #[serde(default)]
    errors: Vec<(String, String)>,
    /// Expressions that are errors only here, their value in Terraform, and the message here.
    #[serde(default)]
    refused: Vec<(String, String, String)>,
}

fn table() -> BTreeMap<String, TablePart> {
    toml::from_str(include_str!("terraform.toml")).expect("a table")
}

/// Returns the value of an expression as JSON, or its error.
fn evaluate(text: &str) -> Result<String, String> {
    let syntax = |_| "syntax".to_owned();
    let expression = hcl_edit::parser::parse_expr(text.trim_end_matches(['\r', '\n'])).map_err(syntax)?;
    let mut variables = HclEntries::default();
    variables.set("s", HclNode::computed(HclValue::text("text")));
    variables.set("n", HclNode::computed(HclValue::Number(HclNumber::whole(7))));
    let mut names = HclEntries::default();
    names.set("var", HclNode::computed(HclValue::Table(variables, None)));
    let mut problems = Vec::new();
    let node = Evaluator::new(text, &mut problems).eval(&expression, &EvalScope::root(&names));
    match node.filter(|node| problems.is_empty() && !node.has_invalid()) {
        Some(node) => json::encode(&node.value),
        None => Err(problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")),
    }
}

#[test]
fn expressions_mean_what_they_mean_in_terraform() {
    let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (name, part) in table() {
        rows += part.values.len() + part.errors.len() + part.refused.len();
        for (expression, value) in part.values {
            let found = evaluate(&expression);
            if found.as_deref().map(read) != Ok(read(&value)) {
                wrong.push(format!("{name}: {expression:?} is {found:?}, not {value}"));
            }
        }
        let refused = part.refused.into_iter().map(|(expression, _, message)| (expression, message));
        for (expression, message) in part.errors.into_iter().chain(refused) {
            match evaluate(&expression) {
                Err(found) if !message.is_empty() && found.contains(&message) => {}
                found => wrong.push(format!("{name}: {expression:?} is {found:?}, not an error about {message:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 700, "{rows} rows");
}

#[test]
fn every_function_is_in_the_table() {
    let rows: Vec<String> = table().into_values().flat_map(|part| part.values).map(|(text, _)| text).collect();
    for name in functions::names() {
        let call = format!("{name}(");
        let calls = rows.iter().filter(|text| text.contains(&call)).count();
        assert!(calls >= 3, "{name} is in {calls} rows");
    }
}

#[test]
fn mutated_expressions_do_not_panic() {
    const PIECES: [&str; 20] = [
        "${", "}", "\"", "~", "[*]", ".*", "...", "null", "9", "e", "-", "(", ")", "/", "\\", "%", "\u{301}", "\n",
        "=>", " ? ",
    ];
    let parts = table().into_values();
    let all: Vec<String> =
        parts.flat_map(|part| part.values.into_iter().chain(part.errors)).map(|(expression, _)| expression).collect();
    let mut random = fastrand::Rng::with_seed(0x7e_44_af);
    for _ in 0..20_000 {
        let mut text: Vec<char> = all[random.usize(..all.len())].chars().collect();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=text.len());
            let end = (at + random.usize(..4)).min(text.len());
            let other = &all[random.usize(..all.len())];
            let piece = if random.bool() { PIECES[random.usize(..PIECES.len())] } else { other };
            text.splice(at..end, piece.chars());
        }
        let _ = evaluate(&text.into_iter().collect::<String>());
    }
}
