package jobs

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/nomad/api"
)

func checkConstraints(p *problems, constraints []*api.Constraint) {
	for i, c := range constraints {
		var wrong problems
		checkConstraint(&wrong, c)
		p.in(wrong, "Constraint %d validation failed: ", i+1)
	}
}

func checkConstraint(p *problems, c *api.Constraint) {
	p.when(c.Operand == "", "Missing constraint operand")
	needsLeft := true
	switch c.Operand {
	case api.ConstraintDistinctHosts:
		needsLeft = false
	case api.ConstraintSetContains, api.ConstraintSetContainsAll, api.ConstraintSetContainsAny:
		p.when(c.RTarget == "", "Set contains constraint requires an RTarget")
	case api.ConstraintRegex, api.ConstraintVersion, api.ConstraintSemver:
		checkPattern(p, "constraint", c.Operand, c.RTarget)
	case api.ConstraintDistinctProperty:
		checkAllowedCount(p, c.RTarget)
	case api.ConstraintAttributeIsSet, api.ConstraintAttributeIsNotSet:
		p.when(c.RTarget != "", "Operator %q does not support an RTarget", c.Operand)
	case "=", "==", "is", "!=", "not", "<", "<=", ">", ">=":
		p.when(c.RTarget == "", "Operator %q requires an RTarget", c.Operand)
	default:
		p.add("Unknown constraint type %q", c.Operand)
	}
	p.when(needsLeft && c.LTarget == "", "no attribute provided but is required by operator")
}

// checkPattern checks what a constraint or an affinity compares with.
func checkPattern(p *problems, what, operand, pattern string) {
	switch operand {
	case api.ConstraintRegex:
		if _, err := regexp.Compile(pattern); err != nil {
			p.add("Regular expression failed to compile: %v", err)
		}
	case api.ConstraintVersion:
		if _, err := version.NewConstraint(pattern); err != nil {
			p.add("Version %s is invalid: %v", what, err)
		}
	case api.ConstraintSemver:
		for _, part := range strings.Split(pattern, ",") {
			if _, err := version.NewConstraint(part); err != nil || strings.Contains(part, "~>") {
				p.add("Semver %s is invalid: Malformed constraint: %s", what, part)
				return
			}
		}
	}
}

func checkAllowedCount(p *problems, text string) {
	if text == "" {
		return
	}
	count, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		p.add("Failed to convert RTarget %q to uint64: %v", text, err)
		return
	}
	p.when(count < 1, "Distinct Property must have an allowed count of 1 or greater: %d < 1", count)
}

func checkAffinities(p *problems, jobType string, affinities []*api.Affinity) {
	if jobType == api.JobTypeSystem {
		p.when(len(affinities) > 0, "System jobs may not have an affinity block")
		return
	}
	for i, a := range affinities {
		var wrong problems
		checkAffinity(&wrong, a)
		p.in(wrong, "Affinity %d validation failed: ", i+1)
	}
}

func checkAffinity(p *problems, a *api.Affinity) {
	const heaviest = 100
	p.when(a.Operand == "", "Missing affinity operand")
	switch a.Operand {
	case api.ConstraintSetContains, api.ConstraintSetContainsAll, api.ConstraintSetContainsAny:
		p.when(a.RTarget == "", "Set contains operators require an RTarget")
	case api.ConstraintRegex, api.ConstraintVersion, api.ConstraintSemver:
		checkPattern(p, "affinity", a.Operand, a.RTarget)
	case "=", "==", "is", "!=", "not", "<", "<=", ">", ">=":
		p.when(a.RTarget == "", "Operator %q requires an RTarget", a.Operand)
	default:
		p.add("Unknown affinity operator %q", a.Operand)
	}
	p.when(a.LTarget == "", "No LTarget provided but is required")
	p.when(*a.Weight > heaviest || *a.Weight < -heaviest, "Affinity weight must be within the range [-100,100]")
	p.when(*a.Weight == 0, "Affinity weight cannot be zero")
}

func checkSpreads(p *problems, jobType string, spreads []*api.Spread) {
	if jobType == api.JobTypeSystem {
		p.when(len(spreads) > 0, "System jobs may not have a spread block")
		return
	}
	for i, s := range spreads {
		var wrong problems
		checkSpread(&wrong, s)
		p.in(wrong, "Spread %d validation failed: ", i+1)
	}
}

func checkSpread(p *problems, s *api.Spread) {
	const all = 100
	p.when(s.Attribute == "", "Missing spread attribute")
	p.when(*s.Weight <= 0 || *s.Weight > all, "Spread block must have a positive weight from 0 to 100")
	seen, sum := map[string]bool{}, 0
	for _, target := range s.SpreadTarget {
		p.when(seen[target.Value], "Spread target value %q already defined", target.Value)
		seen[target.Value] = true
		p.when(target.Percent > all, "Spread target percentage for value %q must be between 0 and 100", target.Value)
		sum += int(target.Percent)
	}
	p.when(sum > all, "Sum of spread target percentages must not be greater than 100%%; got %d%%", sum)
}
