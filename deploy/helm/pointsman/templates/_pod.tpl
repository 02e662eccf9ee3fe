{{/* What the pods of both have alike. Arguments: (list . component). */}}

{{- define "pointsman.podMetadata" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- $scraped := and $root.Values.metrics.scrapeAnnotations (not $root.Values.metrics.serviceMonitor.enabled) (not $root.Values.metrics.podMonitor.enabled) -}}
labels:
  {{- include "pointsman.labels" . | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: {{ $component }}
  {{- if $scraped }}
  prometheus.io/scrape: "true"
  prometheus.io/path: /metrics
  prometheus.io/port: {{ ternary "9090" "9091" (eq $component "gateway") | quote }}
  {{- end }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "pointsman.podSpec" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
serviceAccountName: {{ include "pointsman.account" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml . | nindent 4 | trim }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "pointsman.selector" (list $root $component) | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Of a container; arguments as above. */}}
{{- define "pointsman.container" -}}
{{- $root := index . 0 -}}
image: {{ include "pointsman.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [{{ index . 1 }}]
securityContext:
  {{- toYaml $root.Values.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml (index $root.Values (index . 1)).resources | nindent 2 }}
{{- end -}}

{{- define "pointsman.commonEnv" -}}
- {name: POINTSMAN_HOST, value: {{ .Values.listen | quote }}}
- {name: POINTSMAN_CONFIG, value: {{ printf "/etc/pointsman/%s" .Values.existingConfig.key }}}
- {name: POINTSMAN_LOG_LEVEL, value: {{ .Values.logLevel }}}
{{- if include "pointsman.cluster" . }}
- {name: POINTSMAN_KUBERNETES, value: "on"}
- {name: POINTSMAN_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: POINTSMAN_CONFIGMAP, value: {{ include "pointsman.health" . }}}
{{- else }}
- {name: POINTSMAN_KUBERNETES, value: "off"}
{{- end }}
{{- end -}}

{{- define "pointsman.monitorEnv" -}}
{{ include "pointsman.commonEnv" . }}
- {name: POINTSMAN_MONITOR_PORT, value: "9091"}
{{- if include "pointsman.cluster" . }}
- {name: POINTSMAN_GATEWAY_SERVICE, value: {{ include "pointsman.gateway" . }}}
- {name: POINTSMAN_POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POINTSMAN_POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
{{- else }}
- {name: POINTSMAN_STATE_DIR, value: /var/run/pointsman/state}
- {name: POINTSMAN_GATEWAYS, value: "http://127.0.0.1:9090"}
{{- end }}
{{- with .Values.monitor.evaluations.path }}
- {name: POINTSMAN_EVALUATIONS, value: {{ . | quote }}}
{{- end }}
{{- range $source, $url := .Values.monitor.prices }}
- {name: POINTSMAN_PRICES_{{ upper $source }}_URL, value: {{ $url | quote }}}
{{- end }}
{{- with .Values.monitor.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "pointsman.sinkNames" -}}
{{- $names := list -}}
{{- range $name, $value := dict "otlp_logs" "otlpLogs" "langfuse" "langfuse" "helicone" "helicone" "webhook" "webhook" -}}
{{- if (index $.Values.sinks $value).enabled }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- join "," $names -}}
{{- end -}}

{{/* What tells others of requests, and where they are. */}}
{{- define "pointsman.tellingEnv" -}}
{{- $sinks := include "pointsman.sinkNames" . -}}
{{- with .Values.tracing.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ $.Values.tracing.sampleRatio | quote }}}
{{- end }}
{{- if or .Values.tracing.endpoint $sinks }}
- {name: POINTSMAN_POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
{{- end }}
{{- with .Values.sinks }}
{{- if $sinks }}
- {name: POINTSMAN_SINKS, value: {{ $sinks | quote }}}
{{- end }}
{{- if and .otlpLogs.enabled .otlpLogs.endpoint }}
- {name: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, value: {{ printf "%s/v1/logs" (trimSuffix "/" .otlpLogs.endpoint) | quote }}}
{{- end }}
{{- if .langfuse.enabled }}
- {name: LANGFUSE_HOST, value: {{ .langfuse.host | quote }}}
{{- end }}
{{- if .helicone.enabled }}
- {name: HELICONE_BASE_URL, value: {{ .helicone.baseUrl | quote }}}
{{- end }}
{{- if .webhook.enabled }}
- {name: POINTSMAN_WEBHOOK_URL, value: {{ .webhook.url | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* Their ports, one a line, ascending. */}}
{{- define "pointsman.tellingPorts" -}}
{{- $urls := list .Values.tracing.endpoint -}}
{{- with .Values.sinks -}}
{{- if .otlpLogs.enabled }}{{ $urls = append $urls .otlpLogs.endpoint }}{{ end -}}
{{- if .langfuse.enabled }}{{ $urls = append $urls .langfuse.host }}{{ end -}}
{{- if .helicone.enabled }}{{ $urls = append $urls .helicone.baseUrl }}{{ end -}}
{{- if .webhook.enabled }}{{ $urls = append $urls .webhook.url }}{{ end -}}
{{- end -}}
{{- $padded := list -}}
{{- range without $urls "" }}{{ $padded = append $padded (printf "%05d" (int (include "pointsman.portOf" .))) }}{{ end -}}
{{- range $padded | uniq | sortAlpha }}{{ printf "%s\n" (trimPrefix "0" . | trimPrefix "0" | trimPrefix "0" | trimPrefix "0") }}{{ end -}}
{{- end -}}

{{- define "pointsman.commonMounts" -}}
- {name: config, mountPath: /etc/pointsman, readOnly: true}
{{- if include "pointsman.secretSources" . }}
- {name: keys, mountPath: /var/run/secrets/pointsman, readOnly: true}
{{- end }}
{{- if include "pointsman.cluster" (index . 0) }}
- {name: api-access, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* Files with keys, by what they are for; those of collectors are the gateway's alone. */}}
{{- define "pointsman.secretSources" -}}
{{- $root := index . 0 -}}
{{- range $id, $key := $root.Values.providerKeys }}
- secret:
    name: {{ $key.existingSecret }}
    {{- if $key.optional }}
    optional: true
    {{- end }}
    items:
      - {key: {{ default $id $key.key }}, path: {{ $id }}/key}
{{- end }}
{{- $monitors := or (eq (index . 1) "monitor") (not (include "pointsman.cluster" $root)) -}}
{{- if and $monitors $root.Values.monitor.evaluations.existingSecret }}
- secret:
    name: {{ $root.Values.monitor.evaluations.existingSecret }}
    items:
      - {key: url, path: evaluations/url}
{{- end }}
{{- with include "pointsman.evaluationsToken" $root }}
- secret:
    name: {{ . }}
    items:
      - {key: token, path: evaluations/token}
{{- end }}
{{- if eq (index . 1) "gateway" }}
{{- with $root.Values.tracing.headersSecret }}
- secret:
    name: {{ . }}
    items:
      - {key: headers, path: otlp/headers}
{{- end }}
{{- with $root.Values.sinks }}
{{- if .langfuse.enabled }}
- secret:
    name: {{ .langfuse.existingSecret }}
    items:
      - {key: public-key, path: langfuse/public-key}
      - {key: secret-key, path: langfuse/secret-key}
{{- end }}
{{- if .helicone.enabled }}
- secret:
    name: {{ .helicone.existingSecret }}
    items:
      - {key: api-key, path: helicone/api-key}
{{- end }}
{{- if and .webhook.enabled .webhook.existingSecret }}
- secret:
    name: {{ .webhook.existingSecret }}
    optional: true
    items:
      - {key: token, path: webhook/token}
      - {key: signing-key, path: webhook/signing-key}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A directory each, never single files: only so does the kubelet renew what is in them. */}}
{{- define "pointsman.commonVolumes" -}}
- name: config
  configMap:
    name: {{ include "pointsman.config" (index . 0) }}
{{- with include "pointsman.secretSources" . }}
- name: keys
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- if include "pointsman.cluster" (index . 0) }}
- name: api-access
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end -}}
