#!/bin/bash
# emulated.sh ROOT COMMAND...: runs a command of arm64, and the commands of arm64 that it starts, here. Who interprets them is
# registered in a user namespace of its own (Linux 6.7 and newer), so that it goes with the command and no one else sees it.
# ROOT has the libraries of that machine; other files are this one's.
set -eu
export QEMU_LD_PREFIX=$1
shift
exec unshare --user --map-root-user --mount bash -c '
  set -eu
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  cat /usr/lib/binfmt.d/qemu-aarch64.conf > /proc/sys/fs/binfmt_misc/register
  exec "$@"' emulated "$@"
