"""The Kubernetes project's own programs in place of the stand-ins, where QUORATE_KUBERNETES_BIN names their folder.

It holds kubeadm, kubelet, kubectl, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy and pause, of one
version; crictl; etcd, etcdctl and etcdutl of the version that kubeadm's flags want; and containerd, containerd-shim-runc-v2 and
ctr, 2.0 or later, where Debian's is older. With CoreDNS (`coredns`) the cluster has names. All are static, or need no newer
libraries than the machines have. docs/hosts.md explains more.
"""

import os
import pathlib
import shutil
import subprocess

from hosts import box

PACKAGES = {"kubelet": "kubelet", "kubeadm": "kubeadm", "kubectl": "kubectl", "cri-tools": "crictl"}
RUNTIME = {"containerd": "bin", "containerd-shim-runc-v2": "bin", "ctr": "bin", "runc": "sbin"}
PLUGINS = ("bandwidth", "bridge", "host-local", "loopback", "portmap", "ptp")
REASON = "needs real programs: QUORATE_KUBERNETES_BIN names no folder with Kubernetes"


def folder():
    """Where the programs are; nothing where the stand-ins are to be used."""
    named = os.environ.get("QUORATE_KUBERNETES_BIN")
    return pathlib.Path(named) if named else None


def version():
    """The version that `kubeadm` reports, such as v1.33.4."""
    return subprocess.run([folder() / "kubeadm", "version", "--output", "short"], check=True, capture_output=True, text=True).stdout.strip()


def furnish(layer, image):
    """Puts the programs where dnf's stand-in finds packages, and the runtime where the image would have it."""
    for package, name in PACKAGES.items():
        shutil.copy2(folder() / name, layer / "opt/packages" / package / "usr/bin" / name)
    for name in ("containerd", "iptables-nft"):
        shutil.rmtree(layer / "opt/packages" / name)  # these are in the image
    for name, place in RUNTIME.items():
        if (folder() / name).exists():
            (layer / "usr" / place).mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder() / name, layer / "usr" / place / name)
    for name in PLUGINS:
        plugin = layer / "opt/packages/kubernetes-cni/opt/cni/bin" / name
        shutil.copy2(image / "usr/lib/cni" / name, plugin)
    box.adapt(layer, image)
