"""Whether a role's policy allows a call: actions, resources and conditions, as moto's IAM holds them."""

import fnmatch
import json
import re


def documents(iam, role):
    """The statements of a role's inline policies."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    parsed = [json.loads(document) if isinstance(document, str) else document for document in found]
    return [statement for document in parsed for statement in document["Statement"]]


def allows(statements, call, tags):
    """Returns whether every resource that a call touches is allowed. `tags` returns the tags of a resource of EC2 by its id."""
    touched = [(resource, context(call, resource, tags)) for resource in resources(call)]
    return all(any(covers(statement, call, *each) for statement in statements) for each in touched)


def covers(statement, call, resource, values):
    action = f"{call.service}:{call.action}"
    named = matches(statement["Action"], action) and matches(statement["Resource"], resource)
    return statement["Effect"] == "Allow" and named and holds(statement.get("Condition", {}), values)


def matches(patterns, text):
    expression = lambda pattern: re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return any(re.fullmatch(expression(pattern), text) for pattern in listed(patterns))


def listed(one_or_more):
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def resources(call):
    """The ARNs that AWS checks a call against."""
    if call.action in ("AttachVolume", "DetachVolume"):
        kinds = {"volume": call.parameters["VolumeId"], "instance": call.parameters["InstanceId"]}
        return [f"arn:aws:ec2:us-east-1:123456789012:{kind}/{name}" for kind, name in kinds.items()]
    return [call.resource or "*"]


def context(call, resource, tags):
    """The context of a call when AWS evaluates conditions: lists of values by key."""
    if call.service == "s3":
        return {"s3:prefix": [call.parameters["prefix"]]} if "prefix" in call.parameters else {}
    if call.action == "ChangeResourceRecordSets":
        of = lambda member: [change[member] for change in call.parameters["changes"]]
        key = "route53:ChangeResourceRecordSets"
        return {f"{key}Actions": of("action"), f"{key}RecordTypes": of("type"), f"{key}NormalizedRecordNames": of("name")}
    if resource.startswith("arn:aws:ec2:"):
        return {f"aws:ResourceTag/{name}": [value] for name, value in tags(resource.rpartition("/")[2]).items()}
    return {}


def holds(condition, values):
    """Whether every key of every operator holds. One that this does not know is an error, never a yes."""
    return all(
        compare(operator, listed(wanted), values.get(key))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def compare(operator, wanted, found):
    if operator == "Null":
        return (found is None) == (wanted == ["true"])
    every, _, comparison = operator.rpartition(":")
    fits = {
        "StringEquals": lambda value: value in wanted,
        "StringEqualsIgnoreCase": lambda value: value.lower() in [one.lower() for one in wanted],
        "StringLike": lambda value: any(fnmatch.fnmatchcase(value, one) for one in wanted),
    }[comparison]
    if every not in ("", "ForAllValues"):
        raise ValueError(f"the operator {operator} is not known here")
    # Without a value a plain comparison is false, and one for all values is true.
    return all(fits(value) for value in found or []) and (found is not None or every == "ForAllValues")
