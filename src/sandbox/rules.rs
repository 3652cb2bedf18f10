//! Values that AWS refuses.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use sha2::{Digest, Sha256};

use super::account::{SimulatedAccount, SimulatedObject, kind};
use super::account_index::IndexKey;
use super::kinds::simulated;
use super::names::ApiCall;
use super::simulated_kind::KindScope;
use crate::engine::{Attributes, ChangeEffect, Failure, FailureClass, Object, Value};
use crate::resource::{
    Bucket, BucketObject, Certificate, InternetGateway, LaunchTemplate, NatGateway, Resource, Subnet, TargetGroup, Vpc,
    is_kubernetes,
};

/// Protocols of listeners of network load balancers, and the protocols of target groups that accept them.
const HEARD: &[(&str, &[&str])] =
    &[("TCP", &["TCP", "TCP_UDP"]), ("TLS", &["TCP", "TLS"]), ("UDP", &["UDP", "TCP_UDP"]), ("TCP_UDP", &["TCP_UDP"])];

/// Refuses values that wait for other objects, which a real API would treat as text.
pub(super) fn check_known(call: &ApiCall, object: &Object) -> Result<(), Failure> {
    match object.attributes.iter().find(|(_, value)| !value.is_known()) {
        Some((name, _)) => {
            let message = format!("`{name}` of {} is not known yet", object.address);
            Err(call.failure(FailureClass::Invalid, "UnresolvedValue", message))
        }
        None => Ok(()),
    }
}

/// Refuses an object of the bucket without content, or with content that does not match its hash.
pub(super) fn check_payload(call: &ApiCall, object: &Object) -> Result<(), Failure> {
    if object.address.kind() != BucketObject::KIND.name {
        return Ok(());
    }
    let refuse = |code, message: &str| Err(call.failure(FailureClass::Invalid, code, message));
    let Some(payload) = &object.payload else { return refuse("MissingContent", "there is nothing to upload") };
    let declared = object.attributes.get("sha256").and_then(|hash| hash.as_text());
    if declared == Some(hex::encode(Sha256::digest(&payload.0)).as_str()) {
        Ok(())
    } else {
        refuse("BadDigest", "the content does not match its hash")
    }
}

/// Refuses to change attributes that can only be set on creation.
pub(super) fn check_changeable<'a>(
    call: &ApiCall,
    kind_name: &str,
    mut changed: impl Iterator<Item = &'a String>,
) -> Result<(), Failure> {
    let Some(kind) = kind(kind_name) else { return Ok(()) };
    let stuck =
        changed.find(|name| matches!(kind.attribute(name).effect, ChangeEffect::Replace | ChangeEffect::Fixed(_)));
    match stuck {
        Some(name) => {
            let message = format!("`{name}` of a {} cannot be changed", kind.title);
            Err(call.failure(FailureClass::Invalid, "UnsupportedOperation", message))
        }
        None => Ok(()),
    }
}

impl SimulatedAccount {
    /// Refuses a name that another object has; in Kubernetes, another object of the same cluster. `except` is the object
    /// itself, when it is changed.
    pub(super) fn check_unique(
        &self,
        call: &ApiCall,
        kind: &str,
        attributes: &Attributes,
        except: Option<&str>,
        cluster: &str,
    ) -> Result<(), Failure> {
        let row = simulated(kind);
        let parts = row.unique;
        let Some(key) = IndexKey::unique(kind, parts, attributes).filter(|_| !parts.is_empty()) else { return Ok(()) };
        let reaches = |stored: &SimulatedObject| {
            !is_kubernetes(kind) || stored.mark.as_ref().is_none_or(|mark| mark.cluster == cluster)
        };
        let same = |stored: &SimulatedObject| {
            reaches(stored) && parts.iter().all(|part| stored.attributes.get(*part) == attributes.get(*part))
        };
        let mut candidates = self.candidates(key).filter(|(found, ..)| *found == kind);
        match candidates.find(|(_, id, stored)| except != Some(*id) && same(stored)) {
            Some((_, id, stored)) => {
                let message = format!("it exists already: {}", stored.title(id));
                let ours = stored.mark.is_some() && kind == Bucket::KIND.name;
                let code = if ours { "BucketAlreadyOwnedByYou" } else { row.codes.exists };
                Err(call.failure(row.taken, code, message))
            }
            None => Ok(()),
        }
    }
}

