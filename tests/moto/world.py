"""Reads the account, and changes it outside Quorate, with boto3: none of our own code.

    world.py inventory          everything in the account, as sorted JSON
    world.py seed               things of other people, which must survive
    world.py neighbour NAME     what the controllers of another cluster made, in a network of its own
    world.py tamper NAME CLUSTER  makes one change by hand
"""

import json
import os
import sys

import boto3

REGION = "us-east-1"
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


def client(service):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=ENDPOINT,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def pages(service, operation, key, **arguments):
    paginator = service.get_paginator(operation)
    return [item for page in paginator.paginate(**arguments) for item in page.get(key, [])]


def inventory():
    ec2, iam, elb, s3 = client("ec2"), client("iam"), client("elbv2"), client("s3")
    autoscaling, route53 = client("autoscaling"), client("route53")
    found = {
        "vpcs": [vpc["VpcId"] for vpc in pages(ec2, "describe_vpcs", "Vpcs")],
        "subnets": [subnet["SubnetId"] for subnet in pages(ec2, "describe_subnets", "Subnets")],
        "internet gateways": [gateway["InternetGatewayId"] for gateway in pages(ec2, "describe_internet_gateways", "InternetGateways")],
        "route tables": [
            [table["RouteTableId"], len(table["Routes"]), len(table["Associations"])]
            for table in pages(ec2, "describe_route_tables", "RouteTables")
        ],
        "security groups": [
            [group["GroupId"], *(permissions(group[way]) for way in ("IpPermissions", "IpPermissionsEgress"))]
            for group in pages(ec2, "describe_security_groups", "SecurityGroups")
        ],
        "volumes": [volume["VolumeId"] for volume in pages(ec2, "describe_volumes", "Volumes")],
        "network interfaces": interfaces(ec2),
        "key pairs": [pair["KeyName"] for pair in ec2.describe_key_pairs()["KeyPairs"]],
        "launch templates": [template["LaunchTemplateName"] for template in pages(ec2, "describe_launch_templates", "LaunchTemplates")],
        "instances": [
            instance["InstanceId"]
            for reservation in pages(ec2, "describe_instances", "Reservations")
            for instance in reservation["Instances"]
            if instance["State"]["Name"] not in ("terminated", "shutting-down")
        ],
        "auto scaling groups": [group["AutoScalingGroupName"] for group in pages(autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups")],
        "classic load balancers": [balancer["LoadBalancerName"] for balancer in pages(client("elb"), "describe_load_balancers", "LoadBalancerDescriptions")],
        "load balancers": [balancer["LoadBalancerName"] for balancer in pages(elb, "describe_load_balancers", "LoadBalancers")],
        "target groups": [group["TargetGroupName"] for group in pages(elb, "describe_target_groups", "TargetGroups")],
        "certificates": [certificate["DomainName"] for certificate in pages(client("acm"), "list_certificates", "CertificateSummaryList")],
        "roles": roles(iam),
        "instance profiles": [profile["Path"] + profile["InstanceProfileName"] for profile in pages(iam, "list_instance_profiles", "InstanceProfiles")],
        "zones": zones(route53),
        "buckets": buckets(s3),
    }
    return {kind: sorted(things) for kind, things in sorted(found.items())}


def permissions(rules):
    """What a security group lets through, a line a peer."""
    lines = []
    for rule in rules:
        peers = [peer["CidrIp"] for peer in rule["IpRanges"]] + [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]
        lines += [f"{rule['IpProtocol']} {rule.get('FromPort')}-{rule.get('ToPort')} {peer}" for peer in peers]
    return sorted(lines)


def interfaces(ec2):
    """Where there is a subnet for them: AWS removes an instance's interfaces with it, moto forgets to."""
    subnets = {subnet["SubnetId"] for subnet in pages(ec2, "describe_subnets", "Subnets")}
    faces = pages(ec2, "describe_network_interfaces", "NetworkInterfaces")
    return [face["NetworkInterfaceId"] for face in faces if face["SubnetId"] in subnets]


def roles(iam):
    def of(role):
        name = role["RoleName"]
        return [
            role["Path"] + name,
            iam.list_role_policies(RoleName=name)["PolicyNames"],
            [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]],
        ]

    return [of(role) for role in pages(iam, "list_roles", "Roles") if not role["Path"].startswith("/aws-service-role/")]


def zones(route53):
    def of(zone):
        records = pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"])
        return [zone["Name"], sorted(f"{record['Name']} {record['Type']}" for record in records)]

    return [of(zone) for zone in pages(route53, "list_hosted_zones", "HostedZones")]


def buckets(s3):
    def of(name):
        versions = s3.list_object_versions(Bucket=name)
        return [
            name,
            sorted(version["Key"] for version in versions.get("Versions", [])),
            sorted(marker["Key"] for marker in versions.get("DeleteMarkers", [])),
        ]

    return [of(bucket["Name"]) for bucket in s3.list_buckets()["Buckets"]]


def seed():
    """Other people's things, as near to ours as they can be."""
    ec2, iam, route53, s3 = client("ec2"), client("iam"), client("route53"), client("s3")
    tags = [{"Key": "Name", "Value": "another team's"}]
    vpc = ec2.create_vpc(CidrBlock="172.20.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="172.20.32.0/19", AvailabilityZone="us-east-1d")
    ec2.create_security_group(GroupName="masters.chat.poeticoding.com", Description="not ours", VpcId=vpc)
    ec2.create_volume(AvailabilityZone="us-east-1d", Size=20)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
    iam.create_role(RoleName="another-role", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="another-role", PolicyName="theirs", PolicyDocument=json.dumps(theirs))
    s3.create_bucket(Bucket="another-bucket")
    s3.put_object(Bucket="another-bucket", Key="chat.poeticoding.com/state.json", Body=b"theirs")
    zone = route53.create_hosted_zone(Name="poeticoding.com", CallerReference="theirs")["HostedZone"]["Id"]
    record = {"Name": "www.poeticoding.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.1"}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})


