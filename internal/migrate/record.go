package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// recordName is the ConfigMap beside Brazier's operator that holds what was removed, so that it can be brought back.
const recordName = "brazier-migration"

// record is what the ConfigMap holds: objects as they were before they were touched for the first time.
type record struct{ saved map[string]string }

// key is an object's key in the record.
func recordKey(kind, name string) string { return kind + "." + name }

// remember saves the webhook configurations that are not saved yet. What is saved is never written again: by then the
// object may have been changed by us.
func (m *Migration) remember(ctx context.Context, inv Inventory) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.Operator.Namespace}}
	if err := m.Client.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make namespace %s: %w", namespace.Name, err)
	}
	there, found, err := m.readRecord(ctx)
	if err != nil {
		return err
	}
	before := len(there.saved)
	for _, object := range configurations(inv) {
		gvk, err := apiutil.GVKForObject(object, m.Client.Scheme())
		if err != nil {
			return fmt.Errorf("find the kind of %s: %w", object.GetName(), err)
		}
		key := recordKey(gvk.Kind, object.GetName())
		if _, saved := there.saved[key]; saved {
			continue
		}
		text, err := json.Marshal(bare(object))
		if err != nil {
			return fmt.Errorf("save %s: %w", key, err)
		}
		there.saved[key] = string(text)
	}
	if found && len(there.saved) == before {
		return nil
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: m.Operator.Namespace, Name: recordName}, Data: there.saved}
	if !found {
		err = m.Client.Create(ctx, config)
	} else {
		err = m.Client.Update(ctx, config)
	}
	if err != nil {
		return fmt.Errorf("write the record, ConfigMap %s/%s: %w", config.Namespace, config.Name, err)
	}
	return nil
}

func (m *Migration) readRecord(ctx context.Context) (record, bool, error) {
	config := new(corev1.ConfigMap)
	err := m.Client.Get(ctx, client.ObjectKey{Namespace: m.Operator.Namespace, Name: recordName}, config)
	switch {
	case apierrors.IsNotFound(err):
		return record{saved: map[string]string{}}, false, nil
	case err != nil:
		return record{}, false, fmt.Errorf("read the record, ConfigMap %s/%s: %w", m.Operator.Namespace, recordName, err)
	}
	if config.Data == nil {
		config.Data = map[string]string{}
	}
	return record{saved: config.Data}, true, nil
}

// restore reads a saved object back into object, if there is one.
func (r record) restore(kind, name string, into any) error {
	if err := json.Unmarshal([]byte(r.saved[recordKey(kind, name)]), into); err != nil {
		return fmt.Errorf("read %s %s from the record: %w", kind, name, err)
	}
	return nil
}

// names are those of the saved objects of kind.
func (r record) names(kind string) []string {
	var names []string
	for key := range r.saved {
		if name, ok := strings.CutPrefix(key, kind+"."); ok {
			names = append(names, name)
		}
	}
	return names
}

// configurations are the other operator's webhook configurations.
func configurations(inv Inventory) []client.Object {
	var objects []client.Object
	for i := range inv.Mutating {
		objects = append(objects, &inv.Mutating[i])
	}
	for i := range inv.Validating {
		objects = append(objects, &inv.Validating[i])
	}
	return objects
}

// bare returns object without what the API server gave it, so that it can be created again.
func bare(object client.Object) runtime.Object {
	object = object.DeepCopyObject().(client.Object)
	object.SetResourceVersion("")
	object.SetUID("")
	object.SetGeneration(0)
	object.SetCreationTimestamp(metav1.Time{})
	object.SetManagedFields(nil)
	return object
}
