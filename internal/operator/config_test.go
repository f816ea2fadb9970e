package operator

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/internal/spark"
)

func TestParseConfig(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   Config
	}{
		"Empty": {
			reason: "The operator works without being told anything.",
			text:   "",
			want:   Config{Workers: 20, MetricsAddress: ":8443", HealthAddress: ":8081"},
		},
		"Full": {
			reason: "What is written is what holds.",
			text: `
image: "10.97.0.1:5000/spark:{{SPARK_VERSION}}"
sparkConf: {spark.hadoop.fs.s3a.path.style.access: "true"}
objectStoreSecret: brazier-object-store
namespaces: [analytics]
workers: 3
logLevel: debug
timeToLiveSeconds: 3600
uiService: false
proxy: {http: "http://proxy.example:3128", https: "http://proxy.example:3128", noProxy: .example}
pipIndexUrl: https://pip.example/simple
ivySettings: <ivysettings/>
anyUser: true
`,
			want: Config{
				Image:             "10.97.0.1:5000/spark:{{SPARK_VERSION}}",
				SparkConf:         map[string]string{"spark.hadoop.fs.s3a.path.style.access": "true"},
				ObjectStoreSecret: "brazier-object-store",
				Namespaces:        []string{"analytics"},
				Workers:           3, MetricsAddress: ":8443", HealthAddress: ":8081", LogLevel: slog.LevelDebug,
				TimeToLiveSeconds: new(int64(3600)), UIService: new(false), AnyUser: true,
				Proxy:       spark.Proxy{HTTP: "http://proxy.example:3128", HTTPS: "http://proxy.example:3128", NoProxy: ".example"},
				PipIndexURL: "https://pip.example/simple", IvySettings: "<ivysettings/>",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseConfig([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestQueues(t *testing.T) {
	tests := map[string]struct {
		reason, text string
		want         bool
	}{
		"Everywhere": {reason: "An operator of all namespaces has the rights of the cluster that queues need.", want: true},
		"Listed":     {reason: "One of a few namespaces may have no others.", text: "namespaces: [analytics]"},
		"Allowed":    {reason: "It has them where somebody has given them to it.", text: "{namespaces: [analytics], queues: true}", want: true},
		"Off":        {reason: "Nobody has to have queues.", text: "queues: false"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, err := ParseConfig([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := config.queues(); got != tt.want {
				t.Errorf("%s got %t", tt.reason, got)
			}
		})
	}
}

func TestNamespaceSelector(t *testing.T) {
	config, err := ParseConfig([]byte("namespaceSelector: {matchLabels: {spark: enabled}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := &metav1.LabelSelector{MatchLabels: map[string]string{"spark": "enabled"}}
	if diff := cmp.Diff(want, config.NamespaceSelector); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	tests := map[string]struct{ reason, text, want string }{
		"UnknownField": {
			reason: "A typing error would otherwise go unnoticed.",
			text:   "imaeg: spark",
			want:   `unknown field "imaeg"`,
		},
		"RecordsOfNoRun": {
			reason: "Less than none cannot be kept.",
			text:   "evidence: {keepRuns: -1, keepFor: -1h, maxPerNamespace: -1}",
			want:   "evidence.keepFor: -1h0m0s is in the past",
		},
		"RuleThatCannotBeRead": {
			reason: "A rule that never applies would be missed only when it is needed.",
			text:   "evidence: {rules: 'rules: [{code: slow, when: 1 + }]'}",
			want:   "evidence.rules: ",
		},
		"NoWorkers": {
			reason: "An operator that does nothing is a mistake.",
			text:   "workers: 0",
			want:   "workers: 0 is too few",
		},
		"Platform": {
			reason: "What every application is given is looked at when the operator starts.",
			text:   "proxy: {http: proxy.example}",
			want:   `proxy.http: Invalid value: "proxy.example"`,
		},
		"NamespaceSelector": {
			reason: "One that matches nothing would leave every application alone.",
			text:   "namespaceSelector: {matchExpressions: [{key: spark, operator: Like}]}",
			want:   `namespaceSelector: "Like" is not a valid label selector operator; write for example`,
		},
		"NamespacesTwice": {
			reason: "It would not be clear which holds.",
			text:   "namespaceSelector: {matchLabels: {spark: enabled}}\nnamespaces: [analytics]",
			want:   `namespaceSelector: namespaces has ["analytics"] as well; keep one of them`,
		},
		"IngressURL": {
			reason: "Every application would be refused for it.",
			text:   "ingress: {urlFormat: 'spark.example/{{$app}}'}",
			want:   "ingress.urlFormat: Invalid value",
		},
		"IngressRewrite": {
			reason: "A word that is not known would otherwise do nothing.",
			text:   "ingress: {rewrite: traefik}",
			want:   `ingress.rewrite: Unsupported value: "traefik"`,
		},
		"NoCertificate": {
			reason: "A bundle without a certificate would leave drivers trusting nobody.",
			text:   "trustBundle: /etc/ssl/ca.crt",
			want:   "trustBundle: there is no certificate in it",
		},
		"BrokenCertificate": {
			reason: "So would one that cannot be read.",
			text:   "trustBundle: |\n  -----BEGIN CERTIFICATE-----\n  AAAA\n  -----END CERTIFICATE-----\n",
			want:   "trustBundle: block 1 is not a certificate",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseConfig([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\nwant an error with %q, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if _, err := ReadConfig(path); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(path, []byte("image: spark"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("spark", config.platform().Image); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("image: spark\nworkers: 2\n")
	f.Add("trustBundle: |\n  -----BEGIN CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		config, err := ParseConfig([]byte(text))
		if err == nil && config.Workers < 1 {
			t.Errorf("%d workers were accepted", config.Workers)
		}
	})
}
