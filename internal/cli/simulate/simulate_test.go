package simulate

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/simulation"
	"brazier.sh/brazier/internal/terminal"
)

const queues = `apiVersion: brazier.sh/v1alpha1
kind: Queue
metadata: {name: sales}
spec: {}
---
apiVersion: brazier.sh/v1alpha1
kind: Queue
metadata: {name: reports}
spec:
  quotas: [{flavour: default, guaranteed: {cpu: "4", memory: 4Gi}}]
`

const trace = `id,queue,submit,driver_cpu,driver_memory,executor_cpu,executor_memory,executors_minimum,executors_maximum,work,duration
a,sales,0,1,1Gi,1,1Gi,1,20,4000,
b,reports,100,1,1Gi,1,1Gi,3,,,200
c,sales,110,1,1Gi,1,1Gi,1,20,900,
`

// folder has a file of each name.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// brazier runs the command with a line, in which DIR is the folder.
func brazier(dir, in, line string) (out, errs string, err error) {
	var stdout, stderr bytes.Buffer
	cmd := NewCommand(terminal.Streams{In: strings.NewReader(in), Out: &stdout, Err: &stderr})
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(strings.Fields(strings.ReplaceAll(line, "DIR", dir)))
	err = cmd.Execute()
	return stdout.String(), stderr.String(), err
}

