"""The cluster that the tests share: made once by `quorate apply`, booted once."""

import os
import pathlib
import signal

import pytest

from hosts import kubernetes
from hosts.fleet import Fleet

CLUSTER_FILE = pathlib.Path(__file__).parents[2] / "examples/tutorial/cluster.hcl"


def cluster_file():
    """The tutorial's cluster; where real Kubernetes is there, in its version."""
    text = CLUSTER_FILE.read_text()
    if kubernetes.folder():
        text += f'\nkubernetes = "{kubernetes.version().removeprefix("v").rpartition(".")[0]}"\n'
    return text


def pytest_collection_modifyitems(items):
    """With real Kubernetes there are no stand-ins to ask what they were told."""
    if kubernetes.folder():
        for item in items:
            if item.path.name not in ("test_boot.py", "test_kubernetes.py"):
                item.add_marker(pytest.mark.skip(reason="asks the stand-ins"))


def pytest_addoption(parser):
    parser.addoption("--stay", action="store_true", help="keep the machines after the tests, until Ctrl-C")


def pytest_configure():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `run` passes Ctrl-C on as this


@pytest.fixture(scope="session")
def fleet(pytestconfig):
    """The machines of the tutorial's cluster, every one through with node.sh."""
    fleet = Fleet(pathlib.Path(os.environ["HOSTS_WORK"]), pathlib.Path(os.environ["HOSTS_IMAGE"]), os.environ["HOSTS_RUN"])
    try:
        fleet.cloud.quorate("apply", "--yes", "--no-wait", cluster=cluster_file())
        fleet.boot()
        for name in fleet.machines:
            fleet.settle(name)
        yield fleet
    finally:
        if pytestconfig.getoption("--stay"):
            print(f"\nthe machines stay until Ctrl-C: tests/hosts/enter {' | '.join(fleet.machines)}", flush=True)
            signal.pause()
        fleet.close()
