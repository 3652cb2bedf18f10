//! The basis of a cluster: the file and the facts, checked against each other, and the choices made from them.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use super::addons::{self, AddonObject, PinnedAddons};
use super::bootstrap_store::BootstrapStore;
use super::public_names::{PublicNames, public_names};
use super::{BlueprintError, BlueprintProblem, Pins, services, subnets, tags, upgrade};
use crate::engine::Address;
use crate::resource::{AwsPartition, ClusterLocation, Facts, ImageFacts, PublishedImage, Tags};
use crate::spec::{Architecture, Cluster, ImageId, InstanceSize, KubernetesRelease, Zone};

/// A cluster and its basis.
#[derive(Debug)]
pub(super) struct BuildContext<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The location of the machines' scripts.
    pub bootstrap: BootstrapStore,
    /// The places where machines of earlier applies got theirs, and may still write to.
    pub former: Vec<ClusterLocation>,
    /// The release of Kubernetes that machines install.
    pub release: KubernetesRelease,
    /// The zone of the cluster's public names.
    pub public: PublicNames,
    /// The port that every node has for each target of a load balancer.
    pub node_ports: BTreeMap<String, u16>,
    /// The priority of each rule of the load balancer of the web, by host and path.
    pub rule_priorities: BTreeMap<String, u32>,
    /// The objects of add-ons, in the order in which they are created.
    pub addons: Vec<AddonObject>,
    /// The address range of each zone's public subnet.
    pub subnets: BTreeMap<Zone, Ipv4Net>,
    /// The address range of each zone's private subnet; none if machines are public.
    pub private_subnets: BTreeMap<Zone, Ipv4Net>,
    /// The zone of the NAT gateway that all zones share.
    pub nat_zone: Option<Zone>,
    /// The ranges of public subnets, with those of zones that the cluster has left.
    ranges: BTreeMap<Zone, Ipv4Net>,
    /// The same for private subnets.
    private_ranges: BTreeMap<Zone, Ipv4Net>,
    account: &'a str,
    pub partition: AwsPartition,
    images: BTreeMap<Architecture, PublishedImage>,
    addon_versions: PinnedAddons,
    own_images: &'a BTreeMap<String, ImageFacts>,
    architectures: BTreeMap<&'a InstanceSize, Architecture>,
}

/// The image that a machine starts from.
#[derive(Debug)]
pub(super) struct MachineImage<'a> {
    /// The image's id.
    pub id: &'a str,
    /// The device that it starts from.
    pub root_device: &'a str,
}

/// The device that Amazon Linux 2023 starts from.
const ROOT_DEVICE: &str = "/dev/xvda";

impl<'a> BuildContext<'a> {
    /// Checks that the cluster can be built here, and makes the open choices.
    pub(super) fn survey(cluster: &'a Cluster, facts: &'a Facts, pins: &Pins) -> Result<Self, BlueprintError> {
        let mut problems: Vec<BlueprintProblem> = unusable_zones(cluster, facts).collect();
        let architectures = architectures(cluster, facts, &mut problems);
        problems.extend(lacking_zones(cluster, facts));
        problems.extend(wrong_images(cluster, facts, &architectures));
        let images = images(cluster, &architectures, facts, pins, &mut problems);
        let node_ports = services::node_ports(cluster, pins).unwrap_or_else(|problem| {
            problems.push(problem);
            BTreeMap::new()
        });
        let mut chosen = |ranges: Result<_, BlueprintProblem>| {
            ranges.unwrap_or_else(|problem| {
                problems.push(problem);
                BTreeMap::new()
            })
        };
        let subnets = chosen(subnets::public(&cluster.network, &pins.subnets));
        let private_subnets = chosen(subnets::private(&cluster.network, &pins.private_subnets));
        let addon_versions = PinnedAddons::resolve(cluster.kubernetes, pins.addons.as_ref());
        let addons = addons::parts(cluster, &addon_versions).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        match public_names(cluster, facts, pins) {
            Ok(public) if problems.is_empty() => Ok(Self {
                cluster,
                bootstrap: BootstrapStore::of(cluster, &facts.account),
                former: Vec::new(),
                release: upgrade::release(cluster.kubernetes, facts, pins),
                public,
                node_ports,
                rule_priorities: services::rule_priorities(cluster, pins),
                addons,
                ranges: subnets::remembered(&subnets, &pins.subnets),
                private_ranges: subnets::remembered(&private_subnets, &pins.private_subnets),
                subnets,
                private_subnets,
                nat_zone: subnets::nat_zone(cluster, pins.nat_zone.as_ref()),
                account: &facts.account,
                partition: AwsPartition::of(&cluster.region),
                images,
                addon_versions,
                own_images: &facts.own_images,
                architectures,
            }),
            public => {
                problems.extend(public.err());
                Err(BlueprintError { problems })
            }
        }
    }

