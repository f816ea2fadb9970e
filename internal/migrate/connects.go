package migrate

import (
	"fmt"
	"time"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/internal/spark"
)

// checkConnects says what becomes of Connect servers: none is handed over. Brazier knows a server of its own by the run that it
// has counted; every other it makes anew, and to that end removes what is there.
func checkConnects(inv Inventory) []Finding {
	var findings []Finding
	for i := range inv.Connects {
		object := &inv.Connects[i]
		connect, found := decode[v1alpha1.SparkConnect](object)
		if connect != nil {
			if connect.Status.Run > 0 {
				continue // Brazier's already
			}
			found = append(found, checkServer(connect)...)
		}
		findings = append(findings, about(name(v1alpha1.SparkConnectKind, object.GetNamespace(), object.GetName()), found)...)
	}
	return findings
}

func checkServer(connect *v1alpha1.SparkConnect) []Finding {
	running := connect.Status.State != v1alpha1.SparkConnectStateNew && connect.Status.State != v1alpha1.SparkConnectStateFailed
	// As in checkSpec, neither time nor platform matters.
	_, err := spark.NewConnect(connect, spark.Run{Number: 1, SubmittedAt: time.Unix(0, 0)}, spark.Platform{Image: "spark:{{SPARK_VERSION}}"})
	switch {
	case err != nil && running:
		return refusals(err, "spec", "it is not handed over, and Brazier makes no server of it: the one that runs loses its executors; ")
	case err != nil:
		return refusals(err, "spec", "Brazier makes no server of it: ")
	case running:
		return []Finding{{
			Severity: Lost,
			Means: fmt.Sprintf("it is not handed over: Brazier stops its server %s with its executors as soon as it starts, and makes another; "+
				"the sessions of its clients end", serverOf(connect)),
			Do: "tell its users, and take over when they can do without it",
		}}
	default:
		return []Finding{{Severity: Kept, Means: "it has no server; Brazier makes one"}}
	}
}

// serverOf is the pod of a server as the other operator calls it, where status does not say so either.
func serverOf(connect *v1alpha1.SparkConnect) string {
	if pod := connect.Status.Server.PodName; pod != "" {
		return pod
	}
	return connect.Name + "-server"
}
