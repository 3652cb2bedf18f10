//! The names in expressions: `var.…` and `local.…`.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use hcl_edit::visit::{self, Visit};
use hcl_edit::{Decorated, Ident, Span as _};

use super::eval::{EvalScope, Evaluator};
use super::value::{HclEntries, HclNode, HclValue};
use super::{duplicate, label_key};
use crate::spec::diagnostic::{Diagnostic, nearest};
use crate::spec::rules::file;
use crate::spec::source::Span;
use crate::spec::tree::FileKey;

/// Maximum weight of a value: no cluster file needs a larger one.
const MAX_WEIGHT: usize = 20_000;

/// Returns the variables and locals of a file, as `{ var = { … }, local = { … } }`.
pub(super) fn names(body: &Body, overrides: &BTreeMap<String, String>, evaluator: &mut Evaluator) -> HclEntries {
    let mut names = HclEntries::default();
    let variables = variables(body, overrides, evaluator);
    names.set("var", HclNode::computed(HclValue::Table(variables, None)));
    names.set("local", HclNode::computed(HclValue::Table(HclEntries::default(), None)));
    locals(body, &mut names, evaluator);
    names
}

fn variables(body: &Body, overrides: &BTreeMap<String, String>, evaluator: &mut Evaluator) -> HclEntries {
    let mut table = HclEntries::default();
    for block in body.get_blocks("variable") {
        let [label] = block.labels.as_slice() else {
            evaluator.report(unlabelled(block));
            continue;
        };
        let key = label_key(label);
        if let Some(first) = table.entry(&key.name) {
            evaluator.report(duplicate(&key, first.key.span.clone()));
            continue;
        }
        let value = variable(block, &key, overrides.get(&key.name), evaluator);
        table.push(key, HclNode::computed(value));
    }
    for name in overrides.keys().filter(|name| table.entry(name).is_none()) {
        evaluator.report(undeclared(name, &table));
    }
    table
}

fn unlabelled(block: &Block) -> Diagnostic {
    let span = block.ident.span().unwrap_or_default();
    Diagnostic::new(&file::LABEL, span, "a variable needs one name").help("variable \"name\" { default = … }")
}

fn undeclared(name: &str, declared: &HclEntries) -> Diagnostic {
    Diagnostic::new(
        &file::UNDECLARED,
        0..0,
        format!("a value was given for the variable `{name}`, which the file does not declare"),
    )
    .expected(declared.names().map(|name| format!("`{name}`")))
    .did_you_mean(name, declared.names())
    .help(format!("declare it: variable \"{name}\" {{ default = \"\" }}"))
}

fn variable(block: &Block, key: &FileKey, given: Option<&String>, evaluator: &mut Evaluator) -> HclValue {
    let slipped = check_variable_settings(block, evaluator);
    let nothing = HclEntries::default();
    let env = EvalScope::root(&nothing);
    let default =
        block.body.get_attribute("default").map(|attribute| evaluator.eval_or_invalid(&attribute.value, &env).value);
    match (given, default) {
        (Some(text), default) => convert(text, default.as_ref(), key, evaluator),
        (None, Some(default)) => default,
        (None, None) if slipped => HclValue::Invalid,
        (None, None) => {
            evaluator.report(no_value(key));
            HclValue::Invalid
        }
    }
}

/// Reports unknown settings; returns `true` if one of them was meant to be the default.
fn check_variable_settings(block: &Block, evaluator: &mut Evaluator) -> bool {
    const KNOWN: [&str; 2] = ["default", "description"];
    let mut slipped = false;
    for structure in &block.body {
        let key = match structure {
            Structure::Attribute(attribute) => &attribute.key,
            Structure::Block(inner) => &inner.ident,
        };
        if !KNOWN.contains(&key.as_str()) {
            let span = key.span().unwrap_or_default();
            let message = format!("a variable has no setting `{}`", key.as_str());
            let problem = Diagnostic::new(&file::UNKNOWN, span, message)
                .expected(KNOWN.map(|known| format!("`{known}`")))
                .did_you_mean(key.as_str(), KNOWN);
            evaluator.report(match key.as_str() {
                "type" => problem.note("a variable has the type of its default"),
                _ => problem,
            });
            slipped |= nearest(key.as_str(), KNOWN) == Some("default");
        }
    }
    slipped
}

fn no_value(key: &FileKey) -> Diagnostic {
    let name = &key.name;
    Diagnostic::new(&file::NO_VALUE, key.span.clone(), format!("the variable `{name}` has no value"))
        .help(format!("give one with --var {name}=…, in a --var-file, or in QUORATE_VAR_{name}; or write a default"))
}

