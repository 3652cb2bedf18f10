"""The VPC as a router: a bridge for each subnet, and the addresses at which AWS answers machines.

The harness has a network namespace to itself (see `run`), so that namespace is the router. Every machine has its own,
with one interface, whose other end is a port of its subnet's bridge.
"""

import ipaddress
import subprocess

METADATA = "169.254.169.254"
RESOLVER = "172.20.0.2"  # AWS: the second address of the VPC's range
ENDPOINT = "172.20.0.10"  # in none of the cluster's subnets
PACKAGES = "172.20.0.11"
REGISTRY = "172.20.0.12"
BALANCERS = ipaddress.ip_address("172.20.1.1")  # the first load balancer's; those after it have the addresses after it


class Network:
    """The router's interfaces, and the cables to the machines."""

    def __init__(self):
        self.bridges = {}
        self.cables = 0
        ip("link", "set", "lo", "up")
        for address in (METADATA, RESOLVER, ENDPOINT, PACKAGES, REGISTRY):
            ip("addr", "add", f"{address}/32", "dev", "lo")
        with open("/proc/sys/net/ipv4/ip_forward", "w") as forward:
            forward.write("1")

    def plug(self, pid, address, subnet):
        """Gives the namespace of a process an interface with an address in a subnet, and a way out."""
        subnet = ipaddress.ip_network(subnet)
        gateway, bridge = subnet[1], self.bridge(subnet)
        self.cables += 1
        port = f"port{self.cables}"
        ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pid)
        ip("link", "set", port, "master", bridge, "up")
        inside = ("nsenter", f"--net=/proc/{pid}/ns/net")
        ip("link", "set", "lo", "up", inside=inside)
        ip("addr", "add", f"{address}/{subnet.prefixlen}", "dev", "eth0", inside=inside)
        ip("link", "set", "eth0", "up", inside=inside)
        ip("route", "add", "default", "via", gateway, inside=inside)

    def bridge(self, subnet):
        if subnet not in self.bridges:
            name = f"zone{len(self.bridges) + 1}"
            ip("link", "add", name, "type", "bridge")
            ip("addr", "add", f"{subnet[1]}/{subnet.prefixlen}", "dev", name)
            ip("link", "set", name, "up")
            self.bridges[subnet] = name
        return self.bridges[subnet]


def balancer(number):
    """Gives this side the address of a load balancer, and returns it."""
    address = str(BALANCERS + number)
    ip("addr", "add", f"{address}/32", "dev", "lo")
    return address


def ip(*words, inside=()):
    subprocess.run([*inside, "ip", *map(str, words)], check=True)
