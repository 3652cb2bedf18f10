"""What the stand-ins share: they write down how they were called, for the tests to read."""

import json
import os
import pathlib
import sys

LOG = pathlib.Path("/var/log/standins.jsonl")
PACKAGES = pathlib.Path("/opt/packages")


def record(**more):
    """Writes down this call."""
    line = json.dumps({"program": os.path.basename(sys.argv[0]), "arguments": sys.argv[1:], **more})
    with open(LOG, "a") as log:
        log.write(line + "\n")


def fail(message):
    """Ends with an error, as the real program would."""
    raise SystemExit(f"{os.path.basename(sys.argv[0])} (stand-in): {message}")


def version():
    """The version of Kubernetes that was installed: that of the repository that the packages came from."""
    return pathlib.Path("/usr/share/standin-version").read_text()
