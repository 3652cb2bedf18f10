//! Evaluates what follows a value: `.name`, `[index]`, `[*]`.

use hcl_edit::expr::{Traversal, TraversalOperator};
use hcl_edit::{Decorated, Ident, Span as _};

use super::eval::{Env, Evaluator};
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::source::Span;
use crate::spec::tree::{Node, Table, Value};

impl Evaluator<'_> {
    /// The value at the end of the dots and brackets.
    pub(super) fn traversal(&mut self, traversal: &Traversal, span: &Span, env: &Env) -> Option<Node> {
        let (mut node, taken) = self.start(traversal, span, env)?;
        let mut operators = traversal.operators.iter().skip(taken).map(Decorated::value);
        while let Some(operator) = operators.next() {
            if is_splat(operator) {
                let rest: Vec<&TraversalOperator> = operators.collect();
                return self.splat(node, &rest, span, env);
            }
            node = self.access(node, operator, span, env)?;
        }
        Some(node.at(span))
    }

    /// The value before the first dot, and how many operators are part of it: in `var.x` and
    /// `local.x`, the name is not a key of a table but a name of its own.
    fn start(&mut self, traversal: &Traversal, span: &Span, env: &Env) -> Option<(Node, usize)> {
        let Some((root, table, name)) = scoped(traversal, env) else {
            return Some((self.eval(&traversal.expr, env)?, 0));
        };
        let Some(found) = table.get(name.as_str()) else {
            let place = name.span().unwrap_or_else(|| span.clone());
            self.report(undefined(root, table, name.as_str(), place));
            return None;
        };
        if found.has_invalid() {
            return None;
        }
        self.charge(found, span)?;
        Some((found.clone(), 1))
    }

    fn splat(&mut self, node: Node, operators: &[&TraversalOperator], span: &Span, env: &Env) -> Option<Node> {
        let items = match node.value {
            Value::List(items) => items,
            Value::Null => Vec::new(),
            other => vec![Node::new(other, node.span)],
        };
        let mut values = Vec::new();
        for mut item in items {
            for operator in operators {
                item = self.access(item, operator, span, env)?;
            }
            values.push(item);
        }
        Some(Node::new(Value::List(values), span.clone()).at(span))
    }

    fn access(&mut self, node: Node, operator: &TraversalOperator, span: &Span, env: &Env) -> Option<Node> {
        match operator {
            TraversalOperator::GetAttr(name) => {
                let place = name.span().unwrap_or_else(|| span.clone());
                self.key(node, name.as_str(), &place)
            }
            TraversalOperator::LegacyIndex(index) => {
                self.index(node, i64::try_from(*index.value()).unwrap_or(i64::MAX), span)
            }
            TraversalOperator::Index(expression) => {
                let index = self.eval(expression, env)?;
                match index.value {
                    Value::Integer(position) => self.index(node, position, &index.span),
                    Value::String(name) => self.key(node, &name, &index.span),
                    other => {
                        self.fail(&index.span, format!("an index is a whole number or a string, not {}", other.kind()))
                    }
                }
            }
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                self.fail(span, "`*` may stand once in an expression")
            }
        }
    }

    fn key(&mut self, node: Node, name: &str, span: &Span) -> Option<Node> {
        let Value::Table(mut table) = node.value else {
            return self.fail(span, format!("{} has no `{name}` in it", node.value.kind()));
        };
        let Some(position) = table.entries.iter().position(|entry| entry.key.name == name) else {
            let problem = Diagnostic::new(&file::EXPRESSION, span.clone(), format!("there is no key `{name}`"))
                .expected(table.names().map(|name| format!("`{name}`")))
                .did_you_mean(name, table.names());
            self.report(problem);
            return None;
        };
        Some(table.entries.swap_remove(position).node)
    }

    fn index(&mut self, node: Node, index: i64, span: &Span) -> Option<Node> {
        let Value::List(mut items) = node.value else {
            return self.fail(span, format!("{} has no items to count", node.value.kind()));
        };
        match usize::try_from(index).ok().filter(|index| *index < items.len()) {
            Some(index) => Some(items.swap_remove(index)),
            None => self.fail(span, format!("there is no item {index}: the list has {} (counted from 0)", items.len())),
        }
    }
}

fn is_splat(operator: &TraversalOperator) -> bool {
    matches!(operator, TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_))
}

/// The parts of `var.x` and `local.x`.
fn scoped<'t>(traversal: &'t Traversal, env: &'t Env) -> Option<(&'t str, &'t Table, &'t Decorated<Ident>)> {
    let root = traversal.expr.as_variable()?.as_str();
    let TraversalOperator::GetAttr(name) = traversal.operators.first()?.value() else {
        return None;
    };
    match &env.find(root)?.value {
        Value::Table(table) if matches!(root, "var" | "local") => Some((root, table, name)),
        _ => None,
    }
}

fn undefined(root: &str, table: &Table, name: &str, place: Span) -> Diagnostic {
    let what = if root == "var" { "variable" } else { "local" };
    Diagnostic::new(&file::UNDEFINED, place, format!("there is no {what} `{name}`"))
        .expected(table.names().map(|name| format!("`{root}.{name}`")))
        .did_you_mean_as(name, table.names(), |name| format!("`{root}.{name}`"))
}
