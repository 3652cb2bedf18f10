"""What keeps a cluster for years, and the way back when it was lost."""

import json

from hosts.etcd import Etcd

BUCKET, FOLDER = "state.chat.poeticoding.com", "chat.poeticoding.com"
MASTERS = ("master-a", "master-b", "master-c")
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
AUTHORITIES = "cd /etc/kubernetes/pki && sha256sum ca.* etcd/ca.* front-proxy-ca.* sa.*"
SHORT_LIVED = """cd /etc/kubernetes/pki
openssl req -new -key apiserver.key -subj /CN=kube-apiserver -out /tmp/request
openssl x509 -req -in /tmp/request -CA ca.crt -CAkey ca.key -days 30 -out apiserver.crt"""


def snapshots(fleet):
    listed = fleet.cloud.client("s3").list_object_versions(Bucket=BUCKET, Prefix=f"{FOLDER}/backups/etcd/")
    return [version["Key"].rpartition("/")[2] for version in listed.get("Versions", []) + listed.get("DeleteMarkers", [])]


def test_certificates_are_renewed_before_they_end(fleet):
    """One that ends soon is enough for all leaves; the authorities stay; what reads certificates only once starts again."""
    machine = fleet["master-a"]
    machine.sh(SHORT_LIVED)
    units = lambda: [machine.sh(f"systemctl show --value --property=InvocationID container-{name}") for name in COMPONENTS]
    before, authorities = units(), machine.sh(AUTHORITIES)
    machine.run("systemctl", "start", "quorate-renew", timeout=400)
    for leaf in ("apiserver", "apiserver-etcd-client", "etcd/server", "etcd/peer"):
        machine.sh(f"openssl x509 -noout -checkend $((300 * 86400)) -in /etc/kubernetes/pki/{leaf}.crt")
    assert machine.sh(AUTHORITIES) == authorities
    assert not set(before) & set(units())
    status = fleet.cloud.client("s3").get_object(Bucket=BUCKET, Key=f"{FOLDER}/nodes/{machine.instance.id}/status.json")
    assert json.loads(status["Body"].read())["certificates_end"] > machine.sh("date --utc --date '300 days' +%Y-%m-%dT%H:%M:%SZ")


def test_a_snapshot_that_is_past_its_time_leaves_the_bucket(fleet):
    """With all of its versions, or the bucket would go on paying for it."""
    for _ in range(2):
        fleet.cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{FOLDER}/backups/etcd/20200101T001700Z-b.db", Body=b"old")
    fleet["master-b"].run("systemctl", "start", "quorate-backup", timeout=200)
    assert all(name.startswith("202") and name > "2021" for name in snapshots(fleet))
    assert any(name.endswith("-b.db") for name in snapshots(fleet))


def test_etcd_goes_back_to_a_snapshot(fleet):
    """Two of three volumes are lost. As docs/machines.md describes: the same snapshot on every master, and they start again."""
    etcd = Etcd(fleet, "master-a")
    etcd.put("/hosts/back", "in the snapshot")
    fleet["master-a"].run("systemctl", "start", "quorate-backup", timeout=200)
    snapshot = max(name for name in snapshots(fleet) if name.endswith("-a.db"))
    etcd.put("/hosts/back", "after it")
    cluster = etcd.cluster()
    for name in ("master-a", "master-b"):
        fleet.volumes.blank_next(fleet.volume(name))
        fleet.replace(name)
    fleet.logs("master-a", "never begins a second cluster by itself", seconds=300)
    fleet.logs("master-b", "etcd membership: begins", seconds=300)
    for name in MASTERS:
        fleet[name].run("/opt/quorate/node.sh", "restore", snapshot, timeout=200)
    for name in MASTERS:
        fleet.settle(name)
        assert Etcd(fleet, name).own("/hosts/back") == "in the snapshot"
        assert sorted(Etcd(fleet, name).members()) == ["etcd-a", "etcd-b", "etcd-c"]
        assert Etcd(fleet, name).cluster() != cluster, "no member of the time before can join"
    assert fleet["master-c"].sh("ls -d /var/lib/etcd/before-*"), "what was there is put aside"
    refused = fleet["master-a"].run("/opt/quorate/node.sh", "restore", snapshot, check=False)
    assert refused.returncode and "etcd is healthy" in refused.stderr
