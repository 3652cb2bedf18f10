#![allow(clippy::unwrap_used, reason = "tests")]

use aws_sdk_ec2::types::RouteTableAssociationState;

use super::*;
use crate::aws::ec2::to_ec2;
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags};

fn to(destination: &str) -> aws_sdk_ec2::types::builders::RouteBuilder {
    Ec2Route::builder().destination_cidr_block(destination)
}

fn association(id: &str, subnet: Option<&str>, state: State) -> Association {
    Association::builder()
        .route_table_association_id(id)
        .set_subnet_id(subnet.map(str::to_owned))
        .main(subnet.is_none())
        .association_state(RouteTableAssociationState::builder().state(state).build())
        .build()
}

fn read(table: aws_sdk_ec2::types::builders::RouteTableBuilder) -> RouteTable {
    let tags: Tags =
        [(CLUSTER_TAG, "c"), (OBJECT_TAG, "route-table/public")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let table = table.route_table_id("rtb-1").vpc_id("vpc-1").set_tags(Some(to_ec2(&tags))).build();
    RouteTable::from_attributes(&live_of(ObservationScope::Tagged("c"), &table).unwrap().unwrap().attributes).unwrap()
}

#[test]
fn only_routes_of_the_table_itself_are_shown() {
    let table = Answer::builder()
        .routes(to("172.20.0.0/16").gateway_id("local").build())
        .routes(to("0.0.0.0/0").gateway_id("igw-1").build())
        .routes(to("100.96.1.0/24").instance_id("i-1").network_interface_id("eni-1").build())
        .routes(to("100.96.2.0/24").network_interface_id("eni-2").build())
        .routes(to("10.0.0.0/8").gateway_id("vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation).build())
        .routes(Ec2Route::builder().destination_prefix_list_id("pl-1").gateway_id("vpce-1").build());
    assert_eq!(read(table).routes, [Route { destination: "0.0.0.0/0".to_owned(), target: "igw-1".into() }]);
}

#[test]
fn a_route_that_was_added_outside_is_shown_with_its_target() {
    let table = Answer::builder()
        .routes(to("10.1.0.0/16").vpc_peering_connection_id("pcx-1").build())
        .routes(to("10.2.0.0/16").transit_gateway_id("tgw-1").build())
        .routes(to("10.3.0.0/16").nat_gateway_id("nat-1").build())
        .routes(
            Ec2Route::builder().destination_ipv6_cidr_block("::/0").egress_only_internet_gateway_id("eigw-1").build(),
        )
        .routes(Ec2Route::builder().destination_prefix_list_id("pl-1").gateway_id("igw-1").build());
    let shown: Vec<_> = read(table)
        .routes
        .iter()
        .map(|route| format!("{} {}", route.destination, route.target.known().unwrap()))
        .collect();
    assert_eq!(shown, ["10.1.0.0/16 pcx-1", "10.2.0.0/16 tgw-1", "10.3.0.0/16 nat-1", "::/0 eigw-1", "pl-1 igw-1"]);
}

#[test]
fn only_subnets_that_use_the_table_are_shown() {
    let table = Answer::builder()
        .associations(association("rtbassoc-1", None, State::Associated))
        .associations(association("rtbassoc-2", Some("subnet-1"), State::Associated))
        .associations(association("rtbassoc-3", Some("subnet-2"), State::Disassociated))
        .associations(association("rtbassoc-4", Some("subnet-3"), State::Associating));
    assert_eq!(read(table).subnets, [TextInput::from("subnet-1"), TextInput::from("subnet-3")]);
}

#[test]
fn a_destination_is_set_in_the_one_parameter_that_fits() {
    let set = |text: &str| {
        let to = RouteDestination::of(text);
        (to.ipv4.is_some(), to.ipv6.is_some(), to.prefix_list.is_some())
    };
    assert_eq!(set("0.0.0.0/0"), (true, false, false));
    assert_eq!(set("::/0"), (false, true, false));
    assert_eq!(set("pl-1"), (false, false, true));
}
