package simulation

import (
	"math"
	"time"

	"brazier.sh/brazier/internal/queue"
)

// user is what one has used lately: the part of the cluster, by seconds, of which half is forgotten in each half-life.
type user struct{ used float64 }

func (r *run) userOf(name string) *user {
	if _, ok := r.users[name]; !ok {
		r.users[name] = new(user)
	}
	return r.users[name]
}

// charge has users be charged for what they had for a while, and what they had before be forgotten by and by.
func (r *run) charge(span time.Duration) {
	if span <= 0 {
		return
	}
	kept := math.Exp2(-float64(span) / float64(max(r.Tree.HalfLife, time.Second)))
	for _, one := range r.users {
		one.used *= kept
	}
	for _, j := range r.active {
		if j.phase == running {
			j.user.used += r.part(&j.app) * span.Seconds()
		}
	}
}

// part is the largest part of the cluster that an application has of any resource.
func (r *run) part(app *queue.Application) float64 {
	var held int64
	for _, count := range app.Groups[0].Held {
		held += count
	}
	var most float64
	for i, all := range r.all {
		if all > 0 {
			most = max(most, float64(app.Driver[i]+held*app.Executor[i])/float64(all))
		}
	}
	return most
}
