"""The VPC's resolver: names of the private zone from moto's Route 53, and the names of machines."""

import re
import socket
import struct
import threading

from botocore.exceptions import BotoCoreError, ClientError

from hosts import network
from hosts.packages import REGISTRIES

ELSEWHERE = {"pkgs.k8s.io": [network.PACKAGES], **{name: [network.REGISTRY] for name in REGISTRIES}}
A, IN = 1, 1
NO_ERROR, NO_SUCH_NAME = 0, 3


class Resolver:
    """Answers over UDP at the address where AWS's resolver answers."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.balancers = {}  # addresses of load balancers by their names
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((network.RESOLVER, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(512)
            try:
                self.socket.sendto(self.answer(query), client)
            except (ValueError, IndexError, struct.error):
                pass  # not a question: no answer
            except (BotoCoreError, ClientError):
                pass  # a zone went away while it was read: who asked asks again, and this thread has to be there

    def answer(self, query):
        name, end = read_name(query, 12)
        kind, _ = struct.unpack("!HH", query[end : end + 4])
        addresses = self.addresses(name)
        known = addresses is not None
        found = addresses if known and kind == A else []
        flags = 0x8580 | (NO_ERROR if known else NO_SUCH_NAME)
        header = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        answers = [struct.pack("!HHHIH", 0xC00C, A, IN, 5, 4) + socket.inet_aton(address) for address in found]
        return header + query[12 : end + 4] + b"".join(answers)

    def addresses(self, name):
        machine = re.fullmatch(r"ip-(\d+)-(\d+)-(\d+)-(\d+)\.ec2\.internal", name)
        if machine:
            return [".".join(machine.groups())]
        if name in self.balancers:
            return [self.balancers[name]]
        return ELSEWHERE.get(name) or self.cloud.records().get(name)


def read_name(message, start):
    """A name of labels, each with its length before it, and where it ends. Questions hold no pointers."""
    labels = []
    while length := message[start]:
        if length > 63:
            raise ValueError("a pointer in a question")
        labels.append(message[start + 1 : start + 1 + length].decode("ascii"))
        start += 1 + length
    return ".".join(labels).lower(), start + 1
