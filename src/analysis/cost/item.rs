//! The cost of an object: one item for each price that it is billed by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::HOURS;
use super::owner::CostOwner;
use super::prices::RegionPrices;
use crate::analysis::Money;
use crate::analysis::state::{ClusterState, StateObject};
use crate::engine::Address;
use crate::resource::{
    ApplicationLoadBalancer, AutoScalingGroup, EbsVolume, ElasticIp, HostedZone, LaunchTemplate, LoadBalancer,
    MANIFEST, NatGateway, PurchaseOption, Subnet, VOLUME_CLAIM, quantity_bytes,
};

/// The end of the name of Spot Instances of a size.
const SPOT: &str = " Spot";

/// The volume type with a price.
const GP3: &str = "gp3";
/// The attribute with the size of a claim.
const STORAGE: &str = "spec.resources.requests.storage";
/// The storage class that every cluster has, whose volumes are gp3.
const CLASS: &str = "gp3";

/// A number of equal things that an object is billed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostItem {
    /// The part of the cluster that it belongs to.
    pub owner: CostOwner,
    /// The object.
    pub address: Address,
    /// The thing that is billed, for example `t3.medium`.
    pub resource: String,
    /// The number of them: instances, gigabytes, addresses.
    pub quantity: u64,
    /// The number of them if an autoscaler starts as many machines as it may.
    pub quantity_at_most: u64,
    /// The unit that the price is for.
    pub unit: PriceUnit,
    /// The price of one; `None` if it is unknown.
    pub price: Option<Money>,
    /// The cost of all of them per month; `None` if it is unknown.
    pub monthly: Option<Money>,
}

/// The unit that a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceUnit {
    /// An hour.
    Hour,
    /// A gigabyte (2^30 bytes) for a month.
    GbMonth,
    /// A month.
    Month,
}

impl PriceUnit {
    /// Returns the unit as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::GbMonth => "GB-month",
            Self::Month => "month",
        }
    }

    /// Returns the number of these units in a month.
    fn in_a_month(self) -> u64 {
        match self {
            Self::Hour => HOURS,
            Self::GbMonth | Self::Month => 1,
        }
    }
}

impl CostItem {
    /// Returns `true` for Spot Instances, whose price is an upper bound.
    pub fn is_spot(&self) -> bool {
        self.resource.ends_with(SPOT)
    }

    /// Returns the cost per month of a number of them; `None` if the price is unknown.
    pub fn monthly_for(&self, quantity: u64) -> Option<Money> {
        Some(self.price?.times(quantity).times(self.unit.in_a_month()))
    }
}

/// Something that is billed, before it belongs to an object.
struct BilledResource {
    name: String,
    unit: PriceUnit,
    price: Option<Money>,
    quantity: u64,
    at_most: u64,
}

impl BilledResource {
    fn new(name: impl Into<String>, unit: PriceUnit, price: Option<Money>, quantity: u64) -> Self {
        Self { name: name.into(), unit, price, quantity, at_most: quantity }
    }

    /// Something that is billed, at a price that is unknown.
    fn unknown(name: String) -> Self {
        Self::new(name, PriceUnit::Month, None, 1)
    }

    fn at_most(self, at_most: u64) -> Self {
        Self { at_most: at_most.max(self.quantity), ..self }
    }
}

/// Returns the items of all objects.
pub(super) fn items(state: &ClusterState<'_>, prices: &RegionPrices) -> Vec<CostItem> {
    state.objects().flat_map(|object| items_of(object, state, prices)).collect()
}

fn items_of(object: &StateObject<'_>, state: &ClusterState<'_>, prices: &RegionPrices) -> Vec<CostItem> {
    let billed = billed(object, state, prices).into_iter().filter(|billed| billed.at_most > 0);
    let item = |billed: BilledResource| {
        let item = CostItem {
            owner: CostOwner::of(object, state),
            address: object.address.clone(),
            resource: billed.name,
            quantity: billed.quantity,
            quantity_at_most: billed.at_most,
            unit: billed.unit,
            price: billed.price,
            monthly: None,
        };
        CostItem { monthly: item.monthly_for(item.quantity), ..item }
    };
    billed.map(item).collect()
}

fn billed(object: &StateObject<'_>, state: &ClusterState<'_>, prices: &RegionPrices) -> Vec<BilledResource> {
    if object.is::<AutoScalingGroup>() {
        return machines(object, state, prices);
    }
    if object.is::<EbsVolume>() {
        return vec![volume("etcd volume", object.text("volume_type"), object.number("gib"), prices)];
    }
    if object.is::<LoadBalancer>() {
        return balancer(object, "network load balancer", prices.load_balancer_hour, prices);
    }
    if object.is::<ApplicationLoadBalancer>() {
        return balancer(object, "application load balancer", prices.application_load_balancer_hour, prices);
    }
    if object.is::<NatGateway>() {
        return nat_gateway(object, state, prices);
    }
    if object.is::<ElasticIp>() {
        return vec![address(1, prices)];
    }
    if object.is::<HostedZone>() {
        return vec![BilledResource::new("hosted zone", PriceUnit::Month, prices.hosted_zone_month, 1)];
    }
    match object.address.kind() {
        VOLUME_CLAIM => vec![claim(object, prices)],
        MANIFEST => of_addon(object, prices),
        _ => Vec::new(),
    }
}

