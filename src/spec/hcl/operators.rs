//! Operators on values. Operands are converted as Terraform converts them: `"2" + 1` is `3`.

use core::cmp::Ordering;

use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, TraversalOperator, UnaryOp, UnaryOperator};

use super::convert::{to_bool, to_number};
use super::eval::{EvalScope, Evaluator, place};
use super::number::HclNumber;
use super::value::{HclNode, HclType, HclValue};
use crate::spec::source::Span;

impl Evaluator<'_> {
    /// Evaluates `-x` and `!x`.
    pub(super) fn unary(&mut self, operation: &UnaryOp, span: &Span, env: &EvalScope) -> Option<HclValue> {
        let node = self.eval(&operation.expr, env)?;
        if node.has_invalid() {
            return None;
        }
        let result = match operation.operator.value() {
            UnaryOperator::Not => to_bool(&node.value).map(|value| HclValue::Bool(!value)),
            UnaryOperator::Neg => to_number(&node.value).map(|number| HclValue::Number(number.negate())),
        };
        match result {
            Ok(value) => Some(value),
            Err(message) => self.fail(span, format!("`{}`: {message}", operation.operator.value().as_str())),
        }
    }

    /// Evaluates `x + y` and the other binary operators.
    pub(super) fn binary(&mut self, operation: &BinaryOp, span: &Span, env: &EvalScope) -> Option<HclValue> {
        let operator = *operation.operator.value();
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            return self.logical(operation, operator == BinaryOperator::Or, env).map(HclValue::Bool);
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

    /// Evaluates `&&` and `||`: if one side decides, an error of the other side is ignored, but not a wrong type.
    fn logical(&mut self, operation: &BinaryOp, decisive: bool, env: &EvalScope) -> Option<bool> {
        let (left, left_problems) = self.attempt(|evaluator| evaluator.eval(&operation.lhs_expr, env));
        let (right, right_problems) = self.attempt(|evaluator| evaluator.eval(&operation.rhs_expr, env));
        let left = self.operand(left, &operation.lhs_expr);
        let right = self.operand(right, &operation.rhs_expr);
        let (LogicOperand::Value(_) | LogicOperand::Missing, LogicOperand::Value(_) | LogicOperand::Missing) =
            (left, right)
        else {
            self.report_all(left_problems);
            self.report_all(right_problems);
            return None;
        };
        if left == LogicOperand::Value(decisive) {
            self.report_all(left_problems);
            self.report_serious(right_problems);
            return Some(decisive);
        }
        if right == LogicOperand::Value(decisive) {
            self.report_serious(left_problems);
            self.report_all(right_problems);
            return Some(decisive);
        }
        self.report_all(left_problems);
        self.report_all(right_problems);
        match (left, right) {
            (LogicOperand::Value(_), LogicOperand::Value(value)) => Some(value),
            _ => None,
        }
    }

    fn operand(&mut self, node: Option<HclNode>, expression: &Expression) -> LogicOperand {
        let Some(node) = node.filter(|node| !node.has_invalid()) else {
            let wrong = matches!(failed_type(expression), Some(HclType::Number));
            return if wrong { LogicOperand::Wrong } else { LogicOperand::Missing };
        };
        match to_bool(&node.value) {
            Ok(value) => LogicOperand::Value(value),
            Err(message) => {
                self.fail::<()>(&place(expression), message);
                LogicOperand::Wrong
            }
        }
    }
}

/// A side of `&&` or `||`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LogicOperand {
    Value(bool),
    /// The operand has no value; the collected problems hold the reason.
    Missing,
    /// The operand is not a boolean.
    Wrong,
}

/// Returns the type of an expression that failed; `None` if it cannot be known.
pub(super) fn failed_type(expression: &Expression) -> Option<HclType> {
    use BinaryOperator as Op;
    match expression {
        Expression::Parenthesis(inner) => failed_type(inner.inner()),
        Expression::BinaryOp(operation) => Some(match operation.operator.value() {
            Op::Plus | Op::Minus | Op::Mul | Op::Div | Op::Mod => HclType::Number,
            _ => HclType::Bool,
        }),
        Expression::UnaryOp(operation) => Some(match operation.operator.value() {
            UnaryOperator::Neg => HclType::Number,
            UnaryOperator::Not => HclType::Bool,
        }),
        Expression::StringTemplate(_) | Expression::HeredocTemplate(_) => Some(HclType::String),
        Expression::Conditional(_) | Expression::ForExpr(_) => None,
        Expression::Traversal(traversal) => {
            let splat = |operator: &TraversalOperator| {
                matches!(operator, TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_))
            };
            (!traversal.operators.iter().any(|operator| splat(operator.value()))).then_some(HclType::Any)
        }
        _ => Some(HclType::Any),
    }
}

/// Hint about joining texts, for an addition of texts.
const JOINING: &str = "; texts are joined in a template: \"${…}${…}\"";

/// Returns the value of a binary operation, or the reason why it has none.
fn combine(left: &HclValue, operator: BinaryOperator, right: &HclValue) -> Result<HclValue, String> {
    use BinaryOperator as Op;
    match operator {
        Op::Eq => return Ok(HclValue::Bool(left.equals(right))),
        Op::NotEq => return Ok(HclValue::Bool(!left.equals(right))),
        _ => {}
    }
    let operand = |value: &HclValue| {
        let joins = if operator == Op::Plus && matches!(value, HclValue::String(_)) { JOINING } else { "" };
        to_number(value).map_err(|message| format!("`{}`: {message}{joins}", operator.as_str()))
    };
    let (left, right) = (operand(left)?, operand(right)?);
    let ordered = |wanted: fn(Ordering) -> bool| Ok(HclValue::Bool(wanted(left.compare(right)?)));
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
    Ok(HclValue::Number(number?))
}

/// Returns the exact number of a literal.
pub(super) fn literal(number: &hcl_edit::Formatted<hcl_edit::Number>) -> Result<HclValue, String> {
    let written = number.as_repr().map_or_else(|| number.value().to_string(), |repr| String::from(&**repr));
    let digits: String = written.chars().filter(|character| !character.is_whitespace()).collect();
    let number = HclNumber::parse(&digits)?.ok_or_else(|| format!("{digits} is not a number"))?;
    Ok(HclValue::Number(number))
}
