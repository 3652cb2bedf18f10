//! Facts about the account and the region, read before anything is built, in one round of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_sdk_ec2::types::{
    ArchitectureType, ArchitectureValues, Image, InstanceTypeInfo, InstanceTypeOffering, LocationType,
};
use aws_sdk_ssm::types::Parameter;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::AwsProvider;
use super::ec2::{EC2, filter};
use super::server_clock::ServerClock;
use super::zone_listing::{ListedZone, ListingUser};
use super::zones::{all, is_within};
use crate::cloud::{
    ApiFirewall, BucketOwner, CloudProvider, KnownBalancer, MachineAccess, NodeDrain, PermissionSimulator, PriceList,
    QuotaService,
};
use crate::engine::{BoxFuture, Failure, Live};
use crate::resource::{
    Facts, FactsQuery, ImageFacts, KnownFacts, KubernetesState, PublishedImage, SizeFacts, TargetHealth,
};
use crate::spec::Architecture;

/// The parameters under which AWS publishes the newest images of Amazon Linux 2023.
const IMAGES: [(Architecture, &str); 2] = [
    (Architecture::X86_64, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"),
    (Architecture::Arm64, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"),
];

impl CloudProvider for AwsProvider {
    fn drain_with(&self, drain: Arc<dyn NodeDrain>) {
        // The first one stays: a run has one cluster.
        let _ = self.drain.set(drain);
    }

    fn account(&self) -> BoxFuture<'_, Result<String, Failure>> {
        Box::pin(async move { caller(self).await.map(|(account, _)| account) })
    }

    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>> {
        Box::pin(super::target_group::health(self, group))
    }

    fn kubernetes_state(&self) -> BoxFuture<'_, Result<Option<KubernetesState>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, Failure>> {
        Box::pin(std::future::ready(Ok(Timestamp::now())))
    }

    fn facts<'a>(&'a self, question: &'a FactsQuery) -> BoxFuture<'a, Result<Facts, Failure>> {
        Box::pin(async move {
            let ((account, caller), images, own_images, known, public_zones) = tokio::try_join!(
                caller(self),
                images(self, !question.skips_images),
                own_images(self, question),
                known(self, question),
                all(self, ListingUser::Facts),
            )?;
            let KnownFacts { zones, sizes, offered } = known;
            let public_zones = public(&public_zones, &question.name);
            let region = self.scope.region.clone();
            Ok(Facts {
                account,
                caller,
                region,
                zones,
                images,
                own_images,
                sizes,
                offered,
                releases: Vec::new(),
                public_zones,
            })
        })
    }

    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>> {
        Box::pin(async move { Ok(caller(self).await?.1) })
    }

    fn server_time(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Failure>> {
        Box::pin(async move {
            let clock = ServerClock::default();
            let request = self.sts.get_caller_identity().customize().interceptor(clock.clone());
            let answer = self.send("sts", "GetCallerIdentity", request.send()).await;
            match (clock.now().and_then(|time| Timestamp::from_second(time.secs()).ok()), answer) {
                (None, Err(failure)) => Err(failure),
                (time, _) => Ok(time),
            }
        })
    }

    fn known_balancer(&self) -> BoxFuture<'_, KnownBalancer> {
        Box::pin(async move { self.api.lock().await.clone() })
    }

    fn expect(&self, kinds: BTreeSet<&'static str>) {
        self.expected.set(kinds);
    }

    fn leave_out_details(&self) {
        self.is_shallow.store(true, Ordering::Relaxed);
    }

    fn bucket_owner(&self) -> BoxFuture<'_, Result<Option<BucketOwner>, Failure>> {
        Box::pin(super::bucket::owner(self))
    }

    fn name_servers<'a>(&'a self, zone: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(super::hosted_zone::delegation_set(self, zone))
    }

    fn api_firewall(&self) -> &dyn ApiFirewall {
        self
    }

    fn machine_access(&self) -> Option<&dyn MachineAccess> {
        Some(self)
    }

    fn quotas(&self) -> Option<&dyn QuotaService> {
        Some(self)
    }

    fn price_list(&self) -> Option<&dyn PriceList> {
        super::price_list::price_list(self)
    }

    fn permission_simulator(&self) -> Option<&dyn PermissionSimulator> {
        Some(self)
    }

    fn unmanaged(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        Box::pin(super::unmanaged::unmanaged(self))
    }
}

/// Returns the account and the ARN of the caller, which do not change during a run.
async fn caller(aws: &AwsProvider) -> Result<(String, String), Failure> {
    let ask = async || {
        let answer = aws.read("sts", "GetCallerIdentity", || aws.sts.get_caller_identity().send()).await?;
        Ok((answer.account.unwrap_or_default(), answer.arn.unwrap_or_default()))
    };
    aws.caller.get_or_try_init(ask).await.cloned()
}