def owned(cluster, *addresses):
    """EC2 filters for one object of the cluster."""
    return [
        {"Name": "tag:quorate.dev/cluster", "Values": [cluster]},
        {"Name": "tag:quorate.dev/object", "Values": list(addresses)},
    ]


def masters_group(cluster):
    return client("ec2").describe_security_groups(Filters=owned(cluster, "security-group/masters"))["SecurityGroups"][0]


def tamper_tag(cluster):
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs(Filters=owned(cluster, "vpc/main"))["Vpcs"][0]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "renamed"}])


def tamper_rule_removed(cluster):
    group = masters_group(cluster)
    rules = client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
    rule = next(rule for rule in rules["SecurityGroupRules"] if not rule["IsEgress"] and rule.get("FromPort") == 10250)
    client("ec2").revoke_security_group_ingress(GroupId=group["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])


def tamper_rule_added(cluster):
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    client("ec2").authorize_security_group_ingress(GroupId=masters_group(cluster)["GroupId"], IpPermissions=[world])


def tamper_policy_added(cluster):
    iam = client("iam")
    roles = [role for role in pages(iam, "list_roles", "Roles") if role["Path"] == f"/quorate/{cluster}/role/nodes/"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=roles[0]["RoleName"], PolicyName="backdoor", PolicyDocument=json.dumps(document))


def target_group(cluster):
    elb = client("elbv2")
    for group in pages(elb, "describe_target_groups", "TargetGroups"):
        tags = elb.describe_tags(ResourceArns=[group["TargetGroupArn"]])["TagDescriptions"][0]["Tags"]
        if {"Key": "quorate.dev/cluster", "Value": cluster} in tags:
            return group
    raise SystemExit(f"{cluster} has no target group")


def tamper_interval(cluster):
    client("elbv2").modify_target_group(TargetGroupArn=target_group(cluster)["TargetGroupArn"], HealthCheckIntervalSeconds=30)


def nodes_group(cluster):
    groups = pages(client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups")
    wanted = {"quorate.dev/cluster": cluster, "quorate.dev/object": "autoscaling-group/nodes-workers"}
    for group in groups:
        tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
        if wanted.items() <= tags.items():
            return group["AutoScalingGroupName"]
    raise SystemExit(f"{cluster} has no group of nodes")


def tamper_size(cluster):
    client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=nodes_group(cluster), MinSize=1, DesiredCapacity=1)


def tamper_volume_renamed(cluster):
    ec2 = client("ec2")
    volume = ec2.describe_volumes(Filters=owned(cluster, "volume/etcd-b"))["Volumes"][0]["VolumeId"]
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "Name", "Value": "somebody's"}])


