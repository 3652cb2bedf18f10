
# --- Masters: the etcd volume ------------------------------------------------------------------------------------

# The name that udev gives the etcd volume's NVMe device. It carries the volume's id.
volume_link() {
  echo "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${QUORATE_VOLUME/-/}"
}

# Prints the device of the etcd volume, if the kernel has it. Devices that are not NVMe carry EC2's name.
etcd_device() {
  local device
  for device in "$(volume_link)" "$ETCD_DEVICE" "${ETCD_DEVICE/sd/xvd}"; do
    if blockdev --getsize64 "$device" > /dev/null 2>&1; then
      readlink --canonicalize-missing "$device"
      return
    fi
  done
  return 1
}

# Attaches the volume of this master, and no other. While the master before this one still has it, there is nothing
# to do but wait: taking a disk from a machine that may still write to it would destroy what is on it. What does not
# come in ten minutes may need manual action: this run reports it and ends, and the next one continues to wait.
attach_volume() {
  : "${QUORATE_VOLUME:?}"
  local state='' holder='' attachment='' attempts=$AWS_MAX_ATTEMPTS
  if etcd_device > /dev/null; then attempts=2; fi
  await 120 is_attached || die "$QUORATE_VOLUME is still ${state:-unknown to EC2}, ${attachment:-held} by \
${holder:-no instance}. A machine that hangs releases its volume when it is terminated; \`quorate apply\` creates a missing volume"
  etcd_device > /dev/null || say "waiting for the device of $QUORATE_VOLUME"
  await 120 etcd_device > /dev/null || die "EC2 has attached $QUORATE_VOLUME, but the kernel shows no device for it. \
Terminate this machine: Auto Scaling starts another one in its place"
}

# Succeeds if EC2 reports that the volume is attached here; attaches it if it is free. A volume that is being detached
# from this machine is waited for as well.
is_attached() {
  state=
  read -r state holder attachment < <(AWS_MAX_ATTEMPTS=$attempts aws ec2 describe-volumes --cli-connect-timeout 5 \
    --volume-ids "$QUORATE_VOLUME" --output text \
    --query 'Volumes[0].[State, Attachments[0].InstanceId, Attachments[0].State]') || true
  if [[ $holder == "$instance" && $attachment == attach* ]]; then
    return 0
  elif [[ -z $state ]] && blockdev --getsize64 "$(volume_link)" > /dev/null 2>&1; then
    say "EC2 does not answer, but the disk of $QUORATE_VOLUME is attached"
    return 0
  elif [[ $state == available ]]; then
    say "attaching $QUORATE_VOLUME"
    aws ec2 attach-volume --volume-id "$QUORATE_VOLUME" --instance-id "$instance" --device "$ETCD_DEVICE" \
      --output text --query State || say "it could not be attached yet"
  else
    say "waiting for $QUORATE_VOLUME: it is ${state:-unknown}, ${attachment:-held} by ${holder:-no instance}"
  fi
  return 1
}

# Makes a file system, only on a volume that has none. blkid's answer 2 means "nothing found", and also "cannot read":
# so the volume is read first.
format_if_blank() {
  local device=$1 answer=0
  dd if="$device" of=/dev/null bs=1M count=1 status=none
  blkid --probe "$device" || answer=$?
  case $answer in
    0) say "$device contains data; keeping it" ;;
    2)
      say "$device is blank; creating a file system"
      mkfs.ext4 -q -m 0 -L etcd "$device"
      ;;
    *) die "blkid could not determine if $device is blank (exit code $answer); it was not changed" ;;
  esac
}

mount_volume() {
  local device uuid
  # The kubelet must never start etcd on the root disk: an empty directory would pass for a new member.
  write /etc/systemd/system/kubelet.service.d/20-quorate.conf 0644 << END
[Unit]
AssertPathIsMountPoint=$ETCD_DATA
END
  systemctl daemon-reload
  if mountpoint --quiet "$ETCD_DATA"; then
    say "$ETCD_DATA is mounted already"
    return
  fi
  device=$(etcd_device)
  format_if_blank "$device"
  uuid=$(blkid --match-tag UUID --output value "$device")
  mkdir -p "$ETCD_DATA"
  mount --options noatime "UUID=$uuid" "$ETCD_DATA"
  chmod 0700 "$ETCD_DATA"
}

# --- Masters: names in the private zone --------------------------------------------------------------------------

# This master's own name for its peers, and its share of the API's. It comes first of all: a resolver that was asked
# for a name before it was there may say for a quarter of an hour that there is none.
write_names() {
  : "${QUORATE_ZONE_ID:?}"
  aws route53 change-resource-record-sets --cli-connect-timeout 5 --hosted-zone-id "$QUORATE_ZONE_ID" --output text \
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
