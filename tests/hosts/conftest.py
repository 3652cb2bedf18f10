"""The cluster that the tests share: made once by `quorate apply`, booted once."""

import os
import pathlib
import signal

import pytest

from hosts.fleet import Fleet

CLUSTER_FILE = pathlib.Path(__file__).parents[2] / "examples/tutorial/cluster.hcl"


def pytest_addoption(parser):
    parser.addoption("--stay", action="store_true", help="keep the machines after the tests, until Ctrl-C")


def pytest_configure():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `run` passes Ctrl-C on as this


@pytest.fixture(scope="session")
def fleet(pytestconfig):
    """The machines of the tutorial's cluster, every one through with node.sh."""
    fleet = Fleet(pathlib.Path(os.environ["HOSTS_WORK"]), pathlib.Path(os.environ["HOSTS_IMAGE"]), os.environ["HOSTS_RUN"])
    try:
        fleet.cloud.quorate("apply", "--yes", "--no-wait", cluster_file=CLUSTER_FILE)
        fleet.boot()
        for name in fleet.machines:
            fleet.settle(name)
        yield fleet
    finally:
        if pytestconfig.getoption("--stay"):
            print(f"\nthe machines stay until Ctrl-C: tests/hosts/enter {' | '.join(fleet.machines)}", flush=True)
            signal.pause()
        fleet.close()
