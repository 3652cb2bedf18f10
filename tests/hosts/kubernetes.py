"""The Kubernetes project's own programs in place of the stand-ins, where QUORATE_KUBERNETES_BIN names their folder.

It holds kubeadm, kubelet, kubectl, crictl, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy and
pause, of one version, and etcd if kubeadm's flags want a newer one than the machines have. Where Debian's containerd is
older than node.sh asks for, it holds containerd, containerd-shim-runc-v2, ctr and runc as well. There is no registry
here: images are made of the programs, and containerd takes them from a file.
"""

import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

PACKAGES = {"kubelet": "kubelet", "kubeadm": "kubeadm", "kubectl": "kubectl", "cri-tools": "crictl"}
RUNTIME = {"containerd": "bin", "containerd-shim-runc-v2": "bin", "ctr": "bin", "runc": "sbin"}
PLUGINS = ("bandwidth", "bridge", "host-local", "loopback", "portmap", "ptp")
IMPORT = """[Unit]
Description=Images, for want of a registry
Requires=containerd.service
After=containerd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/ctr --namespace k8s.io images import /opt/images.tar

[Install]
WantedBy=multi-user.target
"""


def folder():
    """Where the programs are; nothing where the stand-ins are to be used."""
    named = os.environ.get("QUORATE_KUBERNETES_BIN")
    return pathlib.Path(named) if named else None


def version():
    """What `kubeadm` says it is, such as v1.33.4."""
    return output("version", "--output", "short").strip()


def output(*words):
    return subprocess.run([folder() / "kubeadm", *words], check=True, capture_output=True, text=True).stdout


def furnish(layer, image):
    """Puts the programs where dnf's stand-in finds packages, and the images where containerd finds them."""
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
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(f"/usr/lib/cni/{name}")
    etcd = folder() / "etcd"
    archive(layer / "opt/images.tar", etcd if etcd.exists() else image / "usr/bin/etcd")
    units = layer / "etc/systemd/system"
    (units / "images.service").write_text(IMPORT)
    (units / "multi-user.target.wants/images.service").symlink_to("../images.service")


def archive(path, etcd):
    """Writes an archive as `docker save` does: one image of one layer for each program."""
    manifest = []
    with tarfile.open(path, "w") as images:
        for image in output("config", "images", "list", "--kubernetes-version", version()).split():
            name = image.rpartition("/")[2].partition(":")[0]
            program = etcd if name == "etcd" else folder() / name
            if not program.exists():
                continue  # CoreDNS: its pods stay away, and no node waits for them
            layer = io.BytesIO()
            with tarfile.open(fileobj=layer, mode="w") as tree:
                tree.add(program, "pause" if name == "pause" else f"usr/local/bin/{name}")
            digest = hashlib.sha256(layer.getvalue()).hexdigest()
            entry = ["/pause"] if name == "pause" else [f"/usr/local/bin/{name}"]
            configuration = {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Entrypoint": entry, "Env": ["PATH=/usr/local/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            }
            put(images, f"{name}.json", json.dumps(configuration).encode())
            put(images, f"{name}/layer.tar", layer.getvalue())
            manifest.append({"Config": f"{name}.json", "RepoTags": [image], "Layers": [f"{name}/layer.tar"]})
        put(images, "manifest.json", json.dumps(manifest).encode())


def put(images, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    images.addfile(entry, io.BytesIO(content))
