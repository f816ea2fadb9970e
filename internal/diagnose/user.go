package diagnose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// usersOwn is the exception that ended the run, unless a rule knows more of it than that it was thrown.
func (c *Case) usersOwn() (*trace, *thrown, bool) {
	failure := c.failure()
	if failure == nil {
		return nil, nil, false
	}
	root := failure.root()
	if root == nil || root.simple() == "ExecutorLostFailure" || root.simple() == "FetchFailed" || root.simple() == "SystemExit" {
		return nil, nil, false
	}
	if slices.ContainsFunc(c.known(), failure.has) {
		return nil, nil, false
	}
	return failure, root, true
}

// known are the causes that rules have found which know what they look for, but for guesses.
func (c *Case) known() []v1alpha1.Cause {
	c.said()
	return once(&c.read.known, func() []v1alpha1.Cause {
		var all []v1alpha1.Cause
		for _, r := range slices.Concat(clusterRules(), specificRules()) {
			if cause, ok := r.find(c); ok && cause.Confidence != v1alpha1.ConfidenceLow {
				all = append(all, cause)
			}
		}
		return all
	})
}

// has reports whether the cause's evidence is a line of the trace. Spark often logs an exception before it throws it on, so
// that the evidence may be the same words elsewhere.
func (t *trace) has(cause v1alpha1.Cause) bool {
	const telling = 30
	return slices.ContainsFunc(cause.Evidence, func(p v1alpha1.Proof) bool {
		text := strings.TrimSuffix(strings.TrimPrefix(p.Text, "Caused by: "), "…")
		return slices.ContainsFunc(t.lines, func(f found) bool {
			q := f.proof()
			return p.Object == q.Object && (p.Field == q.Field || len(text) > telling && strings.Contains(f.text, text))
		})
	})
}

// thrownCause is a cause that the exception root is, with the place in the user's code as evidence.
func (c *Case) thrownCause(t *trace, root *thrown, why string, fixes ...v1alpha1.Fix) v1alpha1.Cause {
	cause := told(root.line, why, append([]v1alpha1.Fix{c.driverLog()}, fixes...)...)
	if f, ok := t.userFrame(root); ok {
		cause.Evidence = append(cause.Evidence, f.line.proof())
	}
	if t.logged {
		cause.Confidence = v1alpha1.ConfidenceMedium
	}
	return cause
}

// where says in which line of the user's code the exception was; empty if that was not seen.
func where(t *trace, root *thrown) string {
	f, ok := t.userFrame(root)
	switch {
	case !ok:
		return ""
	case f.number == 0:
		return " in " + f.function
	case root.python || strings.HasSuffix(f.file, ".py"):
		return fmt.Sprintf(" in %s, line %d", path.Base(f.file), f.number)
	}
	return fmt.Sprintf(" in %s (%s, line %d)", withoutModule(f.function), f.file, f.number)
}

var (
	suggestion = lazily(`Did you mean one of the following\? \[([^\]]+)\]`)
	quotedName = lazily("`([^`]+(?:`\\.`[^`]+)*)`")
	sqlState   = lazily(`\.? ?SQLSTATE: \w+.*$`)
	pathName   = lazily(`\b(?:[a-z][a-z0-9]*):/[^\s'"]+[^\s'".;]|(?:^|\s)/[^\s'"]+[^\s'".;]`)
)

// dataConditions are Spark's names of errors that are in the rows, not in the query: error-conditions.json.
func dataConditions() []string {
	return []string{
		"CAST_INVALID_INPUT", "CAST_OVERFLOW", "CAST_OVERFLOW_IN_TABLE_INSERT", "DIVIDE_BY_ZERO", "ARITHMETIC_OVERFLOW", "BINARY_ARITHMETIC_OVERFLOW",
		"NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_ARRAY_INDEX", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "MALFORMED_RECORD_IN_PARSING", "MALFORMED_CSV_RECORD",
		"CANNOT_PARSE_TIMESTAMP", "CANNOT_PARSE_DECIMAL", "INCONSISTENT_BEHAVIOR_CROSS_VERSION", "DATETIME_OVERFLOW", "NOT_NULL_ASSERT_VIOLATION",
		"DUPLICATED_MAP_KEY", "NULL_MAP_KEY", "REMAINDER_BY_ZERO", "INTERVAL_DIVIDED_BY_ZERO", "CONVERSION_INVALID_INPUT", "INVALID_DATETIME_PATTERN",
		"PARQUET_COLUMN_DATA_TYPE_MISMATCH", "CANNOT_READ_FILE_FOOTER",
	}
}

func dataError(root *thrown) bool {
	name, _, _ := strings.Cut(root.condition(), ".")
	if slices.Contains(dataConditions(), name) {
		return true
	}
	return containsAny(root.message, []string{"Malformed records are detected", "is not a Parquet file", "Could not read footer for file"})
}

// queryInvalid finds queries that Spark refuses: AnalysisException and its like, by the name of the error.
func queryInvalid() rule {
	return rule{code: "query-invalid", find: func(c *Case) (v1alpha1.Cause, bool) {
		t, root, ok := c.usersOwn()
		if !ok || dataError(root) || root.simple() != "AnalysisException" && root.simple() != "ParseException" && !extended(root) {
			return v1alpha1.Cause{}, false
		}
		return c.thrownCause(t, root, queryWhy(t, root), queryFixes(root)...), true
	}}
}

