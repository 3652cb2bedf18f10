"""node.sh dies in the middle and begins again; a machine loses its power. Both end where an undisturbed one ends."""

import json
import re

from hosts.etcd import Etcd
from hosts.machine import wait

STEPS = re.compile(r"quorate: node: (.+): begins")
# Where a half-done step leaves something behind. tests/it/node kills a run at each of its calls, without a machine.
DEADLY = ("packages", "etcd volume, mount", "certificates", "control plane", "cluster configuration")


def test_a_run_that_dies_again_and_again_converges(fleet):
    """Every process of node.sh is killed as soon as such a step begins, once at each."""
    before = Etcd(fleet, "master-b").members()
    machine = fleet.replace("master-a")
    left = list(DEADLY)

    def over(_):
        begun = STEPS.findall(machine.journal())
        if begun and begun[-1] in left and machine.state() == "activating":
            left.remove(begun[-1])
            machine.run("systemctl", "kill", "--signal=SIGKILL", "quorate-node", check=False)
            machine.run("systemctl", "restart", "--no-block", "quorate-node")
        return machine.state() == "active"

    fleet.hear("master-a", "node.sh to finish", 400, over)
    assert not left
    assert Etcd(fleet, "master-a").members() == before


def test_a_master_that_lost_its_power_comes_back(fleet):
    """The same machine with the same disk: mounts are gone, processes are gone, nothing is done twice."""
    before = Etcd(fleet, "master-a").members()
    Etcd(fleet, "master-a").put("/hosts/power", "kept")
    fleet.cut_power("master-b")
    fleet.settle("master-b")
    assert Etcd(fleet, "master-b").members() == before
    assert Etcd(fleet, "master-b").own("/hosts/power") == "kept"


def test_a_machine_whose_node_was_deleted_is_one_again(fleet):
    """A timer notices, and nothing is restarted by hand."""
    worker = fleet["workers-1"]
    key = f"/registry/minions/{worker.instance.hostname}"
    found = lambda: Etcd(fleet, "master-a").ask("get", "--print-value-only", key)
    # Whether it takes pods is not the kubelet's to say.
    node = lambda: {name: value for name, value in json.loads(found()).items() if name != "unschedulable"}
    before = node()
    assert worker.run("systemctl", "is-enabled", "quorate-enroll.timer").stdout.strip() == "enabled"
    Etcd(fleet, "master-a").ask("del", key)
    worker.run("systemctl", "start", "quorate-enroll.service")
    wait("the Node to be there again as it was", 100, lambda: found() and node() == before)
    fleet.settle("workers-1")
