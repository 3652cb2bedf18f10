//! Evaluates expressions: total, without panics, and with a place for every value and every error.

use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOp, BinaryOperator, Conditional, Expression, FuncCall, Object, ObjectKey, UnaryOp, UnaryOperator,
};

use super::arithmetic::{combine, number_value};
use super::functions;
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::source::Span;
use crate::spec::tree::{Key, Node, Table, Value};

/// How many expressions one file may evaluate: a file that needs more does not end, as far as its
/// author is concerned (`for` in `for` in `for`).
const MAX_STEPS: usize = 200_000;

/// The names that an expression can use: the file's, and those of the `for` expressions around it.
pub(super) struct Env<'a> {
    outer: Option<&'a Env<'a>>,
    names: &'a Table,
}

impl<'a> Env<'a> {
    /// The file's own names.
    pub(super) fn root(names: &'a Table) -> Self {
        Self { outer: None, names }
    }

    /// These names around an inner expression.
    pub(super) fn inner(&'a self, names: &'a Table) -> Self {
        Self { outer: Some(self), names }
    }

    /// The value of a name, the innermost first.
    pub(super) fn find(&self, name: &str) -> Option<&Node> {
        self.names.get(name).or_else(|| self.outer?.find(name))
    }

    fn all(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.names().collect();
        names.extend(self.outer.map(Env::all).unwrap_or_default());
        names
    }
}

/// Evaluates expressions and collects what is wrong with them.
pub(super) struct Evaluator<'p> {
    problems: &'p mut Vec<Diagnostic>,
    steps: usize,
}

impl<'p> Evaluator<'p> {
    /// Collects into `problems`.
    pub(super) fn new(problems: &'p mut Vec<Diagnostic>) -> Self {
        Self { problems, steps: 0 }
    }

    /// Adds a problem.
    pub(super) fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reports and gives up on this value.
    pub(super) fn fail<T>(&mut self, span: &Span, message: impl Into<String>) -> Option<T> {
        self.report(Diagnostic::new(&file::EXPRESSION, span.clone(), message));
        None
    }

    /// The value, or [`Value::Invalid`] in its place.
    pub(super) fn eval_or_invalid(&mut self, expression: &Expression, env: &Env) -> Node {
        self.eval(expression, env).unwrap_or_else(|| Node::new(Value::Invalid, place(expression)))
    }

