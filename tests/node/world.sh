#!/bin/bash
# The world as node.sh sees it: stands in for every command that would touch a machine, AWS or Kubernetes, under the
# command's own name. It writes down each call in /world/calls and keeps what the call changed below /world.
#
#   /world/s3/KEY          the bucket               /world/volume     the etcd volume: its state, its holder, since when
#   /world/away            AWS does not answer
#   /world/password        of registries of ECR
#   /world/going           the jobs of systemd: what a shutdown is for
#   /world/published       the version that the cluster's configuration is of
#   /world/servers/HOST    the version of this API server, if it answers
#   /world/volumes         the volumes that the kubelet has not put down yet
#   /world/unknown         the cluster has no Node of this machine
#   /world/nodes           the Nodes of the cluster, /world/patches: their changes, /world/annotations: those of this one
#   /world/pods            the pods of this machine, /world/budget: the names of those that may not be evicted
#   /world/strangers       the API knows no join token yet
#   /world/device          the kernel has the disk  /world/disk       a file system is on it, /world/mounted: mounted
#   /world/members         etcd's members, as its gateway returns them; ours is 99 when it was added
#   /world/standing        the status of our member
#   /world/versions        the version that the bucket gives an object, if it keeps versions
#   /world/stopping        what happens when a container is stopped
#   /world/behind          what our member lacks: each promotion that is asked for in vain takes a line away
#   /world/packages        the version of Kubernetes that is installed, /world/version: the one to be had
#   /world/tokens          join tokens that the cluster knows
#   /world/healthy/HOST    this member is healthy   /world/sick       ours will not be
#   /world/blind           the kernel never sees it /world/unready    our API server will not be ready
#   /world/rules           what the API's security group lets in: ids and descriptions
#   /world/records         names in the private zone
#   /world/faults          a pattern a line: the first call that matches one fails, and the line is gone
#   /world/starting        its service has not come to its end
#   /world/kill            the call of this number kills node.sh, after it took effect
set -euo pipefail
shopt -s extglob
cd /world

