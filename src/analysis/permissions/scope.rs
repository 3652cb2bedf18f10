//! The narrowest resources and conditions under which AWS can check an action.

use super::policy::PolicyTarget;
use crate::resource::{CLUSTER_TAG, PolicyStatement, literally};

/// The condition operator for equal texts.
const EQUALS: &str = "StringEquals";
/// The parameters with the ids of Amazon Linux images.
const IMAGE_PARAMETERS: &str = "parameter/aws/service/ami-amazon-linux-latest/*";

/// The part of an account that actions are limited to. Each is one statement of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum PermissionScope {
    /// Reads of a region.
    Region,
    /// Reads of services without regions.
    Global,
    /// Public parameters.
    Images,
    /// The bucket of the cluster.
    Bucket,
    /// The objects of the cluster in the bucket.
    BucketObjects,
    /// New objects in the region.
    New,
    /// Tags of new objects of EC2.
    NewTags,
    /// Tags of new load balancers and target groups.
    NewBalancerTags,
    /// Tags of new certificates.
    NewCertificateTags,
    /// Objects with the cluster's tag.
    Own,
    /// The routes of public subnets beside private ones: Kubernetes must not find their table, so it has no tag for that.
    PublicRoutes,
    /// Roles and instance profiles below the cluster's path.
    Identities,
    /// The roles of machines, for EC2 only.
    PassedRoles,
    /// The roles that AWS creates for Auto Scaling and load balancers once in an account.
    ServiceRoles,
    /// Hosted zones and their records.
    Names,
}

