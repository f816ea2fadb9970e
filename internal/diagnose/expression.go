package diagnose

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// The most that an expression may be and do. The cost is CEL's own measure, of which this is a fifth of what
// Kubernetes allows one: some hundredths of a second.
const (
	mostExpressionSize  = 8 << 10
	mostExpressionDepth = 50
	mostPattern         = 1000
	mostCost            = 200_000
	longestWhy          = 1000
)

// compiler makes programs of the expressions of rules.
type compiler struct{ env *cel.Env }

// program is a compiled expression.
type program struct{ cel.Program }

// newCompiler takes some milliseconds, so that it is made only where there are rules.
func newCompiler() (*compiler, error) {
	list := func(name string) *cel.Type { return cel.ListType(cel.ObjectType("diagnose." + name)) }
	matching := cel.MemberOverload("lines_matching", []*cel.Type{list("Line"), cel.StringType}, list("Line"), cel.BinaryBinding(matchingLines))
	code := cel.MemberOverload("exits_code", []*cel.Type{list("Exit"), cel.StringType}, cel.IntType, cel.BinaryBinding(exitCodeOf))
	env, err := cel.NewEnv(
		cel.OptionalTypes(),
		ext.NativeTypes(reflect.TypeFor[Pod](), reflect.TypeFor[Container](), reflect.TypeFor[Event](), reflect.TypeFor[Line](), reflect.TypeFor[Exit](),
			ext.ParseStructTag("cel")),
		cel.Variable("namespace", cel.StringType), cel.Variable("name", cel.StringType), cel.Variable("ended", cel.BoolType),
		cel.Variable("pods", list("Pod")), cel.Variable("events", list("Event")), cel.Variable("logs", list("Line")), cel.Variable("exits", list("Exit")),
		cel.Variable("application", cel.DynType), cel.Variable("cluster", cel.DynType),
		cel.Function("matching", matching), cel.Function("exitCodeOf", code),
		cel.Macros(slices.Concat(cel.StandardMacros, []cel.Macro{memberOf("lines", "matching", "logs"), memberOf("exitCode", "exitCodeOf", "exits")})...),
		ext.Strings(), cel.ASTValidators(cel.ValidateRegexLiterals()),
		cel.ParserExpressionSizeLimit(mostExpressionSize), cel.ParserRecursionLimit(mostExpressionDepth), cel.DefaultUTCTimeZone(true), cel.CrossTypeNumericComparisons(true),
	)
	if err != nil {
		return nil, err
	}
	return &compiler{env: env}, nil
}

// memberOf is the macro name(x), which stands for variable.member(x): a function of CEL sees its arguments alone.
func memberOf(name, member, variable string) cel.Macro {
	return cel.GlobalMacro(name, 1, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		return f.NewMemberCall(member, f.NewIdent(variable), args...), nil
	})
}

// rule reads and compiles one rule; the errors are all that there are.
func (c *compiler) rule(text []byte) (Rule, []error) {
	var r Rule
	if err := strictly(text, &r.spec); err != nil {
		return r, []error{err}
	}
	errs := r.spec.check()
	for _, expression := range []struct {
		field, text string
		kind        *cel.Type
		program     **program
	}{
		{"when", r.spec.When, cel.BoolType, &r.when},
		{"whyExpression", r.spec.WhyExpression, cel.StringType, &r.why},
		{"evidence", r.spec.Evidence, cel.ListType(cel.DynType), &r.evidence},
	} {
		if expression.text == "" {
			continue
		}
		made, err := c.compile(expression.text, expression.kind)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", expression.field, shortened(expression.text), err))
		}
		*expression.program = made
	}
	return r, errs
}

