
# --- Masters: snapshots of etcd ----------------------------------------------------------------------------------

backup() {
  : "${QUORATE_KEEP_DAYS:?}"
  save_snapshot
  expire_backups
  forget_machines
}

# Puts a snapshot of etcd, taken from this master's member, into the bucket.
save_snapshot() {
  local container file=$ETCD_DATA/snapshot.db
  container=$(crictl ps --quiet --name '^etcd$' --state Running)
  [[ -n $container ]] || die "etcd does not run on this master; the other masters take the snapshot"
  rm -f "$file" "$file.part"
  crictl exec "$container" etcdctl --endpoints https://127.0.0.1:2379 --cacert "$PKI/etcd/ca.crt" \
    --cert "$PKI/etcd/healthcheck-client.crt" --key "$PKI/etcd/healthcheck-client.key" snapshot save "$file"
  # In one piece: the parts of an upload that died would stay in the bucket, unseen and paid for. S3 takes 5 GiB at once,
  # and etcd's data may not be more than 2 GiB.
  aws s3api put-object --bucket "$QUORATE_BUCKET" --key "$QUORATE_FOLDER/backups/etcd/$(stamp now)-$QUORATE_NAME.db" \
    --body "$file" > /dev/null
  rm -f "$file"
}

# stamp WHEN: a time as it stands in the keys, which so sort by age.
stamp() {
  date --utc --date "$1" +%Y%m%dT%H%M%SZ
}

# Removes what is past its time, with all of its versions: a bucket that keeps versions would keep paying for them.
expire_backups() {
  local oldest prefix=$QUORATE_FOLDER/backups/etcd/20 key version
  oldest=$QUORATE_FOLDER/backups/etcd/$(stamp "$QUORATE_KEEP_DAYS days ago")
  while read -r key _ version; do
    if [[ $key == "$prefix"* && $key < "$oldest" ]]; then
      say "removing s3://$QUORATE_BUCKET/$key, which is older than $QUORATE_KEEP_DAYS days"
      remove_version "$key" "$version"
    fi
  done < <(versions "$prefix")
}

# versions PREFIX: key, time and id of each version of the objects whose keys begin so.
versions() {
  aws s3api list-object-versions --bucket "$QUORATE_BUCKET" --prefix "$1" --output text \
    --query '[Versions, DeleteMarkers][] | [?Key].[Key, LastModified, VersionId]'
}

remove_version() {
  aws s3api delete-object --bucket "$QUORATE_BUCKET" --key "$1" --version-id "$2" > /dev/null
}

# The reports of a machine are kept for this time after its end, to find out what happened.
readonly KEEP_STATUS="3 days"

# Removes the reports of terminated machines. EC2 forgets a machine about an hour after its end; a
# running machine may have sent its last report months ago, so the age of a report alone is no reason.
forget_machines() {
  local known prefix=$QUORATE_FOLDER/nodes/ oldest key written version id
  known=$(aws ec2 describe-instances --filters "Name=tag:quorate.dev/cluster,Values=$QUORATE_CLUSTER" --output text \
    --query 'Reservations[].Instances[].[InstanceId]')
  grep --quiet --line-regexp --fixed-strings "$instance" <<< "$known" ||
    die "EC2 does not return this machine, so it is unknown which status files are obsolete"
  oldest=$(date --utc --date "$KEEP_STATUS ago" +%Y-%m-%dT%H:%M:%S)
  while read -r key written version; do
    id=${key#"$prefix"}
    id=${id%%/*}
    if [[ $id == i-* && $written < "$oldest" ]] && ! grep --quiet --line-regexp --fixed-strings "$id" <<< "$known"; then
      say "removing the status files of $id, which was terminated more than $KEEP_STATUS ago"
      remove_version "$key" "$version"
    fi
  done < <(versions "${prefix}i-")
}

# --- Masters: back from a snapshot -------------------------------------------------------------------------------

# restore SNAPSHOT [--force]: run on every master with the same snapshot, when etcd has lost more than it can bear. The
# members begin a new cluster with what the snapshot holds; what was on the volume is put aside on it.
restore() {
  : "${QUORATE_INITIAL_CLUSTER:?}" "${QUORATE_VOLUME:?}"
  local snapshot=${1:-} file=$ETCD_DATA/restore.db fresh=$ETCD_DATA/restored aside image
  [[ $snapshot =~ ^20[0-9]{6}T[0-9]{6}Z-[a-z0-9]+\.db$ ]] ||
    die "usage: node.sh restore SNAPSHOT [--force], with a name such as 20260101T001700Z-a.db from $STORE/backups/etcd/"
  mountpoint --quiet "$ETCD_DATA" || die "the volume is not at $ETCD_DATA yet; see: journalctl -u quorate-node"
  if etcd_healthy 127.0.0.1 && [[ ${2:-} != --force ]]; then
    die "etcd is healthy. What was written since the snapshot would be lost on all masters: pass --force to confirm"
  fi
  # Fetched before anything is stopped: a name that is wrong, or a registry that is away, costs nothing.
  aws s3 cp --only-show-errors "$STORE/backups/etcd/$snapshot" - | write "$file" 0600
  image=$(pull_etcd)
  say "stopping the control plane of this master"
  systemctl stop quorate-node
  stop_member
  stop_containers '^kube-apiserver$'
  rm -rf "$fresh"
  unpack_snapshot "$file" "$fresh" "$snapshot" "$image"
  if [[ -e $ETCD_DATA/member ]]; then
    aside=$ETCD_DATA/before-$(stamp now)
    mv "$ETCD_DATA/member" "$aside"
    say "the old data is in $aside: remove it when the cluster is healthy"
  fi
  mv "$fresh/member" "$ETCD_DATA/member"
  rm -rf "$fresh" "$file"
  systemctl start --no-block quorate-node
  say "this member has the data of $snapshot. Continue with the other masters: etcd waits for more than half of them"
}

# Makes sure that the image of the etcd that goes with this Kubernetes is here, and prints its name. A machine whose volume
# was lost has never had it.
pull_etcd() {
  local image
  image=$(kubeadm config images list --kubernetes-version "$(kubeadm version --output short)" | grep /etcd:)
  crictl pull "$image" > /dev/null || crictl inspecti --quiet "$image" > /dev/null ||
    die "the image $image is not on this machine and cannot be pulled"
  echo "$image"
}

# unpack_snapshot FILE FOLDER SNAPSHOT IMAGE: by etcdutl of an image. A token of its own for each snapshot keeps members
# of the time before apart. Watchers must never get an older revision than before.
unpack_snapshot() {
  local etcdutl bump=()
  etcdutl=(ctr --namespace k8s.io run --rm --mount "type=bind,src=$ETCD_DATA,dst=$ETCD_DATA,options=rbind:rw" "$4"
    "quorate-restore-$$" etcdutl snapshot restore)
  if "${etcdutl[@]}" --help | grep bump-revision > /dev/null; then
    bump=(--bump-revision 1000000000 --mark-compacted)
  fi
  "${etcdutl[@]}" "$1" --data-dir "$2" --name "etcd-$QUORATE_NAME" --initial-cluster "$QUORATE_INITIAL_CLUSTER" \
    --initial-cluster-token "$QUORATE_CLUSTER-$3" --initial-advertise-peer-urls "$own_url" "${bump[@]}"
}
