"""A master is lost: with its disk, with its volume, while the others are not well. The other two go on."""

from hosts.etcd import Etcd, Writer

ELECTION = 20  # seconds that writes may stand still on a busy box; an election takes one


def lose(fleet, name):
    """Terminates a master while a client writes through the others; returns what they are left with."""
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
    assert "blank; creating a file system" not in fleet[name].journal()
    assert "has data and uses it" in fleet[name].journal()


def test_a_member_that_lost_its_volume_is_replaced(fleet):
    """The same cluster, the same others, a new member of the old name that has everything."""
    etcd = Etcd(fleet, "master-a")
    before, cluster = etcd.members(), etcd.cluster()
    fleet.volumes.blank_next(fleet.volume("master-b"))
    written = lose(fleet, "master-b")
    after = Etcd(fleet, "master-b").members()
    assert sorted(after) == sorted(before)
    assert after["etcd-b"] != before["etcd-b"]
    assert (after["etcd-a"], after["etcd-c"]) == (before["etcd-a"], before["etcd-c"])
    assert Etcd(fleet, "master-b").cluster() == cluster
    assert Etcd(fleet, "master-b").own("/hosts/number") == written
    assert "joins it" in fleet["master-b"].journal()
    assert not Etcd(fleet, "master-b").learners()


def test_a_blank_volume_begins_no_second_cluster(fleet):
    """While the members of etcd are unknown, a master with a blank volume does not start one, and reports why."""
    etcd = Etcd(fleet, "master-a")
    cluster = etcd.cluster()
    fleet.volumes.blank_next(fleet.volume("master-c"))
    fleet.terminate("master-c")
    others = [fleet["master-a"], fleet["master-b"]]
    for other in others:
        other.run("systemctl", "kill", "--signal=SIGSTOP", "container-etcd")
    fleet.boot("master-c")
    fleet.logs("master-c", "never begins a second cluster by itself")
    assert fleet["master-c"].state("container-etcd") != "active"
    for other in others:
        other.run("systemctl", "kill", "--signal=SIGCONT", "container-etcd")
    fleet.settle("master-c")
    assert Etcd(fleet, "master-c").cluster() == cluster
    assert len(Etcd(fleet, "master-c").members()) == 3
