//! The vocabulary: one file per kind of object, with its attributes and the effect of a change to each.

mod api_firewall;
mod calls;
mod drain;
mod edits;
mod facts;
mod grant;
mod key_prefix;
mod kubernetes;
mod location;
mod names;
mod partition;
mod policy;
mod price;
mod purchase;
mod quantity;
mod quota;
mod summary;
mod taint;
pub mod text;
mod version_change;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Address, AttributeChange, Attributes, DataReplicas, KindRegistry, Object, Value};
pub use crate::engine::{Attribute, Kind, OutputSpec, TextInput};
use crate::limits::AttributeLimit;
use crate::limits::tags::TagLimits;

pub use api_firewall::AllowList;
pub use calls::KindCalls;
pub use drain::DrainProgress;
pub use edits::is_node_group;
pub use facts::{
    ClusterNode, Facts, FactsQuery, ImageFacts, KnownFacts, KubernetesState, PublishedImage, SizeFacts, TargetHealth,
    WorkloadPods,
};
pub use grant::{AccessGrant, Grantee, LONGEST_GRANT, PUBLIC_API_PORT};
pub use key_prefix::{ETCD_STATUS, KeyPrefix, STATUS, machine_file, root};
pub use kubernetes::*;
pub use location::{ClusterLocation, LocationTraces, REGION_TAG, STATE_TAG, vpc_in};
pub use names::{
    API, BY_KUBERNETES, NODE_REGISTRATIONS, NODE_SCRIPT, RECORD_LABELS, STATE_BUCKET, WEB, balancer_stem, internal_api,
    internal_domain, is_private_subnet, kubernetes_tag, master_of_group, masters_group, private_subnet, service_object,
    service_of_object, service_of_web_target, web_target,
};
pub use partition::AwsPartition;
pub use policy::{PermissionCheck, PolicyStatement, RefusedBy, assumed_by_ec2, literally, policy_document};
pub use price::{NotAPriceName, PriceAnswers, PriceName};
pub use purchase::{PurchaseOption, PurchaseOptionError, SpotDistribution};
pub use quantity::{quantity_bytes, quantity_millicpus};
pub use quota::{AccountQuota, QuotaNeed};
pub use summary::NewAttributes;
pub use taint::{accepts_pods, evicts_pods, taint_tags};
pub use version_change::VersionChange;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The tag with the cluster that an object belongs to.
pub const CLUSTER_TAG: &str = "quorate.dev/cluster";
/// The tag with the object's address in the cluster.
pub const OBJECT_TAG: &str = "quorate.dev/object";
/// The tag with the purpose of a machine or a volume: [`MASTER`], `node` or `etcd`.
pub const ROLE_TAG: &str = "quorate.dev/role";
/// The tag, and the label of a node, with the node group that a machine belongs to.
pub const GROUP_TAG: &str = "quorate.dev/group";
/// The tag with the master that a machine or a volume belongs to: `a`, `b`, …
pub const MEMBER_TAG: &str = "quorate.dev/member";
/// The role of etcd's volumes.
pub const ETCD: &str = "etcd";
/// The role of masters.
pub const MASTER: &str = "master";

/// A kind of object with its attributes as fields.
pub trait Resource: Serialize + DeserializeOwned {
    /// The kind's properties for the engine.
    const KIND: Kind;

    /// The permissions that its calls need.
    const CALLS: KindCalls;

    /// `true` for a kind that few clusters have and whose observation costs calls of its own: it is observed only where the file
    /// or the record has it, and before a destroy.
    const OPTIONAL: bool = false;

    /// The limits of its service for the attributes. Tags have limits of their own.
    const LIMITS: &'static [AttributeLimit] = &[];

    /// The tags that its service takes.
    const TAG_LIMITS: TagLimits = TagLimits::USUAL;

    /// Returns a short summary that distinguishes a new object of this kind, for the list of creations in a plan. Empty
    /// if nothing but its name does.
    fn summary(_new: &NewAttributes<'_>) -> String {
        String::new()
    }

    /// Returns the address of the object of this kind with this name.
    fn address(name: &str) -> Address {
        Address::new(Self::KIND.name, name)
    }

    /// Returns the fields as attributes.
    ///
    /// # Errors
    /// Returns an error if a field cannot be represented as an attribute: a bug in the kind.
    fn attributes(&self) -> Result<Attributes, MalformedAttributes> {
        let json =
            serde_json::to_value(self).map_err(|source| MalformedAttributes { kind: Self::KIND.name, source })?;
        serde_json::from_value(json).map_err(|source| MalformedAttributes { kind: Self::KIND.name, source })
    }

    /// Returns the fields from attributes.
    ///
    /// # Errors
    /// Returns an error if an attribute is missing or has another type.
    fn from_attributes(attributes: &Attributes) -> Result<Self, MalformedAttributes> {
        let malformed = |source| MalformedAttributes { kind: Self::KIND.name, source };
        serde_json::from_value(serde_json::to_value(attributes).map_err(malformed)?).map_err(malformed)
    }

    /// Returns the object of this kind with this name.
    ///
    /// # Errors
    /// As [`Resource::attributes`].
    fn object(&self, name: &str) -> Result<Object, MalformedAttributes> {
        Ok(Object {
            address: Self::address(name),
            attributes: self.attributes()?,
            depends_on: BTreeSet::new(),
            lane: None,
            payload: None,
        })
    }
}

/// Attributes that do not fit their kind.
#[derive(Debug, thiserror::Error)]
#[error("the attributes do not fit the kind `{kind}`")]
pub struct MalformedAttributes {
    kind: &'static str,
    #[source]
    source: serde_json::Error,
}

