package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// MaxSize is how long a document may be, in bytes.
const MaxSize = 20 << 10

// oneOrMany is a string or a list of them.
type oneOrMany []string

func (l *oneOrMany) UnmarshalJSON(js []byte) error {
	var one string
	if json.Unmarshal(js, &one) == nil {
		*l = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(js, (*[]string)(l))
}

// scalars are one or many strings, numbers or booleans, as text.
type scalars []string

func (l *scalars) UnmarshalJSON(js []byte) error {
	var many []json.RawMessage
	if json.Unmarshal(js, &many) != nil {
		many = []json.RawMessage{js}
	}
	*l = scalars{}
	for _, one := range many {
		var v any
		d := json.NewDecoder(bytes.NewReader(one))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return err
		}
		switch v := v.(type) {
		case string:
			*l = append(*l, v)
		case bool:
			*l = append(*l, strconv.FormatBool(v))
		case json.Number:
			*l = append(*l, v.String())
		default:
			return errors.New("a condition's value is a string, a number or a boolean")
		}
	}
	return nil
}

// principal is "*" or {"AWS": …}.
type principal []string

func (p *principal) UnmarshalJSON(js []byte) error {
	var everybody string
	if json.Unmarshal(js, &everybody) == nil {
		if everybody != Anonymous {
			return fmt.Errorf("invalid principal '%s'", everybody)
		}
		*p = principal{Anonymous}
		return nil
	}
	var some struct{ AWS oneOrMany }
	if err := strictly(js, &some); err != nil {
		return err
	}
	if len(some.AWS) == 0 {
		return errors.New("principal is empty")
	}
	*p = principal(some.AWS)
	return nil
}

// document is what a policy looks like in JSON.
type document struct {
	ID        string `json:"Id"`
	Version   string
	Statement statements
}

type statements []rawStatement

// UnmarshalJSON accepts a single statement for a list of one.
func (l *statements) UnmarshalJSON(js []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(js), []byte("{")) {
		*l = make(statements, 1)
		return strictly(js, &(*l)[0])
	}
	return strictly(js, (*[]rawStatement)(l))
}

type rawStatement struct {
	Sid         string
	Effect      string
	Principal   principal
	Action      oneOrMany
	NotAction   oneOrMany
	Resource    oneOrMany
	NotResource oneOrMany
	Condition   map[string]map[string]scalars
}

// strictly decodes one JSON value that has no other fields than v.
func strictly(js []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(js))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// Parse reads the policy of an access key.
func Parse(js []byte) (*Policy, error) { return parse(js, "") }

// ParseBucket reads the policy of a bucket, which can be about nothing else.
func ParseBucket(js []byte, bucket string) (*Policy, error) { return parse(js, bucket) }

func parse(js []byte, bucket string) (*Policy, error) {
	var doc document
	if err := strictly(js, &doc); err != nil {
		return nil, err
	}
	if doc.Version != "2012-10-17" && (doc.Version != "" || bucket != "") {
		return nil, fmt.Errorf("invalid version '%s'", doc.Version)
	}
	p := &Policy{document: bytes.Clone(js)}
	for _, raw := range doc.Statement {
		s, err := raw.compile(bucket)
		if err != nil {
			return nil, err
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

// compile checks a statement and makes it ready to decide. The policy of a
// bucket names principals, that of a key does not.
func (raw rawStatement) compile(bucket string) (statement, error) {
	s := statement{deny: raw.Effect == "Deny", principals: raw.Principal}
	if raw.Effect != "Allow" && raw.Effect != "Deny" {
		return s, fmt.Errorf("invalid Effect '%s'", raw.Effect)
	}
	switch {
	case bucket != "" && len(raw.Principal) == 0:
		return s, errors.New("Principal must not be empty")
	case bucket == "" && raw.Principal != nil:
		return s, errors.New("Principal is not for the policy of a key")
	}
	var err error
	if s.actions, err = choose("Action", raw.Action, raw.NotAction); err != nil {
		return s, err
	}
	if len(s.actions.list) == 0 {
		return s, errors.New("Action must not be empty")
	}
	for _, action := range s.actions.list {
		if !knownAction(action) {
			return s, fmt.Errorf("unsupported action '%s'", action)
		}
	}
	if s.resources, err = choose("Resource", raw.Resource, raw.NotResource); err != nil {
		return s, err
	}
	if len(s.resources.list) == 0 && !slices.ContainsFunc(s.actions.list, administrative) {
		return s, errors.New("Resource must not be empty")
	}
	s.resources.list = slices.Clone(s.resources.list)
	for i, resource := range s.resources.list {
		if s.resources.list[i], err = resourcePattern(resource, bucket); err != nil {
			return s, err
		}
	}
	s.conditions, err = compileConditions(raw.Condition)
	return s, err
}

// choose takes a list or its opposite, of which there can be but one.
func choose(name string, list, not oneOrMany) (patterns, error) {
	if list != nil && not != nil {
		return patterns{}, fmt.Errorf("%s and Not%s exclude each other", name, name)
	}
	if not != nil {
		return patterns{list: not, inverted: true}, nil
	}
	return patterns{list: list}, nil
}

func administrative(action string) bool { return strings.HasPrefix(action, "admin:") }

func knownAction(action string) bool {
	return action == "*" || strings.HasPrefix(action, "s3:") || strings.HasPrefix(action, "admin:") || strings.HasPrefix(action, "kms:")
}

// resourcePattern takes the ARN's prefix away; "*" is everything.
func resourcePattern(arn, bucket string) (string, error) {
	pattern, ok := strings.CutPrefix(arn, arnPrefix)
	switch {
	case arn == "*":
		pattern = "*"
	case !ok || pattern == "":
		return "", fmt.Errorf("invalid resource '%s'", arn)
	}
	if bucket == "" {
		return pattern, nil
	}
	if name, _, _ := strings.Cut(pattern, "/"); !match(name, bucket) {
		return "", fmt.Errorf("bucket name does not match: resource '%s'", arn)
	}
	return pattern, nil
}

func compileConditions(raw map[string]map[string]scalars) ([]condition, error) {
	known := operators()
	var all []condition
	for name, keys := range raw {
		c, valid, err := parseOperator(name, known)
		if err != nil {
			return nil, err
		}
		for key, want := range keys {
			if len(want) == 0 {
				return nil, fmt.Errorf("condition %s on '%s' has no value", name, key)
			}
			for _, w := range want {
				if !strings.Contains(w, "${") && !valid(w) {
					return nil, fmt.Errorf("invalid value '%s' for %s condition", w, name)
				}
			}
			c.key, c.want = strings.ToLower(key), want
			all = append(all, c)
		}
	}
	return all, nil
}

// parseOperator reads an operator with its qualifiers.
func parseOperator(name string, known map[string]operator) (condition, func(string) bool, error) {
	var c condition
	bare, all := strings.CutPrefix(name, "ForAllValues:")
	bare, each := strings.CutPrefix(bare, "ForAnyValue:")
	bare, absent := strings.CutSuffix(bare, "IfExists")
	c.all, c.each, c.absent = all, each, absent
	if name == "Null" {
		c.null = true
		return c, readable(strconv.ParseBool), nil
	}
	op, ok := known[bare]
	if !ok || all && each {
		return c, nil, fmt.Errorf("invalid condition operator '%s'", name)
	}
	c.test, c.negated = op.test, op.negated
	return c, op.valid, nil
}
