"""What the cluster file says of nodes: labels and taints, also of those that run; the kubelet's settings; Spot Instances."""

import json
import time

import yaml

from hosts.conftest import cluster_file
from hosts.etcd import Etcd
from hosts.machine import wait

NOTICE = 120  # seconds from EC2's notice to the end of a Spot Instance
GROUP = 'nodes "workers" {'
LABELS = """
  labels = { team = "chat", "node-role.kubernetes.io/worker" = "" }
  taints = ["tier=web:PreferNoSchedule"]
"""
OTHERS = """
  labels = { tier = "web" }
"""
TAINT = {"key": "tier", "value": "web", "effect": "PreferNoSchedule"}


def cluster(settings):
    """The tutorial's cluster with more settings of its nodes."""
    text = cluster_file()
    assert text.count(GROUP) == 1
    return text.replace(GROUP, GROUP + settings)


def node(fleet, machine):
    return json.loads(Etcd(fleet, "master-a").ask("get", "--print-value-only", f"/registry/minions/{machine.instance.hostname}"))


def marks(fleet):
    """The team, the role and our taint of each node."""
    found = [node(fleet, machine) for machine in fleet.roles("node")]
    return [(one["labels"].get("team"), one["labels"].get("node-role.kubernetes.io/worker"), TAINT in one["taints"]) for one in found]


def reconcile(fleet):
    """What a master's timer does."""
    fleet["master-a"].run("systemctl", "start", "quorate-nodes")


def test_nodes_that_run_get_labels_and_taints_and_new_ones_start_with_them(fleet):
    nodes = {machine.instance.id for machine in fleet.roles("node")}
    assert fleet["master-a"].run("systemctl", "is-enabled", "quorate-nodes.timer").stdout.strip() == "enabled"
    fleet.change(cluster(LABELS))
    assert {machine.instance.id for machine in fleet.roles("node")} == nodes, "no machine is replaced"
    reconcile(fleet)
    assert marks(fleet) == [("chat", "", True)] * len(nodes)
    fleet.replace("workers-1")
    fleet.settle("workers-1")
    new = node(fleet, fleet["workers-1"])
    assert new["labels"]["team"] == "chat" and TAINT in new["taints"], "from its start"
    assert "node-role.kubernetes.io/worker" not in new["labels"], "a kubelet may not give itself this one"
    reconcile(fleet)
    assert marks(fleet) == [("chat", "", True)] * len(nodes)
    # A label that somebody else has set stays.
    Etcd(fleet, "master-a").put(f"/registry/minions/{fleet['workers-1'].instance.hostname}", json.dumps({**new, "labels": {**new["labels"], "by-hand": "1"}}))
    # The file before this one stays as long as changes are deferred: the newest counts.
    fleet.change(cluster(OTHERS))
    reconcile(fleet)
    assert marks(fleet) == [(None, None, False)] * len(nodes)
    labels = node(fleet, fleet["workers-1"])["labels"]
    assert (labels["by-hand"], labels["tier"]) == ("1", "web")


def test_a_kubelet_leaves_cpu_and_memory_for_the_machine(fleet):
    settings = yaml.safe_load(fleet["workers-1"].sh("cat /var/lib/kubelet/config.yaml"))
    assert settings["maxPods"] == 110
    memory = int(settings["kubeReserved"]["memory"].removesuffix("Mi"))
    assert 0 < memory <= 255 + 11 * 110
    assert int(settings["kubeReserved"]["cpu"].removesuffix("m")) >= 60
    assert settings["cgroupDriver"] == "systemd", "the rest is the cluster's"


def test_a_spot_instance_that_ec2_takes_back_moves_its_pods_in_time(fleet):
    fleet.metadata.spot = True
    fleet.change(cluster("\n  spot = true\n"))
    fleet.boot()
    for machine in fleet.roles("node"):
        fleet.settle(machine.instance.name)
    worker = fleet["workers-1"]
    assert node(fleet, worker)["labels"]["quorate.dev/capacity-type"] == "spot"
    etcd = Etcd(fleet, "master-a")
    spec = {"spec": {"nodeName": worker.instance.hostname}, "status": {"phase": "Running"}, "budget": 1}
    for name in ("web", "chat"):
        etcd.put(f"/registry/pods/default/{name}", json.dumps({"metadata": {"namespace": "default", "name": name}, **spec}))
    wait("both to run", 30, lambda: all(worker.state(f"container-pod-{name}") == "active" for name in ("web", "chat")))
    began = time.monotonic()
    fleet.metadata.take_back(worker.instance)
    fleet.logs("workers-1", "no pod is left to move", unit="quorate-interruption", seconds=NOTICE)
    assert time.monotonic() - began < NOTICE
    assert not etcd.ask("get", "--prefix", "--keys-only", "/registry/pods/").split()
    assert node(fleet, worker)["unschedulable"], "no new pod comes"
    fleet.metadata.spot = False
