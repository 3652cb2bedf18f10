//! Operators on values: checked, so that no number in a file is a panic.

use hcl_edit::expr::BinaryOperator;

use crate::spec::tree::Value;

/// A literal number.
pub(super) fn number_value(number: &hcl_edit::Number) -> Value {
    match number.as_i64() {
        Some(value) => Value::Integer(value),
        None => number_from(number.as_f64().unwrap_or(f64::MAX)),
    }
}

/// A number without a fraction is a whole number.
pub(super) fn number_from(value: f64) -> Value {
    // 2^53: up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within 2^53, checked above")]
        return Value::Integer(value as i64);
    }
    Value::Float(value)
}

/// A number as a float, for arithmetic that leaves whole numbers.
pub(super) fn as_float(value: &Value) -> Option<f64> {
    match value {
        #[allow(clippy::cast_precision_loss, reason = "arithmetic that mixes whole numbers and fractions")]
        Value::Integer(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// The value of a binary operation, or why it has none.
pub(super) fn combine(left: &Value, operator: BinaryOperator, right: &Value) -> Result<Value, String> {
    use BinaryOperator as Op;
    let not_possible = || {
        let operator = operator.as_str();
        format!("`{operator}` does not work on {} and {}", left.kind(), right.kind())
    };
    match (operator, left, right) {
        (Op::Eq, _, _) => Ok(Value::Bool(left == right)),
        (Op::NotEq, _, _) => Ok(Value::Bool(left != right)),
        (Op::And, Value::Bool(a), Value::Bool(b)) => Ok(Value::Bool(*a && *b)),
        (Op::Or, Value::Bool(a), Value::Bool(b)) => Ok(Value::Bool(*a || *b)),
        (Op::And | Op::Or, _, _) => Err(not_possible()),
        (_, Value::Integer(a), Value::Integer(b)) if operator != Op::Div => {
            whole(*a, operator, *b).ok_or_else(|| arithmetic_error(*b == 0, operator))
        }
        _ => match (as_float(left), as_float(right)) {
            (Some(a), Some(b)) => fractional(a, operator, b).ok_or_else(|| arithmetic_error(b == 0.0, operator)),
            _ => Err(not_possible()),
        },
    }
}

fn arithmetic_error(by_zero: bool, operator: BinaryOperator) -> String {
    match operator {
        BinaryOperator::Div | BinaryOperator::Mod if by_zero => "division by zero".to_owned(),
        _ => "the result is too large a number".to_owned(),
    }
}

fn whole(a: i64, operator: BinaryOperator, b: i64) -> Option<Value> {
    use BinaryOperator as Op;
    let compared = match operator {
        Op::Less => a < b,
        Op::LessEq => a <= b,
        Op::Greater => a > b,
        Op::GreaterEq => a >= b,
        Op::Plus => return a.checked_add(b).map(Value::Integer),
        Op::Minus => return a.checked_sub(b).map(Value::Integer),
        Op::Mul => return a.checked_mul(b).map(Value::Integer),
        Op::Mod => return a.checked_rem(b).map(Value::Integer),
        Op::Div | Op::Eq | Op::NotEq | Op::And | Op::Or => return None,
    };
    Some(Value::Bool(compared))
}

fn fractional(a: f64, operator: BinaryOperator, b: f64) -> Option<Value> {
    use BinaryOperator as Op;
    let result = match operator {
        Op::Less => return Some(Value::Bool(a < b)),
        Op::LessEq => return Some(Value::Bool(a <= b)),
        Op::Greater => return Some(Value::Bool(a > b)),
        Op::GreaterEq => return Some(Value::Bool(a >= b)),
        Op::Plus => a + b,
        Op::Minus => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Mod => a % b,
        Op::Eq | Op::NotEq | Op::And | Op::Or => return None,
    };
    result.is_finite().then(|| number_from(result))
}
