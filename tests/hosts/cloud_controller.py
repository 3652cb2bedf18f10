"""A stand-in for the AWS cloud controller manager, which has no image here: what the cluster needs of it, outside of the cluster.

It takes the taint of new Nodes away, names their zones, routes each Node's pods to its machine, and removes the Node of a machine
that EC2 has no more. It makes no load balancer.
"""

import threading

from hosts.api import UNREACHABLE, Refused, is_true
from hosts.cloud import REGION
from hosts.network import ip

TAINT = "node.cloudprovider.kubernetes.io/uninitialized"
INTERVAL = 1.0


class CloudController:
    """One for the fleet, as long as the run lasts."""

    def __init__(self, fleet, api):
        self.fleet, self.api = fleet, api
        self.routes = {}
        self.over = threading.Event()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while not self.over.wait(INTERVAL):
            try:
                self.reconcile()
            except (Refused, *UNREACHABLE):
                self.api.forget()  # the API does not answer, or it is another cluster by now

    def reconcile(self):
        routes = {}
        for node in self.api.items("/api/v1/nodes"):
            machine = self.fleet.by_id(node["spec"].get("providerID", "").rpartition("/")[2])
            if machine is None:
                if not is_true(node, "Ready"):
                    self.api.ask("DELETE", f"/api/v1/nodes/{node['metadata']['name']}")
                continue
            taints = node["spec"].get("taints", [])
            if any(taint["key"] == TAINT for taint in taints):
                self.initialize(node, machine, [taint for taint in taints if taint["key"] != TAINT])
            if "podCIDR" in node["spec"]:
                routes[node["spec"]["podCIDR"]] = machine.instance.address
        for pods in self.routes.keys() - routes.keys():
            ip("route", "del", pods)
        for pods, address in routes.items():
            if self.routes.get(pods) != address:
                ip("route", "replace", pods, "via", address)
        self.routes = routes

    def initialize(self, node, machine, taints):
        labels = {"topology.kubernetes.io/zone": machine.instance.zone, "topology.kubernetes.io/region": REGION}
        change = {"metadata": {"labels": labels, "resourceVersion": node["metadata"]["resourceVersion"]}, "spec": {"taints": taints}}
        self.api.ask("PATCH", f"/api/v1/nodes/{node['metadata']['name']}", change, kind="application/merge-patch+json")
