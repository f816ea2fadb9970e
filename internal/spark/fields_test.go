package spark

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// fieldsBase is an application in which every field of the API can make a difference.
const fieldsBase = `
metadata: {name: app, namespace: team, uid: u}
spec:
  type: Java
  sparkVersion: 4.3.0
  mainClass: com.example.Main
  mainApplicationFile: local:///opt/app.jar
  volumes: [{name: data, emptyDir: {}}, {name: more, emptyDir: {}}]
  dynamicAllocation: {enabled: true}
  driver: {volumeMounts: [{name: data, mountPath: /data}]}
  executor: {}
`

// fieldSamples gives each field a value other than in fieldsBase, by its path below spec. Those of driver and executor
// are the same, under "*".
func fieldSamples() map[string]string {
	return map[string]string{
		"type": "Python", "sparkVersion": "4.1.0", "mode": "client", "proxyUser": "alice", "image": "i", "imagePullPolicy": "Always",
		"imagePullSecrets": "[s]", "mainClass": "com.example.Other", "mainApplicationFile": "local:///opt/other.jar",
		"arguments": "[a]", "sparkConf": "{spark.x: y}", "hadoopConf": "{x: y}", "sparkConfigMap": "c", "hadoopConfigMap": "c",
		"volumes": "[{name: data, hostPath: {path: /data}}]", "nodeSelector": "{a: b}", "pythonVersion": `"2"`,
		"memoryOverheadFactor": `"0.7"`, "batchScheduler": "b", "driverIngressOptions": "[{servicePort: 1, servicePortName: p}]",
		"driverPodDisruptionBudget": "true",

		"deps.jars": "['local:///a']", "deps.files": "['local:///a']", "deps.pyFiles": "['local:///a']", "deps.archives": "['local:///a']",
		"deps.packages": "['a:b:c']", "deps.excludePackages": "['a:b']", "deps.repositories": "['https://m.example']",

		"dynamicAllocation.enabled": "false", "dynamicAllocation.initialExecutors": "2", "dynamicAllocation.minExecutors": "2",
		"dynamicAllocation.maxExecutors": "2", "dynamicAllocation.shuffleTrackingEnabled": "false",
		"dynamicAllocation.shuffleTrackingTimeout": "5",

		"monitoring.exposeDriverMetrics": "true", "monitoring.exposeExecutorMetrics": "true", "monitoring.metricsProperties": "x",
		"monitoring.metricsPropertiesFile": "x", "monitoring.prometheus.jmxExporterJar": "x", "monitoring.prometheus.port": "9000",
		"monitoring.prometheus.portName": "x", "monitoring.prometheus.configFile": "x", "monitoring.prometheus.configuration": "x",
		"batchSchedulerOptions.queue": "q", "batchSchedulerOptions.priorityClassName": "p", "batchSchedulerOptions.resources": `{cpu: "1"}`,
		"sparkUIOptions.servicePort": "80", "sparkUIOptions.servicePortName": "p", "sparkUIOptions.serviceType": "NodePort",
		"sparkUIOptions.serviceAnnotations": "{a: b}", "sparkUIOptions.serviceLabels": "{a: b}",
		"sparkUIOptions.ingressAnnotations": "{a: b}", "sparkUIOptions.ingressTLS": "[{hosts: [h]}]",

		"*.template": "{spec: {hostname: h}}", "*.cores": "3", "*.coreLimit": `"4"`, "*.coreRequest": "500m", "*.memory": "3g",
		"*.memoryLimit": "9g", "*.memoryOverhead": "900m", "*.gpu.name": "n.example/gpu", "*.gpu.quantity": "2", "*.image": "i",
		"*.configMaps": "[{name: thing, path: /p}]", "*.secrets": "[{name: thing, path: /p, secretType: Generic}]",
		"*.env": "[{name: A, value: b}]", "*.envVars": "{A: b}", "*.envFrom": "[{secretRef: {name: thing}}]",
		"*.envSecretKeyRefs": "{A: {name: thing, key: k}}", "*.labels": "{a: b}", "*.annotations": "{a: b}",
		"*.volumeMounts": "[{name: more, mountPath: /more}]", "*.affinity": "{nodeAffinity: {}}", "*.tolerations": "[{key: k}]",
		"*.podSecurityContext": "{fsGroup: 1}", "*.securityContext": "{runAsUser: 1}", "*.schedulerName": "s",
		"*.sidecars": "[{name: s}]", "*.initContainers": "[{name: i}]", "*.hostNetwork": "true", "*.nodeSelector": "{a: b}",
		"*.dnsConfig": "{nameservers: [10.0.0.1]}", "*.terminationGracePeriodSeconds": "7", "*.serviceAccount": "s",
		"*.hostAliases": "[{ip: 10.0.0.1}]", "*.shareProcessNamespace": "true", "*.javaOptions": "-Da=b",
		"*.lifecycle": "{preStop: {exec: {command: [c]}}}", "*.ports": "[{name: p, protocol: TCP, containerPort: 1}]",
		"*.priorityClassName": "p", "*.runtimeClassName": "r",
		"driver.podName": "p", "driver.kubernetesMaster": "https://m.example", "driver.serviceAnnotations": "{a: b}",
		"driver.serviceLabels": "{a: b}", "executor.instances": "5", "executor.deleteOnTermination": "false",
	}
}

