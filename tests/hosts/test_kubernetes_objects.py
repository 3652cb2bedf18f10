"""A user's services on a real cluster: applied, reached through their load balancer, changed, and nothing left to plan."""

import urllib.request

import pytest

from hosts import kubernetes
from hosts.api import Client
from hosts.machine import wait

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)

WEB = """
service "web" {
  image    = "nginx:%s"
  replicas = 3
  port     = 80
  health { path = "/healthz" }
  nlb { port = 80 }
}
"""


def cluster_with(fleet, version):
    return fleet.cluster.partition('\nservice "web"')[0] + WEB % version


def fetch(fleet):
    """Gets the page of the service as a user does: by the name of its load balancer."""
    balancers = fleet.cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    name = next(balancer["DNSName"] for balancer in balancers if not fleet.is_api(balancer))
    with urllib.request.urlopen(f"http://{fleet.balancers.names[name.lower()]}/", timeout=3) as answer:
        return answer.read().decode()


def test_a_service_is_reached_through_its_load_balancer(fleet, figure):
    fleet.change(cluster_with(fleet, "1.27"))
    wait("the load balancer to answer", 120, lambda: answers(fleet, "nginx:1.27"))
    output = fleet.cloud.quorate("plan", cluster=fleet.cluster)
    assert "No changes" in output, output
    figure(f"applied in {fleet.took:.0f} s; the next plan: {next(line for line in output.splitlines() if 'No changes' in line)}")


def test_a_new_image_fails_no_request(fleet, figure):
    with Client(lambda: fetch(fleet)) as client:
        fleet.change(cluster_with(fleet, "1.28"))
        wait("the new pages", 60, lambda: answers(fleet, "nginx:1.28"))
    figure(f"applied in {fleet.took:.0f} s; of its users' requests {client}")
    assert not client.failed


def answers(fleet, image):
    try:
        return image in fetch(fleet)
    except OSError:
        return False
