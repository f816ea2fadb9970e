//go:build bench

package memory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"brazier.sh/brazier/test/operated"
)

// atOnce is how many objects are stored in one transaction: etcd takes 128, and 1.5 MB.
const atOnce = 50

// store is etcd by its JSON gateway. What is stored there as the API server would have stored it, the API server tells of
// as if it had; it would itself take a quarter of an hour for as much.
type store struct {
	url    string
	client *http.Client
}

// stored is an object as it is stored.
type stored struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

func openStore(t *testing.T, c *operated.Cluster) store {
	t.Helper()
	url, trust, err := c.Plane.Store()
	if err != nil {
		t.Fatal(err)
	}
	return store{url: url, client: &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}}
}

// read returns what is stored under a prefix.
func (s store) read(t *testing.T, prefix string) []stored {
	t.Helper()
	end := []byte(prefix)
	end[len(end)-1]++
	var answer struct {
		KVs []stored `json:"kvs"`
	}
	s.ask(t, "/v3/kv/range", map[string][]byte{"key": []byte(prefix), "range_end": end}, &answer)
	return answer.KVs
}

// write stores objects.
func (s store) write(t *testing.T, objects []stored) {
	t.Helper()
	type put struct {
		Put stored `json:"request_put"`
	}
	var puts []put
	for _, object := range objects {
		puts = append(puts, put{object})
	}
	var answer struct {
		Succeeded bool `json:"succeeded"`
	}
	s.ask(t, "/v3/kv/txn", map[string]any{"success": puts}, &answer)
	if !answer.Succeeded {
		t.Fatal("etcd did not store it")
	}
}

func (s store) ask(t *testing.T, path string, question, answer any) {
	t.Helper()
	body, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Post(s.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("etcd: %s", response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// model is everything that is stored of application 0, and the UIDs in it.
type model struct {
	objects []stored
	uids    []string
}

// clone stores what there is of the model for the applications from one number up to another. Names and UIDs have the same
// length for each, so that they can be put in place of the model's whatever the encoding.
func (m model) clone(t *testing.T, s store, from, to int) {
	t.Helper()
	var batch []stored
	for i := from; i < to; i++ {
		number := fmt.Sprintf("%05d", i)
		replace := func(text []byte) []byte {
			text = bytes.ReplaceAll(text, []byte(nameOf(0)), []byte(nameOf(i)))
			for _, uid := range m.uids {
				text = bytes.ReplaceAll(text, []byte(uid), []byte(uid[:len(uid)-len(number)]+number))
			}
			return text
		}
		for _, object := range m.objects {
			batch = append(batch, stored{Key: replace(object.Key), Value: replace(object.Value)})
		}
		if len(batch) >= atOnce || i == to-1 {
			s.write(t, batch)
			batch = nil
		}
	}
}
