#!/bin/bash
# Quorate: makes this machine a master or a node of the cluster, and keeps it one.
#
#   node.sh          from a bare machine to Ready: run by quorate-node.service at every boot, and again when it fails
#   node.sh token    masters, on a timer: the join token in the bucket is the cluster's, and no older one is
#   node.sh backup   masters, on a timer: a snapshot of etcd goes into the bucket; what is past its time leaves it
#   node.sh etcd     masters, on a timer: writes the status of etcd into the bucket, for `quorate validate`
#   node.sh restore  masters, by hand: etcd goes back to a snapshot
#   node.sh renew    masters, on a timer: leaf certificates that end within 90 days are made anew
#   node.sh access   masters, on a timer: removes expired rules of temporary access to the API
#   node.sh nodes    masters, on a timer: nodes get the labels and taints of the cluster file
#   node.sh interruption  Spot Instances, a service: pods move when EC2 takes the machine back
#   node.sh registry the kubelet, when it gets an image from ECR: the password of its registry
#   node.sh enroll   on a timer: a machine whose Node is gone becomes one again
#   node.sh drain    when the machine is switched off: its pods move elsewhere
#   node.sh leave    at shutdown: what still runs ends in peace; a master's volume is free for the next machine
#
# Every step checks before it acts, so a run that stopped at any line is completed by the next one. The settings of the
# cluster file are in /etc/quorate/settings, ids that only AWS knows are in /etc/quorate/machine. docs/machines.md
# explains the whole story, and what to do when a step fails.
set -Eeuo pipefail

# shellcheck source=/dev/null
. /etc/quorate/settings
# shellcheck source=/dev/null
. /etc/quorate/machine

: "${QUORATE_ROLE:?}" "${QUORATE_NAME:?}" "${QUORATE_CLUSTER:?}" "${QUORATE_KUBERNETES:?}" "${QUORATE_RELEASE:?}" "${QUORATE_KUBEADM:?}"
: "${QUORATE_BUCKET:?}" "${QUORATE_FOLDER:?}" "${QUORATE_DOMAIN:?}" "${QUORATE_PODS:?}" "${QUORATE_PLUGIN:?}"

readonly STORE=s3://$QUORATE_BUCKET/$QUORATE_FOLDER
readonly METADATA=http://169.254.169.254/latest
readonly OURS=/etc/quorate
readonly KUBERNETES=/etc/kubernetes
readonly PKI=$KUBERNETES/pki
readonly ETCD_DATA=/var/lib/etcd
readonly ETCD_DEVICE=/dev/sdf # what EC2 calls it; the kernel may call it otherwise
# systemd gives a service no home directory, and gpg and kubectl need one.
export HOME=${HOME:-/root}
export CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock
# All machines of a cluster may start at once: the AWS CLI waits and tries again when it is throttled.
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=10
# By default it asks the metadata service for the role's credentials once, for one second: a busy machine needs longer, and
# "Unable to locate credentials" would end the call.
export AWS_METADATA_SERVICE_TIMEOUT=5 AWS_METADATA_SERVICE_NUM_ATTEMPTS=5

# --- Output and reports ------------------------------------------------------------------------------------------

current=start
instance=
unreported= # a status could not be written in this run

say() {
  echo "quorate: node: $*"
}

die() {
  say "$*" >&2
  exit 1
}

# step NAME COMMAND…: runs one step and reports its result, here and in the bucket.
step() {
  current=$1
  shift
  say "$current: begins"
  report working
  "$@"
  say "$current: done"
}

# report STATE: writes the progress of this machine for `quorate validate`. No machine stops because this could not be
# written, and none waits for it at every step.
report() {
  if [[ $1 == working && -n $unreported ]]; then return; fi
  printf '{"instance":"%s","role":"%s","name":"%s","step":"%s","state":"%s","at":"%s","kubernetes":"%s"%s}\n' \
    "$instance" "$QUORATE_ROLE" "$QUORATE_NAME" "$current" "$1" "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" "$QUORATE_KUBERNETES" \
    "$(api_certificate_end)" |
    AWS_MAX_ATTEMPTS=3 timeout 30 aws s3 cp --cli-connect-timeout 5 --only-show-errors --content-type application/json - "$STORE/nodes/$instance/status.json" || {
    unreported=yes
    say "the status could not be written; continuing"
  }
}

# api_certificate_end: when the API server's certificate ends, as a further member of the status; nothing without one. The
# others are made and renewed with it.
api_certificate_end() {
  local certificate=$PKI/apiserver.crt end
  [[ -s $certificate ]] || return 0
  end=$(openssl x509 -in "$certificate" -noout -enddate 2> /dev/null) || return 0
  printf ',"certificates_end":"%s"' "$(date --utc --date "${end#*=}" +%Y-%m-%dT%H:%M:%SZ)"
}

# once FILE COMMAND…: must succeed until it has succeeded once, as FILE remembers. Later it is tried, but not for long: a
# machine that is complete starts again without S3 and Route 53.
once() {
  local file=$1
  shift
  if [[ ! -e $file ]]; then
    "$@"
    write "$file" 0600 < /dev/null
  elif ! AWS_MAX_ATTEMPTS=2 "$@"; then
    say "$current: AWS does not respond; using the stored values"
  fi
}

# await ATTEMPTS COMMAND…: tries every 5 s, and fails when there are no attempts left.
await() {
  local left=$1
  shift
  until "$@"; do
    ((--left > 0)) || return 1
    sleep 5
  done
}

# write FILE MODE: standard input becomes the file, at once and never half of it.
write() {
  mkdir -p "${1%/*}"
  (umask 077 && cat > "$1.new")
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

# --- What EC2 knows about this machine ---------------------------------------------------------------------------

# metadata PATH: an answer of the instance's metadata service (version 2: with a token).
metadata() {
  curl --fail --silent --show-error --retry 5 --max-time 10 --header "X-aws-ec2-metadata-token: $metadata_token" \
    "$METADATA/meta-data/$1"
}

# Reads the identity of this machine. The node's name is its private DNS name: the cloud controller manager finds the
# instance by it.
read_identity() {
  metadata_token=$(curl --fail --silent --show-error --retry 5 --max-time 10 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/api/token")
  AWS_DEFAULT_REGION=$(metadata placement/region)
  export AWS_DEFAULT_REGION
  instance=$(metadata instance-id)
  zone=$(metadata placement/availability-zone)
  address=$(metadata local-ipv4)
  node_name=$(metadata local-hostname)
  node_name=${node_name%% *}
}
