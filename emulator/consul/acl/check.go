package acl

import (
	"fmt"
	"strings"
)

// checker collects rules and keeps the first error; after one it does nothing.
type checker struct {
	rules *Rules
	err   error
}

// general takes the policy of a resource without names; empty is no rule.
func (c *checker) general(resource Resource, policy string) {
	if policy == "" {
		return
	}
	l := c.level(resource, policy, resource.String(), func() string { return fmt.Sprintf("%q", policy) })
	// Consul accepts capital letters here and then matches none of them, so
	// that such a rule has no effect.
	if policy == strings.ToLower(policy) {
		c.rules.general[resource] = l
	}
}

// pair takes the exact and the prefix rules of a resource.
func (c *checker) pair(resource Resource, exact, prefixes []namedRule) {
	c.named(resource, resource.String(), exact, false)
	c.named(resource, resource.String()+"_prefix", prefixes, true)
}

func (c *checker) named(resource Resource, kind string, rules []namedRule, prefix bool) {
	for _, r := range rules {
		l := c.level(resource, r.Policy, kind, func() string { return printed(resource, r) })
		c.add(resource, rule{name: r.Name, prefix: prefix, level: l})
	}
}

// services takes rules that may also say what holds for intentions.
func (c *checker) services(kind string, rules []serviceRule, prefix bool) {
	for _, r := range rules {
		show := func() string { return printedService(r) }
		l := c.level(Service, r.Policy, kind, show)
		c.add(Service, rule{name: r.Name, prefix: prefix, level: l})
		if r.Intentions == "" {
			continue
		}
		l = c.level(Intention, r.Intentions, kind+" intentions", show)
		c.add(Intention, rule{name: r.Name, prefix: prefix, level: l})
	}
}

func (c *checker) add(resource Resource, r rule) {
	c.rules.named[resource] = append(c.rules.named[resource], r)
}

// level reads a policy; only keys can have list.
func (c *checker) level(resource Resource, policy, kind string, show func() string) level {
	l, ok := parseLevel(policy)
	if ok && (l != level(List) || resource == Key) {
		return l
	}
	if c.err == nil {
		c.err = &PolicyError{Kind: kind, Rule: show()}
	}
	return unset
}

// printed is a rule in the form in which Consul's errors show it: as a Go
// value of its own types.
func printed(resource Resource, r namedRule) string {
	form := map[Resource]string{
		Agent:   `&acl.AgentRule{Node:%q, Policy:%q}`,
		Event:   `&acl.EventRule{Event:%q, Policy:%q}`,
		Key:     `&acl.KeyRule{Prefix:%q, Policy:%q, EnterpriseRule:acl.EnterpriseRule{}}`,
		Node:    `&acl.NodeRule{Name:%q, Policy:%q, EnterpriseRule:acl.EnterpriseRule{}}`,
		Query:   `&acl.PreparedQueryRule{Prefix:%q, Policy:%q}`,
		Session: `&acl.SessionRule{Node:%q, Policy:%q}`,
	}[resource]
	return fmt.Sprintf(form, r.Name, r.Policy)
}

func printedService(r serviceRule) string {
	return fmt.Sprintf(`&acl.ServiceRule{Name:%q, Policy:%q, Intentions:%q, EnterpriseRule:acl.EnterpriseRule{}}`,
		r.Name, r.Policy, r.Intentions)
}
