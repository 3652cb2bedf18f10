"""A worker is switched off: its pods move as their disruption budget allows, and their users notice nothing."""

import time
import urllib.request

import pytest

from hosts import kubernetes
from hosts.api import Client
from hosts.machine import wait
from hosts.workload import PLACES, PORT, REPLICAS, available

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)


def mark(fleet, name, unschedulable):
    change = {"spec": {"unschedulable": unschedulable}}
    fleet.api.ask("PATCH", f"/api/v1/nodes/{fleet[name].instance.hostname}", change, kind="application/merge-patch+json")


def test_pods_move_one_at_a_time(fleet, figure):
    mark(fleet, "workers-2", True)
    for path, thing in PLACES.items():
        fleet.api.apply(path, thing)
    wait("all pods to run", 180, lambda: available(fleet) == REPLICAS)
    mark(fleet, "workers-2", None)
    fewest = [REPLICAS]

    def watch():
        fewest[0] = min(fewest[0], available(fleet))

    url = f"http://{fleet['workers-2'].instance.address}:{PORT}/"
    with Client(lambda: urllib.request.urlopen(url, timeout=3).read(), every=0.1) as users, Client(watch):
        time.sleep(3)
        began = time.monotonic()
        fleet["workers-1"].run("systemctl", "--no-block", "poweroff")
        wait("workers-1 to be off", 240, lambda: not fleet["workers-1"].alive)
        took = time.monotonic() - began
        time.sleep(3)
    output = fleet["workers-1"].console.read_text(errors="replace")
    figure(f"off after {took:.0f} s; at least {fewest[0]} of {REPLICAS} pods were available; of its users' requests {users}")
    fleet.cut_power("workers-1")
    wait("every node to be Ready", 300, lambda: fleet.names() <= fleet.api.ready())
    fleet.settle("workers-1")
    for path in PLACES:
        fleet.api.ask("DELETE", path)
    assert "no pod is left to move" in output, output[-3000:]
    assert fewest[0] >= REPLICAS - 1
    assert not users.failed
