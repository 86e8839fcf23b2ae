package place

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/nomad/api"
)

// operator compares both sides of a constraint.
type operator func(left, right value) bool

// newOperator is the operator of that name; one that does not exist holds
// nowhere. It remembers what it has parsed: one goroutine uses it.
func newOperator(name string) operator {
	switch name {
	case "", "=", "==", "is":
		return func(l, r value) bool { return l.set && r.set && l.text == r.text }
	case "!=", "not":
		return func(l, r value) bool { return l != r }
	case "<", "<=", ">", ">=":
		return ifSet(func(l, r string) bool { return ordered(name, compare(l, r)) })
	case api.ConstraintAttributeIsSet:
		return func(l, _ value) bool { return l.set }
	case api.ConstraintAttributeIsNotSet:
		return func(l, _ value) bool { return !l.set }
	case api.ConstraintRegex:
		return ifSet(newRegexp())
	case api.ConstraintVersion:
		return ifSet(newVersion(parseVersions))
	case api.ConstraintSemver:
		return ifSet(newVersion(parseSemantic))
	case api.ConstraintSetContains, api.ConstraintSetContainsAll:
		return ifSet(func(l, r string) bool { return containsAll(elements(l), elements(r)) })
	case api.ConstraintSetContainsAny:
		return ifSet(func(l, r string) bool {
			have := elements(l)
			return slices.ContainsFunc(elements(r), func(one string) bool { return slices.Contains(have, one) })
		})
	}
	return func(value, value) bool { return false }
}

func ifSet(holds func(left, right string) bool) operator {
	return func(l, r value) bool { return l.set && r.set && holds(l.text, r.text) }
}

// compare orders two texts: as whole numbers, else as numbers, else as texts.
func compare(left, right string) int {
	if l, r, ok := both(left, right, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }); ok {
		return order(l, r)
	}
	if l, r, ok := both(left, right, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }); ok {
		return order(l, r)
	}
	return strings.Compare(left, right)
}

func both[T any](left, right string, parse func(string) (T, error)) (l, r T, ok bool) {
	l, err := parse(left)
	if err != nil {
		return l, r, false
	}
	r, err = parse(right)
	return l, r, err == nil
}

func order[T int64 | float64](l, r T) int {
	switch {
	case l < r:
		return -1
	case l > r:
		return 1
	}
	return 0
}

func ordered(operator string, by int) bool {
	switch operator {
	case "<":
		return by < 0
	case "<=":
		return by <= 0
	case ">":
		return by > 0
	}
	return by >= 0
}

func elements(list string) []string {
	all := strings.Split(list, ",")
	for i, one := range all {
		all[i] = strings.TrimSpace(one)
	}
	return all
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(one string) bool { return !slices.Contains(have, one) })
}

// remember is a function that works each argument out once.
func remember[T any](work func(string) T) func(string) T {
	known := map[string]T{}
	return func(of string) T {
		result, is := known[of]
		if !is {
			result = work(of)
			known[of] = result
		}
		return result
	}
}

func newRegexp() func(left, right string) bool {
	compiled := remember(func(text string) *regexp.Regexp {
		expression, err := regexp.Compile(text)
		if err != nil {
			return nil // it matches nothing
		}
		return expression
	})
	return func(l, r string) bool {
		expression := compiled(r)
		return expression != nil && expression.MatchString(l)
	}
}

// newVersion is an operator on versions. Texts that are none match nothing.
func newVersion(parse func(string) func(*version.Version) bool) func(left, right string) bool {
	versions := remember(func(text string) *version.Version {
		v, err := version.NewVersion(text)
		if err != nil {
			return nil
		}
		return v
	})
	constraints := remember(parse)
	return func(l, r string) bool {
		v, holds := versions(l), constraints(r)
		return v != nil && holds != nil && holds(v)
	}
}

// parseVersions reads constraints like "~> 1.2": versions before a release
// match only those that name such a one.
func parseVersions(text string) func(*version.Version) bool {
	constraints, err := version.NewConstraint(text)
	if err != nil {
		return nil
	}
	return constraints.Check
}

// parseSemantic reads constraints like ">= 1.2, < 2" that go by the order of
// Semantic Versioning alone, in which what is before a release is less.
func parseSemantic(text string) func(*version.Version) bool {
	var all []func(*version.Version) bool
	for part := range strings.SplitSeq(text, ",") {
		one := parseSemanticPart(strings.TrimSpace(part))
		if one == nil {
			return nil
		}
		all = append(all, one)
	}
	return func(v *version.Version) bool {
		return !slices.ContainsFunc(all, func(holds func(*version.Version) bool) bool { return !holds(v) })
	}
}

func parseSemanticPart(text string) func(*version.Version) bool {
	number := strings.TrimLeft(text, "<>=!")
	operator := text[:len(text)-len(number)]
	bound, err := version.NewVersion(strings.TrimSpace(number))
	if err != nil {
		return nil
	}
	switch operator {
	case "", "=":
		return func(v *version.Version) bool { return v.Compare(bound) == 0 }
	case "!=":
		return func(v *version.Version) bool { return v.Compare(bound) != 0 }
	case "<", "<=", ">", ">=":
		return func(v *version.Version) bool { return ordered(operator, v.Compare(bound)) }
	}
	return nil
}
