
# --- Nodes: joining ----------------------------------------------------------------------------------------------

# What a node knows of the cluster before it joins: the CA's certificate and the API's name. Nothing secret.
write_discovery() {
  local authority
  authority=$(fetch join.pem)
  pem CERTIFICATE <<< "$authority" > /dev/null || die "$STORE/pki/join.pem does not hold a certificate"
  pem CERTIFICATE <<< "$authority" | write "$OURS/ca.crt" 0644
  write "$OURS/discovery.conf" 0644 << END
apiVersion: v1
kind: Config
clusters:
  - name: $QUORATE_CLUSTER
    cluster:
      server: https://api.$QUORATE_DOMAIN:6443
      certificate-authority-data: $(base64 --wrap 0 "$OURS/ca.crt")
contexts:
  - name: discovery
    context:
      cluster: $QUORATE_CLUSTER
      user: discovery
current-context: discovery
users: []
END
}

join_ready() {
  [[ $(curl --silent --max-time 10 --cacert "$OURS/ca.crt" "https://api.$QUORATE_DOMAIN:6443/readyz" 2> /dev/null) == ok ]]
}

# A kubelet that has its certificate has joined. Anything less is undone and done again: kubeadm refuses to join over
# what a run before this one has left.
join() {
  if [[ -s $KUBERNETES/kubelet.conf ]]; then
    say "this machine has joined before"
    systemctl start kubelet
    forget_token
    return
  fi
  await 120 join_ready || die "nobody answers at api.$QUORATE_DOMAIN:6443; see the status of the masters"
  systemctl stop kubelet
  rm -f "$KUBERNETES/bootstrap-kubelet.conf" "$PKI/ca.crt"
  fetch_token
  configure "$OURS/kubeadm.yaml"
  kubeadm join --config "$OURS/kubeadm.yaml"
  forget_token
}

# The token has done its work here, and is no use to whoever takes over this node.
forget_token() {
  rm -f "$OURS/kubeadm.yaml"
}
