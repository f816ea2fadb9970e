package diagnose

// Rule is a rule of a team's own.
type Rule struct{}

func (Rule) rule() rule { return rule{} }
