"""Every machine is replaced, one master after the other, while clients come through the load balancer."""

import time

import pytest

from hosts import kubernetes
from hosts.api import Api, Client, Kept, Writes, probe
from hosts.machine import wait
from hosts.workload import REPLICAS, Moves, deployed

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)

STANDSTILL = 60  # seconds that a client may be without an answer on a busy box


def test_all_machines_are_rolled(fleet, figure):
    """A larger size for all: one apply, which moves the pods of a machine before it ends it; nothing is left to change."""
    before = {machine.instance.id for machine in fleet.machines.values()}
    workers = {machine.instance.id for machine in fleet.roles("node")}
    balancer, moves = Api(fleet, at=fleet.balancer(), port=443), Moves(fleet)
    writes = Writes(balancer, f"roll-{int(time.time())}")
    with deployed(fleet), Client(moves), Client(probe(balancer)) as fresh, Client(Kept(balancer)) as kept, Client(writes) as written:
        fleet.change(fleet.cluster.replace('"t3.medium"', '"t3.large"'))
    figure(f"{len(before)} machines replaced in {fleet.took:.0f} s")
    figure(f"through the load balancer: new connections: {fresh}; kept ones: {kept}")
    figure(f"writes: {written}; {writes.kept()} of {len(writes.acknowledged)} acknowledged ones are there")
    figure(f"{len(workers & moves.drained)} of {len(workers)} nodes were drained through the API; at least {moves.fewest} of {REPLICAS} pods were available")
    assert workers <= moves.drained and moves.fewest >= REPLICAS - 1
    assert not before & {machine.instance.id for machine in fleet.machines.values()}
    assert writes.kept() == len(writes.acknowledged) > 0
    assert max(fresh.longest, kept.longest, written.longest) < STANDSTILL
    wait("every node to be Ready", 300, lambda: fleet.names() <= fleet.api.ready())
    assert "No changes" in fleet.cloud.quorate("plan", cluster=fleet.cluster)