func TestTables(t *testing.T) {
	result := func(engine string) *simulation.Result {
		return &simulation.Result{
			Engine: engine, Window: 86_400, End: 90_000, Fairness: simulation.Fairness{Mean: 0.98765, P5: 0.9},
			Used: map[string][]float64{"cpu": nil, "memory": nil, "nvidia.com/gpu": nil},
			Queues: []simulation.Figures{
				{
					Queue: "root", Applications: 12, Waiting: simulation.Distribution{Mean: 75, P50: 2.4, P95: 600, Max: 7200}, Turnaround: simulation.Distribution{Mean: 4000},
					Used: map[string]float64{"cpu": 0.5, "memory": 0.25, "nvidia.com/gpu": 1}, Dominant: 1, Guarantee: simulation.Violation{Time: 9000, Longest: 9000},
				},
				{
					Queue: "sales", Depth: 1, Applications: 12, Used: map[string]float64{"cpu": 0.5}, Dominant: 0.5, Guarantee: simulation.Violation{Time: 300, Longest: 90},
					Reclaimed: map[queue.Ground]int64{queue.ForHead: 2, queue.ForFairness: 3}, Stopped: 1,
					Unfinished: 1, Refused: map[queue.Reason]int{queue.WaitedTooLong: 2, queue.TooBig: 1}, Overran: 4,
				},
			},
		}
	}
	const one = `QUEUE    APPLICATIONS  WAITED  P50  P95  MAX   TOOK  CPU    MEMORY  GPU     SHARE   BELOW GUARANTEE     TAKEN       NOT RUN
root     12            75s     2s   10m  120m  66m   50.0%  25.0%   100.0%  100.0%  150m, longest 150m  -           -
  sales  12            0s      0s   0s   0s    0s    50.0%  0.0%    0.0%    50.0%   5m, longest 90s     5, 1 whole  1 wait for ever, 1 TooBig, 2 WaitedTooLong, 4 overran
`
	tests := map[string]struct {
		reason  string
		engines []string
		want    string
	}{
		"One": {"Of one engine fairness is told below.", []string{"brazier"}, one + `
fairness 0.988 on average and at least 0.900 for 95% of the time (Jain's index: 1 is fair), over 24h; the last application ended after 25h
`},
		"Two": {"Several are compared first, each by all its queues and by the one that lacked most.", []string{"brazier", "fifo"}, `ENGINE   WAITED  P50  P95  MAX   TOOK  CPU    MEMORY  GPU     FAIRNESS  95%    BELOW GUARANTEE  TAKEN  NOT RUN
brazier  75s     2s   10m  120m  66m   50.0%  25.0%   100.0%  0.988     0.900  5m, longest 90s  -      -
fifo     75s     2s   10m  120m  66m   50.0%  25.0%   100.0%  0.988     0.900  5m, longest 90s  -      -

brazier
` + one + `
fifo
` + one},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			o := options{streams: terminal.Streams{Out: &out}}
			var results []*simulation.Result
			for _, engine := range tt.engines {
				results = append(results, result(engine))
			}
			o.tables(results)
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCompareAndPlots(t *testing.T) {
	dir := folder(t, map[string]string{"queues.yaml": queues})
	out, errs, err := brazier(dir, trace, "--queues DIR/queues.yaml --nodes 5 --node-cpu 4 --node-memory 4Gi --compare fifo,static --plots DIR/out/plots -")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(out, "\n\n")
	lines := strings.Split(first, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "brazier ") || !strings.HasPrefix(lines[2], "fifo ") || !strings.HasPrefix(lines[3], "static ") {
		t.Errorf("want a line for each engine, got\n%s", first)
	}
	if !strings.Contains(errs, "plots are in "+dir) {
		t.Errorf("want to be told where plots are, got\n%s", errs)
	}
	for _, name := range []string{"overview", "waiting", "utilisation"} {
		picture, err := os.Open(filepath.Join(dir, "out", "plots", name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(picture); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := picture.Close(); err != nil {
			t.Error(err)
		}
		drawing, err := os.ReadFile(filepath.Join(dir, "out", "plots", name+".svg"))
		if err != nil || !strings.Contains(string(drawing), "static") {
			t.Errorf("%s.svg: want all engines in it (%v)", name, err)
		}
	}
}

func TestJSON(t *testing.T) {
	dir := folder(t, map[string]string{"trace.csv": strings.ReplaceAll(trace, "reports", "sales"), "queues.yaml": queues})
	out, _, err := brazier(dir, queues, "--queues - --nodes 5 --node-cpu 4 --node-memory 4Gi -o json DIR/trace.csv")
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Results []simulation.Result `json:"results"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 1 || report.Results[0].Queues[0].Ended != 3 || report.Results[0].Queues[2].Queue != "sales" {
		t.Errorf("want three applications that ended, got %+v", report.Results)
	}
}

func TestGenerate(t *testing.T) {
	dir := folder(t, map[string]string{
		"queues.yaml":  queues + "---\napiVersion: brazier.sh/v1alpha1\nkind: Queue\nmetadata: {name: root}\nspec: {cluster: {flavours: [{name: default}, {name: spot}]}}\n",
		"cluster.yaml": "flavours:\n- {name: spot, nodes: 10, allocatable: {cpu: 16, memory: 64Gi}}\n- {name: default, nodes: 2, allocatable: {cpu: 8, memory: 64Gi}}\n",
	})
	const cluster = "--queues DIR/queues.yaml --cluster DIR/cluster.yaml "
	made, _, err := brazier(dir, "", cluster+"--generate --applications 40 --span 2h --load 0.5 --seed 4")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(made, "\n"); lines != 41 {
		t.Errorf("want a title and 40 lines, got %d", lines)
	}
	if _, _, err := brazier(dir, made, cluster+"-"); err != nil {
		t.Errorf("what is made up is replayed, got %v", err)
	}
}

func TestErrors(t *testing.T) {
	dir := folder(t, map[string]string{
		"queues.yaml": queues, "trace.csv": trace, "bad.csv": strings.ReplaceAll(trace, "a,sales,0,1", "a,sales,0,one"),
		"circle.yaml": strings.ReplaceAll(queues, "spec: {}", "spec: {parent: sales}"), "elsewhere.csv": strings.ReplaceAll(trace, "b,reports", "b,marketing"),
		"flavours.yaml": "apiVersion: brazier.sh/v1alpha1\nkind: Queue\nmetadata: {name: root}\nspec: {cluster: {flavours: [{name: a}, {name: b}]}}\n",
		"empty.yaml":    "{}", "none.yaml": "flavours: [{name: default, nodes: 0, allocatable: {cpu: 1, memory: 1Gi}}]", "misspelt.yaml": "flavours: [{nam: default}]",
	})
	const nodes = "--nodes 5 --node-cpu 4 --node-memory 4Gi "
	tests := map[string]struct {
		line, want string
		code       exit.Code
	}{
		"NoTrace":      {nodes, "name the TRACE that is to be replayed, or --generate one", exit.Usage},
		"TwoTraces":    {nodes + "a b", "accepts at most 1 arg(s), received 2", exit.Failure},
		"Both":         {nodes + "--generate DIR/trace.csv", `--generate makes a trace up, and "DIR/trace.csv" is one; leave one of them out`, exit.Usage},
		"OneInput":     {nodes + "--queues - -", "both TRACE and --queues are -, and there is one standard input; name a file for one of them", exit.Usage},
		"TwoClusters":  {nodes + "--cluster x DIR/trace.csv", "--cluster and --nodes both say which nodes there are; leave one out", exit.Usage},
		"NoCount":      {"--node-cpu 4 DIR/trace.csv", "--node-cpu is what one of --nodes has; say how many there are", exit.Usage},
		"Round":        {nodes + "--round 1ms DIR/trace.csv", "--round: 1ms is too short; write 100ms or more", exit.Usage},
		"HandOver":     {nodes + "--hand-over -1s DIR/trace.csv", "--hand-over: -1s is less than no time", exit.Usage},
		"Engine":       {nodes + "--compare yarn DIR/trace.csv", `--compare: "yarn" is no engine to compare with; write fifo or static`, exit.Usage},
		"Form":         {nodes + "-o svg DIR/trace.csv", `--output: "svg" is not a form; write table or json`, exit.Usage},
		"Flag":         {"--nods 5", `unknown flag: --nods; "simulate --help" lists the flags and their values`, exit.Usage},
		"Nodes":        {"--nodes -5 DIR/trace.csv --queues DIR/queues.yaml", "--nodes: flavour default, nodes: -5 is not from 1 to 1000000", exit.Usage},
		"CPU":          {"--nodes 5 --node-cpu four --queues DIR/queues.yaml DIR/trace.csv", `--node-cpu: "four" is not an amount of CPUs; write for example 64`, exit.Usage},
		"Memory":       {"--nodes 5 --node-memory 64g --queues DIR/queues.yaml DIR/trace.csv", `--node-memory: "64g" is not an amount of memory; write for example 256Gi`, exit.Usage},
		"NoMemory":     {"--nodes 5 --node-memory 0 --queues DIR/queues.yaml DIR/trace.csv", "--nodes: flavour default, allocatable.memory: a node without any runs nothing; write what pods of one may request, such as 64 or 256Gi", exit.Usage},
		"NoCapacity":   {"--queues DIR/queues.yaml DIR/trace.csv", "how much cpu the flavour default has is not known: list its nodes, or write spec.cluster.flavours[default].capacity of the queue root; --nodes or --cluster does", exit.Usage},
		"Flavours":     {nodes + "--queues DIR/flavours.yaml DIR/trace.csv", "--nodes: the queues know 2 flavours of nodes; list those of each in a --cluster file", exit.Usage},
		"NoFile":       {nodes + "DIR/nowhere.csv", "open DIR/nowhere.csv: no such file or directory", exit.Failure},
		"BadTrace":     {nodes + "DIR/bad.csv", `DIR/bad.csv: line 2, driver_cpu: "one" is not an amount of cpu; write for example 2 or 500m`, exit.Failure},
		"Queue":        {nodes + "--queues DIR/queues.yaml DIR/elsewhere.csv", `DIR/elsewhere.csv: line 3, queue: "marketing" is no queue that applications can be in; write one of reports, sales`, exit.Failure},
		"Tree":         {nodes + "--queues DIR/circle.yaml DIR/trace.csv", `--queues: DIR/circle.yaml: queue sales: spec.parent: "sales" makes a circle, sales, part of sales; take one of them out of it`, exit.Failure},
		"EmptyCluster": {"--cluster DIR/empty.yaml DIR/trace.csv", "--cluster: DIR/empty.yaml: flavours: it lists no nodes; write for example {flavours: [{name: default, nodes: 100, allocatable: {cpu: 64, memory: 256Gi}}]}", exit.Failure},
		"NoNodes":      {"--cluster DIR/none.yaml DIR/trace.csv", "--cluster: DIR/none.yaml: flavour default, nodes: 0 is not from 1 to 1000000", exit.Failure},
		"Misspelt":     {"--cluster DIR/misspelt.yaml DIR/trace.csv", `--cluster: DIR/misspelt.yaml: error unmarshaling JSON: while decoding JSON: json: unknown field "nam"`, exit.Failure},
		"Load":         {nodes + "--generate --load 0", "--generate: a trace has from 1 to 10000000 applications, in a minute or more, whose load is above 0 and at most 100", exit.Usage},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := brazier(dir, "", tt.line)
			if err == nil {
				t.Fatal("want an error")
			}
			if diff := cmp.Diff(strings.ReplaceAll(tt.want, "DIR", dir), err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := exit.Of(err); got != tt.code {
				t.Errorf("got the code %d, want %d", got, tt.code)
			}
		})
	}
}

func TestOvercommitted(t *testing.T) {
	dir := folder(t, map[string]string{"queues.yaml": strings.ReplaceAll(queues, `cpu: "4"`, `cpu: "400"`), "trace.csv": trace})
	_, errs, err := brazier(dir, "", "--queues DIR/queues.yaml --nodes 5 --node-cpu 4 --node-memory 4Gi DIR/trace.csv")
	want := `warning: queue root: spec.quotas[default].guaranteed[cpu]: "400" is guaranteed to queues in all, of 20 that there is; guarantee less, as not all of them can have it`
	if err != nil || !strings.Contains(errs, want) {
		t.Errorf("want it to be tried with a warning, got %v\n%s", err, errs)
	}
}

// FuzzCluster: whatever it is, it is read or refused.
func FuzzCluster(f *testing.F) {
	f.Add([]byte("flavours:\n- {name: default, nodes: 2, allocatable: {cpu: 8, memory: 64Gi}}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if nodes, err := parseCluster(content); err == nil && len(nodes) == 0 {
			t.Fatal("a cluster without nodes")
		}
	})
}