/// Converts a value that was given as text to the type of the default: a string, a number, a list.
fn convert(text: &str, default: Option<&HclValue>, key: &FileKey, evaluator: &mut Evaluator) -> HclValue {
    if matches!(default, None | Some(HclValue::String(_) | HclValue::Null | HclValue::Invalid)) {
        return HclValue::text(text);
    }
    let wanted = default.map_or("a string", kind);
    if let Some(value) = literal(text).filter(|value| kind(value) == wanted) {
        return value;
    }
    let name = &key.name;
    // The value itself is not shown: it may be secret.
    let message = format!("the value given for the variable `{name}` is not {wanted}");
    evaluator.report(
        Diagnostic::new(&file::TYPE, key.span.clone(), message).note("a given value is read as what the default is"),
    );
    HclValue::Invalid
}

/// Returns the type of a variable's value; a number may have a fraction or not.
fn kind(value: &HclValue) -> &'static str {
    match value {
        HclValue::Number(_) => "a number",
        other => other.kind(),
    }
}

fn literal(text: &str) -> Option<HclValue> {
    let text = text.trim();
    let expression = hcl_edit::parser::parse_expr(text).ok()?;
    let mut problems = Vec::new();
    let nothing = HclEntries::default();
    let node = Evaluator::new(text, &mut problems).eval(&expression, &EvalScope::root(&nothing))?;
    (problems.is_empty() && !node.has_invalid()).then(|| node.at(&(0..0)).value)
}

/// Evaluates locals in the order of their references.
fn locals(body: &Body, names: &mut HclEntries, evaluator: &mut Evaluator) {
    let mut waiting: Vec<(&Attribute, BTreeSet<String>)> = Vec::new();
    for attribute in declared_locals(body, evaluator) {
        waiting.push((attribute, local_references(&attribute.value)));
    }
    let mut done = HclEntries::default();
    while !waiting.is_empty() {
        let unresolved: BTreeSet<String> =
            waiting.iter().map(|(attribute, _)| attribute.key.as_str().to_owned()).collect();
        let (ready, later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, references)| references.is_disjoint(&unresolved));
        if ready.is_empty() {
            for (attribute, _) in &later {
                evaluator.report(cycle(attribute));
                done.set(attribute.key.as_str(), HclNode::computed(HclValue::Invalid));
            }
            break;
        }
        // Those that are ready do not need each other.
        names.set("local", HclNode::computed(HclValue::Table(done.clone(), None)));
        for (attribute, _) in ready {
            let value = local(attribute, names, evaluator);
            done.set(attribute.key.as_str(), HclNode::computed(value));
        }
        waiting = later;
    }
    names.set("local", HclNode::computed(HclValue::Table(done, None)));
}

fn local(attribute: &Attribute, names: &HclEntries, evaluator: &mut Evaluator) -> HclValue {
    let node = evaluator.eval_or_invalid(&attribute.value, &EvalScope::root(names));
    if node.weight() <= MAX_WEIGHT {
        return node.value;
    }
    let span = attribute.key.span().unwrap_or_default();
    evaluator.report(too_large(span, attribute.key.as_str()));
    HclValue::Invalid
}

fn too_large(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(&file::TOO_LARGE, span, format!("the value of `{name}` is too large"))
        .note(format!("a value may have {MAX_WEIGHT} parts"))
}

fn declared_locals<'b>(body: &'b Body, evaluator: &mut Evaluator) -> Vec<&'b Attribute> {
    let mut declared: Vec<&Attribute> = Vec::new();
    for attribute in body.get_blocks("locals").flat_map(|block| block.body.attributes()) {
        let name = attribute.key.as_str();
        let key = FileKey::new(name, attribute.key.span().unwrap_or_default());
        match declared.iter().find(|first| first.key.as_str() == name) {
            Some(first) => {
                evaluator.report(duplicate(&key, first.key.span().unwrap_or_default()));
            }
            None => declared.push(attribute),
        }
    }
    declared
}

fn cycle(attribute: &Attribute) -> Diagnostic {
    let span = attribute.key.span().unwrap_or_default();
    let name = attribute.key.as_str();
    Diagnostic::new(&file::CYCLE, span, format!("`local.{name}` is defined by itself"))
}

/// Returns the locals that an expression names.
fn local_references(expression: &Expression) -> BTreeSet<String> {
    #[derive(Default)]
    struct FoundReferences(BTreeSet<String>);

    impl Visit for FoundReferences {
        fn visit_traversal(&mut self, traversal: &Traversal) {
            let root = traversal.expr.as_variable().map(Ident::as_str);
            let first = traversal.operators.first().map(Decorated::value);
            if let (Some("local"), Some(TraversalOperator::GetAttr(name))) = (root, first) {
                self.0.insert(name.as_str().to_owned());
            }
            visit::visit_traversal(self, traversal);
        }
    }

    let mut references = FoundReferences::default();
    references.visit_expr(expression);
    references.0
}
