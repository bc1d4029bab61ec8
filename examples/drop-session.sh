#!/usr/bin/env bash
# Runs a command as a training session in a watched folder: drop-session.sh FOLDER COMMAND...
set -euo pipefail
session="${1:?usage: drop-session.sh FOLDER COMMAND...}/$(cat /proc/sys/kernel/random/uuid)"
shift
mkdir -p "$session"
echo "{\"user\": {\"username\": \"$(id -un)\"}, \"config\": {\"epochs\": 3}}" > "$session/session.json"
status=completed
"$@" > "$session/stdout.log" 2>&1 || status=failed
echo "{\"status\": \"$status\"}" > "$session/result.json.tmp"
mv "$session/result.json.tmp" "$session/result.json"
