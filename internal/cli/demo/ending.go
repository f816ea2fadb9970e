package demo

import (
	"fmt"
	"maps"
	"strings"

	"brazier.sh/brazier/internal/invoices"
)

// compare says whether the job has found what the generator planted. Anything else is a mistake in Brazier or in Spark.
func (s *session) compare(d data, r report) error {
	if d.planted == nil {
		return nil
	}
	if differences := differences(*d.planted, r); len(differences) > 0 {
		return fmt.Errorf("the job's numbers are not those of the generated file: %s", strings.Join(differences, "; "))
	}
	fmt.Fprintln(s.streams.Err, "\n✓ these are exactly the numbers that were planted in the generated file")
	return nil
}

func differences(planted invoices.Report, found report) []string {
	var differences []string
	numbers := []struct {
		what           string
		planted, found int64
	}{
		{"lines", planted.Lines, found.Lines.Read},
		{"kept", planted.Kept, found.Lines.Kept},
		{"repeated", planted.Duplicates, found.Lines.Duplicates},
		{"customers", planted.Customers, found.Totals.Customers},
		{"orders", planted.Invoices, found.Totals.Orders},
		{"products", planted.Products, found.Totals.Products},
	}
	for _, n := range numbers {
		if n.planted != n.found {
			differences = append(differences, fmt.Sprintf("%d %s planted, %d found", n.planted, n.what, n.found))
		}
	}
	if !maps.Equal(planted.Dropped, found.Lines.Dropped) {
		differences = append(differences, fmt.Sprintf("dropped lines planted %v, found %v", planted.Dropped, found.Lines.Dropped))
	}
	return differences
}

// hint says where the result lies and what to try next.
func (s *session) hint(j job) {
	folders := [][2]string{
		{"lines/", "the lines that count, by month"},
		{"revenue/, products/, customers/, baskets/", "the four answers"},
	}
	next := [][2]string{
		{`eval "$(brazier env)"`, "let kubectl talk to the embedded cluster"},
		{"brazier get" + s.flags() + " " + j.name, "what became of the application"},
		{"brazier logs" + s.flags() + " " + j.name, "what the job itself said"},
		{"brazier run" + s.flags() + " JOB.py ARGUMENT...", "run a job of your own"},
		{"brazier demo" + s.flags() + " --data FILE.csv", "ask your own invoices"},
	}
	fmt.Fprintf(s.streams.Err, "\nThe results lie, as Parquet, in %s\n", j.out)
	s.explain(folders)
	fmt.Fprintln(s.streams.Err, "\nWhat to try next")
	s.explain(next)
}

// explain prints names and what they mean, in two columns.
func (s *session) explain(rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		fmt.Fprintf(s.streams.Err, "  %-*s  %s\n", width, row[0], row[1])
	}
}

// flags are the flags that lead a command to the same namespace, with a space before them.
func (s *session) flags() string {
	if args := s.cluster.Args(); len(args) > 0 {
		return " " + strings.Join(args, " ")
	}
	return ""
}