func (c *compiler) compile(text string, kind *cel.Type) (*program, error) {
	checked, issues := c.env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	if got := checked.OutputType(); !got.IsAssignableType(kind) && !kind.IsAssignableType(got) {
		return nil, fmt.Errorf("is a %s, and has to be a %s", got, kind)
	}
	made, err := c.env.Program(checked, cel.CostTracking(costs{}), cel.CostLimit(mostCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &program{made}, nil
}

// costs is what our own functions cost: about what CEL's own matches does, for each line.
type costs struct{}

// CallCost implements interpreter.ActualCostEstimator.
func (costs) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	if function != "matching" && function != "exitCodeOf" || len(args) != 2 {
		return nil
	}
	list, isList := args[0].(traits.Sizer)
	pattern, isText := args[1].(types.String)
	if !isList || !isText {
		return nil
	}
	n, ok := list.Size().(types.Int)
	if !ok {
		return nil
	}
	return new(uint64(n)*(1+uint64(len(pattern))/4) + 1)
}

// matchingLines are those of lines that pattern, a regular expression of RE2, matches.
func matchingLines(lines, pattern ref.Val) ref.Val {
	list, isList := lines.(traits.Lister)
	text, isText := pattern.(types.String)
	if !isList || !isText {
		return types.MaybeNoSuchOverloadErr(lines)
	}
	if len(text) > mostPattern {
		return types.NewErr("a pattern of %d characters is too long; %d are read at most", len(text), mostPattern)
	}
	compiled, err := regexp.Compile(string(text))
	if err != nil {
		return types.NewErr("%q is not a regular expression: %v", shortened(string(text)), err)
	}
	matches := []ref.Val{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		element := it.Next()
		if line, ok := element.Value().(Line); ok && compiled.MatchString(line.Text) {
			matches = append(matches, element)
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, matches)
}

// exitCodeOf is the exit code with which the last container of a role ended; -1 if none did.
func exitCodeOf(exits, role ref.Val) ref.Val {
	list, isList := exits.(traits.Lister)
	text, isText := role.(types.String)
	if !isList || !isText {
		return types.MaybeNoSuchOverloadErr(exits)
	}
	if text != types.String(v1alpha1.RoleDriver) && text != types.String(v1alpha1.RoleExecutor) {
		return types.NewErr("%q is no role; write driver or executor", shortened(string(text)))
	}
	code := types.Int(-1)
	for it := list.Iterator(); it.HasNext() == types.True; {
		if exit, ok := it.Next().Value().(Exit); ok && exit.Role == string(text) {
			code = types.Int(exit.Code)
		}
	}
	return code
}

func (p *program) boolean(given map[string]any) (bool, error) {
	value, _, err := p.Eval(given)
	if err != nil {
		return false, err
	}
	is, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("is a %s, and has to be a bool", value.Type().TypeName())
	}
	return is, nil
}

func (p *program) text(given map[string]any) (string, error) {
	value, _, err := p.Eval(given)
	if err != nil {
		return "", err
	}
	text, ok := value.Value().(string)
	switch {
	case !ok:
		return "", fmt.Errorf("is a %s, and has to be a string", value.Type().TypeName())
	case text == "":
		return "", errors.New("is empty, and has to be a sentence")
	case len(text) > longestWhy:
		return "", fmt.Errorf("has %d characters; %d are read at most", len(text), longestWhy)
	}
	return text, nil
}

// proofs are what the expression selects, as evidence: lines, events, pods and exits.
func (p *program) proofs(given map[string]any) ([]v1alpha1.Proof, error) {
	value, _, err := p.Eval(given)
	if err != nil {
		return nil, err
	}
	list, ok := value.(traits.Lister)
	if !ok {
		return nil, fmt.Errorf("is a %s, and has to be a list", value.Type().TypeName())
	}
	var all []v1alpha1.Proof
	for it := list.Iterator(); it.HasNext() == types.True && len(all) < mostProofs; {
		element := it.Next()
		proven, ok := element.Value().(evidence)
		if !ok {
			return nil, fmt.Errorf("has a %s, which is no evidence; select lines, events, pods or exits", element.Type().TypeName())
		}
		all = append(all, proven.proof())
	}
	return all, nil
}
