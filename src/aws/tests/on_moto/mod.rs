//! The identity, balancing, DNS and storage kinds against a moto server, over HTTP.
//!
//! They run when `QUORATE_TEST_ENDPOINT` is set. Each test has a cluster of its own, so they share the server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod balancing;
mod dns;
mod identity;
mod machines;
mod storage;
mod web;

use std::collections::{BTreeMap, BTreeSet};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_ec2::config::Credentials;
use aws_sdk_ec2::types::ArchitectureValues;
use aws_smithy_http_client::Builder;

use super::recorder::RequestRecorder;
use crate::aws::{AwsProvider, ClusterScope};
use crate::cloud::CloudProvider;
use crate::engine::{Address, Attributes, IdempotencyToken, Live, Object, Provider};
use crate::resource::{CLUSTER_TAG, Facts, FactsQuery, OBJECT_TAG, Resource, Tags};
use crate::spec::Architecture;
use crate::testkit::skip_without_setup;

/// An account with room for one cluster.
struct MotoAccount {
    aws: AwsProvider,
    calls: RequestRecorder,
    cluster: String,
}

/// Returns a site for a new cluster; `None`, with a message, without a server.
async fn site(region: &str) -> Option<MotoAccount> {
    let Some(endpoint) = std::env::var_os("QUORATE_TEST_ENDPOINT") else {
        skip_without_setup("QUORATE_TEST_ENDPOINT does not say where a moto server is; `tests/run` starts one");
        return None;
    };
    let calls = RequestRecorder::over(Builder::new().build_http());
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint.to_str()?)
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(calls.client())
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .load()
        .await;
    let cluster = format!("c{:08x}.example.com", fastrand::u32(..));
    let scope = ClusterScope {
        region: region.to_owned(),
        bucket: format!("state.{cluster}"),
        prefix: format!("{cluster}/"),
        cluster: cluster.clone(),
    };
    let mut aws = AwsProvider::connect(scope, Some(calls.client())).await;
    aws.acm = aws_sdk_acm::Client::new(&config);
    aws.autoscaling = aws_sdk_autoscaling::Client::new(&config);
    aws.ec2 = aws_sdk_ec2::Client::new(&config);
    aws.elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
    aws.iam = aws_sdk_iam::Client::new(&config);
    aws.route53 = aws_sdk_route53::Client::new(&config);
    aws.s3 = crate::aws::s3::client(&config);
    aws.ssm = aws_sdk_ssm::Client::new(&config);
    aws.sts = aws_sdk_sts::Client::new(&config);
    Some(MotoAccount { aws, calls, cluster })
}

