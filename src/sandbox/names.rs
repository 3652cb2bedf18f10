//! Names that look like AWS's: ids, ARNs, codes of failures.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::account::SimulatedAccount;
use crate::engine::{Address, Failure, FailureClass, OutputShape};
use crate::resource::{AwsPartition, Kind, is_kubernetes};

/// The AWS names of a kind.
pub(super) struct KindWording {
    /// The kind.
    pub(super) kind: &'static str,
    /// The service.
    pub(super) service: &'static str,
    /// The noun after the verb in an action.
    pub(super) noun: &'static str,
    /// The code when it does not exist.
    pub(super) missing: &'static str,
    /// The code when one of that name exists.
    pub(super) exists: &'static str,
    /// The code when something still uses it.
    pub(super) held: &'static str,
}

const HELD: &str = "DependencyViolation";

/// One line a kind.
const IDIOMS: &[KindWording] = &[
    idiom("bucket", "s3", "Bucket", "NoSuchBucket", "BucketAlreadyExists", "BucketNotEmpty"),
    idiom("bucket-object", "s3", "Object", "NoSuchKey", "PreconditionFailed", HELD),
    idiom("secret", "s3", "Object", "NoSuchKey", "PreconditionFailed", HELD),
    idiom("vpc", "ec2", "Vpc", "InvalidVpcID.NotFound", "InvalidVpc.Conflict", HELD),
    idiom(
        "internet-gateway",
        "ec2",
        "InternetGateway",
        "InvalidInternetGatewayID.NotFound",
        "Resource.AlreadyAssociated",
        HELD,
    ),
    idiom("route-table", "ec2", "RouteTable", "InvalidRouteTableID.NotFound", "Resource.AlreadyAssociated", HELD),
    idiom("subnet", "ec2", "Subnet", "InvalidSubnetID.NotFound", "InvalidSubnet.Conflict", HELD),
    idiom("security-group", "ec2", "SecurityGroup", "InvalidGroup.NotFound", "InvalidGroup.Duplicate", HELD),
    idiom(
        "security-group-rules",
        "ec2",
        "SecurityGroupRules",
        "InvalidSecurityGroupRuleId.NotFound",
        "InvalidPermission.Duplicate",
        HELD,
    ),
    idiom("role", "iam", "Role", "NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"),
    idiom("instance-profile", "iam", "InstanceProfile", "NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"),
    idiom("key-pair", "ec2", "KeyPair", "InvalidKeyPair.NotFound", "InvalidKeyPair.Duplicate", HELD),
    idiom("volume", "ec2", "Volume", "InvalidVolume.NotFound", "InvalidVolume.Conflict", "VolumeInUse"),
    idiom(
        "launch-template",
        "ec2",
        "LaunchTemplate",
        "InvalidLaunchTemplateId.NotFound",
        "InvalidLaunchTemplateName.AlreadyExistsException",
        HELD,
    ),
    idiom("autoscaling-group", "autoscaling", "AutoScalingGroup", "ValidationError", "AlreadyExists", "ResourceInUse"),
    idiom(
        "load-balancer",
        "elbv2",
        "LoadBalancer",
        "LoadBalancerNotFound",
        "DuplicateLoadBalancerName",
        "ResourceInUse",
    ),
    idiom("target-group", "elbv2", "TargetGroup", "TargetGroupNotFound", "DuplicateTargetGroupName", "ResourceInUse"),
    idiom("listener", "elbv2", "Listener", "ListenerNotFound", "DuplicateListener", "ResourceInUse"),
    idiom("hosted-zone", "route53", "HostedZone", "NoSuchHostedZone", "HostedZoneAlreadyExists", "HostedZoneNotEmpty"),
    kubernetes("namespace", "Namespace"),
    kubernetes("manifest", "Manifest"),
    kubernetes("persistent-volume-claim", "PersistentVolumeClaim"),
    kubernetes("service", "Service"),
    kubernetes("deployment", "Deployment"),
    kubernetes("pod-disruption-budget", "PodDisruptionBudget"),
    kubernetes("horizontal-pod-autoscaler", "HorizontalPodAutoscaler"),
    idiom("record", "route53", "ResourceRecordSets", "InvalidChangeBatch", "InvalidChangeBatch", HELD),
];

/// The names for a kind without a line.
const UNKNOWN: KindWording = idiom("", "sandbox", "Object", "NotFound", "AlreadyExists", HELD);

const fn idiom(
    kind: &'static str,
    service: &'static str,
    noun: &'static str,
    missing: &'static str,
    exists: &'static str,
    held: &'static str,
) -> KindWording {
    KindWording { kind, service, noun, missing, exists, held }
}

