"""API servers stop one after the other, as in a renewal of certificates: clients behind the load balancer move before."""

import time

import pytest

from hosts import kubernetes
from hosts.api import UNREACHABLE, Api, Client, Kept, Refused, Writes, probe
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)

# As node.sh stops it, which has to be longer than the API server needs.
STOP = "crictl stop --timeout {seconds} $(crictl ps --quiet --name '^kube-apiserver$') 2> /dev/null"


def test_clients_of_an_api_server_that_stops_move(fleet, figure):
    balancer = Api(fleet, at=fleet.balancer(), port=443)
    writes = Writes(balancer, f"stop-{int(time.time())}")
    with Client(probe(balancer), every=0.1) as fresh, Client(Kept(balancer), every=0.1) as kept, Client(writes) as written:
        stops = [stop(fleet, machine) for machine in fleet.roles("master")]
    figure(f"API servers stopped in {', '.join(f'{seconds:.0f}' for seconds in stops)} s")
    figure(f"through the load balancer: new connections: {fresh}; kept ones: {kept}; writes: {written}")
    assert writes.kept() == len(writes.acknowledged) > 0


def stop(fleet, machine, seconds=30):
    """Stops one API server and waits until it is back, also for the load balancer; returns how long its end took."""
    began = time.monotonic()
    machine.sh(STOP.format(seconds=seconds), timeout=seconds + 60)
    took = time.monotonic() - began
    own = Api(fleet, at=machine.instance.address)
    wait(f"the API server of {machine} to be back", 180, lambda: is_ready(own))
    wait(f"the load balancer to take {machine}", 120, lambda: is_healthy(fleet, machine))
    return took


def is_ready(api):
    try:
        return api.get("/readyz") == "ok"
    except (Refused, *UNREACHABLE):
        return False


def is_healthy(fleet, machine):
    return any(machine.instance.id in targets and targets[machine.instance.id].state == "healthy" for targets in fleet.balancers.groups.values())
