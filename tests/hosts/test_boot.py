"""What every machine does with its user data, and what only masters do."""

import json
import re

import pytest

MASTERS = ("master-a", "master-b", "master-c")
MACHINES = (*MASTERS, "workers-1", "workers-2")


@pytest.mark.parametrize("name", MACHINES)
def test_files_come_by_the_role_and_with_their_hashes(fleet, name):
    """A machine fetches what its user data names, as its own role, and runs just that."""
    machine = fleet[name]
    fetched = [call for call in fleet.cloud.wire.of(machine.instance.address, "GetObject") if "/bootstrap/" in call.resource]
    hashes = {re.search(r"/bootstrap/([0-9a-f]{64})/", call.resource)[1] for call in fetched}
    files = machine.sh("sha256sum /opt/quorate/node.sh /etc/quorate/settings").splitlines()
    assert {line.split()[0] for line in files} == hashes
    assert all(hash in machine.instance.user_data.decode() for hash in hashes)
    assert {fleet.metadata.keys.get(call.key) for call in fetched} == {name}


def test_nothing_answers_without_a_token(fleet):
    """The launch template asks for version 2 of the metadata service, and nothing we run falls back to version 1."""
    machine = fleet["workers-1"]
    assert machine.instance.tokens == "required"
    assert machine.sh("curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id") == "401"


@pytest.mark.parametrize("name", MASTERS)
def test_a_master_has_its_own_volume(fleet, name):
    """The volume of its name, and no other, is where etcd's data goes."""
    machine, volume = fleet[name], fleet.volume(name)
    described = fleet.cloud.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]
    assert [attached["InstanceId"] for attached in described["Attachments"]] == [machine.instance.id]
    link = f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
    assert machine.sh("stat --format=%t:%T $(findmnt --noheadings --output SOURCE /var/lib/etcd)") == machine.sh(f"stat --dereference --format=%t:%T {link}")
    assert machine.sh("stat --format=%a:%U /var/lib/etcd") == "700:root"
    assert "blank; creating a file system" in machine.journal()


@pytest.mark.parametrize("name", MASTERS)
def test_a_master_has_its_names(fleet, name):
    """Its peers find it by its own name, nodes by the API's, which all masters share."""
    expected = {machine.instance.address for machine in fleet.roles("master")}
    asked = fleet["workers-1"].sh("getent ahostsv4 api.internal.chat.poeticoding.com | awk '{print $1}' | sort -u")
    assert set(asked.split()) == expected
    own = fleet["workers-2"].sh(f"getent ahostsv4 {name.replace('master', 'etcd')}.internal.chat.poeticoding.com | awk 'NR==1{{print $1}}'")
    assert own == fleet[name].instance.address


@pytest.mark.parametrize("name", ("master-b", "workers-1"))
def test_the_kubelet_gets_passwords_of_ecr(fleet, name):
    """By the program and the arguments that it was started with, as the machine's role, in the region of the registry."""
    machine, registry = fleet[name], "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    flags = dict(word.removeprefix("--").partition("=")[::2] for word in machine.arguments("kubelet"))
    read = "import sys, yaml, json; print(json.dumps(yaml.safe_load(sys.stdin)['providers'][0]))"
    provider = json.loads(machine.sh(f'PYTHONPATH=/opt/python python3 -c "{read}" < {flags["image-credential-provider-config"]}'))
    program = f"{flags['image-credential-provider-bin-dir']}/{provider['name']}"
    request = {"apiVersion": provider["apiVersion"], "kind": "CredentialProviderRequest", "image": f"{registry}/chat:1"}
    answer = json.loads(machine.run(program, *provider["args"], stdin=json.dumps(request)).stdout)
    assert answer["auth"] == {registry: {"username": "AWS", "password": "123456789012-auth-token"}}
    (asked,) = fleet.cloud.wire.of(machine.instance.address, "GetAuthorizationToken")
    assert fleet.metadata.keys.get(asked.key) == name
