"""The etcd of a fleet's masters, asked with etcdctl and the certificates that are on them."""

import json
import threading
import time

PKI = "/etc/kubernetes/pki/etcd"
CREDENTIALS = (f"--cacert={PKI}/ca.crt", f"--cert={PKI}/healthcheck-client.crt", f"--key={PKI}/healthcheck-client.key")


class Etcd:
    """etcd as one master sees it: `ask` asks its own member, or those of other masters."""

    def __init__(self, fleet, name):
        self.fleet, self.machine = fleet, fleet[name]

    def ask(self, *words, through=None, timeout=60):
        endpoints = ",".join(f"https://{self.fleet[name].instance.address}:2379" for name in through or ()) or "https://127.0.0.1:2379"
        return self.machine.run("etcdctl", f"--endpoints={endpoints}", *CREDENTIALS, *words, timeout=timeout).stdout.strip()

    def gateway(self, path, body):
        """Calls that etcdctl does not have."""
        flags = [flag.replace("=", " ") for flag in CREDENTIALS]
        return self.machine.sh(f"curl --silent --fail {' '.join(flags)} --data '{body}' https://127.0.0.1:2379/{path}")

    def put(self, key, value, **keywords):
        self.ask("put", key, value, **keywords)

    def own(self, key):
        """The value that this member has itself, whatever the others say."""
        return self.ask("get", "--print-value-only", "--consistency=s", key)

    def members(self):
        """Ids by name; those of a second cluster would be other ones, as they are made of its members' addresses."""
        listed = json.loads(self.ask("member", "list", "--write-out=json"))
        return {member.get("name"): member["ID"] for member in listed["members"]}

    def learners(self):
        """The ids of the members that have no vote yet."""
        listed = json.loads(self.ask("member", "list", "--write-out=json"))
        return {member["ID"] for member in listed["members"] if member.get("isLearner")}

    def cluster(self):
        return json.loads(self.ask("member", "list", "--write-out=json"))["header"]["cluster_id"]

    def leader(self):
        """The name of the master whose member leads."""
        status = json.loads(self.ask("endpoint", "status", "--write-out=json"))[0]["Status"]
        ids = {identity: name for name, identity in self.members().items()}
        return ids[status["leader"]].replace("etcd-", "master-")


class Writer:
    """Writes one number after another through some masters, and keeps the longest time that none got through."""

    def __init__(self, etcd, through):
        self.etcd, self.through = etcd, through
        self.written, self.longest = 0, 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def write(self):
        last = time.monotonic()
        while not self.over.wait(0.2):
            try:
                self.etcd.put("/hosts/number", str(self.written + 1), through=self.through)
            except AssertionError:
                continue  # an election: what counts is how long it takes
            finally:
                now = time.monotonic()
                self.longest = max(self.longest, now - last)
            self.written, last = self.written + 1, now
