
# --- Masters: etcd's members -------------------------------------------------------------------------------------

# etcd HOST PATH [BODY]: asks a member through its JSON gateway.
etcd() {
  curl --silent --show-error --fail-with-body --max-time 10 --cacert "$PKI/etcd/ca.crt" \
    --cert "$PKI/etcd/healthcheck-client.crt" --key "$PKI/etcd/healthcheck-client.key" \
    ${3:+--data "$3"} "https://$1:2379/$2"
}

# A member that answers this has a leader and can write.
etcd_healthy() {
  etcd "$1" health 2> /dev/null | jq --exit-status '.health == "true"' > /dev/null 2>&1
}

# Prints the host of another member that is healthy.
healthy_peer() {
  local master host
  for master in $QUORATE_MASTERS; do
    host=etcd-$master.$QUORATE_DOMAIN
    if [[ $master != "$QUORATE_NAME" ]] && etcd_healthy "$host"; then
      echo "$host"
      return
    fi
  done
  return 1
}

# etcd's own test of whether it begins anew: only the log counts.
has_data() {
  compgen -G "$ETCD_DATA/member/wal/*.wal" > /dev/null
}

# Prints the markers of members that have been healthy once.
markers() {
  aws s3api list-objects-v2 --bucket "$QUORATE_BUCKET" --prefix "$QUORATE_FOLDER/nodes/etcd-" --output text \
    --query "Contents[].Key || ''"
}

# How this member starts. A blank volume is a new cluster's only if no member of it has ever been healthy.
choose_membership() {
  : "${QUORATE_MASTERS:?}" "${QUORATE_INITIAL_CLUSTER:?}"
  local seen
  if has_data; then
    say "this member has data and goes on with it"
  else
    seen=$(markers)
    if [[ -z $seen ]]; then
      say "no member has been healthy yet: this one begins the cluster, together with the others"
      cluster_state=new
    else
      say "the volume is blank, but the cluster is not new: this member takes the place of the one that was lost"
      replace_member
    fi
  fi
  configure "$OURS/kubeadm.yaml"
}

replace_member() {
  local peer url=https://etcd-$QUORATE_NAME.$QUORATE_DOMAIN:2380 members waiting id
  peer=$(healthy_peer) || die "no other member of etcd is healthy, so none can say who belongs to it. Bring the \
other masters back; if all of their volumes are lost, restore a snapshot (docs/machines.md, \"When etcd is lost\"). \
This master never begins a second cluster by itself"
  members=$(etcd "$peer" v3/cluster/member/list '{}')
  # A member without a name was added and has never started: a run before this one got as far as that.
  waiting=$(jq --raw-output --arg url "$url" \
    '.members[] | select(any(.peerURLs[]; . == $url) and (.name // "") == "") | .ID' <<< "$members")
  if [[ -z $waiting ]]; then
    for id in $(jq --raw-output --arg url "$url" '.members[] | select(any(.peerURLs[]; . == $url)) | .ID' <<< "$members"); do
      say "removing the member $id, whose data is gone"
      etcd "$peer" v3/cluster/member/remove "{\"ID\": \"$id\"}" > /dev/null
    done
    say "adding a member at $url"
    etcd "$peer" v3/cluster/member/add "{\"peerURLs\": [\"$url\"]}" > /dev/null
    members=$(etcd "$peer" v3/cluster/member/list '{}')
  fi
  # etcd compares this list with the cluster's own: exactly its members, and no master that has yet to come.
  initial_cluster=$(jq --raw-output \
    '[.members[].peerURLs[0] | "\(capture("//(?<name>[^.]+)[.]").name)=\(.)"] | join(",")' <<< "$members")
}

# Once a member has been healthy, its cluster exists for good: no blank volume is a new cluster's any more.
mark_member() {
  await 120 etcd_healthy 127.0.0.1 || die "etcd is not healthy. It needs more than half of the masters \
($QUORATE_MASTERS) up; see: crictl ps --all --name etcd; crictl logs, and the other masters' status"
  date --utc +%Y-%m-%dT%H:%M:%SZ |
    aws s3 cp --only-show-errors - "$STORE/nodes/etcd-$QUORATE_NAME"
}

# --- Masters: snapshots of etcd ----------------------------------------------------------------------------------

backup() {
  : "${QUORATE_KEEP_DAYS:?}"
  local container file=$ETCD_DATA/snapshot.db
  container=$(crictl ps --quiet --name '^etcd$' --state Running)
  [[ -n $container ]] || die "etcd does not run here; the snapshot is left to the other masters"
  rm -f "$file" "$file.part"
  crictl exec "$container" etcdctl --endpoints https://127.0.0.1:2379 --cacert "$PKI/etcd/ca.crt" \
    --cert "$PKI/etcd/healthcheck-client.crt" --key "$PKI/etcd/healthcheck-client.key" snapshot save "$file"
  aws s3 cp --only-show-errors "$file" "$STORE/backups/etcd/$(stamp now)-$QUORATE_NAME.db"
  rm -f "$file"
  expire_backups
}

# stamp WHEN: a time as it stands in the keys, which so sort by age.
stamp() {
  date --utc --date "$1" +%Y%m%dT%H%M%SZ
}

# Removes what is past its time, with all of its versions: a bucket that keeps versions would keep paying for them.
expire_backups() {
  local oldest prefix=$QUORATE_FOLDER/backups/etcd/20 key version
  oldest=$QUORATE_FOLDER/backups/etcd/$(stamp "$QUORATE_KEEP_DAYS days ago")
  while read -r key version; do
    if [[ $key == "$prefix"* && $key < "$oldest" ]]; then
      say "removing s3://$QUORATE_BUCKET/$key, which is older than $QUORATE_KEEP_DAYS days"
      aws s3api delete-object --bucket "$QUORATE_BUCKET" --key "$key" --version-id "$version" > /dev/null
    fi
  done < <(aws s3api list-object-versions --bucket "$QUORATE_BUCKET" --prefix "$prefix" --output text \
    --query '[Versions, DeleteMarkers][] | [?Key].[Key, VersionId]')
}
