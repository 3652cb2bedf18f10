"""A master is lost: with its disk, with its volume, while the others are not well. The other two go on."""

from hosts.etcd import Etcd, Writer

ELECTION = 20  # seconds that writes may stand still on a busy box; an election takes one


def lose(fleet, name):
    """Terminates a master while somebody writes through the others; returns what they are left with."""
    others = fleet.masters_but(name)
    with Writer(Etcd(fleet, others[0]), others) as writer:
        fleet.terminate(name)
        fleet.boot(name)
        fleet.settle(name)
    assert writer.written > 5
    assert writer.longest < ELECTION
    return str(writer.written)


def test_a_leader_comes_back_as_the_member_that_it_was(fleet):
    """A new machine, an empty disk, the same volume: the same member with the same data, under another address."""
    etcd = Etcd(fleet, "master-a")
    name = etcd.leader()
    other = fleet.masters_but(name)[0]
    before, cluster = Etcd(fleet, other).members(), Etcd(fleet, other).cluster()
    old = fleet[name]
    written = lose(fleet, name)
    assert fleet[name].instance.id != old.instance.id
    assert Etcd(fleet, name).members() == before
    assert Etcd(fleet, name).cluster() == cluster
    assert Etcd(fleet, name).own("/hosts/number") == written
    assert "blank; making a file system" not in fleet[name].journal()
    assert "goes on with it" in fleet[name].journal()
