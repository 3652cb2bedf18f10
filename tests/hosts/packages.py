"""What machines fetch from pkgs.k8s.io by themselves: the key of the packages, over HTTPS that they trust."""

import http.server
import shutil
import ssl
import subprocess
import threading

from hosts import network

SITE = "pkgs.k8s.io"
# The registries of real programs' images (`registry.py`) have the same certificate.
REGISTRIES = ("registry.k8s.io", "public.ecr.aws", "registry-1.docker.io")
SITES = (SITE, *REGISTRIES)
BUNDLE = "etc/ssl/certs/ca-certificates.crt"

# The fingerprint of the real key, as gpg prints it. The stand-in of gpg repeats what it finds.
FINGERPRINT = "fpr:::::::::DE15B14486CD377B9E876E1A234654DA9A296436:"


class Packages:
    """A web site with one kind of file. `key` is what it serves: a test can put another one in its place."""

    def __init__(self, work, trust):
        self.key = FINGERPRINT
        certificate, key = work / "site.crt", work / "site.key"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"),
                *("-subj", f"/CN={SITE}", "-addext", f"subjectAltName={','.join(f'DNS:{name}' for name in SITES)}"),
                *("-keyout", key, "-out", certificate),
            ],
            check=True,
            capture_output=True,
        )
        image, layer = trust
        bundle = layer / BUNDLE
        bundle.parent.mkdir(parents=True)
        shutil.copy(image / BUNDLE, bundle)
        with open(bundle, "a") as file:
            file.write(certificate.read_text())
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(certificate, key)
        server = http.server.ThreadingHTTPServer((network.PACKAGES, 443), type("Handler", (Handler,), {"site": self}))
        server.socket = self.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Site(http.server.BaseHTTPRequestHandler):
    """How a site answers."""

    protocol_version = "HTTP/1.1"

    def send(self, status, content, **headers):
        self.begin(status, len(content), headers)
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_file(self, path, **headers):
        self.begin(200, path.stat().st_size, headers)
        if self.command != "HEAD":
            with open(path, "rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

    def begin(self, status, length, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


class Handler(Site):
    site = None

    def do_GET(self):
        known = self.path.endswith("/repodata/repomd.xml.key")
        self.send(200 if known else 404, self.site.key.encode() if known else b"")
