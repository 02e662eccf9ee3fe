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
{{- range $source, $url := .Values.monitor.prices }}
- {name: POINTSMAN_PRICES_{{ upper $source }}_URL, value: {{ $url | quote }}}
{{- end }}
{{- with .Values.monitor.extraEnv }}
{{ toYaml . }}
{{- end }}
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
{{- if eq (index . 1) "gateway" }}
{{- with $root.Values.tracing.headersSecret }}
- secret:
    name: {{ . }}
    items:
      - {key: headers, path: otlp/headers}
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
