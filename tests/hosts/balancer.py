"""A model of network load balancers: their settings in moto, carried out on real connections.

Like the real one it asks each target for health at the target group's interval, sends new connections only to healthy targets (to
all when none is), ends the connections of a target that turns unhealthy, and lets those of one that leaves go on until the
deregistration delay is over. Unlike the real one it is one machine: there are no zones and no packets, and a change takes
effect within two seconds, where AWS takes up to minutes.
"""

import asyncio
import dataclasses
import random
import ssl
import threading

from botocore.exceptions import BotoCoreError, ClientError

from hosts import network

INTERVAL = 2.0  # seconds between two reads of the settings in moto
CONNECT = 10.0  # seconds that a target may take for a connection


@dataclasses.dataclass(eq=False)
class Target:
    """One machine behind a target group, and how it is."""

    address: str
    port: int
    state: str = "initial"
    streak: int = 0  # checks in a row that say otherwise than the state
    leaving: bool = False
    connections: set = dataclasses.field(default_factory=set)
    check: asyncio.Task = None

    def cut(self):
        for writer in list(self.connections):
            writer.transport.abort()


class Balancers:
    """All load balancers of the account. Each has an address of its own, under the name that moto gave it."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.names = {}  # DNS name -> address
        self.listeners = {}  # listener's ARN -> server
        self.groups = {}  # target group's ARN -> {instance: Target}
        self.descriptions = {}  # target group's ARN -> its description
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()

    async def serve(self):
        while True:
            try:
                settings = await asyncio.to_thread(self.described)
            except (BotoCoreError, ClientError, KeyError):
                settings = None  # something went away while it was read
            if settings is not None:
                await self.follow(*settings)
            await asyncio.sleep(INTERVAL)

    def described(self):
        """What the account has: listeners and target groups, with the addresses of their targets."""
        elb = self.cloud.client("elbv2")
        addresses = {instance.id: instance.address for instance in self.cloud.instances()}
        listeners, groups = {}, {}
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
                listeners[listener["ListenerArn"]] = (balancer["DNSName"].lower(), listener["Port"], listener["DefaultActions"][0]["TargetGroupArn"])
        for group in elb.describe_target_groups()["TargetGroups"]:
            arn = group["TargetGroupArn"]
            registered = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            attributes = {one["Key"]: one["Value"] for one in elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]}
            wanted = {one["Target"]["Id"]: one["Target"]["Port"] for one in registered if one["TargetHealth"]["State"] not in ("draining", "unused")}
            groups[arn] = (group, float(attributes["deregistration_delay.timeout_seconds"]), {one: (addresses[one], port) for one, port in wanted.items() if one in addresses})
        return listeners, groups

    async def follow(self, listeners, groups):
        for arn, (group, delay, wanted) in groups.items():
            self.descriptions[arn] = group
            targets = self.groups.setdefault(arn, {})
            for instance, (address, port) in wanted.items():
                if instance not in targets or targets[instance].leaving:
                    targets[instance] = Target(address, port)
                    targets[instance].check = asyncio.create_task(self.watch(arn, targets[instance]))
            for instance, target in list(targets.items()):
                if instance not in wanted and not target.leaving:
                    target.leaving, target.state = True, "draining"
                    asyncio.get_running_loop().call_later(delay, self.forget, arn, instance, target)
        for arn, (name, port, group) in listeners.items():
            if arn not in self.listeners:
                if name not in self.names:
                    self.names[name] = network.balancer(len(self.names))
                self.listeners[arn] = await asyncio.start_server(self.carrier(group), self.names[name], port)
        for arn in [arn for arn in self.listeners if arn not in listeners]:
            self.listeners.pop(arn).close()

    def forget(self, arn, instance, target):
        target.check.cancel()
        target.cut()
        if self.groups[arn].get(instance) is target:
            del self.groups[arn][instance]

    async def watch(self, arn, target):
        """Asks a target for health, again and again."""
        while not target.leaving:
            group = self.descriptions[arn]
            well = await self.asks(group, target)
            turned = well != (target.state == "healthy")
            target.streak = target.streak + 1 if turned or target.state == "initial" else 0
            needed = group["HealthyThresholdCount" if well else "UnhealthyThresholdCount"]
            if target.streak >= needed and not target.leaving:
                target.state, target.streak = "healthy" if well else "unhealthy", 0
                if not well:
                    target.cut()
            await asyncio.sleep(group["HealthCheckIntervalSeconds"])

    async def asks(self, group, target):
        port = target.port if group["HealthCheckPort"] == "traffic-port" else int(group["HealthCheckPort"])
        protocol = group["HealthCheckProtocol"]
        try:
            async with asyncio.timeout(6 if protocol == "HTTP" else 10):
                reader, writer = await asyncio.open_connection(target.address, port, ssl=TRUSTING if protocol == "HTTPS" else None)
                try:
                    if protocol == "TCP":
                        return True
                    writer.write(f"GET {group['HealthCheckPath']} HTTP/1.1\r\nHost: {target.address}\r\nConnection: close\r\n\r\n".encode())
                    line = await reader.readline()
                    return b"200" <= line.split()[1] <= b"399"
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError, IndexError, ssl.SSLError):
            return False

    def carrier(self, group):
        async def carry(reader, writer):
            target = self.choose(group)
            try:
                async with asyncio.timeout(CONNECT):
                    there, out = await asyncio.open_connection(target.address, target.port)
            except (OSError, TimeoutError, AttributeError):
                writer.transport.abort()
                return
            ends = (writer, out)
            target.connections.update(ends)
            await asyncio.gather(pump(reader, out), pump(there, writer))
            target.connections.difference_update(ends)
            for end in ends:
                end.transport.abort()

        return carry

    def choose(self, group):
        targets = [target for target in self.groups.get(group, {}).values() if not target.leaving]
        healthy = [target for target in targets if target.state == "healthy"]
        return random.choice(healthy or targets) if targets else None

    def have(self, instance):
        """Whether a machine is a target still: until its deregistration delay is over."""
        return any(instance in targets for targets in self.groups.values())

    def state(self, arn, instance):
        """The state of a target; nothing for one that this model does not know yet."""
        target = self.groups.get(arn, {}).get(instance)
        return target.state if target else None


async def pump(reader, writer):
    """Carries bytes one way until either side ends."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.transport.abort()


# As AWS does: a health check over HTTPS verifies no certificate.
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE
