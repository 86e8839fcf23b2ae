package acl

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// question is one access and its answer.
type question struct {
	access   Access
	resource Resource
	name     string
	allowed  bool
}

func (q question) String() string { return fmt.Sprintf("%s:%s %q", q.resource, q.access, q.name) }

func authorizer(t testing.TB, defaultAllow bool, policies ...string) *Authorizer {
	t.Helper()
	parsed := make([]*Rules, len(policies))
	for i, text := range policies {
		var err error
		parsed[i], err = Parse(text)
		require.NoError(t, err, text)
	}
	return New(defaultAllow, parsed...)
}

// TestDecisions holds what Consul 1.22.3 decides with the same rules.
func TestDecisions(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		policies     []string
		defaultAllow bool
		questions    []question
	}{
		"no rules": {questions: []question{
			{Read, Key, "foo", false}, {Read, ACL, "", false}, {Read, Operator, "", false},
			{Read, Mesh, "", false}, {Read, Intention, "web", false}, {Read, Intention, "*", false},
		}},
		"no rules, allowed by default": {defaultAllow: true, questions: []question{
			{Write, Key, "foo", true}, {List, Key, "foo", true}, {Write, Operator, "", true},
			{Write, Keyring, "", true}, {Write, Mesh, "", true}, {Write, Peering, "", true},
			{Read, ACL, "", false}, {Write, ACL, "", false},
			{Write, Intention, "web", true}, {Write, Intention, "*", true},
		}},
		"exact beats prefix, the longest prefix beats others": {
			policies: []string{`key_prefix "fo" { policy = "write" } key_prefix "foo/" { policy = "read" } key "foo/1" { policy = "deny" }`},
			questions: []question{
				{Write, Key, "fo", true}, {Write, Key, "foo", true}, {Write, Key, "foo/2/x", false},
				{Read, Key, "foo/2/x", true}, {Read, Key, "foo/1", false}, {Read, Key, "foo/12", true},
				{List, Key, "foo/", false}, {Read, Key, "f", false},
			},
		},
		"list includes read, write includes list": {
			policies: []string{`key_prefix "a" { policy = "list" } key_prefix "b" { policy = "write" } key "c" { policy = "list" }`},
			questions: []question{
				{Read, Key, "a", true}, {List, Key, "a", true}, {Write, Key, "a", false},
				{List, Key, "b", true}, {List, Key, "c", true},
			},
		},
		"one policy says it twice": {
			policies:  []string{`key "foo" { policy = "read" } key "foo" { policy = "write" } key "bar" { policy = "deny" } key "bar" { policy = "write" }`},
			questions: []question{{Write, Key, "foo", true}, {Read, Key, "bar", false}},
		},
		"several policies: deny beats write beats list beats read": {
			policies: []string{
				`key "a" { policy = "deny" } key "b" { policy = "list" } key "c" { policy = "write" }`,
				`key "a" { policy = "write" } key "b" { policy = "read" } key "c" { policy = "list" }`,
			},
			questions: []question{{Read, Key, "a", false}, {List, Key, "b", true}, {Write, Key, "c", true}},
		},
		"general resources merge too": {
			policies: []string{`operator = "deny" acl = "read"`, `operator = "write" acl = "write"`},
			questions: []question{
				{Read, Operator, "", false}, {Write, ACL, "", true}, {Read, Mesh, "", false},
			},
		},
		"mesh and peering follow operator": {
			policies: []string{`operator = "write" mesh = "read"`},
			questions: []question{
				{Write, Operator, "", true}, {Write, Mesh, "", false}, {Read, Mesh, "", true},
				{Write, Peering, "", true}, {Read, Keyring, "", false},
			},
		},
		"operator denied, allowed by default": {
			defaultAllow: true, policies: []string{`operator = "deny" peering = "read"`},
			questions: []question{
				{Read, Mesh, "", false}, {Read, Peering, "", true}, {Write, Peering, "", false}, {Write, Keyring, "", true},
			},
		},
		"capital letters": {
			defaultAllow: true, policies: []string{`operator = "DENY" acl = "READ" key "a" { policy = "Read" }`},
			questions: []question{{Write, Operator, "", true}, {Read, ACL, "", false}, {Read, Key, "a", true}, {Write, Key, "a", false}},
		},
		"an agent is not its node": {
			policies:  []string{`node_prefix "" { policy = "write" } agent "vm" { policy = "read" }`},
			questions: []question{{Write, Node, "vm", true}, {Read, Agent, "vm", true}, {Write, Agent, "vm", false}, {Read, Agent, "other", false}},
		},
		"events, sessions, queries": {
			policies: []string{`event "a" { policy = "write" } session_prefix "n" { policy = "write" } query "q" { policy = "read" }`},
			questions: []question{
				{Write, Event, "a", true}, {Write, Event, "ab", false}, {Write, Session, "n1", true},
				{Read, Query, "q", true}, {Write, Query, "q", false},
			},
		},
		"a resource that does not exist": {
			policies: []string{`acl = "write"`}, questions: []question{{Read, resources, "", false}, {0, ACL, "", false}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := authorizer(t, c.defaultAllow, c.policies...)
			for _, q := range c.questions {
				assert.Equal(t, q.allowed, a.Allows(q.access, q.resource, q.name), q)
			}
		})
	}
}

