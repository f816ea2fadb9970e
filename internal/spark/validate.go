package spark

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// validate finds what a run of app cannot be planned with: values that make no sense, and what Brazier
// does not do. Nothing that an application says is dropped without a word.
func validate(app *v1beta2.SparkApplication) field.ErrorList {
	errs := validateName(app)
	errs = append(errs, validateProgram(app)...)
	errs = append(errs, validateDependencies(app)...)
	errs = append(errs, validatePods(app)...)
	errs = append(errs, validateBatch(app)...)
	_, wrong := QueueWishes(app)
	return append(errs, wrong...)
}

func validateName(app *v1beta2.SparkApplication) field.ErrorList {
	if len(app.Name) <= validation.LabelValueMaxLength {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("metadata", "name"), app.Name,
		"is longer than the 63 characters of a label, by which clients find an application's pods; shorten it")}
}

// validateProgram looks at what is to be run.
func validateProgram(app *v1beta2.SparkApplication) field.ErrorList {
	var errs field.ErrorList
	spec := field.NewPath("spec")
	switch app.Spec.Type {
	case v1beta2.SparkApplicationTypeJava, v1beta2.SparkApplicationTypeScala:
		if app.Spec.MainClass == "" {
			errs = append(errs, field.Required(spec.Child("mainClass"),
				"a jar's manifest cannot be read before the driver runs; name the class with the main method"))
		}
	case v1beta2.SparkApplicationTypePython, v1beta2.SparkApplicationTypeR:
	default:
		errs = append(errs, field.NotSupported(spec.Child("type"), app.Spec.Type, []string{"Java", "Scala", "Python", "R"}))
	}
	if app.Spec.PythonVersion == "2" {
		errs = append(errs, field.Invalid(spec.Child("pythonVersion"), "2", "no Spark since 3.0 runs Python 2; write 3 or leave it out"))
	}
	file := spec.Child("mainApplicationFile")
	switch {
	case app.Spec.MainApplicationFile == "":
		errs = append(errs, field.Required(file, "name the file to run, for example local:///opt/spark/examples/src/main/python/pi.py"))
	case app.Spec.MainApplicationFile == noResource && isJVM(app):
	default:
		errs = append(errs, validateURI(file, app.Spec.MainApplicationFile)...)
	}
	if app.Spec.Mode != "" && app.Spec.Mode != v1beta2.DeployModeCluster {
		errs = append(errs, field.Invalid(spec.Child("mode"), app.Spec.Mode,
			"would run the driver inside the operator, where one application can take down all; use cluster"))
	}
	return errs
}

func validateDependencies(app *v1beta2.SparkApplication) field.ErrorList {
	var errs field.ErrorList
	deps, spec := app.Spec.Deps, field.NewPath("spec", "deps")
	for name, uris := range map[string][]string{"jars": deps.Jars, "files": deps.Files, "pyFiles": deps.PyFiles, "archives": deps.Archives} {
		for i, uri := range uris {
			errs = append(errs, validateURI(spec.Child(name).Index(i), uri)...)
		}
	}
	for i, coordinate := range deps.Packages {
		if !isCoordinate(coordinate) {
			errs = append(errs, field.Invalid(spec.Child("packages").Index(i), coordinate, notACoordinate))
		}
	}
	return errs
}

const notACoordinate = "is not a Maven coordinate; write group:artifact:version"

// isCoordinate reports whether Spark reads text as a Maven coordinate, with slashes as well as with colons:
// MavenUtils.extractMavenCoordinates.
func isCoordinate(text string) bool {
	parts := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "/", ":"), ":"), ":")
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" })
}

// checkPackages looks at the coordinates that are said as a property.
func checkPackages(app *v1beta2.SparkApplication, conf *settings) {
	const key = "spark.jars.packages"
	if len(app.Spec.Deps.Packages) == 0 && slices.ContainsFunc(conf.list(key), func(c string) bool { return !isCoordinate(c) }) {
		conf.invalid(key, notACoordinate)
	}
}

// validateURI refuses files that only the submitter's machine has: by the time that the driver reads them, nobody has.
func validateURI(at *field.Path, uri string) field.ErrorList {
	parsed, err := url.Parse(uri)
	if err != nil {
		return field.ErrorList{field.Invalid(at, uri, "is not a URI: "+err.Error())}
	}
	if parsed.Scheme != "" && parsed.Scheme != "file" {
		return nil
	}
	return field.ErrorList{field.Invalid(at, uri, "is a file on no disk that the driver sees; for a file in the image write local://"+
		path.Join("/", parsed.Path)+", for one on your machine use \"brazier run\", which uploads it")}
}

// validatePods looks at what driver and executors have alike.
func validatePods(app *v1beta2.SparkApplication) field.ErrorList {
	var errs field.ErrorList
	for _, r := range []role{driverRole(app), executorRole(app)} {
		if len(app.Spec.NodeSelector) > 0 && len(r.spec.NodeSelector) > 0 {
			errs = append(errs, field.Forbidden(r.path.Child("nodeSelector"), "spec.nodeSelector is set as well; keep one of them"))
		}
		if gpu := r.spec.GPU; gpu != nil && (gpu.Name == "" || gpu.Quantity < 1) {
			errs = append(errs, field.Invalid(r.path.Child("gpu"), *gpu, "needs the name of a resource, for example nvidia.com/gpu, and a quantity above zero"))
		}
	}
	return errs
}
