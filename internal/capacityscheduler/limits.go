package capacityscheduler

import (
	"math/big"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// drained reports whether a queue lets nothing in: YARN's STOPPED and DRAINING.
func (i *importer) drained(q *queue) bool {
	text, ok := i.of(q, "state")
	if !ok {
		return false
	}
	switch strings.ToUpper(text) {
	case "RUNNING":
		return false
	case "STOPPED", "DRAINING":
		return true
	}
	i.fail("%s: %q is no state of a queue; write RUNNING, STOPPED or DRAINING", q.key("state"), text)
	return false
}

// whole reads a whole number. One below zero is as good as none, as in YARN.
func (i *importer) whole(key string) *int32 {
	text, ok := i.settings.take(key)
	if !ok {
		return nil
	}
	value, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		i.fail("%s: %q is not a whole number; write for example 100", key, text)
		return nil
	}
	if value < 0 {
		return nil
	}
	number := int32(value)
	return &number
}

// fraction reads a number that a queue says, or all of them together do. YARN's own where neither says one.
func (i *importer) fraction(q *queue, setting, otherwise string) (value *big.Rat, said bool) {
	i.settings.take(prefix + setting)
	for _, key := range []string{q.key(setting), prefix + setting} {
		text, ok := i.settings.take(key)
		if !ok {
			continue
		}
		if strings.HasPrefix(text, "-") {
			return nil, true
		}
		value, ok := parseNumber(text)
		if !ok {
			i.fail("%s: %q is not a number; write for example %s", key, text, otherwise)
			return nil, true
		}
		return value, true
	}
	value, _ = parseNumber(otherwise)
	return value, false
}

// maxRunning is how many applications may run: of a queue, or what all of them say together.
func (i *importer) maxRunning(q *queue) *int32 {
	all := i.whole(prefix + "max-parallel-apps")
	if own := i.whole(q.key("max-parallel-apps")); own != nil {
		return own
	}
	return all
}

// ofLeaf is what queues without parts have.
func (i *importer) ofLeaf(q *queue, spec *v1alpha1.QueueSpec) {
	spec.Flavours = i.flavours(q)
	spec.MaxWaiting = i.maxWaiting(q)
	spec.DriverPercent = i.driverPercent(q)
	i.order(q, spec)
	if i.whole(prefix+"user.max-parallel-apps") != nil {
		i.changed(prefix+"user.max-parallel-apps", "it holds for each queue by itself, not for all of them together")
	}
	users := v1alpha1.UserLimits{Percent: i.userPercent(q), MaxRunning: i.whole(prefix + "user.max-parallel-apps")}
	if users != (v1alpha1.UserLimits{}) {
		spec.Users = &users
	}
}

// maxWaiting is how many applications may wait. In YARN they count together with those that run. Where a queue does not say,
// it has its part of what all may have: AbstractLeafQueue.
func (i *importer) maxWaiting(q *queue) *int32 {
	own := i.whole(q.key("maximum-applications"))
	each := i.whole(prefix + "global-queue-max-application")
	all := i.whole(prefix + "maximum-applications")
	switch {
	case own != nil:
		return own
	case each != nil:
		return each
	case all == nil:
		return nil
	}
	part := new(big.Rat)
	for _, s := range q.shares {
		if s.part != nil && s.part.Cmp(part) > 0 {
			part = s.part
		}
	}
	if part.Sign() == 0 {
		i.lost(q.path, "its part of the %d maximum-applications of all queues, as its part of the cluster is not known; set spec.maxWaiting", *all)
		return nil
	}
	if part.Cmp(big.NewRat(1, 1)) > 0 { // Amounts may be more than there is.
		return all
	}
	number := int32(floor(new(big.Rat).Mul(part, big.NewRat(int64(*all), 1))))
	return &number
}

func floor(value *big.Rat) int64 { return new(big.Int).Quo(value.Num(), value.Denom()).Int64() }

// ceiling is a fraction in whole percent, rounded up; nil where it is no bound.
func ceiling(fraction *big.Rat) *int32 {
	if fraction.Cmp(big.NewRat(1, 1)) >= 0 {
		return nil
	}
	scaled := new(big.Rat).Mul(fraction, hundred)
	percent := floor(scaled)
	if !scaled.IsInt() {
		percent++
	}
	number := int32(max(percent, 1))
	return &number
}

// driverPercent is what drivers may have: what application masters may in YARN.
func (i *importer) driverPercent(q *queue) *int32 {
	const setting = "maximum-am-resource-percent"
	value, said := i.fraction(q, setting, "0.1")
	if value == nil {
		return nil
	}
	if !said {
		i.changed(prefix+setting, "it is not set, which in YARN is 0.1: drivers may have 10 percent of a queue")
	}
	return ceiling(value)
}

// userPercent is what one user may have: in YARN so many times what the queue is guaranteed, here a part of the most that it
// may use.
func (i *importer) userPercent(q *queue) *int32 {
	const setting = "user-limit-factor"
	factor, said := i.fraction(q, setting, "1")
	if factor == nil {
		return nil
	}
	s := q.shares[""]
	part := s.partOfMost()
	if part == nil {
		i.lost(q.path, "%s %s, as it is not known what the queue's capacity is of the most that it may use; set spec.users.percent", setting, decimal(factor))
		return nil
	}
	if part.Sign() == 0 {
		return nil
	}
	percent := ceiling(new(big.Rat).Mul(part, factor))
	if percent != nil && !said {
		i.changed(prefix+setting, "it is not set, which in YARN is 1: one user may have as much as the queue is guaranteed, and no more")
	}
	return percent
}

// partOfMost is what is guaranteed, as a part of the most.
func (s *share) partOfMost() *big.Rat {
	guaranteed, most := s.part, s.most
	if guaranteed == nil || most == nil {
		guaranteed, most = s.guaranteed[corev1.ResourceMemory], s.limit[corev1.ResourceMemory]
	}
	if guaranteed == nil || most == nil || most.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(guaranteed, most)
}

// order is in which order applications leave the queue. YARN's fifo looks at priorities first, which there are where the queue
// or the cluster says so.
func (i *importer) order(q *queue, spec *v1alpha1.QueueSpec) {
	const clusterMax = "yarn.cluster.max-application-priority"
	usual, highest := i.whole(q.key("default-application-priority")), i.whole(clusterMax)
	prioritised := usual != nil && *usual > 0 || highest != nil && *highest > 0
	if prioritised {
		spec.Priorities = &v1alpha1.Priorities{Max: highest}
		if usual != nil {
			spec.Priorities.Default = *usual
		}
	}
	policy, _ := i.of(q, "ordering-policy")
	switch name := policy[strings.LastIndex(policy, ".")+1:]; name {
	case "", "fifo", "FifoOrderingPolicy":
	case "fair", "FairOrderingPolicy":
		spec.Order = v1alpha1.ByPriority
		i.changed(q.path, "its ordering-policy is fair; here applications go by priority and then by what their user has used less of")
		return
	case "fifo-with-partitions", "fifo-for-pending-apps", "FifoOrderingPolicyWithExclusivePartitions", "FifoOrderingPolicyForPendingApps":
		i.changed(q.path, "its ordering-policy is %s; here applications go by age", name)
	case "priority":
		prioritised = true
	default:
		i.lost(q.key("ordering-policy")+" = "+policy, "an order of somebody's own; applications go by age")
	}
	if prioritised {
		spec.Order = v1alpha1.ByPriority
		i.changed(q.path, "applications go by priority; those of the same not by age as in YARN, but by what their user has used less of")
	}
}
