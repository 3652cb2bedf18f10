"""A minor version's upgrade while clients write: masters one at a time, then the nodes."""

import ssl
import subprocess
import urllib.request

from hosts.api import Client
from hosts.conftest import cluster_file
from hosts.etcd import Etcd

AFTER = "1.37"
STANDSTILL = 30  # seconds that writes or answers may stand still on a busy box
MASTERS = {"master-a", "master-b", "master-c"}
BUCKET, SNAPSHOTS = "state.chat.poeticoding.com", "chat.poeticoding.com/backups/etcd/20"
PREFIX = "/hosts/upgrade/"


def any_master(fleet, ask):
    """Asks one master after the other, as clients do by their common name, until one answers."""
    error = None
    for machine in fleet.roles("master"):
        try:
            return ask(machine)
        except (OSError, AssertionError, KeyError, subprocess.TimeoutExpired) as failed:
            error = failed
    raise OSError(f"no master answers: {error}")


def answers(fleet):
    tls = ssl._create_unverified_context()
    return any_master(fleet, lambda machine: urllib.request.urlopen(f"https://{machine.instance.address}:6443/readyz", timeout=2, context=tls).read())


def write(fleet, acknowledged):
    name = f"{PREFIX}{len(acknowledged)}"
    any_master(fleet, lambda machine: Etcd(fleet, machine.instance.name).ask("put", name, "written", timeout=10))
    acknowledged.add(name)


def snapshots(fleet):
    listed = fleet.cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=SNAPSHOTS)
    return {item["Key"] for item in listed.get("Contents", [])}


def test_a_minor_version_is_upgraded(fleet):
    before, kept = {machine.instance.id for machine in fleet.machines.values()}, snapshots(fleet)
    acknowledged = set()
    with Client(lambda: write(fleet, acknowledged), every=1) as writer, Client(lambda: answers(fleet), every=1) as reader:
        fleet.follow(f'{cluster_file()}\nkubernetes = "{AFTER}"\n')
    assert len(fleet.machines) == len(before)
    for machine in fleet.machines.values():
        assert machine.instance.id not in before
        assert machine.sh("kubelet --version").startswith(f"Kubernetes v{AFTER}.")
    order = sorted(fleet.machines, key=lambda name: fleet[name].booted)
    assert set(order[: len(MASTERS)]) == MASTERS, "a node is never newer than a master"
    assert {key[-len("a.db") :] for key in snapshots(fleet) - kept} == {"a.db", "b.db", "c.db"}
    assert len(acknowledged) > 50
    assert acknowledged <= set(Etcd(fleet, "master-b").ask("get", "--prefix", "--keys-only", PREFIX).split())
    assert max(writer.longest, reader.longest) < STANDSTILL, f"writes: {writer}; answers: {reader}"
