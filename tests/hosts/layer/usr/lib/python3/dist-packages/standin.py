"""What the stand-ins share: they write down how they were called, for the tests to read."""

import fcntl
import json
import os
import pathlib
import subprocess
import sys

sys.path.append("/opt/python")  # YAML, which the AWS CLI brought

LOG = pathlib.Path("/var/log/standins.jsonl")
PACKAGES = pathlib.Path("/opt/packages")
KUBERNETES = pathlib.Path("/etc/kubernetes")
PKI = KUBERNETES / "pki"
MANIFESTS = KUBERNETES / "manifests"
NAME = os.path.basename(sys.argv[0])


def record(**more):
    """Writes down this call."""
    with open(LOG, "a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.write(json.dumps({"program": NAME, "arguments": sys.argv[1:], **more}) + "\n")


def fail(message):
    """Ends with an error, as the real program would."""
    raise SystemExit(f"{NAME} (stand-in): {message}")


def version():
    """The version of Kubernetes that was installed: that of the repository that the packages came from."""
    return pathlib.Path("/usr/share/standin-version").read_text()


def option(name, default=None):
    """The value of `--name value` or `--name=value` among this call's arguments."""
    words = sys.argv[1:]
    for index, word in enumerate(words):
        if word == f"--{name}":
            return words[index + 1]
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
    return default


def write(path, content, mode=0o600):
    """Writes a file and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)


def run(*command, check=True, **keywords):
    """Runs a program, and fails with its output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **keywords)
    if check and done.returncode:
        fail(f"{command[0]} {command[1]}: {done.stdout}{done.stderr}")
    return done.stdout
