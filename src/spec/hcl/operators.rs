//! Operators on values. Operands are converted as Terraform converts them: `"2" + 1` is `3`.

use core::cmp::Ordering;

use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, TraversalOperator, UnaryOp, UnaryOperator};

use super::convert::{to_bool, to_number};
use super::eval::{Env, Evaluator, place};
use super::number::Number;
use super::value::{Node, Type, Value};
use crate::spec::source::Span;

impl Evaluator<'_> {
    /// The value of `-x` and `!x`.
    pub(super) fn unary(&mut self, operation: &UnaryOp, span: &Span, env: &Env) -> Option<Value> {
        let node = self.eval(&operation.expr, env)?;
        if node.has_invalid() {
            return None;
        }
        let result = match operation.operator.value() {
            UnaryOperator::Not => to_bool(&node.value).map(|value| Value::Bool(!value)),
            UnaryOperator::Neg => to_number(&node.value).map(|number| Value::Number(number.negate())),
        };
        match result {
            Ok(value) => Some(value),
            Err(message) => self.fail(span, format!("`{}`: {message}", operation.operator.value().as_str())),
        }
    }

    /// The value of `x + y` and the like.
    pub(super) fn binary(&mut self, operation: &BinaryOp, span: &Span, env: &Env) -> Option<Value> {
        let operator = *operation.operator.value();
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            return self.logical(operation, operator == BinaryOperator::Or, env).map(Value::Bool);
        }
        let left = self.eval(&operation.lhs_expr, env);
        let right = self.eval(&operation.rhs_expr, env)?;
        let left = left?;
        if left.has_invalid() || right.has_invalid() {
            return None;
        }
        match combine(&left.value, operator, &right.value) {
            Ok(value) => Some(value),
            Err(message) => self.fail(span, message),
        }
    }

    /// `&&` and `||`: the side that decides makes an error of the other side void, but not a wrong type.
    fn logical(&mut self, operation: &BinaryOp, decisive: bool, env: &Env) -> Option<bool> {
        let (left, left_problems) = self.attempt(|evaluator| evaluator.eval(&operation.lhs_expr, env));
        let (right, right_problems) = self.attempt(|evaluator| evaluator.eval(&operation.rhs_expr, env));
        let left = self.operand(left, &operation.lhs_expr);
        let right = self.operand(right, &operation.rhs_expr);
        let (Operand::Value(_) | Operand::Missing, Operand::Value(_) | Operand::Missing) = (left, right) else {
            self.report_all(left_problems);
            self.report_all(right_problems);
            return None;
        };
        if left == Operand::Value(decisive) {
            self.report_all(left_problems);
            self.report_serious(right_problems);
            return Some(decisive);
        }
        if right == Operand::Value(decisive) {
            self.report_serious(left_problems);
            self.report_all(right_problems);
            return Some(decisive);
        }
        self.report_all(left_problems);
        self.report_all(right_problems);
        match (left, right) {
            (Operand::Value(_), Operand::Value(value)) => Some(value),
            _ => None,
        }
    }

    fn operand(&mut self, node: Option<Node>, expression: &Expression) -> Operand {
        let Some(node) = node.filter(|node| !node.has_invalid()) else {
            let wrong = matches!(failed_type(expression), Some(Type::Number));
            return if wrong { Operand::Wrong } else { Operand::Missing };
        };
        match to_bool(&node.value) {
            Ok(value) => Operand::Value(value),
            Err(message) => {
                self.fail::<()>(&place(expression), message);
                Operand::Wrong
            }
        }
    }
}

/// A side of `&&` or `||`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    Value(bool),
    /// It has no value; why is known.
    Missing,
    /// It is neither true nor false.
    Wrong,
}

/// The type that an expression has although it failed; nothing if nobody can know.
pub(super) fn failed_type(expression: &Expression) -> Option<Type> {
    use BinaryOperator as Op;
    match expression {
        Expression::Parenthesis(inner) => failed_type(inner.inner()),
        Expression::BinaryOp(operation) => Some(match operation.operator.value() {
            Op::Plus | Op::Minus | Op::Mul | Op::Div | Op::Mod => Type::Number,
            _ => Type::Bool,
        }),
        Expression::UnaryOp(operation) => Some(match operation.operator.value() {
            UnaryOperator::Neg => Type::Number,
            UnaryOperator::Not => Type::Bool,
        }),
        Expression::StringTemplate(_) | Expression::HeredocTemplate(_) => Some(Type::String),
        Expression::Conditional(_) | Expression::ForExpr(_) => None,
        Expression::Traversal(traversal) => {
            let splat = |operator: &TraversalOperator| {
                matches!(operator, TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_))
            };
            (!traversal.operators.iter().any(|operator| splat(operator.value()))).then_some(Type::Any)
        }
        _ => Some(Type::Any),
    }
}

/// What joins texts, where somebody adds them.
const JOINING: &str = "; texts are joined in a template: \"${…}${…}\"";

/// The value of a binary operation, or why it has none.
fn combine(left: &Value, operator: BinaryOperator, right: &Value) -> Result<Value, String> {
    use BinaryOperator as Op;
    match operator {
        Op::Eq => return Ok(Value::Bool(left.equals(right))),
        Op::NotEq => return Ok(Value::Bool(!left.equals(right))),
        _ => {}
    }
    let operand = |value: &Value| {
        let joins = if operator == Op::Plus && matches!(value, Value::String(_)) { JOINING } else { "" };
        to_number(value).map_err(|message| format!("`{}`: {message}{joins}", operator.as_str()))
    };
    let (left, right) = (operand(left)?, operand(right)?);
    let ordered = |wanted: fn(Ordering) -> bool| Ok(Value::Bool(wanted(left.compare(right)?)));
    let number = match operator {
        Op::Less => return ordered(Ordering::is_lt),
        Op::LessEq => return ordered(Ordering::is_le),
        Op::Greater => return ordered(Ordering::is_gt),
        Op::GreaterEq => return ordered(Ordering::is_ge),
        Op::Div | Op::Mod if right.is_zero() => return Err("division by zero".to_owned()),
        Op::Plus => left.plus(right),
        Op::Minus => left.plus(right.negate()),
        Op::Mul => left.times(right),
        Op::Div => left.divided_by(right),
        Op::Mod => left.remainder(right),
        Op::Eq | Op::NotEq | Op::And | Op::Or => return Err("not an operation on numbers".to_owned()),
    };
    Ok(Value::Number(number?))
}

/// The number that a literal writes, exactly.
pub(super) fn literal(number: &hcl_edit::Formatted<hcl_edit::Number>) -> Result<Value, String> {
    let written = number.as_repr().map_or_else(|| number.value().to_string(), |repr| String::from(&**repr));
    let digits: String = written.chars().filter(|character| !character.is_whitespace()).collect();
    let number = Number::parse(&digits)?.ok_or_else(|| format!("{digits} is not a number"))?;
    Ok(Value::Number(number))
}
