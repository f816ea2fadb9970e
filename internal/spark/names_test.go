package spark

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestAppNameLabel(t *testing.T) {
	tests := map[string]struct {
		reason, app, want string
	}{
		"Plain":   {"A label stays as it is.", "pi", "pi"},
		"Seen":    {"As Spark 4.3's own spark-submit wrote it.", "1-Über_app..x", "1-ber-app-x"},
		"Dotted":  {"Dots become dashes.", "My App.1", "my-app-1"},
		"TooLong": {"Cut to a label's length, without a dash at its end.", strings.Repeat("ab-", 30), strings.Repeat("ab-", 20) + "ab"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, appNameLabel(tt.app)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzNames(f *testing.F) {
	f.Add("pi", "uid", int64(1))
	f.Add("1.2.3", "", int64(9))
	f.Add(strings.Repeat("long-", 12), "0d6d7a6e-3a8b-4f43-9b50-0d3c8ad0f8f1", int64(1)<<62)
	f.Add("---", "u", int64(0))
	f.Fuzz(func(t *testing.T, app, uid string, run int64) {
		n := newNames(app, types.UID(uid), run, "")
		for _, name := range []string{n.service, n.uiService} {
			if bad := validation.IsDNS1035Label(name); len(bad) > 0 && name != app+"-ui-svc" {
				t.Errorf("Service %q of %q: %s", name, app, bad)
			}
		}
		if bad := validation.IsDNS1123Label(n.prefix + "-exec-2147483647"); len(bad) > 0 {
			t.Errorf("executors of %q: %s", app, bad)
		}
		for _, name := range []string{n.policy, n.conf, n.template, n.trust} {
			if bad := validation.IsDNS1123Subdomain(name); len(bad) > 0 {
				t.Errorf("%q of %q: %s", name, app, bad)
			}
		}
		for _, value := range []string{n.appID, n.submissionID, appNameLabel(app), labelValue(app)} {
			if bad := validation.IsValidLabelValue(value); len(bad) > 0 {
				t.Errorf("label value %q of %q: %s", value, app, bad)
			}
		}
		if bad := validation.IsDNS1123Label(volumeName(app, "-vol")); len(bad) > 0 {
			t.Errorf("volume %q of %q: %s", volumeName(app, "-vol"), app, bad)
		}
	})
}

func TestReleaseOf(t *testing.T) {
	tests := map[string]struct {
		reason  string
		version string
		want    string
		warns   string
	}{
		"Exact":    {reason: "A known version is taken.", version: "4.3.0", want: "4.3"},
		"Patch":    {reason: "Patch releases follow their minor version.", version: "3.5.99", want: "3.5"},
		"Short":    {reason: "The patch may be left out.", version: "4.1", want: "4.1"},
		"Suffix":   {reason: "Vendors add to the version.", version: "3.5.1-amzn-0", want: "3.5"},
		"Prefixed": {reason: "Tags begin with a v.", version: "v4.0.0", want: "4.0"},
		"Next":     {reason: "A newer version follows the newest known.", version: "4.4.0", want: "4.3", warns: `"4.4.0" is not known; submitted as Spark 4.3 does`},
		"NextMain": {reason: "So does the next major version.", version: "5.0.0", want: "4.3", warns: "is not known"},
		"Between":  {reason: "A version in between follows the one before it.", version: "3.9.0", want: "3.5", warns: "submitted as Spark 3.5 does"},
		"Text":     {reason: "The field is free text.", version: "latest", want: "4.3", warns: "is not a version such as 4.3.0"},
		"Stale":    {reason: "A manifest often says what an image had years ago.", version: "3.1.1", want: "3.5", warns: `spec.sparkVersion: "3.1.1" is older than what is known (3.5 to 4.3)`},
		"VeryOld":  {reason: "However long ago.", version: "2.4.8", want: "3.5", warns: "which an older image may not understand"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, warning := releaseOf(tt.version)
			if got.String() != tt.want {
				t.Errorf("%s\ngot %s, want %s", tt.reason, got, tt.want)
			}
			if (warning != "") != (tt.warns != "") || !strings.Contains(warning, tt.warns) {
				t.Errorf("%s\nwarning %q, want %q", tt.reason, warning, tt.warns)
			}
		})
	}
}
