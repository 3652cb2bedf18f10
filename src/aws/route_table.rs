//! Route tables with their routes and the subnets that use them.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    ResourceType, Route as Ec2Route, RouteOrigin, RouteTable as Answer, RouteTableAssociation as Association,
    RouteTableAssociationStateCode as State,
};
use futures_util::future::try_join_all;

use super::AwsProvider;
use super::ec2::{EC2, filter, from_ec2, retag, sought, specification};
use super::failure::{ErrorCodes, just_made};
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote, TextInput};
use crate::resource::{Resource, Route, RouteTable};

impl AwsKind for RouteTable {
    const CODES: ErrorCodes = &[
        (FailureClass::AlreadyExists, &["RouteAlreadyExists"]),
        (FailureClass::Quota, &["RouteLimitExceeded", "RouteTableLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        if cache.aws.has_no_vpc() {
            return Ok(Vec::new());
        }
        let (aws, ours) = (cache.aws, sought(cache, "route-table-id", Self::KIND.name));
        let pages =
            || aws.ec2.describe_route_tables().filters(ours.clone()).into_paginator().items().send().try_collect();
        let found = aws.read(EC2, "DescribeRouteTables", pages).await?;
        found.iter().filter_map(|table| live_of(cache.whose, table)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_route_table()
            .set_vpc_id(self.vpc.known().map(str::to_owned))
            .client_token(&creation.token.0)
            .tag_specifications(specification(ResourceType::RouteTable, &self.tags));
        let made = aws.send(EC2, "CreateRouteTable", request.send()).await?;
        let id = made.route_table().and_then(|table| table.route_table_id()).unwrap_or_default();
        let routes = self.routes.iter().map(|route| add_route(aws, id, route));
        try_join_all(routes).await.map_err(just_made)?;
        let subnets = self.subnets.iter().filter_map(TextInput::known).map(|subnet| associate(aws, id, subnet));
        try_join_all(subnets).await.map_err(just_made)?;
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("routes") || changed.contains("subnets") {
            let table = look_up(aws, "route-table-id", &live.id).await?;
            let table = table.as_ref();
            if changed.contains("routes") {
                self.reroute(aws, &live.id, table.map(routes).unwrap_or_default()).await?;
            }
            if changed.contains("subnets") {
                self.reassociate(aws, &live.id, table.map(Answer::associations).unwrap_or_default()).await?;
            }
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        if let Some(table) = look_up(aws, "route-table-id", &live.id).await? {
            let used = users(table.associations());
            try_join_all(used.map(|(_, association)| disassociate(aws, association))).await?;
        }
        let request = aws.ec2.delete_route_table().route_table_id(&live.id);
        aws.send(EC2, "DeleteRouteTable", request.send()).await.map(drop)
    }
}

impl RouteTable {
    /// Changes the table's own routes to those that are wanted.
    async fn reroute(&self, aws: &AwsProvider, table: &str, have: Vec<Route>) -> Result<(), Failure> {
        let missing = self.routes.iter().filter(|route| !have.contains(route));
        try_join_all(
            missing.map(|route| {
                let moves = have.iter().any(|other| other.destination == route.destination);
                async move {
                    if moves { replace_route(aws, table, route).await } else { add_route(aws, table, route).await }
                }
            }),
        )
        .await?;
        let wanted = |route: &&Route| self.routes.iter().any(|other| other.destination == route.destination);
        let surplus = have.iter().filter(|route| !wanted(route));
        try_join_all(surplus.map(|route| remove_route(aws, table, &route.destination))).await?;
        Ok(())
    }

    /// Changes the table's subnets to those that are wanted.
    async fn reassociate(&self, aws: &AwsProvider, table: &str, have: &[Association]) -> Result<(), Failure> {
        let wanted: BTreeSet<&str> = self.subnets.iter().filter_map(TextInput::known).collect();
        let missing = wanted.iter().filter(|subnet| users(have).all(|(user, _)| user != **subnet));
        try_join_all(missing.map(|subnet| associate(aws, table, subnet))).await?;
        let surplus = users(have).filter(|(subnet, _)| !wanted.contains(subnet));
        try_join_all(surplus.map(|(_, association)| disassociate(aws, association))).await?;
        Ok(())
    }
}

/// Converts EC2's answer to a live object.
fn live_of(whose: ObservationScope<'_>, table: &Answer) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(table.tags());
    let id = table.route_table_id()?;
    let address = whose.address(&tags, id, RouteTable::KIND.name)?;
    let observed = RouteTable {
        vpc: table.vpc_id().unwrap_or_default().into(),
        routes: routes(table),
        subnets: users(table.associations()).map(|(subnet, _)| subnet.into()).collect(),
        tags,
    };
    Some(live(address.name(), id, &observed, &[("id", id)]))
}

/// Returns the table's routes, without those that are not its own: the VPC's, those to instances and their interfaces (the
/// cloud controller creates one per node), and those that a VPN gateway or a VPC endpoint adds.
fn routes(table: &Answer) -> Vec<Route> {
    table.routes().iter().filter_map(route).collect()
}

fn route(route: &Ec2Route) -> Option<Route> {
    let others = route.instance_id().is_some()
        || route.network_interface_id().is_some()
        || route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation)
        || route.gateway_id().is_some_and(|gateway| gateway == "local" || gateway.starts_with("vpce-"));
    if others {
        return None;
    }
    let destination = route
        .destination_cidr_block()
        .or_else(|| route.destination_ipv6_cidr_block())
        .or_else(|| route.destination_prefix_list_id())?;
    let target = route
        .gateway_id()
        .or_else(|| route.nat_gateway_id())
        .or_else(|| route.transit_gateway_id())
        .or_else(|| route.vpc_peering_connection_id())
        .or_else(|| route.egress_only_internet_gateway_id())
        .or_else(|| route.local_gateway_id())
        .or_else(|| route.carrier_gateway_id())
        .or_else(|| route.core_network_arn())
        .unwrap_or_default();
    Some(Route { destination: destination.to_owned(), target: target.into() })
}

/// Returns the subnets that use a table, each with its association.
fn users(associations: &[Association]) -> impl Iterator<Item = (&str, &str)> {
    associations.iter().filter_map(|association| {
        let state = association.association_state().and_then(|state| state.state());
        let leaving = matches!(state, Some(State::Disassociating | State::Disassociated | State::Failed));
        let user = (association.subnet_id()?, association.route_table_association_id()?);
        (!leaving).then_some(user)
    })
}

/// Returns the first table that matches a filter.
async fn look_up(aws: &AwsProvider, name: &str, value: &str) -> Result<Option<Answer>, Failure> {
    let request = || aws.ec2.describe_route_tables().filters(filter(name, value)).send();
    let answer = aws.read(EC2, "DescribeRouteTables", request).await?;
    Ok(answer.route_tables.unwrap_or_default().into_iter().next())
}

/// Adds a route. An existing route has another target, or this would not have been called.
async fn add_route(aws: &AwsProvider, table: &str, route: &Route) -> Result<(), Failure> {
    let request = aws.ec2.create_route().route_table_id(table);
    let (to, over) = (RouteDestination::of(&route.destination), RouteGateway::of(&route.target));
    let request = request
        .set_destination_cidr_block(to.ipv4)
        .set_destination_ipv6_cidr_block(to.ipv6)
        .set_destination_prefix_list_id(to.prefix_list)
        .set_gateway_id(over.internet)
        .set_nat_gateway_id(over.nat);
    match aws.send(EC2, "CreateRoute", request.send()).await {
        Err(failure) if failure.class == FailureClass::AlreadyExists => replace_route(aws, table, route).await,
        outcome => outcome.map(drop),
    }
}

async fn replace_route(aws: &AwsProvider, table: &str, route: &Route) -> Result<(), Failure> {
    let (to, over) = (RouteDestination::of(&route.destination), RouteGateway::of(&route.target));
    let request = aws
        .ec2
        .replace_route()
        .route_table_id(table)
        .set_destination_cidr_block(to.ipv4)
        .set_destination_ipv6_cidr_block(to.ipv6)
        .set_destination_prefix_list_id(to.prefix_list)
        .set_gateway_id(over.internet)
        .set_nat_gateway_id(over.nat);
    aws.send(EC2, "ReplaceRoute", request.send()).await.map(drop)
}

async fn remove_route(aws: &AwsProvider, table: &str, destination: &str) -> Result<(), Failure> {
    let to = RouteDestination::of(destination);
    let request = aws
        .ec2
        .delete_route()
        .route_table_id(table)
        .set_destination_cidr_block(to.ipv4)
        .set_destination_ipv6_cidr_block(to.ipv6)
        .set_destination_prefix_list_id(to.prefix_list);
    absent(aws.send(EC2, "DeleteRoute", request.send()).await)
}

/// Associates a subnet with the table, even if it uses another one.
async fn associate(aws: &AwsProvider, table: &str, subnet: &str) -> Result<(), Failure> {
    let request = aws.ec2.associate_route_table().route_table_id(table).subnet_id(subnet);
    match aws.send(EC2, "AssociateRouteTable", request.send()).await {
        Err(failure) if failure.class == FailureClass::AlreadyExists => {
            let other = look_up(aws, "association.subnet-id", subnet).await?.ok_or(failure.clone())?;
            if other.route_table_id() == Some(table) {
                return Ok(());
            }
            let mut held = users(other.associations()).filter(|(user, _)| *user == subnet);
            let (_, association) = held.next().ok_or(failure)?;
            let request = aws.ec2.replace_route_table_association().association_id(association).route_table_id(table);
            aws.send(EC2, "ReplaceRouteTableAssociation", request.send()).await.map(drop)
        }
        outcome => outcome.map(drop),
    }
}

async fn disassociate(aws: &AwsProvider, association: &str) -> Result<(), Failure> {
    let request = aws.ec2.disassociate_route_table().association_id(association);
    absent(aws.send(EC2, "DisassociateRouteTable", request.send()).await)
}

/// Treats an object that does not exist as removed.
fn absent<T>(outcome: Result<T, Failure>) -> Result<(), Failure> {
    match outcome {
        Err(failure) if failure.class == FailureClass::Gone => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// The destination of a route in EC2's form: three parameters, one of them set.
struct RouteDestination {
    ipv4: Option<String>,
    ipv6: Option<String>,
    prefix_list: Option<String>,
}

impl RouteDestination {
    fn of(text: &str) -> Self {
        let (prefix_list, ipv6) = (text.starts_with("pl-"), text.contains(':'));
        let when = |this: bool| this.then(|| text.to_owned());
        Self { ipv4: when(!prefix_list && !ipv6), ipv6: when(ipv6), prefix_list: when(prefix_list) }
    }
}

/// The gateway of a route in EC2's form: two parameters, one of them set.
struct RouteGateway {
    internet: Option<String>,
    nat: Option<String>,
}

impl RouteGateway {
    fn of(target: &TextInput) -> Self {
        let id = target.known().map(str::to_owned);
        let is_nat = id.as_ref().is_some_and(|id| id.starts_with("nat-"));
        if is_nat { Self { internet: None, nat: id } } else { Self { internet: id, nat: None } }
    }
}

#[cfg(test)]
mod tests;
