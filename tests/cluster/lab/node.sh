#!/usr/bin/env bash
# node.sh - first process of the cluster's namespaces; up.sh starts it.
# Prepares them, then keeps each component running: one that ends is started
# again after a second, unless $LAB_RUN/hold/<component> exists (tests make that
# file to keep, say, the API server down). When this process is killed, the
# kernel ends everything in its process namespace: pods, shims, daemons.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/env.sh"
R=$LAB_RUN PKI=$LAB_RUN/pki

# --- mounts: private to this namespace -----------------------------------------
mount --make-rshared /                       # shared among the pods, not with the host
mount -t tmpfs -o mode=755 tmpfs /run        # containerd's shims and network namespaces
mkdir -p "$R"/{containerd,kubelet,log,hold,cni/conf,cni/ipam,etcd}
mkdir -p /var/lib/kubelet && mount --bind "$R/kubelet" /var/lib/kubelet
mount --bind "$R/log" /var/log               # pod logs: /var/log/pods, /var/log/containers
# The kubelet insists on these values. Over-mounted, they read as it wants and
# the host's own kernel settings stay as they are.
mkdir -p "$R/sysctl"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
               kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=/proc/sys/${setting%=*}
  [ -e "$file" ] || continue
  copy=$R/sysctl/$(tr / . <<<"${setting%=*}")
  echo "${setting#*=}" > "$copy" && mount --bind "$copy" "$file"
done
hostname "$NODE_NAME"

# --- network ---------------------------------------------------------------------
ip link set lo up
ip addr add "$NODE_IP/32" dev lo
ip route add "$SERVICE_CIDR" dev lo src "$NODE_IP"     # kube-proxy rewrites these before they are routed
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null   # pod -> service -> pod on the same bridge

# --- cgroups (v1): one root of our own in each hierarchy ----------------------------
for h in /sys/fs/cgroup/*/; do
  case $(basename "$h") in unified|systemd) [ "$(basename "$h")" = systemd ] || continue ;; esac
  mkdir -p "$h$CGROUP_ROOT" 2>/dev/null
  if [ -e "$h/cpuset.cpus" ]; then
    cat "$h/cpuset.cpus" > "$h$CGROUP_ROOT/cpuset.cpus"; cat "$h/cpuset.mems" > "$h$CGROUP_ROOT/cpuset.mems"
  fi
done

# --- components --------------------------------------------------------------------
keep() { # name command...
  local name=$1; shift
  ( while :; do
      while [ -e "$R/hold/$name" ]; do sleep 0.2; done
      "$@" >> "$R/log/$name.log" 2>&1 & pid=$!
      echo "$pid" > "$R/$name.nspid"
      wait "$pid"
      echo "--- $(date +%FT%T.%3N) $name ended with $?" >> "$R/log/$name.log"
      sleep 1
    done ) &
}

keep etcd etcd --name lab --data-dir "$R/etcd" --log-level warn --unsafe-no-fsync \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster lab=http://127.0.0.1:2380

keep kube-apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 \
  --bind-address 0.0.0.0 --secure-port "$APISERVER_PORT" --advertise-address "$NODE_IP" \
  --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" \
  --client-ca-file "$PKI/ca.crt" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
  --service-cluster-ip-range "$SERVICE_CIDR" --allow-privileged \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" \
  --kubelet-client-certificate "$PKI/apiserver-kubelet-client.crt" --kubelet-client-key "$PKI/apiserver-kubelet-client.key" \
  --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP \
  --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
  --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
  --requestheader-extra-headers-prefix X-Remote-Extra- --enable-aggregator-routing \
  --proxy-client-cert-file "$PKI/front-proxy-client.crt" --proxy-client-key-file "$PKI/front-proxy-client.key" \
  ${KUBE_APISERVER_ARGS:-}

until curl -sk -o /dev/null --max-time 1 "https://127.0.0.1:$APISERVER_PORT/livez"; do sleep 0.2; done

keep kube-controller-manager kube-controller-manager --kubeconfig "$R/controller-manager.kubeconfig" \
  --authentication-kubeconfig "$R/controller-manager.kubeconfig" --authorization-kubeconfig "$R/controller-manager.kubeconfig" \
  --bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials \
  --service-account-private-key-file "$PKI/sa.key" --root-ca-file "$PKI/ca.crt" \
  --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" \
  --horizontal-pod-autoscaler-sync-period "${HPA_SYNC_PERIOD:-5s}" \
  --horizontal-pod-autoscaler-cpu-initialization-period "${HPA_CPU_INITIALIZATION_PERIOD:-10s}" \
  --horizontal-pod-autoscaler-initial-readiness-delay "${HPA_READINESS_DELAY:-5s}" \
  --horizontal-pod-autoscaler-downscale-stabilization "${HPA_DOWNSCALE_STABILIZATION:-15s}" \
  ${KUBE_CONTROLLER_MANAGER_ARGS:-}

keep kube-scheduler kube-scheduler --kubeconfig "$R/scheduler.kubeconfig" \
  --authentication-kubeconfig "$R/scheduler.kubeconfig" --authorization-kubeconfig "$R/scheduler.kubeconfig" \
  --bind-address 127.0.0.1 --leader-elect=false

keep containerd containerd --config "$R/containerd.toml"
until ctr -a "$R/containerd.sock" version >/dev/null 2>&1; do sleep 0.1; done
ctr -a "$R/containerd.sock" -n k8s.io images import "$LAB_IMAGES/pause.tar" >> "$R/log/images.log" 2>&1
keep kubelet kubelet --config "$R/kubelet.yaml" --kubeconfig "$R/kubelet.kubeconfig" \
  --hostname-override "$NODE_NAME" --node-ip "$NODE_IP" ${KUBELET_ARGS:-}
keep kube-proxy kube-proxy --config "$R/kube-proxy.yaml" --hostname-override "$NODE_NAME"
keep coredns env KUBECONFIG= coredns -conf "$R/Corefile" -dns.port 53
keep metrics-server metrics-server --kubeconfig "$R/metrics-server.kubeconfig" \
  --authentication-kubeconfig "$R/metrics-server.kubeconfig" --authorization-kubeconfig "$R/metrics-server.kubeconfig" \
  --secure-port 4443 --tls-cert-file "$PKI/metrics-server-tls.crt" --tls-private-key-file "$PKI/metrics-server-tls.key" \
  --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP \
  --metric-resolution "${METRIC_RESOLUTION:-10s}" --kubelet-request-timeout 5s   # must be the shorter
keep prometheus prometheus --config.file "$R/prometheus.yaml" --storage.tsdb.path "$R/prometheus" \
  --storage.tsdb.retention.time 2h --web.listen-address "127.0.0.1:9090" --web.enable-lifecycle
keep metrics-adapter env PKI="$PKI" API_URL="https://127.0.0.1:$APISERVER_PORT" ADAPTER_ADDRESS=0.0.0.0:6444 \
  python3 "$HERE/metrics_adapter.py" "$METRIC_RULES"

while :; do wait -n 2>/dev/null || sleep 1; done        # reap whatever lost its parent