// extended reports whether root is an AnalysisException by another name, as of a table that is not there.
func extended(root *thrown) bool {
	return slices.Contains([]string{
		"NoSuchTableException", "NoSuchDatabaseException", "NoSuchNamespaceException", "TableAlreadyExistsException", "ExtendedAnalysisException",
		"NoSuchFunctionException", "NoSuchPartitionException",
	}, root.simple())
}

func queryWhy(t *trace, root *thrown) string {
	names := quotedName.FindStringSubmatch(root.message)
	name := ""
	if names != nil {
		name = strings.ReplaceAll(names[1], "`", "")
	}
	condition, _, _ := strings.Cut(root.condition(), ".")
	at := where(t, root)
	switch {
	case condition == "UNRESOLVED_COLUMN" && name != "":
		return fmt.Sprintf("The query%s names a column %s that is not there.", at, name)
	case condition == "TABLE_OR_VIEW_NOT_FOUND" && name != "":
		return fmt.Sprintf("The query%s names a table or view %s that is not there.", at, name)
	case condition == "PATH_NOT_FOUND":
		return fmt.Sprintf("The query%s reads %s, which does not exist.", at, firstOf([]string{strings.TrimSpace(pathName.FindString(root.message)), "a path"}))
	}
	return fmt.Sprintf("Spark refuses the query%s: %s.", at, withoutState(root.message))
}

func withoutState(message string) string {
	return shortened(strings.TrimRight(sqlState.ReplaceAllString(message, ""), ". ;"))
}

func queryFixes(root *thrown) []v1alpha1.Fix {
	if match := suggestion.FindStringSubmatch(root.message); match != nil {
		return []v1alpha1.Fix{{Risk: v1alpha1.RiskChanges, Say: "Name what is there: " + strings.ReplaceAll(match[1], "`", "") + "."}}
	}
	return []v1alpha1.Fix{{Risk: v1alpha1.RiskChanges, Say: "Correct the query, or make what it names first."}}
}

// dataInvalid finds rows that the query cannot work with.
func dataInvalid() rule {
	return rule{code: "data-invalid", find: func(c *Case) (v1alpha1.Cause, bool) {
		t, root, ok := c.usersOwn()
		if !ok || !dataError(root) {
			return v1alpha1.Cause{}, false
		}
		return c.thrownCause(t, root, fmt.Sprintf("The data has something that the query%s cannot work with: %s.", where(t, root), withoutState(root.message)),
			v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: "Let the query expect it (try_cast, try_divide, a filter before), or correct the rows."},
			change("Or take NULL for what cannot be computed, as Spark 3 did.", sparkConf("spark.sql.ansi.enabled", "false"))), true
	}}
}

// pythonException finds exceptions of the user's Python code that nobody caught.
func pythonException() rule {
	return rule{code: "python-exception", find: func(c *Case) (v1alpha1.Cause, bool) {
		t, root, ok := c.usersOwn()
		if !ok || !root.python || dataError(root) || root.simple() == "AnalysisException" || root.simple() == "ParseException" {
			return v1alpha1.Cause{}, false
		}
		return c.thrownCause(t, root, exceptionWhy(t, root, "Python")), true
	}}
}

// jvmException finds exceptions of the user's Java or Scala code that nobody caught.
func jvmException() rule {
	return rule{code: "jvm-exception", find: func(c *Case) (v1alpha1.Cause, bool) {
		t, root, ok := c.usersOwn()
		if !ok || root.python || dataError(root) || root.simple() == "AnalysisException" || root.simple() == "ParseException" || extended(root) {
			return v1alpha1.Cause{}, false
		}
		return c.thrownCause(t, root, exceptionWhy(t, root, "JVM")), true
	}}
}

func exceptionWhy(t *trace, root *thrown, kind string) string {
	by := "The job's code threw "
	if kind == "JVM" && where(t, root) == "" {
		by = "The job ended with "
	}
	why := by + root.simple() + where(t, root)
	if message := withoutState(root.message); message != "" {
		return why + ": " + message + "."
	}
	return why + "."
}

// applicationExit finds drivers whose program ended itself with a code, and said nothing of why.
func applicationExit() rule {
	return rule{code: "application-exit", find: func(c *Case) (v1alpha1.Cause, bool) {
		e, ok := c.driverEnd()
		if !ok || e.code == 0 || e.code > exitSignal || e.code == exitHeapFull || e.code == exitClassNotFound || e.code == exitExecutorFailures {
			return v1alpha1.Cause{}, false
		}
		if e.code == exitNotExecutable || e.code == exitNotFound {
			return v1alpha1.Cause{}, false
		}
		if failure := c.failure(); failure != nil && len(failure.thrown) > 0 && (!failure.logged || e.code == exitGeneric) || len(c.known()) > 0 {
			return v1alpha1.Cause{}, false
		}
		cause := v1alpha1.Cause{
			Why:        fmt.Sprintf("The job ended itself with exit code %d (sys.exit, System.exit), and no exception was printed.", e.code),
			Confidence: v1alpha1.ConfidenceMedium, At: e.at, Evidence: []v1alpha1.Proof{e.proof}, Fixes: []v1alpha1.Fix{c.driverLog()},
		}
		switch failure := c.failure(); {
		case failure != nil && len(failure.thrown) == 0:
			cause.Why = fmt.Sprintf("The job ended with exit code %d, and its log breaks off before it says what was thrown.", e.code)
			cause.Evidence = append(cause.Evidence, failure.lines[0].proof())
		case len(c.saidBy(v1alpha1.RoleDriver)) == 0:
			cause.Why = fmt.Sprintf("The job ended with exit code %d, and nothing is known of what it said.", e.code)
		}
		return cause, true
	}}
}
