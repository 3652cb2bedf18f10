//! Evaluates the operators after a value: `.name`, `[index]`, `[*]`, `.*`.

use hcl_edit::expr::{Traversal, TraversalOperator};
use hcl_edit::{Decorated, Ident, Span as _};

use super::convert::{to_number, to_text};
use super::eval::{EvalScope, Evaluator};
use super::number::HclNumber;
use super::value::{HclEntries, HclNode, HclValue};
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::source::Span;

type AccessOperator = Decorated<TraversalOperator>;

impl Evaluator<'_> {
    /// Returns the value after all dots and brackets.
    pub(super) fn traversal(&mut self, traversal: &Traversal, span: &Span, env: &EvalScope) -> Option<HclNode> {
        if traversal.expr.as_number().is_some() && self.source().get(span.clone()).is_some_and(|w| w.starts_with('-')) {
            return self.fail(span, "a minus in front of `.` or `[` could belong to either side: use parentheses");
        }
        let (node, taken) = self.start(traversal, span, env)?;
        let operators = traversal.operators.get(taken..).unwrap_or_default();
        self.follow(node, operators, span, env).map(|node| node.at(span))
    }

    /// Returns the value before the first dot, and the number of operators that belong to it: in `var.x` and
    /// `local.x`, the name is not a key of a table but a name of its own.
    fn start(&mut self, traversal: &Traversal, span: &Span, env: &EvalScope) -> Option<(HclNode, usize)> {
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

    fn follow(&mut self, node: HclNode, operators: &[AccessOperator], span: &Span, env: &EvalScope) -> Option<HclNode> {
        let mut node = node;
        for (index, operator) in operators.iter().enumerate() {
            let rest = &operators[index + 1..];
            match operator.value() {
                // `[*]` takes everything that follows along.
                TraversalOperator::FullSplat(_) => return self.splat(node, rest, span, env),
                // `.*` takes names along, and nothing else: `.*.a[0]` is the first of the `a`.
                TraversalOperator::AttrSplat(_) => {
                    let name = |operator: &&AccessOperator| matches!(operator.value(), TraversalOperator::GetAttr(_));
                    let names = rest.iter().take_while(name).count();
                    let (names, rest) = rest.split_at(names);
                    if rest.first().is_some_and(|operator| matches!(operator.value(), TraversalOperator::AttrSplat(_)))
                    {
                        return self.fail(span, "a `.*` cannot follow another one: use `[*]`");
                    }
                    let node = self.splat(node, names, span, env)?;
                    return self.follow(node, rest, span, env);
                }
                operator => node = self.access(node, operator, span, env)?,
            }
        }
        Some(node)
    }

    fn splat(&mut self, node: HclNode, operators: &[AccessOperator], span: &Span, env: &EvalScope) -> Option<HclNode> {
        let (items, typed) = match node.value {
            HclValue::Invalid => return None,
            HclValue::List(items, of) => (items, of.is_some()),
            HclValue::Null => (Vec::new(), false),
            other => (vec![HclNode::new(other, node.span)], false),
        };
        let mut values = Vec::new();
        for item in items {
            self.step(span)?;
            values.push(self.follow(item, operators, span, env)?);
        }
        let first = values.first().map(|node| node.value.type_of());
        let of = first.filter(|first| typed && values.iter().all(|node| node.value.type_of() == *first));
        Some(HclNode::new(HclValue::List(values, of), span.clone()))
    }

    fn access(&mut self, node: HclNode, operator: &TraversalOperator, span: &Span, env: &EvalScope) -> Option<HclNode> {
        match operator {
            TraversalOperator::GetAttr(name) => {
                let place = name.span().unwrap_or_else(|| span.clone());
                self.key(node, name.as_str(), &place)
            }
            TraversalOperator::LegacyIndex(index) => {
                let position =
                    HclNode::new(HclValue::Number(HclNumber::whole(i128::from(*index.value()))), span.clone());
                self.index(node, &position)
            }
            TraversalOperator::Index(expression) => {
                let index = self.eval(expression, env)?;
                self.index(node, &index)
            }
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => None,
        }
    }

    fn key(&mut self, node: HclNode, name: &str, span: &Span) -> Option<HclNode> {
        let mut entries = match node.value {
            HclValue::Table(entries, _) => entries,
            HclValue::Invalid => return None,
            other => return self.fail(span, format!("{} has no `{name}` in it", other.kind())),
        };
        let Some(position) = entries.0.iter().position(|entry| entry.key.name == name) else {
            let problem = Diagnostic::new(&file::EXPRESSION, span.clone(), format!("there is no key `{name}`"))
                .expected(entries.names().map(|name| format!("`{name}`")))
                .did_you_mean(name, entries.names());
            self.report(problem);
            return None;
        };
        Some(entries.0.swap_remove(position).node)
    }

    fn index(&mut self, node: HclNode, index: &HclNode) -> Option<HclNode> {
        if index.has_invalid() {
            return None;
        }
        let mut items = match node.value {
            HclValue::List(items, _) => items,
            HclValue::Invalid => return None,
            HclValue::Table(..) => {
                return match to_text(&index.value) {
                    Ok(name) => self.key(node, &name, &index.span),
                    Err(message) => self.fail(&index.span, format!("the key of a table: {message}")),
                };
            }
            other => return self.fail(&index.span, format!("{} has no items to count", other.kind())),
        };
        let Some(position) = to_number(&index.value).ok().and_then(HclNumber::as_whole) else {
            let kind = index.value.kind();
            return self.fail(&index.span, format!("the index of a list is a whole number, not {kind}"));
        };
        let Some(found) = usize::try_from(position).ok().filter(|found| *found < items.len()) else {
            let message = format!("there is no item {position}: the list has {} (counted from 0)", items.len());
            return self.fail(&index.span, message);
        };
        Some(items.swap_remove(found))
    }
}

/// Returns the parts of `var.x` and `local.x`.
fn scoped<'t>(traversal: &'t Traversal, env: &'t EvalScope) -> Option<(&'t str, &'t HclEntries, &'t Decorated<Ident>)> {
    let root = traversal.expr.as_variable()?.as_str();
    let TraversalOperator::GetAttr(name) = traversal.operators.first()?.value() else {
        return None;
    };
    match &env.find(root)?.value {
        HclValue::Table(entries, _) if matches!(root, "var" | "local") => Some((root, entries, name)),
        _ => None,
    }
}

fn undefined(root: &str, table: &HclEntries, name: &str, place: Span) -> Diagnostic {
    let what = if root == "var" { "variable" } else { "local" };
    Diagnostic::new(&file::UNDEFINED, place, format!("there is no {what} `{name}`"))
        .expected(table.names().map(|name| format!("`{root}.{name}`")))
        .did_you_mean_as(name, table.names(), |name| format!("`{root}.{name}`"))
}
