#!/bin/bash
# Quorate: makes this machine ready to be a master or a node of the cluster.
#
# Run as root by quorate-node.service, at every boot and again whenever it fails. Every step looks before it acts, so a
# run that died at any line is finished by the next one. What the cluster file says is in /etc/quorate/settings, ids
# that only AWS knows are in /etc/quorate/machine.
#
# What it does today: kernel, containerd and the Kubernetes packages on every machine; on a master also the etcd volume
# and its names in the private zone. It does not start Kubernetes: a machine that is through with it has joined nothing.
set -Eeuo pipefail

# shellcheck source=/dev/null
. /etc/quorate/settings
# shellcheck source=/dev/null
. /etc/quorate/machine

: "${QUORATE_ROLE:?}" "${QUORATE_NAME:?}" "${QUORATE_CLUSTER:?}" "${QUORATE_KUBERNETES:?}"

readonly METADATA=http://169.254.169.254/latest
readonly ETCD_DATA=/var/lib/etcd
readonly ETCD_DEVICE=/dev/sdf # what EC2 calls it; the kernel may call it otherwise

# --- How it speaks -----------------------------------------------------------------------------------------------

current=start

say() {
  echo "quorate: node: $*"
}

die() {
  say "$*" >&2
  exit 1
}

# step NAME COMMAND…: runs one step and says how it went.
step() {
  current=$1
  shift
  say "$current: begins"
  "$@"
  say "$current: done"
}

trap 'say "$current: failed at line $LINENO; the service tries again" >&2' ERR

# --- What EC2 says of this machine -------------------------------------------------------------------------------

# metadata PATH: an answer of the instance's metadata service (version 2: with a token).
metadata() {
  local token
  token=$(curl --fail --silent --show-error --retry 5 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/api/token")
  curl --fail --silent --show-error --retry 5 --header "X-aws-ec2-metadata-token: $token" "$METADATA/meta-data/$1"
}

# --- Every machine -----------------------------------------------------------------------------------------------

# Bridged pod traffic has to pass the node's rules, and a node forwards for its pods.
prepare_kernel() {
  printf '%s\n' overlay br_netfilter > /etc/modules-load.d/quorate.conf
  modprobe --all overlay br_netfilter
  cat > /etc/sysctl.d/90-quorate.conf << 'END'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
END
  sysctl --quiet --load /etc/sysctl.d/90-quorate.conf
}

# The cgroup driver must be the kubelet's: systemd. The rest of the configuration stays containerd's own.
install_containerd() {
  if ! command -v containerd > /dev/null; then
    dnf --assumeyes --quiet install containerd
  fi
  local config=/etc/containerd/config.toml
  mkdir -p /etc/containerd
  cat > "$config.new" << 'END'
version = 2

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = true
END
  if cmp --silent "$config.new" "$config"; then
    rm "$config.new"
  else
    mv "$config.new" "$config"
    systemctl try-restart containerd
  fi
  systemctl enable --quiet --now containerd
}

# The packages of the cluster's minor version, signed by the Kubernetes project. An image that has them already is
# used as it is. The kubelet is not enabled: at boot it may start only after this script has mounted etcd's volume.
install_kubernetes() {
  if [[ $(kubelet --version 2> /dev/null || true) == "Kubernetes v$QUORATE_KUBERNETES."* ]]; then
    say "$(kubelet --version) is here already"
    return
  fi
  local repository=https://pkgs.k8s.io/core:/stable:/v$QUORATE_KUBERNETES/rpm
  cat > /etc/yum.repos.d/kubernetes.repo << END
[kubernetes]
name=Kubernetes $QUORATE_KUBERNETES
baseurl=$repository/
enabled=1
gpgcheck=1
gpgkey=$repository/repodata/repomd.xml.key
exclude=kubelet kubeadm kubectl cri-tools kubernetes-cni
END
  dnf --assumeyes --quiet --disableexcludes=kubernetes install kubelet kubeadm kubectl
}

# --- Masters: the etcd volume ------------------------------------------------------------------------------------

# Prints the device of the etcd volume, if the kernel has it. NVMe devices carry the volume's id, others EC2's name.
etcd_device() {
  local device
  for device in "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${QUORATE_VOLUME/-/}" "$ETCD_DEVICE" "${ETCD_DEVICE/sd/xvd}"; do
    if [[ -b $device ]]; then
      readlink --canonicalize "$device"
      return
    fi
  done
  return 1
}

# Attaches the volume of this master, and no other. While the master before this one still has it, there is nothing
# to do but wait: taking a disk from a machine that may still write to it would destroy what is on it.
attach_volume() {
  : "${QUORATE_VOLUME:?}"
  local instance state holder
  instance=$(metadata instance-id)
  while true; do
    read -r state holder < <(aws ec2 describe-volumes --volume-ids "$QUORATE_VOLUME" --output text \
      --query 'Volumes[0].[State, Attachments[0].InstanceId]')
    if [[ $holder == "$instance" ]]; then
      break
    elif [[ $state == available ]]; then
      say "attaching $QUORATE_VOLUME"
      aws ec2 attach-volume --volume-id "$QUORATE_VOLUME" --instance-id "$instance" --device "$ETCD_DEVICE" \
        --output text --query State || say "it could not be attached yet"
    else
      say "waiting for $QUORATE_VOLUME: it is ${state:-unknown}, held by ${holder:-nobody}"
    fi
    sleep 5
  done
  until etcd_device > /dev/null; do
    say "waiting for the device of $QUORATE_VOLUME"
    sleep 1
  done
}

# Makes a file system, only on a volume that has none. blkid's answer 2 means "nothing found", and also "cannot read":
# so the volume is read first.
format_if_blank() {
  local device=$1 answer=0
  dd if="$device" of=/dev/null bs=1M count=1 status=none
  blkid --probe "$device" || answer=$?
  case $answer in
    0) say "$device has data; it is kept" ;;
    2)
      say "$device is blank; making a file system"
      mkfs.ext4 -q -m 0 -L etcd "$device"
      ;;
    *) die "blkid cannot tell whether $device is blank (it answered $answer); it is left alone" ;;
  esac
}

