
# --- Masters: etcd's members -------------------------------------------------------------------------------------

# etcd HOST PATH [BODY]: asks a member through its JSON gateway.
etcd() {
  curl --silent --show-error --fail-with-body --max-time 10 --cacert "$PKI/etcd/ca.crt" \
    --cert "$PKI/etcd/healthcheck-client.crt" --key "$PKI/etcd/healthcheck-client.key" \
    ${3:+--data "$3"} "https://$1:2379/$2"
}

own_url=https://etcd-$QUORATE_NAME.$QUORATE_DOMAIN:2380
members=  # as etcd lists them
learning= # the address of another member that learns
refusal=  # etcd's error for the last change of its members

# change_members HOST VERB BODY: asks a member for a change; keeps its error in `refusal`.
change_members() {
  local answer
  refusal=
  answer=$(etcd "$1" "v3/cluster/member/$2" "$3" 2> /dev/null) && return
  refusal=$(jq --raw-output '.error // empty' <<< "$answer" 2> /dev/null) || true
  refusal=${refusal:-$1 does not answer}
  return 1
}

# A member that answers this has a leader and can write: more than half of the members that there are, be it one of one.
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

# Decides how this member starts. A blank volume belongs to a new cluster only if no member has ever been healthy.
choose_membership() {
  : "${QUORATE_MASTERS:?}" "${QUORATE_INITIAL_CLUSTER:?}"
  local marker=
  if ! has_data; then
    marker=$(markers)
    if [[ -z $marker ]]; then
      say "no member has been healthy yet: this member bootstraps the cluster with the others"
      cluster_state=new
    else
      stop_member
    fi
  fi
  if has_data; then
    say "this member has data and uses it"
  elif [[ -n $marker ]]; then
    say "the volume is blank, but the cluster is not new: this member joins it"
    join_members
  fi
  configure "$OURS/kubeadm.yaml"
}

# An etcd that an earlier run has started must not begin a log before the identity of this member is known: it would be the
# log of a member that we are about to remove.
stop_member() {
  rm -f "$KUBERNETES/manifests/etcd.yaml"
  systemctl stop kubelet
  stop_containers '^etcd$'
}

# stop_containers [NAME]: all containers, or those of this name (a pattern), end in peace. Without a kubelet nothing starts
# them again.
stop_containers() {
  local seconds=20
  # An API server continues for 22 seconds, as configured.
  if [[ ${1:-} == *kube-apiserver* ]]; then seconds=28; fi
  crictl ps --quiet ${1:+--name "$1"} | xargs --no-run-if-empty --max-args 1 --max-procs 0 crictl stop --timeout "$seconds" > /dev/null
}

# Adds this member as one that learns: without a vote, so that a machine that dies before its member has everything takes
# no quorum away from the others. `member_ready` makes it a voter.
join_members() {
  local peer id
  peer=$(healthy_peer) || die "no other member of etcd is healthy, so the member list is unknown. Bring the \
other masters back; if their volumes are lost, restore a snapshot (docs/machines.md, \"When etcd is lost\"). \
This master never begins a second cluster by itself"
  await 24 is_our_turn "$peer" || die "etcd adds one member at a time, and $learning is not a voting member yet. See \
the status of its master, or of the machine that Auto Scaling launches in its place"
  # One that learns and has no name was added and has never started: a run before this one got as far as that.
  if [[ -z $(ours '.isLearner and (.name // "") == ""') ]]; then
    for id in $(ours true); do
      say "removing the member $id, whose data is lost"
      change_members "$peer" remove "{\"ID\": \"$id\"}" || die "$id could not be removed: $refusal"
    done
    say "adding a member at $own_url"
    await 6 change_members "$peer" add "{\"peerURLs\": [\"$own_url\"], \"isLearner\": true}" ||
      die "a member at $own_url could not be added: $refusal"
    members=$(etcd "$peer" v3/cluster/member/list '{}')
  fi
  # etcd compares this list with the cluster's own: exactly its members, and no master that has yet to come.
  initial_cluster=$(jq --raw-output \
    '[.members[].peerURLs[0] | "\(capture("//(?<name>[^.]+)[.]").name)=\(.)"] | join(",")' <<< "$members")
}

# ours CONDITION: the ids of the members at our address that fulfil it.
ours() {
  jq --raw-output --arg url "$own_url" ".members[] | select(any(.peerURLs[]; . == \$url)) | select($1) | .ID" <<< "$members"
}

# is_our_turn PEER: whether no other member learns. etcd has one at a time.
is_our_turn() {
  members=$(etcd "$1" v3/cluster/member/list '{}') || return 1
  learning=$(jq --raw-output --arg url "$own_url" \
    '[.members[] | select(.isLearner and all(.peerURLs[]; . != $url)) | .peerURLs[0]] | first // empty' <<< "$members")
  [[ -n $learning ]] || return 0
  say "waiting for $learning to become a voting member"
  return 1
}

# Succeeds if our member has started, has a vote, and is healthy. A learner gets its vote as soon as it has what
# the others have.
member_ready() {
  local status peer before=$refusal
  status=$(etcd 127.0.0.1 v3/maintenance/status '{}' 2> /dev/null) || return 1
  if jq --exit-status .isLearner > /dev/null <<< "$status"; then
    if peer=$(healthy_peer); then
      change_members "$peer" promote "{\"ID\": \"$(jq --raw-output .header.member_id <<< "$status")\"}" ||
        [[ $refusal == "$before" ]] || say "not a voting member yet: $refusal"
    fi
    return 1
  fi
  etcd_healthy 127.0.0.1
}

await_member() {
  await 120 member_ready || die "etcd is not healthy${refusal:+ ($refusal)}. It needs more than half of the masters \
($QUORATE_MASTERS) up; see: crictl ps --all --name etcd; crictl logs, and the other masters' status"
}

# Once a member has been healthy, its cluster exists for good: no blank volume is a new cluster's any more.
mark_member() {
  await_member
  once "$ETCD_DATA/marked" write_marker
}

write_marker() {
  date --utc +%Y-%m-%dT%H:%M:%SZ |
    aws s3 cp --cli-connect-timeout 5 --only-show-errors - "$STORE/nodes/etcd-$QUORATE_NAME"
}
