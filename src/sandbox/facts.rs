//! Facts of the simulated cloud before anything is built.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};

use super::names::ApiCall;
use super::{Sandbox, SimulatedAccount, sizes};
use crate::cloud::{ApiFirewall, BucketOwner, CloudProvider};
use crate::engine::{BoxFuture, Failure, FailureClass, Live};
use crate::resource::{
    AwsPartition, Bucket, Facts, FactsQuery, HostedZone, ImageFacts, KubernetesState, PublishedImage, Resource,
    TargetHealth,
};
use crate::spec::Architecture;

/// The letters of the regions whose zones are not just `a` to `c`.
const LETTERS: &[(&str, &str)] =
    &[("us-east-1", "abcdef"), ("us-west-2", "abcd"), ("ap-northeast-1", "acd"), ("us-west-1", "ab")];

/// Calls that read the facts, apart from the caller's identity.
const ASKED: [&str; 5] = [
    "GetParameters",
    "DescribeInstanceTypes",
    "DescribeInstanceTypeOfferings",
    "DescribeAvailabilityZones",
    "ListHostedZones",
];

/// The day on which the first machine images were published.
const FIRST_IMAGES: Date = date(2026, 1, 12);

/// Returns the zones of a region.
pub(super) fn zones(region: &str) -> Vec<String> {
    let letters = LETTERS.iter().find(|(name, _)| *name == region).map_or("abc", |(_, letters)| *letters);
    letters.chars().map(|letter| format!("{region}{letter}")).collect()
}

impl CloudProvider for Sandbox {
    fn account(&self) -> BoxFuture<'_, Result<String, Failure>> {
        Box::pin(async move {
            let call = ApiCall { service: "sts", action: "GetCallerIdentity".to_owned() };
            self.call(&call, false, |world, _| Ok(world.account.clone())).await
        })
    }

    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>> {
        Box::pin(async move {
            let call = ApiCall { service: "elasticloadbalancing", action: "DescribeTargetHealth".to_owned() };
            self.call(&call, false, |world, _| Ok(world.targets(group))).await
        })
    }

    fn facts<'a>(&'a self, question: &'a FactsQuery) -> BoxFuture<'a, Result<Facts, Failure>> {
        Box::pin(async move {
            for action in ASKED {
                self.count(&ApiCall { service: "sandbox", action: action.to_owned() });
            }
            let call = ApiCall { service: "sts", action: "GetCallerIdentity".to_owned() };
            self.call(&call, false, |world, _| {
                Ok(Facts {
                    account: world.account.clone(),
                    caller: arn(world, &self.settings.region),
                    region: self.settings.region.clone(),
                    zones: zones(&self.settings.region),
                    images: images(world.state.published_images),
                    own_images: question.own_images.iter().map(own_image).collect(),
                    sizes: question.sizes.iter().filter_map(|name| Some((name.clone(), sizes::size(name)?))).collect(),
                    offered: question.sizes.iter().map(|name| self.offered(name)).collect(),
                    releases: Vec::new(),
                    public_zones: public_zones(world, &question.name),
                })
            })
            .await
        })
    }

    fn unmanaged(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let call = ApiCall { service: "ec2", action: "DescribeTags".to_owned() };
            self.call(&call, false, |world, _| Ok(self.made_by_controllers(world))).await
        })
    }

    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>> {
        Box::pin(async move {
            let call = ApiCall { service: "sts", action: "GetCallerIdentity".to_owned() };
            self.call(&call, false, |world, _| Ok(arn(world, &self.settings.region))).await
        })
    }

    fn kubernetes_state(&self) -> BoxFuture<'_, Result<Option<KubernetesState>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, Failure>> {
        Box::pin(async move {
            let call = ApiCall { service: "sandbox", action: "Now".to_owned() };
            let now = self.with(|world| SimulatedAccount::timestamp(world.state.clock));
            now.map_err(|error| call.failure(FailureClass::Fatal, "SandboxFile", error.to_string()))
        })
    }

    fn server_time(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn name_servers<'a>(&'a self, _zone: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn bucket_owner(&self) -> BoxFuture<'_, Result<Option<BucketOwner>, Failure>> {
        Box::pin(async move {
            let call = ApiCall { service: "s3", action: "HeadBucket".to_owned() };
            let name = self.settings.bucket.as_deref().unwrap_or_default();
            self.call(&call, false, |world, _| Ok(world.get(Bucket::KIND.name, name).map(|_| BucketOwner::Caller)))
                .await
        })
    }

    fn api_firewall(&self) -> &dyn ApiFirewall {
        self
    }
}

impl Sandbox {
    /// Returns a size, and the zones that have it.
    fn offered(&self, name: &str) -> (String, Vec<String>) {
        let mut offered = zones(&self.settings.region);
        offered.retain(|zone| sizes::is_offered(name, zone));
        (name.to_owned(), offered)
    }
}

/// Returns the ARN of the caller.
fn arn(world: &super::SimulatedAccount, region: &str) -> String {
    AwsPartition::of(region).pattern(&format!("arn:aws:iam::{}:user/sandbox", world.account))
}

/// Returns the day of the newest machine images.
pub(super) fn image_day(published: u32) -> Date {
    FIRST_IMAGES.saturating_add(Span::new().weeks(2 * i64::from(published)))
}

/// Returns the newest machine images, after so many later ones: AWS publishes one every two weeks.
fn images(published: u32) -> BTreeMap<Architecture, PublishedImage> {
    let first = [(Architecture::X86_64, 0x0a5b_1d2c_3e4f_6071_u64), (Architecture::Arm64, 0x0b6c_2e3d_4f5a_7182)];
    let day = image_day(published);
    let image =
        |first: u64| PublishedImage { id: format!("ami-{:016x}8", first + u64::from(published)), published: Some(day) };
    first.into_iter().map(|(architecture, first)| (architecture, image(first))).collect()
}

/// Returns the facts of a custom image. Every image exists and fits, because users have no images in a simulated cloud.
fn own_image((id, architecture): (&String, &Architecture)) -> (String, ImageFacts) {
    let facts = ImageFacts { architecture: *architecture, root_device: "/dev/xvda".to_owned(), root_gib: 8 };
    (id.clone(), facts)
}

/// Returns the public zones that a name ends in, whether a cluster owns them or not.
fn public_zones(world: &super::SimulatedAccount, name: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, zone) in world.of(HostedZone::KIND.name).filter(|(_, zone)| !zone.attributes.contains_key("vpc")) {
        let domain = zone.text("name").unwrap_or_default();
        if name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')) {
            found.entry(domain.to_owned()).or_default().push(id.clone());
        }
    }
    found
}
