package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Version is the language that documents have to say they are in.
const Version = "2012-10-17"

// malformed says what is wrong with a document, in MinIO's words.
type malformed string

func (m malformed) Error() string { return string(m) }

// document is what a policy looks like in JSON.
type document struct {
	ID        string `json:"Id,omitempty"`
	Version   string
	Statement rawStatements
}

type rawStatement struct {
	Sid         string `json:",omitempty"`
	Effect      string
	Principal   *principal                    `json:",omitempty"`
	Action      oneOrMany                     `json:",omitempty"`
	NotAction   oneOrMany                     `json:",omitempty"`
	Resource    oneOrMany                     `json:",omitempty"`
	NotResource oneOrMany                     `json:",omitempty"`
	Condition   map[string]map[string]scalars `json:",omitempty"`
}

// Parse reads the policy of an access key. The error is fit for whoever wrote it.
func Parse(js []byte) (*Policy, error) {
	return parse(js, func(s rawStatement, resources []string) error {
		if s.Principal != nil {
			return errors.New("a Principal is for the policy of a bucket, not for that of a key")
		}
		actions := slices.Concat(s.Action, s.NotAction)
		for _, action := range actions {
			switch {
			case !Known(action):
				return fmt.Errorf("unsupported action '%s'", action)
			case administrative(action) != administrative(actions[0]):
				return fmt.Errorf("unsupported admin action '%s'", action)
			}
		}
		return nil
	})
}

// ParseBucket reads the policy of a bucket, which can be about nothing else.
func ParseBucket(js []byte, bucket string) (*Policy, error) {
	return parse(js, func(s rawStatement, resources []string) error {
		if s.Principal == nil || len(s.Principal.AWS) == 0 {
			return errors.New("invalid Principal {[]}")
		}
		for _, action := range slices.Concat(s.Action, s.NotAction) {
			if !fits(action, resources) {
				return fmt.Errorf("unsupported Resource found %v for action %s", slices.Concat(s.Resource, s.NotResource), action)
			}
		}
		for _, resource := range resources {
			if name, _, _ := strings.Cut(resource, "/"); !match(name, bucket) {
				return errors.New("bucket name does not match")
			}
		}
		return nil
	})
}

// UnmarshalJSON reads a document that has been found to be well-formed before.
func (p *Policy) UnmarshalJSON(js []byte) error {
	parsed, err := parse(js, func(rawStatement, []string) error { return nil })
	if err == nil {
		*p = *parsed
	}
	return err
}

// parse reads a document whose statements also meet check, which is told of the
// resources without what all of them begin with.
func parse(js []byte, check func(s rawStatement, resources []string) error) (*Policy, error) {
	var doc document
	if err := strictly(js, &doc); err != nil {
		return nil, err
	}
	switch doc.Version {
	case Version:
	case "":
		return nil, malformed("The policy must contain a valid version string")
	default:
		return nil, fmt.Errorf("invalid version '%s'", doc.Version)
	}
	if len(doc.Statement) == 0 {
		return nil, malformed("Statement must not be empty")
	}
	p := &Policy{}
	for _, raw := range doc.Statement {
		s, err := raw.compile()
		if err == nil {
			err = check(raw, s.resources.list)
		}
		if err != nil {
			return nil, err
		}
		p.statements = append(p.statements, s)
	}
	var err error
	p.document, err = json.Marshal(doc)
	return p, err
}

// compile checks a statement and makes it ready to decide.
func (raw rawStatement) compile() (statement, error) {
	s := statement{deny: raw.Effect == "Deny"}
	if raw.Effect != "Allow" && raw.Effect != "Deny" {
		return s, fmt.Errorf("invalid Effect %s", raw.Effect)
	}
	if raw.Principal != nil {
		s.principals = raw.Principal.AWS
	}
	var err error
	if s.actions, err = choose("Action", raw.Action, raw.NotAction); err != nil {
		return s, err
	}
	if len(s.actions.list) == 0 {
		return s, malformed("Action must not be empty")
	}
	if s.resources, err = choose("Resource", raw.Resource, raw.NotResource); err != nil {
		return s, err
	}
	if len(s.resources.list) == 0 && !administrative(s.actions.list[0]) {
		return s, malformed("Resource must not be empty")
	}
	s.resources.list = slices.Clone(s.resources.list)
	for i, arn := range s.resources.list {
		if s.resources.list[i], err = resourcePattern(arn); err != nil {
			return s, err
		}
	}
	s.conditions, err = compileConditions(raw.Condition, s.actions.list)
	return s, err
}

// choose takes a list or its opposite, of which there can be but one.
func choose(name string, list, not oneOrMany) (patterns, error) {
	if list != nil && not != nil {
		return patterns{}, fmt.Errorf("%s and Not%s cannot be specified in the same statement", name, name)
	}
	if not != nil {
		return patterns{list: not, inverted: true}, nil
	}
	return patterns{list: list}, nil
}

// resourcePattern takes away what all ARNs begin with; "*" is everything.
func resourcePattern(arn string) (string, error) {
	if arn == "*" {
		return arn, nil
	}
	pattern, ok := strings.CutPrefix(arn, arnPrefix)
	switch {
	case !ok || pattern == "":
		return "", fmt.Errorf("invalid resource '%s'", arn)
	case pattern[0] == '/':
		return "", fmt.Errorf("invalid resource '%s' - starts with '/' will not match a bucket", arn)
	}
	return pattern, nil
}

// rawStatements are one statement or a list.
type rawStatements []rawStatement

func (l *rawStatements) UnmarshalJSON(js []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(js), []byte("{")) {
		*l = make(rawStatements, 1)
		return strictly(js, &(*l)[0])
	}
	return strictly(js, (*[]rawStatement)(l))
}

// oneOrMany is a string or a list of them, which is kept as a sorted set.
type oneOrMany []string

func (l *oneOrMany) UnmarshalJSON(js []byte) error {
	var one string
	if json.Unmarshal(js, &one) == nil {
		*l = oneOrMany{one}
		return nil
	}
	if err := json.Unmarshal(js, (*[]string)(l)); err != nil {
		return err
	}
	slices.Sort(*l)
	*l = slices.Compact(*l)
	return nil
}

// principal is "*" or {"AWS": …}.
type principal struct{ AWS oneOrMany }

func (p *principal) UnmarshalJSON(js []byte) error {
	var everybody string
	if json.Unmarshal(js, &everybody) == nil {
		if everybody != Anonymous {
			return fmt.Errorf("invalid principal '%s'", everybody)
		}
		p.AWS = oneOrMany{Anonymous}
		return nil
	}
	type plain principal
	return strictly(js, (*plain)(p))
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
