"""A cluster of one master grows to three while clients write. Runs last: from here on it is another cluster."""

import pytest

from hosts import kubernetes
from hosts.api import Api, Client, Writes
from hosts.conftest import cluster_file
from hosts.etcd import Etcd
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)

STANDSTILL = 60  # seconds that writes may stand still on a busy box


def test_one_master_becomes_three(account, figure):
    account.become(cluster_file().replace("count = 3", "count = 1"))
    single = account.took
    writes = Writes(Api(account, at=account.balancer(), port=443), "growth")
    with Client(writes) as written:
        account.change(cluster_file())
    wait("every node to be Ready", 300, lambda: account.names() <= account.api.ready())
    assert sorted(Etcd(account, "master-a").members()) == ["etcd-a", "etcd-b", "etcd-c"]
    assert not Etcd(account, "master-a").learners()
    figure(f"one master: well after {single:.0f} s; to three: {account.took:.0f} s; writes: {written}; {writes.kept()} of {len(writes.acknowledged)} acknowledged ones are there")
    assert writes.kept() == len(writes.acknowledged) > 0
    assert written.longest < STANDSTILL, "the first master is replaced when there are three"
