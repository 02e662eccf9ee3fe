# shellcheck shell=bash
# certs.sh - the cluster's certificates and kubeconfigs. Sourced by up.sh.
# One authority signs all but the aggregation layer's client, which has its own.

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }

make_ca() { # file stem, common name
  [ -e "$PKI/$1.crt" ] && return
  make_key "$PKI/$1.key"
  openssl req -x509 -new -sha256 -key "$PKI/$1.key" -subj "/CN=$2" -days 30 -out "$PKI/$1.crt" \
    -addext "keyUsage=critical,keyCertSign,cRLSign,digitalSignature" 2>/dev/null
}

make_cert() { # file stem, authority, subject, usage, [subjectAltName]
  [ -e "$PKI/$1.crt" ] && return
  make_key "$PKI/$1.key"
  openssl req -new -key "$PKI/$1.key" -subj "$3" 2>/dev/null |
    openssl x509 -req -sha256 -days 30 -CA "$PKI/$2.crt" -CAkey "$PKI/$2.key" -CAcreateserial -out "$PKI/$1.crt" \
      -extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nbasicConstraints=CA:FALSE\n' "$4"
                 [ -z "${5:-}" ] || printf 'subjectAltName=%s\n' "$5") 2>/dev/null
}

make_kubeconfig() { # file, certificate's file stem
  cat > "$1" <<Y
apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster:
    server: https://127.0.0.1:$APISERVER_PORT
    certificate-authority-data: $(base64 -w0 < "$PKI/ca.crt")
users:
- name: $2
  user:
    client-certificate-data: $(base64 -w0 < "$PKI/$2.crt")
    client-key-data: $(base64 -w0 < "$PKI/$2.key")
contexts:
- name: lab
  context: {cluster: lab, user: $2}
Y
}

make_all_certs() {
  PKI=$LAB_RUN/pki
  mkdir -p "$PKI"; chmod 700 "$PKI"
  make_ca ca lab-ca
  make_ca front-proxy-ca lab-front-proxy-ca
  make_cert apiserver ca /CN=kube-apiserver serverAuth \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$KUBERNETES_SERVICE_IP,IP:$NODE_IP"
  make_cert apiserver-kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  make_cert front-proxy-client front-proxy-ca /CN=front-proxy-client clientAuth
  make_cert kubelet ca "/O=system:nodes/CN=system:node:$NODE_NAME" serverAuth,clientAuth "DNS:$NODE_NAME,IP:$NODE_IP"
  make_cert admin ca /O=system:masters/CN=lab-admin clientAuth
  make_cert controller-manager ca /CN=system:kube-controller-manager clientAuth
  make_cert scheduler ca /CN=system:kube-scheduler clientAuth
  make_cert proxy ca /CN=system:kube-proxy clientAuth
  make_cert metrics-server ca /CN=lab:metrics-server clientAuth
  make_cert metrics-server-tls ca /CN=metrics-server serverAuth "DNS:metrics-server.kube-system.svc,IP:$NODE_IP"
  make_cert metrics-adapter ca /CN=lab:metrics-adapter clientAuth
  make_cert metrics-adapter-tls ca /CN=metrics-adapter serverAuth "DNS:metrics-adapter.kube-system.svc,IP:$NODE_IP"
  make_cert prometheus ca /CN=lab:prometheus clientAuth
  make_cert dns ca /CN=lab:dns clientAuth
  [ -e "$PKI/sa.key" ] || { openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null; openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null; }
  local who
  for who in admin controller-manager scheduler proxy metrics-server kubelet dns; do make_kubeconfig "$LAB_RUN/$who.kubeconfig" "$who"; done
  chmod 600 "$LAB_RUN"/*.kubeconfig
}