mount_volume() {
  local device uuid
  device=$(etcd_device)
  if mountpoint --quiet "$ETCD_DATA"; then
    say "$ETCD_DATA is mounted already"
    return
  fi
  format_if_blank "$device"
  uuid=$(blkid --match-tag UUID --output value "$device")
  mkdir -p "$ETCD_DATA"
  mount --options noatime "UUID=$uuid" "$ETCD_DATA"
  chmod 0700 "$ETCD_DATA"
}

# --- Masters: names in the private zone --------------------------------------------------------------------------

# This master's own name for its peers, and its share of the API's.
write_names() {
  : "${QUORATE_ZONE_ID:?}" "${QUORATE_DOMAIN:?}"
  local address
  address=$(metadata local-ipv4)
  aws route53 change-resource-record-sets --hosted-zone-id "$QUORATE_ZONE_ID" --output text \
    --query ChangeInfo.Status --change-batch "{
      \"Changes\": [
        {\"Action\": \"UPSERT\", \"ResourceRecordSet\": {
          \"Name\": \"etcd-$QUORATE_NAME.$QUORATE_DOMAIN\", \"Type\": \"A\", \"TTL\": 10,
          \"ResourceRecords\": [{\"Value\": \"$address\"}]}},
        {\"Action\": \"UPSERT\", \"ResourceRecordSet\": {
          \"Name\": \"api.$QUORATE_DOMAIN\", \"Type\": \"A\", \"TTL\": 10,
          \"SetIdentifier\": \"$QUORATE_NAME\", \"MultiValueAnswer\": true,
          \"ResourceRecords\": [{\"Value\": \"$address\"}]}}
      ]}"
}

# --- The order of things -----------------------------------------------------------------------------------------

AWS_DEFAULT_REGION=$(metadata placement/region)
export AWS_DEFAULT_REGION

step kernel prepare_kernel
step containerd install_containerd
step packages install_kubernetes
case $QUORATE_ROLE in
  master)
    step "etcd volume, attach" attach_volume
    step "etcd volume, mount" mount_volume
    step names write_names
    ;;
  node) ;;
  *) die "there is no role $QUORATE_ROLE" ;;
esac
say "prepared as $QUORATE_ROLE $QUORATE_NAME of $QUORATE_CLUSTER; Kubernetes is not started by this version"
