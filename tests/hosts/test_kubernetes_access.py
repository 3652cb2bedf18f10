"""A user's way into the cluster: real kubectl with what `quorate kubeconfig` writes, and `quorate validate`."""

import json
import pathlib
import subprocess

import pytest

from hosts import kubernetes
from hosts.cloud import KEYS, program

pytestmark = pytest.mark.skipif(kubernetes.folder() is None, reason=kubernetes.REASON)


def kubectl(fleet, file, *words):
    """Real kubectl, as a user beside the cluster runs it."""
    environment = {"PATH": f"/usr/bin:/bin:{pathlib.Path(program()).parent}", "HOME": str(fleet.cloud.directory), **KEYS, "AWS_ENDPOINT_URL": fleet.cloud.endpoint}
    done = subprocess.run([kubernetes.folder() / "kubectl", "--kubeconfig", file, *words], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("way", ([], ["--admin", "1h"]))
def test_kubectl_gets_in(fleet, way):
    """With a certificate of an hour for who AWS says that it is, or with one in the file: it reads, writes and removes."""
    file = fleet.cloud.directory / "kubeconfig"
    fleet.cloud.quorate("kubeconfig", "--output", str(file), *way, cluster=fleet.cluster)
    assert set(kubectl(fleet, file, "get", "nodes", "--output", "name").split()) == {f"node/{name}" for name in fleet.names()}
    kubectl(fleet, file, "create", "configmap", "tried", "--from-literal=by=kubectl")
    assert kubectl(fleet, file, "get", "configmap", "tried", "--output", "jsonpath={.data.by}") == "kubectl"
    kubectl(fleet, file, "delete", "configmap", "tried")
    who = json.loads(kubectl(fleet, file, "auth", "whoami", "--output", "json"))["status"]["userInfo"]
    assert "system:masters" in who["groups"]
    file.unlink()


def test_logs_come_from_every_machine(fleet):
    """The API reaches each kubelet, with a certificate that it takes."""
    file = fleet.cloud.directory / "kubeconfig"
    fleet.cloud.quorate("kubeconfig", "--output", str(file), cluster=fleet.cluster)
    pods = fleet.api.items("/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app=kube-proxy")
    assert {pod["spec"]["nodeName"] for pod in pods} == fleet.names()
    for pod in pods:
        assert kubectl(fleet, file, "logs", "--namespace", "kube-system", pod["metadata"]["name"], "--tail", "5")


def test_validate_calls_it_healthy(fleet):
    output = fleet.cloud.quorate("validate", "--wait", "3m", cluster=fleet.cluster, timeout=240)
    assert "waiting" not in output and "wrong" not in output, output


def test_nothing_is_left_to_change(fleet):
    assert "No changes" in fleet.cloud.quorate("plan", cluster=fleet.cluster)
