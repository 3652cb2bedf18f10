//! Permissions of machines, one statement for each step: the policies of both roles.
//!
//! Nodes run other people's code, so their role can only read their boot files. Masters hold the
//! cluster's keys. They may only change objects with this cluster's tag, so another cluster of the same account is out
//! of their reach.

use std::collections::BTreeMap;

use super::outputs::internal_zone;
use super::{BuildContext, slots, tags};
use crate::engine::TextInput;
use crate::resource::{
    API, CLUSTER_TAG, KeyPrefix, NODE_REGISTRATIONS, NODE_SCRIPT, OBJECT_TAG, PolicyStatement, Resource as _, STATUS,
    SecretContent, SecurityGroup, SecurityGroupRules, internal_api, internal_domain, literally, machine_file,
    policy_document,
};
use crate::spec::NetworkPlugin;

/// Stands for the id of the internal zone in a document.
const ZONE: &str = "@INTERNAL_ZONE@";

/// The tag that the EBS CSI driver puts on the volumes that it makes.
const CSI_TAG: &str = "ebs.csi.aws.com/cluster";

/// The name of a role's only inline policy.
const POLICY: &str = "quorate";

/// A role's inline policies by name.
type InlinePolicies = BTreeMap<String, TextInput>;

/// Returns the permissions of masters, in one document: IAM lists and reads each document of a role by a call of its own.
pub(super) fn masters(site: &BuildContext<'_>) -> InlinePolicies {
    let statements: Vec<PolicyStatement> = [
        master_store(site),
        vec![reads(), images()],
        etcd_volume(site),
        vec![store_key(site)],
        internal_names(site),
        vec![gate(site)],
        cloud_controller(site),
        load_balancers(site),
        volumes(site),
        systems_manager(site),
    ]
    .concat();
    let document = slots::fill(&policy_document(&statements), &[(ZONE, internal_zone())]);
    InlinePolicies::from([(POLICY.to_owned(), document)])
}

/// Returns the permissions of nodes.
pub(super) fn nodes(site: &BuildContext<'_>) -> InlinePolicies {
    let statements = vec![
        // user-data.sh: fetches node.sh and the settings of a node group.
        PolicyStatement::allow("ReadBootstrap", &["s3:GetObject"])
            .on([NODE_SCRIPT, NODE_REGISTRATIONS, "nodes-*"].iter().flat_map(|name| bootstrap_objects(site, name))),
        // node.sh, join: which file has the labels and taints of nodes. The names of files give a node no new information.
        PolicyStatement::allow("ListBootstrap", &["s3:ListBucket"]).on(buckets(site)).when(
            "StringEquals",
            "s3:prefix",
            places(site).iter().map(|(_, root)| format!("{root}/{}", KeyPrefix::Bootstrap.path())),
        ),
        // node.sh, discovery and join: the CA's certificate and the join token, and nothing else of pki/.
        PolicyStatement::allow("ReadJoin", &["s3:GetObject"])
            .on([SecretContent::JoinCa, SecretContent::JoinToken].iter().flat_map(|secret| kept(site, &secret.path()))),
        // node.sh, every step: writes the progress of the machine. No marker of etcd has this name.
        PolicyStatement::allow("WriteStatus", &["s3:PutObject"]).on(kept(site, &machine_file("i-*", STATUS))),
        store_key(site),
        images(),
    ];
    let statements = [statements, systems_manager(site)].concat();
    InlinePolicies::from([(POLICY.to_owned(), policy_document(&statements).into())])
}

/// Allows reads and writes of the store if its bucket encrypts with a KMS key: S3 calls KMS in the machine's name.
///
/// The bucket's owner chooses the key and its account, so the statement names the encrypted resources: objects of
/// this cluster or, with a bucket key, the bucket as a whole.
fn store_key(site: &BuildContext<'_>) -> PolicyStatement {
    PolicyStatement::allow("UseStoreKey", &["kms:Decrypt", "kms:GenerateDataKey"])
        .on(["*".to_owned()])
        .when("StringLike", "kms:ViaService", ["s3.*"])
        .when("StringLike", "kms:EncryptionContext:aws:s3:arn", [buckets(site), kept(site, "*")].concat())
}

/// Allows images of ECR, for the pods of a machine.
///
/// Manifests choose the repositories and their accounts; repositories of another account must allow this one.
fn images() -> PolicyStatement {
    // node.sh, registry: the password, which belongs to no repository. containerd, with it: the manifest of an image, and
    // where its layers are. Whether a layer is there already only those ask who push.
    let actions = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    PolicyStatement::allow("PullImages", &actions).on_everything()
}

