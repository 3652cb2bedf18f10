//! Gateways and route tables.

use super::*;
use std::collections::BTreeMap;

use crate::engine::FailureClass;
use crate::resource::{ElasticIp, InternetGateway, NatGateway, Route, RouteTable, VpcEndpoint, private_subnet};

#[tokio::test]
async fn a_gateway_is_attached_moved_corrected_and_deleted() {
    let Some(moto) = moto("gateway").await else { return };
    let vpc = moto.vpc().await;
    let wanted = InternetGateway { vpc: id(&vpc), tags: moto.tags::<InternetGateway>("main") };
    moto.calls.take();
    let gateway = moto.make("main", &wanted).await;
    assert_eq!(moto.calls.take()[..2], ["AttachInternetGateway", "CreateInternetGateway"]);

    let request = moto.aws.ec2.detach_internet_gateway().internet_gateway_id(&gateway.id).vpc_id(&vpc.id);
    request.send().await.unwrap();
    assert_eq!(moto.correct("main", &wanted).await, ["vpc"]);

    let tagged = InternetGateway { tags: [("Name".to_owned(), "other".to_owned())].into(), ..wanted.clone() };
    let tags = wanted.tags.clone().into_iter().chain(tagged.tags).collect();
    assert_eq!(moto.correct("main", &InternetGateway { tags, ..wanted }).await, ["tags"]);

    moto.unmake::<InternetGateway>("main").await;
    moto.unmake::<Vpc>("main").await;
}

#[tokio::test]
async fn a_gateway_that_a_call_without_an_answer_attached_counts_as_attached() {
    let Some(moto) = moto("attached").await else { return };
    let vpc = moto.vpc().await;
    let wanted = InternetGateway { vpc: id(&vpc), tags: moto.tags::<InternetGateway>("main") };
    let gateway = moto.make("main", &wanted).await;
    // As it was observed before the first call took effect.
    let mut stale = gateway.clone();
    stale.attributes.insert("vpc".to_owned(), Value::Text(String::new()));
    let object = wanted.object("main").unwrap();
    moto.calls.take();
    let attached = moto.aws.update(&stale, &object, &["vpc".to_owned()].into()).await.unwrap();
    assert_eq!(moto.calls.take(), ["AttachInternetGateway", "DescribeInternetGateways"]);
    assert_alike(&object.attributes, &attached.attributes);

    // Attached to another VPC, it differs.
    let other = moto.aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    let elsewhere = InternetGateway { vpc: other.vpc().unwrap().vpc_id().unwrap().into(), ..wanted };
    let object = elsewhere.object("main").unwrap();
    let refused = moto.aws.update(&stale, &object, &["vpc".to_owned()].into()).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::AlreadyExists);
    moto.unmake::<InternetGateway>("main").await;
}

#[tokio::test]
async fn what_lost_its_tags_is_recalled_by_its_recorded_id_alone() {
    let Some(moto) = moto("recalled").await else { return };
    let vpc = moto.vpc().await;
    let subnet = moto.subnet(&vpc, "us-east-1a", "172.20.32.0/19").await;
    for untagged in [&vpc, &subnet] {
        // EC2 removes all tags where none is named; moto wants their keys.
        let keys = [CLUSTER_TAG, OBJECT_TAG].map(|key| aws_sdk_ec2::types::Tag::builder().key(key).build());
        moto.aws.ec2.delete_tags().resources(&untagged.id).set_tags(Some(keys.into())).send().await.unwrap();
        assert_eq!(moto.aws.find(&untagged.address).await.unwrap(), []);
    }
    let mut recorded: BTreeMap<_, _> = [&vpc, &subnet].map(|live| (live.address.clone(), live.id.clone())).into();
    recorded.insert(Subnet::address("us-east-1b"), "subnet-00000000000000000".to_owned());
    let found = moto.aws.recall(&recorded).await.unwrap().live;
    let ids: BTreeSet<_> = found.iter().map(|live| (live.address.clone(), live.id.clone(), live.proven)).collect();
    assert_eq!(ids, [&vpc, &subnet].map(|live| (live.address.clone(), live.id.clone(), false)).into());

    // One tag of the two is not enough to be found by.
    let tag = aws_sdk_ec2::types::Tag::builder().key(CLUSTER_TAG).value(&moto.aws.scope.cluster).build();
    moto.aws.ec2.create_tags().resources(&subnet.id).tags(tag).send().await.unwrap();
    assert_eq!(moto.aws.find(&subnet.address).await.unwrap(), []);
    assert_eq!(moto.aws.recall(&recorded).await.unwrap().live.len(), 2);

    // Tagged as another cluster's, it is no longer ours to touch.
    let tag = aws_sdk_ec2::types::Tag::builder().key(CLUSTER_TAG).value("other.example.com").build();
    moto.aws.ec2.create_tags().resources(&subnet.id).tags(tag).send().await.unwrap();
    let found = moto.aws.recall(&recorded).await.unwrap().live;
    assert_eq!(found.iter().map(|live| &live.address).collect::<Vec<_>>(), [&vpc.address]);
    moto.aws.delete(&subnet, &|_| {}).await.unwrap();
    moto.aws.delete(&vpc, &|_| {}).await.unwrap();
}

