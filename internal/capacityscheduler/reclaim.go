package capacityscheduler

import (
	"math/big"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// preemption is what the keys of YARN's ProportionalCapacityPreemptionPolicy begin with.
const preemption = "yarn.resourcemanager.monitor.capacity.preemption."

// monitor is the key that turns it on.
const monitor = "yarn.resourcemanager.scheduler.monitor.enable"

// reclaiming is how YARN takes back, in the words of Queues.
type reclaiming struct {
	off      bool
	grace    *metav1.Duration
	deadZone *int32
	atOnce   *int32
}

// reclaiming reads how YARN takes back. Whether it does at all is off without a word in yarn-site.xml; where that is not at
// hand, Queues have their own defaults.
func (i *importer) reclaiming() *reclaiming {
	r := &reclaiming{deadZone: i.percentOf("max_ignored_over_capacity"), atOnce: i.percentOf("total_preemption_per_round")}
	if r.atOnce != nil {
		*r.atOnce = max(*r.atOnce, 1)
	}
	key := preemption + "max_wait_before_kill"
	if text, ok := i.settings.take(key); ok {
		wait, err := strconv.ParseInt(text, 10, 64)
		if err != nil || wait < 0 || wait > int64(24*time.Hour/time.Millisecond) {
			i.fail("%s: %q is no time; write milliseconds, such as 15000", key, text)
			return r
		}
		r.grace = &metav1.Duration{Duration: time.Duration(wait) * time.Millisecond}
	}
	on, said := i.settings.take(monitor)
	observe, _ := i.settings.take(preemption + "observe_only")
	switch {
	case !said && !i.settings.site:
		i.changed(rootPath, "whether YARN takes back what is borrowed is said in yarn-site.xml (%s), which was not given; here it is taken back", monitor)
	case on != "true" || observe == "true":
		r.off = true
		i.changed(rootPath, "YARN takes nothing back here (%s, observe_only), so no queue does; remove spec.reclaim where one is to", monitor)
	}
	return r
}

// percentOf reads one of the policy's fractions, in percent.
func (i *importer) percentOf(setting string) *int32 {
	text, ok := i.settings.take(preemption + setting)
	if !ok {
		return nil
	}
	value, isNumber := parseNumber(text)
	if !isNumber || value.Cmp(big.NewRat(1, 1)) > 0 {
		i.fail("%s%s: %q is not a part of one; write for example 0.1", preemption, setting, text)
		return nil
	}
	percent := int32(floor(new(big.Rat).Mul(value, hundred)))
	return &percent
}

// reclaim is how a queue gives back. Whether it does is said by itself, or by the nearest above it.
func (i *importer) reclaim(q *queue, r *reclaiming) *v1alpha1.Reclaim {
	own := v1alpha1.Reclaim{Grace: r.grace, DeadZonePercent: r.deadZone}
	disabled := ""
	for at := q; at != nil && disabled == ""; at = at.parent {
		disabled, _ = i.of(at, "disable_preemption")
	}
	if r.off || disabled == "true" {
		own = v1alpha1.Reclaim{Victims: v1alpha1.VictimsNone}
	}
	if own == (v1alpha1.Reclaim{}) {
		return nil
	}
	return &own
}
