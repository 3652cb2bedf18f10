
# --- Labels and taints of nodes ----------------------------------------------------------------------------------

# What a node has from the cluster file, as an annotation: keys of labels, and keys and effects of taints. Others on the
# same Node are not Quorate's.
readonly REGISTERED=quorate.dev/registered

# Prints the labels and taints of all node groups, as the cluster file has them now: a file in the bucket with a hash in its
# name, so the newest one counts. There is none if no group has any; a list that fails is not an empty one.
registrations() {
  local key
  key=$(aws s3api list-objects-v2 --bucket "$QUORATE_BUCKET" --prefix "$QUORATE_FOLDER/bootstrap/" \
    --query 'Contents[].[LastModified, Key]' --output text | sort | sed -n 's|^[^\t]*\t\(.*/node-registrations\)$|\1|p' | tail -n 1) || return
  if [[ -z $key ]]; then
    echo '{}'
  else
    aws s3 cp --only-show-errors "s3://$QUORATE_BUCKET/$key" -
  fi
}

# Gives the nodes that run the labels and taints of the cluster file, and takes away those that it no longer has. A new node
# has them from its start. A Node that changes meanwhile is left for the next run.
register_nodes() {
  local kubectl=(kubectl --kubeconfig "$KUBERNETES/super-admin.conf" --request-timeout 30s) groups nodes name patch
  groups=$(registrations)
  nodes=$("${kubectl[@]}" get nodes --selector quorate.dev/role=node --output json)
  while IFS=$'\t' read -r name patch; do
    say "$name: the labels and taints of the cluster file"
    "${kubectl[@]}" patch node "$name" --type merge --patch "$patch" || say "$name has changed; trying again in the next run"
  done < <(patches_of_nodes "$groups" <<< "$nodes")
}

# patches_of_nodes GROUPS: prints the name of each Node in standard input that differs from its group, and the change.
patches_of_nodes() {
  jq --raw-output --argjson groups "$1" --arg registered "$REGISTERED" '
    def id: "\(.key):\(.effect)";
    .items[] | .metadata as $own | (.spec.taints // []) as $live
    | ($groups[$own.labels["quorate.dev/group"]] // {labels: {}, taints: []}) as $wanted
    | (($own.annotations[$registered] // "{}") | fromjson) as $had
    | ((($had.labels // []) - ($wanted.labels | keys)) | map({(.): null}) | add // {}) as $gone
    | (($had.taints // []) + [$wanted.taints[] | id]) as $ours
    | ([$live[] | select(id as $id | $ours | index($id) | not)]
      + [$wanted.taints[] | . as $taint
         | first($live[] | select(id == ($taint | id) and (.value // "") == ($taint.value // ""))) // $taint]) as $taints
    | ({labels: ($wanted.labels | keys), taints: ([$wanted.taints[] | id] | sort)} | tojson) as $now
    | select(any($wanted.labels | to_entries[]; $own.labels[.key] != .value)
        or any($gone | keys[]; in($own.labels))
        or ($taints | sort) != ($live | sort)
        or ($own.annotations[$registered] // ({labels: [], taints: []} | tojson)) != $now)
    | [$own.name, ({metadata: {resourceVersion: $own.resourceVersion, labels: ($wanted.labels + $gone),
        annotations: {($registered): $now}}, spec: {taints: $taints}} | tojson)] | join("\t")'
}
