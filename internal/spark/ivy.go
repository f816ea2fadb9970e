package spark

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Where the driver finds the platform's settings of Ivy, by which it gets spec.deps.packages.
const (
	ivyProperty = "spark.jars.ivySettings"
	ivyVolume   = "brazier-ivy"
	ivyDir      = "/opt/brazier/ivy"
	ivyFile     = "ivysettings.xml"
)

// ivyMounted reports whether the driver gets the platform's settings of Ivy: unless the application has its own.
func (p *planner) ivyMounted() bool {
	return p.platform.IvySettings != "" && !p.conf.has(ivyProperty)
}

// ivySettings is the ConfigMap with the platform's settings of Ivy.
func (p *planner) ivySettings() []*corev1.ConfigMap {
	if !p.ivyMounted() {
		return nil
	}
	return []*corev1.ConfigMap{p.configMap(p.names.ivy, map[string]string{ivyFile: p.platform.IvySettings}, nil)}
}

func (p *planner) ivyVolume(pod *corev1.PodSpec, spark *corev1.Container) {
	if !p.ivyMounted() {
		return
	}
	addVolume(pod, corev1.Volume{Name: ivyVolume, VolumeSource: configMapSource(p.names.ivy)})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: ivyVolume, MountPath: ivyDir, ReadOnly: true})
}

// checkIvySettings finds what is wrong with a settings file of Ivy. It is in a ConfigMap of every run, where no password
// belongs.
func checkIvySettings(text string) error {
	decoder := xml.NewDecoder(strings.NewReader(text))
	root := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("is not well-formed XML: %w", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root == "" {
			root = element.Name.Local
		}
		for _, attribute := range element.Attr {
			if attribute.Name.Local == "passwd" && !strings.HasPrefix(attribute.Value, "${") {
				return errors.New(`has a password in it, which everybody who may look at ConfigMaps could read; ` +
					`write <properties environment="env"/> and passwd="${env.NAME}", and let applications take NAME from a Secret`)
			}
		}
	}
	if root != "ivysettings" {
		return fmt.Errorf("has the root element %q; write <ivysettings>...</ivysettings>", root)
	}
	return nil
}