/// Returns the names of a Kubernetes kind: the codes are the same for all.
const fn kubernetes(kind: &'static str, noun: &'static str) -> KindWording {
    idiom(kind, "kubernetes", noun, "NotFound", "AlreadyExists", "Conflict")
}

/// Returns the AWS names of a kind.
pub(super) fn idiom_of(kind: &str) -> &'static KindWording {
    IDIOMS.iter().find(|idiom| idiom.kind == kind).unwrap_or(&UNKNOWN)
}

/// A call, as a failure names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiCall {
    pub(super) service: &'static str,
    pub(super) action: String,
}

impl ApiCall {
    /// Returns the call with this verb for a kind.
    pub(super) fn new(verb: &str, kind: &str) -> Self {
        let idiom = idiom_of(kind);
        Self { service: idiom.service, action: format!("{verb}{}", idiom.noun) }
    }

    /// Returns the call that lists all objects of a kind.
    pub(super) fn list(kind: &str) -> Self {
        let Self { service, action } = Self::new("Describe", kind);
        let plural = if action.ends_with('s') { "" } else { "s" };
        Self { service, action: format!("{action}{plural}") }
    }

    /// Returns a failure of the call.
    pub(super) fn failure(&self, class: FailureClass, code: &str, message: impl Into<String>) -> Failure {
        Failure {
            class,
            service: self.service.to_owned(),
            action: self.action.clone(),
            code: Some(code.to_owned()),
            message: message.into(),
            request_id: None,
        }
    }
}

impl SimulatedAccount {
    /// Returns the next unused number with this many hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        self.made += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.made.to_be_bytes());
        let mut text = hex(&hash.finalize());
        text.truncate(digits);
        text
    }

    /// Fills in a pattern of the vocabulary.
    fn fill(&mut self, pattern: &str, region: &str, name: &str) -> String {
        let digits = if pattern.contains(":elasticloadbalancing:") || pattern.contains(".elb.") { 16 } else { 17 };
        let text = AwsPartition::of(region).pattern(pattern);
        let text = text.replace("{account}", &self.account).replace("{region}", region).replace("{name}", name);
        text.split_inclusive('}').fold(String::new(), |filled, piece| {
            if let Some(before) = piece.strip_suffix("{hex}") {
                format!("{filled}{before}{}", self.hex(digits))
            } else if let Some(before) = piece.strip_suffix("{HEX}") {
                format!("{filled}{before}{}", self.hex(20).to_uppercase())
            } else {
                format!("{filled}{piece}")
            }
        })
    }

    /// Returns the first outputs of a new object.
    pub(super) fn outputs(
        &mut self,
        kind: &Kind,
        attributes: &crate::engine::Attributes,
        region: &str,
    ) -> std::collections::BTreeMap<String, String> {
        let text = |name: &str| attributes.get(name).and_then(crate::engine::Value::as_text);
        // A listener is called after its load balancer: `…:loadbalancer/net/NAME/HEX`.
        let balancer = text("load_balancer").and_then(|arn| arn.split('/').nth(2));
        let name = text("name").or(balancer).unwrap_or_default().to_owned();
        let mut outputs = std::collections::BTreeMap::new();
        for output in kind.outputs {
            let value = match output.shape {
                OutputShape::Pattern(pattern) => self.fill(pattern, region, &name),
                OutputShape::Attribute(attribute) => text(attribute).unwrap_or_default().to_owned(),
                OutputShape::Version => "1".to_owned(),
            };
            outputs.insert(output.name.to_owned(), value);
        }
        outputs
    }
}

/// Returns the cloud's identifier of an object with these outputs and attributes.
pub(super) fn id(
    kind: &Kind,
    outputs: &std::collections::BTreeMap<String, String>,
    attributes: &crate::engine::Attributes,
) -> String {
    let text = |name: &str| attributes.get(name).and_then(crate::engine::Value::as_text).unwrap_or_default();
    match kind.name {
        "record" => format!("{}/{}/{}", text("zone"), text("name"), text("record_type")),
        "bucket-object" | "secret" => format!("{}/{}", text("bucket"), text("key")),
        "bucket" | "autoscaling-group" | "role" | "instance-profile" => text("name").to_owned(),
        kind if is_kubernetes(kind) => {
            let places = [text("kind"), text("metadata.namespace"), text("metadata.name")];
            places.into_iter().filter(|place| !place.is_empty()).collect::<Vec<_>>().join("/")
        }
        _ => ["id", "arn", "name", "group"].iter().find_map(|output| outputs.get(*output).cloned()).unwrap_or_default(),
    }
}

/// Returns a hash in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the failure for a kind that the vocabulary does not have.
pub(super) fn no_such_kind(address: &Address) -> Failure {
    ApiCall::new("Use", "").failure(
        FailureClass::Invalid,
        "NoSuchKind",
        format!("there is no kind of object `{}`", address.kind()),
    )
}
