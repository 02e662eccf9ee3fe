{{/* Names: 63 characters at most, suffix included. */}}
{{- define "pointsman.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "pointsman.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "pointsman.gateway" -}}{{ include "pointsman.fullname" . }}-gateway{{- end -}}
{{- define "pointsman.monitor" -}}{{ include "pointsman.fullname" . }}-monitor{{- end -}}
{{- define "pointsman.health" -}}{{ include "pointsman.fullname" . }}-health{{- end -}}
{{- define "pointsman.config" -}}
{{- default (printf "%s-config" (include "pointsman.fullname" .)) .Values.existingConfig.configMap -}}
{{- end -}}

{{/* Whether the monitor has pods of its own, and the API is used. */}}
{{- define "pointsman.cluster" -}}{{ if eq .Values.monitor.mode "deployment" }}true{{ end }}{{- end -}}

{{/* Labels that never change; argument: (list . component). */}}
{{- define "pointsman.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "pointsman.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "pointsman.labels" -}}
{{- $root := index . 0 -}}
{{ include "pointsman.selector" . }}
app.kubernetes.io/part-of: pointsman
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* name, namespace and labels of an object; argument: (list . component name). */}}
{{- define "pointsman.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "pointsman.labels" (list $root (index . 1)) | nindent 2 }}
{{- end -}}

{{- define "pointsman.account" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- default (ternary (include (printf "pointsman.%s" (index . 1)) (index . 0)) "default" $values.serviceAccount.create) $values.serviceAccount.name -}}
{{- end -}}

{{- define "pointsman.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry .Values.global.imageRegistry -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{/* Whether clients need a key; "" where they do not. */}}
{{- define "pointsman.hasAuth" -}}
{{- if .Values.existingConfig.configMap -}}
{{- if .Values.existingConfig.hasAuth }}true{{ end -}}
{{- else if dig "auth" "keys" nil .Values.config }}true{{ end -}}
{{- end -}}

{{/* The TCP port of a URL. */}}
{{- define "pointsman.portOf" -}}
{{- $url := urlParse . -}}
{{- default (ternary "80" "443" (eq $url.scheme "http")) (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host)) -}}
{{- end -}}

{{/* TCP ports out to providers: 443, those of the base URLs, those added. One a line, ascending. */}}
{{- define "pointsman.providerPorts" -}}
{{- $ports := list 443 -}}
{{- range $id, $row := .Values.config.providers | default dict -}}
{{- with dig "base_url" "" ($row | default dict) -}}
{{- $ports = append $ports (int (include "pointsman.portOf" .)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.networkPolicy.extraEgressPorts }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- $padded := list -}}
{{- range $ports }}{{ $padded = append $padded (printf "%05d" .) }}{{ end -}}
{{- range $padded | uniq | sortAlpha }}{{ printf "%s\n" (trimPrefix "0" . | trimPrefix "0" | trimPrefix "0" | trimPrefix "0") }}{{ end -}}
{{- end -}}

{{/* Whether there is a place for the pairs of blind evaluation. */}}
{{- define "pointsman.evaluates" -}}
{{- with .Values.monitor.evaluations }}{{ if or .existingSecret .path }}true{{ end }}{{ end -}}
{{- end -}}

{{/* Name of the Secret with the token that gateways and monitor share, where they evaluate. */}}
{{- define "pointsman.evaluationsToken" -}}
{{- if include "pointsman.evaluates" . -}}
{{- default (printf "%s-evaluations" (include "pointsman.fullname" .)) .Values.monitor.evaluations.tokenSecret -}}
{{- end -}}
{{- end -}}

{{/* Values that cannot be right together. */}}
{{- define "pointsman.validate" -}}
{{- $v := .Values -}}
{{- if and $v.gateway.autoscaling.enabled $v.gateway.keda.enabled -}}
{{- fail "gateway.keda.enabled and gateway.autoscaling.enabled exclude each other: set gateway.autoscaling.enabled=false" -}}
{{- end -}}
{{- if and $v.gateway.keda.enabled (not $v.gateway.keda.serverAddress) -}}
{{- fail "gateway.keda.enabled needs gateway.keda.serverAddress, the URL of Prometheus" -}}
{{- end -}}
{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor and metrics.podMonitor would read every figure twice: enable one of them" -}}
{{- end -}}
{{- if and (or $v.ingress.enabled $v.httpRoute.enabled) (not (include "pointsman.hasAuth" .)) -}}
{{- fail "an Ingress or HTTPRoute would open the providers' accounts to everyone: set config.auth.keys (or existingConfig.hasAuth, if your ConfigMap has them)" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}{{ fail "ingress.enabled needs ingress.hosts" }}{{ end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}{{ fail "httpRoute.enabled needs httpRoute.parentRefs" }}{{ end -}}
{{- if and $v.existingConfig.configMap $v.config }}{{ fail "config and existingConfig.configMap are both given: keep one of them" }}{{ end -}}
{{- with $v.sinks -}}
{{- if and .otlpLogs.enabled (not .otlpLogs.endpoint) (not $v.tracing.endpoint) }}{{ fail "sinks.otlpLogs.enabled needs sinks.otlpLogs.endpoint or tracing.endpoint" }}{{ end -}}
{{- if and .langfuse.enabled (not .langfuse.existingSecret) }}{{ fail "sinks.langfuse.enabled needs sinks.langfuse.existingSecret" }}{{ end -}}
{{- if and .helicone.enabled (not .helicone.existingSecret) }}{{ fail "sinks.helicone.enabled needs sinks.helicone.existingSecret" }}{{ end -}}
{{- if and .webhook.enabled (not .webhook.url) }}{{ fail "sinks.webhook.enabled needs sinks.webhook.url" }}{{ end -}}
{{- end -}}
{{- with $v.monitor -}}
{{- if and .evaluations.existingSecret .evaluations.path }}{{ fail "monitor.evaluations: existingSecret and path exclude each other; empty one of them" }}{{ end -}}
{{- if and .evaluations.path (or (ne .mode "deployment") .autoscaling.enabled (ne (int .replicaCount) 1)) -}}
{{- fail "monitor.evaluations.path is a file of one pod: set monitor.mode=deployment, monitor.replicaCount=1 and monitor.autoscaling.enabled=false, or use PostgreSQL by monitor.evaluations.existingSecret" -}}
{{- end -}}
{{- range default list $v.config.routes -}}
{{- if and (hasKey . "evaluate") (not (include "pointsman.evaluates" $)) -}}
{{- fail "config.routes: evaluate needs a place for its pairs: set monitor.evaluations.existingSecret, or monitor.evaluations.path" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $component := list "gateway" "monitor" -}}
{{- $budget := (index $v $component).podDisruptionBudget -}}
{{- if and $budget.enabled (eq (toString $budget.maxUnavailable) "") (eq (toString $budget.minAvailable) "") -}}
{{- fail (printf "%s.podDisruptionBudget needs maxUnavailable or minAvailable" $component) -}}
{{- end -}}
{{- if and (ne (toString $budget.maxUnavailable) "") (ne (toString $budget.minAvailable) "") -}}
{{- fail (printf "%s.podDisruptionBudget: maxUnavailable and minAvailable exclude each other; empty one of them" $component) -}}
{{- end -}}
{{- end -}}
{{- with $v.config.providers -}}
{{- range $id, $_ := $v.providerKeys -}}
{{- if not (hasKey $v.config.providers $id) -}}
{{- fail (printf "providerKeys.%s: config.providers has no %s" $id $id) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
