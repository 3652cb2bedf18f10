//! `format`: the verbs of Terraform, `%s`, `%q`, `%d`, `%b`, `%o`, `%x`, `%X`, `%f`, `%g`, `%t` and `%v`.

use super::super::convert::{to_bool, to_number, to_text};
use super::super::json;
use super::super::number::{HclNumber, power_of_ten, with_point};
use super::super::unicode;
use super::super::value::{HclNode, HclValue};
use super::{FunctionResult, string};

/// Maximum width of a field.
const MAX_WIDTH: usize = 1000;
/// Number of digits after the point of `%f`, unless the verb sets it.
const DEFAULT_PRECISION: usize = 6;

/// A verb: `%-08.3f`.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag that can stand in a verb")]
struct FormatVerb {
    raw: String,
    letter: char,
    zero: bool,
    sharp: bool,
    plus: bool,
    minus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Returns the pattern with its verbs replaced by the arguments.
#[allow(clippy::needless_pass_by_value, reason = "the table of functions has one type for all")]
pub(super) fn format(a: Vec<HclNode>) -> FunctionResult {
    let mut arguments = a.iter();
    let pattern = match arguments.next().map(|node| &node.value) {
        None | Some(HclValue::Null) => return Err("the pattern is null".to_owned()),
        Some(pattern) => to_text(pattern)?,
    };
    let arguments = arguments.as_slice();
    let (mut next, mut used) = (0, 0);
    let mut result = String::new();
    let mut rest = pattern.as_str();
    while let Some(percent) = rest.find('%') {
        result.push_str(&rest[..percent]);
        rest = &rest[percent..];
        if let Some(after) = rest.strip_prefix("%%") {
            result.push('%');
            rest = after;
            continue;
        }
        let (verb, index, after) = parse(rest)?;
        let index = index.unwrap_or(next);
        let argument = arguments.get(index).ok_or_else(|| format!("`{}` has no argument", verb.raw))?;
        result.push_str(&verb.write(&argument.value).map_err(|message| format!("`{}`: {message}", verb.raw))?);
        (next, used) = (index + 1, used.max(index + 1));
        rest = after;
    }
    result.push_str(rest);
    if used < arguments.len() {
        return Err(format!("{} arguments are not used by the pattern", arguments.len() - used));
    }
    string(&result)
}

/// Parses a verb, the index of the argument if it names one, and the rest.
fn parse(text: &str) -> FunctionResult<(FormatVerb, Option<usize>, &str)> {
    let mut verb = FormatVerb::default();
    let mut rest = &text[1..];
    while let Some(flag) = rest.chars().next().filter(|flag| "0#-+ ".contains(*flag)) {
        match flag {
            '0' => verb.zero = true,
            '#' => verb.sharp = true,
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            _ => verb.space = true,
        }
        rest = &rest[1..];
    }
    (verb.width, rest) = digits(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = digits(after)?;
        verb.precision = Some(precision.unwrap_or(0));
        rest = after;
    }
    let mut index = None;
    if let Some(after) = rest.strip_prefix('[') {
        let (number, after) = digits(after)?;
        let after = after.strip_prefix(']').ok_or("`[` is not closed in the pattern")?;
        index = Some(number.and_then(|number| number.checked_sub(1)).ok_or("arguments are counted from 1")?);
        rest = after;
    }
    let letter = rest.chars().next().filter(char::is_ascii_alphabetic);
    verb.letter = letter.ok_or("a `%` stands alone in the pattern: write `%%`")?;
    rest = &rest[1..];
    text[..text.len() - rest.len()].clone_into(&mut verb.raw);
    Ok((verb, index, rest))
}

fn digits(text: &str) -> FunctionResult<(Option<usize>, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if number.is_empty() {
        return Ok((None, rest));
    }
    let number = number.parse().ok().filter(|number| *number <= MAX_WIDTH);
    number.map(|number| (Some(number), rest)).ok_or_else(|| format!("a field has at most {MAX_WIDTH} characters"))
}

impl FormatVerb {
    fn write(&self, value: &HclValue) -> FunctionResult<String> {
        if self.letter != 'v' && matches!(value, HclValue::Null) {
            return Err("the argument is null".to_owned());
        }
        match self.letter {
            'v' => Ok(self.padded(&self.plain(value)?)),
            't' => Ok(to_bool(value)?.to_string()),
            'b' | 'd' | 'o' | 'x' | 'X' => self.integer(to_number(value)?),
            'f' => Ok(self.signed(&rounded(to_number(value)?, self.precision.unwrap_or(DEFAULT_PRECISION))?)),
            'g' if self.precision.is_none() => Ok(self.signed(&shortest(to_number(value)?)?)),
            's' | 'q' => {
                let text = to_text(value)?;
                let text = match self.precision {
                    Some(most) if most > 0 => unicode::clusters(&text).into_iter().take(most).collect(),
                    _ => text,
                };
                Ok(self.padded(&if self.letter == 'q' { json::encode(&HclValue::String(text))? } else { text }))
            }
            _ => Err("the verb is not known: use %s, %q, %d, %x, %f, %t or %v".to_owned()),
        }
    }

