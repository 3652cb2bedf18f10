//! Functions on texts and addresses.

#![allow(clippy::needless_pass_by_value, reason = "the table of functions has one type for all")]

use core::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;

use super::super::pattern::RegexPattern;
use super::super::unicode;
use super::super::value::{HclNode, HclType, HclValue};
use super::{FunctionResult, MAX_TEXT, items, list, number, string, text, too_long, whole};

/// Encodes the text's bytes in base 64.
pub(super) fn base64encode(a: Vec<HclNode>) -> FunctionResult {
    string(&BASE64_STANDARD.encode(text(&a[0])?))
}

/// Joins the items of all lists with a separator.
pub(super) fn join(a: Vec<HclNode>) -> FunctionResult {
    let mut arguments = a.into_iter();
    let separator = arguments.next().map(|node| text(&node)).transpose()?.unwrap_or_default();
    let mut parts = Vec::new();
    for list in arguments {
        for item in items(list)? {
            parts.push(text(&item)?);
        }
    }
    string(&parts.join(&separator))
}

/// Splits a text at separators; without one, into characters.
pub(super) fn split(a: Vec<HclNode>) -> FunctionResult {
    let (separator, whole) = (text(&a[0])?, text(&a[1])?);
    let parts: Vec<HclValue> = if separator.is_empty() {
        whole.chars().map(|character| HclValue::text(&character.to_string())).collect()
    } else {
        whole.split(&separator).map(HclValue::text).collect()
    };
    list(parts, HclType::String)
}

/// Replaces a part of the text; `/…/` is a regular expression.
pub(super) fn replace(a: Vec<HclNode>) -> FunctionResult {
    let (whole, from, to) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
    if let Some(pattern) = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        return string(&RegexPattern::new(pattern)?.replace_all(&whole, &to, MAX_TEXT).ok_or_else(too_long)?);
    }
    let grown = whole.matches(&from).count().saturating_mul(to.len());
    if grown > MAX_TEXT {
        return Err(too_long());
    }
    string(&whole.replace(&from, &to))
}

/// Converts the text to lower case.
pub(super) fn lower(a: Vec<HclNode>) -> FunctionResult {
    string(&unicode::lower(&text(&a[0])?)?)
}

/// Converts the text to upper case.
pub(super) fn upper(a: Vec<HclNode>) -> FunctionResult {
    string(&unicode::upper(&text(&a[0])?)?)
}

/// Removes white space around the text.
pub(super) fn trimspace(a: Vec<HclNode>) -> FunctionResult {
    string(text(&a[0])?.trim())
}

/// Converts a text to a number.
pub(super) fn tonumber(a: Vec<HclNode>) -> FunctionResult {
    match &a[0].value {
        HclValue::Null => Ok(HclValue::Null),
        _ => number(&a[0]).map(HclValue::Number),
    }
}

/// Converts a number or a boolean to text.
pub(super) fn tostring(a: Vec<HclNode>) -> FunctionResult {
    match &a[0].value {
        HclValue::Null => Ok(HclValue::Null),
        _ => string(&text(&a[0])?),
    }
}

/// `cidrsubnet("172.20.0.0/16", 3, 1)` is `172.20.32.0/19`.
pub(super) fn cidrsubnet(a: Vec<HclNode>) -> FunctionResult {
    let written = text(&a[0])?;
    let (bits, index) = (whole(&a[1])?, whole(&a[2])?);
    let network: IpNet =
        written.parse().map_err(|_| format!("{written:?} is not a CIDR, for example 172.20.0.0/16"))?;
    let prefix = i128::from(network.prefix_len()).saturating_add(bits);
    let prefix = u8::try_from(prefix)
        .ok()
        .filter(|prefix| *prefix <= network.max_prefix_len() && bits >= 0)
        .ok_or_else(|| format!("{bits} more bits do not fit behind /{}", network.prefix_len()))?;
    let bits = prefix - network.prefix_len();
    let index = u128::try_from(index)
        .ok()
        .filter(|index| bits == 128 || *index < 1_u128 << bits)
        .ok_or_else(|| format!("{bits} bits have no subnet number {index}"))?;
    let offset = index.checked_shl(u32::from(network.max_prefix_len() - prefix)).unwrap_or(0);
    match network {
        IpNet::V4(network) => {
            let first = u128::from(u32::from(network.network())) | offset;
            let address = u32::try_from(first).map(Ipv4Addr::from).map_err(|error| error.to_string())?;
            string(&format!("{address}/{prefix}"))
        }
        IpNet::V6(network) => {
            let address = Ipv6Addr::from(u128::from(network.network()) | offset);
            if address.to_ipv4_mapped().is_some() {
                return Err(format!("{written:?} holds IPv4 addresses: write them as IPv4"));
            }
            string(&format!("{address}/{prefix}"))
        }
    }
}
