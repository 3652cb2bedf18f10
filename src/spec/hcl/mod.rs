//! Converts HCL to a [`FileTable`]: blocks are tables, labels are keys, expressions are evaluated.
//!
//! Expressions are evaluated here and not by hcl-rs, because its arithmetic panics (`1 % 0`, an
//! overflow) and its errors have no place; here every value and every error has its place in the text.

mod access;
mod brackets;
mod convert;
mod each;
mod eval;
mod functions;
mod json;
mod number;
mod operators;
mod pattern;
mod scope;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod unicode;
mod value;

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use super::diagnostic::Diagnostic;
use super::rules::file;
use super::sink::{DiagnosticSink, ErrorReported};
use super::source::Span;
use super::tree::{FileKey, FileNode, FileTable, FileValue};
use eval::{EvalScope, Evaluator};

/// Top-level words that belong to HCL itself and are not settings.
const OWN_BLOCKS: [&str; 2] = ["variable", "locals"];

/// Parses HCL; anything that cannot be read or evaluated is reported and left out.
pub(super) fn parse(
    text: &str,
    overrides: &BTreeMap<String, String>,
    sink: &mut DiagnosticSink,
) -> Result<FileTable, ErrorReported> {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| sink.error(syntax::explain(text, &error)))?;
    let mut problems = Vec::new();
    let mut evaluator = Evaluator::new(text, &mut problems);
    let names = scope::names(&body, overrides, &mut evaluator);
    let mut table = FileTable::default();
    read_body(&body, &mut evaluator, &EvalScope::root(&names), &mut table, true);
    sink.extend(problems);
    Ok(table)
}

fn read_body(body: &Body, evaluator: &mut Evaluator, env: &EvalScope, into: &mut FileTable, top: bool) {
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                let span = attribute.key.span().unwrap_or_default();
                let node = evaluator.eval_or_invalid(&attribute.value, env).into_setting();
                if node.value != FileValue::Null {
                    insert(into, FileKey::new(attribute.key.as_str(), span), node, evaluator);
                }
            }
            Structure::Block(block) if top && OWN_BLOCKS.contains(&block.ident.as_str()) => {}
            Structure::Block(block) => read_block(block, evaluator, env, into),
        }
    }
}

fn read_block(block: &Block, evaluator: &mut Evaluator, env: &EvalScope, into: &mut FileTable) {
    let mut body = FileTable::default();
    read_body(&block.body, evaluator, env, &mut body, false);
    let key = FileKey::new(block.ident.as_str(), block.ident.span().unwrap_or_default());
    let node = FileNode::new(FileValue::Table(body), header(block));
    match block.labels.as_slice() {
        [] => insert(into, key, node, evaluator),
        [label] => insert_labelled(into, &key, label_key(label), node, evaluator),
        [first, second, ..] => {
            evaluator.report(
                Diagnostic::new(
                    &file::LABEL,
                    label_key(second).span,
                    format!("a `{}` block has more than one name", key.name),
                )
                .help(format!("write one name: {} \"name\" {{ … }}", key.name)),
            );
            let invalid = FileNode::new(FileValue::Invalid, header(block));
            insert_labelled(into, &key, label_key(first), invalid, evaluator);
        }
    }
}

fn insert_labelled(into: &mut FileTable, key: &FileKey, label: FileKey, node: FileNode, evaluator: &mut Evaluator) {
    let found = into.entries.iter_mut().find(|entry| entry.key.name == key.name);
    let Some(entry) = found else {
        let mut group = FileTable::default();
        group.push(label, node);
        into.push(key.clone(), FileNode::new(FileValue::Table(group), key.span.clone()));
        return;
    };
    match &mut entry.node.value {
        FileValue::Table(group) if group.entries.iter().all(|entry| entry.key.label) => {
            insert(group, label, node, evaluator);
        }
        _ => evaluator.report(duplicate(key, entry.key.span.clone())),
    }
}

fn insert(into: &mut FileTable, key: FileKey, node: FileNode, evaluator: &mut Evaluator) {
    match into.entry(&key.name) {
        Some(first) => evaluator.report(duplicate(&key, first.key.span.clone())),
        None => into.push(key, node),
    }
}

/// Returns the problem of a repeated name.
pub(super) fn duplicate(key: &FileKey, first: Span) -> Diagnostic {
    let help = if key.label { "give one of them another name, or remove it" } else { "keep one of them" };
    Diagnostic::new(&file::DUPLICATE, key.span.clone(), format!("`{}` is defined twice", key.name))
        .label("again here")
        .related(first, "first here")
        .help(help)
}

fn label_key(label: &BlockLabel) -> FileKey {
    FileKey { name: label.as_str().to_owned(), span: label.span().unwrap_or_default(), label: true }
}

fn header(block: &Block) -> Span {
    let ident = block.ident.span().unwrap_or_default();
    let end = block.labels.last().and_then(hcl_edit::Span::span).map_or(ident.end, |span| span.end);
    ident.start..end
}
