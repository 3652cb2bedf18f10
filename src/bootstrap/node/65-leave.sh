
# --- Every machine: leaving --------------------------------------------------------------------------------------

# EC2 documents only that a terminated machine has "a few minutes". Together these two units take two and a half.
readonly DRAIN_SECONDS=80

# shutdown_unit NAME SECONDS ORDER DESCRIPTION: creates a unit that does nothing until it is stopped.
shutdown_unit() {
  unit "quorate-$1.service" << END
[Unit]
Description=Quorate: $4
Wants=network-online.target
After=network-online.target containerd.service
$3

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/opt/quorate/node.sh $1
StandardOutput=journal+console
TimeoutStopSec=$2

[Install]
WantedBy=multi-user.target
END
}

# At shutdown systemd goes backwards: drain, while kubelet, containers and network are still there; then the kubelet;
# then leave; then containerd.
start_shutdown_units() {
  shutdown_unit drain $((DRAIN_SECONDS + 20)) After=kubelet.service \
    "move this machine's pods elsewhere before it is switched off"
  shutdown_unit leave 60 $'After=var-lib-etcd.mount\nBefore=kubelet.service' \
    "stop the containers and unmount etcd's volume at shutdown"
  systemctl daemon-reload
  systemctl enable --quiet --now quorate-drain.service quorate-leave.service
  allow_pods
}

# The kubelet makes a slice for each class of pods and for each pod, and asks systemd for no default dependencies. systemd
# adds those before it reads that, and they hold until its next daemon-reload: a shutdown would stop every slice, and every
# pod with it, before `drain` has moved any. What these files say is read first.
write_slices() {
  local slices
  for slices in kubepods kubepods-; do
    unit "$slices.slice.d/10-quorate.conf" << 'END'
[Unit]
DefaultDependencies=no
END
  done
  systemctl daemon-reload
}

# as_node COMMAND…: kubectl with the kubelet's certificate. A node may change its own Node but for taints and most
# labels, list the pods that run on it, and evict those (node authorizer and NodeRestriction).
as_node() {
  kubectl --kubeconfig "$KUBERNETES/kubelet.conf" --request-timeout 10s "$@"
}

# A machine that was switched off and started again accepts pods again, if this script had cordoned it.
allow_pods() {
  if [[ -e $OURS/cordoned ]]; then
    await 24 as_node uncordon "$node_name"
    rm "$OURS/cordoned"
  fi
}

# Succeeds if this shutdown switches the machine off, as EC2 does when it terminates it, and is no reboot.
is_switched_off() {
  [[ $(systemctl list-jobs --no-legend) =~ (poweroff|halt)\.target\ +start ]]
}

# Before the machine is switched off: its pods move elsewhere.
drain() {
  if ! is_switched_off; then
    say "this machine reboots and keeps its pods"
    return
  fi
  move_pods "$DRAIN_SECONDS"
}

# move_pods SECONDS: no new pods, and those that are here move as their disruption budgets allow. Those that do not make it
# in time end with the machine.
move_pods() {
  local left=$(($1 / 4)) silent=3 pods='' volumes=''
  write "$OURS/cordoned" 0600 < /dev/null
  as_node cordon "$node_name" || say "new pods may still be scheduled here"
  while ((left-- > 0 && silent > 0)); do
    if ! pods=$(movable_pods); then
      say "the API does not respond"
      ((silent--)) || true
    elif [[ -z $pods ]] && volumes=$(volumes_in_use) && [[ -z $volumes ]]; then
      say "no pod is left to move"
      return
    elif [[ -z $pods ]]; then
      say "no pod is left to move; waiting for their volumes"
    else
      evict_all <<< "$pods"
    fi
    sleep 3
  done
  say "shutting down with the remaining: ${pods//$'\n'/, }${volumes:+ $volumes}"
}

# Prints namespace, name and, if it is being deleted, the time of each pod that runs here and could run elsewhere: no
# static pod, and none of a DaemonSet.
movable_pods() {
  as_node get pods --all-namespaces --field-selector "spec.nodeName=$node_name" --output json | jq --raw-output '
    .items[] | select(.status.phase != "Succeeded" and .status.phase != "Failed")
    | select(.metadata.annotations["kubernetes.io/config.mirror"] == null)
    | select(any(.metadata.ownerReferences[]?; .kind == "DaemonSet") | not)
    | "\(.metadata.namespace) \(.metadata.name) \(.metadata.deletionTimestamp // "")"'
}

# Prints the volumes that the kubelet has not put down yet. Kubernetes takes none of them away from a machine that has
# gone meanwhile before six minutes are over, and a pod that moved waits for its own as long.
volumes_in_use() {
  as_node get node "$node_name" --output 'jsonpath={.status.volumesInUse}'
}

# Asks for each pod in standard input to go. A disruption budget may say "not now".
evict_all() {
  local namespace name ending answer
  while read -r namespace name ending; do
    if [[ -n $ending ]]; then continue; fi
    if answer=$(as_node create --raw "/api/v1/namespaces/$namespace/pods/$name/eviction" --filename - 2>&1 \
      <<< "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"namespace\":\"$namespace\",\"name\":\"$name\"}}"); then
      say "$namespace/$name is being evicted"
    else
      say "$namespace/$name is not evicted yet: ${answer##*$'\n'}"
    fi
  done
}

# After the kubelet: the containers that are left end in peace. On a master etcd's volume is then free for the next
# machine, which would otherwise wait for it; a master that only reboots keeps it, or it would find it on its way
# out. Nothing depends on any of this.
leave() {
  # An API server that ends takes its address off the list of those that answer, and needs etcd for that.
  stop_containers '^kube-apiserver$' || say "the API server did not stop"
  stop_containers || say "not all containers have stopped"
  if [[ $QUORATE_ROLE != master ]]; then return; fi
  : "${QUORATE_VOLUME:?}"
  if mountpoint --quiet "$ETCD_DATA"; then
    umount "$ETCD_DATA"
  fi
  if ! is_switched_off; then
    say "this machine reboots and keeps its volume"
    return
  fi
  aws ec2 detach-volume --volume-id "$QUORATE_VOLUME" --instance-id "$instance" --output text --query State
}
