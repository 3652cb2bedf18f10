
# --- Keys and certificates: what the bucket gives this machine ---------------------------------------------------

# fetch NAME: an object below pki/, on standard output. What it holds never becomes an argument of a process.
fetch() {
  aws s3 cp --cli-connect-timeout 5 --only-show-errors "$STORE/pki/$1" - ||
    die "cannot read $STORE/pki/$1: if it is missing, \`quorate apply\` creates it; if access is denied, check the machine's role"
}

# pem LABEL: prints the blocks of a type in standard input: `CERTIFICATE`, or `PRIVATE KEY` with or without a prefix.
pem() {
  local text
  text=$(sed -n "/^-----BEGIN \([A-Z]* \)\?$1-----\$/,/^-----END \([A-Z]* \)\?$1-----\$/p")
  [[ -n $text ]] && echo "$text"
}

# pair NAME KEY LABEL PUBLIC: an object with a private key and what belongs to it becomes two files. It is made once and
# for all, so what is on the disk is what is in the bucket.
pair() {
  local both
  if [[ -s $2 && -s $4 ]]; then return; fi
  both=$(fetch "$1")
  if ! pem "PRIVATE KEY" <<< "$both" > /dev/null || ! pem "$3" <<< "$both" > /dev/null; then
    die "$STORE/pki/$1 does not contain a private key and a ${3,,}"
  fi
  pem "PRIVATE KEY" <<< "$both" | write "$2" 0600
  pem "$3" <<< "$both" | write "$4" 0644
}

fetch_authorities() {
  pair cluster-ca.pem "$PKI/ca.key" CERTIFICATE "$PKI/ca.crt"
  pair etcd-ca.pem "$PKI/etcd/ca.key" CERTIFICATE "$PKI/etcd/ca.crt"
  pair front-proxy-ca.pem "$PKI/front-proxy-ca.key" CERTIFICATE "$PKI/front-proxy-ca.crt"
  pair service-account.pem "$PKI/sa.key" "PUBLIC KEY" "$PKI/sa.pub"
  fetch_token_or_keep
}

# The join token, in a variable only: files that hold it are for root alone.
fetch_token() {
  token=$(fetch join-token)
  [[ $token =~ ^[a-z0-9]{6}\.[a-z0-9]{16}$ ]] || die "$STORE/pki/join-token does not contain a join token"
}

# Succeeds if the token is the one that was here before. It may have been replaced in the bucket, so it must not become the
# cluster's again.
token_is_old=

# A master starts again without S3: the token that its configuration holds will do until `node.sh token` gets the new one.
fetch_token_or_keep() {
  local kept
  kept=$(sed -n 's/.*token: "\([a-z0-9]\{6\}\.[a-z0-9]\{16\}\)".*/\1/p' "$OURS/kubeadm.yaml" 2> /dev/null) || true
  if [[ -z $kept ]]; then
    fetch_token
  elif ! token=$(AWS_MAX_ATTEMPTS=2 fetch join-token); then
    say "keeping the join token of the last boot"
    token=$kept token_is_old=yes
  fi
}

# --- kubeadm's configuration -------------------------------------------------------------------------------------

# Only what has been asked of etcd's members overrides these: a member that has data ignores them, and one that has
# none must never begin a cluster of its own by mistake.
cluster_state=existing
initial_cluster=${QUORATE_INITIAL_CLUSTER:-}
token=

# configure FILE [LABELS TAINTS]: fills a configuration of the cluster with what only this machine knows, and on a node with
# the labels and taints of its group.
configure() {
  local text=$QUORATE_KUBEADM version
  version=$(kubeadm version --output short)
  text=${text//@VERSION@/"$version"}
  text=${text//@LABELS@/"${2:-}"}
  text=${text//@TAINTS@/"${3:-[]}"}
  text=${text//@ADDRESS@/"$address"}
  text=${text//@NODE_NAME@/"$node_name"}
  text=${text//@PROVIDER_ID@/"aws:///$zone/$instance"}
  text=${text//@JOIN_TOKEN@/"$token"}
  text=${text//@INITIAL_CLUSTER_STATE@/"$cluster_state"}
  text=${text//@INITIAL_CLUSTER@/"$initial_cluster"}
  write "$1" 0600 <<< "$text"
}
