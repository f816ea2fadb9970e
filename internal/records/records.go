// Package records reads RunRecords: what was kept of an application's runs, after pods and events are gone. Who writes them
// is the operator.
package records

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// Of returns the records of an application's runs, the first run first. Without a UID they are those of all applications
// that had the name. A cluster whose Brazier keeps none has none.
func Of(ctx context.Context, config *rest.Config, namespace, name string, uid types.UID) ([]*recordv1.RunRecord, error) {
	client, err := kube.Records(config)
	if err != nil {
		return nil, err
	}
	var list recordv1.RunRecordList
	options := metav1.ListOptions{LabelSelector: v1beta2.LabelAppName + "=" + name}
	err = client.Get().Namespace(namespace).Resource(kube.RecordsResource).VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the records of %s/%s: %w", namespace, name, err)
	}
	var records []*recordv1.RunRecord
	for i := range list.Items {
		if record := &list.Items[i]; uid == "" || record.Application.UID == uid {
			records = append(records, record)
		}
	}
	slices.SortFunc(records, func(a, b *recordv1.RunRecord) int {
		if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 && a.Application.UID != b.Application.UID {
			return n
		}
		return int(a.Run - b.Run)
	})
	return records, nil
}

// Run returns the record of a run, or nil. Number 0 is the last run that there is a record of.
func Run(records []*recordv1.RunRecord, number int64) *recordv1.RunRecord {
	for _, record := range slices.Backward(records) {
		if number == 0 || record.Run == number {
			return record
		}
	}
	return nil
}

// Driver is what was kept of the driver's pod of a run; nil if nothing was.
func Driver(record *recordv1.RunRecord) *recordv1.Pod {
	for i := range record.Evidence.Pods {
		if pod := &record.Evidence.Pods[i]; pod.Role == recordv1.RoleDriver {
			return pod
		}
	}
	return nil
}

// Executor is what was kept of an executor's pod, by Spark's number of it; nil if nothing was.
func Executor(record *recordv1.RunRecord, number string) *recordv1.Pod {
	for i := range record.Evidence.Pods {
		if pod := &record.Evidence.Pods[i]; pod.Role == recordv1.RoleExecutor && pod.Executor == number {
			return pod
		}
	}
	return nil
}

// Logs are what was kept of the logs of a pod's containers.
func Logs(record *recordv1.RunRecord, pod string) []recordv1.Log {
	var logs []recordv1.Log
	for _, log := range record.Evidence.Logs {
		if log.Pod == pod {
			logs = append(logs, log)
		}
	}
	return logs
}

// End says in words how a pod that was kept ended, or what it was last.
func End(pod *recordv1.Pod) string {
	text := pod.Phase
	for _, container := range pod.Containers {
		if !strings.HasPrefix(container.Name, "spark-kubernetes-") && len(pod.Containers) > 1 {
			continue
		}
		if end := container.Terminated; end != nil {
			text = fmt.Sprintf("exit code %d", end.ExitCode)
			if end.Reason != "" && end.Reason != "Error" && end.Reason != "Completed" {
				text += ", " + end.Reason
			}
		}
	}
	if pod.Reason != "" {
		text += " (" + strings.TrimSpace(pod.Reason+": "+pod.Message) + ")"
	}
	return text
}
