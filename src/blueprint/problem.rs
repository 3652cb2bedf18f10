//! Reasons why a cluster cannot be built, and notes about one that can.

use std::fmt;

use ipnet::Ipv4Net;

use crate::resource::{MalformedAttributes, VersionChange};
use crate::spec::{Architecture, ClusterName, ImageId, InstanceSize, KubernetesVersion, Zone};
use crate::words;

/// A cluster that cannot be built as the file describes it, with every reason.
#[derive(Debug, thiserror::Error)]
pub struct BlueprintError {
    /// The reasons, at least one.
    pub problems: Vec<BlueprintProblem>,
}

/// One reason why a cluster cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlueprintProblem {
    /// The account cannot use a zone.
    #[error(
        "the account cannot use the zone {zone}; in {region} it has {}: name some of these under `zones`",
        listed(available)
    )]
    ZoneUnavailable {
        /// The zone in the file.
        zone: Zone,
        /// The region.
        region: String,
        /// The zones that can be used.
        available: Vec<String>,
    },
    /// The region has no such instances.
    #[error("the region {region} does not offer {size} instances, which {} use: choose another `size`", listed(users))]
    SizeUnavailable {
        /// The instance size.
        size: InstanceSize,
        /// The region.
        region: String,
        /// The machines of that size: `the masters`, `the nodes "workers"`.
        users: Vec<String>,
    },
    /// A zone has no such instances.
    #[error(
        "{} not offer {size} instances, which {who} use; {}: choose another `size`, or other `zones`",
        words::list(zones) + if zones.len() == 1 { " does" } else { " do" },
        if offered.is_empty() { "no zone of the region offers them".to_owned() } else { format!("{} {} them", words::list(offered), if offered.len() == 1 { "offers" } else { "offer" }) }
    )]
    SizeNotInZone {
        /// The instance size.
        size: InstanceSize,
        /// The zones of the file that lack it.
        zones: Vec<String>,
        /// The zones of the region that have it.
        offered: Vec<String>,
        /// The machines of that size: `the masters`, `the nodes "workers"`.
        who: String,
    },
    /// A role's inline policies are longer than IAM takes.
    #[error(
        "the inline policies of the role {role} have {characters} characters; IAM allows {}. They repeat the names of the \
         cluster and of the bucket, and its prefix: choose a shorter prefix in `state`",
        crate::limits::aws::INLINE_POLICIES
    )]
    PolicyTooLong {
        /// The role's name.
        role: String,
        /// Their length in characters, without white space.
        characters: usize,
    },
    /// There is no machine image for an architecture.
    #[error(
        "the region {region} has no Amazon Linux 2023 image for {architecture}: set `image` to one of your own, or choose a \
        `size` with other processors"
    )]
    NoImage {
        /// The architecture.
        architecture: Architecture,
        /// The region.
        region: String,
    },
    /// The image that the file names does not exist.
    #[error(
        "the machine image {image} of {who} is not available in {region}. An image exists in one region, and only for its \
         owner and the accounts that it is shared with"
    )]
    ImageUnavailable {
        /// The image in the file.
        image: ImageId,
        /// The region.
        region: String,
        /// The machines that should start from it: `the masters`, `the nodes "workers"`.
        who: String,
    },
    /// The image that the file names is for other processors.
    #[error("the machine image {image} is for {found}, but {who} have {wanted} processors ({size})")]
    ImageArchitecture {
        /// The image in the file.
        image: ImageId,
        /// Its architecture.
        found: Architecture,
        /// The machines that should start from it.
        who: String,
        /// Their size.
        size: InstanceSize,
        /// Their architecture.
        wanted: Architecture,
    },
    /// The image that the file names does not fit on the root volume.
    #[error(
        "the machine image {image} needs a root volume of {gib} GiB, but that of {who} has {root_gib}: set \
         `root {{ gib = {gib} }}`"
    )]
    ImageTooLarge {
        /// The image in the file.
        image: ImageId,
        /// The image's size, GiB.
        gib: u32,
        /// The machines that should start from it.
        who: String,
        /// The size of their root volume, GiB.
        root_gib: u32,
    },
    /// A zone has no address range.
    #[error("the zone {zone} has no subnet: give it a range under `network {{ subnets }}`")]
    NoSubnet {
        /// The zone.
        zone: Zone,
    },
    /// A setting that cannot be changed on a living cluster.
    #[error("`{setting}` cannot be changed from {before} to {after} on a living cluster: {instead}")]
    Settled {
        /// The setting, as the file writes it.
        setting: &'static str,
        /// The cluster's value.
        before: String,
        /// The file's value.
        after: String,
        /// The alternative.
        instead: String,
    },
    /// The cluster runs a version that this release does not build, and the file names none.
    #[error(
        "the cluster runs Kubernetes {version}, which this release of Quorate does not build, and the file names no version. \
         Write `kubernetes = \"{next}\"` to upgrade to {next}, or use the release that built the cluster"
    )]
    EndedVersion {
        /// The version that it runs.
        version: String,
        /// The next one.
        next: String,
    },
    /// No part of the VPC is left for a new zone.
    #[error("no part of {network} is free for the zone {zone}: give it a range under `network {{ subnets }}`")]
    NoRoom {
        /// The zone.
        zone: Zone,
        /// The VPC's range.
        network: Ipv4Net,
    },
    /// The public zone that the file names does not exist.
    #[error(
        "the account has no public hosted zone {zone}; its public zones for this name: {}. Set another zone, or create it with \
         `create = true`",
        listed(found)
    )]
    PublicZoneMissing {
        /// The zone in the file.
        zone: String,
        /// The account's zones that the cluster's name ends in.
        found: Vec<String>,
    },
    /// Several public zones have the same name.
    #[error(
        "the account has {} public hosted zones with the name {zone} ({}), and it is not known which of them the domain is \
         delegated to; delete the others",
        ids.len(),
        ids.join(", ")
    )]
    PublicZoneAmbiguous {
        /// The zones' name.
        zone: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The public zone cannot hold the cluster's names.
    #[error("the hosted zone {zone} cannot hold api.{name}: the cluster's name does not end in it")]
    PublicZoneOutside {
        /// The zone in the file.
        zone: String,
        /// The cluster's name.
        name: ClusterName,
    },
    /// A service has a domain, and there is no zone for it.
    #[error(
        "the service {service} has the domain {domain}, but the account has no public hosted zone for this cluster's \
         names. Create one (`dns {{ zone = …, create = true }}`), or remove the domain"
    )]
    DomainWithoutZone {
        /// The service.
        service: String,
        /// Its domain.
        domain: String,
    },
    /// A service has a domain in another zone.
    #[error("the domain {domain} of the service {service} is not in the hosted zone {zone} of this cluster")]
    DomainOutside {
        /// The service.
        service: String,
        /// Its domain.
        domain: String,
        /// The zone.
        zone: String,
    },
    /// More targets of load balancers than node ports for them.
    #[error(
        "the load balancers of the services need {found} node ports, and {most} are available; put fewer ports \
         behind load balancers"
    )]
    TooManyNodePorts {
        /// The number of ports that are needed.
        found: usize,
        /// The maximum.
        most: usize,
    },
    /// More targets of load balancers than AWS allows for a group of machines.
    #[error(
        "the load balancers of the services need {found} target groups, and AWS allows {most} per Auto Scaling group; put \
         fewer ports behind load balancers, or an ingress of your own behind one"
    )]
    TooManyTargets {
        /// The number of target groups that are needed.
        found: usize,
        /// The maximum.
        most: usize,
    },
    /// An add-on's manifest cannot be read.
    #[error("the manifest of the add-on {addon} cannot be read: {why}")]
    AddonUnreadable {
        /// The add-on.
        addon: String,
        /// The reason.
        why: String,
    },
    /// An add-on's manifest holds an object that cannot be applied.
    #[error(
        "the manifest of the add-on {addon} holds a {what}, a type that this release does not know and that no add-on of \
         the file defines; add its CustomResourceDefinition (with that version served) as an add-on, or remove the object \
         from the manifest and apply it with kubectl"
    )]
    AddonType {
        /// The add-on.
        addon: String,
        /// The type of the object: `Room of example.com/v1`.
        what: String,
    },
    /// Two parts of the file create the same object.
    #[error("{first} and {second} both create {place}; rename one of them, or remove one")]
    SamePlace {
        /// The object: `Deployment.apps site/web`.
        place: String,
        /// The first part that creates it.
        first: String,
        /// The second part that creates it.
        second: String,
    },
    /// A machine's first script is longer than EC2 accepts.
    #[error("the user data of {machine} has {bytes} bytes; the maximum is {}", crate::limits::aws::USER_DATA)]
    UserDataTooLong {
        /// The launch template's name.
        machine: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// An object cannot be converted to attributes: a bug in this program.
    #[error(transparent)]
    Malformed(#[from] MalformedAttributes),
}

/// A note about the blueprint for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlueprintNote {
    /// The account has no public zone for the cluster's name.
    NoPublicZone {
        /// The cluster's name.
        name: ClusterName,
    },
    /// The file names no version of Kubernetes, and there is a newer one than the cluster's.
    NewerVersion {
        /// The cluster's.
        version: KubernetesVersion,
    },
    /// There are newer versions than those that the cluster has recorded.
    NewerComponents {
        /// The components.
        newer: Vec<VersionChange>,
        /// `true` if an upgrade to them replaces machines.
        replaces_machines: bool,
    },
    /// Masters stay with their data, although other zones would be safer.
    MastersTogether {
        /// The zone whose loss loses the quorum.
        zone: Zone,
        /// The masters that are in it.
        masters: Vec<String>,
    },
    /// Services scale with their load, and no add-on of the file provides metrics.
    NoMetrics {
        /// The services.
        services: Vec<String>,
    },
}

