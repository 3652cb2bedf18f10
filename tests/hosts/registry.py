"""A registry of images for real programs: each image is one layer, made of a program of the Kubernetes project's.

What is no program of the folder gets an image that is clearly named: `stand-in`. It sleeps where an add-on belongs (the cloud
controller, the EBS driver), answers health checks where those ask for it, and else serves HTTP as a user's service does.
"""

import hashlib
import http.server
import io
import json
import multiprocessing
import pathlib
import signal
import subprocess
import tarfile

from hosts import network
from hosts.packages import Site

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
# What kube-proxy calls, and what that needs beside its libraries.
RULES = ("usr/sbin/iptables", "usr/sbin/iptables-save", "usr/sbin/iptables-restore", "usr/sbin/ip6tables", "usr/sbin/ip6tables-save", "usr/sbin/ip6tables-restore", "usr/sbin/conntrack", "usr/sbin/nft")
EXTENSIONS = "usr/lib/x86_64-linux-gnu/xtables"
ADDONS = ("provider-aws/", "sig-storage/", "ebs-csi-driver/")

STAND_IN = """#!/bin/busybox sh
# Stands in for {image}.
port=${{PORT:-{port}}}
for word; do
  case $word in
    --mode=kubelet-registration-probe) exit 0 ;;
    --http-endpoint=*) port=${{word#*=}} port=${{port#:}} ;;
  esac
done
trap 'exit 0' TERM INT
if [ -n "$port" ]; then busybox httpd -f -p "$port" -h /www & else busybox sleep 2147483647 & fi
wait
"""


def start(work, image, folders, tls):
    """Serves in a process of its own: gigabytes that machines pull must not block the others."""
    registry = Registry(work / "blobs", image, folders)
    handler = type("Handler", (Handler,), {"registry": registry})
    server = http.server.ThreadingHTTPServer((network.REGISTRY, 443), handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    multiprocessing.get_context("fork").Process(target=serve, args=(registry, server), daemon=True).start()


def serve(registry, server):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that started this ends it
    registry.prepare()
    server.serve_forever()


class Handler(Site):
    """Answers `GET /v2/…` as a registry does."""

    registry = None

    def do_GET(self):
        self.registry.answer(self)

    do_HEAD = do_GET


class Registry:
    """The images by name. A tag that holds `missing` is in no repository."""

    def __init__(self, folder, image, folders):
        self.folder = folder
        self.folder.mkdir()
        # The programs by their version; those without a version of Kubernetes are in the first folder.
        self.image, self.folders = image, folders
        self.types = {}  # digest -> media type
        self.manifests = {}  # image -> digest of its manifest

    def answer(self, request):
        """Serves one request of containerd's."""
        kind, name, what = split(request.path)
        if kind == "manifests":
            found = what if what.startswith("sha256:") else self.tagged(name, what)
        else:
            found = what
        if found in self.types:
            request.send_file(self.folder / found, Content_Type=self.types[found], Docker_Content_Digest=found)
        elif kind:
            request.send(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}', Content_Type="application/json")
        else:
            request.send(200, b"{}", Content_Type="application/json")

    def tagged(self, name, tag):
        if "missing" in tag:
            return None
        program = self.program(name, tag)
        known = str(program or f"{name}:{tag}")
        return self.manifests.get(known) or self.manifests.setdefault(known, self.prepared(program, known))

    def program(self, name, tag):
        """The program that an image is made of; nothing for a stand-in."""
        folder = self.folders.get(tag) or next(iter(self.folders.values()))
        program = folder / name.rpartition("/")[2]
        return program if program.exists() else None

    def prepare(self):
        """Makes the images of the control plane before anybody asks: once, and not while machines wait."""
        for version in self.folders:
            for name in ("pause", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns"):
                self.tagged(name, version if name.startswith("kube") else "any")

    def prepared(self, program, known):
        files, entry = self.content(program) if program else self.stand_in(known)
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tree:
            for place, source in files.items():
                if isinstance(source, pathlib.Path):
                    tree.add(source.resolve(), place, recursive=False)
                else:
                    entry_of(tree, place, source)
        layer = self.keep(LAYER, layer.getvalue())
        configuration = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": [entry], "Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.keep(CONFIGURATION, json.dumps(configuration).encode()),
            "layers": [layer],
        }
        return self.keep(MANIFEST, json.dumps(manifest).encode())["digest"]

    def content(self, program):
        """The files of an image by their places, and the program that it begins with."""
        name = program.name
        if name in ("pause", "coredns"):
            return {name: program}, f"/{name}"
        names = (name, "etcdctl", "etcdutl") if name == "etcd" else (name,)
        files = {f"usr/local/bin/{name}": program.parent / name for name in names}
        if name == "kube-proxy":
            files |= self.rules()
        return files, f"/usr/local/bin/{name}"

    def stand_in(self, known):
        name = known.rpartition("/")[2].partition(":")[0]
        addon = any(part in known for part in ADDONS)
        script = STAND_IN.format(image=known, port="" if addon else 80)
        files = {"bin/busybox": self.image / "bin/busybox", name: script, "www/healthz": "ok", "www/index.html": f"stand-in for {known}\n"}
        return files, f"/{name}"

    def rules(self):
        """iptables with its libraries, where the disk of the machines has them."""
        extensions = [f"{EXTENSIONS}/{file.name}" for file in (self.image / EXTENSIONS).iterdir()]
        linked = ["chroot", self.image, "ldd", *(f"/{name}" for name in (*RULES, *extensions))]
        libraries = subprocess.run(linked, check=True, capture_output=True, text=True).stdout
        needed = {word for line in libraries.splitlines() for word in line.split() if word.startswith("/") and not word.endswith(":")}
        files = {place.lstrip("/"): rooted(self.image, place) for place in needed}
        return files | {name: rooted(self.image, f"/{name}") for name in (*RULES, *extensions)}

    def keep(self, media_type, content):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        (self.folder / digest).write_bytes(content)
        self.types[digest] = media_type
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


def rooted(root, place):
    """A file of a root directory, through its links: those that begin with / lead to places in that root."""
    path = root / place.lstrip("/")
    while path.is_symlink():
        target = pathlib.Path(path.readlink())
        path = root / str(target).lstrip("/") if target.is_absolute() else path.parent / target
    return path


def entry_of(tree, place, text):
    entry = tarfile.TarInfo(place)
    entry.size, entry.mode = len(text.encode()), 0o755
    tree.addfile(entry, io.BytesIO(text.encode()))


def split(path):
    """What a path asks for: manifests or blobs, of which repository, by which tag or digest."""
    parts = path.partition("?")[0].removeprefix("/v2/").split("/")
    if len(parts) < 3 or parts[-2] not in ("manifests", "blobs"):
        return None, "", ""
    return parts[-2], "/".join(parts[:-2]), parts[-1]
