"""Slices as the kubelet makes them: transient units without default dependencies, asked of systemd over its own socket.

systemd-run cannot make a slice, and there is no bus daemon on the machines. This speaks as much of D-Bus as one call needs.
"""

import socket
import struct

import standin

SOCKET = "/run/systemd/private"
RETURN, ERROR = 2, 3
EXISTS = b"UnitExists"


def make(name):
    """Creates a slice below its parents in its name, which the kubelet creates first. An existing one stays."""
    parent = f"{name.rpartition('-')[0]}.slice" if "-" in name else "-.slice"
    properties = [
        ("Description", "s", f"libcontainer container {name}.slice"),
        ("Wants", "as", [parent]),
        ("MemoryAccounting", "b", True),
        ("CPUAccounting", "b", True),
        ("TasksAccounting", "b", True),
        ("DefaultDependencies", "b", False),
    ]
    body = Message()
    body.text(f"{name}.slice")
    body.text("replace")
    body.array(8, properties, body.property)
    body.array(8, [], None)
    kind, answer = call("StartTransientUnit", "ssa(sv)a(sa(sv))", bytes(body.data))
    if kind == ERROR and EXISTS not in answer:
        standin.fail(f"systemd does not make {name}.slice: {answer!r}")


class Message:
    """Values in D-Bus' own form, each on its boundary."""

    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def number(self, value):
        self.align(4)
        self.data += struct.pack("<I", value)

    def text(self, value):
        self.number(len(value))
        self.data += value.encode() + b"\0"

    def signature(self, value):
        self.data += bytes([len(value)]) + value.encode() + b"\0"

    def array(self, size, items, write):
        self.number(0)
        place = len(self.data) - 4
        self.align(size)
        start = len(self.data)
        for item in items:
            write(item)
        self.data[place : place + 4] = struct.pack("<I", len(self.data) - start)

    def property(self, item):
        name, signature, value = item
        self.align(8)
        self.text(name)
        self.variant(signature, value)

    def field(self, item):
        code, signature, value = item
        self.align(8)
        self.data += bytes([code])
        self.variant(signature, value)

    def variant(self, signature, value):
        self.signature(signature)
        if signature == "as":
            self.array(4, value, self.text)
        elif signature == "b":
            self.number(int(value))
        elif signature == "g":
            self.signature(value)
        else:
            self.text(value)


def call(member, signature, body):
    """Calls a method of systemd's manager: how it answered, and the whole answer."""
    message = Message()
    message.data += b"l" + bytes([1, 0, 1])
    message.number(len(body))
    message.number(1)
    fields = [
        (1, "o", "/org/freedesktop/systemd1"),
        (2, "s", "org.freedesktop.systemd1.Manager"),
        (3, "s", member),
        (6, "s", "org.freedesktop.systemd1"),
        (8, "g", signature),
    ]
    message.array(8, fields, message.field)
    message.align(8)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(SOCKET)
        line.sendall(b"\0AUTH EXTERNAL 30\r\n")
        greeting = line.recv(256)
        if not greeting.startswith(b"OK"):
            standin.fail(f"systemd does not let the kubelet in: {greeting!r}")
        line.sendall(b"BEGIN\r\n" + bytes(message.data) + body)
        while True:
            head = exactly(line, 16)
            size, _, fields = struct.unpack("<III", head[4:16])
            rest = exactly(line, fields + (-fields % 8) + size)
            if head[1] in (RETURN, ERROR):
                return head[1], rest


def exactly(line, size):
    data = b""
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            standin.fail("systemd hung up")
        data += part
    return data
