#!/bin/bash
# Quorate: the first script of this machine. It gets node.sh and the machine's settings from the state bucket, checks
# both against the hashes that the launch template gives, and leaves the rest to a service that runs node.sh now, again
# whenever it fails, and at every boot.
set -euo pipefail

bucket=@BUCKET@
export AWS_DEFAULT_REGION=@REGION@

say() {
  echo "quorate: user-data: $*"
}

# fetch KEY SHA256 FILE
fetch() {
  local key=$1 sha256=$2 file=$3
  # A role that was made a moment ago is not known everywhere yet, and the network may come up late.
  until aws s3 cp --only-show-errors "s3://$bucket/$key" "$file.new"; do
    say "cannot get s3://$bucket/$key yet; trying again in 5 s"
    sleep 5
  done
  if ! echo "$sha256  $file.new" | sha256sum --check --status; then
    say "s3://$bucket/$key does not have the hash $sha256: not used, and this machine stays out of the cluster"
    rm -f "$file.new"
    exit 1
  fi
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
