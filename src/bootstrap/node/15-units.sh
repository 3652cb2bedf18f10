
# --- What systemd does by itself ---------------------------------------------------------------------------------

# unit NAME: a unit of systemd from standard input.
unit() {
  write "/etc/systemd/system/$1" 0644
}

# timer COMMAND WHEN DESCRIPTION: a command of this script, again and again. `start_timer COMMAND…` starts them.
timer() {
  unit "quorate-$1.service" << END
[Unit]
Description=Quorate: $3
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/opt/quorate/node.sh $1
TimeoutStartSec=30min
END
  unit "quorate-$1.timer" << END
[Unit]
Description=Quorate: $3

[Timer]
OnCalendar=$2

[Install]
WantedBy=timers.target
END
  systemctl daemon-reload
  systemctl enable --quiet --now "quorate-$1.timer"
}
