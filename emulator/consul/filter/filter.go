// Package filter evaluates the expressions of the parameter filter, by which
// clients of the Consul API choose what of a list they want, as in
//
//	ServiceMeta.version == 2 and "blue" not in ServiceTags
//
// An expression is checked against the type of the list's rows when it is
// compiled, so that a wrong one is an error even where there are no rows. The
// handlers of package consul call it.
package filter

import (
	"fmt"
	"reflect"

	"github.com/hashicorp/go-bexpr/grammar"
)

// maxExpressions bounds the work of parsing one expression.
const maxExpressions = 2_000_000

// Filter is a compiled expression about values of type T, which is a struct, a
// pointer to one, or a map with text keys. Selectors name a struct's fields as
// its tag bexpr does, or else as they are called. Selecting within a list asks
// whether it holds for any of its elements. A nil filter keeps everything. Its
// methods may be called from any goroutine.
type Filter[T any] struct{ holds predicate }

// predicate tells whether an expression holds for a value.
type predicate func(reflect.Value) bool

// New compiles an expression; of the empty one it makes a nil filter. An error
// is an *Error.
func New[T any](expression string) (*Filter[T], error) {
	if expression == "" {
		return nil, nil
	}
	tree, err := parse(expression)
	if err == nil {
		var holds predicate
		if holds, err = compile(tree, reflect.TypeFor[T]()); err == nil {
			return &Filter[T]{holds}, nil
		}
	}
	return nil, invalid("Failed to create boolean expression evaluator: %v", err)
}

// Check is an error when the text is no expression, whatever it is about.
func Check(expression string) error {
	_, err := parse(expression)
	return err
}

func parse(expression string) (any, error) {
	return grammar.Parse("", []byte(expression), grammar.MaxExpressions(maxExpressions))
}

// Error says what is wrong with an expression, in Consul's words.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

func invalid(format string, args ...any) error {
	return &Error{fmt.Sprintf(format, args...)}
}

// Keeps tells whether the expression holds for a value.
func (f *Filter[T]) Keeps(value T) bool {
	return f == nil || f.holds(reflect.ValueOf(&value).Elem())
}

// compile turns a part of the syntax tree into a predicate on values of a type.
func compile(tree any, of reflect.Type) (predicate, error) {
	switch part := tree.(type) {
	case *grammar.UnaryExpression:
		inner, err := compile(part.Operand, of)
		return func(v reflect.Value) bool { return !inner(v) }, err
	case *grammar.BinaryExpression:
		left, err := compile(part.Left, of)
		if err != nil {
			return nil, err
		}
		right, err := compile(part.Right, of)
		if part.Operator == grammar.BinaryOpAnd {
			return func(v reflect.Value) bool { return left(v) && right(v) }, err
		}
		return func(v reflect.Value) bool { return left(v) || right(v) }, err
	case *grammar.MatchExpression:
		if part.Selector.Type == grammar.SelectorTypeJsonPointer {
			return nil, invalid("Selector %q is not valid", part.Selector)
		}
		return newMatch(part).along(of, 0)
	default:
		return nil, invalid("Cannot validate: Invalid AST")
	}
}