/// Allows the agent of Systems Manager, which Amazon Linux 2023 contains, to register the machine and to receive sessions of
/// `quorate shell` and commands of `quorate logs`. None with `ssm = false`.
///
/// The agent gets both over the channels of `ssmmessages` since its version 3.3.40. So it needs neither `ec2messages`, which
/// AWS has retired, nor the documents, parameters and inventory of the managed policy `AmazonSSMManagedInstanceCore`. A channel
/// is no resource, and the ids of a role's machines are not known before they are launched: this cannot be limited further.
fn systems_manager(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    let actions = [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ];
    let statement = PolicyStatement::allow("ConnectToSystemsManager", &actions).on_everything();
    site.cluster.ssm.then_some(statement).into_iter().collect()
}

/// The buckets and the beginnings of the cluster's keys there: where its state is, then where it was. Machines that were
/// started before a move read from the former place until they are replaced.
fn places(site: &BuildContext<'_>) -> Vec<(String, String)> {
    let now = (site.bootstrap.bucket.clone(), site.bootstrap.root.clone());
    let name = site.cluster.name.as_str();
    let former = site.former.iter().map(|location| (location.bucket().to_owned(), location.root(name)));
    let mut places = vec![now.clone()];
    places.extend(former.filter(|place| *place != now));
    places
}

/// The ARNs of the buckets, each once.
fn buckets(site: &BuildContext<'_>) -> Vec<String> {
    let mut buckets: Vec<String> = places(site).into_iter().map(|(bucket, _)| site.global_arn("s3", &bucket)).collect();
    buckets.dedup();
    buckets
}

/// The ARNs of objects that machines share, by a pattern of their keys below the cluster's.
fn kept(site: &BuildContext<'_>, pattern: &str) -> Vec<String> {
    let arn =
        |(bucket, root): (String, String)| site.global_arn("s3", &format!("{bucket}/{}/{pattern}", literally(&root)));
    places(site).into_iter().map(arn).collect()
}

/// The ARNs of a file that machines start from, whatever its hash: machines of an older template still start.
fn bootstrap_objects(site: &BuildContext<'_>, name: &str) -> Vec<String> {
    kept(site, &KeyPrefix::Bootstrap.key(&format!("*/{name}")))
}

/// Allows the reads of node.sh on masters. They cannot be limited to an object, so they share a statement: a role's policies
/// have little room.
fn reads() -> PolicyStatement {
    // node.sh, etcd volume: whether the volume is free; backup: which machines still are; access: the API's group, and
    // when its rules end.
    let actions = [
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSecurityGroupRules",
    ];
    PolicyStatement::allow("Read", &actions).on_everything()
}

fn etcd_volume(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    vec![
        // node.sh, etcd volume: attaches it. node.sh, leave: detaches it, so that the next machine need not wait for
        // AWS to find out. AWS checks the volume here and the instance by a statement of its own, in
        // `cloud_controller`: no policy can say which volume goes to which machine.
        PolicyStatement::allow("AttachEtcdVolume", &["ec2:AttachVolume", "ec2:DetachVolume"])
            .on([site.arn("ec2", "volume/*")])
            .when("StringEquals", resource_tag(CLUSTER_TAG), [site.cluster.name.as_str()])
            .when("StringLike", resource_tag(OBJECT_TAG), ["volume/etcd-*"]),
    ]
}

/// Allows the objects that masters read and write in the bucket. All policies of a role share 10,240 characters, and each
/// key here begins with the state's prefix and the cluster's name, so there are as few as possible.
fn master_store(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    vec![
        // user-data.sh: fetches node.sh and a master's settings. node.sh, authorities and token: the cluster's keys.
        PolicyStatement::allow("ReadStore", &["s3:GetObject"])
            .on([KeyPrefix::Bootstrap, KeyPrefix::Pki].iter().flat_map(|folder| kept(site, &folder.key("*")))),
        // node.sh, etcd: that this member has been healthy.
        PolicyStatement::allow("WriteMarkers", &["s3:PutObject"]).on(kept(site, &KeyPrefix::Nodes.key("etcd-*"))),
        // node.sh, backup and restore: writes snapshots, reads one, removes expired ones; every step: writes where
        // the machine is; backup: removes the reports of deleted machines. An attacker on a master has etcd itself:
        // that it may also remove snapshots is the price of a bucket that does not grow for ever.
        PolicyStatement::allow("KeepBackups", &["s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion"]).on([
            KeyPrefix::Snapshots.key("*"),
            KeyPrefix::Nodes.key("i-*"),
        ]
        .iter()
        .flat_map(|keys| kept(site, keys))),
        // node.sh, etcd membership: whether a member has been healthy before; backup: which snapshots there are, and
        // what machines have reported. The names of the cluster's other objects give a master no new information.
        PolicyStatement::allow("ListStore", &["s3:ListBucket", "s3:ListBucketVersions"]).on(buckets(site)).when(
            "StringLike",
            "s3:prefix",
            places(site).iter().map(|(_, root)| format!("{}/*", literally(root))),
        ),
    ]
}

