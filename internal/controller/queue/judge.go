package queue

import (
	"fmt"
	"time"

	"brazier.sh/brazier/internal/admission"
	engine "brazier.sh/brazier/internal/queue"
)

// reasonTakenBack is the reason of a run that has to stop and wait again.
const reasonTakenBack = "TakenBack"

// judge enters what was decided about runs into the ledger, and returns what is to be told of all of them.
func (c *Controller) judge(s *situation, decided engine.Decisions) map[runKey]verdict {
	for _, admit := range decided.Admit {
		app := s.apps[admit.App]
		c.ledger.admitted[app.runKey()] = admitted{place: app.place, admission: s.said(admit.Admit)}
		c.metrics.admitted(app.place.Name, s.Now.Sub(app.place.Since.Time))
		c.rates.note(app.place.Name, s.Now)
	}
	for _, take := range decided.Reclaim {
		if take.Whole {
			app := s.apps[take.App]
			c.ledger.wholly[app.runKey()] = takenFor(take.Why)
			c.ledger.reclaimed[app.uid] = s.Now
		}
	}
	verdicts := make(map[runKey]verdict)
	for _, wait := range decided.Waits {
		app := s.apps[wait.App]
		verdicts[app.runKey()] = app.verdict(admission.Verdict{Reason: string(wait.Reason), Message: told(app.place.Name, wait) + c.rates.guess(app.place.Name, wait, s.Now)})
	}
	for _, refuse := range decided.Refuse {
		app := s.apps[refuse.App]
		verdicts[app.runKey()] = app.verdict(admission.Verdict{
			Refused: true, Reason: string(refuse.Reason), Message: refused(s, app, refuse.Reason),
		})
		if _, counted := c.ledger.refused[app.runKey()]; !counted {
			c.ledger.refused[app.runKey()] = struct{}{}
			c.metrics.refused(app.place.Name, refuse.Reason)
		}
	}
	for _, app := range s.apps {
		if a, ok := c.ledger.admitted[app.runKey()]; ok && app.place != nil && asMuch(a.place, app.place) {
			verdicts[app.runKey()] = app.verdict(admission.Verdict{Admitted: a.admission})
		}
		if why, ok := c.ledger.wholly[app.runKey()]; ok {
			verdicts[app.runKey()] = app.verdict(admission.Verdict{TakenBack: true, Reason: reasonTakenBack, Message: why})
		}
	}
	return verdicts
}

func (a *member) verdict(v admission.Verdict) verdict {
	return verdict{Verdict: v, place: a.place, app: a.key}
}

// refused says why a run is not let in, ever.
func refused(s *situation, app *member, reason engine.Reason) string {
	object := s.tree.Objects[app.place.Name]
	switch {
	case reason == engine.WaitedTooLong && object != nil && object.Spec.WaitTimeout != nil:
		return fmt.Sprintf("it has waited for longer than %s, the most that the queue lets anybody wait", object.Spec.WaitTimeout.Duration.Round(time.Second))
	case reason == engine.TooManyWait:
		return "as many wait in the queue, or of its user, as may; submit it again later"
	}
	return string(reason)
}
