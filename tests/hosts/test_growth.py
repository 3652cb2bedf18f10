"""A cluster of one master grows to three. Runs last: from here on it is another cluster that the machines belong to."""

import pytest

from hosts.conftest import cluster_file
from hosts.etcd import Etcd, Writer
from hosts.machine import wait

ELECTION = 20  # seconds that writes may stand still on a busy box
ONE = cluster_file().replace("count = 3", "count = 1")
# As long as its file is there the kubelet does not start, and node.sh waits for etcd: added, but not promoted.
HOLD = "[Unit]\nConditionPathExists=!/etc/hold\n"


@pytest.fixture(scope="module")
def single(account):
    """A cluster of one master with something in its etcd, whose file has just been made to say three."""
    account.become(ONE)
    account.boot("master-a")
    account.settle("master-a")
    Etcd(account, "master-a").put("/hosts/grown", "kept")
    before = Etcd(account, "master-a").members()
    account.change(cluster_file())
    account.boot("master-a")
    account.settle("master-a")
    assert Etcd(account, "master-a").members() == before
    return account


def hold(machine):
    machine.sh(f"mkdir -p /etc/systemd/system/kubelet.service.d && printf '{HOLD!s}' > /etc/systemd/system/kubelet.service.d/10-hold.conf && touch /etc/hold")


def test_one_master_becomes_three(single):
    """The second machine dies after it was added and before it has a vote: the first one serves all the while."""
    etcd = Etcd(single, "master-a")
    cluster = etcd.cluster()
    with Writer(etcd, ["master-a"]) as writer:
        single.boot("master-b")
        hold(single["master-b"])
        learner = wait("etcd-b to be added", 300, etcd.learners)
        single.terminate("master-b")
        written = writer.written
        single.boot("master-c")
        single.logs("master-c", "waiting for https://etcd-b.internal.chat.poeticoding.com:2380", seconds=300)
        assert writer.written > written + 5, "one of one is still a quorum"
        single.boot("master-b")
        single.settle("master-b")
        single.settle("master-c")
    assert writer.longest < ELECTION
    assert not etcd.learners()
    assert "adding a member" not in single["master-b"].journal(), "the learner of the machine that died was taken over"
    assert {etcd.members()["etcd-b"]} == learner
    for name in ("master-a", "master-b", "master-c"):
        assert Etcd(single, name).cluster() == cluster
        assert sorted(Etcd(single, name).members()) == ["etcd-a", "etcd-b", "etcd-c"]
        assert Etcd(single, name).own("/hosts/grown") == "kept"
        assert Etcd(single, name).own("/hosts/number") == str(writer.written)