/// The registry of the kinds of AWS, one line each: hands them to the macro of this name. The modules and tables of
/// `aws` are made of it too.
macro_rules! kind_registry {
    ($callback:ident) => {
        $callback! {
            bucket::Bucket,
            bucket_object::BucketObject,
            secret::Secret,
            vpc::Vpc,
            internet_gateway::InternetGateway,
            route_table::RouteTable,
            subnet::Subnet,
            elastic_ip::ElasticIp,
            nat_gateway::NatGateway,
            vpc_endpoint::VpcEndpoint,
            security_group::SecurityGroup,
            security_group_rules::SecurityGroupRules,
            role::Role,
            instance_profile::InstanceProfile,
            key_pair::KeyPair,
            volume::EbsVolume,
            launch_template::LaunchTemplate,
            autoscaling_group::AutoScalingGroup,
            load_balancer::LoadBalancer,
            target_group::TargetGroup,
            listener::Listener,
            hosted_zone::HostedZone,
            record::DnsRecord,
            certificate::Certificate,
            application_load_balancer::ApplicationLoadBalancer,
            http_listener::HttpListener,
            listener_rule::ListenerRule,
        }
    };
}
pub(crate) use kind_registry;

/// Declares the modules of the kinds, and makes their table.
macro_rules! kinds {
    ($($module:ident :: $type:ident),* $(,)?) => {
        $(
            mod $module;
            pub use $module::*;
        )*

        /// Every kind of AWS object, in the order in which plans list them.
        pub const KINDS: &[Kind] = &[$($type::KIND),*];

        /// The same with what is not the engine's business.
        const DETAILS: &[KindDetails] = &[$(KindDetails::of::<$type>()),*];
    };
}

kind_registry!(kinds);

/// The properties of a kind beside its rules for the engine.
struct KindDetails {
    name: &'static str,
    calls: &'static KindCalls,
    optional: bool,
    limits: &'static [AttributeLimit],
    tag_limits: TagLimits,
    summary: fn(&NewAttributes<'_>) -> String,
}

impl KindDetails {
    const fn of<K: Resource>() -> Self {
        Self {
            name: K::KIND.name,
            calls: &K::CALLS,
            optional: K::OPTIONAL,
            limits: K::LIMITS,
            tag_limits: K::TAG_LIMITS,
            summary: K::summary,
        }
    }

    fn named(kind: &str) -> Option<&'static Self> {
        DETAILS.iter().find(|details| details.name == kind)
    }
}

/// Returns the permissions that the calls of a kind of AWS need; `None` for other kinds.
pub fn calls(kind: &str) -> Option<&'static KindCalls> {
    KindDetails::named(kind).map(|details| details.calls)
}

/// Returns `true` for a kind that is observed only where the file or the record has it, and before a destroy.
pub fn is_optional(kind: &str) -> bool {
    KindDetails::named(kind).is_some_and(|details| details.optional)
}

/// Returns what the service of a kind takes for its attributes.
pub fn limits(kind: &str) -> &'static [AttributeLimit] {
    KindDetails::named(kind).map_or(&[], |details| details.limits)
}

/// Returns the tags that the service of a kind takes.
pub fn tag_limits(kind: &str) -> TagLimits {
    KindDetails::named(kind).map_or(TagLimits::USUAL, |details| details.tag_limits)
}

/// Returns a short summary that distinguishes a new object of a kind; empty if only its name does.
pub fn summary(kind: &str, new: &NewAttributes<'_>) -> String {
    KindDetails::named(kind).map_or_else(|| kubernetes::summary(kind, new), |details| (details.summary)(new))
}

/// The kinds of this module, for the engine: those of AWS and of Kubernetes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceKinds;

impl KindRegistry for ResourceKinds {
    fn kind(&self, name: &str) -> Option<&Kind> {
        KINDS.iter().chain(KUBERNETES_KINDS).find(|kind| kind.name == name)
    }

    fn holds_data(&self, address: &Address, attributes: &Attributes) -> bool {
        self.kind(address.kind()).is_some_and(|kind| kind.data) || is_full(address, attributes)
    }

    /// The health of machines is checked elsewhere, and a group that lacks one is no reason to wait.
    fn is_awaited(&self, address: &Address) -> bool {
        is_kubernetes(address.kind())
    }

    fn holds_up_others(&self, address: &Address) -> bool {
        address.kind() == JOB
    }

    fn irreplaceable(&self, address: &Address) -> Option<&'static str> {
        SecretContent::named(address.name()).filter(|_| address.kind() == Secret::KIND.name)?.instead()
    }

    fn refuses_removal(&self, address: &Address) -> Option<&'static str> {
        edits::refuses_removal(address)
    }

    fn refuses(&self, address: &Address, change: &AttributeChange, wanted: &Attributes) -> Option<String> {
        edits::refuses(address, change, wanted)
    }

    fn replicas(&self, address: &Address, live: &Attributes, wanted: &Attributes) -> Option<DataReplicas> {
        edits::replicas(address, live, wanted)
    }

    fn is_broken(&self, address: &Address, live: &Attributes) -> bool {
        let machines = live.get("machines").and_then(Value::as_text);
        address.kind() == AutoScalingGroup::KIND.name && machines.is_some_and(AutoScalingGroup::has_broken_machines)
    }

    fn pool(&self, address: &Address, attributes: &Attributes) -> Option<Cow<'static, str>> {
        edits::pool(address, attributes)
    }
}

/// Reads the tags attribute of an object.
pub fn tags_of(attributes: &Attributes) -> Tags {
    tags_in(attributes, "tags")
}

/// Reads an attribute that holds tags.
fn tags_in(attributes: &Attributes, name: &str) -> Tags {
    match attributes.get(name) {
        Some(Value::Map(tags)) => {
            tags.iter().filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned()))).collect()
        }
        _ => Tags::new(),
    }
}
