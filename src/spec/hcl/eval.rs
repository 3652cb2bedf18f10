//! Evaluates expressions: always with a result, without panics, and with a place for every value and every error.

use hcl_edit::Span as _;
use hcl_edit::expr::{Conditional, Expression, FuncCall, Object, ObjectKey};

use super::convert::{convert, to_bool, to_text, unify};
use super::functions;
use super::operators;
use super::value::{HclEntries, HclNode, HclType, HclValue};
use crate::spec::diagnostic::Diagnostic;
use crate::spec::rules::file;
use crate::spec::source::Span;
use crate::spec::tree::FileKey;

/// Maximum number of expressions that one file may evaluate: a file that needs more would never end in practice
/// (`for` in `for` in `for`).
const MAX_STEPS: usize = 200_000;

/// The names that an expression can use: the file's, and those of the `for` expressions around it.
pub(super) struct EvalScope<'a> {
    outer: Option<&'a EvalScope<'a>>,
    names: &'a HclEntries,
}

impl<'a> EvalScope<'a> {
    /// Creates the scope of the file's own names.
    pub(super) fn root(names: &'a HclEntries) -> Self {
        Self { outer: None, names }
    }

    /// Returns these names as an inner scope.
    pub(super) fn inner(&'a self, names: &'a HclEntries) -> Self {
        Self { outer: Some(self), names }
    }

    /// Returns the value of a name, from the innermost scope that has it.
    pub(super) fn find(&self, name: &str) -> Option<&HclNode> {
        self.names.get(name).or_else(|| self.outer?.find(name))
    }

    fn all(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.names().collect();
        names.extend(self.outer.map(EvalScope::all).unwrap_or_default());
        names
    }
}

/// Evaluates expressions and collects their problems.
pub(super) struct Evaluator<'p> {
    source: &'p str,
    problems: &'p mut Vec<Diagnostic>,
    steps: usize,
}

impl<'p> Evaluator<'p> {
    /// Creates an evaluator for the text `source`; it adds its problems to `problems`.
    pub(super) fn new(source: &'p str, problems: &'p mut Vec<Diagnostic>) -> Self {
        Self { source, problems, steps: 0 }
    }

