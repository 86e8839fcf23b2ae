package filter

import (
	"reflect"
	"strings"

	"github.com/hashicorp/go-bexpr/grammar"
)

// match is one comparison of an expression: a selector, an operator and, for
// most operators, a text to compare with.
type match struct {
	path     []string
	operator grammar.MatchOperator
	text     string
	negated  bool // the operator is the opposite of what test does
}

// newMatch reduces the operators that have an opposite to one of the two.
func newMatch(m *grammar.MatchExpression) *match {
	positive := map[grammar.MatchOperator]grammar.MatchOperator{
		grammar.MatchNotEqual:   grammar.MatchEqual,
		grammar.MatchNotIn:      grammar.MatchIn,
		grammar.MatchIsNotEmpty: grammar.MatchIsEmpty,
		grammar.MatchNotMatches: grammar.MatchMatches,
	}
	made := &match{path: m.Selector.Path, operator: m.Operator}
	if operator, ok := positive[m.Operator]; ok {
		made.operator, made.negated = operator, true
	}
	if m.Value != nil {
		made.text = m.Value.Raw
	}
	return made
}

// along follows the selector from its given place on, through values of a type.
func (m *match) along(of reflect.Type, place int) (predicate, error) {
	if of.Kind() == reflect.Pointer {
		return m.through(of, place)
	}
	if place == len(m.path) {
		return m.here(of)
	}
	switch of.Kind() {
	case reflect.Struct:
		return m.field(of, place)
	case reflect.Map:
		if of.Key().Kind() == reflect.String {
			return m.key(of, place)
		}
	case reflect.Slice:
		return m.any(of, place)
	}
	return nil, m.unknown(place)
}

func (m *match) unknown(place int) error {
	return invalid("Selector %q is not valid", strings.Join(m.path[:place+1], "."))
}

// through follows a pointer; what a nil one leads to is empty.
func (m *match) through(of reflect.Type, place int) (predicate, error) {
	inner, err := m.along(of.Elem(), place)
	empty := reflect.Zero(of.Elem())
	return func(v reflect.Value) bool {
		if v.IsNil() {
			return inner(empty)
		}
		return inner(v.Elem())
	}, err
}

func (m *match) field(of reflect.Type, place int) (predicate, error) {
	for i := range of.NumField() {
		if field := of.Field(i); field.IsExported() && nameOf(field) == m.path[place] {
			inner, err := m.along(field.Type, place+1)
			return func(v reflect.Value) bool { return inner(v.Field(i)) }, err
		}
	}
	return nil, m.unknown(place)
}

// nameOf is what selectors call a field; empty when they cannot.
func nameOf(field reflect.StructField) string {
	switch tag := field.Tag.Get("bexpr"); tag {
	case "":
		return field.Name
	case "-":
		return ""
	default:
		return tag
	}
}

// key follows a key of a map. One that is not there equals, matches and
// contains nothing, and is empty.
func (m *match) key(of reflect.Type, place int) (predicate, error) {
	inner, err := m.along(of.Elem(), place+1)
	missing := (m.operator == grammar.MatchIsEmpty) != m.negated
	key := reflect.ValueOf(m.path[place]).Convert(of.Key())
	return func(v reflect.Value) bool {
		value := v.MapIndex(key)
		if !value.IsValid() {
			return missing
		}
		return inner(value)
	}, err
}

// any follows the elements of a list.
func (m *match) any(of reflect.Type, place int) (predicate, error) {
	inner, err := m.along(of.Elem(), place)
	return func(v reflect.Value) bool {
		for i := range v.Len() {
			if inner(v.Index(i)) {
				return true
			}
		}
		return false
	}, err
}