impl MotoAccount {
    fn tags(&self, address: &Address) -> Tags {
        let pairs = [(CLUSTER_TAG, self.cluster.clone()), (OBJECT_TAG, address.to_string()), ("Name", "n".to_owned())];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    async fn create(&self, object: &Object) -> Live {
        let token = IdempotencyToken(format!("{}-{}", self.cluster, object.address));
        let live = self.aws.create(object, &token).await.unwrap();
        self.aws.ready(&live, &|_| ()).await.unwrap()
    }

    /// Returns the only object that carries the address.
    async fn find(&self, address: &Address) -> Live {
        let mut found = self.aws.find(address).await.unwrap();
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    async fn is_gone(&self, address: &Address) -> bool {
        self.aws.find(address).await.unwrap().is_empty()
    }

    async fn update(&self, live: &Live, object: &Object, changed: &[&str]) -> Live {
        let changed: BTreeSet<String> = changed.iter().map(|name| (*name).to_owned()).collect();
        self.aws.update(live, object, &changed).await.unwrap()
    }

    async fn delete(&self, live: &Live) {
        self.aws.delete(live, &|_| ()).await.unwrap();
        // A second time is no failure: the answer to the first may get lost.
        self.aws.delete(live, &|_| ()).await.unwrap();
    }

    /// Creates the object, and checks that an observation returns the same as the creation.
    async fn create_and_find(&self, object: &Object, unreported: &[&str]) -> Live {
        let made = self.create(object).await;
        let found = self.find(&object.address).await;
        assert_eq!((&made.id, &made.outputs, made.phase), (&found.id, &found.outputs, found.phase));
        assert!(found.proven);
        same(&made.attributes, &object.attributes, &[]);
        same(&found.attributes, &object.attributes, unreported);
        found
    }

    /// Updates the object, and checks that an observation returns what was wanted.
    async fn update_and_find(&self, object: &Object, changed: &[&str], unreported: &[&str]) -> Live {
        let live = self.find(&object.address).await;
        let updated = self.update(&live, object, changed).await;
        let found = self.find(&object.address).await;
        assert_eq!((&updated.id, &updated.outputs), (&found.id, &found.outputs));
        same(&found.attributes, &object.attributes, unreported);
        found
    }

    async fn facts(&self, sizes: &[&str]) -> Facts {
        let sizes = sizes.iter().map(|size| (*size).to_owned()).collect();
        self.aws.facts(&FactsQuery { sizes, name: self.cluster.clone(), ..FactsQuery::default() }).await.unwrap()
    }

    /// A VPC with three subnets and a security group.
    async fn network(&self) -> TestNetwork {
        self.network_named("main").await
    }

    async fn network_named(&self, name: &str) -> TestNetwork {
        let ec2 = &self.aws.ec2;
        let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
        let mut subnets = Vec::new();
        for (zone, cidr) in
            [("us-east-1a", "10.0.0.0/24"), ("us-east-1b", "10.0.1.0/24"), ("us-east-1f", "10.0.2.0/24")]
        {
            let made = ec2.create_subnet().vpc_id(&vpc).availability_zone(zone).cidr_block(cidr).send().await.unwrap();
            subnets.push(made.subnet.unwrap().subnet_id.unwrap());
        }
        let group = ec2.create_security_group().vpc_id(&vpc).group_name(name).description("d").send();
        let group = group.await.unwrap().group_id.unwrap();
        TestNetwork { vpc, subnets, group }
    }
}

struct TestNetwork {
    vpc: String,
    subnets: Vec<String>,
    group: String,
}

fn object<K: Resource>(resource: &K, name: &str) -> Object {
    resource.object(name).unwrap()
}

/// Checks that two objects are the same except for attributes that AWS does not return.
fn same(one: &Attributes, other: &Attributes, unreported: &[&str]) {
    let reported = |attributes: &Attributes| {
        let mut reported = attributes.clone();
        reported.retain(|name, _| !unreported.contains(&name.as_str()));
        reported
    };
    assert_eq!(reported(one), reported(other));
}

#[tokio::test]
async fn facts_are_one_answer_to_each_question() {
    let Some(site) = site("us-east-1").await else { return };
    let facts = site.facts(&["t3.medium", "t4g.medium", "t3.gigantic"]).await;
    assert_eq!(site.calls.take().len(), 6);
    assert_eq!(facts.account.len(), 12);
    assert!(facts.caller.starts_with("arn:aws:"));
    assert!(facts.zones.contains(&"us-east-1f".to_owned()), "{:?}", facts.zones);
    assert_eq!(facts.images.len(), 2);
    assert_eq!(
        facts.sizes.keys().collect::<Vec<_>>(),
        ["t3.medium", "t4g.medium"],
        "one that the region lacks is absent"
    );
    assert_ne!(facts.sizes["t3.medium"].architecture, facts.sizes["t4g.medium"].architecture);
    let zones = &facts.offered["t3.medium"];
    assert!(zones.contains(&"us-east-1a".to_owned()) && !zones.contains(&"us-east-1e".to_owned()), "{zones:?}");
    assert!(!facts.offered.contains_key("t3.gigantic"));
}

#[tokio::test]
async fn images_of_the_file_are_described_and_no_others() {
    let Some(site) = site("us-east-1").await else { return };
    let known = site.aws.ec2.describe_images().send().await.unwrap();
    let known = known.images().iter().find(|image| image.architecture() == Some(&ArchitectureValues::X8664)).unwrap();
    let (id, missing) = (known.image_id().unwrap().to_owned(), "ami-0123456789abcdef0".to_owned());
    site.calls.take();
    let question = FactsQuery {
        own_images: [id.clone(), missing].map(|image| (image, Architecture::X86_64)).into(),
        skips_images: true,
        name: site.cluster.clone(),
        ..FactsQuery::default()
    };
    let facts = site.aws.facts(&question).await.unwrap();
    let calls = site.calls.take();
    assert!(
        calls.contains(&"DescribeImages".to_owned()) && !calls.iter().any(|call| call.contains("GetParameters")),
        "{calls:?}"
    );
    assert_eq!(facts.images, BTreeMap::new());
    assert_eq!(facts.own_images.keys().collect::<Vec<_>>(), [&id], "one that is not there is absent");
    assert_eq!(facts.own_images[&id].architecture, Architecture::X86_64);
    assert!(facts.own_images[&id].root_device.starts_with("/dev/"));
}

#[tokio::test]
async fn facts_and_an_observation_share_the_list_of_zones_and_two_observations_do_not() {
    let Some(site) = site("us-east-1").await else { return };
    let zone = Address::new("hosted-zone", "internal");
    let (_, found) = tokio::join!(site.facts(&[]), site.aws.find(&zone));
    assert!(found.unwrap().is_empty());
    let listings = |log: Vec<String>| log.iter().filter(|call| call.ends_with("/2013-04-01/hostedzone")).count();
    assert_eq!(listings(site.calls.take()), 1);
    for _ in 0..2 {
        site.aws.find(&zone).await.unwrap();
    }
    assert_eq!(listings(site.calls.take()), 2);
}