impl PermissionScope {
    /// Returns the scopes of an action: it is allowed in each of them.
    pub(super) fn of(action: &str) -> &'static [Self] {
        let (service, verb) = action.split_once(':').unwrap_or((action, ""));
        match (service, verb) {
            ("ec2", "CreateTags") => &[Self::NewTags, Self::Own, Self::PublicRoutes],
            ("ec2", "DeleteTags") => &[Self::Own, Self::PublicRoutes],
            ("elasticloadbalancing", "AddTags") => &[Self::NewBalancerTags, Self::Own],
            ("ec2", verb) if verb.contains("Route") && !matches!(verb, "CreateRouteTable" | "DescribeRouteTables") => {
                &[Self::Own, Self::PublicRoutes]
            }
            ("acm", "AddTagsToCertificate") => &[Self::NewCertificateTags, Self::Own],
            ("acm", "RequestCertificate") => &[Self::New],
            ("acm", verb) if verb.starts_with("Describe") || verb.starts_with("List") => &[Self::Region],
            // Parts of objects that have the tag already.
            ("ec2", "CreateLaunchTemplateVersion") | ("elasticloadbalancing", "CreateListener" | "CreateRule") => {
                &[Self::Own]
            }
            ("ec2" | "elasticloadbalancing" | "autoscaling", verb) if verb.starts_with("Describe") => &[Self::Region],
            ("ec2", "AllocateAddress" | "ImportKeyPair" | "RunInstances") => &[Self::New],
            ("ec2" | "elasticloadbalancing" | "autoscaling", verb) if verb.starts_with("Create") => &[Self::New],
            ("acm" | "ec2" | "elasticloadbalancing" | "autoscaling", _) => &[Self::Own],
            ("iam", "ListRoles" | "ListInstanceProfiles") => &[Self::Global],
            ("iam", "PassRole") => &[Self::PassedRoles],
            ("iam", "CreateServiceLinkedRole") => &[Self::ServiceRoles],
            ("iam", _) => &[Self::Identities],
            ("route53", verb) if verb.starts_with("List") || verb.starts_with("Get") => &[Self::Global],
            ("route53", _) => &[Self::Names],
            ("s3", "GetObject" | "PutObject" | "DeleteObject" | "DeleteObjectVersion") => &[Self::BucketObjects],
            ("s3", _) => &[Self::Bucket],
            ("ssm", _) => &[Self::Images],
            _ => &[Self::Global],
        }
    }

    /// Returns the reason why a run needs the statement, as a sentence without its end.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Region => "a plan compares the live objects with the file; AWS cannot limit these reads to objects",
            Self::Global => {
                "the same for roles, instance profiles and hosted zones; optional: the account's quotas \
                 (servicequotas), and prices that this release does not have (pricing)"
            }
            Self::Images => "the newest images of Amazon Linux",
            Self::Bucket => "the bucket with the record, and with the files that machines start from",
            Self::BucketObjects => "the files of this cluster in it",
            Self::New => "new objects, and new machines from a launch template",
            Self::NewTags => "tags of new objects, only as they are created",
            Self::NewBalancerTags => "the same for load balancers",
            Self::NewCertificateTags => "the same for certificates, by the tag that they get: ACM knows no other limit",
            Self::Own => "changes and deletions of objects that carry this cluster's tag",
            Self::PublicRoutes => "the route table of public subnets, which Kubernetes must not find by its tag",
            Self::Identities => "the roles and instance profiles of the machines",
            Self::PassedRoles => "machines get their role from whoever starts them",
            Self::ServiceRoles => {
                "AWS creates these roles with the first load balancer and the first group of an account"
            }
            Self::Names => "DNS names; the ids of hosted zones are not known before they exist",
        }
    }

    fn sid(self) -> &'static str {
        match self {
            Self::Region => "ReadRegion",
            Self::Global => "ReadAccount",
            Self::Images => "ReadImages",
            Self::Bucket => "Bucket",
            Self::BucketObjects => "BucketObjects",
            Self::New => "Create",
            Self::NewTags => "TagNewObjects",
            Self::NewBalancerTags => "TagNewBalancers",
            Self::NewCertificateTags => "TagCertificates",
            Self::Own => "ChangeOwn",
            Self::PublicRoutes => "PublicRoutes",
            Self::Identities => "MachineRoles",
            Self::PassedRoles => "PassMachineRoles",
            Self::ServiceRoles => "ServiceRoles",
            Self::Names => "DnsNames",
        }
    }

    /// Returns the statement that allows actions in this scope. `created` are all `Create…` actions of the policy.
    pub(super) fn statement(
        self,
        actions: &[&'static str],
        created: &[&str],
        target: &PolicyTarget,
    ) -> PolicyStatement {
        let statement = PolicyStatement::allow(self.sid(), actions);
        let region =
            |statement: PolicyStatement| statement.when(EQUALS, "aws:RequestedRegion", [target.region.clone()]);
        let cluster = &target.cluster;
        match self {
            Self::Region | Self::New => region(statement.on_everything()),
            Self::Global | Self::Names => statement.on_everything(),
            Self::Images => statement.on([target.arn("ssm", &target.region, "", IMAGE_PARAMETERS)]),
            Self::Bucket => statement.on([target.arn("s3", "", "", &target.bucket)]),
            Self::BucketObjects => {
                statement.on([target.arn("s3", "", "", &format!("{}/{}/*", target.bucket, literally(&target.root)))])
            }
            Self::NewTags => region(statement.on_everything()).when(EQUALS, "ec2:CreateAction", verbs("ec2:", created)),
            Self::NewBalancerTags => region(statement.on_everything()).when(
                EQUALS,
                "elasticloadbalancing:CreateAction",
                verbs("elasticloadbalancing:", created),
            ),
            Self::NewCertificateTags => {
                region(statement.on_everything()).when(EQUALS, target.request_tag_condition(), ["owned"])
            }
            Self::Own => statement.on_everything().when(EQUALS, target.tag_condition(), ["owned"]),
            Self::PublicRoutes => {
                statement.on_everything().when(EQUALS, format!("aws:ResourceTag/{CLUSTER_TAG}"), [cluster])
            }
            Self::Identities => statement.on(["role", "instance-profile"]
                .map(|kind| target.arn("iam", "", &target.account, &format!("{kind}/quorate/{cluster}/*")))),
            Self::PassedRoles => statement
                .on([target.arn("iam", "", &target.account, &format!("role/quorate/{cluster}/*"))])
                .when(EQUALS, "iam:PassedToService", [target.partition().ec2()]),
            Self::ServiceRoles => statement.on(["autoscaling", "elasticloadbalancing"].map(|service| {
                let path = format!("role/aws-service-role/{service}.amazonaws.com/*");
                target.arn("iam", "", &target.account, &path)
            })),
        }
    }
}

/// Returns the names of a service's actions, without the service.
fn verbs(service: &str, actions: &[&str]) -> Vec<String> {
    actions.iter().filter_map(|action| action.strip_prefix(service)).map(str::to_owned).collect()
}