    /// Returns the tags of an object that the console shows as `name`.
    pub(super) fn tags(&self, address: &Address, name: &str) -> Tags {
        tags::tags(self.cluster, address, name)
    }

    /// Returns the same tags with the location of the cluster: for objects without a region, and for the network that holds all
    /// others.
    pub(super) fn tags_with_location(&self, address: &Address, name: &str) -> Tags {
        let mut tags = self.tags(address, name);
        tags.extend(self.location().tags());
        tags
    }

    /// Returns the location of the cluster.
    fn location(&self) -> ClusterLocation {
        self.bootstrap.location(self.cluster)
    }

    /// Returns a name below the cluster's: `a.etcd.chat.poeticoding.com`.
    pub(super) fn below(&self, label: &str) -> String {
        format!("{label}.{}", self.cluster.name)
    }

    /// Returns the image for machines of a size: the one that the file names for them, or Amazon Linux.
    pub(super) fn image<'s>(
        &'s self,
        size: &InstanceSize,
        own: Option<&'s ImageId>,
    ) -> Result<MachineImage<'s>, BlueprintProblem> {
        if let Some(own) = own {
            let facts = self.own_images.get(own.as_str()).ok_or_else(|| BlueprintProblem::ImageUnavailable {
                image: own.clone(),
                region: self.cluster.region.clone(),
                who: format!("machines of size {size}"),
            })?;
            return Ok(MachineImage { id: own.as_str(), root_device: &facts.root_device });
        }
        let image = self.architectures.get(size).and_then(|architecture| self.images.get(architecture));
        image.map(|image| MachineImage { id: &image.id, root_device: ROOT_DEVICE }).ok_or_else(|| {
            BlueprintProblem::SizeUnavailable {
                size: size.clone(),
                region: self.cluster.region.clone(),
                users: Vec::new(),
            }
        })
    }

    /// Returns the ARN of an object in the cluster's region and account: `arn("ec2", "volume/*")`.
    pub(super) fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{rest}", self.partition.id(), self.cluster.region, self.account)
    }

    /// Returns the ARN of an object that belongs to no region: a bucket's object, a hosted zone.
    pub(super) fn global_arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:::{rest}", self.partition.id())
    }

    /// Returns the choices that were made.
    pub(super) fn pins(&self) -> Pins {
        let public_zone = self.public.found().map(str::to_owned);
        Pins {
            images: self.images.clone(),
            release: Some(self.release),
            addons: Some(self.addon_versions.clone()),
            public_zone,
            node_ports: self.node_ports.clone(),
            rule_priorities: self.rule_priorities.clone(),
            subnets: self.ranges.clone(),
            private_subnets: self.private_ranges.clone(),
            nat_zone: self.nat_zone.clone(),
            ..Pins::default()
        }
    }
}

/// Returns problems for zones of the file that the account cannot use or that have no address range.
fn unusable_zones<'a>(cluster: &'a Cluster, facts: &'a Facts) -> impl Iterator<Item = BlueprintProblem> + 'a {
    let used = cluster.zones.iter().chain(&cluster.masters.zones);
    let used: BTreeSet<&Zone> = used.chain(cluster.nodes.values().flat_map(|group| &group.zones)).collect();
    used.into_iter().filter_map(|zone| {
        if !facts.zones.iter().any(|known| known == zone.as_str()) {
            let (region, available) = (cluster.region.clone(), facts.zones.clone());
            Some(BlueprintProblem::ZoneUnavailable { zone: zone.clone(), region, available })
        } else if !cluster.network.subnets.contains_key(zone) {
            Some(BlueprintProblem::NoSubnet { zone: zone.clone() })
        } else {
            None
        }
    })
}

/// Returns problems for zones of the file that do not offer the instance sizes that should be there: none of several sizes.
fn lacking_zones<'a>(cluster: &'a Cluster, facts: &'a Facts) -> impl Iterator<Item = BlueprintProblem> + 'a {
    machines(cluster).filter_map(|alike| {
        let known: Vec<&Vec<String>> = alike.sizes().filter_map(|size| facts.offered.get(size.as_str())).collect();
        let offered: Vec<String> =
            facts.zones.iter().filter(|zone| known.iter().any(|of| of.contains(zone))).cloned().collect();
        if known.is_empty() {
            return None;
        }
        let usable = |zone: &&Zone| facts.zones.iter().any(|known| known == zone.as_str());
        let lacks = |zone: &&Zone| !offered.iter().any(|known| known == zone.as_str());
        let zones: BTreeSet<&Zone> = alike.zones.iter().filter(usable).filter(lacks).collect();
        let zones: Vec<String> = zones.into_iter().map(ToString::to_string).collect();
        // A size that the whole region lacks is reported as such.
        let is_reported = facts.sizes.contains_key(alike.size.as_str()) && !zones.is_empty();
        is_reported.then(|| BlueprintProblem::SizeNotInZone {
            size: alike.size.clone(),
            zones,
            offered,
            who: alike.who,
        })
    })
}

