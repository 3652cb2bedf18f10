//! Evaluates `for`: the expression, and what it shares with the directive in templates.

use hcl_edit::expr::{Expression, ForExpr};

use super::eval::{Env, Evaluator};
use super::number::Number;
use super::value::{Entries, Node, Value};
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::tree::Key;

impl Evaluator<'_> {
    /// The list or the table that a `for` makes.
    pub(super) fn for_expr(&mut self, for_expr: &ForExpr, env: &Env) -> Option<Value> {
        let intro = &for_expr.intro;
        let key_var = intro.key_var.as_ref().map(|ident| ident.as_str());
        let items = self.collection(&intro.collection_expr, env)?;
        let mut list = Vec::new();
        let mut table = Entries::default();
        for (key, item) in items {
            let names = loop_names(key_var, intro.value_var.as_str(), key, item);
            let env = env.inner(&names);
            if let Some(condition) = &for_expr.cond
                && !self.boolean(&condition.expr, &env)?
            {
                continue;
            }
            let value = self.eval(&for_expr.value_expr, &env)?;
            match &for_expr.key_expr {
                None => list.push(value),
                Some(key) => self.keep(key, value, for_expr.grouping, &mut table, &env)?,
            }
        }
        Some(if for_expr.key_expr.is_some() { Value::Table(table, None) } else { Value::tuple(list) })
    }

    fn keep(&mut self, key: &Expression, value: Node, grouping: bool, table: &mut Entries, env: &Env) -> Option<()> {
        let key = self.eval(key, env)?;
        let name = self.text_of(&key)?;
        let found = table.0.iter_mut().find(|entry| entry.key.name == name);
        match found.map(|entry| &mut entry.node.value) {
            None => {
                let span = value.span.clone();
                let value = if grouping { Node::new(Value::tuple(vec![value]), span) } else { value };
                table.push(Key::new(name, key.span), value);
            }
            Some(Value::List(items, _)) if grouping => items.push(value),
            Some(_) => {
                let message = format!("this `for` makes the name `{name}` twice");
                self.report(
                    Diagnostic::new(&file::EXPRESSION, key.span, message)
                        .help("write `...` after the value to collect them in a list"),
                );
                return None;
            }
        }
        Some(())
    }

    /// The keys and values that a `for` goes through; a table's in the order of their names.
    pub(super) fn collection(&mut self, expression: &Expression, env: &Env) -> Option<Vec<(Value, Node)>> {
        let node = self.eval(expression, env)?;
        match node.value {
            Value::List(items, _) => {
                let index = |index: usize| Value::Number(Number::count(index));
                Some(items.into_iter().enumerate().map(|(i, item)| (index(i), item)).collect())
            }
            Value::Table(entries, _) => {
                Some(entries.sorted().into_iter().map(|e| (Value::String(e.key.name), e.node)).collect())
            }
            Value::Invalid => None,
            other => self.fail(&node.span, format!("`for` goes through a list or a table, not {}", other.kind())),
        }
    }
}

/// The names inside a `for`.
pub(super) fn loop_names(key_var: Option<&str>, value_var: &str, key: Value, item: Node) -> Entries {
    let mut names = Entries::default();
    if let Some(name) = key_var {
        names.push(Key::computed(name), Node::computed(key));
    }
    names.push(Key::computed(value_var), item);
    names
}
