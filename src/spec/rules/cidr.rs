//! Address ranges: parsed, or explained if they are wrong.

use core::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::{ErrorReported, LoweringContext, Rule, Span, Spanned};

pub(super) static MALFORMED: Rule = Rule {
    code: "Q0301",
    severity: Error,
    title: "that is not an address range",
    explanation: "An address range is an IPv4 address and a prefix length from 0 to 32: \
        `172.20.0.0/16`. One address alone is `203.0.113.7/32`.",
    bad: "api {\n  allow = [\"203.0.113.7\"]\n}",
    good: "api {\n  allow = [\"203.0.113.7/32\"]\n}",
};

pub(super) static IPV6: Rule = Rule {
    code: "Q0302",
    severity: Error,
    title: "IPv6 is not supported yet",
    explanation: "Clusters are IPv4 so far.",
    bad: "api {\n  allow = [\"2001:db8::/32\"]\n}",
    good: "api {\n  allow = [\"203.0.113.0/24\"]\n}",
};

pub(super) static BOUNDARY: Rule = Rule {
    code: "Q0303",
    severity: Error,
    title: "an address range that does not start on its boundary",
    explanation: "A /16 starts at a multiple of 65,536 addresses, a /24 at a multiple of 256, and so \
        on. AWS would refuse the range or silently move it, so the file must contain the exact range.",
    bad: "network {\n  cidr = \"10.1.2.0/16\"\n}",
    good: "network {\n  cidr = \"10.1.0.0/16\"\n}",
};

/// Reads a range; `usual` is the prefix length to suggest.
pub(super) fn read(
    context: &mut LoweringContext,
    written: &Spanned<String>,
    usual: u8,
) -> Result<Ipv4Net, ErrorReported> {
    let text = written.value()?;
    match text.parse::<Ipv4Net>() {
        Ok(network) if network.addr() == network.network() => Ok(network),
        Ok(network) => Err(context.error(off_boundary(network, &written.span))),
        Err(_) => Err(context.error(malformed(text, &written.span, usual))),
    }
}

fn off_boundary(network: Ipv4Net, span: &Span) -> Diagnostic {
    let (prefix, start) = (network.prefix_len(), network.network());
    let problem = Diagnostic::new(&BOUNDARY, span.clone(), format!("{network} does not start on its boundary"))
        .label(format!("this /{prefix} starts at {start}"));
    let alone = format!("{}/32", network.addr());
    match network.addr().octets()[3] {
        0 => problem.help(format!("write \"{start}/{prefix}\"")),
        _ => problem.help(format!("write \"{start}/{prefix}\" for the range, or \"{alone}\" for the one address")),
    }
}

fn malformed(text: &str, span: &Span, usual: u8) -> Diagnostic {
    if text.parse::<Ipv6Net>().is_ok() || text.parse::<Ipv6Addr>().is_ok() {
        return Diagnostic::new(&IPV6, span.clone(), format!("{text} is IPv6, which is not supported yet"))
            .expected(["an IPv4 range, for example 203.0.113.0/24"]);
    }
    let problem = Diagnostic::new(&MALFORMED, span.clone(), format!("{text:?} is not an address range"));
    if text.parse::<Ipv4Addr>().is_ok() {
        return problem.label("the prefix length is missing").help(match usual {
            32 => format!("for this address alone, write \"{text}/32\""),
            _ => format!("for example \"{text}/{usual}\""),
        });
    }
    match text.split_once('/') {
        Some((address, prefix)) if address.parse::<Ipv4Addr>().is_ok() => {
            problem.label(format!("`/{prefix}` is not a prefix length: 0 to 32"))
        }
        _ => problem.expected(["an address and a prefix length, for example 172.20.0.0/16"]),
    }
}
