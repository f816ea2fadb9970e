package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// SparkSubmit.runMain, and the JVM's own words.
	mainClassMissing = lazily(`(?:Failed to load class|Failed to load) ([\w.$]+[\w$])`)
	classNotFound    = lazily(`(?:ClassNotFoundException|NoClassDefFoundError): (?:Class )?([\w.$/]+)(?: not found)?`)
	dataSource       = lazily(`\[DATA_SOURCE_NOT_FOUND\] Failed to find the data source: ([\w.$/-]+[\w$-])|Failed to find data source: ([\w.$/-]+[\w$-])`)
	fileSystem       = lazily(`No FileSystem for scheme "?([\w+-]+)`)

	// SparkSubmitUtils.resolveMavenCoordinates, MavenUtils since 4.0.
	unresolved     = lazily(`unresolved dependency: ([^\s:]+#[^:\s]+;\S+?): (.+?)\]?$`)
	unresolvedHint = lazily(`UNRESOLVED DEPENDENCIES|problem during retrieve of org\.apache\.spark|Failed to download artifacts|unresolved dependency`)

	// The main file or one of the dependencies, by SparkSubmit, Utils.fetchFile and Python itself.
	missingFile = []*pattern{
		lazily(`can't open file '([^']+)': \[Errno 2\]`),
		lazily(`Local jar (\S+) does not exist`),
		lazily(`(?:java\.nio\.file\.NoSuchFileException|java\.io\.FileNotFoundException): (?:File )?(\S+\.(?:jar|py|zip|egg|whl|R))\b`),
		lazily(`FileNotFoundException: No such file or directory: (s3a://\S+\.(?:jar|py|zip|egg|whl|R))\b`),
		lazily(`The jar (\S+) does not exist`),
		lazily(`Failed to add (\S+\.jar) to Spark environment`),
	}

	moduleMissing = lazily(`(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)`)
)

// missingClass finds classes that are not in the image or among the application's jars.
func missingClass() rule {
	return rule{code: "class-missing", follows: []string{"dependency-unresolved", "file-missing"}, find: func(c *Case) (v1alpha1.Cause, bool) {
		if f, match, ok := firstMatch(c.saidBy(v1alpha1.RoleDriver), mainClassMissing); ok && c.exited(exitClassNotFound, exitGeneric) {
			return told(f, fmt.Sprintf("The main class %s is not in %s nor in any other jar of the application.", match[1], c.mainFile()),
				c.driverLog(), change("Name the class as it is in the jar, or the jar that has it.", "spec:\n  mainClass: "+match[1]+"\n")), true
		}
		for _, pattern := range []*pattern{fileSystem, dataSource, classNotFound} {
			f, match, ok := firstMatch(c.fatal(), pattern)
			if !ok {
				continue
			}
			name := strings.ReplaceAll(firstOf(match[1:]), "/", ".")
			return told(f, classWhy(pattern, name), c.driverLog(), c.jarFor(name)), true
		}
		if e, ok := c.driverEnd(); ok && e.code == exitClassNotFound {
			return v1alpha1.Cause{
				Why: "The main class or one that it needs was not found.", Confidence: v1alpha1.ConfidenceHigh, At: e.at,
				Evidence: []v1alpha1.Proof{e.proof}, Fixes: []v1alpha1.Fix{c.driverLog()},
			}, true
		}
		return v1alpha1.Cause{}, false
	}}
}

func classWhy(pattern *pattern, name string) string {
	switch pattern {
	case fileSystem:
		return fmt.Sprintf("Spark has no file system for %s:// addresses: the jar that brings it is missing.", name)
	case dataSource:
		return fmt.Sprintf("Spark has no data source %s: the jar that brings it is missing.", name)
	}
	return fmt.Sprintf("The class %s is in none of the jars.", name)
}

// jarFor is what brings a class that is known well.
func (c *Case) jarFor(name string) v1alpha1.Fix {
	version := "4.1.1"
	if c.Application != nil && c.Application.Spec.SparkVersion != "" {
		version = c.Application.Spec.SparkVersion
	}
	scala := "2.13"
	if strings.HasPrefix(version, "3.") {
		scala = "2.12"
	}
	known := []struct{ part, artifact string }{
		{"s3a", "org.apache.spark:spark-hadoop-cloud_" + scala + ":" + version},
		{"S3A", "org.apache.spark:spark-hadoop-cloud_" + scala + ":" + version},
		{"kafka", "org.apache.spark:spark-sql-kafka-0-10_" + scala + ":" + version},
		{"avro", "org.apache.spark:spark-avro_" + scala + ":" + version},
	}
	for _, k := range known {
		if strings.Contains(name, k.part) {
			return change("Add the package that brings it, or an image that has it.", "spec:\n  deps:\n    packages:\n      - "+k.artifact+"\n")
		}
	}
	return change("Add the jar that has it, or an image that does.", "spec:\n  deps:\n    jars:\n      - local:///opt/spark/jars/NAME.jar\n")
}

