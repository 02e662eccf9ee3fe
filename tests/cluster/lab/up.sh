#!/usr/bin/env bash
# up.sh - starts the cluster and waits until it is ready. Does nothing if it already is; clears away a half-started one
# first. build.sh must have run, and $LAB_IMAGES/pause.tar be there. Says how long each stage took.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/env.sh"
. "$HERE/certs.sh"

if "$HERE/enter.sh" kubectl get --raw /readyz >/dev/null 2>&1; then log "already up"; exit 0; fi
"$HERE/down.sh"
began=$(date +%s.%N)
stage() { log "$(python3 -c "print(f'{$(date +%s.%N) - $began:5.1f} s')")  $*"; }
mkdir -p "$LAB_RUN"/{log,hold,cni/conf}
make_all_certs
stage "certificates made"

cat > "$LAB_RUN/containerd.toml" <<Y
version = 2
root = "$LAB_RUN/containerd/root"
state = "/run/containerd-lab"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "$LAB_RUN/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.local/pause:$PAUSE_VERSION"
  restrict_oom_score_adj = true          # no CAP_SYS_RESOURCE here: scores cannot be lowered
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$LAB_RUN/cni/conf"
Y
cat > "$LAB_RUN/cni/conf/10-bridge.conflist" <<Y
{"cniVersion": "0.4.0", "name": "lab", "plugins": [
  {"type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$LAB_RUN/cni/ipam", "routes": [{"dst": "0.0.0.0/0"}],
            "ranges": [[{"subnet": "$POD_CIDR"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
Y
echo "nameserver 127.0.0.1" > "$LAB_RUN/resolv.conf"
cat > "$LAB_RUN/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false                      # since v1.35 the kubelet refuses cgroup v1 unless told
cgroupDriver: cgroupfs
cgroupRoot: $CGROUP_ROOT
containerRuntimeEndpoint: unix://$LAB_RUN/containerd.sock
tlsCertFile: $LAB_RUN/pki/kubelet.crt
tlsPrivateKeyFile: $LAB_RUN/pki/kubelet.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $LAB_RUN/pki/ca.crt}}
authorization: {mode: Webhook}
clusterDomain: cluster.local
clusterDNS: [$NODE_IP]
resolvConf: $LAB_RUN/resolv.conf
maxPods: $MAX_PODS
failSwapOn: false
oomScoreAdj: 0
imageGCHighThresholdPercent: 100
imageMinimumGCAge: 24h
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
nodeStatusUpdateFrequency: 5s
runtimeRequestTimeout: 2m
Y
cat > "$LAB_RUN/kube-proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: $KUBE_PROXY_MODE
clientConnection: {kubeconfig: $LAB_RUN/proxy.kubeconfig}
clusterCIDR: $POD_CIDR
bindAddress: 0.0.0.0
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}   # not to be set outside the first network namespace
iptables: {minSyncPeriod: 0s, syncPeriod: 30s}
nftables: {minSyncPeriod: 0s, syncPeriod: 30s}
Y
cat > "$LAB_RUN/Corefile" <<Y
.:53 {
  bind $NODE_IP
  errors
  health 127.0.0.1:8081
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $LAB_RUN/dns.kubeconfig lab
    ttl 2
  }
  cache 2
}
Y

cat > "$LAB_RUN/prometheus.yaml" <<Y
global: {scrape_interval: 2s, evaluation_interval: 2s}
scrape_configs:
- job_name: pods
  http_sd_configs: [{url: "http://127.0.0.1:6445/", refresh_interval: 2s}]   # metrics_adapter.py
Y
# New namespaces, and node.sh as their first process. --kill-child: ending
# unshare ends node.sh, and so everything within.
POINTSMAN_CLUSTER_CACHE=$LAB setsid unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc --propagation private \
  bash "$HERE/node.sh" > "$LAB_RUN/log/node.log" 2>&1 < /dev/null &
echo $! > "$LAB_RUN/unshare.pid"
for _ in $(seq 50); do
  child=$(cat "/proc/$(cat "$LAB_RUN/unshare.pid")/task/"*/children 2>/dev/null | tr -d ' ') && [ -n "$child" ] && break
  sleep 0.1
done
echo "$child" > "$LAB_RUN/node.pid"

k() { "$HERE/enter.sh" kubectl "$@"; }
wait_for() { # seconds what command...
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    kill -0 "$(cat "$LAB_RUN/node.pid")" 2>/dev/null || die "node.sh ended; see $LAB_RUN/log/node.log"
    [ $SECONDS -lt $end ] || die "no $what in time; see $LAB_RUN/log/"
    sleep 0.2
  done
  stage "$what"
}
wait_for 90 "API server ready" k get --raw /readyz
wait_for 30 "default service account" k -n default get serviceaccount default

k apply -f - >/dev/null <<Y
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: lab:metrics-server}
rules:
- {apiGroups: [""], resources: [nodes/metrics], verbs: [get]}
- {apiGroups: [""], resources: [pods, nodes], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab:metrics-server}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: lab:metrics-server}
subjects: [{kind: User, name: lab:metrics-server, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab:metrics-server:auth-delegator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator}
subjects: [{kind: User, name: lab:metrics-server, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lab:metrics-server:auth-reader, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
subjects: [{kind: User, name: lab:metrics-server, apiGroup: rbac.authorization.k8s.io}]
---
# What kubectl top, and users with the view role, may read.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: system:aggregated-metrics-reader
  labels: {rbac.authorization.k8s.io/aggregate-to-view: "true", rbac.authorization.k8s.io/aggregate-to-edit: "true", rbac.authorization.k8s.io/aggregate-to-admin: "true"}
rules: [{apiGroups: [metrics.k8s.io], resources: [pods, nodes], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: lab:pods-reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab:pods-reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: lab:pods-reader}
subjects:
- {kind: User, name: lab:prometheus, apiGroup: rbac.authorization.k8s.io}
- {kind: User, name: lab:metrics-adapter, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: lab:dns}
rules:
- {apiGroups: [""], resources: [services, pods, namespaces, endpoints], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab:dns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: lab:dns}
subjects: [{kind: User, name: lab:dns, apiGroup: rbac.authorization.k8s.io}]
Y
# An aggregated API served by a process beside the API server, not by a pod: a
# Service without a selector, with its endpoint written by hand.
aggregated_api() { # service name, port, group/version...
  local name=$1 port=$2 api; shift 2
  { cat <<Y
apiVersion: v1
kind: Service
metadata: {name: $name, namespace: kube-system}
spec: {ports: [{name: https, port: 443, targetPort: $port, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $name-host, namespace: kube-system, labels: {kubernetes.io/service-name: $name}}
addressType: IPv4
endpoints: [{addresses: ["$NODE_IP"], conditions: {ready: true}}]
ports: [{name: https, port: $port, protocol: TCP}]
Y
    for api; do cat <<Y
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: ${api#*/}.${api%/*}}
spec:
  group: ${api%/*}
  version: ${api#*/}
  groupPriorityMinimum: 100
  versionPriority: 100
  service: {name: $name, namespace: kube-system, port: 443}
  caBundle: $(base64 -w0 < "$LAB_RUN/pki/ca.crt")
Y
    done; } | k apply -f - >/dev/null
}
aggregated_api metrics-server 4443 metrics.k8s.io/v1beta1
aggregated_api metrics-adapter 6444 custom.metrics.k8s.io/v1beta2 external.metrics.k8s.io/v1beta1
wait_for 60 "node registered" k get node "$NODE_NAME"
wait_for 60 "node Ready" k wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s
wait_for 90 "metrics API available" k wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=1s
wait_for 60 "custom and external metrics APIs available" k wait --for=condition=Available apiservice/v1beta2.custom.metrics.k8s.io apiservice/v1beta1.external.metrics.k8s.io --timeout=1s
stage "up: $HERE/enter.sh kubectl get nodes"
