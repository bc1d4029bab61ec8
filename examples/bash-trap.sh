#!/usr/bin/env bash
# A training script that says itself how it ended, also when it is told to stop: bash-trap.sh FOLDER COMMAND...
set -euo pipefail
session="${1:?usage: bash-trap.sh FOLDER COMMAND...}/train-$(date -u +%Y%m%dT%H%M%SZ)-$$"
shift
mkdir -p "$session"
printf '{"startedAt": "%s", "user": {"username": "%s"}}\n' "$(date -u +%FT%TZ)" "$(id -un)" > "$session/session.json"
echo $$ > "$session/session.pid" # should even the trap not come to run

status=failed
finish() {
  printf '{"status": "%s", "endedAt": "%s"}\n' "$status" "$(date -u +%FT%TZ)" > "$session/result.json.tmp"
  mv "$session/result.json.tmp" "$session/result.json"
}
stop() {
  status=cancelled
  kill -TERM "$training" 2> /dev/null || true
  wait "$training" || true
  exit "$1"
}
trap finish EXIT
trap 'stop 143' TERM
trap 'stop 130' INT

# In the background, since a trap waits for what runs in the foreground.
"$@" > "$session/stdout.log" 2>&1 &
training=$!
wait "$training"
status=completed