#[tokio::test]
async fn a_route_table_is_created_changed_corrected_and_deleted() {
    let Some(moto) = moto("routes").await else { return };
    let vpc = moto.vpc().await;
    let gateway = InternetGateway { vpc: id(&vpc), tags: moto.tags::<InternetGateway>("main") };
    let gateway = moto.make("main", &gateway).await;
    let a = moto.subnet(&vpc, "us-east-1a", "172.20.32.0/19").await;
    let b = moto.subnet(&vpc, "us-east-1b", "172.20.64.0/19").await;
    let route = |destination: &str| Route { destination: destination.to_owned(), target: id(&gateway) };
    let wanted = RouteTable {
        vpc: id(&vpc),
        routes: vec![route("0.0.0.0/0")],
        subnets: vec![id(&a)],
        tags: moto.tags::<RouteTable>("public"),
    };
    let table = moto.make("public", &wanted).await;

    let larger = RouteTable {
        routes: vec![route("0.0.0.0/0"), route("10.9.0.0/16")],
        subnets: vec![id(&a), id(&b)],
        ..wanted.clone()
    };
    moto.calls.take();
    assert_eq!(moto.correct("public", &larger).await, ["routes", "subnets"]);
    let calls = ["AssociateRouteTable", "CreateRoute"];
    assert_eq!(moto.calls.take(), [&calls[..], &["DescribeRouteTables"; 3]].concat());

    // The cloud controller's route is neither shown nor removed; a route and a subnet that were taken away come back.
    let interface = moto.aws.ec2.create_network_interface().subnet_id(&a.id).send().await.unwrap();
    let interface = interface.network_interface().unwrap().network_interface_id().unwrap().to_owned();
    let request = moto.aws.ec2.create_route().route_table_id(&table.id).destination_cidr_block("100.96.1.0/24");
    request.network_interface_id(&interface).send().await.unwrap();
    let request = moto.aws.ec2.delete_route().route_table_id(&table.id).destination_cidr_block("0.0.0.0/0");
    request.send().await.unwrap();
    assert_eq!(moto.correct("public", &larger).await, ["routes"]);
    assert_eq!(moto.correct("public", &wanted).await, ["routes", "subnets"]);
    let request = moto.aws.ec2.describe_route_tables().route_table_ids(&table.id);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.route_tables()[0].routes().len(), 3, "the VPC's, ours, the cloud controller's: {answer:?}");

    moto.unmake::<RouteTable>("public").await;
    moto.aws.ec2.delete_network_interface().network_interface_id(&interface).send().await.unwrap();
    moto.unmake::<Subnet>("us-east-1a").await;
    moto.unmake::<Subnet>("us-east-1b").await;
    moto.unmake::<InternetGateway>("main").await;
    moto.unmake::<Vpc>("main").await;
}

#[tokio::test]
async fn a_route_that_leads_elsewhere_and_a_subnet_of_another_table_are_brought_back() {
    let Some(moto) = moto("hijack").await else { return };
    let vpc = moto.vpc().await;
    let gateway = InternetGateway { vpc: id(&vpc), tags: moto.tags::<InternetGateway>("main") };
    let gateway = moto.make("main", &gateway).await;
    let subnet = moto.subnet(&vpc, "us-east-1a", "172.20.32.0/19").await;
    let routes = vec![Route { destination: "0.0.0.0/0".to_owned(), target: id(&gateway) }];
    let tags = moto.tags::<RouteTable>("public");
    let wanted = RouteTable { vpc: id(&vpc), routes, subnets: vec![id(&subnet)], tags };
    let table = moto.make("public", &wanted).await;

    let interface = moto.aws.ec2.create_network_interface().subnet_id(&subnet.id).send().await.unwrap();
    let interface = interface.network_interface().unwrap().network_interface_id().unwrap().to_owned();
    let request = moto.aws.ec2.replace_route().route_table_id(&table.id).destination_cidr_block("0.0.0.0/0");
    request.network_interface_id(&interface).send().await.unwrap();
    moto.calls.refuse("CreateRoute", "RouteAlreadyExists");
    assert_eq!(moto.correct("public", &wanted).await, ["routes"]);

    let other = moto.aws.ec2.create_route_table().vpc_id(&vpc.id).send().await.unwrap();
    let other = other.route_table().unwrap().route_table_id().unwrap().to_owned();
    let answer = moto.aws.ec2.describe_route_tables().route_table_ids(&table.id).send().await.unwrap();
    let association = answer.route_tables()[0].associations()[0].route_table_association_id().unwrap().to_owned();
    let request = moto.aws.ec2.replace_route_table_association().association_id(association);
    request.route_table_id(&other).send().await.unwrap();
    // EC2 refuses; moto gives the other table's association.
    moto.calls.refuse("AssociateRouteTable", "Resource.AlreadyAssociated");
    assert_eq!(moto.correct("public", &wanted).await, ["subnets"]);
    moto.unmake::<RouteTable>("public").await;
}

