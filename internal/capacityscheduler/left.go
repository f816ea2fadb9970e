package capacityscheduler

import (
	"path"
	"strings"
)

// fate is what becomes of settings that nothing here reads. A star stands for any words.
type fate struct{ setting, text string }

// unread is the fate of what is known by no name.
const unread = "nothing here reads it"

// ofQueue are the fates of what is said of a queue; the first that matches holds.
func ofQueue() []fate {
	return []fate{
		{"maximum-application-lifetime", "how long an application may run is said by itself, as the annotation brazier.sh/max-run-time"},
		{"default-application-lifetime", "how long an application may run is said by itself, as the annotation brazier.sh/max-run-time"},
		{"minimum-user-limit-percent", "what a user may have does not depend on how many others there are; spec.users.percent is a fixed bound"},
		{"user-settings.*", "users have no weights; the order Priority lets go who has used less"},
		{"acl_application_max_priority", "priorities are bounded for all in a queue, by spec.priorities.max"},
		{"acl_*", "there are no reservations"},
		{"auto-create-child-queue.*", "queues are not made by themselves; apply one for each user or group that needs it"},
		{"auto-queue-creation*", "queues are not made by themselves; apply one for each user or group that needs it"},
		{"leaf-queue-template.*", "queues are not made by themselves; apply one for each user or group that needs it"},
		{"maximum-allocation*", "the size of an executor is bounded by the nodes; a LimitRange bounds it in a namespace"},
		{"intra-queue-preemption.*", "the first of a queue takes from executors of no higher priority in it, always"},
		{"disable_preemption", "it is said of the queues below, which have it"},
		{"priority", "queues go by what they have less of than they are guaranteed, not by priority"},
		{"ordering-policy", "queues go by what they have less of than they are guaranteed, not by priority"},
		{"ordering-policy.*", "the order has nothing to set"},
		{"accessible-node-labels.*.maximum-am-resource-percent", "what drivers may have is one percentage for all flavours, spec.driverPercent"},
		{"accessible-node-labels.*", "the queue says nothing else of a label"},
		{"maximum-applications", "only queues without parts say it"},
		{"maximum-am-resource-percent", "only queues without parts say it"},
		{"user-limit-factor", "only queues without parts say it"},
		{"default-application-priority", "only queues without parts say it"},
		{"default-node-label-expression", "only queues without parts say it"},
		{"multi-node-sorting.*", "Kubernetes' scheduler chooses the node"},
		{"reservable", "there are no reservations"},
		{"reservation-*", "there are no reservations"},
		{"show-reservations-as-queues", "there are no reservations"},
		{"average-capacity", "there are no reservations"},
		{"instantaneous-max-capacity", "there are no reservations"},
		{"*", unread},
	}
}

// ofAll are the fates of what is said of all queues, or of the scheduler.
func ofAll() []fate {
	const nodes = "Kubernetes' scheduler chooses the node"
	return []fate{
		{"resource-calculator", "shares are compared by the resource of which a queue has most, as by DominantResourceCalculator"},
		{"node-locality-delay", "data is not on the nodes"},
		{"rack-locality-*", "data is not on the nodes"},
		{"per-node-heartbeat.*", nodes},
		{"schedule-asynchronously.*", nodes},
		{"multi-node-*", nodes},
		{"reservations-continue-look-all-nodes", nodes},
		{"minimum-user-limit-percent", "what a user may have does not depend on how many others there are; spec.users.percent is a fixed bound"},
		{"user.*", "users have no bounds of their own; spec.users bounds each user of a queue"},
		{"mapping-rule-*", "an application names its queue, or its namespace is one of spec.namespaces"},
		{"queue-mappings-override.enable", "an application's own word comes before its namespace's"},
		{"workflow-priority-mappings*", "an application says its priority itself, as the annotation brazier.sh/priority"},
		{"application.fail-fast", "an application whose queue is gone waits"},
		{"lazy-preemption-enabled", "nothing is taken before somebody lacks it, always"},
		{"user-metrics.enable", "metrics are of queues"},
		{"legacy-queue-mode.enabled", "capacities are read as in legacy mode"},
		{"*", unread},
	}
}

