//! The values of YAML scalars: `yaml.v2`'s `resolve.go` in Rust.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

/// A parsed scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum YamlScalar {
    Null,
    Bool(bool),
    /// Up to 64 bits, signed or not.
    Integer(i128),
    Float(f64),
    Text(String),
}

/// The tag of a scalar, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarTag {
    /// No tag, and not quoted.
    Plain,
    /// Quoted without a tag, `!!str`, or an unknown tag.
    Text,
    Bool,
    Integer,
    Float,
    Null,
    /// Base64 of a text.
    Binary,
}

/// Parses a scalar.
///
/// # Errors
/// Fails if the text does not match its tag.
pub(super) fn understood(text: &str, tag: ScalarTag) -> Result<YamlScalar, String> {
    let fits = match (tag, resolved(text)) {
        (ScalarTag::Text, _) => return Ok(YamlScalar::Text(text.to_owned())),
        (ScalarTag::Binary, _) => {
            let bytes = STANDARD.decode(text.split_whitespace().collect::<String>());
            return bytes
                .map(|bytes| YamlScalar::Text(String::from_utf8_lossy(&bytes).into_owned()))
                .map_err(|error| format!("a text that is tagged as binary is not base64: {error}"));
        }
        #[allow(clippy::cast_precision_loss, reason = "as yaml.v2 does")]
        (ScalarTag::Float, YamlScalar::Integer(number)) => Some(YamlScalar::Float(number as f64)),
        (ScalarTag::Plain, scalar)
        | (ScalarTag::Bool, scalar @ YamlScalar::Bool(_))
        | (ScalarTag::Integer, scalar @ YamlScalar::Integer(_))
        | (ScalarTag::Float, scalar @ YamlScalar::Float(_))
        | (ScalarTag::Null, scalar @ YamlScalar::Null) => Some(scalar),
        _ => None,
    };
    fits.ok_or_else(|| format!("{text:?} does not fit its tag"))
}

/// Returns the value of a text that is neither quoted nor tagged.
fn resolved(text: &str) -> YamlScalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return YamlScalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return YamlScalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return YamlScalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return YamlScalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return YamlScalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return YamlScalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => fraction(text).map(YamlScalar::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let plain = text.replace('_', "");
            integer(&plain).map(YamlScalar::Integer).or_else(|| decimal(&plain).map(YamlScalar::Float))
        }
        _ => None,
    };
    number.unwrap_or_else(|| YamlScalar::Text(text.to_owned()))
}

/// Parses a whole number as Go does: `0400` and `0o400` are octal, with at most 64 bits.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = i128::from_str_radix(digits, radix).ok()?;
    let number = if negative { -size } else { size };
    // Only a number without a sign may use the 64th bit.
    let most = if text.starts_with(['+', '-']) { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=most).contains(&number).then_some(number)
}

/// Parses a decimal number, with a point or an exponent or neither.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let some = |text: &str| !text.is_empty() && digits(text);
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", after)) => some(after),
        Some((before, after)) => some(before) && digits(after),
        None => some(mantissa),
    };
    let is_exponent = exponent.is_none_or(|exponent| some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    // One that is too large for a float is a text.
    (is_mantissa && is_exponent).then(|| text.parse().ok())?.filter(|number: &f64| number.is_finite())
}

/// Parses a number that begins with its point; there, Go takes underscores between digits only.
fn fraction(text: &str) -> Option<f64> {
    let is_between = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    let good = text.match_indices('_').all(|(at, _)| is_between(at));
    decimal(&text.replace('_', "")).filter(|_| good)
}

impl YamlScalar {
    /// Returns the scalar in JSON; nothing for a number that JSON does not have.
    pub(super) fn json(self) -> Option<Json> {
        Some(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => value.into(),
            Self::Integer(number) => whole(number)?,
            Self::Float(number) => float(number)?,
            Self::Text(text) => text.into(),
        })
    }

    /// Returns the scalar as the key of a mapping; nothing where none can be one.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(number) => i64::try_from(*number).ok().map(|number| number.to_string()),
            // Others would be written with an exponent: those are never meant as a name.
            Self::Float(number) if (1e-4..1e6).contains(&number.abs()) => {
                #[allow(clippy::cast_possible_truncation, reason = "as sigs.k8s.io/yaml does")]
                let short = *number as f32;
                Some(short.to_string())
            }
            Self::Null | Self::Float(_) => None,
            Self::Text(text) => Some(text.clone()),
        }
    }
}

fn whole(number: i128) -> Option<Json> {
    i64::try_from(number).map(Json::from).or_else(|_| u64::try_from(number).map(Json::from)).ok()
}

/// Converts a float. A whole value is written without a point, as Go does: to Kubernetes it is an integer.
fn float(number: f64) -> Option<Json> {
    const SHORT: f64 = 1e21;
    let written = (number.fract() == 0.0 && number.abs() < SHORT).then(|| number.to_string());
    let integer = written.and_then(|text| whole(text.parse().ok()?));
    integer.or_else(|| serde_json::Number::from_f64(number).map(Json::Number))
}
