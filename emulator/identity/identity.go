// Package identity says who somebody is by the word of another issuer: attributes
// that are read from the claims of a token, the expressions that select some of
// those who have them, and the templates that they fill in. The emulators of
// Consul and Nomad decide with it what somebody gets who logs in.
package identity

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/hashicorp/go-bexpr"
	"github.com/hashicorp/go-bexpr/grammar"
	"github.com/hashicorp/hil"
	"github.com/hashicorp/hil/ast"
)

// Identity is who has logged in: attributes in groups, "value" and "list" for a
// JSON Web Token. Expressions and templates name one as group.attribute.
type Identity struct {
	texts map[string]map[string]string
	lists map[string]map[string][]string
	open  bool // whether expressions may name attributes that are not there
	plain map[string]string
}

// New makes an identity of texts and lists by group and name. When it is open,
// expressions may name others too.
func New(texts map[string]map[string]string, lists map[string]map[string][]string, open bool) *Identity {
	return &Identity{texts: texts, lists: lists, open: open}
}

// maxSteps bounds the work of parsing an expression, which nested brackets
// make grow without measure.
const maxSteps = 200_000

// Matches tells whether an expression, as the filters of Consul and Nomad are, is
// true of the identity. An empty one is.
func (i *Identity) Matches(selector string) (bool, error) {
	if selector == "" {
		return true, nil
	}
	evaluator, err := bexpr.CreateEvaluator(selector, bexpr.WithMaxExpressions(maxSteps))
	if err != nil {
		return false, err
	}
	attributes := map[string]any{}
	for group, values := range i.texts {
		attributes[group] = values
	}
	for group, values := range i.lists {
		attributes[group] = values
	}
	return evaluator.Evaluate(attributes)
}

// CheckSelector is an error unless Matches can work out the expression.
func (i *Identity) CheckSelector(selector string) error {
	if selector == "" {
		return nil
	}
	tree, err := grammar.Parse("", []byte(selector), grammar.MaxExpressions(maxSteps))
	if err != nil {
		return err
	}
	return i.check(tree)
}

func (i *Identity) check(node any) error {
	switch node := node.(type) {
	case *grammar.UnaryExpression:
		return i.check(node.Operand)
	case *grammar.BinaryExpression:
		if err := i.check(node.Left); err != nil {
			return err
		}
		return i.check(node.Right)
	case *grammar.MatchExpression:
		return i.checkMatch(node)
	default:
		return fmt.Errorf("an expression of the form %T is not supported", node)
	}
}

func (i *Identity) checkMatch(match *grammar.MatchExpression) error {
	path := match.Selector.Path
	texts, isText := i.texts[path[0]]
	_, isList := i.lists[path[0]]
	known := isText || isList
	if len(path) > 1 && !i.open {
		_, known = texts[path[1]]
	}
	if !known || len(path) > 2 {
		return fault("Selector %q is not valid", match.Selector)
	}
	ofMany := []grammar.MatchOperator{
		grammar.MatchIn, grammar.MatchNotIn, grammar.MatchIsEmpty, grammar.MatchIsNotEmpty,
	}
	if (isList || len(path) == 1) && !slices.Contains(ofMany, match.Operator) {
		return fault("Invalid match operator %q for selector %q", match.Operator, match.Selector)
	}
	if match.Operator == grammar.MatchMatches || match.Operator == grammar.MatchNotMatches {
		if _, err := regexp.Compile(match.Value.Raw); err != nil {
			return fmt.Errorf("failed to compile regular expression %q: %w", match.Value.Raw, err)
		}
	}
	return nil
}

// Fill puts the identity into a template: ${group.attribute} becomes the
// attribute. Only texts can be in templates.
func (i *Identity) Fill(template string) (string, error) {
	tree, err := hil.Parse(template)
	if err != nil {
		return "", err
	}
	known := map[string]ast.Variable{}
	for group, values := range i.texts {
		for name, value := range values {
			known[group+"."+name] = ast.Variable{Type: ast.TypeString, Value: value}
		}
	}
	for name, value := range i.plain {
		known[name] = ast.Variable{Type: ast.TypeString, Value: value}
	}
	filled, err := hil.Eval(tree, &hil.EvalConfig{GlobalScope: &ast.BasicScope{VarMap: known}})
	if err != nil {
		return "", err
	}
	text, ok := filled.Value.(string)
	if !ok {
		return "", fmt.Errorf("the template %q is not a text but a %s", template, filled.Type)
	}
	return text, nil
}

// With is the identity with further texts, which templates name without a group.
func (i *Identity) With(plain map[string]string) *Identity {
	return &Identity{texts: i.texts, lists: i.lists, open: i.open, plain: plain}
}

// Filled is the identity with a text in each of its attributes, so that what
// templates become can be checked before anybody logs in.
func (i *Identity) Filled(text string) *Identity {
	filled := &Identity{texts: map[string]map[string]string{}, lists: i.lists, open: i.open}
	for group, values := range i.texts {
		filled.texts[group] = map[string]string{}
		for name := range values {
			filled.texts[group][name] = text
		}
	}
	return filled
}
