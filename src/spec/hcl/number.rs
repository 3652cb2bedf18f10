//! Exact numbers: fractions of whole numbers, so that `0.1 + 0.2` is `0.3`.
//!
//! Terraform computes with 512 bits. A number that fits here has the same value there; one that does not fit, or that has
//! no exact decimal form, is an error.

use core::cmp::Ordering;
use core::fmt;

/// Maximum number of digits after the point.
const MAX_SCALE: u32 = 38;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HclNumber {
    numerator: i128,
    /// Greater than 0, without a divisor that it shares with the numerator.
    denominator: i128,
}

/// A number that is too large, or has too many digits, to be kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InexactNumber;

impl fmt::Display for InexactNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number is too large, or has too many digits, to be kept exactly")
    }
}

impl From<InexactNumber> for String {
    fn from(error: InexactNumber) -> Self {
        error.to_string()
    }
}

impl HclNumber {
    /// 0.
    pub(super) const ZERO: Self = Self::whole(0);

    /// Creates a whole number.
    pub(super) const fn whole(value: i128) -> Self {
        Self { numerator: value, denominator: 1 }
    }

    /// Converts a count to a number.
    pub(super) fn count(count: usize) -> Self {
        Self::whole(i128::try_from(count).unwrap_or(i128::MAX))
    }

    fn new(numerator: i128, denominator: i128) -> Result<Self, InexactNumber> {
        if denominator == 0 || denominator == i128::MIN || numerator == i128::MIN {
            return Err(InexactNumber);
        }
        let divisor = divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).map_err(|_| InexactNumber)?.max(1) * denominator.signum();
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Parses a decimal number, for example `-1.5e3`; nothing if the text is not a number.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, InexactNumber> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        let exponent_is_one = unsigned.is_none_or(|text| !text.is_empty() && digits(text));
        if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 || !exponent_is_one {
            return Ok(None);
        }
        let exponent: i64 = exponent.map_or(Ok(0), str::parse).map_err(|_| InexactNumber)?;
        let fraction = fraction.trim_end_matches('0');
        let mantissa = format!("{whole}{fraction}");
        let mantissa = mantissa.trim_start_matches('0');
        let mantissa: i128 = if mantissa.is_empty() { 0 } else { mantissa.parse().map_err(|_| InexactNumber)? };
        let scale = exponent - i64::try_from(fraction.len()).map_err(|_| InexactNumber)?;
        let power = power_of_ten(scale.unsigned_abs());
        let number = match (mantissa, power) {
            (0, _) => Self::ZERO,
            (_, None) => return Err(InexactNumber),
            (mantissa, Some(power)) if scale >= 0 => Self::whole(mantissa.checked_mul(power).ok_or(InexactNumber)?),
            (mantissa, Some(power)) => Self::new(mantissa, power)?,
        };
        Ok(Some(if negative { number.negate() } else { number }))
    }

    /// Returns the number with the other sign.
    pub(super) fn negate(self) -> Self {
        // A numerator is never `i128::MIN`.
        Self { numerator: self.numerator.saturating_neg(), ..self }
    }

    /// Returns the sum.
    pub(super) fn plus(self, other: Self) -> Result<Self, InexactNumber> {
        let left = self.numerator.checked_mul(other.denominator).ok_or(InexactNumber)?;
        let right = other.numerator.checked_mul(self.denominator).ok_or(InexactNumber)?;
        let denominator = self.denominator.checked_mul(other.denominator).ok_or(InexactNumber)?;
        Self::new(left.checked_add(right).ok_or(InexactNumber)?, denominator)
    }

    /// Returns the product.
    pub(super) fn times(self, other: Self) -> Result<Self, InexactNumber> {
        let numerator = self.numerator.checked_mul(other.numerator).ok_or(InexactNumber)?;
        Self::new(numerator, self.denominator.checked_mul(other.denominator).ok_or(InexactNumber)?)
    }

    /// Returns the quotient; the divisor is not 0.
    pub(super) fn divided_by(self, other: Self) -> Result<Self, InexactNumber> {
        let numerator = self.numerator.checked_mul(other.denominator).ok_or(InexactNumber)?;
        Self::new(numerator, self.denominator.checked_mul(other.numerator).ok_or(InexactNumber)?)
    }

    /// Returns the remainder of a division whose quotient is cut to a whole number: it has the sign of `self`.
    pub(super) fn remainder(self, other: Self) -> Result<Self, InexactNumber> {
        let quotient = self.divided_by(other)?;
        let whole = Self::whole(quotient.numerator / quotient.denominator);
        self.plus(other.times(whole)?.negate())
    }

    /// Returns `true` if the number is below 0.
    pub(super) fn is_negative(self) -> bool {
        self.numerator < 0
    }

    /// Returns `true` if the number is 0.
    pub(super) fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Returns `true` for a sum of halves, quarters, eighths and so on, which binary arithmetic keeps exactly.
    pub(super) fn is_binary(self) -> bool {
        self.denominator.unsigned_abs().is_power_of_two()
    }

    /// Compares two numbers.
    pub(super) fn compare(self, other: Self) -> Result<Ordering, InexactNumber> {
        let left = self.numerator.checked_mul(other.denominator).ok_or(InexactNumber)?;
        let right = other.numerator.checked_mul(self.denominator).ok_or(InexactNumber)?;
        Ok(left.cmp(&right))
    }

    /// Returns the number if it has no fraction.
    pub(super) fn as_whole(self) -> Option<i128> {
        (self.denominator == 1).then_some(self.numerator)
    }

    /// Returns the nearest floating point number.
    pub(super) fn to_float(self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "no setting takes a fraction: only a message shows it")]
        let (numerator, denominator) = (self.numerator as f64, self.denominator as f64);
        numerator / denominator
    }

    /// Returns the digits without a point, and how many of them are after the point.
    pub(super) fn decimal(self) -> Result<(i128, u32), InexactNumber> {
        let mut rest = self.denominator;
        let mut count = |prime: i128| {
            let mut times = 0_u32;
            while rest % prime == 0 {
                rest /= prime;
                times += 1;
            }
            times
        };
        let scale = count(2).max(count(5));
        if rest != 1 || scale > MAX_SCALE {
            return Err(InexactNumber);
        }
        let power = power_of_ten(u64::from(scale)).ok_or(InexactNumber)?;
        Ok((self.numerator.checked_mul(power / self.denominator).ok_or(InexactNumber)?, scale))
    }

    /// Returns the exact decimal form, without an exponent.
    pub(super) fn text(self) -> Result<String, String> {
        let no_form = |_| "the number has no exact decimal form: use it in a comparison, or divide evenly".to_owned();
        let (digits, scale) = self.decimal().map_err(no_form)?;
        Ok(with_point(digits, scale))
    }
}

