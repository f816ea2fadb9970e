package follow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
)

// pollTimeout bounds one look at the driver. It is long, since a driver whose answer nobody waits for any more writes a
// page of errors into its log.
const pollTimeout = time.Minute

// errNoApplication is met while the driver's web interface is up and its SparkContext is not.
var errNoApplication = errors.New("the driver serves no application yet")

// driverAPI is the REST API of a running driver, reached through the API server: whoever follows needs no way into the
// pod network. Its paths and fields are those of org.apache.spark.status.api.v1, "Monitoring" in Spark's documentation.
type driverAPI struct {
	client         rest.Interface
	namespace, pod string
	port           int
}

type jobInfo struct {
	ID          int    `json:"jobId"`
	Name        string `json:"name"`
	Description string `json:"description"`
	StageIDs    []int  `json:"stageIds"`
	Completed   int    `json:"numCompletedStages"`
	Skipped     int    `json:"numSkippedStages"`
}

type stageInfo struct {
	ID          int    `json:"stageId"`
	Attempt     int    `json:"attemptId"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Tasks       int    `json:"numTasks"`
	Active      int    `json:"numActiveTasks"`
	Complete    int    `json:"numCompleteTasks"`
	Failed      int    `json:"numFailedTasks"`
}

type executorInfo struct {
	Active    int `json:"activeTasks"`
	Failed    int `json:"failedTasks"`
	Completed int `json:"completedTasks"`
}

// poll looks at the driver once. It asks only for what runs, so that an answer stays small however long the application
// has been running.
func (d driverAPI) poll(ctx context.Context) (spark, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()

	var applications []struct {
		ID string `json:"id"`
	}
	if err := d.get(ctx, &applications, nil); err != nil {
		return spark{}, err
	}
	if len(applications) == 0 {
		return spark{}, errNoApplication
	}
	id := applications[0].ID

	var jobs []jobInfo
	var stages []stageInfo
	var executors []executorInfo
	err := errors.Join(
		d.get(ctx, &jobs, map[string]string{"status": "running"}, id, "jobs"),
		d.get(ctx, &stages, map[string]string{"status": "active"}, id, "stages"),
		d.get(ctx, &executors, nil, id, "executors"),
	)
	return summarize(jobs, stages, executors), err
}

func (d driverAPI) get(ctx context.Context, into any, params map[string]string, path ...string) error {
	request := d.client.Get().Namespace(d.namespace).Resource("pods").Name(d.pod + ":" + strconv.Itoa(d.port)).
		SubResource("proxy").Suffix(append([]string{"api", "v1", "applications"}, path...)...)
	for name, value := range params {
		request = request.Param(name, value)
	}
	body, err := request.Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("ask the driver: %w", err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the driver's answer: %w", err)
	}
	return nil
}

// callSite matches the folders of a call site: the driver keeps the job's file in one that says nothing to anybody.
var callSite = regexp.MustCompile(` at /\S*/`)

// title is what people call a job or a stage: the description that the job gave it, else where it was called.
func title(description, name string) string {
	return callSite.ReplaceAllString(cmp.Or(description, name), " at ")
}

// summarize takes from the driver's answers what is shown of them, oldest first.
func summarize(jobs []jobInfo, stages []stageInfo, executors []executorInfo) spark {
	var now spark
	for _, j := range jobs {
		now.jobs = append(now.jobs, job{
			id: j.ID, name: title(j.Description, j.Name), stages: len(j.StageIDs) - j.Skipped, done: j.Completed,
		})
	}
	for _, s := range stages {
		now.stages = append(now.stages, stage{
			id: s.ID, attempt: s.Attempt, name: title(s.Description, s.Name),
			tasks: s.Tasks, active: s.Active, done: s.Complete, failed: s.Failed,
		})
	}
	for _, e := range executors {
		now.active += e.Active
		now.done += e.Completed
		now.failed += e.Failed
	}
	slices.SortFunc(now.jobs, func(a, b job) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(now.stages, func(a, b stage) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.attempt, b.attempt))
	})
	return now
}
