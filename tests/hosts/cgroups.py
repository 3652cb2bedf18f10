"""A subtree of every cgroup hierarchy for each machine: two systemds must not share a root.

    python -m hosts.cgroups [RUN]    removes the groups of this run, and of those that are over
"""

import os
import pathlib
import sys
import time

TOP = pathlib.Path("/sys/fs/cgroup")
PREFIX = "quorate-hosts-"


def hierarchies():
    """The roots of all hierarchies: one for cgroup v2, several for v1 and for a mix of both."""
    return [place for place in [TOP, *sorted(TOP.iterdir())] if place.is_dir() and (place / "cgroup.procs").exists() and own_mount(place)]


def own_mount(place):
    """Whether a hierarchy is mounted here: the groups inside one have a cgroup.procs too."""
    return place == TOP or not (TOP / "cgroup.procs").exists()


def create(run, machine):
    """Makes the machine's groups; the machine enters them before it gets its cgroup namespace."""
    groups = []
    for root in hierarchies():
        group = root / f"{PREFIX}{run}" / machine
        group.mkdir(parents=True, exist_ok=True)
        for level in (group.parent, group):
            for name in ("cpuset.cpus", "cpuset.mems"):  # v1: empty until copied down
                if (level / name).exists() and (root / "tasks").exists():
                    (level / name).write_text((level.parent / name).read_text())
        groups.append(group)
    return groups


def clear(run, machine):
    """Removes what a machine's containers have left in its groups. The next boot would ask for each of them in vain."""
    for root in hierarchies():
        group = root / f"{PREFIX}{run}" / machine
        for place, _, _ in os.walk(group, topdown=False):
            if place != str(group):
                vanish(place)


def vanish(place, seconds=5):
    """Removes an empty group, once the last process of it has ended."""
    end = time.monotonic() + seconds
    while True:
        try:
            os.rmdir(place)
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > end:
                return
            time.sleep(0.05)


def sweep(over):
    """Removes the groups of one run, and of those whose process is gone. A group with processes cannot be removed."""
    for root in hierarchies():
        for top in root.glob(f"{PREFIX}*"):
            run = top.name.removeprefix(PREFIX)
            if run == over or not pathlib.Path(f"/proc/{run}").exists():
                remove(top)


def remove(top):
    for place, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(place)
        except OSError as error:
            print(f"{place} is left: {error.strerror}", file=sys.stderr)


if __name__ == "__main__":
    sweep(sys.argv[1] if len(sys.argv) > 1 else None)
