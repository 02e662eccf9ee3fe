# shellcheck shell=bash
# env.sh - every knob of the test cluster, in one place. The other scripts source it; any of these may be set in the
# environment instead.

# --- where things live: nothing in the clone -----------------------------------------------------------------------
: "${POINTSMAN_CLUSTER_CACHE:=${HOME:-/root}/.cache/pointsman-cluster}"
LAB=$POINTSMAN_CLUSTER_CACHE
: "${LAB_BUILDS:=$LAB/builds}"               # built programs, one folder per name-version; kept
: "${LAB_SRC:=$LAB/src}"                     # go.mod work folders made by build.sh; kept
: "${LAB_BIN:=$LAB/bin}"                     # links to the programs of the versions chosen below
: "${LAB_IMAGES:=$LAB/images}"               # image tarballs; kept
: "${LAB_RUN:=$LAB/run}"                     # state of the running cluster; down.sh removes it

# --- versions ------------------------------------------------------------------------------------------------------
: "${KUBE_VERSION:=v1.35.4}"                 # the last minor whose kubelet takes Debian's containerd 1.x
: "${ETCD_VERSION:=v3.6.16}"
: "${HELM_VERSION:=v3.20.2}"                 # the newest that links the k8s.io libraries of KUBE_VERSION
: "${METRICS_SERVER_VERSION:=v0.9.0}"
: "${COREDNS_VERSION:=v1.14.7}"
: "${PAUSE_VERSION:=3.10}"

# --- the cluster ---------------------------------------------------------------------------------------------------
# It runs in namespaces of its own (network, mounts, processes, host name) with no way out: its addresses and ports
# meet nothing on the host.
: "${NODE_NAME:=lab-node}"
: "${NODE_IP:=10.89.0.1}"                    # on the namespace's lo
: "${POD_CIDR:=10.244.0.0/24}"
: "${SERVICE_CIDR:=10.96.0.0/16}"
: "${KUBERNETES_SERVICE_IP:=10.96.0.1}"      # the first address of SERVICE_CIDR
: "${BRIDGE:=cni0}"
: "${APISERVER_PORT:=6443}"
: "${CGROUP_ROOT:=/pointsman-lab}"           # the pods' place in each cgroup hierarchy
: "${KUBE_PROXY_MODE:=iptables}"             # or nftables
: "${MAX_PODS:=60}"
: "${METRIC_RULES:=$HERE/metric-rules.json}"      # what metrics_adapter.py serves to HPAs

export KUBECONFIG="$LAB_RUN/admin.kubeconfig"
export PATH="$LAB_BIN:$PATH"

log() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }
die() { log "error: $*"; exit 1; }