fn internal_names(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    let domain = internal_domain(site.cluster.name.as_str());
    let key = |name: &str| format!("route53:ChangeResourceRecordSets{name}");
    // node.sh, names: `api` and `etcd-…` of the internal zone and no other name; never a deletion.
    let write = PolicyStatement::allow("WriteInternalNames", &["route53:ChangeResourceRecordSets"])
        .on([site.global_arn("route53", &format!("hostedzone/{ZONE}"))])
        .when(
            "ForAllValues:StringLike",
            key("NormalizedRecordNames"),
            [internal_api(site.cluster.name.as_str()), format!("etcd-?.{domain}")],
        )
        .when("ForAllValues:StringEquals", key("RecordTypes"), ["A"])
        .when("ForAllValues:StringEquals", key("Actions"), ["UPSERT"]);
    vec![write]
}

/// Allows masters to remove temporary access to the API. They cannot grant any.
fn gate(site: &BuildContext<'_>) -> PolicyStatement {
    // node.sh, access: takes away what has ended.
    PolicyStatement::allow("CloseAccess", &["ec2:RevokeSecurityGroupIngress"])
        .on([site.arn("ec2", "security-group/*")])
        .when("StringEquals", resource_tag(CLUSTER_TAG), [site.cluster.name.as_str()])
        .when("StringEquals", resource_tag(OBJECT_TAG), [SecurityGroup::address(API).to_string()])
}

/// Allows the cloud controller manager to manage nodes and routes, and volumes to be attached to nodes.
fn cloud_controller(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    let of_cluster = |statement: PolicyStatement| {
        statement.when("StringEquals", resource_tag(CLUSTER_TAG), [site.cluster.name.as_str()])
    };
    // The EBS CSI driver, and node.sh, etcd volume: the instances that volumes are attached to (see `AttachEtcdVolume`).
    let mut machines = PolicyStatement::allow("AttachToMachines", &["ec2:AttachVolume", "ec2:DetachVolume"])
        .on([site.arn("ec2", "instance/*")]);
    let mut statements = vec![
        // Nodes: which instance a node is, its zone and addresses, and whether it still exists. What load balancers and
        // the EBS CSI driver read stands here, too, and the rest of it in `Read`: instances, volumes, security groups.
        PolicyStatement::allow(
            "ReadNetwork",
            &[
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeInstanceTopology",
                "ec2:DescribeRegions",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSubnets",
                "ec2:DescribeTags",
                "ec2:DescribeVolumesModifications",
                "ec2:DescribeVolumeStatus",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:Describe*",
            ],
        )
        .on_everything(),
    ];
    if site.cluster.network.plugin == NetworkPlugin::Routes {
        // Routes: one for the pods of each node. The actions for volumes do not apply to a route table, nor these to an
        // instance: one statement allows the same as two, and a role's policies have little room.
        machines = PolicyStatement::allow(
            "AttachAndRoute",
            &["ec2:AttachVolume", "ec2:DetachVolume", "ec2:CreateRoute", "ec2:DeleteRoute"],
        )
        .on([site.arn("ec2", "instance/*"), site.arn("ec2", "route-table/*")]);
        // Routes: an instance that forwards for pods must not have its source address checked. That, and no other
        // attribute: with user data or security groups, an attacker could take over a machine.
        statements.push(
            of_cluster(PolicyStatement::allow("ForwardForPods", &["ec2:ModifyInstanceAttribute"]))
                .on([site.arn("ec2", "instance/*")])
                .when("StringEqualsIgnoreCase", "ec2:Attribute/SourceDestCheck", ["false"]),
        );
    }
    statements.push(of_cluster(machines));
    statements
}

