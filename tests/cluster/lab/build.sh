#!/usr/bin/env bash
# build.sh [all|packages|kubernetes|etcd|helm|metrics-server|coredns|pause]...
#
# Builds what the test cluster needs from Go modules, and installs the container runtime from Debian. Each result lies
# in $LAB_BUILDS/<name>-<version> and is not built again while it is there; $LAB_BIN links to the chosen versions.
# A cold build of everything takes about fifteen minutes on two idle cores; $LAB/build-times.txt says how long it took.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/env.sh"

export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
mkdir -p "$LAB_BUILDS" "$LAB_SRC" "$LAB_BIN"

# Runs "$@", says every half minute that it still does, and notes how long it took (wall time depends on what else the
# machine does, processor time does not).
measured() { # label command...
  local label=$1 ticker rc=0 line times; shift
  log "$label ..."
  ( n=0; while sleep 30; do n=$((n + 30)); log "$label ... $n s"; done ) & ticker=$!
  times=$(mktemp)
  local TIMEFORMAT='%R s wall, %U s user, %S s system'
  { time "$@" 2>&3; } 3>&2 2> "$times" || rc=$?
  kill "$ticker" 2>/dev/null || true; wait "$ticker" 2>/dev/null || true
  line="$label: $(cat "$times")"; rm -f "$times"
  log "$line"; echo "$(date +%FT%T) $line" >> "$LAB/build-times.txt"
  return $rc
}

