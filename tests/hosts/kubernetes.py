"""The Kubernetes project's own programs in place of the stand-ins, where QUORATE_KUBERNETES_BIN names their folder.

It holds kubeadm, kubelet, kubectl, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy and pause, of one
version; crictl; etcd, etcdctl and etcdutl of the version that kubeadm's flags want; and containerd, containerd-shim-runc-v2 and
ctr, 2.0 or later, where Debian's is older. With CoreDNS (`coredns`) the cluster has names. All are static, or need no newer
libraries than the machines have. QUORATE_KUBERNETES_BIN_NEXT names a folder with Kubernetes of the next minor version, for its
upgrade. docs/hosts.md explains more.
"""

import os
import pathlib
import shutil
import subprocess

from hosts import box

KUBERNETES = ("kubelet", "kubeadm", "kubectl")
RUNTIME = {"containerd": "bin", "containerd-shim-runc-v2": "bin", "ctr": "bin", "runc": "sbin"}
PLUGINS = ("bandwidth", "bridge", "host-local", "loopback", "portmap", "ptp")
REASON = "needs real programs: QUORATE_KUBERNETES_BIN names no folder with Kubernetes"
NO_NEXT = "needs real programs of two minor versions: QUORATE_KUBERNETES_BIN_NEXT names no folder"


def folder():
    """Where the programs are; nothing where the stand-ins are to be used."""
    return named("QUORATE_KUBERNETES_BIN")


def next_folder():
    """Where the programs of the next minor version are, if there are any."""
    return named("QUORATE_KUBERNETES_BIN_NEXT") if folder() else None


def named(variable):
    value = os.environ.get(variable)
    return pathlib.Path(value) if value else None


def folders():
    """Every folder by the version of its programs, such as v1.33.4."""
    return {version(found): found for found in (folder(), next_folder()) if found}


def version(programs=None):
    """The version that `kubeadm` reports, such as v1.33.4."""
    command = [(programs or folder()) / "kubeadm", "version", "--output", "short"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def minor(version):
    """The minor version of a version: 1.33 of v1.33.4."""
    return version.removeprefix("v").rpartition(".")[0]


def furnish(layer, image):
    """Puts the programs where dnf's stand-in finds packages, and the runtime where the image would have it."""
    packages = layer / "opt/packages"
    for name in KUBERNETES:
        for version, programs in folders().items():
            package = shutil.copytree(packages / name, packages / f"{name}-{version.removeprefix('v')}", symlinks=True)
            shutil.copy2(programs / name, package / "usr/bin" / name)
        shutil.rmtree(packages / name)  # no other version is to be had
    shutil.copy2(folder() / "crictl", packages / "cri-tools/usr/bin/crictl")
    for name in ("containerd", "iptables-nft"):
        shutil.rmtree(packages / name)  # these are in the image
    for name, place in RUNTIME.items():
        if (folder() / name).exists():
            (layer / "usr" / place).mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder() / name, layer / "usr" / place / name)
    for name in PLUGINS:
        plugin = packages / "kubernetes-cni/opt/cni/bin" / name
        shutil.copy2(image / "usr/lib/cni" / name, plugin)
    box.adapt(layer, image)
