package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	noSuchMethod  = lazily(`(?:NoSuchMethodError|NoSuchFieldError|AbstractMethodError|IncompatibleClassChangeError): '?(.+?)'?$`)
	invalidClass  = lazily(`InvalidClassException: ([\w.$]+); local class incompatible: stream classdesc serialVersionUID = (-?\d+), local class serialVersionUID = (-?\d+)`)
	classVersion  = lazily(`UnsupportedClassVersionError: (\S+) has been compiled by a more recent version of the Java Runtime \(class file version (\d+)\.\d+\), this version of the Java Runtime only recognizes class file versions up to (\d+)`)
	pythonVersion = lazily(`PYTHON_VERSION_MISMATCH|Python in worker has different version`)
	pythonNumbers = lazily(`different version:? \(?'?(\d+[., ]+\d+)\)?'? than that in driver:? \(?'?(\d+[., ]+\d+)`)
)

// versionSkew finds parts that were made for other versions of Spark, Java or Python than they meet.
func versionSkew() rule {
	return rule{code: "version-skew", find: func(c *Case) (v1alpha1.Cause, bool) {
		lines := c.fatal()
		oneImage := change("Run driver and executors of one image, whose Spark is that of sparkVersion.", "spec:\n  image: "+c.image()+"\n")
		if f, match, ok := firstMatch(lines, invalidClass); ok {
			return told(f, fmt.Sprintf("Driver and executors have different versions of the class %s.", match[1]), c.images(), oneImage), true
		}
		if f, match, ok := firstMatch(lines, classVersion); ok {
			return told(f, fmt.Sprintf("The class %s is compiled for Java %s, and the image has Java %s.", match[1], java(match[2]), java(match[3])),
				c.images(), change("Compile the job for the image's Java, or use an image with a newer one.", "")), true
		}
		if f, _, ok := firstMatch(lines, pythonVersion); ok {
			why := "Driver and executors have different versions of Python."
			if _, match, ok := firstMatch(lines, pythonNumbers); ok {
				why = fmt.Sprintf("Executors have Python %s and the driver has %s.", match[1], match[2])
			}
			return told(f, why, c.images(), oneImage), true
		}
		if f, match, ok := firstMatch(lines, noSuchMethod); ok {
			return told(f, fmt.Sprintf("A jar was compiled for another version of what it calls: there is no %s.", shortened(match[1])),
				c.images(), change("Take the jar's build for this version of Spark and Scala.", "")), true
		}
		return v1alpha1.Cause{}, false
	}}
}

func (c *Case) images() v1alpha1.Fix {
	return inspect("See which images the run's pods have.",
		fmt.Sprintf("kubectl get pods --namespace %s --selector sparkoperator.k8s.io/app-name=%s --output custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image", c.Namespace, c.Name))
}

// java is the version of Java that has classes of a version: they are 44 apart (JVM specification, table 4.1-A).
func java(class string) string {
	var n int
	if _, err := fmt.Sscan(class, &n); err != nil {
		return class
	}
	return fmt.Sprint(n - 44)
}
