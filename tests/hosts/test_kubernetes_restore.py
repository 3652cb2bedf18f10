"""Two of three volumes are lost: etcd goes back to a snapshot, and the cluster works from there."""

import time

import pytest

from hosts import kubernetes
from hosts.api import UNREACHABLE, Refused
from hosts.machine import wait
from hosts.test_recovery import MASTERS, snapshots

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)

MAPS = "/api/v1/namespaces/default/configmaps"


def test_the_cluster_goes_back_to_a_snapshot(fleet, figure):
    """As docs/machines.md describes. What was created after the snapshot is gone; controllers reconcile the rest."""
    fleet.api.apply(f"{MAPS}/back", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "back"}, "data": {"was": "in the snapshot"}})
    fleet["master-a"].run("systemctl", "start", "quorate-backup", timeout=200)
    snapshot = max(name for name in snapshots(fleet) if name.endswith("-a.db"))
    fleet.api.ask("PATCH", f"{MAPS}/back", {"data": {"was": "made after it"}}, kind="application/merge-patch+json")
    for name in ("master-a", "master-b"):
        fleet.volumes.blank_next(fleet.volume(name))
        fleet.replace(name)
    fleet.logs("master-a", "never begins a second cluster by itself", seconds=600)
    fleet.logs("master-b", "never begins a second cluster by itself", seconds=600)
    began = time.monotonic()
    for name in MASTERS:
        fleet[name].run("/opt/quorate/node.sh", "restore", snapshot, timeout=300)
    for name in MASTERS:
        fleet.settle(name)
    wait("the API to answer", 300, lambda: was(fleet))
    answered = time.monotonic() - began
    assert was(fleet) == "in the snapshot"
    wait("every node to be Ready", 600, lambda: fleet.names() <= fleet.api.ready())
    figure(f"node.sh restore on three masters: the API answered after {answered:.0f} s, every node was Ready after {time.monotonic() - began:.0f} s")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "after"}, "spec": {"template": {"spec": POD}}}
    fleet.api.apply("/apis/batch/v1/namespaces/default/jobs/after", job)
    wait("a job to be done", 300, lambda: fleet.api.get("/apis/batch/v1/namespaces/default/jobs/after")["status"].get("succeeded"))


POD = {"restartPolicy": "Never", "containers": [{"name": "one", "image": "nginx:1.27", "command": ["/bin/busybox", "true"]}]}


def was(fleet):
    try:
        return fleet.api.get(f"{MAPS}/back")["data"]["was"]
    except (Refused, *UNREACHABLE):
        return None
