package application

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// trouble remembers of each application what keeps its step from being carried out, so that an event says it once and not
// with each attempt.
type trouble struct {
	lock sync.Mutex
	said map[types.NamespacedName]string
}

// isNew reports whether text was not what was said of app last, and takes it as said.
func (t *trouble) isNew(app types.NamespacedName, text string) bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.said[app] == text {
		return false
	}
	if t.said == nil {
		t.said = make(map[types.NamespacedName]string)
	}
	t.said[app] = text
	return true
}

// over forgets what was said: if it comes again, it is another occurrence.
func (t *trouble) over(app types.NamespacedName) {
	t.lock.Lock()
	defer t.lock.Unlock()
	delete(t.said, app)
}
