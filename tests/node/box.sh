#!/bin/bash
# Runs node.sh in a root directory of its own, where every command of consequence is world.sh. Run by tests/it/node.rs
# below `unshare --mount`: nothing outside of ROOT can be changed, and the mounts end with this process.
#
#   box.sh ROOT [ARGUMENT…]
set -euo pipefail
root=$1
shift
mount --make-rprivate /
for folder in /usr /dev /proc; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
for link in bin sbin lib lib64; do
  if [[ -e /$link && ! -e $root/$link ]]; then ln -s "usr/$link" "$root/$link"; fi
done
exec chroot "$root" /usr/bin/env -i PATH=/world/commands:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
  /bin/bash -c 'echo $$ > /world/pid; exec /opt/quorate/node.sh "$@"' node "$@"
