//! The kinds against moto, over HTTP: only when `QUORATE_TEST_ENDPOINT` holds its URL. Answers that moto never gives, a
//! test gives itself.
//!
//! Each test has a cluster of its own, so that all of them can use one server at once.

#![allow(clippy::unwrap_used, reason = "tests")]

mod answers;
mod autoscaling_group;
mod disks_and_keys;
mod gate;
mod launch_template;
mod machine_access;
mod network;
mod on_moto;
pub(super) mod recorder;
mod security;
mod trouble;
mod waiting;

use std::collections::BTreeSet;

use aws_config::BehaviorVersion;
use aws_sdk_ec2::config::Credentials;
use aws_smithy_http_client::Builder;

use super::{AwsProvider, ClusterScope};
use crate::engine::{Attributes, IdempotencyToken, Live, Object, ObjectPhase, Provider, TextInput, Value};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Resource, Subnet, Tags, Vpc};
use crate::testkit::skip_without_setup;
use recorder::RequestRecorder;

/// A cluster on moto.
struct MotoCluster {
    aws: AwsProvider,
    calls: RequestRecorder,
}

/// Returns a separate cluster for a test; `None`, with a message, without a server.
async fn moto(test: &str) -> Option<MotoCluster> {
    let Ok(endpoint) = std::env::var("QUORATE_TEST_ENDPOINT") else {
        skip_without_setup("QUORATE_TEST_ENDPOINT does not say where a moto server is; `tests/run` starts one");
        return None;
    };
    let cluster = format!("{test}-{:08x}.example.com", fastrand::u32(..));
    Some(MotoCluster::connect(cluster, &endpoint, RequestRecorder::over(Builder::new().build_http())).await)
}

impl MotoCluster {
    async fn connect(cluster: String, endpoint: &str, calls: RequestRecorder) -> Self {
        Self::connect_in("us-east-1", cluster, endpoint, calls).await
    }

    async fn connect_in(region: &'static str, cluster: String, endpoint: &str, calls: RequestRecorder) -> Self {
        let scope =
            ClusterScope { cluster, region: region.to_owned(), bucket: "unused".to_owned(), prefix: String::new() };
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(region)
            .endpoint_url(endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(calls.client())
            .load()
            .await;
        let mut aws = AwsProvider::connect(scope, Some(calls.client())).await;
        aws.autoscaling = aws_sdk_autoscaling::Client::new(&config);
        aws.ec2 = aws_sdk_ec2::Client::new(&config);
        aws.elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
        aws.s3 = super::s3::client(&config);
        aws.iam = aws_sdk_iam::Client::new(&config);
        aws.route53 = aws_sdk_route53::Client::new(&config);
        aws.ssm = aws_sdk_ssm::Client::new(&config);
        aws.sts = aws_sdk_sts::Client::new(&config);
        Self { aws, calls }
    }

    /// The tags of an object of the cluster.
    fn tags<K: Resource>(&self, name: &str) -> Tags {
        let address = K::address(name).to_string();
        [(CLUSTER_TAG, self.aws.scope.cluster.as_str()), (OBJECT_TAG, &address), ("Name", name)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// Creates an object, waits for it, and checks that an observation finds exactly it.
    async fn make<K: Resource>(&self, name: &str, wanted: &K) -> Live {
        let object = wanted.object(name).unwrap();
        let token = IdempotencyToken(format!("{:032x}", fastrand::u128(..)));
        let made = self.aws.create(&object, &token).await.unwrap();
        let made = self.aws.ready(&made, &|_| {}).await.unwrap();
        assert_eq!(made.phase, ObjectPhase::Ready);
        let observed = self.see::<K>(name).await;
        assert_alike(&object.attributes, &made.attributes);
        assert_eq!((&made.id, &made.outputs), (&observed.id, &observed.outputs), "{}", object.address);
        self.check(&object).await;
        made
    }

    /// Changes what differs between an object as observed and as wanted, as the engine does.
    async fn correct<K: Resource>(&self, name: &str, wanted: &K) -> Vec<String> {
        let object = wanted.object(name).unwrap();
        let mut live = self.see::<K>(name).await;
        keep_our_tags(&object, &mut live);
        let changed = differing(&object.attributes, &live.attributes);
        let live = self.aws.update(&live, &object, &changed).await.unwrap();
        assert_alike(&object.attributes, &live.attributes);
        if live.phase != ObjectPhase::Ready {
            self.aws.ready(&live, &|_| {}).await.unwrap();
        }
        self.check(&object).await;
        changed.into_iter().collect()
    }

    /// Checks that an observation finds the object as wanted.
    async fn check(&self, object: &Object) {
        let found = self.aws.find(&object.address).await.unwrap();
        assert_eq!(found.len(), 1, "{}: {found:?}", object.address);
        assert_alike(&object.attributes, &found[0].attributes);
        assert!(found[0].proven);
    }

    async fn see<K: Resource>(&self, name: &str) -> Live {
        let mut found = self.aws.find(&K::address(name)).await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// Removes an object, twice, and checks that nothing of it is left.
    async fn unmake<K: Resource>(&self, name: &str) {
        let live = self.see::<K>(name).await;
        self.aws.delete(&live, &|_| {}).await.unwrap();
        assert_eq!(self.aws.find(&K::address(name)).await.unwrap(), []);
        self.aws.delete(&live, &|_| {}).await.unwrap();
    }

    async fn vpc(&self) -> Live {
        let vpc = Vpc {
            cidr: "172.20.0.0/16".to_owned(),
            dns_support: true,
            dns_hostnames: true,
            tags: self.tags::<Vpc>("main"),
        };
        self.make("main", &vpc).await
    }

    async fn subnet(&self, vpc: &Live, zone: &str, cidr: &str) -> Live {
        let tags = self.tags::<Subnet>(zone);
        let subnet = Subnet { vpc: id(vpc), zone: zone.to_owned(), cidr: cidr.to_owned(), tags };
        self.make(zone, &subnet).await
    }
}

fn id(live: &Live) -> TextInput {
    live.outputs["id"].as_str().into()
}

/// Returns the attributes that differ; lists have no order here.
fn differing(wanted: &Attributes, live: &Attributes) -> BTreeSet<String> {
    let sorted = |value: &Value| match value {
        Value::List(items) => {
            let mut items = items.clone();
            items.sort();
            Value::List(items)
        }
        other => other.clone(),
    };
    let differs = |(name, value): &(&String, &Value)| live.get(*name).map(sorted) != Some(sorted(value));
    wanted.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}

#[track_caller]
fn assert_alike(wanted: &Attributes, live: &Attributes) {
    assert_eq!(differing(wanted, live), BTreeSet::new(), "wanted {wanted:#?}, found {live:#?}");
}

/// Removes tags of other owners, as the engine does before it passes an object to `update`.
fn keep_our_tags(object: &Object, live: &mut Live) {
    if let (Some(Value::Map(wanted)), Some(Value::Map(have))) =
        (object.attributes.get("tags"), live.attributes.get_mut("tags"))
    {
        have.retain(|key, _| wanted.contains_key(key));
    }
}
