package applications

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

const (
	// uiPortName is what Spark calls the driver's port of the web interface: Constants.UI_PORT_NAME.
	uiPortName = "spark-ui"
	// defaultUIPort is spark.ui.port's default.
	defaultUIPort = 4040
)

// UIPort is the port that the driver's web interface and REST API listen on. The driver's pod says it where it is known:
// its properties are the application's and the platform's. status.driverInfo.webUIPort is another: the Service's, which
// sparkUIOptions.servicePort may have moved.
func UIPort(app *v1beta2.SparkApplication, driver *corev1.Pod) int {
	if driver != nil {
		if port := PodUIPort(driver); port != 0 {
			return port
		}
	}
	if port, err := strconv.Atoi(app.Spec.SparkConf["spark.ui.port"]); err == nil && port > 0 {
		return port
	}
	return defaultUIPort
}

// PodUIPort is the port of the web interface that a driver's pod names; 0 where it names none.
func PodUIPort(driver *corev1.Pod) int {
	for _, container := range driver.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == uiPortName {
				return int(port.ContainerPort)
			}
		}
	}
	return 0
}

// ServesUI reports whether an application has a web interface while it runs.
func ServesUI(app *v1beta2.SparkApplication) bool {
	return !strings.EqualFold(strings.TrimSpace(app.Spec.SparkConf["spark.ui.enabled"]), "false")
}