/// Refuses a NAT gateway in a VPC without an internet gateway, an address that another gateway has, and a gateway of one zone
/// without a subnet or an address.
pub(super) fn way_out(account: &SimulatedAccount, call: &ApiCall, attributes: &Attributes) -> Result<(), Failure> {
    let vpc = text(attributes, "vpc");
    let refuse = |code, message: &str| Err(call.failure(FailureClass::Invalid, code, message));
    if !account.of(InternetGateway::KIND.name).any(|(_, gateway)| gateway.text("vpc") == Some(vpc)) {
        return refuse("Gateway.NotAttached", "the VPC has no internet gateway");
    }
    let (subnet, address) = (text(attributes, "subnet"), text(attributes, "address"));
    let is_regional = text(attributes, "mode") == NatGateway::REGIONAL;
    if is_regional != subnet.is_empty() || is_regional != address.is_empty() {
        return refuse(
            "InvalidParameterCombination",
            "a zonal NAT gateway has a subnet and an address, a regional one none",
        );
    }
    let mut others = account.of(NatGateway::KIND.name);
    if others.any(|(_, other)| !is_regional && other.text("address") == Some(address)) {
        let message = "another NAT gateway has the address";
        return Err(call.failure(FailureClass::AlreadyExists, "Resource.AlreadyAssociated", message));
    }
    Ok(())
}

/// Refuses the address range of a VPC that AWS refuses.
pub(super) fn vpc_range(_account: &SimulatedAccount, call: &ApiCall, attributes: &Attributes) -> Result<(), Failure> {
    range(call, attributes, "InvalidVpc.Range").map(drop)
}

/// Refuses the address range of a subnet that AWS refuses.
pub(super) fn subnet_range(account: &SimulatedAccount, call: &ApiCall, attributes: &Attributes) -> Result<(), Failure> {
    const CODE: &str = "InvalidSubnet.Range";
    let range = range(call, attributes, CODE)?;
    let vpc = text(attributes, "vpc");
    let whole = account.get(Vpc::KIND.name, vpc).and_then(|vpc| vpc.text("cidr")?.parse::<Ipv4Net>().ok());
    if whole.is_some_and(|whole| !whole.contains(&range)) {
        return Err(call.failure(FailureClass::Invalid, CODE, format!("{range} is not within the VPC's range")));
    }
    let overlaps = |other: Ipv4Net| other.contains(&range) || range.contains(&other);
    let other = account
        .of(Subnet::KIND.name)
        .filter(|(_, other)| other.text("vpc") == Some(vpc))
        .find(|(_, other)| other.text("cidr").and_then(|cidr| cidr.parse().ok()).is_some_and(overlaps));
    match other {
        Some((id, other)) => {
            let message = format!("{range} overlaps with {}", other.title(id));
            // A subnet has no unique name: a request that is sent twice gets this answer.
            Err(call.failure(FailureClass::AlreadyExists, "InvalidSubnet.Conflict", message))
        }
        None => Ok(()),
    }
}

/// The range in `cidr`. `code` refuses one of another size than AWS takes.
fn range(call: &ApiCall, attributes: &Attributes, code: &str) -> Result<Ipv4Net, Failure> {
    let cidr = text(attributes, "cidr");
    let Some(range) = cidr.parse::<Ipv4Net>().ok().filter(|range| range.trunc() == *range) else {
        let message = format!("`{cidr}` is not an address range");
        return Err(call.failure(FailureClass::Invalid, "InvalidParameterValue", message));
    };
    if (16..=28).contains(&range.prefix_len()) {
        Ok(range)
    } else {
        Err(call.failure(FailureClass::Invalid, code, format!("{range} is not between /16 and /28")))
    }
}

/// Refuses an Auto Scaling group of an impossible size, or of a template version that does not exist.
pub(super) fn group_size(account: &SimulatedAccount, call: &ApiCall, attributes: &Attributes) -> Result<(), Failure> {
    let refuse = |message: String| Err(call.failure(FailureClass::Invalid, "ValidationError", message));
    let number = |name: &str| match attributes.get(name) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let (min, max) = (number("min").unwrap_or(0), number("max").unwrap_or(0));
    if min < 0 || max < min {
        return refuse(format!("a group of at least {min} and at most {max} machines is impossible"));
    }
    if number("desired").is_some_and(|desired| desired < 0) {
        return refuse("the desired number of machines is negative".to_owned());
    }
    let template = account.by_output(LaunchTemplate::KIND.name, "id", text(attributes, "launch_template"));
    let newest = template.and_then(|(_, template)| template.outputs.get("version")?.parse::<u64>().ok());
    let version = text(attributes, "version");
    match version.parse::<u64>() {
        Ok(version) if newest.is_some_and(|newest| (1..=newest).contains(&version)) => Ok(()),
        _ => refuse(format!("the launch template has no version `{version}`")),
    }
}

