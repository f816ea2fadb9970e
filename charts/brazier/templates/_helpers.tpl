{{/* The names are fixed: a cluster, or a namespace, has one Brazier. */}}
{{- define "brazier.name" -}}brazier-operator{{- end }}

{{/* The labels by which Services, budgets and policies find the operator's pods. A Deployment can never change them. */}}
{{- define "brazier.selector" -}}
app.kubernetes.io/name: brazier
app.kubernetes.io/component: operator
{{- end }}

{{- define "brazier.labels" -}}
app.kubernetes.io/name: brazier
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "brazier.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository: the operator's image has to be said; \"brazier install --operator-image IMAGE --push\" makes and pushes one" $image.repository -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The name of the account that drivers run as where applications name none. */}}
{{- define "brazier.driverAccount" -}}{{ .Values.config.serviceAccount | default "spark" }}{{- end }}

{{/* The operator's configuration: the user's, and what probes, ports and rights have to agree with. */}}
{{- define "brazier.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "leaderElectionNamespace" .Release.Namespace -}}
{{- $_ := set $config "healthAddress" ":8081" -}}
{{- $_ := set $config "metricsAddress" ":8443" -}}
{{- $_ := set $config "workers" (int .Values.workers) -}}
{{- $_ := set $config "logLevel" .Values.logLevel -}}
{{- if eq .Values.rbac.scope "namespaces" -}}
{{- $names := list -}}
{{- range .Values.namespaces }}{{ $names = append $names .name }}{{ end -}}
{{- $_ := set $config "namespaces" ($names | uniq | sortAlpha) -}}
{{- else if .Values.namespaceSelector -}}
{{- $_ := set $config "namespaceSelector" .Values.namespaceSelector -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Nine tenths of a memory quantity, in bytes: the rest is for what the Go runtime does not count. */}}
{{- define "brazier.goMemory" -}}
{{- $quantity := toString . -}}
{{- $number := regexFind "^[0-9.]+" $quantity -}}
{{- $unit := trimPrefix $number $quantity -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- if not (and $number (hasKey $units $unit)) -}}
{{- fail (printf "resources.limits.memory: %q is not a size; write for example 512Mi" $quantity) -}}
{{- end -}}
{{- mulf (float64 $number) (get $units $unit) 0.9 | floor | int64 -}}
{{- end }}
