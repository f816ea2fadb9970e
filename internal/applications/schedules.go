package applications

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// Schedules returns the schedules of the namespace, by name.
func (c *Client) Schedules(ctx context.Context) ([]*v1beta2.ScheduledSparkApplication, error) {
	var schedules []*v1beta2.ScheduledSparkApplication
	options := metav1.ListOptions{Limit: pageSize}
	for {
		var page v1beta2.ScheduledSparkApplicationList
		err := c.apps.Get().Namespace(c.Namespace).Resource(kube.SchedulesResource).
			VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&page)
		if err != nil {
			return nil, fmt.Errorf("list schedules: %w", err)
		}
		for i := range page.Items {
			schedules = append(schedules, &page.Items[i])
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return schedules, nil
		}
	}
}

// Schedule returns a schedule. Of a name that none has, the error names those that are near.
func (c *Client) Schedule(ctx context.Context, name string) (*v1beta2.ScheduledSparkApplication, error) {
	schedule := new(v1beta2.ScheduledSparkApplication)
	err := c.apps.Get().Namespace(c.Namespace).Resource(kube.SchedulesResource).Name(name).Do(ctx).Into(schedule)
	switch {
	case apierrors.IsNotFound(err):
		return nil, c.noSuch(ctx, "schedule", name, err)
	case err != nil:
		return nil, fmt.Errorf("read schedule %s/%s: %w", c.Namespace, name, err)
	}
	return schedule, nil
}

// CreateSchedule creates a schedule.
func (c *Client) CreateSchedule(ctx context.Context, schedule *v1beta2.ScheduledSparkApplication) (*v1beta2.ScheduledSparkApplication, error) {
	created := new(v1beta2.ScheduledSparkApplication)
	err := c.apps.Post().Namespace(schedule.Namespace).Resource(kube.SchedulesResource).
		Param("fieldValidation", "Strict").Body(schedule).Do(ctx).Into(created)
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil, fmt.Errorf("--name: there is a schedule %q in the namespace %q already; choose another name, or remove that one with \"%s\"",
			schedule.Name, schedule.Namespace, c.Flags.In(schedule.Namespace).Command("schedule rm", schedule.Name))
	case apierrors.IsNotFound(err) && !strings.Contains(err.Error(), "namespaces"):
		return nil, c.Known(err)
	case err != nil:
		return nil, fmt.Errorf("create the schedule: %w", err)
	}
	return created, nil
}

// SuspendSchedule keeps a schedule from starting further runs, or takes that back.
func (c *Client) SuspendSchedule(ctx context.Context, schedule *v1beta2.ScheduledSparkApplication, suspend bool) error {
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"suspend":%t}}`, schedule.UID, suspend)
	err := c.apps.Patch(types.MergePatchType).Namespace(schedule.Namespace).Resource(kube.SchedulesResource).Name(schedule.Name).
		Body(patch).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("set spec.suspend of schedule %s/%s: %w", schedule.Namespace, schedule.Name, err)
	}
	return nil
}

// DeleteSchedule deletes a schedule, and with it its applications, unless they are to be kept.
func (c *Client) DeleteSchedule(ctx context.Context, schedule *v1beta2.ScheduledSparkApplication, keep bool) error {
	policy := metav1.DeletePropagationBackground
	if keep {
		policy = metav1.DeletePropagationOrphan
	}
	options := &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(schedule.UID)), PropagationPolicy: &policy}
	err := c.apps.Delete().Namespace(schedule.Namespace).Resource(kube.SchedulesResource).Name(schedule.Name).Body(options).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete schedule %s/%s: %w", schedule.Namespace, schedule.Name, err)
	}
	return nil
}
