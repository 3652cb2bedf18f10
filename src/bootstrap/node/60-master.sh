
# --- Masters: the control plane ----------------------------------------------------------------------------------

# phase PHASE…: one of kubeadm's phases with our configuration. Each one is safe to repeat.
phase() {
  kubeadm init phase "$@" --config "$OURS/kubeadm.yaml"
}

# The leaf certificates and the kubeconfigs of this machine; those that are there and fit are kept.
make_certificates() {
  configure "$OURS/kubeadm.yaml"
  phase certs all
  phase kubeconfig all
}

# Both pods that answer for names are never on one machine. kubeadm only prefers that, and when it makes them, one master
# takes pods: its loss would be the loss of all names. The second pod waits for a second machine.
write_patches() {
  write "$OURS/patches/corednsdeployment+strategic.yaml" 0644 << 'END'
spec:
  template:
    spec:
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution: null
          requiredDuringSchedulingIgnoredDuringExecution:
            - labelSelector:
                matchLabels:
                  k8s-app: kube-dns
              topologyKey: kubernetes.io/hostname
END
}

# The release of the last API server that served from this volume.
readonly SERVED=$ETCD_DATA/kubernetes-release

# Static pods first, then the kubelet that runs them. A newer minor version may store objects that the one before cannot
# read, so etcd is saved before this master's API server of it starts. The masters are replaced one at a time: the first
# snapshot is from before any of them.
start_control_plane() {
  write_patches
  phase etcd local
  if serves_other_version; then
    say "saving etcd before the API server of Kubernetes $QUORATE_RELEASE starts"
    phase kubelet-start
    await_member
    save_snapshot
  fi
  phase control-plane all
  phase kubelet-start
}

# Returns 0 if the volume has data of another minor version, or of a release that did not write its name.
serves_other_version() {
  local served
  [[ -e $ETCD_DATA/marked ]] || return 1
  served=$(cat "$SERVED" 2> /dev/null) || return 0
  [[ ${served%.*} != "$QUORATE_KUBERNETES" ]]
}

# Writes the release of the API server that serves from this volume.
record_release() {
  write "$SERVED" 0644 <<< "$QUORATE_RELEASE"
}

# This machine's own API server, not just any: it answers `ok` when its etcd member does too.
api_ready() {
  [[ $(curl --silent --max-time 10 --cacert "$PKI/ca.crt" "https://$1:6443/readyz" 2> /dev/null) == ok ]]
}

await_api() {
  await 120 api_ready "$1" || die "the API server at $1 is not ready; on a master see: crictl ps --all, crictl logs"
}

# Prints the version of Kubernetes that the cluster's configuration is of, once a master has written one.
published_version() {
  kubectl --kubeconfig "$KUBERNETES/super-admin.conf" --request-timeout 30s --namespace kube-system get configmap kubeadm-config \
    --ignore-not-found --output 'jsonpath={.data.ClusterConfiguration}' | sed -n 's/^kubernetesVersion: *//p' | tr -d '"'
}

# Prints the version of each API server of the cluster that answers. The address of one that is gone stays known for a
# while.
serving_versions() {
  local addresses host
  addresses=$(kubectl --kubeconfig "$KUBERNETES/super-admin.conf" --request-timeout 30s --namespace default \
    get endpointslices.discovery.k8s.io kubernetes --ignore-not-found --output 'jsonpath={.endpoints[*].addresses[*]}') || return
  for host in $addresses; do
    curl --silent --max-time 10 --cacert "$PKI/ca.crt" "https://$host:6443/version" | jq --raw-output '.gitVersion // empty' || true
  done
}

# The objects of the whole cluster: every master writes the same, so none of them has to be the first. Two versions side
# by side say the older one's, until the last API server is of the newer one: nothing may be newer than an API server
# that it asks, and kube-proxy asks any of them. admin.conf is refused until its cluster role binding is there, so these
# use super-admin.conf; mark-control-plane has no option to, takes admin.conf, and makes that binding first if it is
# missing (kubeadm, initData.Client).
configure_cluster() {
  local super=(--kubeconfig "$KUBERNETES/super-admin.conf") published version serving newest oldest
  published=$(published_version)
  version=$(kubeadm version --output short)
  newest=$(printf '%s\n' "$published" "$version" | sort --version-sort | tail -n 1)
  serving=$(serving_versions)
  oldest=$(printf '%s\n' "$version" "$serving" | sed '/^$/d' | sort --version-sort | head -n 1)
  if [[ $newest != "$version" ]]; then
    say "the cluster's configuration and add-ons are of $published, and this master is of $version: they stay as they are"
  elif [[ ${oldest%.*} != "${version%.*}" ]]; then
    say "an API server is of $oldest still: the cluster's configuration and add-ons wait for the last master of $version"
  else
    # All masters write these at once: the second write may be refused because the object has changed.
    await 6 phase upload-config all "${super[@]}"
    await 6 phase addon all "${super[@]}"
  fi
  await 6 phase mark-control-plane
  if [[ -z $token_is_old ]]; then
    await 6 phase bootstrap-token --skip-token-print "${super[@]}"
  fi
  # The kubelet's own client certificate: from here on the kubelet renews it by itself.
  phase kubelet-finalize all
}

