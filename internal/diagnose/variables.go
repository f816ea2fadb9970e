package diagnose

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// What the expressions of a team's rules see of a case. It is less than there is, and does not change with it.

// Pod is a pod of the run.
type Pod struct {
	Name       string      `cel:"name"`
	Role       string      `cel:"role"`
	Executor   string      `cel:"executor"`
	Node       string      `cel:"node"`
	Phase      string      `cel:"phase"`
	Reason     string      `cel:"reason"`
	Message    string      `cel:"message"`
	Containers []Container `cel:"containers"`
	// Conditions are the types of the conditions that are not as they should be.
	Conditions []string `cel:"conditions"`
}

// Container is a container of a pod. Waiting, Reason and Message are why it does not run.
type Container struct {
	Name        string `cel:"name"`
	Image       string `cel:"image"`
	Init        bool   `cel:"init"`
	MemoryLimit int64  `cel:"memoryLimit"`
	Restarts    int64  `cel:"restarts"`
	Running     bool   `cel:"running"`
	// ExitCode is -1 while it has not ended.
	ExitCode int64  `cel:"exitCode"`
	Reason   string `cel:"reason"`
	Message  string `cel:"message"`
}

// Event is one of Kubernetes' events.
type Event struct {
	Object  string    `cel:"object"`
	Type    string    `cel:"type"`
	Reason  string    `cel:"reason"`
	Message string    `cel:"message"`
	From    string    `cel:"from"`
	Count   int64     `cel:"count"`
	At      time.Time `cel:"at"`
}

// Line is a line of a log.
type Line struct {
	Pod    string    `cel:"pod"`
	Role   string    `cel:"role"`
	Number int64     `cel:"number"`
	Text   string    `cel:"text"`
	At     time.Time `cel:"at"`

	found found
}

// Exit is how Spark's container of a pod ended.
type Exit struct {
	Role     string    `cel:"role"`
	Pod      string    `cel:"pod"`
	Executor string    `cel:"executor"`
	Code     int64     `cel:"code"`
	Reason   string    `cel:"reason"`
	At       time.Time `cel:"at"`

	end end
}

// evidence is what can be selected as such.
type evidence interface{ proof() v1alpha1.Proof }

func (l Line) proof() v1alpha1.Proof { return l.found.proof() }

func (e Exit) proof() v1alpha1.Proof { return e.end.proof }

func (e Event) proof() v1alpha1.Proof {
	return v1alpha1.Proof{Object: e.Object, Field: "event " + e.Reason, Text: shortened(e.Message), At: microTime(e.At)}
}

func (p Pod) proof() v1alpha1.Proof {
	text := p.Phase
	if p.Reason != "" {
		text += " " + p.Reason
	}
	if p.Message != "" {
		text += ": " + p.Message
	}
	return v1alpha1.Proof{Object: "Pod/" + p.Name, Field: "status", Text: shortened(text)}
}

func microTime(at time.Time) *metav1.MicroTime {
	if at.IsZero() {
		return nil
	}
	return new(metav1.NewMicroTime(at))
}

// variables are the values of an expression's variables.
func (c *Case) variables() (map[string]any, error) {
	c.said()
	if c.read.variables == nil {
		made, err := c.makeVariables()
		if err != nil {
			return nil, err
		}
		c.read.variables = made
	}
	return c.read.variables, nil
}

func (c *Case) makeVariables() (map[string]any, error) {
	lines, exits := []Line{}, []Exit{}
	for _, f := range c.said() {
		at := f.at()
		lines = append(lines, Line{Pod: f.log.Pod, Role: string(f.role), Number: f.line.Number, Text: f.text, At: at.Time, found: f})
	}
	for _, role := range []v1alpha1.Role{v1alpha1.RoleDriver, v1alpha1.RoleExecutor} {
		for _, e := range c.ends(role) {
			exits = append(exits, Exit{
				Role: string(role), Pod: e.pod, Executor: e.executor, Code: int64(e.code), Reason: e.reason, At: e.at.Time, end: e,
			})
		}
	}
	application, err := asMap(c.Application)
	if err != nil {
		return nil, err
	}
	cluster, err := clusterMap(&c.Cluster)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"namespace": c.Namespace, "name": c.Name, "ended": c.Ended,
		"pods": c.podVariables(), "events": c.eventVariables(), "logs": lines, "exits": exits,
		"application": application, "cluster": cluster,
	}, nil
}

func (c *Case) podVariables() []Pod {
	all := []Pod{}
	for i := range c.Evidence.Pods {
		p := &c.Evidence.Pods[i]
		pod := Pod{
			Name: p.Name, Role: string(p.Role), Executor: p.Executor, Node: p.Node, Phase: p.Phase, Reason: p.Reason, Message: p.Message,
			Containers: []Container{}, Conditions: []string{},
		}
		for j := range p.Containers {
			pod.Containers = append(pod.Containers, containerVariable(&p.Containers[j]))
		}
		for _, condition := range p.Conditions {
			pod.Conditions = append(pod.Conditions, condition.Type)
		}
		all = append(all, pod)
	}
	return all
}

func containerVariable(c *v1alpha1.Container) Container {
	container := Container{
		Name: c.Name, Image: c.Image, Init: c.Init, Restarts: int64(c.Restarts), Running: c.Running != nil, ExitCode: -1,
	}
	if c.MemoryLimit != nil {
		container.MemoryLimit = c.MemoryLimit.Value()
	}
	if c.Waiting != nil {
		container.Reason, container.Message = c.Waiting.Reason, c.Waiting.Message
	}
	if c.Terminated != nil {
		container.ExitCode, container.Reason, container.Message = int64(c.Terminated.ExitCode), c.Terminated.Reason, c.Terminated.Message
	}
	return container
}

func (c *Case) eventVariables() []Event {
	all := []Event{}
	for i := range c.Evidence.Events {
		e := &c.Evidence.Events[i]
		all = append(all, Event{
			Object: e.Object, Type: e.Type, Reason: e.Reason, Message: e.Message, From: e.From, Count: int64(e.Count), At: e.Last.Time,
		})
	}
	return all
}

// clusterMap is what is known of the cluster, as its objects are written; nothing is an empty list.
func clusterMap(c *Cluster) (map[string]any, error) {
	nodes := make([]corev1.Node, 0, len(c.Nodes))
	for i := range c.Nodes {
		nodes = append(nodes, c.Nodes[i].Node)
	}
	return asMap(map[string]any{
		"nodes": nodes, "quotas": orEmpty(c.Quotas), "limits": orEmpty(c.Limits), "claims": orEmpty(c.Claims), "unread": orEmpty(c.Unread),
	})
}

func orEmpty[T any](list []T) []T { return append([]T{}, list...) }

// asMap is an object as its manifest is written; empty if there is none.
func asMap(object any) (map[string]any, error) {
	fields := map[string]any{}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("write %T as JSON: %w", object, err)
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("read %T as JSON: %w", object, err)
	}
	if fields == nil {
		fields = map[string]any{}
	}
	return fields, nil
}
