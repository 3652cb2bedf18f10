"""The machines as one cluster: keys, kubeadm's phases, etcd's quorum, nodes that join, and what is left in the bucket."""

import datetime
import json

import pytest

from hosts import policy
from hosts.etcd import Etcd

MASTERS = ("master-a", "master-b", "master-c")
NODES = ("workers-1", "workers-2")
PHASES = [
    "certs all",
    "kubeconfig all",
    "etcd local",
    "control-plane all",
    "kubelet-start",
    "upload-config all",
    "addon all",
    "mark-control-plane",
    "bootstrap-token",
    "kubelet-finalize all",
]
BUCKET, FOLDER = "state.chat.poeticoding.com", "chat.poeticoding.com"


def keys(fleet, prefix):
    listed = fleet.cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{FOLDER}/{prefix}")
    return [item["Key"].removeprefix(f"{FOLDER}/") for item in listed.get("Contents", [])]


def content(fleet, key):
    return fleet.cloud.client("s3").get_object(Bucket=BUCKET, Key=f"{FOLDER}/{key}")["Body"].read().decode()


@pytest.mark.parametrize("name", MASTERS)
def test_a_master_has_the_keys_of_the_bucket(fleet, name):
    """Every authority is two files, the key for root alone, and openssl takes what was issued from it."""
    machine = fleet[name]
    for made, certificate in [("cluster-ca", "ca"), ("etcd-ca", "etcd/ca"), ("front-proxy-ca", "front-proxy-ca")]:
        key, public = machine.sh(f"cat /etc/kubernetes/pki/{certificate}.key"), machine.sh(f"cat /etc/kubernetes/pki/{certificate}.crt")
        assert content(fleet, f"pki/{made}.pem").strip() == f"{key}\n{public}"
        assert machine.sh(f"stat --format=%a /etc/kubernetes/pki/{certificate}.key") == "600"
    machine.sh("openssl verify -CAfile /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/apiserver.crt")
    machine.sh("cmp <(openssl pkey -in /etc/kubernetes/pki/sa.key -pubout) /etc/kubernetes/pki/sa.pub")


@pytest.mark.parametrize("name", MASTERS)
def test_a_master_runs_the_phases_in_their_order(fleet, name):
    """No master is the first one: all of them run the same phases with the same configuration but for themselves."""
    called = [" ".join(word for word in call["arguments"][2:] if not word.startswith("-") and "/" not in word) for call in fleet[name].recorded("kubeadm")]
    assert called == PHASES


@pytest.mark.parametrize("name", NODES)
def test_a_node_joins_once(fleet, name):
    machine = fleet[name]
    assert [call["arguments"][0] for call in machine.recorded("kubeadm")][-1] == "join"
    assert machine.sh("ls /etc/kubernetes/pki") == "ca.crt", "a node has no key of the cluster's"
    machine.sh("! test -e /etc/quorate/kubeadm.yaml")  # which held the token


def test_every_machine_is_a_node_of_its_name(fleet):
    """With the name and the provider id by which the cloud controller manager finds its instance."""
    etcd = Etcd(fleet, "master-a")
    listed = etcd.ask("get", "--prefix", "--keys-only", "/registry/minions/").split()
    assert {f"/registry/minions/{machine.instance.hostname}" for machine in fleet.machines.values()} <= set(listed)
    for machine in fleet.machines.values():
        node = json.loads(etcd.own(f"/registry/minions/{machine.instance.hostname}"))
        assert node["providerID"] == f"aws:///{machine.instance.zone}/{machine.instance.id}"
        assert node["cloud"] == "external"


def test_etcd_is_one_cluster_of_three(fleet):
    """All members name the same cluster and the same members, and what one wrote the others have."""
    Etcd(fleet, "master-a").put("/hosts/proof", "of three")
    views = [(Etcd(fleet, name).cluster(), Etcd(fleet, name).members()) for name in MASTERS]
    assert views[0] == views[1] == views[2]
    assert sorted(views[0][1]) == ["etcd-a", "etcd-b", "etcd-c"]
    assert {Etcd(fleet, name).ask("get", "--print-value-only", "/hosts/proof") for name in MASTERS} == {"of three"}


def test_a_stranger_is_not_served_by_etcd(fleet):
    """A worker reaches the port, and has no certificate to show."""
    address = fleet["master-a"].instance.address
    assert fleet["workers-1"].run("curl", "--silent", "--insecure", f"https://{address}:2379/health", check=False).returncode != 0


def test_the_bucket_has_the_progress_of_machines(fleet):
    """One marker for each member of etcd that was healthy, one status for each machine: ready."""
    assert [key for key in keys(fleet, "nodes/etcd-")] == ["nodes/etcd-a", "nodes/etcd-b", "nodes/etcd-c"]
    for name, machine in fleet.machines.items():
        status = json.loads(content(fleet, f"nodes/{machine.instance.id}/status.json"))
        assert (status["state"], status["role"], status["instance"]) == ("ready", machine.instance.role, machine.instance.id)
        assert name.startswith({"master": f"master-{status['name']}", "node": status["name"]}[status["role"]])
        datetime.datetime.fromisoformat(status["at"])