def key_of_authority(cluster):
    return {"Bucket": f"state.{cluster}", "Key": f"{cluster}/pki/cluster-ca.pem"}


def tamper_key_deleted(cluster):
    client("s3").delete_object(**key_of_authority(cluster))


def tamper_key_restored(cluster):
    """As docs/pki.md describes."""
    s3, key = client("s3"), key_of_authority(cluster)
    [marker] = s3.list_object_versions(Bucket=key["Bucket"], Prefix=key["Key"])["DeleteMarkers"]
    s3.delete_object(**key, VersionId=marker["VersionId"])


def tamper_controllers(cluster):
    """What the cluster's own controllers make for two services and a claim."""
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs(Filters=owned(cluster, "vpc/main"))["Vpcs"][0]["VpcId"]
    make_as_controllers(cluster, vpc)


def make_as_controllers(cluster, vpc):
    ec2, elb, classic = client("ec2"), client("elbv2"), client("elb")
    tags = [{"Key": f"kubernetes.io/cluster/{cluster}", "Value": "owned"}]

    def tagged(kind, *more):
        return [{"ResourceType": kind, "Tags": [*tags, *more]}]

    subnets = [subnet["SubnetId"] for subnet in pages(ec2, "describe_subnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [vpc]}])]
    name = cluster.partition(".")[0]
    group = ec2.create_security_group(GroupName=f"k8s-elb-{name}", Description="for a load balancer", VpcId=vpc, TagSpecifications=tagged("security-group"))["GroupId"]
    nodes = [group for group in pages(ec2, "describe_security_groups", "SecurityGroups", Filters=owned(cluster, "security-group/nodes"))]
    for ours in nodes:
        pairs = [{"GroupId": group}]
        ec2.authorize_security_group_ingress(GroupId=ours["GroupId"], IpPermissions=[{"IpProtocol": "tcp", "FromPort": 31000, "ToPort": 31000, "UserIdGroupPairs": pairs}])
    service = {"Key": "kubernetes.io/service-name", "Value": "default/web"}
    balancer = elb.create_load_balancer(Name=f"a-{name}", Type="network", Subnets=subnets, SecurityGroups=[group], Tags=[*tags, service])["LoadBalancers"][0]["LoadBalancerArn"]
    targets = elb.create_target_group(Name=f"k8s-{name}", Protocol="TCP", Port=31000, VpcId=vpc, Tags=tags)["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}])
    listener = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 31000}
    classic.create_load_balancer(LoadBalancerName=f"c-{name}", Listeners=[listener], Subnets=subnets, SecurityGroups=[group], Tags=[*tags, {"Key": "kubernetes.io/service-name", "Value": "default/old"}])
    claim = [{"Key": "kubernetes.io/created-for/pvc/namespace", "Value": "default"}, {"Key": "kubernetes.io/created-for/pvc/name", "Value": "data"}]
    ec2.create_volume(AvailabilityZone="us-east-1d", Size=8, TagSpecifications=tagged("volume", *claim))


PREFIX = "tamper_"
CHANGES = {
    name.removeprefix(PREFIX).replace("_", "-"): function
    for name, function in globals().items()
    if name.startswith(PREFIX)
}


def main(arguments):
    match arguments:
        case ["inventory"]:
            print(json.dumps(inventory(), indent=1))
        case ["seed"]:
            seed()
        case ["neighbour", cluster]:
            ec2 = client("ec2")
            vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
            ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone="us-east-1d")
            make_as_controllers(cluster, vpc)
        case ["tamper", name, cluster] if name in CHANGES:
            CHANGES[name](cluster)
        case _:
            raise SystemExit(f"{__doc__}\nchanges: {', '.join(sorted(CHANGES))}")


if __name__ == "__main__":
    main(sys.argv[1:])