name=${0##*/}
line="$name $*"
echo "${line//$'\n'/ }" >> calls

die_at_last() {
  if [[ -f kill && $(wc -l < calls) == "$(cat kill)" ]]; then
    kill -KILL "$(cat pid)"
  fi
}
trap die_at_last EXIT

fail() {
  echo "$name: $*" >&2
  exit 1
}

faulty() {
  local pattern rest=()
  [[ -s faults ]] || return 1
  while IFS= read -r pattern; do
    # shellcheck disable=SC2053 # a pattern, not a text
    if [[ -z ${hit:-} && "$name $*" == $pattern ]]; then hit=1; else rest+=("$pattern"); fi
  done < faults
  [[ -n ${hit:-} ]] || return 1
  # Commands of one pipeline run at once: none of them may find half a file.
  printf '%s\n' "${rest[@]}" > "faults.$$" && mv "faults.$$" faults
}
if faulty "$@"; then fail "a fault that the test asked for"; fi

# value FLAG ARGUMENTS…: what follows a flag.
value() {
  local flag=$1
  shift
  while (($# > 1)); do
    if [[ $1 == "$flag" ]]; then
      echo "$2"
      return
    fi
    shift
  done
}

put() { mkdir -p "${1%/*}" && cat > "$1"; }

s3_copy() {
  local words=("$@") from to
  from=${words[-2]} to=${words[-1]}
  if [[ $from == s3://* ]]; then
    from=s3/${from#s3://*/}
    [[ -f $from ]] || fail "fatal error: An error occurred (404) when calling the HeadObject operation: Not Found"
    if [[ $to == - ]]; then cat "$from"; else cp "$from" "$to"; fi
  elif [[ $from == - ]]; then
    put "s3/${to#s3://*/}"
  else
    put "s3/${to#s3://*/}" < "$from"
  fi
}

# keys PREFIX [FORMAT]: the bucket's keys.
keys() { (cd s3 && find . -type f -path "./$1*" -printf "${2:-%P\n}" | sort); }

aws() {
  local id
  [[ ! -f away ]] || fail "Could not connect to the endpoint URL"
  case "$1 $2" in
    "s3 cp") s3_copy "$@" ;;
    "s3api list-objects-v2")
      if [[ $(value --query "$@") == *LastModified* ]]; then
        keys "$(value --prefix "$@")" '%TY-%Tm-%TdT%TH:%TM:%TS\t%P\n'
      else
        keys "$(value --prefix "$@")" | paste -sd '\t'
      fi
      ;;
    "s3api list-object-versions") keys "$(value --prefix "$@")" '%P\t%TY-%Tm-%TdT%TH:%TM:%TS\tv1\n' ;;
    "s3api put-object")
      put "s3/$(value --key "$@")" < "$(value --body "$@")"
      if [[ -f versions ]]; then cat versions; fi
      ;;
    "ecr get-login-password") [[ ! -f password ]] || cat password ;;
    # What was written last is a version like the others; the one before it is none of the world's business.
    "s3api delete-object") [[ "$(value --version-id "$@")" == before ]] || rm "s3/$(value --key "$@")" ;;
    "ec2 describe-instances") cat instances ;;
    "ec2 describe-volumes") cat volume ;;
    "ec2 attach-volume")
      [[ $(cat volume) == "available"* ]] || fail "IncorrectState: the volume is not 'available'"
      echo "in-use $(value --instance-id "$@") attached" > volume
      touch device
      ;;
    "ec2 detach-volume") echo "available None None" > volume ;;
    "ec2 describe-security-groups") [[ ! -f rules ]] || echo sg-0api ;;
    "ec2 describe-security-group-rules") cat rules ;;
    "ec2 revoke-security-group-ingress")
      id=$(value --security-group-rule-ids "$@")
      grep --quiet "^$id"$'\t' rules || fail "An error occurred (InvalidSecurityGroupRuleId.NotFound)"
      sed --in-place "/^$id\t/d" rules
      ;;
    "route53 change-resource-record-sets") value --change-batch "$@" > records ;;
    *) fail "unknown: $*" ;;
  esac
}

refuse() {
  echo "{\"error\": \"etcdserver: $*\"}"
  fail "The requested URL returned error: 400"
}

gateway() { # HOST PATH [BODY]
  local id learner
  [[ -f healthy/$1 ]] || fail "connect: connection refused"
  case $2 in
    health) echo '{"health":"true"}' ;;
    v3/cluster/member/list) cat members ;;
    v3/cluster/member/remove)
      id=$(jq --raw-output .ID <<< "$3")
      jq --arg id "$id" '.members |= map(select(.ID != $id))' members > members.new && mv members.new members
      ;;
    v3/cluster/member/add)
      if jq --exit-status 'any(.members[]; .isLearner)' members > /dev/null; then refuse "too many learner members in cluster"; fi
      jq --argjson new "$3" '.members += [{ID: "99", peerURLs: $new.peerURLs, isLearner: $new.isLearner}]' members > members.new
      mv members.new members
      ;;
    v3/cluster/member/promote)
      if [[ -s behind ]]; then
        sed -i 1d behind
        refuse "can only promote a learner member which is in sync with leader"
      fi
      jq --argjson asked "$3" '(.members[] | select(.ID == $asked.ID)).isLearner = false' members > members.new
      mv members.new members
      ;;
    v3/maintenance/status)
      if [[ -f standing ]]; then
        cat standing
        return
      fi
      learner=$([[ -f members ]] && jq 'any(.members[]; .ID == "99" and .isLearner)' members) || learner=false
      echo "{\"header\": {\"member_id\": \"99\"}, \"isLearner\": $learner}"
      ;;
    *) fail "unknown: $*" ;;
  esac
}