func (c *Case) mainFile() string {
	if c.Application == nil || c.Application.Spec.MainApplicationFile == "" {
		return "the main jar"
	}
	return c.Application.Spec.MainApplicationFile
}

// exited reports whether the driver ended with one of codes, or how is not known.
func (c *Case) exited(codes ...int32) bool {
	ended, ok := c.driverEnd()
	if !ok {
		return true
	}
	for _, code := range codes {
		if ended.code == code {
			return true
		}
	}
	return false
}

// dependencyUnresolved finds packages that Ivy did not find in any repository.
func dependencyUnresolved() rule {
	return rule{code: "dependency-unresolved", find: func(c *Case) (v1alpha1.Cause, bool) {
		hint := having(c.fatal(), "unresolved dependency")
		if f, match, ok := firstMatch(append(hint, c.saidBy(v1alpha1.RoleDriver)...), unresolved); ok && c.exited(exitGeneric) {
			name := strings.NewReplacer("#", ":", ";", ":").Replace(match[1])
			return told(f, fmt.Sprintf("The package %s cannot be had: %s.", name, strings.TrimSuffix(match[2], ".")), c.ivyFixes()...), true
		}
		if f, _, ok := firstMatch(c.fatal(), unresolvedHint); ok {
			return told(f, "Packages that the application asks for cannot be had from any repository.", c.ivyFixes()...), true
		}
		return v1alpha1.Cause{}, false
	}}
}

func (c *Case) ivyFixes() []v1alpha1.Fix {
	return []v1alpha1.Fix{
		c.driverLog(),
		change("Name a repository that has it and that pods can reach, such as your mirror.", "spec:\n  deps:\n    repositories:\n      - https://maven.example.com/releases\n"),
		change("Or put the jars into the image, so that no run depends on a repository.", ""),
	}
}

// fileMissing finds main files and dependencies that are not where the application says.
func fileMissing() rule {
	return rule{code: "file-missing", find: func(c *Case) (v1alpha1.Cause, bool) {
		lines := slices.Clone(c.fatal())
		if c.exited(exitClassNotFound, exitUsage) {
			lines = append(lines, having(c.saidBy(v1alpha1.RoleDriver), "can't open file", "Local jar ")...)
		}
		for _, pattern := range missingFile {
			f, match, ok := firstMatch(lines, pattern)
			if !ok {
				continue
			}
			why := fmt.Sprintf("The file %s does not exist", match[1])
			if !strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "local:") {
				why += " in the image"
			}
			return told(f, why+".", c.driverLog(),
				change("Name the file where it is; local:// is a path in the image.", "spec:\n  mainApplicationFile: "+c.mainFileOr("local:///opt/spark/work-dir/job.py")+"\n")), true
		}
		return v1alpha1.Cause{}, false
	}}
}

func (c *Case) mainFileOr(other string) string {
	if c.Application == nil || c.Application.Spec.MainApplicationFile == "" {
		return other
	}
	return c.Application.Spec.MainApplicationFile
}

// pythonModuleMissing finds Python modules that driver or workers do not have.
func pythonModuleMissing() rule {
	return rule{code: "python-module-missing", follows: []string{"file-missing"}, find: func(c *Case) (v1alpha1.Cause, bool) {
		root := c.root()
		if root == nil {
			return v1alpha1.Cause{}, false
		}
		match := moduleMissing.FindStringSubmatch(root.class + ": " + root.message)
		if match == nil {
			return v1alpha1.Cause{}, false
		}
		where := "the driver"
		if len(having(c.failure().lines, "pyspark/worker.py", "pyspark.zip/pyspark/worker")) > 0 {
			where = "Python on executors"
		}
		return told(root.line, fmt.Sprintf("The Python module %s is not there for %s.", match[1], where),
			inspect("See what the image has.", fmt.Sprintf("kubectl run look --namespace %s --rm -it --restart=Never --image=%s -- python3 -m pip list", c.Namespace, c.image())),
			change("Add the module's files, or use an image that has it.", "spec:\n  deps:\n    pyFiles:\n      - s3a://BUCKET/"+strings.Split(match[1], ".")[0]+".zip\n")), true
	}}
}

// root is the exception behind the run's failure; nil if there is none.
func (c *Case) root() *thrown {
	if failure := c.failure(); failure != nil {
		return failure.root()
	}
	return nil
}

func (c *Case) image() string {
	if driver := c.driver(); driver != nil {
		if container := sparkContainer(driver); container != nil && container.Image != "" {
			return container.Image
		}
	}
	if c.Application != nil && c.Application.Spec.Image != "" {
		return c.Application.Spec.Image
	}
	return "IMAGE"
}
