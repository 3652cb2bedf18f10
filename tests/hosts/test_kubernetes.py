"""The same machines with the Kubernetes project's own programs: until every node is Ready, and once more after a loss."""

import json

import pytest

from hosts import kubernetes
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason="QUORATE_KUBERNETES_BIN names no folder with Kubernetes")


def ready(fleet, through):
    """The names of the nodes that are Ready, as one master's API server says."""
    listed = fleet[through].run("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "nodes", "--output=json", check=False)
    if listed.returncode:
        return set()
    conditions = {node["metadata"]["name"]: node["status"]["conditions"] for node in json.loads(listed.stdout)["items"]}
    return {name for name, found in conditions.items() if any(one["type"] == "Ready" and one["status"] == "True" for one in found)}


def names(fleet):
    return {machine.instance.hostname for machine in fleet.machines.values()}


def test_every_node_becomes_ready(fleet):
    wait("every node to be Ready", 300, lambda: names(fleet) <= ready(fleet, "master-a"))


def test_a_lost_master_is_ready_again(fleet):
    """While it is away the others answer."""
    fleet.terminate("master-b")
    assert ready(fleet, "master-a")
    fleet.boot("master-b")
    fleet.settle("master-b", 600)
    wait("every node to be Ready", 300, lambda: names(fleet) <= ready(fleet, "master-c"))