/// `a, b and c`, or `none`.
fn listed(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { words::list(items) }
}

impl BlueprintError {
    /// Returns `true` if a new cluster could be built like this, and only the living one cannot be changed to it.
    pub fn is_refusal(&self) -> bool {
        let refuses = |problem: &BlueprintProblem| {
            matches!(problem, BlueprintProblem::Settled { .. } | BlueprintProblem::EndedVersion { .. })
        };
        !self.problems.is_empty() && self.problems.iter().all(refuses)
    }
}

impl fmt::Display for BlueprintError {
    /// Writes one reason a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl From<BlueprintProblem> for BlueprintError {
    fn from(problem: BlueprintProblem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for BlueprintNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPublicZone { name } => write!(
                f,
                "no public hosted zone for {name} in this account: the API has the DNS name of its load balancer"
            ),
            Self::NewerVersion { version } => write!(
                f,
                "the file names no version of Kubernetes, so the cluster stays at {version}; `quorate upgrade --kubernetes {0}` or `kubernetes = \"{0}\"` upgrades it",
                version.next()
            ),
            Self::NewerComponents { newer, replaces_machines } => {
                let changes: Vec<String> = newer.iter().map(ToString::to_string).collect();
                let effect = if *replaces_machines { " and replaces all machines, one after the other" } else { "" };
                write!(
                    f,
                    "newer versions are available: {}. `quorate plan --upgrade` shows the changes, `quorate upgrade` makes \
                     them{effect}",
                    changes.join("; ")
                )
            }
            Self::MastersTogether { zone, masters } => write!(
                f,
                "the loss of {zone} loses the quorum: the masters {} stay there, because their data is there. set \
                 `zones` in `masters` to choose their zones",
                listed(masters)
            ),
            Self::NoMetrics { services } => write!(
                f,
                "{} scale with their load, and no add-on of this file provides metrics: add the metrics server as an `addon` \
                 (docs/services.md), unless the cluster has one already",
                listed(services)
            ),
        }
    }
}
