"""Failures during a boot, which end when their cause is gone."""

import json

from hosts.etcd import Etcd
from hosts.machine import wait

BUCKET, FOLDER = "state.chat.poeticoding.com", "chat.poeticoding.com"


def find(fleet, ending):
    listed = fleet.cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)["Contents"]
    return next(item["Key"] for item in listed if item["Key"].endswith(ending))


class Missing:
    """An object that is not there for a while, in a bucket that keeps versions."""

    def __init__(self, fleet, key):
        self.s3, self.key = fleet.cloud.client("s3"), key

    def __enter__(self):
        self.marker = self.s3.delete_object(Bucket=BUCKET, Key=self.key)["VersionId"]

    def __exit__(self, *_):
        self.s3.delete_object(Bucket=BUCKET, Key=self.key, VersionId=self.marker)


def test_a_script_that_was_changed_is_not_run(fleet):
    """An attacker who can write to the bucket cannot run code on machines: the launch template knows the hash. Once it is right
    again the machine goes on by itself."""
    s3, key = fleet.cloud.client("s3"), find(fleet, "/node.sh")
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=b"#!/bin/bash\ntouch /tmp/taken\n")["VersionId"]
    machine = fleet.replace("workers-2")
    fleet.logs("workers-2", "does not have the hash", unit="cloud-final")
    machine.sh("! test -e /opt/quorate/node.sh && ! test -e /tmp/taken")
    reported = f"nodes/{machine.instance.id}/status.json"
    wait("its status", 60, lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{FOLDER}/{reported}").get("Contents"))
    status = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{FOLDER}/{reported}")["Body"].read())
    assert (status["state"], status["name"]) == ("failed", "workers")
    assert "does not have the hash" in status["step"]
    s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
    fleet.settle("workers-2")


def test_an_object_that_is_missing_is_waited_for(fleet):
    """First its settings, then its credentials to join: a machine reports what it lacks, and continues when it exists."""
    with Missing(fleet, find(fleet, "pki/join.pem")):
        with Missing(fleet, find(fleet, "/nodes-workers")):
            fleet.replace("workers-2")
            fleet.logs("workers-2", "cannot get s3://", unit="cloud-final")
        fleet.logs("workers-2", "pki/join.pem")
        fleet.logs("workers-2", "discovery: not finished")
    fleet.settle("workers-2")


def test_a_volume_that_is_held_is_waited_for(fleet):
    """A master does not detach its volume from another machine, and a record that Route 53 refused is written later."""
    volume, ec2 = fleet.volume("master-c"), fleet.cloud.client("ec2")
    fleet.terminate("master-c")
    holder = fleet["workers-1"].instance.id
    ec2.attach_volume(VolumeId=volume, InstanceId=holder, Device="/dev/sdz")
    fleet.cloud.wire.fail("ChangeResourceRecordSets", "400 Bad Request", "Throttling", times=2)
    fleet.boot("master-c")
    fleet.logs("master-c", f"waiting for {volume}: it is in-use, attached by {holder}")
    address = fleet["master-c"].instance.address
    assert not fleet.cloud.wire.of(address, "AttachVolume")
    ec2.detach_volume(VolumeId=volume, InstanceId=holder, Device="/dev/sdz")
    fleet.settle("master-c")
    assert len(fleet.cloud.wire.of(address, "ChangeResourceRecordSets")) >= 3
    assert fleet.cloud.records()["etcd-c.internal.chat.poeticoding.com"] == [address]
    assert len(Etcd(fleet, "master-c").members()) == 3
