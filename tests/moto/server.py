"""Serves moto on a free port of the loopback interface until standard input ends.

Prints the port. Repairs what keeps the AWS SDK for Rust from talking to moto 5.2.5; the product itself knows nothing
of moto.
"""

import copy
import json
import os
import re
import subprocess
import sys
import threading
import time

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

import xmltodict
from moto.acm import models as acm
from moto.autoscaling import models as autoscaling
from moto.core.exceptions import JsonRESTError
from moto.ec2 import models as ec2_models
from moto.ec2.models import instances, launch_templates, vpcs
from moto.ec2.responses import nat_gateways as nat_gateway_responses
from moto.ec2.utils import parse_user_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.elbv2 import models as elbv2
from moto.iam import models as iam
from moto.route53 import models as route53
from moto.s3 import models as s3_models
from moto.s3 import responses as s3_responses
from moto.ssm import models as ssm
from werkzeug.serving import WSGIRequestHandler, make_server

S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def repair_launch_template_versions():
    """Parses the user data of later versions too: an Auto Scaling group of such a version answers 500 otherwise."""
    original = launch_templates.LaunchTemplate.create_version

    def create_version(self, data, description=""):
        if isinstance(data.get("UserData"), (str, bytes)):
            data = {**data, "UserData": parse_user_data(data["UserData"])}
        return original(self, data, description)

    launch_templates.LaunchTemplate.create_version = create_version


def repair_bucket_versioning():
    """Answers with the root element that AWS uses."""

    def get_bucket_versioning(self):
        status = self.backend.get_bucket_versioning(self.bucket_name)
        inner = f"<Status>{status}</Status>" if status else ""
        body = f'<?xml version="1.0" encoding="UTF-8"?><VersioningConfiguration xmlns="{S3_NAMESPACE}">{inner}</VersioningConfiguration>'
        return 200, {}, body

    s3_responses.S3Response.get_bucket_versioning = get_bucket_versioning


def repair_bucket_tags():
    """Gives a new bucket the tags of the call that made it, as AWS does."""
    original = s3_responses.S3Response._bucket_response_put

    def bucket_response_put(self, request, bucket_name, querystring):
        answer = original(self, request, bucket_name, querystring)
        if not querystring and b"<Tags>" in (self.body or b""):
            tags = xmltodict.parse(self.body, force_list="Tag")["CreateBucketConfiguration"]["Tags"]["Tag"]
            self.backend.put_bucket_tagging(bucket_name, {tag["Key"]: tag["Value"] for tag in tags})
        return answer

    s3_responses.S3Response._bucket_response_put = bucket_response_put


def repair_record_creation():
    """Lets a record be created again after it was deleted: moto reads its journal, and the names after it."""
    original = route53.Route53Backend.change_resource_record_sets

    def change_resource_record_sets(self, zoneid, change_list):
        zone = self.get_hosted_zone(zoneid)
        there = {(record.name.rstrip("."), record.type) for record in zone.rrsets}
        for change in change_list:
            wanted = change["ResourceRecordSet"]
            if change["Action"] == "CREATE" and (wanted["Name"].rstrip("."), wanted["Type"]) not in there:
                while change in zone.rr_changes:
                    zone.rr_changes.remove(change)
        return original(self, zoneid, change_list)

    route53.Route53Backend.change_resource_record_sets = change_resource_record_sets


def one_at_a_time(backend, *names):
    """Lets these methods of a backend run one at a time, as each changes or walks a dictionary."""
    lock = threading.RLock()

    def alone(original):
        def method(self, *arguments, **named):
            with lock:
                return original(self, *arguments, **named)

        return method

    for name in names:
        setattr(backend, name, alone(getattr(backend, name)))