    /// The value; nothing if it has none, which is then reported.
    pub(super) fn eval(&mut self, expression: &Expression, env: &Env) -> Option<Node> {
        let span = place(expression);
        self.step(&span)?;
        let value = match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(*value.value()),
            Expression::Number(number) => number_value(number.value()),
            Expression::String(text) => Value::String(text.value().clone()),
            Expression::Array(array) => Value::List(array.iter().map(|item| self.eval_or_invalid(item, env)).collect()),
            Expression::Object(object) => Value::Table(self.object(object, env)),
            Expression::StringTemplate(template) => return self.template(template, &span, env),
            Expression::HeredocTemplate(doc) => return self.template(&doc.template, &span, env),
            Expression::Parenthesis(inner) => self.eval(inner.inner(), env)?.value,
            Expression::Variable(name) => return self.variable(name.as_str(), &span, env),
            Expression::Conditional(conditional) => return self.conditional(conditional, env),
            Expression::FuncCall(call) => return self.call(call, &span, env),
            Expression::Traversal(traversal) => return self.traversal(traversal, &span, env),
            Expression::UnaryOp(operation) => self.unary(operation, &span, env)?,
            Expression::BinaryOp(operation) => self.binary(operation, &span, env)?,
            Expression::ForExpr(for_expr) => self.for_expr(for_expr, env)?,
        };
        Some(Node::new(value, span))
    }

    /// Counts one expression.
    pub(super) fn step(&mut self, span: &Span) -> Option<()> {
        self.spend(1, span)
    }

    /// Counts what copying a value costs.
    pub(super) fn charge(&mut self, node: &Node, span: &Span) -> Option<()> {
        self.spend(1 + node.weight() / 16, span)
    }

    /// Counts work, and gives up when it is too much; that is reported once.
    fn spend(&mut self, cost: usize, span: &Span) -> Option<()> {
        let already = self.steps > MAX_STEPS;
        self.steps = self.steps.saturating_add(cost);
        if self.steps <= MAX_STEPS {
            return Some(());
        }
        if !already {
            let message = "this takes too long to evaluate";
            self.report(
                Diagnostic::new(&file::TOO_LARGE, span.clone(), message)
                    .note(format!("a file may evaluate {MAX_STEPS} expressions")),
            );
        }
        None
    }

    fn object(&mut self, object: &Object, env: &Env) -> Table {
        let mut table = Table::default();
        for (key, value) in object {
            let node = self.eval_or_invalid(value.expr(), env);
            let Some(key) = self.object_key(key, env) else {
                continue;
            };
            match table.entry(&key.name) {
                Some(first) => {
                    let problem = super::duplicate(&key, first.key.span.clone());
                    self.report(problem);
                }
                None if node.value == Value::Null => {}
                None => table.push(key, node),
            }
        }
        table
    }

    fn object_key(&mut self, key: &ObjectKey, env: &Env) -> Option<Key> {
        match key {
            ObjectKey::Ident(ident) => Some(Key::new(ident.as_str(), ident.span().unwrap_or_default())),
            ObjectKey::Expression(expression) => {
                let node = self.eval(expression, env)?;
                let name = self.text_of(&node)?;
                Some(Key::new(name, node.span))
            }
        }
    }

    fn variable(&mut self, name: &str, span: &Span, env: &Env) -> Option<Node> {
        let Some(node) = env.find(name) else {
            let names = env.all();
            let problem = Diagnostic::new(&file::UNDEFINED, span.clone(), format!("nothing here is called `{name}`"))
                .did_you_mean(name, names.iter().copied());
            let helped = !problem.help.is_empty();
            let quoted = format!("if it is text, put it in quotes: \"{name}\"");
            self.report(if helped { problem } else { problem.help(quoted) });
            return None;
        };
        self.charge(node, span)?;
        (!node.has_invalid()).then(|| node.clone().at(span))
    }

    fn conditional(&mut self, conditional: &Conditional, env: &Env) -> Option<Node> {
        if self.boolean(&conditional.cond_expr, env)? {
            self.eval(&conditional.true_expr, env)
        } else {
            self.eval(&conditional.false_expr, env)
        }
    }

    /// Evaluates a condition.
    pub(super) fn boolean(&mut self, expression: &Expression, env: &Env) -> Option<bool> {
        let node = self.eval(expression, env)?;
        match node.value {
            Value::Bool(value) => Some(value),
            Value::Invalid => None,
            other => self.fail(&node.span, format!("a condition is true or false, not {}", other.kind())),
        }
    }

    fn call(&mut self, call: &FuncCall, span: &Span, env: &Env) -> Option<Node> {
        let name = call.name.name.as_str();
        let mut arguments = Vec::new();
        for (index, argument) in call.args.iter().enumerate() {
            let node = self.eval(argument, env)?;
            if node.has_invalid() {
                return None;
            }
            match node.value {
                Value::List(items) if call.args.expand_final() && index + 1 == call.args.len() => {
                    arguments.extend(items);
                }
                value => arguments.push(Node::new(value, node.span)),
            }
        }
        let known = (!call.name.is_namespaced()).then(|| functions::find(name)).flatten();
        let Some(function) = known else {
            let place = call.name.name.span().unwrap_or_else(|| span.clone());
            self.report(no_function(name, place));
            return None;
        };
        match function.call(&arguments) {
            Ok(value) => Some(Node::new(value, span.clone()).at(span)),
            Err(message) => self.fail(span, format!("{name}(): {message}")),
        }
    }

    fn unary(&mut self, operation: &UnaryOp, span: &Span, env: &Env) -> Option<Value> {
        let node = self.eval(&operation.expr, env)?;
        match (operation.operator.value(), node.value) {
            (UnaryOperator::Not, Value::Bool(value)) => Some(Value::Bool(!value)),
            (UnaryOperator::Neg, Value::Integer(value)) => match value.checked_neg() {
                Some(value) => Some(Value::Integer(value)),
                None => self.fail(span, "the number is too large"),
            },
            (UnaryOperator::Neg, Value::Float(value)) => Some(Value::Float(-value)),
            (_, Value::Invalid) => None,
            (operator, other) => self.fail(span, format!("`{}` does not work on {}", operator.as_str(), other.kind())),
        }
    }

    fn binary(&mut self, operation: &BinaryOp, span: &Span, env: &Env) -> Option<Value> {
        let left = self.eval(&operation.lhs_expr, env)?.value;
        let operator = *operation.operator.value();
        // As everywhere: the right side of `&&` and `||` does not matter once the left decides.
        match (operator, &left) {
            (BinaryOperator::And, Value::Bool(false)) => return Some(Value::Bool(false)),
            (BinaryOperator::Or, Value::Bool(true)) => return Some(Value::Bool(true)),
            _ => {}
        }
        let right = self.eval(&operation.rhs_expr, env)?.value;
        if left == Value::Invalid || right == Value::Invalid {
            return None;
        }
        match combine(&left, operator, &right) {
            Ok(value) => Some(value),
            Err(message) => self.fail(span, message),
        }
    }

    /// A value as text, in a template or as a name.
    pub(super) fn text_of(&mut self, node: &Node) -> Option<String> {
        let text = functions::to_text(&node.value);
        if text.is_none() && !node.has_invalid() {
            let message = format!("{} cannot stand in a text", node.value.kind());
            let problem = Diagnostic::new(&file::EXPRESSION, node.span.clone(), message);
            self.report(match node.value {
                Value::List(_) => problem.help("join(\", \", …) makes a text of a list"),
                Value::Table(_) => problem.help("jsonencode(…) makes a text of a table"),
                _ => problem,
            });
        }
        text
    }
}

fn no_function(name: &str, place: Span) -> Diagnostic {
    const IMPURE: [&str; 6] = ["file", "templatefile", "fileexists", "timestamp", "uuid", "env"];
    let problem = Diagnostic::new(&file::FUNCTION, place, format!("there is no function `{name}`"));
    if IMPURE.contains(&name) {
        return problem
            .note("a file means the same cluster everywhere: no function reads files or the clock")
            .help("declare a variable, and give its value with --var");
    }
    let problem = problem.did_you_mean(name, functions::names());
    if problem.help.is_empty() {
        return problem.expected(functions::names().map(|name| format!("`{name}`")));
    }
    problem
}

fn place(expression: &Expression) -> Span {
    expression.span().unwrap_or_default()
}
