"""The upgrade to the next minor version of Kubernetes, while clients come through the load balancer."""

import pytest

from hosts import kubernetes
from hosts.api import Api, Client, Kept, Writes, probe
from hosts.machine import wait
from hosts.workload import REPLICAS, Moves, deployed

pytestmark = pytest.mark.skipif(kubernetes.next_folder() is None, reason=kubernetes.NO_NEXT)

STANDSTILL = 60  # seconds that a client may be without an answer on a busy box


class Skew:
    """The versions of API servers and of the workers' kubelets, looked at again and again."""

    def __init__(self, fleet):
        self.fleet, self.api = fleet, Api(fleet)
        self.seen, self.wrong = set(), []

    def __call__(self):
        masters = [machine for machine in self.fleet.roles("master") if machine.alive]
        servers = {Api(self.fleet, at=machine.instance.address).get("/version")["gitVersion"] for machine in masters}
        # By name: a new master has its label only when its API server is ready.
        workers = {machine.instance.hostname for machine in self.fleet.roles("node")}
        nodes = [node for node in self.api.items("/api/v1/nodes") if node["metadata"]["name"] in workers]
        kubelets = {node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes}
        self.seen |= {(server, kubelet) for server in servers for kubelet in kubelets}
        self.wrong += [(server, kubelet) for server in servers for kubelet in kubelets if kubelet > server]


def test_a_minor_version_is_upgraded(fleet, figure):
    """One apply replaces every machine: no acknowledged write is lost, and no node is newer than an API server."""
    old, new = kubernetes.folders()
    wanted = fleet.cluster.replace(f'kubernetes = "{kubernetes.minor(old)}"', f'kubernetes = "{kubernetes.minor(new)}"')
    fleet.cloud.pin(new)
    plan = fleet.cloud.quorate("plan", cluster=wanted)
    assert f"Kubernetes {kubernetes.minor(old)} -> {kubernetes.minor(new)}" in plan, plan
    assert "was not checked" not in plan and "written as" not in plan and "not ready" not in plan, plan
    before = {machine.instance.id for machine in fleet.machines.values()}
    workers = {machine.instance.id for machine in fleet.roles("node")}
    balancer, skew, moves = Api(fleet, at=fleet.balancer(), port=443), Skew(fleet), Moves(fleet)
    writes = Writes(balancer, "upgrade")
    with deployed(fleet), Client(moves), Client(skew, every=1):
        with Client(probe(balancer)) as fresh, Client(Kept(balancer)) as kept, Client(writes) as written:
            fleet.follow(wanted)
    figure(f"{old} -> {new}: {len(before)} machines replaced in {fleet.took:.0f} s")
    figure(f"through the load balancer: new connections: {fresh}; kept ones: {kept}")
    figure(f"writes: {written}; {writes.kept()} of {len(writes.acknowledged)} acknowledged ones are there")
    figure(f"{len(workers & moves.drained)} of {len(workers)} nodes were drained through the API; at least {moves.fewest} of {REPLICAS} pods were available")
    assert workers <= moves.drained and moves.fewest >= REPLICAS - 1
    assert not before & {machine.instance.id for machine in fleet.machines.values()}
    assert writes.kept() == len(writes.acknowledged) > 0
    assert not skew.wrong, skew.wrong
    assert {(old, old), (new, old), (new, new)} <= skew.seen, sorted(skew.seen)
    assert max(fresh.longest, kept.longest, written.longest) < STANDSTILL
    wait("every node to be Ready", 300, lambda: fleet.names() <= fleet.api.ready())
    versions = {node["status"]["nodeInfo"]["kubeletVersion"] for node in fleet.api.items("/api/v1/nodes")}
    assert versions == {new}
    assert "No changes" in fleet.cloud.quorate("plan", cluster=wanted)
