"""Shutdown of machines: they are switched off, as EC2 does it, or reboot."""

import json

from hosts.etcd import Etcd
from hosts.machine import wait


def switch_off(fleet, name, verb="poweroff"):
    """Asks systemd, as it is asked when EC2 presses the power button."""
    fleet[name].run("systemctl", "--no-block", verb)


def off(fleet, name):
    wait(f"{name} to be off", 200, lambda: not fleet[name].alive)


def output(fleet, name):
    """The console output of a machine, which outlives it."""
    return fleet[name].console.read_text(errors="replace")


def test_a_worker_that_is_switched_off_moves_its_pods(fleet):
    """One at once, one when its disruption budget allows it; no new one comes; and after a pause it takes pods again."""
    etcd, worker = Etcd(fleet, "master-a"), fleet["workers-1"].instance.hostname

    def pod(name, budget):
        running = {"metadata": {"namespace": "default", "name": name}, "spec": {"nodeName": worker}, "status": {"phase": "Running"}}
        etcd.put(f"/registry/pods/default/{name}", json.dumps({**running, "budget": budget}))

    def pods():
        return etcd.ask("get", "--prefix", "--keys-only", "/registry/pods/").split()

    def node():
        return json.loads(etcd.ask("get", "--print-value-only", f"/registry/minions/{worker}"))

    pod("web", 1), pod("db", 0)
    running = lambda name: fleet["workers-1"].state(f"container-pod-{name}") == "active"
    wait("both to run", 30, lambda: running("web") and running("db"))
    switch_off(fleet, "workers-1")
    wait("db to be refused", 100, lambda: "default/db is not evicted yet" in output(fleet, "workers-1"))
    assert running("db"), "systemd ends no pod that may not go yet"
    wait("web to be gone", 60, lambda: pods() == ["/registry/pods/default/db"])
    assert node()["unschedulable"]
    pod("db", 1)
    off(fleet, "workers-1")
    assert "no pod is left to move" in output(fleet, "workers-1")
    assert not pods()
    fleet.cut_power("workers-1")
    fleet.settle("workers-1")
    assert not node()["unschedulable"]


def conflicts(fleet, name, unit):
    return "shutdown.target" in fleet[name].sh(f"systemctl show --property=Conflicts --value {unit}").split()


def test_without_a_word_from_us_systemd_would_end_all_pods_at_once(fleet):
    """The slices of pods conflict with a shutdown, as systemd loads them before it reads what the kubelet asks for."""
    name = "master-a"
    slices = ("kubepods.slice", "kubepods-burstable.slice", "kubepods-burstable-podetcd.slice")
    assert not any(conflicts(fleet, name, unit) for unit in slices)
    ours = "/etc/systemd/system/kubepods*.slice.d"
    try:
        fleet[name].sh(f"mkdir /root/aside && mv {ours} /root/aside && systemctl daemon-reload")
        # One that is made from now on, as the kubelet does it.
        fleet[name].sh("python3 -c 'import slices; slices.make(\"kubepods-besteffort\")'")
        assert conflicts(fleet, name, "kubepods-besteffort.slice"), "the machine is not as real ones are"
    finally:
        fleet[name].sh("mv /root/aside/* /etc/systemd/system && systemctl stop kubepods-besteffort.slice && systemctl daemon-reload")


def test_a_master_that_is_switched_off_puts_its_volume_down(fleet):
    """The next machine has it at once, and is the same member."""
    volume, ec2 = fleet.volume("master-c"), fleet.cloud.client("ec2")
    before = Etcd(fleet, "master-a").members()
    switch_off(fleet, "master-c")
    off(fleet, "master-c")
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"
    fleet.replace("master-c")
    fleet.settle("master-c")
    assert "waiting for" not in fleet["master-c"].journal().replace("waiting for the device", "")
    assert Etcd(fleet, "master-c").members() == before


def test_a_master_that_starts_again_keeps_its_volume_and_needs_no_aws(fleet):
    """S3, EC2 and Route 53 do not answer it: everything that it needs is on its disks."""
    volume, ec2 = fleet.volume("master-b"), fleet.cloud.client("ec2")
    before = Etcd(fleet, "master-a").members()
    Etcd(fleet, "master-a").put("/hosts/again", "kept")
    address = fleet["master-b"].instance.address
    switch_off(fleet, "master-b", "reboot")
    off(fleet, "master-b")
    attached = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]
    assert [one["InstanceId"] for one in attached] == [fleet["master-b"].instance.id]
    fleet.cloud.wire.away.add(address)
    fleet.cut_power("master-b")
    fleet.settle("master-b")
    fleet.cloud.wire.away.clear()
    assert "EC2 does not answer, but the disk of" in fleet["master-b"].journal()
    assert Etcd(fleet, "master-b").members() == before
    assert Etcd(fleet, "master-b").own("/hosts/again") == "kept"
