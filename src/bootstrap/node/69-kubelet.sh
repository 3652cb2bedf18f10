
# --- Nodes: how many pods, and how much is left for the machine itself -------------------------------------------

# A kubelet's default, and what its own memory grows with.
readonly DEFAULT_PODS=110

# Thousandths of a CPU for the kubelet, containerd and the system: most of it from the first CPU.
reserved_millicpus() {
  local cpus=$1 hundredths=600
  if ((cpus > 1)); then hundredths=$((hundredths + 100)); fi
  if ((cpus > 2)); then hundredths=$((hundredths + 50 * ((cpus < 4 ? cpus : 4) - 2))); fi
  if ((cpus > 4)); then hundredths=$((hundredths + 25 * (cpus - 4))); fi
  echo $(((hundredths + 9) / 10))
}

# reserved_mib PODS MEMORY: MiB of memory likewise; a small machine keeps three quarters for pods.
reserved_mib() {
  local wanted=$((255 + 11 * $1)) most=$(($2 / 4))
  echo $((wanted < most ? wanted : most))
}

# Writes what kubeadm merges into the kubelet's configuration of the cluster. Without a reservation, pods that use all memory
# take the kubelet down with them.
write_kubelet_patch() {
  local pods=${QUORATE_MAX_PODS:-$DEFAULT_PODS} memory
  memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024))
  write "$OURS/patches/kubeletconfiguration+merge.yaml" 0644 << END
maxPods: $pods
kubeReserved:
  cpu: "${QUORATE_RESERVED_CPU:-$(reserved_millicpus "$(nproc)")m}"
  memory: "${QUORATE_RESERVED_MEMORY:-$(reserved_mib "$pods" "$memory")Mi}"
evictionHard:
  memory.available: "${QUORATE_EVICTION_MEMORY:-100Mi}"
  nodefs.available: "${QUORATE_EVICTION_DISK:-10%}"
  nodefs.inodesFree: "5%"
  imagefs.available: "${QUORATE_EVICTION_DISK:-10%}"
  imagefs.inodesFree: "5%"
END
}

# Reads the labels and taints of the node's group, once: the Node that this kubelet creates has them from its start. Later
# changes are made by masters.
readonly REGISTRATION=$OURS/registration.json

read_registration() {
  registrations | jq --compact-output --arg group "${QUORATE_NAME#nodes-}" '.[$group] // {labels: {}, taints: []}' |
    write "$REGISTRATION" 0644
}

# Prints the labels for the kubelet, each after a comma. It refuses to start with one of Kubernetes' own domains, which masters
# set instead.
own_labels() {
  if [[ -n ${QUORATE_SPOT:-} ]]; then
    printf ',quorate.dev/capacity-type=%s' "$(metadata instance-life-cycle)"
  fi
  jq --raw-output --join-output '.labels | to_entries[]
    | select((.key | split("/") | if length > 1 then .[0] else "" end | test("(^|\\.)(kubernetes|k8s)\\.io$")) | not)
    | ",\(.key)=\(.value)"' "$REGISTRATION"
}

# Notes at the Node which labels and taints are Quorate's, so that masters can take them away. A Node that was made anew has
# those of this machine's first start.
note_registration() {
  local noted
  if noted=$(as_node get node "$node_name" --output json | jq --raw-output --arg registered "$REGISTERED" \
    '.metadata.annotations[$registered] // ""') && [[ -n $noted ]]; then
    return
  fi
  as_node annotate node "$node_name" --overwrite "$REGISTERED=$(jq --compact-output \
    '{labels: (.labels | keys), taints: ([.taints[] | "\(.key):\(.effect)"] | sort)}' "$REGISTRATION")"
}
