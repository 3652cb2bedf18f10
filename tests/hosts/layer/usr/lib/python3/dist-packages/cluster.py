"""What the stand-ins of Kubernetes keep, in the real etcd: objects as JSON below /registry, as an API server does."""

import base64
import http.client
import json
import ssl
import tempfile

import standin


class Etcd:
    """A member of etcd, by its JSON gateway, with the certificate of an API server."""

    def __init__(self, host="127.0.0.1", timeout=5):
        self.host, self.timeout = host, timeout
        self.tls = ssl.create_default_context(cafile=standin.PKI / "etcd/ca.crt")
        self.tls.load_cert_chain(standin.PKI / "apiserver-etcd-client.crt", standin.PKI / "apiserver-etcd-client.key")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPSConnection(self.host, 2379, timeout=self.timeout, context=self.tls)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise OSError(f"etcd answered {answer.status}: {text}")
        return json.loads(text)

    def healthy(self):
        try:
            return self.ask("GET", "/health")["health"] == "true"
        except (OSError, ValueError, KeyError):
            return False

    def put(self, key, value):
        self.ask("POST", "/v3/kv/put", {"key": encode(key), "value": encode(json.dumps(value))})

    def delete(self, key):
        self.ask("POST", "/v3/kv/deleterange", {"key": encode(key)})

    def list(self, prefix):
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self.ask("POST", "/v3/kv/range", {"key": encode(prefix), "range_end": encode(end)}).get("kvs", [])
        return {decode(pair["key"]): json.loads(decode(pair["value"])) for pair in found}


def encode(text):
    return base64.b64encode(text.encode()).decode()


def decode(text):
    return base64.b64decode(text).decode()


class Api:
    """An API server from a kubeconfig: its address, its authority, and the client."""

    def __init__(self, kubeconfig, token=None):
        import yaml

        configuration = yaml.safe_load(kubeconfig.read_text())
        cluster = configuration["clusters"][0]["cluster"]
        self.server = cluster["server"]
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.tls = ssl.create_default_context(cadata=decode(cluster["certificate-authority-data"]))
        for user in configuration.get("users") or []:
            if "client-certificate-data" not in user["user"]:
                continue  # it asks with the token alone
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
                pair.write(decode(user["user"]["client-certificate-data"]) + decode(user["user"]["client-key-data"]))
                pair.flush()
                self.tls.load_cert_chain(pair.name)

    def ask(self, method, path, body=None):
        """An answer's JSON; fails on what is not well, but for `None` where there is nothing."""
        host, _, port = self.server.removeprefix("https://").partition(":")
        connection = http.client.HTTPSConnection(host, int(port), timeout=10, context=self.tls)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, self.headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError as error:
            standin.fail(f"{self.server}: {error}")
        finally:
            connection.close()
        if answer.status == 404:
            return None
        if answer.status == 403:
            raise PermissionError(text)
        if answer.status != 200:
            standin.fail(f"{method} {self.server}{path}: {answer.status} {text}")
        return json.loads(text)
