package manifest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// queueKind is the kind of a Queue.
const queueKind = "Queue"

// Queues reads the Queues of a file, or of in where path is "-": documents one after the other, or lists of them as
// kubectl prints them. As with applications, a field that is misspelt is an error, and so is anything that is no Queue.
func Queues(path string, in io.Reader) ([]v1alpha1.Queue, error) {
	content, err := open(path, in)
	if err != nil {
		return nil, err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var queues []v1alpha1.Queue
	for number := 1; ; number++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", path, number, err)
		}
		found, err := queuesOf(document)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", path, number, err)
		}
		queues = append(queues, found...)
	}
	return queues, twice(path, queues)
}

// queuesOf are the queues of one document.
func queuesOf(document []byte) ([]v1alpha1.Queue, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		return nil, nil
	}
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return nil, err
	}
	switch {
	case kind == metav1.TypeMeta{}: // comments alone
		var anything any
		if err := yaml.Unmarshal(document, &anything); err == nil && anything == nil {
			return nil, nil
		}
	case kind.Kind == queueKind && kind.APIVersion == v1alpha1.GroupVersion.String():
		var queue v1alpha1.Queue
		if err := yaml.UnmarshalStrict(document, &queue); err != nil {
			return nil, err
		}
		if queue.Name == "" {
			return nil, errors.New("metadata.name: a Queue has a name")
		}
		return []v1alpha1.Queue{queue}, nil
	case kind.Kind == "List" || kind.Kind == queueKind+"List":
		var list struct {
			metav1.TypeMeta `json:",inline"`
			Metadata        metav1.ListMeta        `json:"metadata"`
			Items           []runtime.RawExtension `json:"items"`
		}
		if err := yaml.UnmarshalStrict(document, &list); err != nil {
			return nil, err
		}
		return queuesOfList(list.Items)
	}
	return nil, fmt.Errorf("it is %q of %q; write a %s of %s", kind.Kind, kind.APIVersion, queueKind, v1alpha1.GroupVersion)
}

func queuesOfList(items []runtime.RawExtension) ([]v1alpha1.Queue, error) {
	var queues []v1alpha1.Queue
	for i, item := range items {
		found, err := queuesOf(item.Raw)
		if err != nil {
			return nil, fmt.Errorf("items[%d]: %w", i, err)
		}
		queues = append(queues, found...)
	}
	return queues, nil
}

// twice finds a name that two queues have.
func twice(path string, queues []v1alpha1.Queue) error {
	names := map[string]bool{}
	for i := range queues {
		if names[queues[i].Name] {
			return fmt.Errorf("%s: there are two Queues called %q; leave one out", path, queues[i].Name)
		}
		names[queues[i].Name] = true
	}
	return nil
}
