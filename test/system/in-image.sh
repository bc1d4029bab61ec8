#!/bin/bash
# in-image.sh ROOT STATE FOLDER COMMAND...: runs a command as a container would: process 1 of its own, as 10001, without new
# privileges, on a root file system that is read-only but for the volume with its state. The environment is passed on.
set -eu
root=$1 state=$2 folder=$3
shift 3
exec unshare --mount --pid --fork --kill-child bash -c '
  set -eu
  root=$1 state=$2 folder=$3; shift 3
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount --bind "$state" "$root/var/lib/trainlogd"
  mount --bind "$folder" "$root/training-output"
  mount -o remount,ro,bind "$root/training-output"
  mount -o remount,ro,bind "$root"
  exec setpriv --no-new-privs chroot --userspec=10001:10001 "$root" "$@"' in-image "$root" "$state" "$folder" "$@"
