"""The disk that every machine starts from: Debian, the real AWS CLI, real etcd. Built once, kept outside the checkout.

    python -m hosts.image    builds it if it is not there, prints where it is
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

from hosts import kubernetes

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "quorate/hosts"

# Only what Amazon Linux 2023 has too: a script that needs more must fail here as it would there.
PACKAGES = """
    systemd systemd-sysv iproute2 procps curl ca-certificates openssl e2fsprogs util-linux python3 jq
""".split()
# What Amazon Linux has, but not its image: out of the way, until dnf installs it.
PACKAGED = {"jq": "usr/bin/jq"}
# What the Kubernetes project's binaries need, and what its packages bring on Amazon Linux.
KUBERNETES_PACKAGES = "dbus containerd runc containernetworking-plugins iptables nftables conntrack kmod busybox-static".split()

RECIPE = "3"  # raise it when the steps below change

AWS = """#!/bin/sh
PYTHONPATH=/opt/python exec /usr/bin/python3 /opt/python/bin/aws "$@"
"""


def suite():
    """The name of this machine's Debian, such as bookworm."""
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    return next(line.split("=", 1)[1].strip('"') for line in lines if line.startswith("VERSION_CODENAME="))


def mirror():
    """Where this machine's apt gets Debian from."""
    apt = pathlib.Path("/etc/apt")
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        found = file.exists() and re.search(r"^(?:URIs:|deb\s).*?(\S+://\S+/debian/?)(?:\s|$)", file.read_text(), re.MULTILINE)
        if found:
            return found[1]
    raise SystemExit("apt's configuration names no Debian mirror: the disk of the machines cannot be built")


def packages():
    return PACKAGES + (KUBERNETES_PACKAGES if kubernetes.folder() else [])


def path():
    """Where this image is, once built. Its name changes with everything that decides its content."""
    parts = [RECIPE, suite(), AWS, (HERE / "image.txt").read_text(), *packages()]
    return CACHE / f"image-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:12]}"


def build(target):
    """Builds the image beside its place and moves it there as a whole: an interrupted build leaves no half an image."""
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    include = ",".join(packages())
    # Mounts of its own: an interrupted debootstrap leaves /proc mounted in what the next build removes.
    run("unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={include}", suite(), fresh, mirror())
    python = run("chroot", fresh, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--requirement", HERE / "image.txt"),
        *("--target", fresh / "opt/python", "--python-version", python, "--only-binary=:all:", "--no-compile"),
    )
    run("chroot", fresh, "python3", "-m", "compileall", "-q", "/opt/python")
    for name in ("etcd", "etcdctl"):
        shutil.move(next((fresh / "opt/python").rglob(f"etcdbin/{name}")), fresh / "usr/bin" / name)
        (fresh / "usr/bin" / name).chmod(0o755)
    aws = fresh / "usr/bin/aws"
    aws.write_text(AWS)
    aws.chmod(0o755)
    for name, file in PACKAGED.items():
        aside = fresh / "opt/packages" / name / file
        aside.parent.mkdir(parents=True)
        shutil.move(fresh / file, aside)
    shutil.rmtree(fresh / "var/cache/apt", ignore_errors=True)
    fresh.rename(target)


def run(*command):
    """Runs a command, and shows its output only if it failed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr)[-3000:]}\nthe image was not built")
    return done.stdout


def main():
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target = path()
        if not target.exists():
            print("building the disk of the machines: a few minutes, once", file=sys.stderr)
            build(target)
    print(target)


if __name__ == "__main__":
    main()
