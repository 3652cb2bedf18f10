//! The registry of the simulated cloud: one row for each kind.

use super::account::SimulatedObject;
use super::links::{ObjectLink, follows, holds, peers, uses};
use super::simulated_kind::{SimulatedKind, codes, kubernetes, row};
use super::{rules, scaling, view};
use crate::resource::{
    AUTOSCALER, ApplicationLoadBalancer, AutoScalingGroup, Bucket, BucketObject, CONFIG_MAP, CRON_JOB, Certificate,
    DEPLOYMENT, DISRUPTION_BUDGET, DnsRecord, EbsVolume, ElasticIp, HostedZone, HttpListener, InstanceProfile,
    InternetGateway, JOB, KeyPair, LaunchTemplate, Listener, ListenerRule, LoadBalancer, MANIFEST, NAMESPACE,
    NatGateway, Role, RouteTable, SERVICE, STATEFUL_SET, Secret, SecurityGroup, SecurityGroupRules, Subnet,
    TargetGroup, VOLUME_CLAIM, Vpc, VpcEndpoint,
};

const HELD: &str = "DependencyViolation";
const IN_USE: &str = "ResourceInUse";
const NAME: &[&str] = &["name"];
const IN_VPC: &[ObjectLink] = &[holds::<Vpc>(&["vpc"], "id")];
const NAMESPACED: &[&str] = &["metadata.namespace", "metadata.name"];

