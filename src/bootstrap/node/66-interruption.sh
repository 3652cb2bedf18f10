
# --- Spot Instances: when EC2 takes the machine back -------------------------------------------------------------

# Time between the notice and the end is two minutes.
readonly INTERRUPTION_SECONDS=100

is_spot() {
  [[ $(metadata instance-life-cycle) == spot ]]
}

# Starts the service that waits for the notice, on a Spot Instance only.
watch_for_interruption() {
  is_spot || return 0
  unit quorate-interruption.service << END
[Unit]
Description=Quorate: move this machine's pods elsewhere when EC2 takes the Spot Instance back
Wants=network-online.target
After=network-online.target kubelet.service

[Service]
ExecStart=/opt/quorate/node.sh interruption
Restart=on-failure
RestartSec=5
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
  systemctl enable --quiet --now quorate-interruption.service
}

# Waits for EC2's notice, and moves the pods before the machine ends. Without a notice the metadata service answers 404.
await_interruption() {
  local notice
  until notice=$(interruption_notice); do
    sleep 5
  done
  say "EC2 takes this Spot Instance back: $notice"
  move_pods "$INTERRUPTION_SECONDS"
}

interruption_notice() {
  local token
  token=$(curl --fail --silent --max-time 5 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
    "$METADATA/api/token") &&
    curl --fail --silent --max-time 5 --header "X-aws-ec2-metadata-token: $token" "$METADATA/meta-data/spot/instance-action"
}