// fieldsElsewhere are what the application controller acts on; a plan is the same whatever they say.
func fieldsElsewhere() []string {
	return []string{
		"suspend", "failureRetries", "retryInterval", "timeToLiveSeconds", "restartPolicy.type",
		"restartPolicy.onSubmissionFailureRetries", "restartPolicy.onFailureRetries",
		"restartPolicy.onSubmissionFailureRetryInterval", "restartPolicy.onFailureRetryInterval",
	}
}

// TestEveryFieldCounts sets each field of the API alone: it has to change the plan, or be refused by its path. A field
// that is neither was dropped without a word, which is what no user of a manifest can find out.
func TestEveryFieldCounts(t *testing.T) {
	baseline, err := New(sampleApplication(t, "", ""), testRun(), testPlatform())
	if err != nil {
		t.Fatal(err)
	}
	want := string(render(t, baseline))
	samples, elsewhere := fieldSamples(), fieldsElsewhere()
	for _, path := range fieldPaths(reflect.TypeFor[v1beta2.SparkApplicationSpec](), "") {
		t.Run(path, func(t *testing.T) {
			if slices.Contains(elsewhere, path) {
				return
			}
			sample, ok := samples[path]
			if !ok {
				_, rest, _ := strings.Cut(path, ".")
				sample, ok = samples["*."+rest]
			}
			if !ok {
				t.Fatal("the API has a new field; honour or refuse it, and give it a sample here")
			}
			plan, err := New(sampleApplication(t, path, sample), testRun(), testPlatform())
			if err != nil {
				if !refuses(err, path) {
					t.Errorf("refused, but not by its path: %v", err)
				}
				return
			}
			if string(render(t, plan)) == want {
				t.Error("the field changes nothing and is not refused")
			}
		})
	}
}

// fieldPaths are the paths of all fields that are not structs of the API themselves.
func fieldPaths(of reflect.Type, prefix string) []string {
	var paths []string
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		path := prefix + name
		switch {
		case kind.Kind() != reflect.Struct || !strings.Contains(kind.PkgPath(), "/brazier/api/"):
			paths = append(paths, path)
		case f.Anonymous:
			paths = append(paths, fieldPaths(kind, prefix)...)
		default:
			paths = append(paths, fieldPaths(kind, path+".")...)
		}
	}
	return paths
}

// refuses reports whether err names the field at path, or one that it is part of.
func refuses(err error, path string) bool {
	for ; path != ""; path = path[:max(strings.LastIndexByte(path, '.'), 0)] {
		if strings.Contains(err.Error(), "spec."+path) {
			return true
		}
	}
	return false
}

// sampleApplication is fieldsBase with the field at path set to a value in YAML.
func sampleApplication(t *testing.T, path, value string) *v1beta2.SparkApplication {
	t.Helper()
	app := &v1beta2.SparkApplication{}
	if err := yaml.UnmarshalStrict(withSample(t, fieldsBase, path, value), app); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return app
}

// withSample is base with the field at path, below spec, set to a value in YAML.
func withSample(t *testing.T, base, path, value string) []byte {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal([]byte(base), &object); err != nil {
		t.Fatal(err)
	}
	if path != "" {
		var sample any
		if err := yaml.Unmarshal([]byte(value), &sample); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		at := object["spec"].(map[string]any)
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			if at[key] == nil {
				at[key] = map[string]any{}
			}
			at = at[key].(map[string]any)
		}
		at[keys[len(keys)-1]] = sample
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