link() { # folder: puts its programs on $LAB_BIN
  local f; for f in "$1"/*; do [ -x "$f" ] && [ -f "$f" ] && ln -sfn "$f" "$LAB_BIN/$(basename "$f")"; done
}

module_dir() { # module@version -> its unpacked folder in the module cache
  (cd "$LAB_SRC" && GOFLAGS= go mod download -json "$1") |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["Dir"])'
}

# k8s.io/kubernetes cannot be `go install`ed: its go.mod replaces each k8s.io library by a folder that the module's zip
# lacks. Its own go.mod and go.sum are taken, with those libraries pointed at their published versions instead
# (v1.35.4 -> v0.35.4), under a module name of ours.
kubernetes_module() {
  local src=$LAB_SRC/kubernetes-$KUBE_VERSION staging=v0.${KUBE_VERSION#v1.} upstream
  [ -e "$src/.done" ] && return
  mkdir -p "$src"
  upstream=$(module_dir "k8s.io/kubernetes@$KUBE_VERSION")
  sed -E "s#^module .*#module lab/kubernetes#; s#=> \./staging/src/(k8s\.io/[a-z0-9-]+)#=> \1 $staging#" \
    "$upstream/go.mod" > "$src/go.mod"
  cat "$upstream/go.sum" > "$src/go.sum"
  ( cd "$src"; go mod edit -require="k8s.io/kubernetes@$KUBE_VERSION"
    measured "download kubernetes $KUBE_VERSION" \
      go list -mod=mod -deps -f '{{.Dir}}' "${KUBE_PROGRAMS[@]/#/k8s.io/kubernetes/cmd/}" > /dev/null )
  touch "$src/.done"
}

KUBE_PROGRAMS=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)

build_kubernetes() {
  local out=$LAB_BUILDS/kubernetes-$KUBE_VERSION p x="-s -w"
  if [ ! -e "$out/.done" ]; then
    kubernetes_module
    mkdir -p "$out"
    for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
      x+=" -X $p.gitVersion=$KUBE_VERSION -X $p.gitMajor=1 -X $p.gitMinor=$(cut -d. -f2 <<<"$KUBE_VERSION")"
      x+=" -X $p.gitTreeState=clean -X $p.gitCommit=0000000000000000000000000000000000000000"
      x+=" -X $p.buildDate=1970-01-01T00:00:00Z"
    done
    ( cd "$LAB_SRC/kubernetes-$KUBE_VERSION"
      measured "build kubernetes $KUBE_VERSION" \
        go build -mod=mod -ldflags "$x" -o "$out/" "${KUBE_PROGRAMS[@]/#/k8s.io/kubernetes/cmd/}" )
    touch "$out/.done"
  fi
  link "$out"
}

# Starts a work folder's go.mod from Kubernetes' own. Programs that link the k8s.io libraries then link the very
# versions already compiled, so Go's build cache serves most of them: choose versions that ask for no newer k8s.io.
seed_module() { # folder, module name
  local base=$LAB_SRC/kubernetes-$KUBE_VERSION
  [ -e "$1/go.mod" ] && return
  kubernetes_module
  mkdir -p "$1"
  sed "s#^module .*#module $2#" "$base/go.mod" > "$1/go.mod"
  cp "$base/go.sum" "$1/go.sum"
}

own_module() { # folder, module name
  [ -e "$1/go.mod" ] || (cd "$1" && go mod init "$2" 2>/dev/null)
}

build_module() { # seed_module|own_module, name, version, module, package, [ldflags]
  local start=$1 name=$2 version=$3 module=$4 package=$5 ldflags=${6:-}
  local out=$LAB_BUILDS/$name-$version src=$LAB_SRC/$name-$version
  if [ ! -e "$out/.done" ]; then
    mkdir -p "$src" "$out"
    ( "$start" "$src" "lab/$name"; cd "$src"
      measured "download $name $version" go get "$module@$version"
      measured "build $name $version" go build -mod=mod -ldflags "-s -w $ldflags" -o "$out/$name" "$package" )
    touch "$out/.done"
  fi
  link "$out"
}

build_etcd() {
  build_module own_module etcd "$ETCD_VERSION" go.etcd.io/etcd/server/v3 go.etcd.io/etcd/server/v3
}

build_helm() {
  local major=${HELM_VERSION%%.*}
  build_module seed_module helm "$HELM_VERSION" "helm.sh/helm/$major" "helm.sh/helm/$major/cmd/helm" \
    "-X helm.sh/helm/$major/internal/version.version=$HELM_VERSION"
}

# With the k8s.io libraries it was written for: linked with others it ends at its start, for want of an OpenAPI
# definition of its types.
build_metrics_server() {
  build_module own_module metrics-server "$METRICS_SERVER_VERSION" sigs.k8s.io/metrics-server \
    sigs.k8s.io/metrics-server/cmd/metrics-server "-X k8s.io/client-go/pkg/version.gitVersion=$METRICS_SERVER_VERSION"
}

# CoreDNS with the few plugins needed here: the whole one brings three clouds' SDKs.
build_coredns() {
  local src=$LAB_SRC/coredns-$COREDNS_VERSION
  mkdir -p "$src"
  cp "$HERE/coredns.go.txt" "$src/main.go"
  build_module seed_module coredns "$COREDNS_VERSION" github.com/coredns/coredns .
}

# The pod sandbox's first process: sleeps, reaps, ends on a signal.
build_pause() {
  local out=$LAB_BUILDS/pause-$PAUSE_VERSION src=$LAB_SRC/pause-$PAUSE_VERSION
  [ -e "$out/.done" ] && return
  mkdir -p "$src" "$out"
  cp "$HERE/pause.go.txt" "$src/main.go"
  own_module "$src" lab/pause
  ( cd "$src" && go build -ldflags "-s -w" -o "$out/pause" . )
  touch "$out/.done"
}

# The runtime and the network tools, as Debian has them.
install_packages() {
  local want=(containerd runc containernetworking-plugins iptables iproute2 conntrack openssl prometheus) missing=() p
  for p in "${want[@]}"; do dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] && return
  measured "apt-get update" apt-get update -qq
  # Nothing is to be started by its installation: the cluster runs each in namespaces of its own.
  measured "apt-get install ${missing[*]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > "$LAB/apt.log" 2>&1
}

# Two runs at once (chart tests want helm, cluster tests everything) take turns part by part.
part() {
  exec 9> "$LAB/build.lock"
  flock 9
  "$@" 9>&-
  exec 9>&-
}

[ $# -gt 0 ] || set -- all
for what in "$@"; do
  case $what in
    all) for one in install_packages build_kubernetes build_etcd build_helm build_metrics_server build_coredns build_pause; do
           part "$one"; done ;;
    packages) part install_packages ;;
    kubernetes) part build_kubernetes ;;
    etcd) part build_etcd ;;
    helm) part build_helm ;;
    metrics-server) part build_metrics_server ;;
    coredns) part build_coredns ;;
    pause) part build_pause ;;
    *) die "unknown part: $what" ;;
  esac
done