    fn plain(&self, value: &HclValue) -> FunctionResult<String> {
        match value {
            HclValue::String(text) if !self.sharp => Ok(text.clone()),
            HclValue::Number(number) if !self.sharp => shortest(*number),
            other => json::encode(other),
        }
    }

    /// Pads a text to its field. As in Terraform, `0` fills with zeros on either side.
    fn padded(&self, text: &str) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(unicode::clusters(text).len());
        let padding = if self.zero { "0" } else { " " }.repeat(missing);
        if self.minus { format!("{text}{padding}") } else { format!("{padding}{text}") }
    }

    fn integer(&self, number: HclNumber) -> FunctionResult<String> {
        let number = number.as_whole().ok_or("the argument is not a whole number")?;
        let magnitude = number.unsigned_abs();
        let (digits, prefix) = match self.letter {
            'b' => (format!("{magnitude:b}"), "0b"),
            'o' => (format!("{magnitude:o}"), "0"),
            'x' => (format!("{magnitude:x}"), "0x"),
            'X' => (format!("{magnitude:X}"), "0X"),
            _ => (magnitude.to_string(), ""),
        };
        let prefix = if self.sharp { prefix } else { "" };
        if self.precision == Some(0) && magnitude == 0 {
            return Ok(String::new());
        }
        let zeros = "0".repeat(self.precision.unwrap_or(0).saturating_sub(digits.len()));
        let sign = self.sign(number < 0);
        let body = format!("{zeros}{digits}");
        let missing = self.width.unwrap_or(0).saturating_sub(sign.len() + prefix.len() + body.len());
        Ok(if self.minus {
            format!("{sign}{prefix}{body}{}", " ".repeat(missing))
        } else if self.zero && self.precision.is_none() {
            format!("{sign}{prefix}{}{body}", "0".repeat(missing))
        } else {
            format!("{}{sign}{prefix}{body}", " ".repeat(missing))
        })
    }

    /// Pads a number with a fraction to its field. Unlike with whole numbers, `0` wins over `-`.
    fn signed(&self, text: &str) -> String {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => (self.sign(false), text),
        };
        let missing = self.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
        if self.zero {
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else if self.minus {
            format!("{sign}{digits}{}", " ".repeat(missing))
        } else {
            format!("{}{sign}{digits}", " ".repeat(missing))
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }
}

/// Returns the number with this many digits after the point.
fn rounded(number: HclNumber, precision: usize) -> FunctionResult<String> {
    let too_many = || "the number has too many digits".to_owned();
    let scale = u32::try_from(precision).map_err(|_| too_many())?;
    let power = power_of_ten(u64::from(scale)).ok_or_else(too_many)?;
    let scaled = number.times(HclNumber::whole(power)).map_err(|_| too_many())?;
    let half = HclNumber::parse("0.5")?.unwrap_or(HclNumber::ZERO);
    let magnitude = if scaled.is_negative() { scaled.negate() } else { scaled };
    let rest = magnitude.remainder(HclNumber::whole(1))?;
    let down = magnitude.plus(rest.negate())?.as_whole().ok_or_else(too_many)?;
    let order = rest.compare(half)?;
    if order.is_eq() && !number.is_binary() {
        return Err("the number is between two that could be written: give another precision".to_owned());
    }
    let up = order.is_gt() || (order.is_eq() && down % 2 == 1);
    let digits = if up { down.checked_add(1).ok_or_else(too_many)? } else { down };
    let text = with_point(digits, scale);
    Ok(if number.is_negative() { format!("-{text}") } else { text })
}

/// Returns the number with as many digits as it has; with an exponent from a million on: `1e+06`.
fn shortest(number: HclNumber) -> FunctionResult<String> {
    let plain = number.text()?;
    if number.is_zero() {
        return Ok(plain);
    }
    let (digits, scale) = number.decimal()?;
    let significant = digits.unsigned_abs().to_string();
    let exponent = i64::try_from(significant.len()).unwrap_or(i64::MAX) - 1 - i64::from(scale);
    if (-4..6).contains(&exponent) {
        return Ok(plain);
    }
    let significant = significant.trim_end_matches('0');
    let (first, fraction) = significant.split_at(1);
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if digits < 0 { "-" } else { "" };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    Ok(format!("{sign}{first}{point}{fraction}e{exponent_sign}{:02}", exponent.unsigned_abs()))
}
