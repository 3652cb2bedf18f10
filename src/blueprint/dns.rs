//! Names: a private zone for the machines, and the API's name in a public one.

use super::{BlueprintProblem, BuildContext, Pins, api};
use crate::engine::{Object, TextInput};
use crate::resource::{self, API, DnsRecord, Facts, HostedZone, Resource, Tags};
use crate::spec::{Cluster, PublicZone};

/// The name of the private zone's object.
const INTERNAL: &str = "internal";
/// Maximum number of tags on a Route 53 zone.
const MOST_TAGS: usize = 10;
/// The name of the public zone's object.
const PUBLIC: &str = "public";

/// The zone of the cluster's public names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicNames {
    /// In a zone that existed before the cluster.
    Found {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// In a zone of this name that belongs to the cluster.
    Made(String),
    /// The account has no zone for them.
    NotFound,
    /// The user wants no public names.
    Unwanted,
}

impl PublicNames {
    /// Returns the id of the zone that existed before the cluster.
    pub(super) fn found(&self) -> Option<&str> {
        match self {
            Self::Found { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Returns the id of the zone for the name of a service, once the zone exists.
    pub(super) fn zone_for(&self, service: &str, domain: &str) -> Result<TextInput, BlueprintProblem> {
        let (service, domain) = (service.to_owned(), domain.to_owned());
        match (self, self.zone()) {
            (Self::Found { name, .. } | Self::Made(name), Some(_)) if !is_within(&domain, name) => {
                Err(BlueprintProblem::DomainOutside { service, domain, zone: name.clone() })
            }
            (_, Some(zone)) => Ok(zone),
            (_, None) => Err(BlueprintProblem::DomainWithoutZone { service, domain }),
        }
    }

    /// Returns the zone's id, once it exists.
    fn zone(&self) -> Option<TextInput> {
        match self {
            Self::Found { id, .. } => Some(id.as_str().into()),
            Self::Made(_) => Some(TextInput::output(HostedZone::address(PUBLIC), "id")),
            Self::NotFound | Self::Unwanted => None,
        }
    }
}

/// Chooses the public zone.
pub(super) fn public_names(cluster: &Cluster, facts: &Facts, pins: &Pins) -> Result<PublicNames, BlueprintProblem> {
    let name = &cluster.name;
    let fits = |zone: &str| is_within(name.as_str(), zone);
    match &cluster.dns.zone {
        PublicZone::None => Ok(PublicNames::Unwanted),
        PublicZone::Create(zone) | PublicZone::Existing(zone) if !fits(zone) => {
            Err(BlueprintProblem::PublicZoneOutside { zone: zone.clone(), name: name.clone() })
        }
        PublicZone::Create(zone) => Ok(PublicNames::Made(zone.clone())),
        PublicZone::Existing(zone) => match facts.public_zones.get(zone) {
            Some(ids) => only(zone, ids, pins),
            None => Err(BlueprintProblem::PublicZoneMissing {
                zone: zone.clone(),
                found: facts.public_zones.keys().cloned().collect(),
            }),
        },
        PublicZone::Discover => {
            let zones = || facts.public_zones.iter().filter(|(zone, ids)| fits(zone) && !ids.is_empty());
            // The zone of the last apply stays, even when a better one turns up: names do not move by themselves.
            let pin = pins.public_zone.as_ref();
            let pinned = pin.and_then(|pin| Some((pin, zones().find(|(_, ids)| ids.contains(pin))?.0)));
            match (pinned, zones().max_by_key(|(zone, _)| zone.len())) {
                (Some((id, name)), _) => Ok(PublicNames::Found { id: id.clone(), name: name.clone() }),
                (None, Some((zone, ids))) => only(zone, ids, pins),
                (None, None) => Ok(PublicNames::NotFound),
            }
        }
    }
}

/// Returns the only zone of a name, or the one of the last apply.
fn only(zone: &str, ids: &[String], pins: &Pins) -> Result<PublicNames, BlueprintProblem> {
    let pinned = pins.public_zone.as_ref().filter(|pin| ids.contains(pin));
    match (pinned, ids) {
        (Some(id), _) | (None, [id]) => Ok(PublicNames::Found { id: id.clone(), name: zone.to_owned() }),
        (None, []) => Err(BlueprintProblem::PublicZoneMissing { zone: zone.to_owned(), found: Vec::new() }),
        (None, _) => Err(BlueprintProblem::PublicZoneAmbiguous { zone: zone.to_owned(), ids: ids.to_vec() }),
    }
}

/// Returns `true` if `name` is `zone` or below it.
fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns the domain of the private zone.
pub(super) fn internal_domain(site: &BuildContext<'_>) -> String {
    resource::internal_domain(site.cluster.name.as_str())
}

/// Returns the id of the private zone.
pub(super) fn internal_zone() -> TextInput {
    TextInput::output(HostedZone::address(INTERNAL), "id")
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let vpc = Some(super::network::vpc());
    let mut objects = vec![zone(site, INTERNAL, internal_domain(site), vpc).object(INTERNAL)?];
    if let PublicNames::Made(name) = &site.public {
        objects.push(zone(site, PUBLIC, name.clone(), None).object(PUBLIC)?);
    }
    if let Some(zone) = site.public.zone() {
        objects.push(api_record(site, zone).object(API)?);
    }
    Ok(objects)
}

fn zone(site: &BuildContext<'_>, object: &str, name: String, vpc: Option<TextInput>) -> HostedZone {
    let tags = few(site, site.tags_with_location(&HostedZone::address(object), &name));
    let comment = match &vpc {
        Some(_) => format!("Machines of the cluster {}", site.cluster.name),
        None => format!("Public names of the cluster {}", site.cluster.name),
    };
    HostedZone { name, vpc, comment, tags }
}

/// Limits the tags of a zone to Route 53's ten: all of ours, and the first of the user's.
fn few(site: &BuildContext<'_>, tags: Tags) -> Tags {
    let (users, ours): (Tags, Tags) =
        tags.into_iter().partition(|(key, value)| site.cluster.tags.get(key) == Some(value));
    let room = MOST_TAGS.saturating_sub(ours.len());
    ours.into_iter().chain(users.into_iter().take(room)).collect()
}

fn api_record(site: &BuildContext<'_>, zone: TextInput) -> DnsRecord {
    DnsRecord {
        zone,
        name: site.below(API),
        record_type: "A".to_owned(),
        target: api::load_balancer("dns_name"),
        target_zone: api::load_balancer("zone_id"),
    }
}