// ofPreemption are the fates of what is said of taking back.
func ofPreemption() []fate {
	return []fate{
		{"monitoring_interval", "queues are looked at when something changes"},
		{"natural_termination_factor", "what is lacking is taken at once, up to spec.cluster.reclaimPercent"},
		{"intra-queue-preemption.*", "the first of a queue takes from executors of no higher priority in it, always"},
		{"*", unread},
	}
}

func (f fate) matches(setting string) bool {
	ok, err := path.Match(f.setting, strings.ReplaceAll(setting, "/", "."))
	return ok && err == nil
}

func fateOf(fates []fate, setting string) string {
	for _, f := range fates {
		if f.matches(setting) {
			return f.text
		}
	}
	return ""
}

// left tells of everything of which nothing was made. What says no more than would hold without it is passed over.
func (i *importer) left() {
	paths := map[string]*queue{}
	for _, q := range i.queues {
		paths[q.path] = q
	}
	for _, key := range i.settings.keys() {
		if i.settings.taken[key] || !i.settings.listed[key] {
			continue
		}
		value, _ := i.settings.take(key)
		if text := i.fate(paths, key, value); text != "" {
			i.lost(key+" = "+value, "%s", text)
		}
	}
}

func (i *importer) fate(paths map[string]*queue, key, value string) string {
	if setting, ok := strings.CutPrefix(key, preemption); ok {
		return fateOf(ofPreemption(), setting)
	}
	setting, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return "it is not the CapacityScheduler's"
	}
	if setting != rootPath && !strings.HasPrefix(setting, rootPath+".") {
		return fateOf(ofAll(), setting)
	}
	at := setting
	for paths[at] == nil {
		cut := strings.LastIndexByte(at, '.')
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(setting, at), ".")
	if without(rest, value) {
		return ""
	}
	text := fateOf(ofQueue(), rest)
	if text == unread && strings.Contains(rest, ".") {
		return "there is no queue " + setting[:strings.LastIndexByte(setting, '.')] + " in any .queues"
	}
	return text
}

// without reports whether a setting says what holds without it.
func without(setting, value string) bool {
	switch setting {
	case "minimum-user-limit-percent":
		return value == "100"
	case "ordering-policy":
		return value == "utilization"
	case "maximum-application-lifetime", "default-application-lifetime":
		return strings.HasPrefix(value, "-")
	case "priority":
		return value == "0"
	}
	return false
}

// mappings tells of the rules by which YARN finds a user's queue. A user of YARN is no namespace, so they are not kept; what to
// do instead is said of each.
func (i *importer) mappings() {
	for _, setting := range []string{prefix + "queue-mappings", "yarn.scheduler.queue-placement-rules.app-name"} {
		list, _ := i.settings.take(setting)
		for _, rule := range words(list, ",") {
			parts := words(rule, ":")
			if len(parts) < 2 {
				i.fail("%s: %q is no rule; write for example u:alice:etl or g:analysts:bi", setting, rule)
				continue
			}
			i.mapping(setting, rule, parts)
		}
	}
}

func (i *importer) mapping(setting, rule string, parts []string) {
	subject := setting + ": " + rule
	target := parts[len(parts)-1]
	q := i.find(target)
	switch {
	case strings.Contains(rule, "%"):
		i.lost(subject, "a queue for each user or group; list each one's namespaces in spec.namespaces of its queue")
	case q == nil:
		i.lost(subject, "there is no queue %s", target)
	case setting != prefix+"queue-mappings":
		i.lost(subject, "put the label brazier.sh/queue=%s on these applications", q.name)
	default:
		i.lost(subject, "list the namespaces of %s in spec.namespaces of queue %s", parts[len(parts)-2], q.name)
	}
}

// find is the queue of a path, or of a last word that only one has.
func (i *importer) find(target string) *queue {
	var found *queue
	for _, q := range i.queues {
		if q.path == target || q.path == rootPath+"."+target {
			return q
		}
		if q.short() == target {
			if found != nil && q.leaf() && found.leaf() {
				return nil
			}
			found = q
		}
	}
	return found
}
