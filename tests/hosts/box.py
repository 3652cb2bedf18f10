"""Settings for a host on which real programs run, never for a machine of EC2. The run prints what was done.

    python -m hosts.box keep FILE    remembers the settings of the kernel that are the whole box's, and sets what kube-proxy cannot
    python -m hosts.box restore FILE
"""

import json
import os
import pathlib
import sys

# Kubelets set these, and they hold for the box: no namespace has its own.
SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/netfilter/nf_conntrack_max",
    "fs/inotify/max_user_instances",
)
# Each machine's programs watch files, and all of them count for one user.
WATCHES = "1024"
# kube-proxy's own default on a machine of up to four cores. In a namespace it may read this, and not set it.
CONNECTIONS = "131072"
PROC = pathlib.Path("/proc/sys")
SYS_RESOURCE = 1 << 24

# The disk and the memory are the box's, and others fill them too.
KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard:
  memory.available: 50Mi
  nodefs.available: 1%
  nodefs.inodesFree: 1%
  imagefs.available: 1%
"""
OLD_CONTROL_GROUPS = "failCgroupV1: false\n"
KUBEADM = """#!/bin/bash
# This box has control groups v1, which kubeadm refuses before it joins.
[[ $1 != join ]] || set -- "$@" --ignore-preflight-errors=SystemVerification
exec /usr/libexec/kubeadm "$@"
"""
# The bundle of a container is there before runc is called.
RUNC = r"""#!/bin/bash
# This box has no CAP_SYS_RESOURCE: no process can be made less likely to be killed when memory ends.
words=("$@")
for index in "${!words[@]}"; do
  if [[ ${words[index]} == --bundle ]]; then
    sed --in-place 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "${words[index + 1]}/config.json"
  fi
done
exec /usr/libexec/runc "$@"
"""


def old_control_groups():
    return not (pathlib.Path("/sys/fs/cgroup") / "cgroup.controllers").exists()


def weak():
    """Whether this run lacks CAP_SYS_RESOURCE."""
    status = pathlib.Path("/proc/self/status").read_text()
    return not int(status.partition("CapEff:")[2].split()[0], 16) & SYS_RESOURCE


def adapt(layer, image):
    """Puts around the real programs what this box makes necessary."""
    old = old_control_groups()
    write(layer / "etc/kubernetes/kubelet.conf.d/10-box.conf", KUBELET + (OLD_CONTROL_GROUPS if old else ""))
    write(layer / "etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=--config-dir=/etc/kubernetes/kubelet.conf.d\n")
    if old:
        for package in (layer / "opt/packages").glob("kubeadm*"):
            wrap(package, "usr/bin/kubeadm", KUBEADM)
    if weak():
        write(layer / "usr/libexec/runc", (image / "usr/sbin/runc").read_bytes(), 0o755)
        write(layer / "usr/sbin/runc", RUNC, 0o755)


def description():
    """Describes what `adapt` and `keep` do here."""
    yield "kubelets evict nothing before its disk or memory is all but full, as others use them too"
    if old_control_groups():
        yield "control groups v1: failCgroupV1 is false, and kubeadm's SystemVerification is ignored"
    if weak():
        yield "no CAP_SYS_RESOURCE: negative oom_score_adj of containers are left out"
    yield f"nf_conntrack_max of the box is {CONNECTIONS} during the run, as kube-proxy may not set it in a namespace"
    yield f"fs.inotify.max_user_instances is {WATCHES} during the run, as one user has all machines"


def wrap(root, place, script):
    real = root / "usr/libexec" / pathlib.Path(place).name
    real.parent.mkdir(parents=True, exist_ok=True)
    (root / place).rename(real)
    write(root / place, script, 0o755)


def write(path, content, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def keep(file):
    kept = {name: (PROC / name).read_text().strip() for name in SETTINGS if (PROC / name).exists()}
    pathlib.Path(file).write_text(json.dumps(kept))
    if "net/netfilter/nf_conntrack_max" in kept:
        (PROC / "net/netfilter/nf_conntrack_max").write_text(CONNECTIONS)
    (PROC / "fs/inotify/max_user_instances").write_text(WATCHES)
    for line in description():
        print(f"this box: {line}", flush=True)


def restore(file):
    if pathlib.Path(file).exists():
        for name, value in json.loads(pathlib.Path(file).read_text()).items():
            (PROC / name).write_text(value)


if __name__ == "__main__" and os.environ.get("QUORATE_KUBERNETES_BIN"):
    {"keep": keep, "restore": restore}[sys.argv[1]](sys.argv[2])
