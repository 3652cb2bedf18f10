"""Runs the life of the tutorial's cluster on moto, with a delay before each answer, and prints a table in Markdown.

    tests/performance/flow.py PROGRAM [--delay MILLISECONDS] [--file CLUSTER_FILE] [--calls]

Each command is a process of its own, as users run it. `apply` runs with `--no-wait`, as no Kubernetes API runs in moto, so the
figures are those of AWS. A hop is a call that waits for the answer to an earlier one: with the delay, a command takes at least
its number of hops times the delay.
"""

import argparse
import collections
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/moto"))

import server  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

STATE = "state.chat.poeticoding.com"


class Wire:
    """A WSGI application that delays the answers of another one and notes its calls."""

    def __init__(self, application, delay):
        self.application, self.delay = application, delay
        self.calls, self.lock = [], threading.Lock()

    def __call__(self, environ, start_response):
        start = time.monotonic()
        name = action(environ)
        time.sleep(self.delay)
        answer = list(self.application(environ, start_response))
        with self.lock:
            self.calls.append((start, time.monotonic(), name))
        return answer

    def take(self):
        with self.lock:
            calls, self.calls = sorted(self.calls), []
        return calls


def action(environ):
    """The name of a call: the service and the action, or the method and the path where the path names the action."""
    service = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split("/")[3:4] or ["unknown"]
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return f"{service[0]}:{target.rpartition('.')[2]}"
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded") and length:
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        return f"{service[0]}:{urllib.parse.parse_qs(body.decode())['Action'][0]}"
    query = "&".join(key for key, _ in urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), True))
    return f"{service[0]}:{environ['REQUEST_METHOD']} {environ['PATH_INFO']}{'?' + query if query else ''}"


def hops(calls):
    """The length of the longest chain of calls of which each began after the answer to the one before it."""
    answered, longest = [], 0
    for start, end, _ in calls:
        hop = 1 + max((hop for when, hop in answered if when <= start), default=0)
        answered.append((end, hop))
        longest = max(longest, hop)
    return longest


def peak_memory(process):
    """The peak memory of a process that runs, in MB."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    peak = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peak[0].split()[1]) // 1024 if peak else 0


class Flow:
    def __init__(self, program, endpoint, wire, desk):
        self.program, self.wire, self.desk = program, wire, desk
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(desk),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "1",
        }

    def run(self, *arguments, exits=(0,)):
        """Runs a command; returns its calls, its hops, its seconds and its peak memory in MB."""
        self.wire.take()
        start = time.monotonic()
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen([self.program, *arguments], cwd=self.desk, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            peak = 0
            while process.poll() is None:
                peak = peak_memory(process.pid) or peak
                time.sleep(0.002)
            wall = time.monotonic() - start
            log.seek(0)
            if process.returncode not in exits:
                sys.exit(f"{' '.join(arguments)}: exit code {process.returncode}\n{log.read().decode()}")
        calls = self.wire.take()
        return calls, hops(calls), wall, peak

    def apply(self):
        # The objects in Kubernetes are left to a later apply, as its API does not answer.
        return self.run("apply", "--yes", "--no-wait", "--no-access", exits=(0, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--delay", type=int, default=50, help="milliseconds before each answer")
    parser.add_argument("--file", default=ROOT / "examples/tutorial/cluster.hcl", help="a cluster file whose node group has `count = 2`")
    parser.add_argument("--calls", action="store_true", help="also list the calls of each command")
    arguments = parser.parse_args()

    server.speak_for_machines()
    wire = Wire(server.application(), arguments.delay / 1000)
    endpoint = make_server("127.0.0.1", 0, wire, threaded=True, request_handler=server.Quiet)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as desk:
        desk = pathlib.Path(desk)
        file = desk / "cluster.hcl"
        shutil.copy(arguments.file, file)
        flow = Flow(str(pathlib.Path(arguments.program).resolve()), f"http://127.0.0.1:{endpoint.server_port}", wire, desk)
        rows = {
            "plan of a new cluster": flow.run("plan"),
            "first apply": flow.apply(),
            "plan without changes": flow.run("plan"),
            "apply without changes": flow.apply(),
        }
        file.write_text(file.read_text().replace("count = 2", "count = 3", 1))
        rows["apply of one changed field"] = flow.apply()
        # The Kubernetes API does not answer, so the cluster is not healthy.
        rows["validate"] = flow.run("validate", exits=(0, 1, 2, 3, 4, 5, 6))
        rows["destroy"] = flow.run("destroy", "--yes", "--delete-data", "--no-access")
    print("| command | calls | hops | time | peak memory |\n|---|---|---|---|---|")
    for command, (calls, depth, wall, memory) in rows.items():
        print(f"| {command} | {len(calls)} | {depth} | {wall:.1f} s | {memory:.0f} MB |")
    if arguments.calls:
        for command, (calls, *_) in rows.items():
            print(f"\n{command}:")
            for name, number in sorted(collections.Counter(name for *_, name in calls).items()):
                print(f"{number:4} {name}")


if __name__ == "__main__":
    main()
