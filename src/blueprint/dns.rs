//! Names: a private zone for the machines, and the API's name in a public one.

use super::{Pins, Problem, Site, api};
use crate::engine::{Input, Object};
use crate::resource::{self, API, Facts, HostedZone, Record, Resource, Tags};
use crate::spec::{Cluster, PublicZone};

/// The name of the private zone's object.
const INTERNAL: &str = "internal";
/// How many tags Route 53 takes on a zone.
const MOST_TAGS: usize = 10;
/// The name of the public zone's object.
const PUBLIC: &str = "public";

/// Where the cluster's public names are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicNames {
    /// In a zone that was there before.
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
    /// The user wants none.
    Unwanted,
}

impl PublicNames {
    /// The id of the zone that was there before.
    pub(super) fn found(&self) -> Option<&str> {
        match self {
            Self::Found { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The id of the zone that holds the name of a service, once it is there.
    pub(super) fn zone_for(&self, service: &str, domain: &str) -> Result<Input, Problem> {
        let (service, domain) = (service.to_owned(), domain.to_owned());
        match (self, self.zone()) {
            (Self::Found { name, .. } | Self::Made(name), Some(_)) if !is_within(&domain, name) => {
                Err(Problem::DomainOutside { service, domain, zone: name.clone() })
            }
            (_, Some(zone)) => Ok(zone),
            (_, None) => Err(Problem::DomainWithoutZone { service, domain }),
        }
    }

    /// The zone's id, once it is there.
    fn zone(&self) -> Option<Input> {
        match self {
            Self::Found { id, .. } => Some(id.as_str().into()),
            Self::Made(_) => Some(Input::output(HostedZone::address(PUBLIC), "id")),
            Self::NotFound | Self::Unwanted => None,
        }
    }
}

/// Chooses the public zone.
pub(super) fn public_names(cluster: &Cluster, facts: &Facts, pins: &Pins) -> Result<PublicNames, Problem> {
    let name = &cluster.name;
    let fits = |zone: &str| is_within(name.as_str(), zone);
    match &cluster.dns.zone {
        PublicZone::None => Ok(PublicNames::Unwanted),
        PublicZone::Create(zone) | PublicZone::Existing(zone) if !fits(zone) => {
            Err(Problem::PublicZoneOutside { zone: zone.clone(), name: name.clone() })
        }
        PublicZone::Create(zone) => Ok(PublicNames::Made(zone.clone())),
        PublicZone::Existing(zone) => match facts.public_zones.get(zone) {
            Some(ids) => only(zone, ids, pins),
            None => Err(Problem::PublicZoneMissing {
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

/// The only zone of a name, or the one of the last apply.
fn only(zone: &str, ids: &[String], pins: &Pins) -> Result<PublicNames, Problem> {
    let pinned = pins.public_zone.as_ref().filter(|pin| ids.contains(pin));
    match (pinned, ids) {
        (Some(id), _) | (None, [id]) => Ok(PublicNames::Found { id: id.clone(), name: zone.to_owned() }),
        (None, []) => Err(Problem::PublicZoneMissing { zone: zone.to_owned(), found: Vec::new() }),
        (None, _) => Err(Problem::PublicZoneAmbiguous { zone: zone.to_owned(), ids: ids.to_vec() }),
    }
}

/// Whether `name` is `zone` or below it.
fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The domain of the private zone.
pub(super) fn internal_domain(site: &Site<'_>) -> String {
    resource::internal_domain(site.cluster.name.as_str())
}

/// The id of the private zone.
pub(super) fn internal_zone() -> Input {
    Input::output(HostedZone::address(INTERNAL), "id")
}

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
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

fn zone(site: &Site<'_>, object: &str, name: String, vpc: Option<Input>) -> HostedZone {
    let tags = few(site, site.tags_with_location(&HostedZone::address(object), &name));
    let comment = match &vpc {
        Some(_) => format!("Machines of the cluster {}", site.cluster.name),
        None => format!("Public names of the cluster {}", site.cluster.name),
    };
    HostedZone { name, vpc, comment, tags }
}

/// Route 53 takes ten tags on a zone: all of ours, and the first of the user's.
fn few(site: &Site<'_>, tags: Tags) -> Tags {
    let (users, ours): (Tags, Tags) =
        tags.into_iter().partition(|(key, value)| site.cluster.tags.get(key) == Some(value));
    let room = MOST_TAGS.saturating_sub(ours.len());
    ours.into_iter().chain(users.into_iter().take(room)).collect()
}

fn api_record(site: &Site<'_>, zone: Input) -> Record {
    Record {
        zone,
        name: site.below(API),
        record_type: "A".to_owned(),
        target: api::load_balancer("dns_name"),
        target_zone: api::load_balancer("zone_id"),
    }
}
