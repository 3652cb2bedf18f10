"""The cluster that the tests share: made once by `quorate apply`, booted once."""

import datetime
import os
import pathlib
import signal

import pytest

from hosts import kubernetes
from hosts.fleet import Fleet

CLUSTER_FILE = pathlib.Path(__file__).parents[2] / "examples/tutorial/cluster.hcl"
# With real Kubernetes there are no stand-ins that record their calls: only these run then, in this order.
REAL = ("boot", "kubernetes_boot", "kubernetes_access", "kubernetes_objects", "kubernetes_loss", "kubernetes_stop", "kubernetes_drain", "kubernetes_power")
REAL += ("kubernetes_restore", "kubernetes_roll", "kubernetes_upgrade", "kubernetes_growth")
# What makes another cluster of it comes last.
LAST = ("test_nodes.py", "test_upgrade.py", "test_growth.py")
FIGURES = []


def cluster_file():
    """The tutorial's cluster; where real Kubernetes is there, in its version."""
    text = CLUSTER_FILE.read_text()
    if kubernetes.folder():
        text += f'\nkubernetes = "{kubernetes.minor(kubernetes.version())}"\n'
        text += 'api { allow = ["172.20.0.0/16"] }\n'
    return text


def pytest_collection_modifyitems(items):
    """Puts files into the order that they need, and leaves out what asks stand-ins where there are none."""
    items.sort(key=lambda item: LAST.index(item.path.name) if item.path.name in LAST else -1)
    if kubernetes.folder():
        order = {f"test_{name}.py": place for place, name in enumerate(REAL)}
        items.sort(key=lambda item: order.get(item.path.name, -1))
        for item in items:
            if item.path.name not in order:
                item.add_marker(pytest.mark.skip(reason="asks the stand-ins"))


def pytest_addoption(parser):
    parser.addoption("--stay", action="store_true", help="keep the machines after the tests, until Ctrl-C")


def pytest_configure():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `run` passes Ctrl-C on as this


def pytest_terminal_summary(terminalreporter):
    """Prints what was measured; docs/reliability.md holds such lines."""
    if FIGURES:
        versions = ", ".join(kubernetes.folders())
        terminalreporter.section(f"figures of {datetime.date.today()}, Kubernetes {versions}")
        for name, text in FIGURES:
            terminalreporter.line(f"{name}: {text}")


@pytest.fixture
def figure(request):
    """Prints what a test measured, at once and again at the end: a run that is killed loses none."""
    name = request.node.name.removeprefix("test_")
    terminal, captured = map(request.config.pluginmanager.get_plugin, ("terminalreporter", "capturemanager"))

    def note(text):
        FIGURES.append((name, text))
        with captured.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(f"{name}: {text}")

    return note


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