/// Refuses a listener whose target group does not accept its protocol.
pub(super) fn listener_protocol(
    account: &SimulatedAccount,
    call: &ApiCall,
    attributes: &Attributes,
) -> Result<(), Failure> {
    let group = account.by_output(TargetGroup::KIND.name, "arn", text(attributes, "target_group"));
    let takes = group.and_then(|(_, group)| group.text("protocol")).unwrap_or_default();
    let protocol = text(attributes, "protocol");
    let fitting = HEARD.iter().find(|(heard, _)| *heard == protocol).map_or(&[][..], |(_, takes)| takes);
    if fitting.contains(&takes) {
        return Ok(());
    }
    let message = format!("a listener of {protocol} cannot forward to a target group of {takes}");
    Err(call.failure(FailureClass::Invalid, "IncompatibleProtocols", message))
}

/// Refuses an application load balancer that is not in two zones.
pub(super) fn balancer_zones(
    account: &SimulatedAccount,
    call: &ApiCall,
    attributes: &Attributes,
) -> Result<(), Failure> {
    let zone = |subnet: &Value| account.by_output(Subnet::KIND.name, "id", subnet.as_text()?)?.1.text("zone");
    let zones: BTreeSet<&str> = match attributes.get("subnets") {
        Some(Value::List(subnets)) => subnets.iter().filter_map(zone).collect(),
        _ => BTreeSet::new(),
    };
    if zones.len() >= 2 {
        return Ok(());
    }
    let message = "at least two subnets in two different zones must be specified";
    Err(call.failure(FailureClass::Invalid, "ValidationError", message))
}

/// Refuses a listener of HTTPS without a certificate, and a certificate that is not issued.
pub(super) fn listener_certificates(
    account: &SimulatedAccount,
    call: &ApiCall,
    attributes: &Attributes,
) -> Result<(), Failure> {
    let refuse = |code, message: String| Err(call.failure(FailureClass::MaybeNotYetConsistent, code, message));
    let certificate = text(attributes, "certificate");
    if text(attributes, "protocol") == "HTTPS" && certificate.is_empty() {
        return refuse("CertificateNotFound", "a listener of HTTPS needs a certificate".to_owned());
    }
    let more = match attributes.get("more_certificates") {
        Some(Value::List(more)) => more.as_slice(),
        _ => &[],
    };
    let all = more.iter().filter_map(Value::as_text).chain([certificate]);
    let pending = all
        .filter_map(|arn| account.by_output(Certificate::KIND.name, "arn", arn))
        .find(|(_, certificate)| certificate.ready > account.state.clock);
    match pending {
        Some((id, certificate)) => refuse("UnsupportedCertificate", format!("{} is not issued", certificate.title(id))),
        None => Ok(()),
    }
}

/// Refuses a rule that forwards to a target group of another protocol than HTTP.
pub(super) fn rule_target(account: &SimulatedAccount, call: &ApiCall, attributes: &Attributes) -> Result<(), Failure> {
    let group = account.by_output(TargetGroup::KIND.name, "arn", text(attributes, "target_group"));
    let takes = group.and_then(|(_, group)| group.text("protocol")).unwrap_or_default();
    if takes == TargetGroup::HTTP {
        return Ok(());
    }
    let message = format!("a rule of an application load balancer cannot forward to a target group of {takes}");
    Err(call.failure(FailureClass::Invalid, "IncompatibleProtocols", message))
}

/// The text of an attribute; empty without one.
fn text<'a>(attributes: &'a Attributes, name: &str) -> &'a str {
    attributes.get(name).and_then(Value::as_text).unwrap_or_default()
}

/// Refuses zones that the region does not have.
pub(super) fn check_zone(call: &ApiCall, kind: &str, attributes: &Attributes, zones: &[String]) -> Result<(), Failure> {
    let zone = text(attributes, "zone");
    if simulated(kind).scope == KindScope::Zone && !zones.iter().any(|known| known == zone) {
        let message = format!("the zone `{zone}` does not exist here; there are {}", zones.join(", "));
        return Err(call.failure(FailureClass::Invalid, "InvalidParameterValue", message));
    }
    Ok(())
}
