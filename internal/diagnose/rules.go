package diagnose

import "slices"

// rules are all built-in rules. docs/why.md has a section for each.
func rules() []rule { return slices.Concat(clusterRules(), sparkRules()) }
