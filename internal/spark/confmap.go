package spark

import (
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/internal/properties"
)

// properties are what the driver starts with: what the application has, and what the steps found out.
func (p *planner) properties() map[string]string {
	props := maps.Clone(p.conf.values)
	heap := p.conf.miB("spark.driver.memory", 1024)
	if size, ok := props["spark.driver.memory"]; ok {
		props["spark.driver.memory"] = heapSize(size, heap)
	}
	ports := p.driverPorts()
	maps.Copy(props, map[string]string{
		"spark.app.id":                            p.names.appID,
		"spark.driver.host":                       p.host(),
		"spark.driver.port":                       strconv.Itoa(int(ports[0].number)),
		"spark.driver.blockManager.port":          strconv.Itoa(int(ports[1].number)),
		"spark.kubernetes.driver.pod.name":        p.names.driverPod,
		"spark.kubernetes.executor.podNamePrefix": p.executorPrefix(),
		"spark.kubernetes.memoryOverheadFactor":   strconv.FormatFloat(p.overheadFactor(), 'g', -1, 64),
		"spark.kubernetes.resource.type":          resourceType(p.app),
		"spark.kubernetes.submitInDriver":         "true",
	})
	maps.Copy(props, p.executorTemplateProperties())
	maps.Copy(props, p.javaOptions())
	if p.ivyMounted() {
		props[ivyProperty] = ivyDir + "/" + ivyFile
	}
	if name := p.conf.get("spark.kubernetes.hadoop.configMapName"); name != "" {
		props["spark.kubernetes.executor.hadoopConfigMapName"] = name
	}
	return props
}

func (p *planner) executorPrefix() string {
	if prefix := p.conf.get("spark.kubernetes.executor.podNamePrefix"); prefix != "" {
		return prefix
	}
	return p.names.prefix
}

// confMap is the driver's configuration directory: KubernetesClientUtils.buildConfigMap.
func (p *planner) confMap() *corev1.ConfigMap {
	return p.configMap(p.names.conf, map[string]string{
		confFile:                     properties.Format(p.properties()),
		"spark.kubernetes.namespace": p.app.Namespace,
	}, nil)
}

// The most that a ConfigMap may hold: the API server's limit, and spark.kubernetes.configMap.maxSize's default.
const maxConfigMap = 1 << 20

// configMap makes an immutable ConfigMap of the run.
func (p *planner) configMap(name string, text map[string]string, binary map[string][]byte) *corev1.ConfigMap {
	size := 0
	for k, v := range text {
		size += len(k) + len(v)
	}
	for k, v := range binary {
		size += len(k) + len(v)
	}
	if size > maxConfigMap {
		p.conf.errs = append(p.conf.errs, field.TooLong(field.NewPath("spec"), name, maxConfigMap))
	}
	immutable := true
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: p.meta(name),
		Immutable:  &immutable,
		Data:       text,
		BinaryData: binary,
	}
}
