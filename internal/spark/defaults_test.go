package spark

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

func TestPlatformIsRefused(t *testing.T) {
	tests := map[string]struct {
		reason   string
		platform Platform
		want     string
	}{
		"ProxyWithoutScheme": {
			reason:   "Java and Python would read it differently.",
			platform: Platform{Proxy: Proxy{HTTP: "proxy.example:3128"}},
			want:     `proxy.http: Invalid value: "proxy.example:3128": is not a URL of the form http://host:port`,
		},
		"ProxyOverTLS": {
			reason:   "Java cannot speak TLS to a proxy.",
			platform: Platform{Proxy: Proxy{HTTPS: "https://proxy.example"}},
			want:     "proxy.https: Invalid value",
		},
		"ProxyPassword": {
			reason:   "Everybody who may look at pods would read it, and so would the reader of the message.",
			platform: Platform{Proxy: Proxy{HTTPS: "http://me:secret@proxy.example"}},
			want:     `"http://me:xxxxx@proxy.example": has credentials in it`,
		},
		"NoProxyAlone": {
			reason:   "It does nothing, which its author did not mean.",
			platform: Platform{Proxy: Proxy{NoProxy: ".example"}},
			want:     "proxy.noProxy: Invalid value: \".example\": there is no proxy",
		},
		"NoProxyBySpaces": {
			reason:   "It would end Java's option in the middle.",
			platform: Platform{Proxy: Proxy{HTTP: "http://proxy.example", NoProxy: "a b"}},
			want:     `has the host "a b"; separate hosts by commas`,
		},
		"PipPassword": {
			reason:   "An index with an account comes from a Secret.",
			platform: Platform{PipIndexURL: "https://me:secret@pip.example/simple"},
			want:     "pipIndexUrl: Invalid value: \"https://me:xxxxx@pip.example/simple\": has credentials in it",
		},
		"TimeToLive": {
			reason:   "Applications would be gone before they end.",
			platform: Platform{TimeToLiveSeconds: new(int64(-1))},
			want:     "timeToLiveSeconds: Invalid value: -1: is in the past",
		},
		"IvyNotXML": {
			reason:   "Every driver with packages would fail.",
			platform: Platform{IvySettings: "<ivysettings><settings></ivysettings>"},
			want:     "ivySettings: Invalid value: \"<its text>\": is not well-formed XML",
		},
		"IvyOfAnotherKind": {
			reason:   "A settings file of Maven is XML too.",
			platform: Platform{IvySettings: "<settings/>"},
			want:     `has the root element "settings"`,
		},
		"IvyPassword": {
			reason:   "It would be in a ConfigMap of each run.",
			platform: Platform{IvySettings: `<ivysettings><credentials host="h" username="u" passwd="p"/></ivysettings>`},
			want:     "has a password in it",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.platform.Validate().ToAggregate()
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret@") {
				t.Errorf("%s\nwant an error with %q, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

func TestPlatformIsAccepted(t *testing.T) {
	platform := defaults(t)
	platform.IvySettings = `<?xml version="1.0"?><ivysettings><properties environment="env"/>` +
		`<credentials host="h" username="u" passwd="${env.IVY_PASSWORD}"/></ivysettings>`
	for _, p := range []Platform{{}, platform} {
		if errs := p.Validate(); len(errs) > 0 {
			t.Errorf("a platform that is fine is refused: %v", errs)
		}
	}
}

func TestJavaHosts(t *testing.T) {
	tests := map[string]struct {
		reason string
		host   string
		want   []string
	}{
		"Name":      {"NO_PROXY means a name and what is below it.", "example.com", []string{"example.com", "*.example.com"}},
		"Domain":    {"A dot in front means what is below.", ".svc", []string{"*.svc"}},
		"Wildcard":  {"So does a star.", "*.svc", []string{"*.svc"}},
		"All":       {"A star alone is everything.", "*", []string{"*"}},
		"Port":      {"Java cannot tell ports apart.", ".corp:8080", []string{"*.corp"}},
		"Address":   {"An address has nothing below it.", "10.0.0.1", []string{"10.0.0.1"}},
		"Network":   {"A network that ends at a dot is its beginning.", "10.0.0.0/8", []string{"10.*"}},
		"Between":   {"One that does not is several.", "10.97.1.2/15", []string{"10.96.*", "10.97.*"}},
		"Single":    {"A network of one is an address.", "10.0.0.1/32", []string{"10.0.0.1"}},
		"Whole":     {"A network of all is everything.", "0.0.0.0/0", []string{"*"}},
		"Version6":  {"Java has no form for a network of IPv6.", "fd00::/8", nil},
		"Address6":  {"An address of IPv6 is one all the same.", "fd00::1", []string{"fd00::1"}},
		"LastOfAll": {"The last byte has no dot after it.", "10.0.0.254/31", []string{"10.0.0.254", "10.0.0.255"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, javaHosts([]string{tt.host})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestApplicationOverPlatform has the application say each thing itself that the platform has a default for.
func TestApplicationOverPlatform(t *testing.T) {
	conf := func(key, value string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = map[string]string{key: value} }
	}
	tests := map[string]struct {
		reason  string
		app     func(*v1beta2.SparkApplication)
		without string // in what the plan says
		holder  func(*testing.T, *Plan) string
	}{
		"Variable": {
			reason: "A variable of either case is the application's word about both.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Env = []corev1.EnvVar{{Name: "https_proxy", Value: "http://mine.example"}}
			},
			without: "HTTPS_PROXY", holder: driverText,
		},
		"ExecutorsProperty": {
			reason:  "A property puts it behind the template's, but in one case only.",
			app:     conf("spark.executorEnv.HTTPS_PROXY", "http://mine.example"),
			without: "https_proxy", holder: executorText,
		},
		"PipIndex": {
			reason: "An index of the application's own, for example with an account.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.EnvVars = map[string]string{"PIP_INDEX_URL": "https://mine.example"}
			},
			without: "pip.example", holder: executorText,
		},
		"IvySettings": {
			reason: "A settings file of the application's own.",
			app:    conf("spark.jars.ivySettings", "/mine.xml"), without: "brazier-ivy", holder: driverText,
		},
		"JavaProxy": {
			reason: "An option of Java's.",
			app:    conf("spark.driver.defaultJavaOptions", "-Dhttps.proxyHost=mine.example"), without: "-Dhttps.proxyHost=proxy.example",
			holder: func(t *testing.T, p *Plan) string { return driverProperties(t, p)["spark.driver.extraJavaOptions"] },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if said := tt.holder(t, mustPlan(t, application(nil), testRun(), defaults(t))); !strings.Contains(said, tt.without) {
				t.Fatalf("the platform's default is not there to begin with: %s", said)
			}
			if said := tt.holder(t, mustPlan(t, application(tt.app), testRun(), defaults(t))); strings.Contains(said, tt.without) {
				t.Errorf("%s\n%s is still in %s", tt.reason, tt.without, said)
			}
		})
	}
}

func driverText(t *testing.T, plan *Plan) string {
	t.Helper()
	text, err := yaml.Marshal(plan.Driver.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func executorText(t *testing.T, plan *Plan) string {
	t.Helper()
	for _, c := range plan.ConfigMaps {
		if text, ok := c.Data[templateKey]; ok {
			return text
		}
	}
	t.Fatal("no ConfigMap with the executors' template")
	return ""
}

func TestUIService(t *testing.T) {
	tests := map[string]struct {
		reason string
		said   *bool
		app    func(*v1beta2.SparkApplication)
		want   string
	}{
		"Default": {reason: "Clients of the API look for it.", want: "app-ui-svc"},
		"On":      {reason: "It can be said.", said: new(true), want: "app-ui-svc"},
		"Off":     {reason: "A thousand applications are a thousand Services.", said: new(false)},
		"Asked": {
			reason: "An application that has options for it wants it.", said: new(false), want: "app-ui-svc",
			app: func(a *v1beta2.SparkApplication) { a.Spec.SparkUIOptions = &v1beta2.SparkUIConfiguration{} },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			platform := testPlatform()
			platform.UIService = tt.said
			plan := mustPlan(t, application(tt.app), testRun(), platform)
			made := slices.ContainsFunc(plan.Services, func(s *corev1.Service) bool { return s.Name == "app-ui-svc" })
			if plan.UIService != tt.want || made != (tt.want != "") || plan.UIPort != 4040 {
				t.Errorf("%s\nService %q on port %d, made: %t; want %q on 4040", tt.reason, plan.UIService, plan.UIPort, made, tt.want)
			}
		})
	}
}

func TestAnyUser(t *testing.T) {
	platform := testPlatform()
	platform.AnyUser = true
	plan := mustPlan(t, application(nil), testRun(), platform)
	for name, said := range map[string]string{"driver": driverText(t, plan), "executors": executorText(t, plan)} {
		if strings.Contains(said, "runAsUser") || !strings.Contains(said, "runAsNonRoot: true") {
			t.Errorf("the cluster has to find a user for the %s, and not root:\n%s", name, said)
		}
	}
}
