{{/* Objects that both have. Arguments: (list . component). */}}

{{- define "pointsman.budget" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $budget := (index $root.Values $component).podDisruptionBudget -}}
{{- if $budget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "pointsman.metadata" (append . (include (printf "pointsman.%s" $component) $root)) | nindent 2 }}
spec:
  {{- if ne (toString $budget.minAvailable) "" }}
  minAvailable: {{ $budget.minAvailable }}
  {{- else }}
  maxUnavailable: {{ $budget.maxUnavailable }}
  {{- end }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "pointsman.selector" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{- define "pointsman.accountObject" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $account := (index $root.Values $component).serviceAccount -}}
{{- if $account.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "pointsman.metadata" (append . (include "pointsman.account" .)) | nindent 2 }}
  {{- with $account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}

{{- define "pointsman.binding" -}}
{{- $root := index . 0 -}}
{{- $name := include (printf "pointsman.%s" (index . 1)) $root -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "pointsman.metadata" (append . $name) | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $name }}}
subjects:
  - {kind: ServiceAccount, name: {{ include "pointsman.account" . }}, namespace: {{ $root.Release.Namespace }}}
{{- end -}}

{{/* Out: DNS anywhere (some clouds' and nodes' resolvers have link-local addresses), providers, the API server. */}}
{{- define "pointsman.egress" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
- to:
    {{- include "pointsman.outside" (list . "0.0.0.0/0") | nindent 4 }}
    {{- include "pointsman.outside" (list . "2000::/3") | nindent 4 }}
    {{- include "pointsman.outside" (list . "64:ff9b::/96") | nindent 4 }}
    - namespaceSelector: {}
  ports:
    {{- range splitList "\n" (include "pointsman.providerPorts" . | trim) }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- if include "pointsman.cluster" . }}
- to:
    {{- range .Values.networkPolicy.apiServerCIDRs }}
    {{- include "pointsman.outside" (list $ .) | nindent 4 }}
    {{- end }}
  ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- if .Values.networkPolicy.allowMetadata }}
# The clouds' metadata and credential servers.
- to:
    - ipBlock: {cidr: 169.254.0.0/16}
    - ipBlock: {cidr: 168.63.129.16/32}
    - ipBlock: {cidr: 100.100.100.200/32}
    - ipBlock: {cidr: "fd00:ec2::/64"}
  ports:
    - {protocol: TCP, port: 80}
    - {protocol: TCP, port: 988}
{{- end }}
{{- end -}}

{{/* The database of evaluations, wherever it is. */}}
{{- define "pointsman.toEvaluations" -}}
{{- with .Values.monitor.evaluations -}}
{{- if .existingSecret -}}
- to:
    {{- include "pointsman.outside" (list $ "0.0.0.0/0") | nindent 4 }}
    {{- include "pointsman.outside" (list $ "2000::/3") | nindent 4 }}
    - namespaceSelector: {}
  ports: [{protocol: TCP, port: {{ .port }}}]
{{- end -}}
{{- end -}}
{{- end -}}

{{/* An address range without the clouds' metadata addresses; arguments: (list . cidr). */}}
{{- define "pointsman.outside" -}}
{{- $cidr := index . 1 -}}
- ipBlock:
    cidr: {{ $cidr | quote }}
    {{- if and (eq $cidr "0.0.0.0/0") (not (index . 0).Values.networkPolicy.allowMetadata) }}
    except: [169.254.0.0/16, 168.63.129.16/32, 100.100.100.200/32, 192.0.0.192/32]
    {{- end }}
{{- end -}}

{{- define "pointsman.scrape" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $kind := index . 2 -}}{{- $values := index . 3 -}}
apiVersion: monitoring.coreos.com/v1
kind: {{ $kind }}
metadata:
  {{- include "pointsman.metadata" (list $root $component (include (printf "pointsman.%s" $component) $root)) | nindent 2 }}
    {{- with $values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "pointsman.selector" (list $root $component) | nindent 6 }}
      {{- if eq $kind "ServiceMonitor" }}
      pointsman/ports: admin
      {{- end }}
  {{ ternary "endpoints" "podMetricsEndpoints" (eq $kind "ServiceMonitor") }}:
    - {port: admin, path: /metrics, interval: {{ $values.interval }}}
    {{- if and (eq $component "gateway") (not (include "pointsman.cluster" $root)) }}
    - {port: monitor-admin, path: /metrics, interval: {{ $values.interval }}}
    {{- end }}
{{- end -}}
