
# --- Nodes: joining ----------------------------------------------------------------------------------------------

# Writes what a node knows of the cluster before it joins: the CA's certificate and the API's name. Nothing secret.
write_discovery() {
  local authority
  authority=$(fetch join.pem)
  pem CERTIFICATE <<< "$authority" > /dev/null || die "$STORE/pki/join.pem does not contain a certificate"
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
# Without credentials, so that the token counts; left out, kubeadm would refuse the file before it asks anybody.
users:
  - name: discovery
    user: {}
END
}

api_answers() {
  [[ $(curl --silent --max-time 10 --cacert "$OURS/ca.crt" "https://api.$QUORATE_DOMAIN:6443/readyz" 2> /dev/null) == ok ]]
}

# Succeeds if the API allows to read what a node starts from. It answers before the first master has created the join
# token; and a token that was replaced meanwhile is read again.
admitted() {
  local name
  for name in kubeadm-config kubelet-config; do
    if ! curl --silent --fail --max-time 10 --cacert "$OURS/ca.crt" --header @- --output /dev/null \
      "https://api.$QUORATE_DOMAIN:6443/api/v1/namespaces/kube-system/configmaps/$name" <<< "Authorization: Bearer $token"; then
      token=$(fetch join-token)
      return 1
    fi
  done
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
  await 120 api_answers || die "no API server responds at api.$QUORATE_DOMAIN:6443; see the status of the masters"
  fetch_token
  await 60 admitted || die "the API does not accept the join token of $STORE/pki/join-token; see the status of the masters, \
and on them: journalctl -u quorate-token"
  systemctl stop kubelet
  rm -f "$KUBERNETES/bootstrap-kubelet.conf" "$PKI/ca.crt"
  read_registration
  write_kubelet_patch
  configure "$OURS/kubeadm.yaml" "$(own_labels)" "$(jq --compact-output .taints "$REGISTRATION")"
  kubeadm join --config "$OURS/kubeadm.yaml"
  forget_token
}

# The token is not needed here any more, and an attacker on this node must not have it.
forget_token() {
  rm -f "$OURS/kubeadm.yaml"
}