/// Returns the facts that an earlier run may have recorded.
async fn known(aws: &AwsProvider, question: &FactsQuery) -> Result<KnownFacts, Failure> {
    if let Some(known) = &question.known {
        return Ok(known.clone());
    }
    let (sizes, offered, zones) =
        tokio::try_join!(sizes(aws, &question.sizes), offered(aws, &question.sizes), zones(aws))?;
    Ok(KnownFacts { zones, sizes, offered })
}

async fn images(aws: &AwsProvider, wanted: bool) -> Result<BTreeMap<Architecture, PublishedImage>, Failure> {
    if !wanted {
        return Ok(BTreeMap::new());
    }
    let names: Vec<String> = IMAGES.iter().map(|(_, name)| (*name).to_owned()).collect();
    let request = || aws.ssm.get_parameters().set_names(Some(names.clone())).send();
    let answer = aws.read("ssm", "GetParameters", request).await?;
    Ok(answer.parameters().iter().filter_map(image).collect())
}

fn image(parameter: &Parameter) -> Option<(Architecture, PublishedImage)> {
    let (architecture, _) = IMAGES.iter().find(|(_, name)| parameter.name() == Some(name))?;
    let changed = parameter.last_modified_date().and_then(|time| Timestamp::from_second(time.secs()).ok());
    let published = changed.map(|time| time.to_zoned(TimeZone::UTC).date());
    Some((*architecture, PublishedImage { id: parameter.value()?.to_owned(), published }))
}

/// Returns the images that the file names, if machines can start from them. Read by filter: a list of ids would fail as
/// a whole if one of them did not exist.
async fn own_images(aws: &AwsProvider, question: &FactsQuery) -> Result<BTreeMap<String, ImageFacts>, Failure> {
    if question.own_images.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids = question.own_images.keys().cloned().collect();
    let ids = aws_sdk_ec2::types::Filter::builder().name("image-id").set_values(Some(ids)).build();
    let available = filter("state", "available");
    let request = || aws.ec2.describe_images().filters(ids.clone()).filters(available.clone()).send();
    let answer = aws.read(EC2, "DescribeImages", request).await?;
    Ok(answer.images().iter().filter_map(own_image).collect())
}

fn own_image(image: &Image) -> Option<(String, ImageFacts)> {
    let architecture = match image.architecture()? {
        ArchitectureValues::Arm64 => Architecture::Arm64,
        ArchitectureValues::X8664 => Architecture::X86_64,
        _ => return None,
    };
    let root_device = image.root_device_name()?.to_owned();
    let root = image.block_device_mappings().iter().find(|disk| disk.device_name() == Some(root_device.as_str()));
    let root_gib = root.and_then(|disk| disk.ebs()?.volume_size()?.try_into().ok()).unwrap_or_default();
    Some((image.image_id()?.to_owned(), ImageFacts { architecture, root_device, root_gib }))
}

/// Read by filter: a list of names would fail as a whole if the region did not have one of them.
async fn sizes(aws: &AwsProvider, names: &[String]) -> Result<BTreeMap<String, SizeFacts>, Failure> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = aws_sdk_ec2::types::Filter::builder().name("instance-type").set_values(Some(names.to_vec())).build();
    let pages =
        || aws.ec2.describe_instance_types().filters(wanted.clone()).into_paginator().items().send().try_collect();
    let types: Vec<InstanceTypeInfo> = aws.read(EC2, "DescribeInstanceTypes", pages).await?;
    Ok(types.iter().filter_map(size).collect())
}

/// Returns the zones that offer each size, in one call for all of them. Some zones of a region may lack a size.
async fn offered(aws: &AwsProvider, names: &[String]) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = aws_sdk_ec2::types::Filter::builder().name("instance-type").set_values(Some(names.to_vec())).build();
    let pages = || {
        let request = aws.ec2.describe_instance_type_offerings().location_type(LocationType::AvailabilityZone);
        request.filters(wanted.clone()).into_paginator().items().send().try_collect()
    };
    let offerings: Vec<InstanceTypeOffering> = aws.read(EC2, "DescribeInstanceTypeOfferings", pages).await?;
    let mut offered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for offering in &offerings {
        if let (Some(size), Some(zone)) = (offering.instance_type(), offering.location()) {
            offered.entry(size.as_str().to_owned()).or_default().push(zone.to_owned());
        }
    }
    for zones in offered.values_mut() {
        zones.sort_unstable();
    }
    Ok(offered)
}

