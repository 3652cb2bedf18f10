//! The VPC with its internet gateway, a public subnet per zone, and the private subnets of machines.

use super::outputs::{MAIN, PUBLIC, S3, internet_routes, private_subnet, private_tables, subnet, vpc};
use super::{BlueprintProblem, BuildContext, tags};
use crate::engine::{Address, Object, TextInput};
use crate::resource::{
    self, ElasticIp, InternetGateway, NatGateway, Resource, Route, RouteTable, Subnet, Tags, Vpc, VpcEndpoint,
};
use crate::spec::{NatGateways, PrivateNetwork, Zone};

/// The destination of every address that no other route leads to.
const EVERYWHERE: &str = "0.0.0.0/0";

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let cluster = site.cluster;
    let vpc_object = Vpc {
        cidr: cluster.network.cidr.to_string(),
        dns_support: true,
        dns_hostnames: true,
        tags: site.tags_with_location(&Vpc::address(MAIN), cluster.name.as_str()),
    };
    let gateway = InternetGateway { vpc: vpc(), tags: named(site, &InternetGateway::address(MAIN)) };
    let internet = route(TextInput::output(InternetGateway::address(MAIN), "id"));
    let mut table_tags = named(site, &RouteTable::address(PUBLIC));
    if cluster.network.private.is_some() {
        // The cloud controller writes the routes of pods into the one table with this tag: that of the machines.
        table_tags.remove(&tags::kubernetes_tag(cluster));
    }
    let routes = RouteTable {
        vpc: vpc(),
        routes: vec![internet],
        subnets: site.subnets.keys().map(subnet).collect(),
        tags: table_tags,
    };
    let mut objects = vec![vpc_object.object(MAIN)?, gateway.object(MAIN)?, routes.object(PUBLIC)?];
    // Load balancers that users make with `type: LoadBalancer` are put into subnets with these tags.
    for (zone, range) in &site.subnets {
        let subnet = zone_subnet(site, zone.as_str(), zone, range.to_string(), "kubernetes.io/role/elb");
        objects.push(subnet.object(zone.as_str())?);
    }
    if let Some(private) = &cluster.network.private {
        objects.extend(private_objects(site, private)?);
    }
    Ok(objects)
}

fn private_objects(site: &BuildContext<'_>, private: &PrivateNetwork) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (zone, range) in &site.private_subnets {
        let name = resource::private_subnet(zone.as_str());
        let subnet = zone_subnet(site, &name, zone, range.to_string(), "kubernetes.io/role/internal-elb");
        objects.push(subnet.object(&name)?);
    }
    objects.extend(gateways(site, private)?);
    let tables = private_tables(private);
    let endpoint = VpcEndpoint {
        vpc: vpc(),
        service: format!("com.amazonaws.{}.s3", site.cluster.region),
        tables: tables.keys().map(|table| TextInput::output(RouteTable::address(table), "id")).collect(),
        tags: named(site, &VpcEndpoint::address(S3)),
    };
    objects.push(after_subnets(site, endpoint.object(S3)?));
    for (name, zones) in tables {
        let display = if zones.len() == 1 { site.below(&name) } else { site.cluster.name.to_string() };
        let table = RouteTable {
            vpc: vpc(),
            routes: way_out(site, private, &zones).into_iter().map(route).collect(),
            subnets: zones.into_iter().map(private_subnet).collect(),
            tags: site.tags(&RouteTable::address(&name), &display),
        };
        objects.push(table.object(&name)?);
    }
    Ok(objects)
}

/// Returns the NAT gateways, with their addresses.
fn gateways(site: &BuildContext<'_>, private: &PrivateNetwork) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    if private.nat == NatGateways::Regional {
        let gateway = NatGateway {
            vpc: vpc(),
            mode: NatGateway::REGIONAL.to_owned(),
            subnet: "".into(),
            address: "".into(),
            tags: named(site, &NatGateway::address(MAIN)),
        };
        objects.push(gateway.object(MAIN)?);
    }
    for zone in gateway_zones(site, private) {
        let (name, address) = (zone.as_str(), gateway_address(zone));
        let display = site.below(&address);
        let tags = |object: &Address| site.tags(object, &display);
        let gateway = NatGateway {
            vpc: vpc(),
            mode: NatGateway::ZONAL.to_owned(),
            subnet: subnet(zone),
            address: TextInput::output(ElasticIp::address(&address), "id"),
            tags: tags(&NatGateway::address(name)),
        };
        let allocation = ElasticIp { tags: tags(&ElasticIp::address(&address)) };
        objects.extend([gateway.object(name)?, allocation.object(&address)?]);
    }
    // A gateway needs the route of its subnet, or the VPC's internet gateway.
    let gateways = objects.into_iter().map(|mut object| {
        object.depends_on.insert(internet_routes());
        after_subnets(site, object)
    });
    Ok(gateways.collect())
}

/// Returns the zones that have a NAT gateway of their own.
fn gateway_zones<'a>(site: &'a BuildContext<'_>, private: &'a PrivateNetwork) -> Vec<&'a Zone> {
    match private.nat {
        NatGateways::PerZone => private.subnets.keys().collect(),
        NatGateways::Shared => site.nat_zone.iter().collect(),
        NatGateways::Regional | NatGateways::None => Vec::new(),
    }
}

/// Returns the name of the address of a zone's NAT gateway.
fn gateway_address(zone: &Zone) -> String {
    format!("nat-{zone}")
}

/// Returns the NAT gateway that the private subnets of these zones use; `None` without one.
fn way_out(site: &BuildContext<'_>, private: &PrivateNetwork, zones: &[&Zone]) -> Option<TextInput> {
    let name = match private.nat {
        NatGateways::Regional => MAIN,
        NatGateways::PerZone => zones.first()?.as_str(),
        NatGateways::Shared => site.nat_zone.as_ref()?.as_str(),
        NatGateways::None => return None,
    };
    Some(TextInput::output(NatGateway::address(name), "id"))
}

/// Creates an object after the private subnets, and deletes it before them: an observation that finds none of them looks for
/// nothing else of a private network.
fn after_subnets(site: &BuildContext<'_>, mut object: Object) -> Object {
    let subnets = site.private_subnets.keys().map(|zone| Subnet::address(&resource::private_subnet(zone.as_str())));
    object.depends_on.extend(subnets);
    object
}

fn named(site: &BuildContext<'_>, address: &Address) -> Tags {
    site.tags(address, site.cluster.name.as_str())
}

fn route(target: TextInput) -> Route {
    Route { destination: EVERYWHERE.to_owned(), target }
}

fn zone_subnet(site: &BuildContext<'_>, name: &str, zone: &Zone, cidr: String, role: &str) -> Subnet {
    let tags = tags::with(site.tags(&Subnet::address(name), &site.below(name)), [(role, "1")]);
    Subnet { vpc: vpc(), zone: zone.to_string(), cidr, tags }
}
