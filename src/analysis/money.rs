//! Amounts of money, exact to a millionth of a dollar.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Number of decimals of a [`Money`].
const DECIMALS: usize = 6;
/// Units of a dollar.
const DOLLAR: i64 = 1_000_000;
/// Units of a cent.
const CENT: i64 = DOLLAR / 100;

/// An amount in US dollars.
///
/// Prices are multiplied and added exactly; only [`Display`](fmt::Display) rounds, to cents. An amount that is too large to
/// represent (more than nine trillion dollars) stays at the largest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money {
    millionths: i64,
}

/// Error of a text that is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount in US dollars; examples: `250`, `99.50`")]
pub struct NotAnAmount(pub String);

impl Money {
    /// No money.
    pub const ZERO: Self = Self { millionths: 0 };

    /// Returns a multiple of the amount.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Self { millionths: self.millionths.saturating_mul(count) }
    }

    /// Returns all decimals, at least two: `0.0416`, `0.10`.
    pub fn exact(self) -> String {
        let sign = if self.millionths < 0 { "-" } else { "" };
        let (dollars, rest) = self.parts(DOLLAR);
        let decimals = format!("{rest:0DECIMALS$}");
        let significant = decimals.trim_end_matches('0').len().max(2);
        format!("{sign}{dollars}.{}", &decimals[..significant])
    }

    /// Returns the rounded amount with its sign: `+30.37`, `-8.00`.
    pub fn signed(self) -> String {
        if self.millionths < 0 { self.to_string() } else { format!("+{self}") }
    }

    /// Splits the absolute amount into whole units of a size, and the rest.
    fn parts(self, unit: i64) -> (u64, u64) {
        let (all, unit) = (self.millionths.unsigned_abs(), unit.unsigned_abs());
        (all / unit, all % unit)
    }
}

impl fmt::Display for Money {
    /// Rounds to cents, half a cent away from zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cents, rest) = self.parts(CENT);
        let cents = if rest.saturating_mul(2) >= CENT.unsigned_abs() { cents + 1 } else { cents };
        let sign = if self.millionths < 0 && cents > 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl FromStr for Money {
    type Err = NotAnAmount;

    /// Parses a decimal number that is not negative. Decimals beyond a millionth must be zeros: an amount is not rounded.
    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let wrong = || NotAnAmount(text.to_owned());
        let (dollars, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number(dollars) || !is_number(decimals) {
            return Err(wrong());
        }
        let (decimals, beyond) = decimals.split_at(decimals.len().min(DECIMALS));
        if beyond.bytes().any(|digit| digit != b'0') {
            return Err(wrong());
        }
        let dollars: i64 = dollars.parse().map_err(|_| wrong())?;
        let millionths: i64 = format!("{decimals:0<DECIMALS$}").parse().map_err(|_| wrong())?;
        let whole = dollars.checked_mul(DOLLAR).and_then(|whole| whole.checked_add(millionths));
        Ok(Self { millionths: whole.ok_or_else(wrong)? })
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { millionths: self.millionths.saturating_add(other.millionths) }
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { millionths: self.millionths.saturating_sub(other.millionths) }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount in US dollars with all its decimals, for example `91.104`: a text, so that no program rounds it.",
            "type": "string",
            "pattern": r"^-?[0-9]+\.[0-9]{2,6}$",
        })
    }
}

impl Serialize for Money {
    /// As text with all decimals: a number of JSON may be read as a float.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.exact())
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parse = |text: &str| text.parse::<Self>().map_err(serde::de::Error::custom);
        match text.strip_prefix('-') {
            Some(rest) => Ok(Self::ZERO - parse(rest)?),
            None => parse(&text),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_read_with_all_its_decimals() {
        let exact = |text: &str| money(text).exact();
        assert_eq!(["0.0416", "0.1", "12", "21.957642"].map(exact), ["0.0416", "0.10", "12.00", "21.957642"]);
        assert_eq!(money("0.0416000000"), money("0.0416"), "the price list files write ten decimals");
    }

    #[test]
    fn a_text_that_is_not_an_amount_is_refused() {
        let texts = ["", ".", "1.", ".5", "-1", "+1", "1e3", "$5", "1,000", "0.0000001", "9999999999999", "1.2.3"];
        for text in texts {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
        let reported = "1,000".parse::<Money>().unwrap_err().to_string();
        assert_eq!(reported, "`1,000` is not an amount in US dollars; examples: `250`, `99.50`");
    }

    #[test]
    fn half_a_cent_is_rounded_away_from_zero() {
        let texts = ["0.004999", "0.005", "0.014999", "0.015", "2.994999", "2.995", "0.999999"];
        assert_eq!(texts.map(|text| money(text).to_string()), ["0.00", "0.01", "0.01", "0.02", "2.99", "3.00", "1.00"]);
        let below = |text: &str| (Money::ZERO - money(text)).to_string();
        assert_eq!(["0.004999", "0.005", "1.235"].map(below), ["0.00", "-0.01", "-1.24"]);
    }

    #[test]
    fn a_month_of_hours_is_exact() {
        assert_eq!(money("0.08925").times(730).exact(), "65.1525");
        assert_eq!(money("0.0416").times(730).times(3).exact(), "91.104");
        assert_eq!((money("1.5") - money("2")).signed(), "-0.50");
        assert_eq!((money("2") - money("1.5")).signed(), "+0.50");
    }

    #[test]
    fn an_amount_beyond_all_amounts_stays_at_the_largest() {
        let most = money("9000000000000").times(1000);
        assert_eq!(most, most + money("1"));
        assert_eq!(most.times(u64::MAX), most);
    }

    proptest! {
        #[test]
        fn an_amount_is_the_same_after_it_is_written_and_read(millionths in any::<i64>()) {
            let amount = Money { millionths: millionths.max(i64::MIN + 1) };
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
        }

        #[test]
        fn rounding_moves_an_amount_by_half_a_cent_at_most(millionths in -1_000_000_000_i64..1_000_000_000) {
            let shown = Money { millionths }.to_string();
            let (sign, text) = shown.strip_prefix('-').map_or((1, shown.as_str()), |text| (-1, text));
            let rounded = sign * money(text).millionths;
            prop_assert!((rounded - millionths).abs() <= CENT / 2);
        }
    }
}
