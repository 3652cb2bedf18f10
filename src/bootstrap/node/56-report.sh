
# --- Masters: the status of etcd ---------------------------------------------------------------------------------

# Succeeds if our member answers and knows the leader. Its status is then in `status`.
knows_leader() {
  status=$(etcd 127.0.0.1 v3/maintenance/status '{}' 2> /dev/null) || {
    status=
    return 1
  }
  jq --exit-status '(.leader // "0") != "0"' > /dev/null <<< "$status"
}

# Writes the status of etcd for `quorate validate`, as our own member knows it: it asks no other member, so it can also
# report a missing leader. An election takes seconds, and is not reported.
report_etcd() {
  local status='' listed file=$OURS/etcd.json before now
  await 6 knows_leader || say "etcd does not respond on this master, or has no leader"
  listed=$(etcd 127.0.0.1 v3/cluster/member/list '{}' 2> /dev/null) || listed=
  etcd_view "${status:-null}" "${listed:-null}" | write "$file" 0600
  now=$(aws s3api put-object --bucket "$QUORATE_BUCKET" --key "$QUORATE_FOLDER/nodes/$instance/etcd.json" --body "$file" \
    --content-type application/json --cli-connect-timeout 5 --query VersionId --output text)
  # A bucket that keeps versions would keep one for every five minutes. Without versions the id is always the same.
  before=$(cat "$OURS/etcd.version" 2> /dev/null) || before=
  write "$OURS/etcd.version" 0600 <<< "$now"
  if [[ -n $before && $before != "$now" ]]; then
    remove_version "$QUORATE_FOLDER/nodes/$instance/etcd.json" "$before"
  fi
}

# etcd_view STATUS MEMBERS: prints the status of a member and the list of members, as `quorate validate` reads them.
# Members are named after their addresses: a member that has never started has no other name.
etcd_view() {
  jq --null-input --compact-output --arg at "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --arg member "etcd-$QUORATE_NAME" \
    --argjson status "$1" --argjson listed "$2" '
    def name: .peerURLs[0] | capture("//(?<name>[^.]+)[.]").name;
    def called($id): first($listed.members[]? | select(.ID == $id) | name) // $id;
    {
      at: $at,
      member: $member,
      answers: ($status != null),
      leader: (if ($status.leader // "0") == "0" then null else called($status.leader) end),
      members: [$listed.members[]? | {name: name, learner: (.isLearner // false)}],
      alarms: [$status.errors[]? | capture("memberID:(?<id>[0-9]+) +alarm:(?<alarm>[A-Z]+)") | "\(.alarm) of \(called(.id))"],
      bytes: ($status.dbSize // "0" | tonumber),
      quota: ($status.dbSizeQuota // "2147483648" | tonumber)
    }'
}
