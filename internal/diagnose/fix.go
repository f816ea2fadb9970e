package diagnose

import (
	"fmt"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

func inspect(say, command string) v1alpha1.Fix {
	return v1alpha1.Fix{Risk: v1alpha1.RiskInspect, Say: say, Command: command}
}

func change(say, yaml string) v1alpha1.Fix {
	return v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: say, Change: yaml}
}

// driverLog reads the driver's log. The pod stays after the run.
func (c *Case) driverLog() v1alpha1.Fix {
	name := c.Name + "-driver"
	if driver := c.driver(); driver != nil {
		name = driver.Name
	}
	return inspect("Read the driver's log.", "kubectl logs --namespace "+c.Namespace+" "+name)
}

// describe shows the object, which is a kind and a name with a slash between them.
func (c *Case) describe(object, say string) v1alpha1.Fix {
	return inspect(say, "kubectl describe --namespace "+c.Namespace+" "+strings.ToLower(object))
}

// sparkConf is the change of a manifest that sets a property of Spark's.
func sparkConf(key, value string) string {
	return fmt.Sprintf("spec:\n  sparkConf:\n    %s: %q\n", key, value)
}

// roleField is the change of a manifest that sets a field of the driver or the executors.
func roleField(role v1alpha1.Role, field, value string) string {
	return fmt.Sprintf("spec:\n  %s:\n    %s: %s\n", role, field, value)
}

// told is a cause that a line of a log names.
func told(f found, why string, fixes ...v1alpha1.Fix) v1alpha1.Cause {
	return v1alpha1.Cause{
		Why: why, Evidence: []v1alpha1.Proof{f.proof()}, Fixes: fixes, Confidence: v1alpha1.ConfidenceHigh, At: f.at(),
	}
}