curl() {
  local url host path authorization
  for url in "$@"; do [[ $url == http*://* ]] && break; done
  host=${url#*://} host=${host%%/*} path=${url#*://*/}
  case $url in
    http://169.254.169.254/latest/api/token) echo a-token ;;
    http://169.254.169.254/latest/meta-data/*) cat "metadata/${path##*/}" ;;
    *:2379/*) gateway "${host%:*}" "$path" "$(value --data "$@")" ;;
    *:6443/version) [[ -s servers/${host%:*} ]] && echo "{\"gitVersion\": \"$(cat "servers/${host%:*}")\"}" ;;
    *:6443/readyz) [[ -f ready ]] && echo -n ok ;;
    *:6443/api/v1/namespaces/kube-system/configmaps/*)
      read -r authorization
      [[ ! -f strangers && $authorization == "Authorization: Bearer $(cat s3/*/pki/join-token)" ]] || exit 22
      ;;
    *repomd.xml.key) cat key > "$(value --output "$@")" ;;
    *) fail "unknown: $*" ;;
  esac
}

kubeadm() {
  local config
  config=$(value --config "$@")
  case "$*" in
    "version --output short") [[ -f packages ]] && cat packages ;;
    "config images list"*) printf 'registry.k8s.io/%s\n' kube-apiserver:v1 pause:3.10 etcd:3.6 ;;
    "init phase certs all"*)
      for file in apiserver.crt etcd/server.crt etcd/healthcheck-client.crt; do echo made | put "/etc/kubernetes/pki/$file"; done
      ;;
    "init phase kubeconfig all"*)
      for file in admin super-admin kubelet; do echo made | put "/etc/kubernetes/$file.conf"; done
      ;;
    "init phase etcd local"*) sed -n 's/.*initial-cluster-state/&/p' "$config" | put /etc/kubernetes/manifests/etcd.yaml ;;
    "init phase control-plane all"*) echo made | put /etc/kubernetes/manifests/kube-apiserver.yaml ;;
    # The kubelet starts etcd: it writes its log, and is healthy.
    "init phase kubelet-start"*)
      [[ -f mounted ]] || fail "etcd would start on the root disk"
      echo log | put /var/lib/etcd/member/wal/0.wal
      [[ -f unready ]] || touch ready
      if [[ ! -f sick ]]; then mkdir -p healthy && touch healthy/127.0.0.1; fi
      ;;
    "init phase bootstrap-token"*)
      sed -n 's/.*token: "\([a-z0-9]*\)[.].*/\1 Quorate: pki\/join-token/p' "$config" >> tokens
      sort --unique --output tokens tokens
      ;;
    "init phase "*) ;;
    "join "*)
      [[ ! -e /etc/kubernetes/pki/ca.crt && ! -e /etc/kubernetes/bootstrap-kubelet.conf ]] || fail "FileAvailable"
      cp "$config" joined
      echo made | put /etc/kubernetes/pki/ca.crt
      echo made | put /etc/kubernetes/kubelet.conf
      ;;
    "certs renew all"*) touch renewed && rm -f ending ;;
    *) fail "unknown: $*" ;;
  esac
}

# The join tokens that are secrets of the cluster: an id and a description a line.
kubectl() {
  local id=${line##*bootstrap-token-} description
  id=${id%% *}
  case "$*" in
    "version --client") echo "Client Version: $(cat packages)" ;;
    *"get secret bootstrap-token-"*) sed -n "s/^$id .*/secret/p" tokens ;;
    *"get endpointslices"*) if [[ -d servers ]]; then ls servers; fi ;;
    *"get node "*)
      [[ ! -f unknown ]] || fail 'Error from server (NotFound): nodes "ip-172-20-32-10.ec2.internal" not found'
      if [[ $* == *volumesInUse* && -f volumes ]]; then cat volumes; fi
      ;;
    *"get nodes "*) cat nodes ;;
    *" annotate node "*) echo "${*: -1}" >> annotations ;;
    *" patch node "*) echo "$(value node "$@") $(value --patch "$@")" >> patches ;;
    *" cordon "*) touch cordoned ;;
    *" uncordon "*) rm cordoned ;;
    *"get pods "*) if [[ -f pods ]]; then cat pods; else echo '{"items": []}'; fi ;;
    *"create --raw "*"/eviction "*)
      id=${line##*/pods/} id=${id%%/*}
      ! grep --quiet --line-regexp "$id" budget 2> /dev/null ||
        fail "Error from server (TooManyRequests): Cannot evict pod as it would violate the pod's disruption budget."
      jq --arg name "$id" '.items |= map(select(.metadata.name != $name))' pods > pods.new && mv pods.new pods
      ;;
    *"get configmap kubeadm-config"*) if [[ -f published ]]; then echo "kubernetesVersion: $(cat published)"; fi ;;
    *"get secrets"*)
      while read -r id description; do
        echo "$(echo -n "$id" | base64) $(echo -n "$description" | base64)"
      done < tokens
      ;;
    *"delete secret bootstrap-token-"*) sed -i "/^$id /d" tokens ;;
    *) fail "unknown: $*" ;;
  esac
}