#[tokio::test]
async fn a_private_network_is_created_changed_and_deleted() {
    let Some(moto) = moto("private").await else { return };
    let vpc = moto.vpc().await;
    let gateway = InternetGateway { vpc: id(&vpc), tags: moto.tags::<InternetGateway>("main") };
    moto.make("main", &gateway).await;
    let public = moto.subnet(&vpc, "us-east-1a", "172.20.4.0/22").await;
    let name = private_subnet("us-east-1a");
    let subnet = Subnet {
        vpc: id(&vpc),
        zone: "us-east-1a".to_owned(),
        cidr: "172.20.32.0/19".to_owned(),
        tags: moto.tags::<Subnet>(&name),
    };
    let private = moto.make(&name, &subnet).await;

    let address = moto.make("nat-us-east-1a", &ElasticIp { tags: moto.tags::<ElasticIp>("nat-us-east-1a") }).await;
    let zonal = NatGateway {
        vpc: id(&vpc),
        mode: NatGateway::ZONAL.to_owned(),
        subnet: id(&public),
        address: id(&address),
        tags: moto.tags::<NatGateway>("us-east-1a"),
    };
    let zonal = moto.make("us-east-1a", &zonal).await;
    let regional = NatGateway {
        vpc: id(&vpc),
        mode: NatGateway::REGIONAL.to_owned(),
        subnet: "".into(),
        address: "".into(),
        tags: moto.tags::<NatGateway>("main"),
    };
    let regional_gateway = moto.make("main", &regional).await;

    let route = |gateway: &Live| Route { destination: "0.0.0.0/0".to_owned(), target: id(gateway) };
    let table = RouteTable {
        vpc: id(&vpc),
        routes: vec![route(&zonal)],
        subnets: vec![id(&private)],
        tags: moto.tags::<RouteTable>("private"),
    };
    let made = moto.make("private", &table).await;
    let moved = RouteTable { routes: vec![route(&regional_gateway)], ..table };
    assert_eq!(moto.correct("private", &moved).await, ["routes"], "the route moves to the other gateway");

    let endpoint = VpcEndpoint {
        vpc: id(&vpc),
        service: "com.amazonaws.us-east-1.s3".to_owned(),
        tables: Vec::new(),
        tags: moto.tags::<VpcEndpoint>("s3"),
    };
    moto.make("s3", &endpoint).await;
    let with_table = VpcEndpoint { tables: vec![id(&made)], ..endpoint.clone() };
    assert_eq!(moto.correct("s3", &with_table).await, ["tables"]);
    assert_eq!(moto.correct("s3", &endpoint).await, ["tables"]);
    let mut tags = regional.tags.clone();
    tags.insert("Name".to_owned(), "other".to_owned());
    assert_eq!(moto.correct("main", &NatGateway { tags, ..regional }).await, ["tags"]);

    moto.unmake::<VpcEndpoint>("s3").await;
    moto.unmake::<RouteTable>("private").await;
    moto.unmake::<NatGateway>("main").await;
    moto.unmake::<NatGateway>("us-east-1a").await;
    moto.unmake::<ElasticIp>("nat-us-east-1a").await;
}

#[tokio::test]
async fn without_private_subnets_nothing_of_a_private_network_is_looked_for() {
    let Some(moto) = moto("public").await else { return };
    let vpc = moto.vpc().await;
    moto.subnet(&vpc, "us-east-1a", "172.20.32.0/19").await;
    moto.calls.take();
    for address in [ElasticIp::address("nat-us-east-1a"), NatGateway::address("main"), VpcEndpoint::address("s3")] {
        assert_eq!(moto.aws.find(&address).await.unwrap(), []);
    }
    assert_eq!(moto.calls.take(), ["DescribeSubnets"; 3]);
}
