
# --- Every machine: kernel, packages, containers -----------------------------------------------------------------

# Bridged pod traffic has to pass the node's rules, and a node forwards for its pods.
prepare_kernel() {
  printf '%s\n' overlay br_netfilter | write /etc/modules-load.d/quorate.conf 0644
  modprobe --all overlay br_netfilter
  write /etc/sysctl.d/90-quorate.conf 0644 << 'END'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
END
  sysctl --quiet --load /etc/sysctl.d/90-quorate.conf
  # udev would give a pod's interface another hardware address after the pod has learned the first one.
  write /etc/systemd/network/50-quorate-veth.link 0644 << 'END'
[Match]
Driver=veth

[Link]
MACAddressPolicy=none
END
}

# The signer of the packages of the Kubernetes project: "isv:kubernetes OBS Project". One key signs those of all versions,
# and its end is moved from time to time; but the repository of a version that has ended keeps the key as it was
# (kubernetes/release#3818). So it comes from the repository of the newest version that this script knows.
readonly PACKAGE_KEY=DE15B14486CD377B9E876E1A234654DA9A296436
readonly PACKAGE_KEY_FROM=1.37
# Packages whose version is the release.
readonly RELEASE_PACKAGES=(kubelet kubeadm kubectl)
# Where the package kubernetes-cni puts the programs that containerd calls for a pod's network.
readonly PLUGINS=/opt/cni/bin

# repository VERSION: where the packages of a minor version are.
repository() {
  echo "https://pkgs.k8s.io/core:/stable:/v$1/rpm"
}

