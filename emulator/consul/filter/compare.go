package filter

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-bexpr/grammar"
)

// here compares the values that the selector leads to, which are of a type that
// has to support the operator.
func (m *match) here(of reflect.Type) (predicate, error) {
	if !slices.Contains(operators(of), m.operator) {
		return nil, invalid("Invalid match operator %q for selector %q",
			m.written(), strings.Join(m.path, "."))
	}
	test, err := m.test(of)
	if err != nil || !m.negated {
		return test, err
	}
	return func(v reflect.Value) bool { return !test(v) }, nil
}

// operators are those that a type supports, without their opposites.
func operators(of reflect.Type) []grammar.MatchOperator {
	switch {
	case of.Kind() == reflect.String:
		return []grammar.MatchOperator{grammar.MatchEqual, grammar.MatchIn, grammar.MatchMatches}
	case isPrimitive(of):
		return []grammar.MatchOperator{grammar.MatchEqual}
	case of.Kind() == reflect.Slice && isPrimitive(of.Elem()),
		of.Kind() == reflect.Map && of.Key().Kind() == reflect.String:
		return []grammar.MatchOperator{grammar.MatchIn, grammar.MatchIsEmpty}
	case of.Kind() == reflect.Slice, of.Kind() == reflect.Map:
		return []grammar.MatchOperator{grammar.MatchIsEmpty}
	default:
		return nil
	}
}

// written is the operator as the expression had it.
func (m *match) written() string {
	opposite := map[grammar.MatchOperator]grammar.MatchOperator{
		grammar.MatchEqual:   grammar.MatchNotEqual,
		grammar.MatchIn:      grammar.MatchNotIn,
		grammar.MatchIsEmpty: grammar.MatchIsNotEmpty,
		grammar.MatchMatches: grammar.MatchNotMatches,
	}
	if m.negated {
		return opposite[m.operator].String()
	}
	return m.operator.String()
}

// test makes the predicate of the operator, without its negation.
func (m *match) test(of reflect.Type) (predicate, error) {
	switch m.operator {
	case grammar.MatchIsEmpty:
		return func(v reflect.Value) bool { return v.Len() == 0 }, nil
	case grammar.MatchMatches:
		pattern, err := regexp.Compile(m.text)
		if err != nil {
			return nil, invalid("Failed to compile regular expression %q: %v", m.text, err)
		}
		return func(v reflect.Value) bool { return pattern.MatchString(v.String()) }, nil
	case grammar.MatchIn:
		return m.in(of)
	default:
		return m.equals(of)
	}
}

func (m *match) in(of reflect.Type) (predicate, error) {
	switch of.Kind() {
	case reflect.String:
		return func(v reflect.Value) bool { return strings.Contains(v.String(), m.text) }, nil
	case reflect.Map:
		key := reflect.ValueOf(m.text).Convert(of.Key())
		return func(v reflect.Value) bool { return v.MapIndex(key).IsValid() }, nil
	default:
		equals, err := m.equals(of.Elem())
		return func(v reflect.Value) bool {
			for i := range v.Len() {
				if equals(v.Index(i)) {
					return true
				}
			}
			return false
		}, err
	}
}

// equals compares with the text, read as a value of a primitive type.
func (m *match) equals(of reflect.Type) (predicate, error) {
	var test predicate
	var err error
	switch kind := of.Kind(); {
	case kind == reflect.String:
		test = func(v reflect.Value) bool { return v.String() == m.text }
	case kind == reflect.Bool:
		var want bool
		want, err = strconv.ParseBool(m.text)
		test = func(v reflect.Value) bool { return v.Bool() == want }
	case kind == reflect.Float32, kind == reflect.Float64:
		var want float64
		want, err = strconv.ParseFloat(m.text, of.Bits())
		test = func(v reflect.Value) bool { return v.Float() == want }
	case reflect.Zero(of).CanUint():
		var want uint64
		want, err = strconv.ParseUint(m.text, 0, of.Bits())
		test = func(v reflect.Value) bool { return v.Uint() == want }
	default:
		var want int64
		want, err = strconv.ParseInt(m.text, 0, of.Bits())
		test = func(v reflect.Value) bool { return v.Int() == want }
	}
	if err != nil {
		return nil, invalid("Failed to coerce value %q for selector %q: %v",
			m.text, strings.Join(m.path, "."), err)
	}
	return test, nil
}

func isPrimitive(of reflect.Type) bool {
	return of.Kind() == reflect.String || reflect.Bool <= of.Kind() && of.Kind() <= reflect.Float64
}
