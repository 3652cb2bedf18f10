"""A machine: namespaces of its own with a real systemd as their first process, on a disk of its own."""

import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import threading
import time

from hosts import cgroups, network

HERE = pathlib.Path(__file__).parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--net", "--fork", "--kill-child", "--propagation=private")


class Machine:
    """One instance. `boot` and `kill` as often as you like: the disk stays until `wipe`."""

    def __init__(self, instance, work, layers):
        self.instance = instance
        self.disk = work / "machines" / instance.id
        self.console = self.disk / "console.log"
        self.layers = layers
        self.run_id = None
        self.keeper = None  # the parent of the machine's first process: they die together
        self.pid = None

    def __str__(self):
        return f"{self.instance.name} ({self.instance.id}, {self.instance.address})"

    def boot(self, run, net):
        for name in ("upper", "work", "root", "plain"):
            (self.disk / name).mkdir(parents=True, exist_ok=True)
        self.run_id = run
        self.booted = time.monotonic()
        groups = cgroups.create(run, self.instance.id)
        enter = "; ".join(f"echo $$ > {group}/cgroup.procs" for group in groups)
        master, slave = pty.openpty()
        threading.Thread(target=copy, args=(master, self.console), daemon=True).start()
        environment = {
            "PATH": PATH,
            "LAYERS": ":".join(map(str, self.layers)),
            "DISK": str(self.disk),
            "HOSTNAME_": self.instance.hostname,
            "CONSOLE": os.ttyname(slave),
            "RESOLVER": network.RESOLVER,
            "AWS": self.instance.endpoint,
        }
        self.keeper = subprocess.Popen(
            ["bash", "-c", f"{enter}; exec unshare {' '.join(NAMESPACES)} -- bash {HERE}/machine.sh"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            text=True,
        )
        os.close(slave)
        self.pid = self.first_process()
        net.plug(self.pid, self.instance.address, self.instance.subnet)
        self.keeper.stdin.write("\n")
        self.keeper.stdin.close()
        wait(f"{self} to boot", 120, lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in UP)

    def first_process(self):
        """The machine's process 1 as it is called outside. It is there once `unshare` has forked."""
        children = pathlib.Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children")

        def forked():
            return self.keeper.poll() is None and os.path.basename(os.readlink(f"/proc/{self.keeper.pid}/exe")) == "unshare" and children.read_text().split()

        return int(wait(f"the namespaces of {self}", 10, forked)[0])

    def run(self, *command, check=True, timeout=60, stdin=None):
        """Runs a command in the machine, and returns what came of it."""
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, timeout=timeout, input=stdin)
        if check and done.returncode:
            raise AssertionError(f"{self}: {' '.join(command)} answered {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def inside(self, *command):
        enter = ("nsenter", f"--target={self.pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
        return [*enter, "env", "-i", f"PATH={PATH}", "HOME=/root", f"AWS_ENDPOINT_URL={self.instance.endpoint}", *command]

    def sh(self, script, **keywords):
        """What a line of bash prints in the machine."""
        return self.run("bash", "-ec", script, **keywords).stdout.strip()

    def path(self, place):
        """A file of the machine, as it is called outside."""
        return pathlib.Path(f"/proc/{self.pid}/root{place}")

    def journal(self, unit="quorate-node"):
        return self.run("journalctl", f"--unit={unit}", "--output=cat", "--no-pager", check=False).stdout

    def state(self, unit="quorate-node"):
        return self.run("systemctl", "is-active", unit, check=False).stdout.strip()

    def through(self):
        """How many seconds after its boot node.sh was through."""
        entered = self.run("systemctl", "show", "--value", "--property=ActiveEnterTimestampMonotonic", "quorate-node").stdout
        return int(entered) / 1e6 - self.booted

    def recorded(self, program):
        """How a stand-in was called, call by call."""
        lines = self.run("cat", "/var/log/standins.jsonl", check=False).stdout.splitlines()
        return [call for call in map(json.loads, lines) if call["program"] == program]

    def arguments(self, unit):
        """The arguments of the main process of a unit."""
        return self.sh(f"tr '\\0' '\\n' < /proc/$(systemctl show --value --property=MainPID {unit})/cmdline").splitlines()

    @property
    def alive(self):
        return self.keeper is not None and self.keeper.poll() is None

    def kill(self):
        """Ends every process of the machine at once, as when its power is cut."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            self.keeper.wait(timeout=30)
        if self.run_id:
            cgroups.clear(self.run_id, self.instance.id)
        self.pid = None

    def wipe(self):
        """Forgets the machine's disk."""
        shutil.rmtree(self.disk)


UP = ("starting", "running", "degraded")


def copy(terminal, log):
    """Writes the console output of a machine to a file, until the machine is gone."""
    with open(log, "ab", buffering=0) as file:
        while True:
            try:
                file.write(os.read(terminal, 65536))
            except OSError:
                os.close(terminal)
                return


def wait(what, seconds, ready):
    """Waits until a function returns something, and returns it."""
    end = time.monotonic() + seconds
    while not (answer := ready()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)
    return answer