    /// Returns the text that holds the expressions.
    pub(super) fn source(&self) -> &'p str {
        self.source
    }

    /// Runs `work` and returns its problems instead of reporting them.
    pub(super) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, Vec<Diagnostic>) {
        let before = self.problems.len();
        let result = work(self);
        (result, self.problems.split_off(before))
    }

    /// Adds problems. Returns `true` if there are any.
    pub(super) fn report_all(&mut self, problems: Vec<Diagnostic>) -> bool {
        let any = !problems.is_empty();
        self.problems.extend(problems);
        any
    }

    /// Adds only those problems of an unused expression that matter in any case: unknown names and functions, and an
    /// exceeded limit. Returns `true` if there are any.
    pub(super) fn report_serious(&mut self, problems: Vec<Diagnostic>) -> bool {
        let serious = [file::UNDEFINED.code, file::FUNCTION.code, file::TOO_LARGE.code];
        let before = self.problems.len();
        self.problems.extend(problems.into_iter().filter(|problem| serious.contains(&problem.code)));
        self.problems.len() > before
    }

    /// Adds a problem.
    pub(super) fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reports a problem and returns no value.
    pub(super) fn fail<T>(&mut self, span: &Span, message: impl Into<String>) -> Option<T> {
        self.report(Diagnostic::new(&file::EXPRESSION, span.clone(), message));
        None
    }

    /// Returns the value, or [`HclValue::Invalid`] if it has none.
    pub(super) fn eval_or_invalid(&mut self, expression: &Expression, env: &EvalScope) -> HclNode {
        self.eval(expression, env).unwrap_or_else(|| HclNode::new(HclValue::Invalid, place(expression)))
    }

    /// Returns the value; `None` if it has none, which is then reported.
    pub(super) fn eval(&mut self, expression: &Expression, env: &EvalScope) -> Option<HclNode> {
        let span = place(expression);
        self.step(&span)?;
        let value = match expression {
            Expression::Null(_) => HclValue::Null,
            Expression::Bool(value) => HclValue::Bool(*value.value()),
            Expression::Number(number) => match operators::literal(number) {
                Ok(value) => value,
                Err(message) => return self.fail(&span, message),
            },
            Expression::String(text) => {
                self.on_one_line(&span)?;
                HclValue::text(text.value())
            }
            Expression::Array(array) => {
                HclValue::tuple(array.iter().map(|item| self.eval_or_invalid(item, env)).collect())
            }
            Expression::Object(object) => HclValue::Table(self.object(object, env), None),
            Expression::StringTemplate(template) => return self.template(template, &span, env),
            Expression::HeredocTemplate(doc) => return self.heredoc(doc, &span, env),
            Expression::Parenthesis(inner) => self.eval(inner.inner(), env)?.value,
            Expression::Variable(name) => return self.variable(name.as_str(), &span, env),
            Expression::Conditional(conditional) => return self.conditional(conditional, &span, env),
            Expression::FuncCall(call) => return self.call(call, &span, env),
            Expression::Traversal(traversal) => return self.traversal(traversal, &span, env),
            Expression::UnaryOp(operation) => self.unary(operation, &span, env)?,
            Expression::BinaryOp(operation) => self.binary(operation, &span, env)?,
            Expression::ForExpr(for_expr) => self.for_expr(for_expr, env)?,
        };
        Some(HclNode::new(value, span))
    }

    /// Counts one expression.
    pub(super) fn step(&mut self, span: &Span) -> Option<()> {
        self.spend(1, span)
    }

    /// Counts the cost of copying a value.
    pub(super) fn charge(&mut self, node: &HclNode, span: &Span) -> Option<()> {
        self.spend(1 + node.weight() / 16, span)
    }

    /// Counts work, and fails when the limit is exceeded, which is reported once.
    pub(super) fn spend(&mut self, cost: usize, span: &Span) -> Option<()> {
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

    /// Refuses a quoted text that continues on the next line, which the parser accepts.
    pub(super) fn on_one_line(&mut self, span: &Span) -> Option<()> {
        if self.source.get(span.clone()).is_some_and(|written| written.contains('\n')) {
            let problem = Diagnostic::new(&file::EXPRESSION, span.clone(), "a text in quotes ends on its line");
            self.report(problem.help("write \\n for a new line, or use a heredoc: <<EOT"));
            return None;
        }
        Some(())
    }

    fn object(&mut self, object: &Object, env: &EvalScope) -> HclEntries {
        let mut table = HclEntries::default();
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
                None => table.push(key, node),
            }
        }
        table
    }

    fn object_key(&mut self, key: &ObjectKey, env: &EvalScope) -> Option<FileKey> {
        match key {
            ObjectKey::Ident(ident) => Some(FileKey::new(ident.as_str(), ident.span().unwrap_or_default())),
            ObjectKey::Expression(null @ Expression::Null(_)) => Some(FileKey::new("null", place(null))),
            ObjectKey::Expression(expression @ Expression::Traversal(_)) => {
                let problem = Diagnostic::new(&file::EXPRESSION, place(expression), "this key could be two things");
                self.report(
                    problem.help("put it in parentheses if it is an expression, in quotes if it is the name itself"),
                );
                None
            }
            ObjectKey::Expression(expression) => {
                let node = self.eval(expression, env)?;
                let name = self.text_of(&node)?;
                Some(FileKey::new(name, node.span))
            }
        }
    }

    fn variable(&mut self, name: &str, span: &Span, env: &EvalScope) -> Option<HclNode> {
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

    /// Evaluates both results: they get their common type. An error in the branch that is not taken is ignored.
    fn conditional(&mut self, conditional: &Conditional, span: &Span, env: &EvalScope) -> Option<HclNode> {
        let (taken, other) = if self.boolean(&conditional.cond_expr, env)? {
            (&conditional.true_expr, &conditional.false_expr)
        } else {
            (&conditional.false_expr, &conditional.true_expr)
        };
        let taken = self.eval(taken, env);
        let (value, problems) = self.attempt(|evaluator| evaluator.eval(other, env));
        let of = match value {
            Some(value) => {
                self.charge(&value, span)?;
                Some((value.value.type_of(), value.value.kind()))
            }
            None => operators::failed_type(other).map(|of| (of, "something else")),
        };
        // Without a type of its own, the result that is not taken cannot be left aside.
        let wrong = if of.is_some() { self.report_serious(problems) } else { self.report_all(problems) };
        let (taken, (of, kind)) = (taken?, of?);
        if wrong || of == HclType::Any || matches!(taken.value, HclValue::Null) {
            return Some(taken);
        }
        self.charge(&taken, span)?;
        let Some(wanted) = unify(&[taken.value.type_of(), of]) else {
            let problem = Diagnostic::new(&file::EXPRESSION, span.clone(), "the two results have different types");
            self.report(problem.note(format!("one is {}, the other is {kind}", taken.value.kind())));
            return None;
        };
        if taken.has_invalid() {
            return Some(taken);
        }
        match convert(taken, &wanted) {
            Ok(node) => Some(node),
            Err(message) => self.fail(span, message),
        }
    }

    /// Evaluates a condition.
    pub(super) fn boolean(&mut self, expression: &Expression, env: &EvalScope) -> Option<bool> {
        let node = self.eval(expression, env)?;
        if node.has_invalid() {
            return None;
        }
        match to_bool(&node.value) {
            Ok(value) => Some(value),
            Err(_) => self.fail(&node.span, format!("a condition is true or false, not {}", node.value.kind())),
        }
    }

    fn call(&mut self, call: &FuncCall, span: &Span, env: &EvalScope) -> Option<HclNode> {
        let name = call.name.name.as_str();
        let known = (!call.name.is_namespaced()).then(|| functions::find(name)).flatten();
        let Some(function) = known else {
            let place = call.name.name.span().unwrap_or_else(|| span.clone());
            self.report(no_function(name, place));
            return None;
        };
        let mut arguments = Vec::new();
        for (index, argument) in call.args.iter().enumerate() {
            let node = self.eval(argument, env)?;
            if node.has_invalid() {
                return None;
            }
            match node.value {
                HclValue::List(items, _) if call.args.expand_final() && index + 1 == call.args.len() => {
                    arguments.extend(items);
                }
                other if call.args.expand_final() && index + 1 == call.args.len() => {
                    return self.fail(&node.span, format!("`...` expands a list, not {}", other.kind()));
                }
                value => arguments.push(HclNode::new(value, node.span)),
            }
        }
        match function.call(arguments) {
            Ok(value) => Some(HclNode::new(value, span.clone()).at(span)),
            Err(message) => self.fail(span, format!("{name}(): {message}")),
        }
    }

    /// Converts a value to text, for a template or a name.
    pub(super) fn text_of(&mut self, node: &HclNode) -> Option<String> {
        if node.has_invalid() {
            return None;
        }
        match to_text(&node.value) {
            Ok(text) => Some(text),
            Err(message) => {
                let kind = node.value.kind();
                let fits = matches!(node.value, HclValue::Number(_));
                let message = if fits { message } else { format!("{kind} cannot stand in a text") };
                let problem = Diagnostic::new(&file::EXPRESSION, node.span.clone(), message);
                self.report(match node.value {
                    HclValue::List(..) => problem.help("join(\", \", …) makes a text of a list"),
                    HclValue::Table(..) => problem.help("jsonencode(…) makes a text of a table"),
                    _ => problem,
                });
                None
            }
        }
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

/// Returns the place of an expression.
pub(super) fn place(expression: &Expression) -> Span {
    expression.span().unwrap_or_default()
}
