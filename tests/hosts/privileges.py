"""Reports what this machine lacks to boot machines: root, namespaces, mounts, loop devices, programs.

    python -m hosts.privileges    prints what is missing and fails, or prints nothing
"""

import os
import pathlib
import shutil
import subprocess
import sys

PROGRAMS = "debootstrap unshare nsenter setpriv ip losetup truncate bash".split()

# One attempt at each thing that a machine is made of, in namespaces that end with it.
ATTEMPT = """
ip link set lo up && ip link add one type veth peer name two && ip link add bridge type bridge
mkdir /tmp/upper /tmp/work /tmp/root
mount -t overlay overlay -o lowerdir=/usr,upperdir=/tmp/upper,workdir=/tmp/work /tmp/root
device=$(losetup --find) && test -b "$device"
mknod /tmp/device b 7 0
"""


def missing():
    """A description of what is missing; `None` if nothing is."""
    if sys.platform != "linux":
        return "Linux"
    if os.geteuid():
        return "root"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} (Debian: apt-get install debootstrap iproute2 util-linux)"
    if not any(pathlib.Path("/sys/fs/cgroup").glob("**/cgroup.procs")):
        return "control groups under /sys/fs/cgroup"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--mount-proc", "bash", "-euc", f"mount -t tmpfs tmpfs /tmp\n{ATTEMPT}"],
        capture_output=True,
        text=True,
    )
    return f"namespaces, overlayfs, veth and loop devices: {done.stderr.strip()}" if done.returncode else None


if __name__ == "__main__":
    lack = missing()
    if lack:
        print(lack)
        sys.exit(1)
