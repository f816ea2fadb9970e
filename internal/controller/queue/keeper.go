package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// usageName is the ConfigMap that history is kept in, usageKey the key in it.
	usageName, usageKey = "brazier-queue-usage", "usage.json"
	// keepEvery is how often it is written at most.
	keepEvery = time.Minute
	// mostKept is of how many users it is kept, of those who have used most: an object has no room for more than a megabyte.
	mostKept = 5000
)

// keeper keeps what users have used for the operator that comes next: half of it is forgotten in a day or so, and operators
// are replaced more often.
type keeper struct {
	cluster client.Client
	// namespace is the operator's own; where it is "" nothing is kept.
	namespace string
	// recalled says that it was read what there was, and at when it was written last.
	recalled bool
	at       time.Time
}

// usage is the format of what is kept.
type usage struct {
	// At is until when it was counted.
	At time.Time `json:"at"`
	// Used is by user: parts of the cluster times seconds.
	Used map[string]float64 `json:"used"`
}

// recall begins h with what was kept. What cannot be understood is not worth that nobody is let in.
func (k *keeper) recall(ctx context.Context, h *history) error {
	if k.recalled || k.namespace == "" {
		return nil
	}
	kept := new(corev1.ConfigMap)
	err := k.cluster.Get(ctx, client.ObjectKey{Namespace: k.namespace, Name: usageName}, kept)
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("read what users have used: %w", err)
	}
	k.recalled = true
	if err != nil {
		return nil
	}
	var u usage
	if err := json.Unmarshal([]byte(kept.Data[usageKey]), &u); err != nil {
		log.FromContext(ctx).Error(err, "what users have used cannot be read, and begins anew", "configMap", usageName)
		return nil
	}
	h.used, h.at = u.Used, u.At
	return nil
}

// keep writes h down, now and then.
func (k *keeper) keep(ctx context.Context, h *history) error {
	if k.namespace == "" || len(h.used) == 0 || h.at.Sub(k.at) < keepEvery {
		return nil
	}
	text, err := json.Marshal(usage{At: h.at, Used: most(h.used)})
	if err != nil {
		return fmt.Errorf("encode what users have used: %w", err)
	}
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: usageName}}
	before := kept.DeepCopy()
	kept.Data = map[string]string{usageKey: string(text)}
	err = k.cluster.Patch(ctx, kept, client.MergeFrom(before))
	if apierrors.IsNotFound(err) {
		err = k.cluster.Create(ctx, kept)
	}
	if err != nil {
		return fmt.Errorf("write down what users have used: %w", err)
	}
	k.at = h.at
	return nil
}

// most is what those have used who have used most.
func most(used map[string]float64) map[string]float64 {
	if len(used) <= mostKept {
		return used
	}
	users := slices.SortedFunc(maps.Keys(used), func(a, b string) int { return cmp.Or(cmp.Compare(used[b], used[a]), cmp.Compare(a, b)) })
	kept := make(map[string]float64, mostKept)
	for _, user := range users[:mostKept] {
		kept[user] = used[user]
	}
	return kept
}
