//! Functions on texts and addresses.

#![allow(clippy::needless_pass_by_value, reason = "the table of functions has one type for all")]

use core::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;

use super::super::pattern::Pattern;
use super::super::unicode;
use super::super::value::{Node, Type, Value};
use super::{MAX_TEXT, Result, items, list, number, string, text, too_long, whole};

/// The text's bytes in base 64.
pub(super) fn base64encode(a: Vec<Node>) -> Result {
    string(&BASE64_STANDARD.encode(text(&a[0])?))
}

/// The items of all lists with a separator between them.
pub(super) fn join(a: Vec<Node>) -> Result {
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

/// The parts of a text between separators; without one, its characters.
pub(super) fn split(a: Vec<Node>) -> Result {
    let (separator, whole) = (text(&a[0])?, text(&a[1])?);
    let parts: Vec<Value> = if separator.is_empty() {
        whole.chars().map(|character| Value::text(&character.to_string())).collect()
    } else {
        whole.split(&separator).map(Value::text).collect()
    };
    list(parts, Type::String)
}

/// The text with a part of it replaced; `/…/` is a regular expression.
pub(super) fn replace(a: Vec<Node>) -> Result {
    let (whole, from, to) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
    if let Some(pattern) = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        return string(&Pattern::new(pattern)?.replace_all(&whole, &to, MAX_TEXT).ok_or_else(too_long)?);
    }
    let grown = whole.matches(&from).count().saturating_mul(to.len());
    if grown > MAX_TEXT {
        return Err(too_long());
    }
    string(&whole.replace(&from, &to))
}

/// The text in small letters.
pub(super) fn lower(a: Vec<Node>) -> Result {
    string(&unicode::lower(&text(&a[0])?)?)
}

/// The text in capitals.
pub(super) fn upper(a: Vec<Node>) -> Result {
    string(&unicode::upper(&text(&a[0])?)?)
}

/// The text without white space around it.
pub(super) fn trimspace(a: Vec<Node>) -> Result {
    string(text(&a[0])?.trim())
}

/// The number that a text writes.
pub(super) fn tonumber(a: Vec<Node>) -> Result {
    match &a[0].value {
        Value::Null => Ok(Value::Null),
        _ => number(&a[0]).map(Value::Number),
    }
}

/// A number, or true or false, as text.
pub(super) fn tostring(a: Vec<Node>) -> Result {
    match &a[0].value {
        Value::Null => Ok(Value::Null),
        _ => string(&text(&a[0])?),
    }
}

/// `cidrsubnet("172.20.0.0/16", 3, 1)` is `172.20.32.0/19`.
pub(super) fn cidrsubnet(a: Vec<Node>) -> Result {
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
