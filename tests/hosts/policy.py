"""Whether a role's policy allows a call: actions and resources, as moto's IAM holds them. Conditions are not looked at."""

import json
import re


def documents(iam, role):
    """The statements of a role's inline policies."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    parsed = [json.loads(document) if isinstance(document, str) else document for document in found]
    return [statement for document in parsed for statement in document["Statement"]]


def allows(statements, call):
    """Whether every resource that a call touches is allowed to it."""
    return all(any(covers(statement, call, resource) for statement in statements) for resource in resources(call))


def covers(statement, call, resource):
    action = f"{call.service}:{call.action}"
    return statement["Effect"] == "Allow" and matches(statement["Action"], action) and matches(statement["Resource"], resource)


def matches(patterns, text):
    patterns = [patterns] if isinstance(patterns, str) else patterns
    expression = lambda pattern: re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return any(re.fullmatch(expression(pattern), text) for pattern in patterns)


def resources(call):
    """The ARNs that AWS checks a call against."""
    if call.action in ("AttachVolume", "DetachVolume"):
        kinds = {"volume": call.parameters["VolumeId"], "instance": call.parameters["InstanceId"]}
        return [f"arn:aws:ec2:us-east-1:123456789012:{kind}/{name}" for kind, name in kinds.items()]
    return [call.resource or "*"]