// TestIntentions holds what Consul 1.22.3 decides about the intentions of the
// service web, and of all services at once.
func TestIntentions(t *testing.T) {
	t.Parallel()
	cases := []struct {
		policies     []string
		defaultAllow bool
		read, write  bool // web
		readAny      bool // *
		writeAll     bool // *
	}{
		{policies: []string{`service "web" { policy = "read" }`}, read: true, readAny: true},
		{policies: []string{`service "web" { policy = "write" }`}, read: true, readAny: true},
		{policies: []string{`service "web" { policy = "read" intentions = "write" }`}, read: true, write: true, readAny: true},
		{policies: []string{`service "web" { policy = "write" intentions = "deny" }`}},
		{policies: []string{`service "web" { policy = "deny" intentions = "write" }`}, read: true, write: true, readAny: true},
		{policies: []string{`service "web" { policy = "deny" }`}},
		{policies: []string{`service "web" { policy = "deny" }`}, defaultAllow: true, readAny: true},
		{policies: []string{`service "web" { policy = "read" }`}, defaultAllow: true, read: true, readAny: true},
		{policies: []string{`service_prefix "" { policy = "deny" }`}, defaultAllow: true},
		{policies: []string{`service_prefix "" { policy = "deny" } service "db" { policy = "read" }`}, readAny: true},
		{policies: []string{`service_prefix "w" { policy = "deny" }`}, defaultAllow: true, readAny: true},
		{policies: []string{`service_prefix "w" { policy = "read" intentions = "write" }`}, read: true, write: true, readAny: true},
		{policies: []string{`service_prefix "" { policy = "write" intentions = "write" }`}, read: true, write: true, readAny: true, writeAll: true},
		{policies: []string{`service_prefix "" { policy = "write" intentions = "write" } service "*" { policy = "read" }`}, read: true, write: true, readAny: true},
		{policies: []string{`service_prefix "" { policy = "write" intentions = "write" } service "web" { policy = "deny" }`}, readAny: true},
		{policies: []string{`service "*" { policy = "read" intentions = "write" }`}, readAny: true},
		{policies: []string{`service "web" { policy = "deny" }`, `service "web" { policy = "write" intentions = "write" }`}, read: true, write: true, readAny: true},
		{policies: []string{`service "web" { policy = "write" }`, `service "web" { policy = "read" intentions = "deny" }`}},
		{policies: []string{`service "web" { policy = "write" }`, `service "web" { policy = "read" intentions = "write" }`}, read: true, write: true, readAny: true},
		{policies: []string{`service "web" { policy = "write" intentions = "write" }`, `service "web" { policy = "read" intentions = "read" }`}, read: true, write: true, readAny: true},
	}
	for _, c := range cases {
		a := authorizer(t, c.defaultAllow, c.policies...)
		assert.Equal(t, c.read, a.Allows(Read, Intention, "web"), "read web: %v", c)
		assert.Equal(t, c.write, a.Allows(Write, Intention, "web"), "write web: %v", c)
		assert.Equal(t, c.readAny, a.Allows(Read, Intention, "*"), "read any: %v", c)
		assert.Equal(t, c.writeAll, a.Allows(Write, Intention, "*"), "write all: %v", c)
	}
}

