#!/bin/bash
# Quorate: the first script of this machine. It gets node.sh and the machine's settings from the state bucket, checks
# both against the hashes that the launch template gives, and leaves the rest to a service that runs node.sh now, again
# whenever it fails, and at every boot.
set -euo pipefail

bucket=@BUCKET@
folder=@FOLDER@
export AWS_DEFAULT_REGION=@REGION@

say() {
  echo "quorate: user-data: $*"
}

# report WHY: writes what this machine waits for, for `quorate validate`, in the format of node.sh.
report() {
  local token instance
  token=$(curl --fail --silent --retry 5 --max-time 10 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
    http://169.254.169.254/latest/api/token) || return 0
  instance=$(curl --fail --silent --retry 5 --max-time 10 --header "X-aws-ec2-metadata-token: $token" \
    http://169.254.169.254/latest/meta-data/instance-id) || return 0
  printf '{"instance":"%s","role":"%s","name":"%s","step":"%s","state":"failed","at":"%s","kubernetes":"%s"}\n' \
    "$instance" @ROLE@ @NAME@ "user data: $1" "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" @KUBERNETES@ |
    AWS_MAX_ATTEMPTS=2 timeout 30 aws s3 cp --only-show-errors --content-type application/json - \
      "s3://$bucket/$folder/nodes/$instance/status.json" || true
}

# fetch KEY SHA256 FILE: waits until the object exists and has the hash from the launch template. The cause of an error
# is in the bucket, so this continues as soon as it is fixed there. After an hour the machine switches itself off, and
# Auto Scaling starts another one from the template as it is then.
fetch() {
  local key=$1 sha256=$2 file=$3 why reported='' left=240
  while true; do
    if ! aws s3 cp --only-show-errors "s3://$bucket/$key" "$file.new"; then
      # A role that was made a moment ago is not known everywhere yet, and the network may not be ready yet.
      why="cannot get s3://$bucket/$key"
    elif ! echo "$sha256  $file.new" | sha256sum --check --status; then
      why="s3://$bucket/$key does not have the hash that the launch template names, and is not used"
    else
      break
    fi
    rm -f "$file.new"
    say "$why; trying again in 15 s"
    if [[ $why != "$reported" ]]; then report "$why"; fi
    reported=$why
    if ((--left == 0)); then
      say "switching this machine off: another one may start from a newer template"
      systemctl poweroff
      exit 1
    fi
    sleep 15
  done
  mv "$file.new" "$file"
  say "got $file"
}

umask 077
mkdir -p /etc/quorate /opt/quorate
fetch @SCRIPT_KEY@ @SCRIPT_SHA256@ /opt/quorate/node.sh
fetch @SETTINGS_KEY@ @SETTINGS_SHA256@ /etc/quorate/settings
cat > /etc/quorate/machine << 'END'
@MACHINE@
END
chmod 0700 /opt/quorate/node.sh

cat > /etc/systemd/system/quorate-node.service << 'END'
[Unit]
Description=Quorate: make this machine a part of the cluster
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/quorate/node.sh
Restart=on-failure
RestartSec=15
TimeoutStartSec=infinity
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
END
chmod 0644 /etc/systemd/system/quorate-node.service
systemctl daemon-reload
systemctl enable quorate-node.service
systemctl start --no-block quorate-node.service
say "quorate-node.service is started; read on with: journalctl -u quorate-node"
