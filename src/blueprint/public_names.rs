//! The hosted zone of the cluster's public names.

use super::{BlueprintProblem, Pins};
use crate::engine::TextInput;
use crate::resource::{Facts, HostedZone, Resource};
use crate::spec::{Cluster, PublicZone};

/// The name of the object of a public zone that belongs to the cluster.
pub(super) const PUBLIC: &str = "public";

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
    pub(super) fn zone(&self) -> Option<TextInput> {
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