def reported(fleet, name):
    """What a master's timer has just written of etcd."""
    fleet[name].run("systemctl", "start", "quorate-etcd")
    return json.loads(content(fleet, f"nodes/{fleet[name].instance.id}/etcd.json"))


def test_masters_report_the_status_of_etcd(fleet):
    """The members and the leader, in one version: older reports are gone."""
    leader = Etcd(fleet, "master-a").leader().replace("master-", "etcd-")
    for name in MASTERS:
        status = reported(fleet, name)
        assert (status["member"], status["answers"], status["leader"], status["alarms"]) == (name.replace("master", "etcd"), True, leader, [])
        assert sorted((member["name"], member["learner"]) for member in status["members"]) == [("etcd-a", False), ("etcd-b", False), ("etcd-c", False)]
        assert 0 < status["bytes"] < status["quota"]
        written = fleet.cloud.client("s3").list_object_versions(Bucket=BUCKET, Prefix=f"{FOLDER}/nodes/{fleet[name].instance.id}/etcd.json")
        assert len(written["Versions"]) == 1


def test_masters_report_an_alarm(fleet):
    """Alarms of any member, as etcd reports them."""
    etcd = Etcd(fleet, "master-a")
    alarm = json.dumps({"action": "ACTIVATE", "memberID": str(etcd.members()["etcd-b"]), "alarm": "NOSPACE"})
    etcd.gateway("v3/maintenance/alarm", alarm)
    try:
        assert reported(fleet, "master-c")["alarms"] == ["NOSPACE of etcd-b"]
    finally:
        etcd.ask("alarm", "disarm")
    assert reported(fleet, "master-c")["alarms"] == []


def test_a_snapshot_goes_into_the_bucket(fleet):
    """And is one: etcd itself reads it."""
    fleet["master-a"].run("systemctl", "start", "quorate-backup")
    (made,) = keys(fleet, "backups/etcd/20")
    assert made.endswith("-a.db")
    snapshot = fleet.cloud.client("s3").get_object(Bucket=BUCKET, Key=f"{FOLDER}/{made}")["Body"].read()
    fleet["master-a"].path("/tmp/snapshot.db").write_bytes(snapshot)
    assert json.loads(fleet["master-a"].sh("etcdctl snapshot status /tmp/snapshot.db --write-out=json"))["totalKey"] > 0


def test_a_new_token_replaces_the_old_one(fleet):
    """The token in the bucket lets machines join; the one before it does not."""
    old = content(fleet, "pki/join-token").strip()
    fleet.cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{FOLDER}/pki/join-token", Body=b"newone.0123456789abcdef\n")
    fleet["master-b"].run("systemctl", "start", "quorate-token")
    tokens = Etcd(fleet, "master-c").ask("get", "--prefix", "--keys-only", "/registry/secrets/kube-system/").split()
    assert tokens == ["/registry/secrets/kube-system/bootstrap-token-newone"]
    assert old.partition(".")[0] != "newone"


@pytest.mark.parametrize("name", MASTERS + NODES)
def test_nothing_secret_is_logged(fleet, name):
    """Neither the journal nor an argument of a process holds a key or the token."""
    machine = fleet[name]
    token = content(fleet, "pki/join-token").strip().partition(".")[2]
    output = machine.run("journalctl", "--no-pager", "--output=cat").stdout + machine.console.read_text(errors="replace")
    arguments = machine.sh("jq --compact-output .arguments /var/log/standins.jsonl")
    assert token not in output + arguments
    assert "PRIVATE KEY" not in output + arguments


@pytest.mark.parametrize("name", MASTERS + NODES)
def test_the_role_allows_what_the_machine_does(fleet, name):
    """Every call that reached AWS from this machine is in the policy of its role: action, resource and conditions."""
    machine = fleet[name]
    statements = policy.documents(fleet.cloud.client("iam"), machine.instance.iam_role)
    calls = fleet.cloud.wire.of(machine.instance.address)
    denied = {str(call) for call in calls if not policy.allows(statements, call, fleet.cloud.tags)}
    assert not denied


@pytest.mark.parametrize(
    ("operator", "key"),
    [("StringLike", "s3:prefix"), ("ForAllValues:StringLike", "route53:ChangeResourceRecordSetsNormalizedRecordNames")]
    + [("StringLike", "aws:ResourceTag/quorate.dev/object")],
)
def test_a_condition_that_does_not_fit_is_noticed(fleet, operator, key):
    """The test before this one must fail for a mistyped condition."""
    machine = fleet[MASTERS[0]]
    statements = policy.documents(fleet.cloud.client("iam"), machine.instance.iam_role)
    mistyped = [statement for statement in statements if key in statement.get("Condition", {}).get(operator, {})]
    assert mistyped
    for statement in mistyped:
        statement["Condition"][operator][key] = "mistyped"
    calls = fleet.cloud.wire.of(machine.instance.address)
    assert not all(policy.allows(statements, call, fleet.cloud.tags) for call in calls)