fn size(info: &InstanceTypeInfo) -> Option<(String, SizeFacts)> {
    let architectures = info.processor_info()?.supported_architectures();
    let architecture = if architectures.contains(&ArchitectureType::Arm64) {
        Architecture::Arm64
    } else if architectures.contains(&ArchitectureType::X8664) {
        Architecture::X86_64
    } else {
        return None;
    };
    let vcpus = info.v_cpu_info()?.default_v_cpus()?.try_into().ok()?;
    let memory_mib = info.memory_info()?.size_in_mib()?.try_into().ok()?;
    Some((info.instance_type()?.as_str().to_owned(), SizeFacts { architecture, vcpus, memory_mib }))
}

/// Returns the zones of the region itself: local zones and the like need an opt-in, and lack services of a cluster.
async fn zones(aws: &AwsProvider) -> Result<Vec<String>, Failure> {
    let request = || {
        let request = aws.ec2.describe_availability_zones();
        request.filters(filter("state", "available")).filters(filter("opt-in-status", "opt-in-not-required")).send()
    };
    let answer = aws.read(EC2, "DescribeAvailabilityZones", request).await?;
    let mut zones: Vec<_> = answer.availability_zones().iter().filter_map(|zone| zone.zone_name()).collect();
    zones.sort_unstable();
    Ok(zones.into_iter().map(str::to_owned).collect())
}

fn public(zones: &[ListedZone], cluster: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for zone in zones.iter().filter(|zone| !zone.private && is_within(cluster, &zone.name)) {
        found.entry(zone.name.clone()).or_default().push(zone.id.clone());
    }
    for ids in found.values_mut() {
        ids.sort_unstable();
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice, InstanceType, MemoryInfo, ProcessorInfo, VCpuInfo};

    use super::*;

    fn described(architectures: &[ArchitectureType]) -> InstanceTypeInfo {
        let processor = ProcessorInfo::builder().set_supported_architectures(Some(architectures.to_vec())).build();
        InstanceTypeInfo::builder()
            .instance_type(InstanceType::T3Medium)
            .processor_info(processor)
            .v_cpu_info(VCpuInfo::builder().default_v_cpus(2).build())
            .memory_info(MemoryInfo::builder().size_in_mib(4096).build())
            .build()
    }

    #[test]
    fn a_size_is_of_the_architecture_that_images_exist_for() {
        let (name, facts) = size(&described(&[ArchitectureType::I386, ArchitectureType::X8664])).unwrap();
        assert_eq!((name.as_str(), facts.architecture), ("t3.medium", Architecture::X86_64));
        assert_eq!((facts.vcpus, facts.memory_mib), (2, 4096));
        assert_eq!(size(&described(&[ArchitectureType::Arm64])).unwrap().1.architecture, Architecture::Arm64);
        assert_eq!(size(&described(&[ArchitectureType::Arm64Mac])), None);
    }

    #[test]
    fn an_image_has_its_requirements() {
        let disk = |name: &str, gib| {
            let ebs = EbsBlockDevice::builder().volume_size(gib).build();
            BlockDeviceMapping::builder().device_name(name).ebs(ebs).build()
        };
        let reported = |architecture| {
            let image = Image::builder().image_id("ami-1").architecture(architecture).root_device_name("/dev/sda1");
            image.block_device_mappings(disk("/dev/sdb", 100)).block_device_mappings(disk("/dev/sda1", 8)).build()
        };
        let facts = ImageFacts { architecture: Architecture::Arm64, root_device: "/dev/sda1".to_owned(), root_gib: 8 };
        assert_eq!(own_image(&reported(ArchitectureValues::Arm64)), Some(("ami-1".to_owned(), facts)));
        assert_eq!(own_image(&reported(ArchitectureValues::I386)), None);
    }

    #[test]
    fn public_zones_are_those_that_the_name_ends_in() {
        let zone = |id: &str, name: &str, private| ListedZone {
            id: id.into(),
            name: name.into(),
            private,
            comment: String::new(),
        };
        let zones = [
            zone("Z2", "example.com", false),
            zone("Z1", "example.com", false),
            zone("Z3", "c.example.com", false),
            zone("Z4", "example.com", true),
            zone("Z5", "xample.com", false),
            zone("Z6", "api.c.example.com", false),
        ];
        let found = public(&zones, "c.example.com");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["c.example.com", "example.com"]);
        assert_eq!(found["example.com"], ["Z1", "Z2"]);
    }

    #[test]
    fn only_the_images_that_were_asked_for_count() {
        let parameter = |name: &str| Parameter::builder().name(name).value("ami-1").build();
        assert_eq!(image(&parameter(IMAGES[1].1)), Some((Architecture::Arm64, "ami-1".into())));
        assert_eq!(image(&parameter("/aws/service/else")), None);
    }
}
