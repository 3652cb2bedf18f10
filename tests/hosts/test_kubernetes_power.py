"""Machines lose their power: all at once, and so many masters that the others are no quorum."""

import time

import pytest

from hosts import kubernetes
from hosts.api import UNREACHABLE, Api, Client, Refused, Writes
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)


def back(fleet, began):
    """Waits until the API answers and every node is Ready; returns after how many seconds each was so."""
    wait("the API to answer", 600, lambda: answers(fleet))
    answered = time.monotonic() - began
    wait("every node to be Ready", 600, lambda: fleet.names() <= fleet.api.ready())
    return answered, time.monotonic() - began


def answers(fleet):
    try:
        return fleet.api.get("/readyz") == "ok"
    except (Refused, *UNREACHABLE):
        return False


def test_all_machines_lose_their_power(fleet, figure):
    """Every write that was acknowledged until the end is there afterwards."""
    writes = Writes(Api(fleet, at=fleet.balancer(), port=443), f"power-{int(time.time())}")
    with Client(writes):
        time.sleep(10)
        for machine in fleet.machines.values():
            machine.kill()
    began = time.monotonic()
    for name in list(fleet.machines):
        fleet.cut_power(name)
    answered, ready = back(fleet, began)
    figure(f"the API answered after {answered:.0f} s, every node was Ready after {ready:.0f} s; {writes.kept()} of {len(writes.acknowledged)} acknowledged writes are there")
    assert writes.kept() == len(writes.acknowledged) > 0
    for name in fleet.machines:
        fleet.settle(name)


def test_the_quorum_is_lost_and_comes_back(fleet, figure):
    """One of three masters writes nothing; what runs goes on; with a second one the API is back."""
    lost = ("master-a", "master-b")
    alone = Api(fleet, at=fleet["master-c"].instance.address)
    assert alone.get("/readyz") == "ok"
    containers = lambda: fleet["workers-1"].sh("crictl ps --quiet | sort")
    running = containers()
    for name in lost:
        fleet[name].kill()
    time.sleep(20)
    with pytest.raises((Refused, *UNREACHABLE)):
        alone.ask("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "alone"}})
    assert containers() == running
    began = time.monotonic()
    for name in lost:
        fleet.cut_power(name)
    answered, ready = back(fleet, began)
    figure(f"the API answered {answered:.0f} s after the two masters had power again, every node was Ready after {ready:.0f} s")
    assert fleet.api.get("/api/v1/namespaces/default/configmaps/alone") is None
    for name in lost:
        fleet.settle(name)
