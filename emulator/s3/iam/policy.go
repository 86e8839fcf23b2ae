package iam

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// arnPrefix begins the ARN of every bucket and object.
const arnPrefix = "arn:aws:s3:::"

// Decision is what policies say of a request.
type Decision int

// A Deny of any statement wins over every Allow.
const (
	None Decision = iota // no statement is about the request
	Allow
	Deny
)

// Request is what somebody wants to do.
type Request struct {
	Action string // such as "s3:GetObject"
	Bucket string // empty when it is about no bucket
	Key    string // empty when it is about no object
	// Principal is the access key, or Anonymous.
	Principal string
	// Value returns what the request holds of a condition key, named in lower
	// case: "aws:sourceip", "s3:prefix". Nil when it has nothing of the kind.
	Value func(key string) []string
}

// Anonymous is the principal of a request that nobody signed.
const Anonymous = "*"

// resource is what patterns are held against. A bucket is what lies below it,
// too: who may list bucket/* may list the bucket.
func (r Request) resource() string { return r.Bucket + "/" + r.Key }

// Policy is a policy document that has been found to be well-formed.
type Policy struct {
	document   json.RawMessage
	statements []statement
}

// MarshalJSON returns the document, with lists for all that can be one.
func (p *Policy) MarshalJSON() ([]byte, error) { return p.document, nil }

// Decide returns what the document says of a request.
func (p *Policy) Decide(r Request) Decision {
	resource := r.resource()
	decision := None
	for i := range p.statements {
		s := &p.statements[i]
		switch {
		case !s.deny && decision == Allow, !s.covers(r, resource):
		case s.deny:
			return Deny
		default:
			decision = Allow
		}
	}
	return decision
}

// Public tells whether the document allows everybody something, whatever the
// request.
func (p *Policy) Public() bool {
	return slices.ContainsFunc(p.statements, func(s statement) bool {
		return !s.deny && len(s.conditions) == 0 && slices.Contains(s.principals, Anonymous)
	})
}

// statement is one rule of a document.
type statement struct {
	deny       bool
	principals []string // of a bucket's policy
	actions    patterns
	resources  patterns
	conditions []condition
}

// patterns are those that one must match or, when inverted, that none may.
type patterns struct {
	list     []string
	inverted bool
}

func (p patterns) cover(matches func(pattern string) bool) bool {
	return slices.ContainsFunc(p.list, matches) != p.inverted
}

func (s *statement) covers(r Request, resource string) bool {
	if s.principals != nil && !slices.ContainsFunc(s.principals, func(p string) bool { return match(p, r.Principal) }) {
		return false
	}
	if !s.actions.cover(r.isAction) {
		return false
	}
	// A statement on administration names no resources.
	if len(s.resources.list) > 0 && !s.resources.cover(func(pattern string) bool { return r.isResource(pattern, resource) }) {
		return false
	}
	for _, c := range s.conditions {
		if !c.holds(r) {
			return false
		}
	}
	return true
}

func (r Request) isAction(pattern string) bool {
	return match(pattern, r.Action) || includes[r.Action] != "" && match(pattern, includes[r.Action])
}

func (r Request) isResource(pattern, resource string) bool {
	pattern, ok := substitute(pattern, r)
	return ok && (match(pattern, resource) || r.Key == "" && match(pattern, r.Bucket))
}

// match tells whether s is what a pattern with * and ? describes.
func match(pattern, s string) bool {
	star, from := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, from = i, j
			i++
		case i < len(pattern) && pattern[i] == '?':
			_, n := utf8.DecodeRuneInString(s[j:])
			i++
			j += n
		case i < len(pattern) && pattern[i] == s[j]:
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// substitute puts what the request holds in the place of ${variables}. It fails
// when the request does not have it, or has something that would match more
// than itself.
func substitute(pattern string, r Request) (string, bool) {
	before, rest, found := strings.Cut(pattern, "${")
	if !found {
		return pattern, true
	}
	var b strings.Builder
	for {
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", false
		}
		values := r.value(strings.ToLower(name))
		if len(values) != 1 || strings.ContainsAny(values[0], "*?") {
			return "", false
		}
		b.WriteString(values[0])
		before, rest, found = strings.Cut(after, "${")
	}
}

func (r Request) value(key string) []string {
	if r.Value == nil {
		return nil
	}
	return r.Value(key)
}