# Installs what the image lacks: the packages of the cluster's release of Kubernetes, and those of Amazon Linux. An image
# that has everything downloads nothing. The release is recorded, so machines that boot months apart run the same one. The
# kubelet is not enabled: at boot it may start only after etcd's volume is mounted.
install_packages() {
  local missing=() command
  for command in containerd jq openssl iptables; do
    command -v "$command" > /dev/null || missing+=("${command/#iptables/iptables-nft}")
  done
  if ((${#missing[@]} > 0)); then
    dnf --assumeyes --quiet install "${missing[@]}"
  fi
  if has_kubernetes && has_plugins; then
    say "$(kubelet --version) is already installed"
    return
  fi
  trust_packages "$(repository "$PACKAGE_KEY_FROM")"
  write /etc/yum.repos.d/kubernetes.repo 0644 << END
[kubernetes]
name=Kubernetes $QUORATE_KUBERNETES
baseurl=$(repository "$QUORATE_KUBERNETES")/
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=file://$OURS/kubernetes.gpg
exclude=kubelet kubeadm kubectl cri-tools kubernetes-cni
END
  # `install` also replaces another release that the image has, by a newer one or by an older one.
  dnf --assumeyes --quiet --disableexcludes=kubernetes --setopt=best=True install "${RELEASE_PACKAGES[@]/%/-$QUORATE_RELEASE}" \
    cri-tools kubernetes-cni
  has_kubernetes || die "the packages are installed, but not all of them are Kubernetes $QUORATE_RELEASE"
  has_plugins || die "the packages are installed, but $PLUGINS lacks plugins of the pod network"
}

# Succeeds if kubelet, kubeadm and kubectl are installed, in the cluster's release.
has_kubernetes() {
  command -v crictl > /dev/null &&
    [[ $(kubelet --version 2> /dev/null) == "Kubernetes v$QUORATE_RELEASE" ]] &&
    [[ $(kubeadm version --output short 2> /dev/null) == "v$QUORATE_RELEASE" ]] &&
    [[ $(kubectl version --client 2> /dev/null | sed -n 1p) == *"v$QUORATE_RELEASE" ]]
}

# Succeeds if the programs that containerd calls for a pod's network exist. Without them the machine would be ready all the
# same, and no pod would start. Another network than ours brings its own.
has_plugins() {
  local plugin
  [[ $QUORATE_PLUGIN == routes ]] || return 0
  for plugin in host-local loopback portmap ptp; do
    [[ -x $PLUGINS/$plugin ]] || return 1
  done
}

# trust_packages REPOSITORY: takes the key that the repository offers, if it is the one key that we know and nothing
# else: dnf would trust every key in the file. One that has ended dnf would refuse, and not say why.
trust_packages() {
  local offered=$OURS/kubernetes.gpg.offered kind ends text keys=0 found='' end='' refused=''
  curl --fail --silent --show-error --location --retry 5 --max-time 60 --output "$offered" "$1/repodata/repomd.xml.key"
  # The first fingerprint is the key's, those after it are of its parts. A key without an end has an empty one.
  while IFS=: read -r kind _ _ _ _ _ ends _ _ text _; do
    case $kind in
      pub) ((keys += 1)) && end=$ends ;;
      fpr) found=${found:-$text} ;;
    esac
  done < <(gpg --show-keys --with-colons "$offered")
  if ((keys > 1)); then
    refused="$1 offers $keys keys, not only $PACKAGE_KEY: nothing is installed"
  elif [[ $found != "$PACKAGE_KEY" ]]; then
    refused="the key of $1 is ${found:-none}, not $PACKAGE_KEY: nothing is installed"
  elif [[ -n $end ]] && ((end <= $(date +%s))); then
    refused="the key of $1 ended on $(date --utc --date "@$end" +%F): nothing is installed. The Kubernetes project moves \
its end in the repositories of newer versions; a newer release of Quorate uses those"
  fi
  if [[ -n $refused ]]; then
    rm -f "$offered"
    die "$refused"
  fi
  mv "$offered" "$OURS/kubernetes.gpg"
}

# The oldest containerd that the kubelet takes from 1.36 on, and the first one that knows this form of configuration.
readonly CONTAINERD_FLOOR=2.0

# containerd as the kubelet needs it: the same cgroup driver, the sandbox image that kubeadm goes with, and a CNI
# configuration that containerd writes by itself once it gets the node's pod range.
configure_containerd() {
  local config=/etc/containerd/config.toml template=/etc/containerd/cni.conflist.template sandbox before version programs
  version=$(containerd_version)
  [[ $(printf '%s\n' "$CONTAINERD_FLOOR" "$version" | sort --version-sort | head -n 1) == "$CONTAINERD_FLOOR" ]] ||
    die "containerd is ${version:-of an unknown version}; Kubernetes $QUORATE_KUBERNETES needs $CONTAINERD_FLOOR or later. Use a newer image"
  # 2.1 has a list, and later versions have nothing else.
  programs="bin_dirs = [\"$PLUGINS\"]"
  if [[ $version == 2.0 ]]; then programs="bin_dir = \"$PLUGINS\""; fi
  sandbox=$(kubeadm config images list --kubernetes-version "$(kubeadm version --output short)" | grep /pause:)
  before=$(sum "$config" "$template" "$NETWORK")
  {
    cat << END
version = 3

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "$sandbox"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = true
END
    if [[ $QUORATE_PLUGIN == routes ]]; then
      cat << END

[plugins."io.containerd.cri.v1.runtime".cni]
$programs
conf_dir = "/etc/cni/net.d"
conf_template = "$template"
END
    fi
  } | write "$config" 0644
  if [[ $QUORATE_PLUGIN == routes ]]; then
    write_network_template "$template"
    forget_range
  fi
  if [[ $(sum "$config" "$template" "$NETWORK") != "$before" ]]; then
    systemctl try-restart containerd
  fi
  systemctl enable --quiet --now containerd
}

# The socket for crictl: without this it tries several sockets, and warns about each.
write_crictl_config() {
  write /etc/crictl.yaml 0644 << END
runtime-endpoint: $CONTAINER_RUNTIME_ENDPOINT
image-endpoint: $CONTAINER_RUNTIME_ENDPOINT
END
}

# containerd makes the network's configuration from the first pod range that it gets, and keeps it, also over a boot. A
# machine whose Node was made anew may have another range: its pods would have addresses that lead elsewhere. A kubelet
# that starts sends the range again. Once a boot, or when the Node is missing.
readonly NETWORK=/etc/cni/net.d/10-containerd-net.conflist RANGE_IS_NEW=/run/quorate/range-is-new

forget_range() {
  if [[ -e $RANGE_IS_NEW ]]; then return; fi
  rm -f "$NETWORK"
  write "$RANGE_IS_NEW" 0600 < /dev/null
}

# Prints the version of containerd, such as 2.1.
containerd_version() {
  containerd --version | sed -n 's/.* v\?\([0-9]\+\.[0-9]\+\)\.[0-9].*/\1/p'
}

# sum FILE…: prints a checksum of the state of the files; a missing one is a state too.
sum() {
  sha256sum "$@" 2> /dev/null || true
}

# A pod has a cable to its node and an address of the node's range; the VPC routes the rest. No daemon.
write_network_template() {
  write "$1" 0644 << 'END'
{
  "cniVersion": "1.0.0",
  "name": "quorate",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
END
}

# The pods' addresses are unknown outside the cluster, and an internet gateway forwards only for instances: what
# leaves for anywhere but a pod goes under the node's own address.
masquerade() {
  local rule=(POSTROUTING --source "$QUORATE_PODS" ! --destination "$QUORATE_PODS" --jump MASQUERADE)
  if [[ $QUORATE_PLUGIN == routes ]] && ! iptables --wait --table nat --check "${rule[@]}" 2> /dev/null; then
    iptables --wait --table nat --append "${rule[@]}"
  fi
}
