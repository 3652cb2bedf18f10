#!/bin/bash
# Runs a script in a root directory of its own, where every command of consequence is world.sh. Run by tests/it/node.rs
# below `unshare --mount`: nothing outside of ROOT can be changed, and the mounts end with this process.
#
#   box.sh ROOT SCRIPT [ARGUMENT…]
set -euo pipefail
root=$1 script=$2
shift 2
mount --make-rprivate /
for folder in /usr /dev /proc; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
for link in bin sbin lib lib64; do
  if [[ -e /$link && ! -e $root/$link ]]; then ln -s "usr/$link" "$root/$link"; fi
done
# shellcheck disable=SC2016 # the shell in the box expands it
exec chroot "$root" /usr/bin/env -i PATH=/world/commands:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
  /bin/bash -c 'echo $$ > /world/pid; exec "$0" "$@"' "$script" "$@"
