"""What machines fetch from pkgs.k8s.io by themselves: the key of the packages, over HTTPS that they trust."""

import http.server
import shutil
import ssl
import subprocess
import threading

from hosts import network

SITE = "pkgs.k8s.io"
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
                *("-subj", f"/CN={SITE}", "-addext", f"subjectAltName=DNS:{SITE}", "-keyout", key, "-out", certificate),
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
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        server = http.server.ThreadingHTTPServer((network.PACKAGES, 443), type("Handler", (Handler,), {"site": self}))
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    site = None

    def do_GET(self):
        known = self.path.endswith("/repodata/repomd.xml.key")
        content = self.site.key.encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
