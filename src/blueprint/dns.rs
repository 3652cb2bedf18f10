//! Names: a private zone for the machines, and the API's name in a public one.

use super::outputs::{INTERNAL, api_load_balancer, vpc};
use super::public_names::{PUBLIC, PublicNames};
use super::{BlueprintProblem, BuildContext};
use crate::engine::{Object, TextInput};
use crate::resource::{API, DnsRecord, HostedZone, Resource, Tags, internal_domain};

/// Maximum number of tags on a Route 53 zone.
const MOST_TAGS: usize = 10;
pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let vpc = Some(vpc());
    let mut objects = vec![zone(site, INTERNAL, internal_domain(site.cluster.name.as_str()), vpc).object(INTERNAL)?];
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
        target: api_load_balancer("dns_name"),
        target_zone: api_load_balancer("zone_id"),
    }
}