// TestAllowsAllBelow holds what Consul 1.22.3 answers to DELETE ?recurse.
func TestAllowsAllBelow(t *testing.T) {
	t.Parallel()
	cases := []struct {
		rules        string
		defaultAllow bool
		allowed      []string
		denied       []string
	}{
		{denied: []string{"foo/", ""}},
		{rules: `key "foo/" { policy = "write" }`, denied: []string{"foo/"}},
		{rules: `key_prefix "foo/" { policy = "write" } key "foo/1" { policy = "read" }`, allowed: []string{"foo/z"}, denied: []string{"foo/", "foo"}},
		{rules: `key_prefix "foo/" { policy = "write" } key "foo/" { policy = "deny" }`, allowed: []string{"foo/z"}, denied: []string{"foo/"}},
		{rules: `key_prefix "foo/" { policy = "write" } key_prefix "foo/x" { policy = "write" } key_prefix "foo" { policy = "deny" }`, allowed: []string{"foo/", "foo/xy"}, denied: []string{"foo"}},
		{rules: `key_prefix "foo" { policy = "write" } key "foo/q" { policy = "deny" }`, allowed: []string{"foo/q/a"}, denied: []string{"foo/q", "foo/"}},
		{rules: `key "foo/1" { policy = "read" }`, defaultAllow: true, allowed: []string{"zz", "foo/2"}, denied: []string{"foo/", ""}},
	}
	for _, c := range cases {
		a := authorizer(t, c.defaultAllow, c.rules)
		for _, prefix := range c.allowed {
			assert.True(t, a.AllowsAllBelow(Write, prefix), "%s: %q", c.rules, prefix)
		}
		for _, prefix := range c.denied {
			assert.False(t, a.AllowsAllBelow(Write, prefix), "%s: %q", c.rules, prefix)
		}
	}
}

func TestManagementAllowsEverything(t *testing.T) {
	t.Parallel()
	a := Management()
	for resource := range resources {
		assert.True(t, a.Allows(Write, resource, "any"), resource)
	}
	assert.True(t, a.AllowsAllBelow(Write, ""))
	assert.NoError(t, a.Check("someone", Write, ACL, ""))
}

func TestBuiltinPolicies(t *testing.T) {
	t.Parallel()
	writer, reader := authorizer(t, false, GlobalManagementRules), authorizer(t, false, GlobalReadOnlyRules)
	for resource := range resources {
		assert.True(t, writer.Allows(Write, resource, "any"), resource)
		assert.True(t, reader.Allows(Read, resource, "any"), resource)
		assert.False(t, reader.Allows(Write, resource, "any"), resource)
	}
}

func TestAuthorizerServesManyAtOnce(t *testing.T) {
	t.Parallel()
	a := authorizer(t, false, `key_prefix "a" { policy = "write" } service_prefix "" { policy = "read" }`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				assert.True(t, a.Allows(Write, Key, "ab"))
				assert.True(t, a.Allows(Read, Intention, "*"))
				assert.True(t, a.AllowsAllBelow(Write, "ab"))
			}
		})
	}
	wg.Wait()
}

func TestDecisionsDoNotAllocate(t *testing.T) {
	a := authorizer(t, false, `key_prefix "a/" { policy = "write" } key_prefix "a/b/c/" { policy = "read" } key "a/b" { policy = "deny" }`)
	assert.Zero(t, testing.AllocsPerRun(100, func() { a.Allows(Read, Key, "a/b/c/d/e") }))
}

func BenchmarkAllows(b *testing.B) {
	var rules string
	for i := range 1000 {
		rules += fmt.Sprintf("key_prefix \"team-%d/\" { policy = \"read\" }\n", i)
	}
	a := authorizer(b, false, rules)
	for b.Loop() {
		a.Allows(Read, Key, "team-500/config/database/password")
	}
}