/// Returns a decimal number as text: `with_point(-15, 1)` is `-1.5`.
pub(super) fn with_point(digits: i128, scale: u32) -> String {
    let scale = usize::try_from(scale).unwrap_or(usize::MAX);
    let sign = if digits < 0 { "-" } else { "" };
    let digits = digits.unsigned_abs().to_string();
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{}{digits}", "0".repeat((scale + 1).saturating_sub(digits.len())));
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Returns 10 to the power of `exponent`, if it fits.
pub(super) fn power_of_ten(exponent: u64) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

fn divisor(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn number(text: &str) -> HclNumber {
        HclNumber::parse(text).unwrap().unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")), Ok(number("0.3")));
        assert_eq!(number("1").divided_by(number("3")).unwrap().times(number("3")), Ok(number("1")));
        for (written, text) in [("1.50", "1.5"), ("-0.05", "-0.05"), ("1e3", "1000"), (".5", "0.5"), ("5.", "5")] {
            assert_eq!(number(written).text().unwrap(), text);
        }
        assert!(number("1").divided_by(number("3")).unwrap().text().is_err());
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", ".", "e5", "1e", "0x10", " 5", "1_0", "--1", "inf", "NaN", "1e+-5", "١"] {
            assert_eq!(HclNumber::parse(text), Ok(None), "{text:?}");
        }
        for text in ["1e999", "1e-999", "1e99999999999999999999", &"9".repeat(60)] {
            assert_eq!(HclNumber::parse(text), Err(InexactNumber), "{text:?}");
        }
    }

    #[test]
    fn nothing_overflows() {
        let large = number(&i128::MAX.to_string());
        let small = number("1e-38");
        for (a, b) in [(large, large), (large, small), (small, small), (large.negate(), large), (small, large)] {
            let _ = (a.plus(b), a.times(b), a.divided_by(b), a.remainder(b), a.compare(b), a.text(), b.text());
        }
    }
}