/// Returns the machines of a group, with their root volumes and addresses. A group and its launch template have one name.
fn machines(group: &StateObject<'_>, state: &ClusterState<'_>, prices: &RegionPrices) -> Vec<BilledResource> {
    let (running, most) = (group.number("desired"), group.number("max"));
    let Some(template) = state.named::<LaunchTemplate>(group.address.name()) else {
        let unknown = BilledResource::new("instance of an unknown size", PriceUnit::Hour, None, running);
        return vec![unknown.at_most(most)];
    };
    let size = template.text("instance_size").unwrap_or("instance of an unknown size");
    let price = prices.instance_hour.get(size).copied();
    let purchase = group.text("purchase").and_then(PurchaseOption::parse).unwrap_or_default();
    let (spot, most_spot) = (purchase.spot_machines(running), purchase.spot_machines(most));
    let gib = template.number("root_gib");
    let root = volume("root volume", Some(GP3), gib.saturating_mul(running), prices);
    let addresses = u64::from(template.flag("public_address"));
    vec![
        BilledResource::new(size, PriceUnit::Hour, price, running - spot).at_most(most - most_spot),
        // The price of a Spot Instance changes from hour to hour, and never exceeds this one.
        BilledResource::new(format!("{size}{SPOT}"), PriceUnit::Hour, price, spot).at_most(most_spot),
        root.at_most(gib.saturating_mul(most)),
        address(addresses.saturating_mul(running), prices).at_most(addresses.saturating_mul(most)),
    ]
}

fn address(number: u64, prices: &RegionPrices) -> BilledResource {
    BilledResource::new("public IPv4 address", PriceUnit::Hour, prices.public_address_hour, number)
}

/// Returns a NAT gateway. A regional one is billed in each zone that the cluster has subnets in, and has an address there.
fn nat_gateway(object: &StateObject<'_>, state: &ClusterState<'_>, prices: &RegionPrices) -> Vec<BilledResource> {
    let is_regional = object.text("mode") == Some(NatGateway::REGIONAL);
    let zones: BTreeSet<&str> =
        state.objects().filter(|object| object.is::<Subnet>()).filter_map(|subnet| subnet.text("zone")).collect();
    let zones = u64::try_from(zones.len()).unwrap_or(u64::MAX);
    let (gateways, addresses) = if is_regional { (zones, zones) } else { (1, 0) };
    vec![
        BilledResource::new("NAT gateway", PriceUnit::Hour, prices.nat_gateway_hour, gateways),
        address(addresses, prices),
    ]
}

fn volume(purpose: &str, volume_type: Option<&str>, gib: u64, prices: &RegionPrices) -> BilledResource {
    let volume_type = volume_type.unwrap_or("unknown type of");
    let price = prices.gp3_gb_month.filter(|_| volume_type == GP3);
    BilledResource::new(format!("{volume_type} {purpose}"), PriceUnit::GbMonth, price, gib)
}

/// Returns a load balancer and its addresses: one in each of its zones, if it is reached from outside.
fn balancer(object: &StateObject<'_>, name: &str, hour: Option<Money>, prices: &RegionPrices) -> Vec<BilledResource> {
    let is_public = object.text("scheme") == Some("internet-facing");
    let zones = u64::try_from(object.list("subnets").len()).unwrap_or(u64::MAX);
    vec![BilledResource::new(name, PriceUnit::Hour, hour, 1), address(if is_public { zones } else { 0 }, prices)]
}

/// Returns the volume of a claim. Only the class that every cluster has is known to be gp3.
fn claim(object: &StateObject<'_>, prices: &RegionPrices) -> BilledResource {
    let size = object.text(STORAGE).and_then(quantity_bytes);
    let class = object.text("spec.storageClassName").unwrap_or(CLASS);
    match size {
        Some(bytes) if class == CLASS => volume("volume", Some(GP3), bytes.div_ceil(1 << 30), prices),
        Some(bytes) => {
            let name = format!("volume of the class {class}");
            BilledResource::new(name, PriceUnit::GbMonth, None, bytes.div_ceil(1 << 30))
        }
        None => BilledResource::unknown(format!("volume of {}", object.address.name())),
    }
}

/// Returns what an add-on's object makes controllers create. Only the size of a claim is known.
fn of_addon(object: &StateObject<'_>, prices: &RegionPrices) -> Vec<BilledResource> {
    let name = object.text("metadata.name").unwrap_or(object.address.name());
    let has = |part: &str| object.attributes().keys().any(|attribute| attribute.starts_with(part));
    match object.text("kind") {
        Some("PersistentVolumeClaim") => vec![claim(object, prices)],
        Some("Service") if object.text("spec.type") == Some("LoadBalancer") => {
            vec![BilledResource::unknown(format!("load balancer of the Service {name}"))]
        }
        Some("StatefulSet") if has("spec.volumeClaimTemplates") => {
            vec![BilledResource::unknown(format!("volumes of the StatefulSet {name}"))]
        }
        _ => Vec::new(),
    }
}