/// One row for each kind.
const ROWS: &[SimulatedKind] = &[
    row::<Bucket>("s3", "Bucket", codes("NoSuchBucket", "BucketAlreadyExists", "BucketNotEmpty"))
        .id(NAME)
        .unique(NAME)
        .later(&["versioned"])
        .global(),
    row::<BucketObject>("s3", "Object", codes("NoSuchKey", "PreconditionFailed", HELD)).in_bucket(),
    row::<Secret>("s3", "Object", codes("NoSuchKey", "PreconditionFailed", HELD))
        .in_bucket()
        .unique(&["bucket", "key"]),
    row::<Vpc>("ec2", "Vpc", codes("InvalidVpcID.NotFound", "InvalidVpc.Conflict", HELD)).check_new(rules::vpc_range),
    row::<InternetGateway>(
        "ec2",
        "InternetGateway",
        codes("InvalidInternetGatewayID.NotFound", "Resource.AlreadyAssociated", HELD),
    )
    .unique(&["vpc"])
    .links(IN_VPC)
    .later(&["vpc"]),
    row::<RouteTable>("ec2", "RouteTable", codes("InvalidRouteTableID.NotFound", "Resource.AlreadyAssociated", HELD))
        .links(&[
            holds::<Vpc>(&["vpc"], "id"),
            peers::<InternetGateway>(&["routes", "*", "target"], "id", "igw-"),
            peers::<NatGateway>(&["routes", "*", "target"], "id", "nat-"),
            holds::<Subnet>(&["subnets", "*"], "id"),
        ])
        .later(&["routes", "subnets"])
        .client_token(),
    row::<Subnet>("ec2", "Subnet", codes("InvalidSubnetID.NotFound", "InvalidSubnet.Conflict", HELD))
        .links(IN_VPC)
        .zonal()
        .check_new(rules::subnet_range),
    row::<ElasticIp>(
        "ec2",
        "Address",
        codes("InvalidAllocationID.NotFound", "Resource.AlreadyAssociated", "InvalidIPAddress.InUse"),
    ),
    row::<NatGateway>("ec2", "NatGateway", codes("NatGatewayNotFound", "Resource.AlreadyAssociated", HELD))
        .links(&[
            holds::<Vpc>(&["vpc"], "id"),
            holds::<Subnet>(&["subnet"], "id"),
            holds::<ElasticIp>(&["address"], "id"),
        ])
        .delayed()
        .client_token()
        .check_new(rules::way_out),
    row::<VpcEndpoint>("ec2", "VpcEndpoint", codes("InvalidVpcEndpointId.NotFound", "RouteAlreadyExists", HELD))
        .links(&[holds::<Vpc>(&["vpc"], "id"), holds::<RouteTable>(&["tables", "*"], "id")])
        .client_token(),
    row::<SecurityGroup>("ec2", "SecurityGroup", codes("InvalidGroup.NotFound", "InvalidGroup.Duplicate", HELD))
        .unique(&["vpc", "name"])
        .links(IN_VPC)
        .by_controllers(),
    row::<SecurityGroupRules>(
        "ec2",
        "SecurityGroupRules",
        codes("InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.Duplicate", HELD),
    )
    .unique(&["group"])
    .links(&[
        follows::<SecurityGroup>(&["group"], "id"),
        peers::<SecurityGroup>(&["ingress", "*", "peer"], "id", "sg-"),
        peers::<SecurityGroup>(&["egress", "*", "peer"], "id", "sg-"),
    ]),
    row::<Role>("iam", "Role", codes("NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"))
        .id(NAME)
        .unique(NAME)
        .later(&["policies", "attached"])
        .global()
        .untagged(),
    row::<InstanceProfile>("iam", "InstanceProfile", codes("NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"))
        .id(NAME)
        .unique(NAME)
        .links(&[holds::<Role>(&["role"], "name")])
        .later(&["role"])
        .global()
        .untagged(),
    row::<KeyPair>("ec2", "KeyPair", codes("InvalidKeyPair.NotFound", "InvalidKeyPair.Duplicate", HELD)).unique(NAME),
    row::<EbsVolume>("ec2", "Volume", codes("InvalidVolume.NotFound", "InvalidVolume.Conflict", "VolumeInUse"))
        .delayed()
        .client_token()
        .zonal()
        .by_controllers(),
    row::<LaunchTemplate>(
        "ec2",
        "LaunchTemplate",
        codes("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.AlreadyExistsException", HELD),
    )
    .unique(NAME)
    .links(&[
        holds::<InstanceProfile>(&["profile"], "name"),
        holds::<SecurityGroup>(&["security_groups", "*"], "id"),
        holds::<KeyPair>(&["key"], "name"),
    ])
    .client_token()
    .show(view::generation),
    row::<AutoScalingGroup>("autoscaling", "AutoScalingGroup", codes("ValidationError", "AlreadyExists", IN_USE))
        .id(NAME)
        .unique(NAME)
        .links(&[
            holds::<LaunchTemplate>(&["launch_template"], "id"),
            holds::<Subnet>(&["subnets", "*"], "id"),
            holds::<TargetGroup>(&["target_groups", "*"], "arn"),
        ])
        .delayed()
        .check(rules::group_size)
        .adjust(SimulatedObject::keep_in_range)
        .show(scaling::show_machines),
    row::<LoadBalancer>("elbv2", "LoadBalancer", codes("LoadBalancerNotFound", "DuplicateLoadBalancerName", IN_USE))
        .unique(NAME)
        .links(&[
            holds::<Subnet>(&["subnets", "*"], "id"),
            holds::<SecurityGroup>(&["security_groups", "*"], "id"),
            // Only those that controllers made say so: ours have listeners.
            holds::<TargetGroup>(&["target_groups", "*"], "arn"),
        ])
        .later(&["cross_zone"])
        .delayed()
        .by_controllers(),
    row::<TargetGroup>("elbv2", "TargetGroup", codes("TargetGroupNotFound", "DuplicateTargetGroupName", IN_USE))
        .unique(NAME)
        .links(IN_VPC)
        .by_controllers(),
    row::<Listener>("elbv2", "Listener", codes("ListenerNotFound", "DuplicateListener", IN_USE))
        .unique(&["load_balancer", "port"])
        .links(&[follows::<LoadBalancer>(&["load_balancer"], "arn"), holds::<TargetGroup>(&["target_group"], "arn")])
        .check(rules::listener_protocol),
    row::<HostedZone>(
        "route53",
        "HostedZone",
        codes("NoSuchHostedZone", "HostedZoneAlreadyExists", "HostedZoneNotEmpty"),
    )
    .links(IN_VPC)
    .delayed()
    .client_token()
    .global()
    .show(view::vpc_of_zone),
    row::<DnsRecord>("route53", "ResourceRecordSets", codes("InvalidChangeBatch", "InvalidChangeBatch", HELD))
        .id(&["zone", "name", "record_type"])
        .unique(&["zone", "name", "record_type"])
        .links(&[holds::<HostedZone>(&["zone"], "id")])
        .global()
        .untagged(),
    row::<Certificate>(
        "acm",
        "Certificate",
        codes("ResourceNotFoundException", "InvalidParameterException", "ResourceInUseException"),
    )
    .links(&[holds::<HostedZone>(&["zone"], "id")])
    .delayed()
    .client_token(),
    row::<ApplicationLoadBalancer>(
        "elbv2",
        "LoadBalancer",
        codes("LoadBalancerNotFound", "DuplicateLoadBalancerName", IN_USE),
    )
    .unique(NAME)
    .links(&[holds::<Subnet>(&["subnets", "*"], "id"), holds::<SecurityGroup>(&["security_groups", "*"], "id")])
    .later(&["idle_seconds"])
    .delayed()
    .check(rules::balancer_zones),
    row::<HttpListener>("elbv2", "Listener", codes("ListenerNotFound", "DuplicateListener", IN_USE))
        .unique(&["load_balancer", "port"])
        .links(&[
            follows::<ApplicationLoadBalancer>(&["load_balancer"], "arn"),
            uses::<Certificate>(&["certificate"], "arn"),
            uses::<Certificate>(&["more_certificates", "*"], "arn"),
        ])
        .later(&["more_certificates"])
        .check(rules::listener_certificates),
    row::<ListenerRule>("elbv2", "Rule", codes("RuleNotFound", "PriorityInUse", IN_USE))
        .links(&[follows::<HttpListener>(&["listener"], "arn"), holds::<TargetGroup>(&["target_group"], "arn")])
        .unique(&["listener", "priority"])
        .free_later()
        .check(rules::rule_target),
    kubernetes(NAMESPACE, "Namespace").unique(&["metadata.name"]),
    kubernetes(MANIFEST, "Manifest"),
    kubernetes(VOLUME_CLAIM, "PersistentVolumeClaim").unique(NAMESPACED),
    kubernetes(CONFIG_MAP, "ConfigMap").unique(NAMESPACED),
    kubernetes(SERVICE, "Service").unique(NAMESPACED),
    kubernetes(JOB, "Job").unique(NAMESPACED).delayed(),
    kubernetes(CRON_JOB, "CronJob").unique(NAMESPACED),
    kubernetes(DEPLOYMENT, "Deployment").unique(NAMESPACED).delayed(),
    kubernetes(STATEFUL_SET, "StatefulSet").unique(NAMESPACED).delayed(),
    kubernetes(DISRUPTION_BUDGET, "PodDisruptionBudget"),
    kubernetes(AUTOSCALER, "HorizontalPodAutoscaler"),
];

/// Returns the row of a kind.
pub(super) fn simulated(kind: &str) -> &'static SimulatedKind {
    ROWS.iter().find(|row| row.name == kind).unwrap_or(&SimulatedKind::UNKNOWN)
}

/// Returns all rows.
pub(super) fn rows() -> impl Iterator<Item = &'static SimulatedKind> {
    ROWS.iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{KINDS, KUBERNETES_KINDS};

    #[test]
    fn each_kind_has_one_row() {
        let mut rows: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let mut kinds: Vec<&str> = KINDS.iter().chain(KUBERNETES_KINDS).map(|kind| kind.name).collect();
        rows.sort_unstable();
        kinds.sort_unstable();
        assert_eq!(rows, kinds);
    }
}
