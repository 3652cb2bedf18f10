"""The instance metadata service, version 2 only: the address of a request identifies its machine."""

import datetime
import http.server
import json
import secrets
import socket
import threading

from hosts import network
from hosts.cloud import REGION

TOKEN_HEADER = "X-aws-ec2-metadata-token"


class Metadata:
    """Answers at 169.254.169.254 for the machines that are registered."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.instances = {}
        self.tokens = {}
        self.spot = False  # whether nodes are Spot Instances
        self.notices = {}  # by instance
        self.keys = {}  # access key -> machine's name: who is who in the journal of calls
        handler = type("Handler", (Handler,), {"service": self})
        server = http.server.ThreadingHTTPServer((network.METADATA, 80), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def add(self, instance):
        self.instances[instance.address] = instance

    def token(self, instance):
        token = secrets.token_urlsafe(32)
        self.tokens[token] = instance.id
        return token

    def tree(self, instance):
        """Everything that this machine can ask for."""
        return {
            "user-data": lambda: instance.user_data,
            "meta-data/instance-id": lambda: instance.id,
            "meta-data/instance-life-cycle": lambda: "spot" if self.spot and instance.role == "node" else "on-demand",
            "meta-data/autoscaling/target-lifecycle-state": lambda: "InService",
            "meta-data/local-hostname": lambda: instance.hostname,
            "meta-data/hostname": lambda: instance.hostname,
            "meta-data/local-ipv4": lambda: instance.address,
            "meta-data/placement/region": lambda: REGION,
            "meta-data/placement/availability-zone": lambda: instance.zone,
            "meta-data/iam/security-credentials/": lambda: instance.iam_role,
            f"meta-data/iam/security-credentials/{instance.iam_role}": lambda: self.credentials(instance),
            "dynamic/instance-identity/document": lambda: json.dumps({"region": REGION, "instanceId": instance.id}),
            # Not there before EC2 takes the machine back.
            **({"meta-data/spot/instance-action": lambda: self.notices[instance.id]} if instance.id in self.notices else {}),
        }

    def take_back(self, instance):
        """EC2's notice to a Spot Instance, two minutes before its end."""
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
        self.notices[instance.id] = json.dumps({"action": "terminate", "time": end.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def credentials(self, instance):
        given = self.cloud.credentials(instance.iam_role)
        self.keys[given["AccessKeyId"]] = instance.name
        return json.dumps(
            {
                "Code": "Success",
                "Type": "AWS-HMAC",
                "LastUpdated": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "AccessKeyId": given["AccessKeyId"],
                "SecretAccessKey": given["SecretAccessKey"],
                "Token": given["SessionToken"],
                "Expiration": given["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )


class Handler(http.server.BaseHTTPRequestHandler):
    service = None
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        instance = self.service.instances.get(self.client_address[0])
        seconds = self.headers.get(f"{TOKEN_HEADER}-ttl-seconds", "")
        if instance is None or self.path != "/latest/api/token" or "X-Forwarded-For" in self.headers:
            self.answer(403)
        elif not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            self.answer(400)
        else:
            # A token does not travel further than the launch template allows: a pod's network is one hop more.
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, instance.hop_limit)
            self.answer(200, self.service.token(instance))

    def do_GET(self):
        instance = self.service.instances.get(self.client_address[0])
        if instance is None or self.service.tokens.get(self.headers.get(TOKEN_HEADER)) != instance.id:
            self.answer(401)
            return
        found = self.service.tree(instance).get(self.path.removeprefix("/latest/"))
        self.answer(200, found()) if found else self.answer(404)

    def answer(self, status, body=b""):
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
