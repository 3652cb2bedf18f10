"""Machines with the Kubernetes project's own programs: one apply, from nothing to a cluster that is well."""

import pytest

from hosts import kubernetes
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)


def test_every_node_becomes_ready(fleet, figure):
    wait("every node to be Ready", 300, lambda: fleet.names() <= fleet.api.ready())
    through = lambda role: sorted(machine.through() for machine in fleet.roles(role))
    masters, nodes = through("master"), through("node")
    figure(
        f"apply took {fleet.took:.0f} s until the cluster was well; node.sh was through {masters[0]:.0f} to {masters[-1]:.0f} s after boot "
        f"on {len(masters)} masters, {nodes[0]:.0f} to {nodes[-1]:.0f} s on {len(nodes)} nodes"
    )


def test_the_cluster_has_names(fleet):
    """A pod asks CoreDNS for a service, and for a name of the VPC."""
    wait("CoreDNS to be ready", 120, lambda: fleet.api.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")["status"].get("readyReplicas") == 2)
    dns = fleet.api.get("/api/v1/namespaces/kube-system/services/kube-dns")["spec"]["clusterIP"]
    for name in ("kubernetes.default.svc.cluster.local", "api.internal.chat.poeticoding.com"):
        assert fleet["workers-1"].run("busybox", "nslookup", name, dns).stdout