/// Allows the cloud controller manager to manage services of `type: LoadBalancer` that users create themselves.
///
/// It may change its own objects, which have the Kubernetes tag. It must not change objects with a tag of ours (the API's
/// load balancer).
fn load_balancers(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    let tag = tags::kubernetes_tag(site.cluster);
    let ours = |statement: PolicyStatement| statement.when("StringEquals", resource_tag(&tag), ["owned"]);
    let made_here = |statement: PolicyStatement| ours(statement).when("Null", resource_tag(OBJECT_TAG), ["true"]);
    let requested = |statement: PolicyStatement| tagged_in_request(statement, &tag);
    let balancing =
        || ["loadbalancer/*", "targetgroup/*", "listener/*"].map(|rest| site.arn("elasticloadbalancing", rest));
    vec![
        requested(PolicyStatement::allow(
            "CreateLoadBalancers",
            &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"],
        ))
        .on(balancing()),
        // Tags only in the call that creates: a tag put on later would make anything its own.
        PolicyStatement::allow("TagNewLoadBalancers", &["elasticloadbalancing:AddTags"]).on(balancing()).when(
            "StringEquals",
            "elasticloadbalancing:CreateAction",
            ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener"],
        ),
        made_here(PolicyStatement::allow("ChangeItsLoadBalancers", CHANGE_LOAD_BALANCERS)).on(balancing()),
        requested(PolicyStatement::allow("CreateSecurityGroup", &["ec2:CreateSecurityGroup"]))
            .on([site.arn("ec2", "security-group/*")]),
        ours(PolicyStatement::allow("CreateInTheVpc", &["ec2:CreateSecurityGroup"])).on([site.arn("ec2", "vpc/*")]),
        // Also the volumes of the EBS CSI driver.
        PolicyStatement::allow("TagNewObjects", &["ec2:CreateTags"])
            .on([site.arn("ec2", "security-group/*"), site.arn("ec2", "volume/*")])
            .when("StringEquals", "ec2:CreateAction", ["CreateSecurityGroup", "CreateVolume"]),
        made_here(PolicyStatement::allow(
            "ChangeItsSecurityGroups",
            &["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup"],
        ))
        .on([site.arn("ec2", "security-group/*")]),
        // It lets its load balancers in to nodes, and to nothing else of ours: `aws/security_group_rules` knows its rules.
        PolicyStatement::allow("OpenNodes", &["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"])
            .on([site.arn("ec2", "security-group/*")])
            .when("StringEquals", resource_tag(CLUSTER_TAG), [site.cluster.name.as_str()])
            .when(
                "StringEquals",
                resource_tag(OBJECT_TAG),
                [SecurityGroup::address(SecurityGroupRules::OPENED_BY_CONTROLLERS).to_string()],
            ),
    ]
}

/// Actions that change a load balancer of either generation, its listeners and its targets. Stars stand for several verbs
/// of the same kind: the length of a role's policies is limited, and all of these objects are the controller's own.
const CHANGE_LOAD_BALANCERS: &[&str] = &[
    "elasticloadbalancing:ApplySecurityGroupsToLoadBalancer",
    "elasticloadbalancing:AttachLoadBalancerToSubnets",
    "elasticloadbalancing:ConfigureHealthCheck",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateLoadBalancerListeners",
    "elasticloadbalancing:CreateLoadBalancerPolicy",
    "elasticloadbalancing:Delete*",
    "elasticloadbalancing:Deregister*",
    "elasticloadbalancing:DetachLoadBalancerFromSubnets",
    "elasticloadbalancing:Modify*",
    "elasticloadbalancing:Register*",
    "elasticloadbalancing:SetLoadBalancerPolicies*",
    "elasticloadbalancing:SetSubnets",
];

/// Allows the EBS CSI driver to manage volumes that pods claim. They carry its tag, which etcd's volumes do not.
fn volumes(site: &BuildContext<'_>) -> Vec<PolicyStatement> {
    let cluster_tag = tags::kubernetes_tag(site.cluster);
    let on_volumes = || [site.arn("ec2", "volume/*")];
    let its_own = |statement: PolicyStatement| {
        statement.on(on_volumes()).when("StringEquals", resource_tag(&cluster_tag), ["owned"]).when(
            "StringEquals",
            resource_tag(CSI_TAG),
            ["true"],
        )
    };
    vec![
        tagged_in_request(PolicyStatement::allow("CreateVolume", &["ec2:CreateVolume"]), &cluster_tag)
            .on(on_volumes())
            .when("StringEquals", request_tag(CSI_TAG), ["true"]),
        its_own(PolicyStatement::allow(
            "ChangeItsVolumes",
            &["ec2:AttachVolume", "ec2:DetachVolume", "ec2:DeleteVolume", "ec2:ModifyVolume"],
        )),
    ]
}

/// Requires that the new object gets the cluster's Kubernetes tag, and cannot pass for an object of a cluster file.
fn tagged_in_request(statement: PolicyStatement, kubernetes_tag: &str) -> PolicyStatement {
    statement
        .when("StringEquals", request_tag(kubernetes_tag), ["owned"])
        .when("Null", request_tag(CLUSTER_TAG), ["true"])
        .when("Null", request_tag(OBJECT_TAG), ["true"])
}

fn resource_tag(key: &str) -> String {
    format!("aws:ResourceTag/{key}")
}

fn request_tag(key: &str) -> String {
    format!("aws:RequestTag/{key}")
}
