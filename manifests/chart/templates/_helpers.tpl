{{- define "weir.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "weir.host" -}}
{{ include "weir.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{- define "weir.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "weir.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.create is false: write the account's name as serviceAccount.name" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "weir.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/component: external-metrics-adapter
{{- end -}}

{{- define "weir.labels" -}}
{{ include "weir.selector" . }}
{{ include "weir.ownLabels" . }}
{{- end -}}

{{- /* Not those of the selector: Service, PodDisruptionBudget and NetworkPolicies select only pods that serve. */ -}}
{{- define "weir.checkLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/component: config-check
{{ include "weir.ownLabels" . }}
{{- end -}}

{{- define "weir.ownLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.customLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "weir.config" -}}
{{ toYaml (default (dict "weir.yaml" (.Files.Get "files/weir.yaml")) .Values.config.files) }}
{{- end -}}

{{- define "weir.checked" -}}
{{- if and .Values.tls.enable .Values.certManager.enabled -}}
{{- fail "tls.enable and certManager.enabled are both set; choose one" -}}
{{- end -}}
{{- if not (or .Values.tls.enable .Values.certManager.enabled) -}}
{{- fail "the cluster could not verify Weir: set certManager.enabled=true, or tls.enable=true with tls.ca, tls.certificate and tls.key (--set-file; `certs/serving NAMESPACE SERVICE` makes them)" -}}
{{- end -}}
{{- if and .Values.tls.enable (not (and .Values.tls.ca .Values.tls.certificate .Values.tls.key)) -}}
{{- fail "tls.enable needs the three PEM texts tls.ca, tls.certificate and tls.key" -}}
{{- end -}}
{{- $minutes := regexFind "[0-9]+m" .Values.shutdownDelay | trimSuffix "m" | float64 | int -}}
{{- $seconds := regexFind "[0-9]+s" .Values.shutdownDelay | trimSuffix "s" | float64 | int -}}
{{- $needed := add (mul 60 $minutes) $seconds 30 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "terminationGracePeriodSeconds %d ends before reads in flight do: set it to at least %d, the shutdownDelay %s and the longest metric deadline, 30 s" (int .Values.terminationGracePeriodSeconds) (int $needed) .Values.shutdownDelay) -}}
{{- end -}}
{{- end -}}
