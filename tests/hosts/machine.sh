#!/bin/bash
# The first process of a machine: waits for its network, lays out its disk, and becomes systemd.
#
# Run by machine.py in namespaces of its own, with LAYERS, DISK, HOSTNAME_, CONSOLE, RESOLVER and AWS in the environment.
set -euo pipefail

read -r _ # a line says that the interface is there

root=$DISK/root
mount --types overlay overlay --options "lowerdir=$LAYERS,upperdir=$DISK/upper,workdir=$DISK/work" "$root"
hostname "$HOSTNAME_"
echo "$HOSTNAME_" > "$root/etc/hostname"
echo '127.0.0.1 localhost' > "$root/etc/hosts"
rm -f "$root/etc/resolv.conf"
echo "nameserver $RESOLVER" > "$root/etc/resolv.conf"
[[ -s $root/etc/machine-id ]] || : > "$root/etc/machine-id"

# The only thing that a machine on EC2 has not: where AWS is.
mkdir -p "$root/etc/systemd/system.conf.d"
printf '[Manager]\nDefaultEnvironment=AWS_ENDPOINT_URL=%s\n' "$AWS" > "$root/etc/systemd/system.conf.d/endpoint.conf"

# An overlay on an overlay does not work: these get a plain disk.
for place in var/lib/containerd var/lib/kubelet; do
  mkdir -p "$root/$place" "$DISK/plain/$place"
  mount --bind "$DISK/plain/$place" "$root/$place"
done
mount --make-rshared "$root/var/lib/kubelet"

mount --types proc proc "$root/proc"
mount --types sysfs sysfs "$root/sys"
if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
  mount --types cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount --types tmpfs tmpfs "$root/sys/fs/cgroup"
  for hierarchy in /sys/fs/cgroup/*/cgroup.procs; do
    name=$(basename "$(dirname "$hierarchy")")
    mkdir "$root/sys/fs/cgroup/$name"
    case $name in
      unified) mount --types cgroup2 cgroup2 "$root/sys/fs/cgroup/$name" ;;
      systemd) mount --types cgroup --options none,name=systemd cgroup "$root/sys/fs/cgroup/$name" ;;
      *) mount --types cgroup --options "$name" cgroup "$root/sys/fs/cgroup/$name" ;;
    esac
  done
fi

mount --types tmpfs tmpfs "$root/run"
mount --types tmpfs tmpfs "$root/tmp"
mount --types tmpfs --options mode=755 tmpfs "$root/dev"
mkdir -p "$root"/dev/{pts,shm,mqueue,disk/by-id}
for node in null zero full random urandom tty kmsg; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
touch "$root/dev/console"
mount --bind "$CONSOLE" "$root/dev/console"
mount --types devpts --options newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount --types tmpfs tmpfs "$root/dev/shm"
mount --types mqueue mqueue "$root/dev/mqueue"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

cd "$root"
mkdir -p .old
pivot_root . .old
umount --lazy /.old
rmdir /.old
mount --make-rshared /
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=quorate-hosts TERM=dumb \
  /lib/systemd/systemd --show-status=0
