//! Hosted zones as Route 53 lists them: all of the account's, as it cannot filter by tag. Code that everything about DNS
//! shares is here too.

use std::sync::Arc;

use aws_sdk_route53::types::HostedZone as Route53Zone;

use super::AwsProvider;
use super::observe_cache::ObserveCache;
use super::zone_listing::{ListedZone, ListingUser};
use crate::engine::Failure;

/// The service's name, for failures and limits.
pub(super) const ROUTE53: &str = "route53";

/// Returns the zones whose names are related to the cluster's, read once for all kinds.
pub(super) async fn zones(cache: &ObserveCache<'_>) -> Result<Arc<Vec<ListedZone>>, Failure> {
    cache
        .once(|| async {
            let mut zones = all(cache.aws, ListingUser::Observation).await?;
            zones.retain(|zone| are_related(&zone.name, &cache.aws.scope.cluster));
            Ok(zones)
        })
        .await
}

/// Returns all zones of the account.
pub(super) async fn all(aws: &AwsProvider, user: ListingUser) -> Result<Vec<ListedZone>, Failure> {
    aws.zones
        .get_or_list(user, || async {
            let pages = || aws.route53.list_hosted_zones().into_paginator().items().send().try_collect();
            let listed: Vec<Route53Zone> = aws.read(ROUTE53, "ListHostedZones", pages).await?;
            Ok(listed.iter().map(translate).collect())
        })
        .await
}

fn translate(zone: &Route53Zone) -> ListedZone {
    let config = zone.config();
    ListedZone {
        id: bare_id(zone.id()).to_owned(),
        name: plain_name(zone.name()),
        private: config.is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone),
        comment: config.and_then(|config| config.comment()).unwrap_or_default().to_owned(),
    }
}

/// Returns an id in the form of ARNs, policies and requests.
pub(super) fn bare_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Returns `true` if one of two domains is equal to the other or below it.
fn are_related(one: &str, other: &str) -> bool {
    is_within(one, other) || is_within(other, one)
}

/// Returns `true` if a domain is equal to the other or below it.
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns a domain name in its usual form: lower case, no final dot, and `*` where Route 53 returns `\052`.
pub(super) fn plain_name(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let escaped = (first == '\\').then(|| after.get(..3).and_then(octal)).flatten();
        plain.push(escaped.unwrap_or(first).to_ascii_lowercase());
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    plain
}

/// Returns the printable ASCII character of three octal digits; other characters stay escaped.
fn octal(digits: &str) -> Option<char> {
    let code = u8::from_str_radix(digits, 8).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    Some(char::from(code)).filter(char::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_people_write_them() {
        assert_eq!(plain_name("Chat.Poeticoding.COM."), "chat.poeticoding.com");
        assert_eq!(plain_name("\\052.example.com."), "*.example.com");
        assert_eq!(plain_name("example.com"), "example.com");
    }

    #[test]
    fn odd_escapes_stay_as_they_are() {
        for odd in ["\\", "\\05", "a\\999b", "\\000.example.com", "\\ü12", "\\+52"] {
            assert_eq!(plain_name(odd), odd);
        }
        assert_eq!(plain_name("\\344.example.com."), "\\344.example.com", "not ASCII");
    }

    #[test]
    fn a_domain_is_within_another_at_a_dot_only() {
        assert!(is_within("api.example.com", "example.com"));
        assert!(is_within("example.com", "example.com"));
        assert!(!is_within("notexample.com", "example.com"));
        assert!(!is_within("example.com", "api.example.com"));
    }

    #[test]
    fn ids_are_bare() {
        assert_eq!(bare_id("/hostedzone/Z1"), "Z1");
        assert_eq!(bare_id("Z1"), "Z1");
    }
}