def repair_races():
    """moto answers 500 when an object is removed while its versions are listed, or a route is made while another is."""
    one_at_a_time(s3_models.S3Backend, "list_object_versions", "put_object", "delete_object", "delete_objects")
    one_at_a_time(
        ec2_models.EC2Backend,
        "create_route",
        "replace_route",
        "delete_route",
        "describe_route_tables",
        "authorize_security_group_ingress",
        "authorize_security_group_egress",
        "revoke_security_group_ingress",
        "revoke_security_group_egress",
        "describe_security_group_rules",
    )


def repair_regional_nat_gateways():
    """Makes a NAT gateway of a VPC, which has no subnet; and removes the interface of a gateway that is gone, as AWS does."""
    original = nat_gateway_responses.NatGateways.create_nat_gateway
    delete = ec2_models.EC2Backend.delete_nat_gateway

    def create_nat_gateway(self):
        if self._get_param("AvailabilityMode") != "regional":
            return original(self)
        vpc = self._get_param("VpcId")
        self.ec2_backend.get_vpc(vpc)
        # moto's gateway has an interface in a subnet. It goes with the gateway.
        subnet = self.ec2_backend.describe_subnets(filters={"vpc-id": [vpc]})[0]
        tags = nat_gateway_responses.add_tag_specification(self._get_param("TagSpecifications", []))
        made = self.ec2_backend.create_nat_gateway(subnet.id, None, tags)
        made.availability_mode, made.subnet_id, made.address_set = "regional", None, []
        return nat_gateway_responses.ActionResult({"NatGateway": made})

    def delete_nat_gateway(self, nat_gateway_id):
        gateway = delete(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    nat_gateway_responses.NatGateways.create_nat_gateway = create_nat_gateway
    ec2_models.EC2Backend.delete_nat_gateway = delete_nat_gateway


def repair_endpoint_filters():
    """Finds VPC endpoints by their ids, as by their tags."""
    original = vpcs.VPCEndPoint.get_filter_value

    def get_filter_value(self, filter_name, method_name=None):
        return self.id if filter_name == "vpc-endpoint-id" else original(self, filter_name)

    vpcs.VPCEndPoint.get_filter_value = get_filter_value


def repair_listener_protocols():
    """Lets a listener change to and from the protocols of network load balancers; TLS takes its certificate along."""
    original = elbv2.ELBv2Backend.modify_listener

    def modify_listener(self, arn, port=None, protocol=None, ssl_policy=None, certificates=None, actions=None):
        if protocol == "TLS":
            for certificate in certificates or [{"CertificateArn": "none"}]:
                if not self._certificate_exists(certificate_arn=certificate["CertificateArn"]):
                    raise elbv2.RESTError("CertificateNotFound", "the certificate is not there")
        known = protocol if protocol in ("HTTP", "HTTPS") else None
        more = [listener.certificates[1:] for listener in self.describe_listeners(None, [arn])]
        listener = original(self, arn, port, known, ssl_policy, certificates, actions)
        if protocol == "HTTPS":
            # The first is the default one; moto drops the others with it.
            listener.certificates = [listener.certificate, *more[0]]
        listener.protocol = protocol or listener.protocol
        if protocol == "TLS":
            listener.certificate = certificates[0]["CertificateArn"]
            listener.certificates = [certificate["CertificateArn"] for certificate in certificates]
        elif protocol in ("TCP", "UDP", "TCP_UDP"):
            listener.certificate, listener.certificates = None, []
        return listener

    elbv2.ELBv2Backend.modify_listener = modify_listener

    def remove_listener_certificates(self, arn, certificates):
        """Keeps the default certificate, which AWS lists apart from the others."""
        listener = self.describe_listeners(None, [arn])[0]
        removed = [certificate["CertificateArn"] for certificate in certificates]
        kept = [certificate for certificate in listener.certificates[1:] if certificate not in removed]
        listener.certificates = listener.certificates[:1] + kept

    elbv2.ELBv2Backend.remove_listener_certificates = remove_listener_certificates


def repair_certificates():
    """Issues a certificate once its validation record is in a hosted zone, as AWS does: moto issues it after a minute."""

    def check(self):
        if self.type != "AMAZON_ISSUED" or self.status != "PENDING_VALIDATION":
            return
        [option] = self.describe()["Certificate"]["DomainValidationOptions"]
        wanted = option["ResourceRecord"]
        account = self.arn.split(":")[4]
        for zone in route53.route53_backends[account]["aws"].zones.values():
            for record in zone.rrsets:
                values = [(value if isinstance(value, str) else value["Value"]).rstrip(".") for value in record.records]
                if record.name.rstrip(".") == wanted["Name"].rstrip(".") and wanted["Value"].rstrip(".") in values:
                    self.status = "ISSUED"

    acm.CertBundle.check = check
    original = acm.AWSCertificateManagerBackend.delete_certificate

    def delete_certificate(self, arn):
        """Refuses to delete a certificate that a listener has."""
        balancers = elbv2.elbv2_backends[self.account_id][self.region_name].load_balancers.values()
        if any(arn in listener.certificates for balancer in balancers for listener in balancer.listeners.values()):
            raise JsonRESTError("ResourceInUseException", f"{arn} is in use")
        return original(self, arn)

    acm.AWSCertificateManagerBackend.delete_certificate = delete_certificate


def repair_machine_versions():
    """Returns for each machine of a group the version that it was started with, not the current one of the group."""
    original_start = autoscaling.FakeAutoScalingGroup.replace_autoscaling_group_instances
    run_instances = instances.InstanceBackend.run_instances

    def start(self, count_needed, propagated_tags):
        starting.version = self.launch_template_version if self.ec2_launch_template else None
        try:
            original_start(self, count_needed, propagated_tags)
        finally:
            starting.version = None
        # One that comes in the place of a machine that was terminated joins the group's target groups as well.
        if self.name in self.autoscaling_backend.autoscaling_groups:
            self.autoscaling_backend.update_attached_target_groups(self.name)

    def run(self, image_id, count, user_data, security_group_names, **more):
        version = getattr(starting, "version", None)
        if version and more.get("launch_template"):
            more["launch_template"] = {**more["launch_template"], "Version": version}
        reservation = run_instances(self, image_id, count, user_data, security_group_names, **more)
        for instance in reservation.instances:
            instance.template_version = version
        return reservation

    def launch_template(self):
        template = self.auto_scaling_group.ec2_launch_template if self.auto_scaling_group else None
        if template is None:
            return None
        version = getattr(self.instance, "template_version", None)
        return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": version or template.default_version_number}

    starting = threading.local()
    autoscaling.FakeAutoScalingGroup.replace_autoscaling_group_instances = start
    autoscaling.InstanceState.launch_template = property(launch_template)
    instances.InstanceBackend.run_instances = run


def repair_group_policies():
    """Keeps the mixed instances policy of a group in an update that does not name it, as AWS does."""
    original = autoscaling.AutoScalingBackend.update_auto_scaling_group

    def update_auto_scaling_group(self, name, **changes):
        group = self.autoscaling_groups.get(name)
        if group and not changes.get("mixed_instances_policy") and not changes.get("launch_template"):
            changes["mixed_instances_policy"] = policy = copy.deepcopy(group.mixed_instances_policy)
            if policy:
                # moto adds the name, and then refuses a template with both.
                policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
        return original(self, name, **changes)

    autoscaling.AutoScalingBackend.update_auto_scaling_group = update_auto_scaling_group


def repair_terminations():
    """Takes a machine that Auto Scaling terminates out of its target groups too, not only one that EC2 terminates."""
    original = autoscaling.AutoScalingBackend.terminate_instance

    def terminate_instance(self, instance_id, should_decrement):
        answer = original(self, instance_id, should_decrement)
        self.elbv2_backend.notify_terminate_instances([instance_id])
        return answer

    autoscaling.AutoScalingBackend.terminate_instance = terminate_instance


def repair_instance_profile_tags():
    """Applies the rules for tags of roles to those of instance profiles: moto checks only the former."""
    for name in ("create_instance_profile", "tag_instance_profile"):
        original = getattr(iam.IAMBackend, name)

        def verified(self, *arguments, original=original, **named):
            tags = named.get("tags") or next((each for each in arguments if isinstance(each, list) and each and isinstance(each[0], dict)), None)
            self._tag_verification(tags or [])
            return original(self, *arguments, **named)

        setattr(iam.IAMBackend, name, verified)


def speak_for_machines(now=lambda: True):
    """Lets a machine that is started now say that it is ready: nothing runs on it yet that could."""
    original = instances.InstanceBackend.run_instances

    def run_instances(self, image_id, count, user_data, security_group_names, **more):
        reservation = original(self, image_id, count, user_data, security_group_names, **more)
        for instance in reservation.instances if now() else []:
            report_ready(self.account_id, instance)
        return reservation

    instances.InstanceBackend.run_instances = run_instances


def report_ready(account, instance):
    """Writes the status as node.sh does, into the directory of the cluster from the user data."""
    text = instance.user_data.decode() if instance.user_data else ""
    bucket, folder = (re.search(pattern, text, re.MULTILINE) for pattern in (r"^bucket='?([^'\n]+)", r"^fetch '?([^' ]+)/bootstrap/"))
    s3 = s3_models.s3_backends[account]["aws"]
    if not bucket or not folder or bucket[1] not in s3.buckets:
        return
    status = {"instance": instance.id, "step": "ready", "state": "ready", "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    s3.put_object(bucket[1], f"{folder[1]}/nodes/{instance.id}/status.json", json.dumps(status).encode())


def run_scripts_of_systems_manager(machine):
    """Runs the scripts that are sent to machines: all are one, whose commands are in tests/moto/machine.

    It is not connected while `machine` has the file `disconnected`.
    """
    commands = os.path.join(os.path.dirname(os.path.abspath(__file__)), "machine")
    original = ssm.Command.invocation_response
    of_targets = ssm.Command._get_instance_ids_from_targets
    send = ssm.SimpleSystemManagerBackend.send_command

    def send_command(self, **arguments):
        if os.path.exists(os.path.join(machine, "disconnected")):
            raise ssm.RESTError("InvalidInstanceId", "")
        return send(self, **arguments)

    def invocation_response(self, instance_id, plugin_name):
        answer = original(self, instance_id, plugin_name)
        script = "\n".join(self.parameters.get("commands", []))
        environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "QUORATE_TEST_MACHINE": machine}
        ran = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, timeout=30, check=False)
        status = "Success" if ran.returncode == 0 else "Failed"
        output = {"StandardOutputContent": ran.stdout[:24000], "StandardErrorContent": ran.stderr[:8000]}
        return {**answer, **output, "ResponseCode": ran.returncode, "Status": status, "StatusDetails": status}

    # Without targets, moto sends a command to all machines.
    ssm.Command._get_instance_ids_from_targets = lambda self: of_targets(self) if self.targets else []
    ssm.SimpleSystemManagerBackend.send_command = send_command
    ssm.Command.invocation_response = invocation_response


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_args):
        pass


def stop_with_the_parent():
    sys.stdin.read()
    os._exit(0)


def application():
    """The repaired moto as a WSGI application."""
    repair_launch_template_versions()
    repair_bucket_versioning()
    repair_bucket_tags()
    repair_record_creation()
    repair_races()
    repair_listener_protocols()
    repair_regional_nat_gateways()
    repair_endpoint_filters()
    repair_certificates()
    repair_machine_versions()
    repair_group_policies()
    repair_terminations()
    repair_instance_profile_tags()
    return DomainDispatcherApplication(create_backend_app)


def main():
    speak_for_machines()
    if machine := os.environ.get("QUORATE_TEST_MACHINE"):
        run_scripts_of_systems_manager(machine)
    server = make_server("127.0.0.1", 0, application(), threaded=True, request_handler=Quiet)
    print(server.server_port, flush=True)
    threading.Thread(target=stop_with_the_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
