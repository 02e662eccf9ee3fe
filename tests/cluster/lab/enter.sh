#!/usr/bin/env bash
# enter.sh COMMAND... - runs a command in the cluster's network, with the host's
# files and KUBECONFIG set: kubectl, helm, curl, pytest. With -a as the first
# word, in all of its namespaces (to see its processes, use its containerd).
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/env.sh"
[ -r "$LAB_RUN/node.pid" ] || { echo "the cluster is not up" >&2; exit 1; }
how=(--net)
if [ "${1:-}" = -a ]; then how=(--net --mount --pid --uts --ipc); shift; fi
exec nsenter --target "$(cat "$LAB_RUN/node.pid")" "${how[@]}" -- "$@"
