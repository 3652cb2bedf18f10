"""A service of four pods with a disruption budget of one, for tests of what moves its pods."""

import contextlib

from hosts.machine import wait

REPLICAS, PORT = 4, 30900
LABELS = {"app": "drained"}
POD = {
    "terminationGracePeriodSeconds": 5,
    "containers": [
        {
            "name": "web",
            "image": "nginx:1.27",
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 80}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
        }
    ],
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "drained"},
    "spec": {"replicas": REPLICAS, "selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}, "spec": POD}},
}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "drained"}, "spec": {"type": "NodePort", "selector": LABELS, "ports": [{"port": 80, "nodePort": PORT}]}}
BUDGET = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "drained"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}}
PLACES = {
    "/apis/apps/v1/namespaces/default/deployments/drained": DEPLOYMENT,
    "/api/v1/namespaces/default/services/drained": SERVICE,
    "/apis/policy/v1/namespaces/default/poddisruptionbudgets/drained": BUDGET,
}


def available(fleet):
    return fleet.api.get("/apis/apps/v1/namespaces/default/deployments/drained")["status"].get("availableReplicas", 0)


@contextlib.contextmanager
def deployed(fleet):
    """Runs the service while something happens."""
    for path, thing in PLACES.items():
        fleet.api.apply(path, thing)
    wait("all pods to run", 180, lambda: available(fleet) == REPLICAS)
    yield
    for path in PLACES:
        fleet.api.ask("DELETE", path)


class Moves:
    """What a roll does to the service, looked at again and again: the fewest pods that were available, and the machines that an
    apply drained through the API before it ended them."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.fewest = REPLICAS
        self.drained = set()  # ids of machines that ran, took no pods and had none of the service

    def __call__(self):
        self.fewest = min(self.fewest, available(self.fleet))
        occupied = {pod["spec"].get("nodeName") for pod in self.fleet.api.items("/api/v1/namespaces/default/pods?labelSelector=app=drained")}
        closed = {node["metadata"]["name"] for node in self.fleet.api.items("/api/v1/nodes") if node["spec"].get("unschedulable")}
        workers = [machine.instance for machine in self.fleet.roles("node")]
        self.drained |= {worker.id for worker in workers if worker.hostname in closed - occupied}
