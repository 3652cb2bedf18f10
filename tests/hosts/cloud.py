"""The account: moto behind one address that machines reach, `quorate` run against it, and the machines that it made."""

import base64
import dataclasses
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import threading

import boto3
from werkzeug.serving import make_server

from hosts import network
from hosts.wire import Wire

REPOSITORY = pathlib.Path(__file__).parents[2]
REGION = "us-east-1"
PORT = 4566
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
LIVE = ("pending", "running")
# The bucket of the state, in a cluster file.
RECORD = re.compile(r'^state\s*=\s*"s3://([^"/]+)"', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Instance:
    """What EC2 knows of a machine."""

    id: str
    name: str  # master-a, workers-1
    role: str  # master or node, from the tag
    zone: str
    subnet: str
    address: str
    hostname: str
    endpoint: str
    user_data: bytes
    iam_role: str
    hop_limit: int
    tokens: str


class Cloud:
    """One account with one cluster in it."""

    def __init__(self, work):
        server = load(REPOSITORY / "tests/moto/server.py")
        self.wire = Wire(server.application())
        # A roll waits for machines that are booted only after it: they are spoken for while it runs.
        self.working = False
        # Those that are booted while it runs speak for themselves.
        self.followed = False
        server.speak_for_machines(lambda: self.working and not self.followed)
        self.endpoint = f"http://{network.ENDPOINT}:{PORT}"
        self.directory = work / "cluster"
        self.directory.mkdir()
        self.clients = {}
        moto = make_server(network.ENDPOINT, PORT, self.wire, threaded=True, request_handler=server.Quiet)
        threading.Thread(target=moto.serve_forever, daemon=True).start()

    def ask_for_health(self, state):
        """Lets moto return the state of each target from a function, instead of reporting every running machine as healthy."""
        from moto.elbv2 import models as elbv2

        original = elbv2.FakeTargetGroup.health_for

        def health_for(group, target, backend):
            answer = original(group, target, backend)
            if answer.status not in ("draining", "unused"):
                answer.status = state(group.arn, target["Id"]) or "initial"
            return answer

        elbv2.FakeTargetGroup.health_for = health_for

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.endpoint,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self.clients[service]

    def quorate(self, *arguments, cluster, ends=0, timeout=300):
        """Runs the program as a user would, with the text of a cluster file; `ends` is the exit code that is awaited."""
        (self.directory / "cluster.hcl").write_text(cluster)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **KEYS, "AWS_ENDPOINT_URL": self.endpoint}
        self.working = True
        done = subprocess.run([program(), *arguments], cwd=self.directory, env=environment, capture_output=True, text=True, timeout=timeout)
        self.working = False
        if done.returncode != ends:
            raise AssertionError(f"quorate {' '.join(arguments)} answered {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def apply(self, cluster, timeout=300):
        """Applies a file to AWS. Kubernetes objects are deferred, as no API that knows them is behind moto's load balancer."""
        output = self.quorate("apply", "--yes", "--no-wait", "--no-access", cluster=cluster, ends=3, timeout=timeout)
        # Nothing failed, and what is left waits for the API.
        failed = re.findall(r"^failed to \w+ (\S+)", output, re.MULTILINE)
        assert not failed and re.search(r"^Deferred: \d+ changes", output, re.MULTILINE), output

    def apply_all(self, cluster):
        """Applies a file completely, up to a healthy cluster, and returns the output."""
        return self.quorate("apply", "--yes", "--no-access", cluster=cluster, timeout=1800)

    def begin(self, cluster, release):
        """Starts a cluster whose record pins a release of Kubernetes that is not the newest: the first run is stopped early."""
        self.wire.fail("CreateVpc", "403 Forbidden", "UnauthorizedOperation")
        self.quorate("apply", "--yes", "--no-wait", "--no-access", cluster=cluster, ends=3)
        self.pin(release)

    def pin(self, release):
        """Pins a release of Kubernetes in the record, such as v1.36.3: real programs are not of the newest one."""
        s3 = self.client("s3")
        (place,) = RECORD.findall((self.directory / "cluster.hcl").read_text())
        record = {"Bucket": place, "Key": f"{place.removeprefix('state.')}/state.json"}
        content = json.loads(s3.get_object(**record)["Body"].read())
        content["pins"]["release"] = release.removeprefix("v")
        s3.put_object(**record, Body=json.dumps(content, indent=2).encode())

    def instances(self):
        """The machines that are to run, in an order that does not depend on their ids."""
        reservations = self.client("ec2").describe_instances()["Reservations"]
        found = [instance for reservation in reservations for instance in reservation["Instances"]]
        live = [self.instance(instance) for instance in found if instance["State"]["Name"] in LIVE]
        named = []
        for instance in sorted(live, key=lambda instance: (instance.name, instance.address)):
            if instance.role == "node":
                number = 1 + sum(other.name.startswith(f"{instance.name}-") for other in named)
                instance = dataclasses.replace(instance, name=f"{instance.name}-{number}")
            named.append(instance)
        return named

    def instance(self, described):
        ec2 = self.client("ec2")
        tags = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
        version = ec2.describe_launch_template_versions(
            LaunchTemplateId=tags["aws:ec2launchtemplate:id"], Versions=[tags["aws:ec2launchtemplate:version"]]
        )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        profile = self.client("iam").get_instance_profile(InstanceProfileName=version["IamInstanceProfile"]["Name"])
        subnet = ec2.describe_subnets(SubnetIds=[described["SubnetId"]])["Subnets"][0]
        role = tags["quorate.dev/role"]
        return Instance(
            id=described["InstanceId"],
            name=f"master-{tags['quorate.dev/member']}" if role == "master" else tags["quorate.dev/group"],
            role=role,
            zone=described["Placement"]["AvailabilityZone"],
            subnet=subnet["CidrBlock"],
            address=described["PrivateIpAddress"],
            hostname=described["PrivateDnsName"],
            endpoint=self.endpoint,
            user_data=base64.b64decode(version["UserData"]),
            iam_role=profile["InstanceProfile"]["Roles"][0]["RoleName"],
            hop_limit=version["MetadataOptions"]["HttpPutResponseHopLimit"],
            tokens=version["MetadataOptions"]["HttpTokens"],
        )

    def tags(self, resource):
        """The tags of something of EC2's, by its id."""
        described = self.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
        return {tag["Key"]: tag["Value"] for tag in described}

    def credentials(self, role):
        """Credentials of a role, as EC2 gets them for a machine."""
        arn = self.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        return self.client("sts").assume_role(RoleArn=arn, RoleSessionName="machine")["Credentials"]

    def records(self):
        """The addresses of every name in Route 53."""
        route53, found = self.client("route53"), {}
        for zone in route53.list_hosted_zones()["HostedZones"]:
            for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                if record["Type"] == "A":
                    name = record["Name"].rstrip(".").lower()
                    found.setdefault(name, []).extend(value["Value"] for value in record.get("ResourceRecords", []))
        return found


def program():
    """What is proven: what `cargo test` built, unless HOSTS_PROGRAM names another one."""
    if "HOSTS_PROGRAM" in os.environ:
        return os.environ["HOSTS_PROGRAM"]
    target = os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")
    return pathlib.Path(target) / "debug/quorate"


def load(path):
    """A module by its file: moto's starter is a script, beside a package of the same name as its folder."""
    spec = importlib.util.spec_from_file_location("moto_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
