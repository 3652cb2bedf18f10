
# --- The order of things -----------------------------------------------------------------------------------------

# ended STATUS: writes the last report of a run.
ended() {
  if (($1 != 0)) && [[ -n $instance ]]; then
    report failed
    say "$current: not finished; the service retries in 15 s" >&2
  fi
}

start() {
  trap 'ended $?' EXIT
  case $QUORATE_ROLE in
    master | node) ;;
    *) die "unknown role: $QUORATE_ROLE" ;;
  esac
  if [[ $QUORATE_ROLE == master ]]; then
    step names once "$OURS/named-$address" write_names
  fi
  step kernel prepare_kernel
  step packages install_packages
  step containers prepare_containers
  step images write_image_credentials
  step "pod network" masquerade
  "be_$QUORATE_ROLE"
  step leaving start_shutdown_units
  timer enroll "*-*-* *:01/5:00" "this machine is a Node of the cluster"
  current=ready
  report ready
  say "ready as $QUORATE_ROLE $QUORATE_NAME of $QUORATE_CLUSTER"
}

# Containers, and what their slices are, before the kubelet makes any.
prepare_containers() {
  write_crictl_config
  write_slices
  configure_containerd
}

be_master() {
  step "etcd volume, attach" attach_volume
  step "etcd volume, mount" mount_volume
  step authorities fetch_authorities
  step certificates make_certificates
  step "etcd membership" choose_membership
  step "control plane" start_control_plane
  step etcd mark_member
  step "API server" await_api "$address"
  step release record_release
  step "cluster configuration" configure_cluster
  step timers start_timers
}

be_node() {
  if [[ ! -s $KUBERNETES/kubelet.conf ]]; then step discovery write_discovery; fi
  step join join
  step registration await 24 note_registration
  if [[ -n ${QUORATE_SPOT:-} ]]; then step interruption watch_for_interruption; fi
}

main() {
  current=${1:-start}
  trap 'say "$current: failed at line $LINENO" >&2' ERR
  # The kubelet waits for this one, and who the machine is does not matter to it.
  if [[ $current == registry ]]; then
    answer_kubelet
    return
  fi
  read_identity
  case $current in
    start) start ;;
    token) sync_token ;;
    backup) backup ;;
    etcd) report_etcd ;;
    restore) restore "${@:2}" ;;
    access) close_access ;;
    renew)
      renew
      # With the current end of the certificates. A machine that is still starting reports by itself.
      if systemctl is-active --quiet quorate-node; then
        current=ready
        report ready
      fi
      ;;
    nodes) register_nodes ;;
    interruption) await_interruption ;;
    enroll) enroll ;;
    drain) drain ;;
    leave) leave ;;
    *) die "unknown command: $1" ;;
  esac
}

# Sourced, it only defines: tests call single steps.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  main "$@"
fi
