"""A master is lost while clients read and write: the one that holds all leases, then one with its volume."""

import time

import pytest

from hosts import kubernetes
from hosts.api import Api, Client, Kept, Writes, probe
from hosts.etcd import Etcd
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)

LEASES = ("kube-controller-manager", "kube-scheduler")
# Seconds that a dead machine stays behind the load balancer: its health checks are all that notices. EC2 takes minutes.
UNNOTICED = 40
STANDSTILL = 60  # seconds that a client may be without an answer on a busy box


def give_all_leases(fleet, name):
    """Makes one master lead etcd and hold the leases of the control plane: its rivals are stopped for a moment."""
    node = fleet[name].instance.hostname
    leader = Etcd(fleet, name).leader()
    if leader != name:
        Etcd(fleet, leader).ask("move-leader", f"{Etcd(fleet, name).members()[name.replace('master', 'etcd')]:x}")
    for lease in LEASES:
        for other in fleet.masters_but(name):
            fleet[other].run("mv", f"/etc/kubernetes/manifests/{lease}.yaml", "/tmp")
        wait(f"{name} to hold {lease}", 120, lambda: fleet.api.leader(lease) == node)
        for other in fleet.masters_but(name):
            fleet[other].run("mv", f"/tmp/{lease}.yaml", "/etc/kubernetes/manifests/")


def lose(fleet, name, figure):
    """Ends a master at once under load, and waits for the one that comes in its place."""
    others = [fleet[other].instance.address for other in fleet.masters_but(name)]
    balancer = Api(fleet, at=fleet.balancer(), port=443)
    writes = Writes(balancer, f"lost-{name}-{int(time.time())}")
    old = fleet[name].instance.hostname
    with Client(probe(Api(fleet, at=others[0]))) as one, Client(probe(Api(fleet, at=others[1]))) as two:
        with Client(probe(balancer)) as fresh, Client(Kept(balancer)) as kept, Client(writes) as written:
            time.sleep(5)
            fleet[name].kill()
            time.sleep(UNNOTICED)
            fleet.terminate(name)
            fleet.boot(name)
            new = fleet[name].instance.hostname
            wait(f"{new} to be Ready", 600, lambda: new in fleet.api.ready())
            took = time.monotonic() - fleet[name].booted
            fleet.settle(name)
            time.sleep(5)
    figure(f"at the other masters: {one}; {two}")
    figure(f"through the load balancer: new connections: {fresh}; kept ones: {kept}")
    figure(f"writes through the load balancer: {written}; {writes.kept()} of {len(writes.acknowledged)} acknowledged ones are there")
    figure(f"the replacement was Ready {took:.0f} s after its boot")
    assert writes.kept() == len(writes.acknowledged) > 0
    assert max(one.longest, two.longest, fresh.longest, kept.longest, written.longest) < STANDSTILL
    wait(f"the Node {old} to be gone", 180, lambda: fleet.api.get(f"/api/v1/nodes/{old}") is None)


def test_the_holder_of_all_leases_is_lost(fleet, figure):
    give_all_leases(fleet, "master-b")
    before = Etcd(fleet, "master-a").members()
    lose(fleet, "master-b", figure)
    assert Etcd(fleet, "master-a").members() == before


def test_a_master_is_lost_with_its_volume(fleet, figure):
    before = Etcd(fleet, "master-a").members()
    fleet.volumes.blank_next(fleet.volume("master-c"))
    lose(fleet, "master-c", figure)
    after = Etcd(fleet, "master-a").members()
    assert sorted(after) == sorted(before)
    assert after["etcd-c"] != before["etcd-c"]
    assert not Etcd(fleet, "master-a").learners()
