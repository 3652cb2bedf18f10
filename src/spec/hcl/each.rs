//! Evaluates `for`: the expression, and the parts that it shares with the directive in templates.

use hcl_edit::expr::{Expression, ForExpr};

use super::eval::{EvalScope, Evaluator};
use super::number::HclNumber;
use super::value::{HclEntries, HclNode, HclValue};
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::tree::FileKey;

impl Evaluator<'_> {
    /// Evaluates a `for` to a list or a table.
    pub(super) fn for_expr(&mut self, for_expr: &ForExpr, env: &EvalScope) -> Option<HclValue> {
        let intro = &for_expr.intro;
        let key_var = intro.key_var.as_ref().map(|ident| ident.as_str());
        let items = self.collection(&intro.collection_expr, env)?;
        let mut list = Vec::new();
        let mut table = HclEntries::default();
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
        Some(if for_expr.key_expr.is_some() { HclValue::Table(table, None) } else { HclValue::tuple(list) })
    }

    fn keep(
        &mut self,
        key: &Expression,
        value: HclNode,
        grouping: bool,
        table: &mut HclEntries,
        env: &EvalScope,
    ) -> Option<()> {
        let key = self.eval(key, env)?;
        let name = self.text_of(&key)?;
        let found = table.0.iter_mut().find(|entry| entry.key.name == name);
        match found.map(|entry| &mut entry.node.value) {
            None => {
                let span = value.span.clone();
                let value = if grouping { HclNode::new(HclValue::tuple(vec![value]), span) } else { value };
                table.push(FileKey::new(name, key.span), value);
            }
            Some(HclValue::List(items, _)) if grouping => items.push(value),
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

    /// Returns the keys and values that a `for` iterates over; those of a table in the order of their names.
    pub(super) fn collection(&mut self, expression: &Expression, env: &EvalScope) -> Option<Vec<(HclValue, HclNode)>> {
        let node = self.eval(expression, env)?;
        match node.value {
            HclValue::List(items, _) => {
                let index = |index: usize| HclValue::Number(HclNumber::count(index));
                Some(items.into_iter().enumerate().map(|(i, item)| (index(i), item)).collect())
            }
            HclValue::Table(entries, _) => {
                Some(entries.sorted().into_iter().map(|e| (HclValue::String(e.key.name), e.node)).collect())
            }
            HclValue::Invalid => None,
            other => self.fail(&node.span, format!("`for` goes through a list or a table, not {}", other.kind())),
        }
    }
}

/// Returns the variables inside a `for`.
pub(super) fn loop_names(key_var: Option<&str>, value_var: &str, key: HclValue, item: HclNode) -> HclEntries {
    let mut names = HclEntries::default();
    if let Some(name) = key_var {
        names.push(FileKey::computed(name), HclNode::computed(key));
    }
    names.push(FileKey::computed(value_var), item);
    names
}
