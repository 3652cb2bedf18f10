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
    """What makes another cluster comes last. With real Kubernetes there are no stand-ins to ask what they were told."""
    items.sort(key=lambda item: item.path.name == "test_growth.py")
    if kubernetes.folder():
        for item in items:
            if item.path.name not in ("test_boot.py", "test_kubernetes.py"):
                item.add_marker(pytest.mark.skip(reason="asks the stand-ins"))


def pytest_addoption(parser):
    parser.addoption("--stay", action="store_true", help="keep the machines after the tests, until Ctrl-C")


def pytest_configure():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `run` passes Ctrl-C on as this


@pytest.fixture(scope="session")
def account(pytestconfig):
    """A fleet without a machine: an account with nothing in it."""
    fleet = Fleet(pathlib.Path(os.environ["HOSTS_WORK"]), pathlib.Path(os.environ["HOSTS_IMAGE"]), os.environ["HOSTS_RUN"])
    try:
        yield fleet
    finally:
        if pytestconfig.getoption("--stay"):
            print(f"\nthe machines stay until Ctrl-C: tests/hosts/enter {' | '.join(fleet.machines)}", flush=True)
            signal.pause()
        fleet.close()


@pytest.fixture(scope="session")
def fleet(account):
    """The machines of the tutorial's cluster, every one through with node.sh."""
    account.become(cluster_file())
    account.boot()
    for name in account.machines:
        account.settle(name)
    return account