/// Machines of the file that are equal.
struct EqualMachines<'a> {
    /// The machines: `the masters`, `the nodes "workers"`.
    who: String,
    size: &'a InstanceSize,
    other_sizes: &'a [InstanceSize],
    zones: &'a [Zone],
    image: Option<&'a ImageId>,
    root_gib: u32,
}

impl<'a> EqualMachines<'a> {
    /// Returns every size that they may have.
    fn sizes(&self) -> impl Iterator<Item = &'a InstanceSize> + use<'a> {
        std::iter::once(self.size).chain(self.other_sizes)
    }
}

/// Returns the masters, and each group of nodes.
fn machines(cluster: &Cluster) -> impl Iterator<Item = EqualMachines<'_>> {
    let masters = &cluster.masters;
    let masters = EqualMachines {
        who: "the masters".to_owned(),
        size: &masters.size,
        other_sizes: &[],
        zones: &masters.zones,
        image: masters.image.as_ref(),
        root_gib: masters.root.gib,
    };
    let nodes = cluster.nodes.iter().map(|(name, group)| EqualMachines {
        who: format!("the nodes \"{name}\""),
        size: &group.size,
        other_sizes: &group.other_sizes,
        zones: &group.zones,
        image: group.image.as_ref(),
        root_gib: group.root.gib,
    });
    std::iter::once(masters).chain(nodes)
}

/// Returns the architecture of every instance size in the file.
fn architectures<'a>(
    cluster: &'a Cluster,
    facts: &Facts,
    problems: &mut Vec<BlueprintProblem>,
) -> BTreeMap<&'a InstanceSize, Architecture> {
    let mut users: BTreeMap<&InstanceSize, Vec<String>> = BTreeMap::new();
    for alike in machines(cluster) {
        for size in alike.sizes() {
            users.entry(size).or_default().push(alike.who.clone());
        }
    }
    let mut known = BTreeMap::new();
    for (size, users) in users {
        if let Some(facts) = facts.sizes.get(size.as_str()) {
            known.insert(size, facts.architecture);
        } else {
            problems.push(BlueprintProblem::SizeUnavailable {
                size: size.clone(),
                region: cluster.region.clone(),
                users,
            });
        }
    }
    known
}

/// Returns problems for images of the file that do not exist, or that its machines cannot start from.
fn wrong_images(
    cluster: &Cluster,
    facts: &Facts,
    architectures: &BTreeMap<&InstanceSize, Architecture>,
) -> impl Iterator<Item = BlueprintProblem> {
    machines(cluster).filter_map(|alike| {
        let (image, who) = (alike.image?.clone(), alike.who);
        let Some(known) = facts.own_images.get(image.as_str()) else {
            return Some(BlueprintProblem::ImageUnavailable { image, region: cluster.region.clone(), who });
        };
        let (found, size) = (known.architecture, alike.size);
        match architectures.get(size) {
            Some(&wanted) if wanted != found => {
                Some(BlueprintProblem::ImageArchitecture { image, found, who, size: size.clone(), wanted })
            }
            _ if known.root_gib > alike.root_gib => {
                Some(BlueprintProblem::ImageTooLarge { image, gib: known.root_gib, who, root_gib: alike.root_gib })
            }
            _ => None,
        }
    })
}

/// Returns the image of every architecture of machines that have none of their own: the pinned one, or the newest.
fn images(
    cluster: &Cluster,
    architectures: &BTreeMap<&InstanceSize, Architecture>,
    facts: &Facts,
    pins: &Pins,
    problems: &mut Vec<BlueprintProblem>,
) -> BTreeMap<Architecture, PublishedImage> {
    let mut images = BTreeMap::new();
    let plain = machines(cluster).filter(|alike| alike.image.is_none());
    for &architecture in plain.filter_map(|alike| architectures.get(alike.size)).collect::<BTreeSet<_>>() {
        if let Some(image) = pins.images.get(&architecture).or_else(|| facts.images.get(&architecture)) {
            images.insert(architecture, image.clone());
        } else {
            problems.push(BlueprintProblem::NoImage { architecture, region: facts.region.clone() });
        }
    }
    images
}