# --- Masters: timers -----------------------------------------------------------------------------------------------

# Each master has its own hour for snapshots and its own day for certificates, so that they are never at it together.
start_timers() {
  local before=${QUORATE_MASTERS%%"$QUORATE_NAME"*} masters place days=(Mon Tue Wed Thu Fri Sat Sun)
  read -ra masters <<< "$before"
  place=${#masters[@]}
  read -ra masters <<< "$QUORATE_MASTERS"
  timer token "*-*-* *:00/5:00" "create the join token of the bucket in the cluster"
  timer backup "*-*-* $place/${#masters[@]}:17:00 UTC" "write a snapshot of etcd into the bucket"
  timer renew "${days[place % 7]} *-*-* 03:30:00 UTC" "renew certificates that expire soon"
  timer access "*-*-* *:02/5:00" "remove expired rules of temporary access to the API"
  timer etcd "*-*-* *:04/5:00" "write the status of etcd into the bucket"
  timer nodes "*-*-* *:$place/${#masters[@]}:30" "give nodes the labels and taints of the cluster file"
  systemctl start --no-block quorate-etcd
}

# A token that was replaced in the bucket is created in the cluster, and the old one is deleted. Tokens that an
# administrator made with kubeadm are kept: they have another description.
readonly TOKEN_DESCRIPTION="Quorate: pki/join-token"

sync_token() {
  local kubectl=(kubectl --kubeconfig "$KUBERNETES/super-admin.conf" --request-timeout 30s --namespace kube-system) id description
  fetch_token
  if [[ -z $("${kubectl[@]}" get secret "bootstrap-token-${token%%.*}" --ignore-not-found --output name) ]]; then
    say "the join token has changed"
    configure "$OURS/token.yaml"
    kubeadm init phase bootstrap-token --skip-token-print --config "$OURS/token.yaml" \
      --kubeconfig "$KUBERNETES/super-admin.conf"
    rm -f "$OURS/token.yaml"
  fi
  while read -r id description; do
    if [[ $(base64 --decode <<< "$description") == "$TOKEN_DESCRIPTION" &&
      $(base64 --decode <<< "$id") != "${token%%.*}" ]]; then
      "${kubectl[@]}" delete secret "bootstrap-token-$(base64 --decode <<< "$id")" --ignore-not-found
    fi
  done < <("${kubectl[@]}" get secrets --field-selector type=bootstrap.kubernetes.io/token \
    --output 'jsonpath={range .items[*]}{.data.token-id}{" "}{.data.description}{"\n"}{end}')
}

readonly RENEW_SECONDS=$((90 * 24 * 3600))

# Succeeds if a leaf certificate expires soon. kubeconfigs hold certificates too, made and renewed together with these.
certificates_end() {
  local file
  for file in "$PKI"/*.crt "$PKI"/etcd/*.crt; do
    if [[ $file != *ca.crt ]] && ! openssl x509 -noout -checkend "$RENEW_SECONDS" -in "$file" > /dev/null; then
      return 0
    fi
  done
  return 1
}

# There from before certificates are made anew until everything that reads them only once has been started again: new
# files alone do not show which process still uses the old ones.
readonly RENEWING=$OURS/renewing

# Makes all leaf certificates anew and restarts what reads them only once, one after another. There is a week between
# two tries and three months to the end: a day when another master is down is no day for it.
renew() {
  local master component
  if [[ -e $RENEWING ]]; then
    say "an earlier renewal was not finished"
  elif ! certificates_end; then
    say "no certificate expires within 90 days"
    return
  fi
  for master in $QUORATE_MASTERS; do
    etcd_healthy "etcd-$master.$QUORATE_DOMAIN" || die "etcd-$master is not healthy; the renewal is repeated in a week"
  done
  write "$RENEWING" 0600 < /dev/null
  kubeadm certs renew all --config "$OURS/kubeadm.yaml"
  for component in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    restart_component "$component"
  done
  rm "$RENEWING"
}

# The kubelet starts a container of a static pod again as soon as it is gone.
restart_component() {
  local container
  for container in $(crictl ps --quiet --name "^$1\$" --state Running); do
    say "restarting $1"
    crictl stop --timeout 30 "$container" > /dev/null
  done
  await 60 runs_again "$1" || die "$1 did not restart after its certificates were renewed"
}

runs_again() {
  [[ -n $(crictl ps --quiet --name "^$1\$" --state Running) ]] && etcd_healthy 127.0.0.1 && api_ready "$address"
}