crictl() {
  local container word
  for word in "${@:2}"; do
    case "$1 $word" in
      exec*) break ;; # what follows is the command's own
      "ps --quiet" | "ps --all" | "ps --name" | "ps --state" | "stop --timeout" | "inspecti --quiet") ;;
      *" -"*) fail "crictl $1 has no flag $word" ;;
    esac
  done
  container=$(value --name "$@")
  case "$*" in
    ps*) if [[ -n $container ]]; then echo "${container//[\^\$]/}"; else printf '%s\n' kube-proxy etcd; fi ;;
    exec*snapshot\ save*) echo snapshot > "${*: -1}" ;;
    pull* | inspecti*) ;;
    stop*) if [[ -f stopping ]]; then bash ./stopping; fi ;;
    *) fail "unknown: $*" ;;
  esac
}

# What the package kubernetes-cni brings.
plugins() {
  mkdir -p /opt/cni/bin && (cd /opt/cni/bin && touch host-local loopback portmap ptp && chmod +x ./*)
}

case $name in
  aws | curl | kubeadm | kubectl | crictl) "$name" "$@" ;;
  kubelet) [[ -f packages ]] && echo "Kubernetes $(cat packages)" ;;
  dnf)
    if [[ "$*" =~ kubelet-([0-9.]+) ]]; then
      if [[ -f version ]]; then cat version; else echo "v${BASH_REMATCH[1]}"; fi > packages
    fi
    if [[ "$*" == *kubernetes-cni* ]]; then plugins; fi
    ;;
  gpg) cat key ;;
  containerd) if [[ -f containerd ]]; then cat containerd; else echo "containerd github.com/containerd/containerd/v2 2.1.4 0fa1c"; fi ;;
  ctr) if [[ $* == *--help ]]; then echo "  --bump-revision uint"; else echo log | put "$(value --data-dir "$@")/member/wal/0.wal"; fi ;;
  blockdev) [[ -f device && ! -f blind && $* == *nvme-Amazon_Elastic_Block_Store_vol0abc ]] ;;
  dd) [[ -f device ]] ;;
  blkid)
    [[ ! -f strange ]] || exit 8
    [[ -f disk ]] || exit 2
    [[ $* == --probe* ]] || echo 0123-uuid
    ;;
  systemctl)
    case "$*" in
      list-jobs*) if [[ -f going ]]; then cat going; fi ;;
      is-active*quorate-node) [[ ! -f starting ]] ;;
    esac
    ;;
  mkfs.ext4) touch disk ;;
  mountpoint) [[ -f mounted ]] ;;
  mount) touch mounted ;;
  umount) rm mounted ;;
  # Time passes: what the test wants to happen meanwhile happens.
  sleep)
    if [[ -f meanwhile ]]; then bash ./meanwhile; fi
    if (($(grep --count '^sleep' calls) > 300)); then kill -KILL "$(cat pid)"; fi
    ;;
  openssl) [[ ! -f ending ]] ;;
  iptables) if [[ $* == *--check* ]]; then [[ -f masquerade ]]; else touch masquerade; fi ;;
  *) ;;
esac

