//! The VPC, its internet gateway, and a public subnet per zone.

use super::outputs::{MAIN, PUBLIC, subnet, vpc};
use super::{BlueprintProblem, BuildContext, tags};
use crate::engine::{Object, TextInput};
use crate::resource::{InternetGateway, Resource, Route, RouteTable, Subnet, Vpc};
use crate::spec::Zone;

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let cluster = site.cluster;
    let named = |address| site.tags(&address, cluster.name.as_str());
    let vpc_object = Vpc {
        cidr: cluster.network.cidr.to_string(),
        dns_support: true,
        dns_hostnames: true,
        tags: site.tags_with_location(&Vpc::address(MAIN), cluster.name.as_str()),
    };
    let gateway = InternetGateway { vpc: vpc(), tags: named(InternetGateway::address(MAIN)) };
    let internet =
        Route { destination: "0.0.0.0/0".to_owned(), target: TextInput::output(InternetGateway::address(MAIN), "id") };
    let routes = RouteTable {
        vpc: vpc(),
        routes: vec![internet],
        subnets: site.subnets.keys().map(subnet).collect(),
        tags: named(RouteTable::address(PUBLIC)),
    };
    let mut objects = vec![vpc_object.object(MAIN)?, gateway.object(MAIN)?, routes.object(PUBLIC)?];
    for (zone, range) in &site.subnets {
        objects.push(zone_subnet(site, zone, range.to_string()).object(zone.as_str())?);
    }
    Ok(objects)
}

fn zone_subnet(site: &BuildContext<'_>, zone: &Zone, cidr: String) -> Subnet {
    let tags = site.tags(&Subnet::address(zone.as_str()), &site.below(zone.as_str()));
    // Load balancers that users make with `type: LoadBalancer` are put into subnets with this tag.
    let tags = tags::with(tags, [("kubernetes.io/role/elb", "1")]);
    Subnet { vpc: vpc(), zone: zone.to_string(), cidr, tags }
}
