#!/bin/bash
# What every scenario has at hand, inside the booted machine.
exec > "${results:-/results.txt}" 2>&1
unit=trainlogd.service
section() { printf '\n### %s\n' "$1"; }
show() { systemctl show "$unit" --value -p "$1"; }
main_pid() { show MainPID; }
log() { journalctl -u "$unit" -o cat --no-pager; }
# until_true SECONDS COMMAND...: tries it again and again; says when time was up.
until_true() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)); then echo "not within its time: $*"; return 1; fi
    sleep 0.2
  done
}
status_says() { show StatusText | grep -qE "$1"; }
is_active() { [[ $(show ActiveState) == active ]]; }
# The end of a reload may be told before the beginning has been seen.
has_reloaded() { log | grep -q config.reloaded && is_active && sleep 2 && is_active; }
runs_as_other() { local pid; pid=$(main_pid); [[ $pid != 0 && $pid != "$1" ]] && is_active; }
# train USER ID [STATUS]: a session of a user whose files nobody else may read.
train() {
  su "$1" -c "umask 077; mkdir -p ~/outputs/$2 && cd ~/outputs/$2 && echo '{\"id\":\"$2\",\"startedAt\":\"2026-11-01T00:00:00Z\"}' > session.json && echo \"step 1 of $2\" > stdout.log && touch _SUCCESS"
}
arrived() { log | grep -q "\"event\":\"session.shipped\".*\"session\":\"$1\""; }
# block_thread ID: stops this one thread until its process ends, and lets all others run: a first thread that comes back from
# nothing is an event loop that is blocked. ptrace(2) by perl, which every Debian has: PTRACE_SEIZE, PTRACE_INTERRUPT; the
# tracer stays, since with it goes the stop, and waits (__WALL), since only then is the process that ended seen by systemd.
block_thread() {
  local ptrace=101; [[ $(uname -m) == aarch64 ]] && ptrace=117
  perl -e 'my ($ptrace, $id) = map { $_ + 0 } @ARGV;
    for (0x4206, 0x4207) { syscall($ptrace, $_, $id, 0, 0) == 0 or die "ptrace of $id: $!\n" }
    1 while waitpid($id, 0x40000000) > 0' $ptrace "$1" &
}
is_blocked() { grep -q '^State:.*tracing stop' "/proc/$1/task/$1/status"; }
# What the unit uses and how often it met a limit, as the kernel counts, in either version of control groups.
memory_of_unit() {
  local group name
  group=$(show ControlGroup)
  if [[ -d /sys/fs/cgroup/memory$group ]]; then
    cd "/sys/fs/cgroup/memory$group" && grep -E '^(total_rss|total_cache) ' memory.stat && grep oom_kill memory.oom_control
    for name in limit_in_bytes max_usage_in_bytes usage_in_bytes failcnt; do echo "$name $(cat memory.$name)"; done
  else
    cd "/sys/fs/cgroup$group" && grep -E '^(anon|file|kernel) ' memory.stat && cat memory.events
    for name in max high peak current; do echo "memory.$name $(cat memory.$name)"; done
  fi
  cd /
}
# A line for each session of a user: its directory, and one digest of its files, paths included.
digests() {
  local directory
  for directory in /home/"$1"/outputs/*/; do
    (cd "$directory" && echo "$(basename "$directory") $(LC_ALL=C ls | grep -v '^session.json$' | xargs sha256sum | sha256sum | cut -c1-64)")
  done
}
# trains USER PREFIX SECONDS: a new session every few seconds until the machine ends, never flushed to the disk by anybody.
trains() {
  su "$1" -c "cd ~/outputs; umask 077; n=0; while sleep $3; do n=\$((n + 1)); mkdir $2-\$n; cd $2-\$n; echo '{\"id\":\"$2-'\$n'\",\"startedAt\":\"2026-11-01T00:00:00Z\"}' > session.json; echo \"step 1 of $2-\$n\" > stdout.log; : > _SUCCESS; cd ..; done"
}
