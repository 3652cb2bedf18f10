
# --- Every machine: being a Node ---------------------------------------------------------------------------------

# A kubelet creates its Node once, when it starts. If the Node is missing (it was deleted, or etcd was restored from a
# snapshot of before this machine), the machine would run on as none of the cluster's, and no other machine would get a
# route: the cloud controller stops at a route whose machine has no Node (cloud-provider-aws#627).
enroll() {
  local answer
  if answer=$(as_node get node "$node_name" --output name 2>&1) || [[ $answer != *"(NotFound)"* ]]; then return; fi
  if ! systemctl is-active --quiet quorate-node; then return; fi
  say "the cluster has no Node of this machine: restarting the kubelet, which creates one"
  systemctl stop kubelet
  rm -f "$RANGE_IS_NEW"
  systemctl restart --no-block quorate-node
}
