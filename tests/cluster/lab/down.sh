#!/usr/bin/env bash
# down.sh - ends the cluster and removes its state. Programs and images stay.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/env.sh"
if [ -r "$LAB_RUN/unshare.pid" ]; then
  pid=$(cat "$LAB_RUN/unshare.pid")
  # A pid file may outlive a restart of the machine: only end what is ours.
  if tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q "node.sh"; then
    kill -KILL "$pid"
    for _ in $(seq 100); do [ -e "/proc/$(cat "$LAB_RUN/node.pid")" ] || break; sleep 0.1; done
  fi
fi
for h in /sys/fs/cgroup/*/; do
  [ -d "$h$CGROUP_ROOT" ] || continue
  for _ in 1 2 3 4 5; do
    find "$h$CGROUP_ROOT" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.2
  done
done
rm -rf "$LAB_RUN"
rmdir /var/lib/kubelet 2>/dev/null || true     # a mount point of the cluster's own namespace
