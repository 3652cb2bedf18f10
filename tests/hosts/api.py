"""The real API of a fleet, asked with a master's own certificate; and clients that ask it while something happens."""

import base64
import contextlib
import http.client
import json
import socket
import ssl
import tempfile
import threading
import time

import yaml

NAME = "api.internal.chat.poeticoding.com"
CONFIGURATION = "/etc/kubernetes/super-admin.conf"
UNREACHABLE = (OSError, http.client.HTTPException, ValueError)


class Refused(Exception):
    """An answer that is not well."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Connection(http.client.HTTPSConnection):
    """A connection to one address, whose certificate is checked under the cluster's name."""

    def connect(self):
        self.sock = self._context.wrap_socket(socket.create_connection((self.host, self.port), self.timeout), server_hostname=NAME)


class Api:
    """The API as all masters serve it: the first that answers counts, or the one at `at`."""

    def __init__(self, fleet, at=None, port=6443):
        self.fleet, self.at, self.port = fleet, at, port
        self.tls = None

    def credentials(self):
        """The certificate of an administrator, as kubeadm left it on a master."""
        if self.tls is None:
            for machine in self.fleet.roles("master"):
                with contextlib.suppress(OSError, AttributeError):
                    self.tls = context(machine.path(CONFIGURATION).read_text())
                    return self.tls
            raise OSError("no master has the certificate of an administrator yet")
        return self.tls

    def forget(self):
        """Another cluster has other authorities."""
        self.tls = None

    def addresses(self):
        return [self.at] if self.at else [machine.instance.address for machine in self.fleet.roles("master") if machine.alive]

    def ask(self, method, path, body=None, timeout=5, kind="application/json"):
        """The answer's JSON; `None` where there is nothing. What another master may answer is asked there."""
        error = OSError("there is no master")
        for address in self.addresses():
            try:
                return self.once(address, method, path, body, timeout, kind)
            except UNREACHABLE as failed:
                error = failed
        raise error

    def once(self, address, method, path, body, timeout, kind):
        connection = Connection(address, self.port, timeout=timeout, context=self.credentials())
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status == 404:
            return None
        if answer.status >= 300:
            raise Refused(answer.status, text.decode(errors="replace"))
        return json.loads(text) if text[:1] in b"{[" else text.decode()

    def get(self, path):
        return self.ask("GET", path)

    def items(self, path):
        return (self.get(path) or {}).get("items", [])

    def apply(self, path, body):
        return self.ask("PATCH", f"{path}?fieldManager=hosts&force=true", body, kind="application/apply-patch+yaml")

    def ready(self):
        """The names of the nodes that are Ready; none while the API does not answer."""
        try:
            return {node["metadata"]["name"] for node in self.items("/api/v1/nodes") if is_true(node, "Ready")}
        except (Refused, *UNREACHABLE):
            return set()

    def leader(self, lease):
        """The node whose component holds a lease of kube-system."""
        return self.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{lease}")["spec"]["holderIdentity"].partition("_")[0]


def is_true(thing, condition):
    return any(one["type"] == condition and one["status"] == "True" for one in thing.get("status", {}).get("conditions", []))


def context(kubeconfig):
    """TLS with the authority and the client's certificate of a kubeconfig."""
    config = yaml.safe_load(kubeconfig)
    user = config["users"][0]["user"]
    text = lambda encoded: base64.b64decode(encoded).decode()
    tls = ssl.create_default_context(cadata=text(config["clusters"][0]["cluster"]["certificate-authority-data"]))
    tls.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
        pair.write(text(user["client-certificate-data"]) + text(user["client-key-data"]))
        pair.flush()
        tls.load_cert_chain(pair.name)
    return tls


class Client:
    """Does something again and again while a test goes on, and remembers when it went well: `with Client(…) as client`."""

    def __init__(self, what, every=0.2):
        self.what, self.every = what, every
        self.tries = []  # (seconds since the beginning, whether it went well)
        self.errors = {}  # what went wrong, how often
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def work(self):
        while not self.over.wait(self.every):
            at = time.monotonic() - self.began
            try:
                self.what()
                self.tries.append((at, True))
            except (Refused, *UNREACHABLE) as error:
                self.tries.append((at, False))
                kind = f"{type(error).__name__} {getattr(error, 'status', '')}".strip()
                self.errors[kind] = self.errors.get(kind, 0) + 1

    @property
    def failed(self):
        return sum(not well for _, well in self.tries)

    @property
    def longest(self):
        """The longest time from one success to the next."""
        moments = [0.0, *(at for at, well in self.tries if well)]
        return max((later - before for before, later in zip(moments, moments[1:])), default=0.0)

    def __str__(self):
        what = "".join(f", {count} {kind}" for kind, count in sorted(self.errors.items()))
        return f"{self.failed} of {len(self.tries)} failed, at most {self.longest:.1f} s without an answer{what}"


def probe(api, path="/api/v1/namespaces/default"):
    """A read over a connection of its own."""
    return lambda: api.ask("GET", path, timeout=3)


class Kept:
    """A read over a connection that is kept, as clients do: a new one only when the old one has ended."""

    def __init__(self, api, path="/api/v1/namespaces/default"):
        self.api, self.path, self.connection = api, path, None
        self.made = 0

    def __call__(self):
        if self.connection is None:
            self.connection = Connection(self.api.at, self.api.port, timeout=3, context=self.api.credentials())
            self.made += 1
        try:
            self.connection.request("GET", self.path)
            answer = self.connection.getresponse()
            text = answer.read()
            ends = answer.will_close
        except Exception:
            self.drop()
            raise
        if ends:
            self.drop()
        if answer.status != 200:
            raise Refused(answer.status, text.decode(errors="replace"))

    def drop(self):
        self.connection.close()
        self.connection = None


class Writes:
    """Makes one ConfigMap after another; `kept` compares what was acknowledged with what is there."""

    def __init__(self, api, name):
        self.api, self.path, self.name = api, "/api/v1/namespaces/default/configmaps", name
        self.number, self.acknowledged = 0, set()

    def __call__(self):
        self.number += 1
        name = f"{self.name}-{self.number}"
        self.api.ask("POST", self.path, {"metadata": {"name": name, "labels": {"of": self.name}}}, timeout=3)
        self.acknowledged.add(name)

    def kept(self):
        """How many of the acknowledged writes are there."""
        there = {item["metadata"]["name"] for item in self.api.items(f"{self.path}?labelSelector=of={self.name}")}
        return len(self.acknowledged & there)
