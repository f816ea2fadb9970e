package spark

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// names are what the objects of one run are called. They come from the application's name, its UID and the number of
// the run, never from a clock or from chance: planning a run a second time gives the same names, and a name is never
// used for two runs.
type names struct {
	appID        string // spark.app.id, which is also the label that Spark finds an application's pods by
	submissionID string
	prefix       string
	driverPod    string
	service      string
	uiService    string
	policy       string
	driverBudget string
	podGroup     string
	conf         string
	template     string
	trust        string
	metrics      string
	ivy          string
	env          string // with the role and -env behind it
	localDir     string
}

// Executors are called <prefix>-exec-<id>, and an ID may have ten digits. A pod's name may be longer than a label, but
// its hostname may not, and Spark cuts that off at the front.
const maxPrefix = validation.DNS1123LabelMaxLength - len("-exec-") - 10

func newNames(app string, uid types.UID, run int64, driverPod string) names {
	unique := digest("names", uid, run)[:16]
	prefix := resourcePrefix(app, unique)
	if driverPod == "" {
		driverPod = app + "-driver"
	}
	return names{
		appID:        "spark-" + digest("app", uid, run)[:32],
		submissionID: uuid(digest("submission", uid, run)),
		prefix:       prefix,
		driverPod:    driverPod,
		service:      prefix + "-driver-svc",
		uiService:    serviceName(app, "-ui-svc", uid),
		policy:       prefix + "-policy",
		driverBudget: prefix + "-driver-pdb",
		podGroup:     prefix + "-podgroup",
		conf:         "spark-drv-" + unique + "-conf-map",
		template:     prefix + "-driver-podspec-conf-map",
		trust:        prefix + "-trust",
		metrics:      prefix + "-prom-conf",
		ivy:          prefix + "-ivy",
		env:          prefix,
		localDir:     "/var/data/spark-" + uuid(digest("local-dir", uid, run)),
	}
}

// resourcePrefix follows KubernetesConf.getResourceNamePrefix, with its unique ID given. Spark leaves the length to
// each object; here the name is cut so that all objects, and the executors' hostnames, have room.
func resourcePrefix(app, unique string) string {
	name := asLabel(app)
	if room := maxPrefix - len("-") - len(unique); len(name) > room {
		name = strings.TrimRight(name[:room], "-")
	}
	return name + "-" + unique
}

var (
	notInLabel = regexp.MustCompile(`[^a-z0-9-]+`)
	dashes     = regexp.MustCompile(`-+`)
)

// asLabel turns text into a DNS label of any length: lower case, anything else a dash, and a letter at the front, since
// the names of Services begin with one.
func asLabel(text string) string {
	text = notInLabel.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "-")
	text = strings.Trim(dashes.ReplaceAllString(text, "-"), "-")
	if text == "" {
		return "spark"
	}
	if text[0] <= '9' {
		text = "x" + text[1:]
	}
	return text
}

// appNameLabel follows KubernetesConf.getAppNameLabel: the value of the label spark-app-name.
func appNameLabel(app string) string {
	text := notInLabel.ReplaceAllString(strings.ToLower(strings.TrimSpace(app)), "-")
	text = dashes.ReplaceAllString(text, "-")
	if len(text) > validation.LabelValueMaxLength {
		text = text[:validation.LabelValueMaxLength]
	}
	return strings.Trim(text, "-")
}

var notInLabelValue = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// labelValue makes a valid label value of text, and leaves one that is valid as it is.
func labelValue(text string) string {
	text = notInLabelValue.ReplaceAllString(text, "-")
	if len(text) > validation.LabelValueMaxLength {
		text = text[:validation.LabelValueMaxLength]
	}
	return strings.Trim(text, "-_.")
}

// serviceName returns app with the suffix, as clients of the API expect it, if a Service can be called that. Otherwise
// it is made to fit, and a few digits of the UID keep it apart from the others that end up the same.
func serviceName(app, suffix string, uid types.UID) string {
	if len(validation.IsDNS1035Label(app+suffix)) == 0 {
		return app + suffix
	}
	return shorten(asLabel(app), "-"+digest("service", uid, 0)[:8]+suffix, validation.DNS1035LabelMaxLength)
}

// volumeName returns the name of a volume for the object called name, which may be longer than a volume's name can be
// and have dots in it.
func volumeName(name, suffix string) string {
	if len(validation.IsDNS1123Label(name+suffix)) == 0 {
		return name + suffix
	}
	sum := sha256.Sum256([]byte(name))
	return shorten(asLabel(name), "-"+hex.EncodeToString(sum[:4])+suffix, validation.DNS1123LabelMaxLength)
}

func shorten(name, suffix string, limit int) string {
	if room := limit - len(suffix); len(name) > room {
		name = name[:room]
	}
	return strings.TrimRight(name, "-") + suffix
}

// digest is a hex digest of a run of an application, different for each purpose.
func digest(purpose string, uid types.UID, run int64) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + string(uid) + "\x00" + strconv.FormatInt(run, 10)))
	return hex.EncodeToString(sum[:])
}

// uuid writes the first 128 bits of a hex digest in the form of a UUID.
func uuid(hexDigest string) string {
	h := hexDigest[:32]
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
