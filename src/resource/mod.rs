//! The vocabulary: one file per kind of object, its attributes and what a change to each means.

mod edits;
mod facts;
mod folder;
mod gate;
mod grant;
mod kubernetes;
mod location;
mod names;
mod partition;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Address, AttributeChange, Attributes, Object, Replicas, Value, Vocabulary};
pub use crate::engine::{Attribute, Input, Kind, Output};

pub use facts::{Cloud, Facts, ImageFacts, Question, SizeFacts, TargetHealth};
pub use folder::{ETCD_STATUS, Folder, STATUS, machine_file, root};
pub use gate::{Admission, Gate};
pub use grant::{Bearer, Grant, LONGEST_GRANT, PUBLIC_API_PORT};
pub use kubernetes::*;
pub use location::{ClusterLocation, LocationTraces, REGION_TAG, STATE_TAG, vpc_in};
pub use names::{
    API, BY_KUBERNETES, RECORD_LABELS, STATE_BUCKET, balancer_stem, internal_api, internal_domain, kubernetes_tag,
};
pub use partition::Partition;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The tag that says which cluster an object belongs to.
pub const CLUSTER_TAG: &str = "quorate.dev/cluster";
/// The tag that says which object of the cluster it is.
pub const OBJECT_TAG: &str = "quorate.dev/object";
/// The tag that says what a machine or a volume is for: [`MASTER`], `node` or `etcd`.
pub const ROLE_TAG: &str = "quorate.dev/role";
/// The tag, and the label of a node, that says which node group a machine belongs to.
pub const GROUP_TAG: &str = "quorate.dev/group";
/// The tag that says which master a machine or a volume belongs to: `a`, `b`, …
pub const MEMBER_TAG: &str = "quorate.dev/member";
/// The role of etcd's volumes.
pub const ETCD: &str = "etcd";
/// The role of masters.
pub const MASTER: &str = "master";

/// A kind of object with its attributes as fields.
pub trait Resource: Serialize + DeserializeOwned {
    /// What the engine has to know.
    const KIND: Kind;

    /// The address of the object of this kind with this name.
    fn address(name: &str) -> Address {
        Address::new(Self::KIND.name, name)
    }

    /// The fields as attributes.
    ///
    /// # Errors
    /// When a field has no form as an attribute: a bug in the kind.
    fn attributes(&self) -> Result<Attributes, Malformed> {
        let json = serde_json::to_value(self).map_err(|source| Malformed { kind: Self::KIND.name, source })?;
        serde_json::from_value(json).map_err(|source| Malformed { kind: Self::KIND.name, source })
    }

    /// The attributes as fields.
    ///
    /// # Errors
    /// When an attribute is missing or has another type.
    fn from_attributes(attributes: &Attributes) -> Result<Self, Malformed> {
        let malformed = |source| Malformed { kind: Self::KIND.name, source };
        serde_json::from_value(serde_json::to_value(attributes).map_err(malformed)?).map_err(malformed)
    }

    /// The object of this kind with this name.
    ///
    /// # Errors
    /// As [`Resource::attributes`].
    fn object(&self, name: &str) -> Result<Object, Malformed> {
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
pub struct Malformed {
    kind: &'static str,
    #[source]
    source: serde_json::Error,
}

/// Declares the kinds: one line each.
macro_rules! kinds {
    ($($module:ident :: $type:ident),* $(,)?) => {
        $(
            mod $module;
            pub use $module::*;
        )*

        /// Every kind of AWS, in the order of the house.
        pub const KINDS: &[Kind] = &[$($type::KIND),*];
    };
}

kinds! {
    bucket::Bucket,
    bucket_object::BucketObject,
    secret::Secret,
    vpc::Vpc,
    internet_gateway::InternetGateway,
    route_table::RouteTable,
    subnet::Subnet,
    security_group::SecurityGroup,
    security_group_rules::SecurityGroupRules,
    role::Role,
    instance_profile::InstanceProfile,
    key_pair::KeyPair,
    volume::Volume,
    launch_template::LaunchTemplate,
    autoscaling_group::AutoScalingGroup,
    load_balancer::LoadBalancer,
    target_group::TargetGroup,
    listener::Listener,
    hosted_zone::HostedZone,
    record::Record,
}

/// The kinds of this module, for the engine: AWS's and Kubernetes'.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kinds;

impl Vocabulary for Kinds {
    fn kind(&self, name: &str) -> Option<&Kind> {
        KINDS.iter().chain(KUBERNETES_KINDS).find(|kind| kind.name == name)
    }

    fn holds_data(&self, address: &Address, attributes: &Attributes) -> bool {
        self.kind(address.kind()).is_some_and(|kind| kind.data) || is_full(address, attributes)
    }

    /// The health of machines is looked after elsewhere, and a group that lacks one is no reason to wait.
    fn is_awaited(&self, address: &Address) -> bool {
        is_kubernetes(address.kind())
    }

    fn irreplaceable(&self, address: &Address) -> Option<&'static str> {
        SecretContent::named(address.name()).filter(|_| address.kind() == Secret::KIND.name)?.instead()
    }

    fn refuses(&self, address: &Address, change: &AttributeChange, wanted: &Attributes) -> Option<String> {
        edits::refuses(address, change, wanted)
    }

    fn replicas(&self, address: &Address, live: &Attributes, wanted: &Attributes) -> Option<Replicas> {
        edits::replicas(address, live, wanted)
    }

    fn pool(&self, address: &Address, attributes: &Attributes) -> Option<&'static str> {
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
