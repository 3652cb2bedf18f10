"""The machines of a cluster: booted from what its launch templates hold, ended and replaced as AWS does it."""

import contextlib
import dataclasses
import itertools
import os
import pathlib
import shutil
import subprocess
import threading
import time

from hosts import kubernetes, registry
from hosts.api import Api
from hosts.balancer import Balancers
from hosts.cloud import Cloud
from hosts.cloud_controller import CloudController
from hosts.machine import Machine, wait
from hosts.metadata import Metadata
from hosts.network import RESOLVER, Network
from hosts.packages import Packages
from hosts.resolver import Resolver
from hosts.volumes import Volumes

HERE = pathlib.Path(__file__).parent


class Fleet:
    """One cluster, its account and its machines by name: `master-a`, `workers-1`."""

    def __init__(self, work, image, run):
        self.run = run
        self.work = work
        self.network = Network()
        self.cloud = Cloud(work)
        self.metadata = Metadata(self.cloud)
        self.resolver = Resolver(self.cloud)
        self.volumes = Volumes(work, self.by_id)
        self.volumes.listen(self.cloud.wire)
        self.layers = [shutil.copytree(HERE / "layer", work / "layer", symlinks=True), image]
        self.packages = Packages(work, trust=(image, work / "layer"))
        self.machines = {}
        self.leaving = []  # machines that are switched off
        self.balancers = None  # real programs have some
        if kubernetes.folder():
            kubernetes.furnish(work / "layer", image)
            registry.start(work, image, kubernetes.folders(), self.packages.tls)
            self.surround(work)
        own(work / "layer")
        self.cluster = None  # the text of its file
        self.took = None  # seconds of the last apply with real programs
        (work / "names").mkdir()

    def surround(self, work):
        """What a cluster of real programs needs around it: load balancers, names for `quorate` itself, a cloud controller."""
        self.balancers = Balancers(self.cloud)
        self.cloud.ask_for_health(self.balancers.state)
        self.resolver.balancers = self.balancers.names
        (work / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        subprocess.run(["mount", "--bind", work / "resolv.conf", pathlib.Path("/etc/resolv.conf").resolve()], check=True)
        self.api = Api(self)
        self.controller = CloudController(self, Api(self))

    def __getitem__(self, name):
        return self.machines[name]

    def by_id(self, instance):
        return next((machine for machine in [*self.machines.values(), *self.leaving] if machine.instance.id == instance), None)

    def roles(self, role):
        return [machine for machine in list(self.machines.values()) if machine.instance.role == role]

    def instances(self):
        """The machines that are to run. One that runs keeps its name; a new node gets one that is free."""
        known = {machine.instance.id: name for name, machine in self.machines.items()}
        named = {}
        for instance in sorted(self.cloud.instances(), key=lambda instance: instance.id not in known):
            name = known.get(instance.id, instance.name)
            if name in named:
                group = name.rpartition("-")[0]
                name = next(free for number in itertools.count(1) if (free := f"{group}-{number}") not in named)
            named[name] = dataclasses.replace(instance, name=name)
        return list(named.values())

    def boot(self, *names):
        """Boots the machines that the account has and that do not run yet: all of them, or those of these names."""
        for instance in self.instances():
            if self.by_id(instance.id) is None and (not names or instance.name in names):
                self.metadata.add(instance)
                self.machines[instance.name] = Machine(instance, self.work, self.layers)
                self.machines[instance.name].boot(self.run, self.network)
                (self.work / "names" / instance.name).write_text(instance.id)  # for `enter`

    def terminate(self, name):
        """Ends a machine as EC2 does: its processes and its disk are gone, its volumes are free.

        moto starts another one in its place; `boot` boots it.
        """
        machine = self.machines.pop(name)
        machine.kill()
        machine.wipe()
        self.cloud.client("ec2").terminate_instances(InstanceIds=[machine.instance.id])

    def retire(self):
        """Ends the machines that the account has no more: those that an `apply` has replaced or taken away."""
        live = {instance.id for instance in self.cloud.instances()}
        for name, machine in list(self.machines.items()):
            if machine.instance.id not in live:
                del self.machines[name]
                machine.kill()
                machine.wipe()

    def become(self, cluster):
        """Makes the cluster of a file; the one that is there is destroyed first. No machine is booted yet."""
        if self.cluster:
            self.cloud.quorate("destroy", "--yes", "--delete-data", cluster=self.cluster)
            self.retire()
        if kubernetes.folder():
            self.api.forget()
            self.cloud.begin(cluster, kubernetes.version())
        self.change(cluster)

    def change(self, cluster):
        """Applies another file to the cluster. Real machines start and end meanwhile; else what this takes away is ended,
        and what it brings waits for `boot`."""
        if kubernetes.folder():
            self.follow(cluster)
            return
        self.cluster = cluster
        self.cloud.apply(cluster)
        self.retire()

    def follow(self, cluster):
        """Applies another file to the cluster, whose machines start and end meanwhile as on EC2."""
        self.cluster = cluster
        began = time.monotonic()
        with Following(self):
            self.cloud.apply_all(cluster) if kubernetes.folder() else self.cloud.apply(cluster, timeout=1800)
        self.took = time.monotonic() - began

    def replace(self, name):
        self.terminate(name)
        self.boot(name)
        return self[name]

    def cut_power(self, name):
        """The machine stops at once and starts again: its disk, its address and its volume are as they were."""
        machine = self[name]
        machine.kill()
        machine.boot(self.run, self.network)
        if machine.instance.role == "master":
            self.volumes.attach(self.volume(name), machine.instance.id)

    def names(self):
        """The names that the machines have as Nodes."""
        return {machine.instance.hostname for machine in self.machines.values()}

    def balancer(self):
        """The address of the API's load balancer."""
        (api,) = [one for one in self.cloud.client("elbv2").describe_load_balancers()["LoadBalancers"] if self.is_api(one)]
        return self.balancers.names[api["DNSName"].lower()]

    def is_api(self, balancer):
        (tags,) = self.cloud.client("elbv2").describe_tags(ResourceArns=[balancer["LoadBalancerArn"]])["TagDescriptions"]
        return {"Key": "quorate.dev/object", "Value": "load-balancer/api"} in tags["Tags"]

    def masters_but(self, name):
        return [other for other in self.machines if other.startswith("master-") and other != name]

    def volume(self, name):
        """The id of the volume that a master of this name keeps etcd's data on."""
        member = name.removeprefix("master-")
        wanted = [{"Name": "tag:quorate.dev/object", "Values": [f"volume/etcd-{member}"]}]
        return self.cloud.client("ec2").describe_volumes(Filters=wanted)["Volumes"][0]["VolumeId"]

    def settle(self, name, seconds=480):
        """Waits until node.sh has ended well on a machine."""
        self.hear(name, "node.sh to finish", seconds, lambda machine: machine.state() == "active")

    def logs(self, name, text, unit="quorate-node", seconds=120):
        """Waits until a unit of a machine has logged a text."""
        self.hear(name, f"{unit} to say {text!r}", seconds, lambda machine: text in machine.journal(unit))

    def hear(self, name, what, seconds, ready):
        machine = self[name]
        try:
            wait(f"{what} on {machine}", seconds, lambda: ready(machine))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{machine.journal('cloud-final')}{machine.journal()[-6000:]}") from None

    def close(self):
        for machine in [*self.machines.values(), *self.leaving]:
            machine.kill()


class Following:
    """While an apply runs: EC2 switches off what it ends, and starts what comes in its place.

    The power button of a machine is pressed when it has left its load balancers; after three minutes the power is cut. moto
    frees a volume before its machine is off, where EC2 waits, so the next master begins when the one before it is off.
    """

    def __init__(self, fleet):
        self.fleet = fleet
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.fleet.cloud.followed = True
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.fleet.cloud.followed = False

    def work(self):
        while not self.over.wait(1):
            live = {instance.id: instance.name for instance in self.fleet.instances()}
            for name, machine in list(self.fleet.machines.items()):
                if machine.instance.id not in live:
                    self.fleet.leaving.append(self.fleet.machines.pop(name))
                    threading.Thread(target=self.switch_off, args=(machine,), daemon=True).start()
            away = {machine.instance.name for machine in self.fleet.leaving if machine.instance.role == "master"}
            for name in live.values():
                if name not in self.fleet.machines and name not in away:
                    self.fleet.boot(name)

    def switch_off(self, machine):
        if self.fleet.balancers:
            with contextlib.suppress(AssertionError):
                wait(f"{machine} to leave its load balancers", 330, lambda: not self.fleet.balancers.have(machine.instance.id))
        machine.run("systemctl", "--no-block", "poweroff", check=False)
        with contextlib.suppress(AssertionError):
            wait(f"{machine} to be off", 180, lambda: not machine.alive)
        machine.kill()
        machine.wipe()
        self.fleet.leaving.remove(machine)


def own(folder):
    """Gives a copied tree to root: a checkout may belong to another user."""
    for place in [folder, *folder.rglob("*")]:
        os.chown(place, 0, 0, follow_symlinks=False)

