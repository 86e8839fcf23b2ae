package acl

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func holding(t *testing.T, rules ...string) *Authorizer {
	t.Helper()
	var policies []*Policy
	for _, text := range rules {
		policy, err := Parse(text)
		require.NoError(t, err, text)
		policies = append(policies, policy)
	}
	return New(policies...)
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rules []string
		reads map[string]bool
	}{
		"the closest pattern holds": {
			[]string{`namespace "*-web" { policy = "deny" } namespace "*" { policy = "read" }`},
			map[string]bool{"production-web": false, "prod": true, "-web": false},
		},
		"a name of its own goes before patterns": {
			[]string{`namespace "prod*" { policy = "deny" } namespace "*-web" { policy = "read" }`, `namespace "production-web" { policy = "read" }`},
			map[string]bool{"production-web": true, "staging-web": true, "prod": false, "other": false},
		},
		"of two as close, the one that comes last": {
			[]string{`namespace "pro*" { policy = "deny" } namespace "*rod" { policy = "read" }`},
			map[string]bool{"prod": false},
		},
		"to deny goes before all": {
			[]string{`namespace "a" { policy = "read" }`, `namespace "a" { policy = "deny" }`},
			map[string]bool{"a": false},
		},
		"a rule that says nothing hides the patterns": {
			[]string{`namespace "*" { policy = "read" }`, `namespace "a" { }`},
			map[string]bool{"a": false, "b": true},
		},
		"stars anywhere": {
			[]string{`namespace "a*b*c" { policy = "read" }`},
			map[string]bool{"abc": true, "axbxc": true, "abcb": false, "acb": false, "abbc": true, "ac": false},
		},
		"no policy": {nil, map[string]bool{"default": false}},
	} {
		a := holding(t, test.rules...)
		for namespace, want := range test.reads {
			assert.Equal(t, want, a.Namespace(namespace, ReadJob), "%s: %s", name, namespace)
		}
	}
	a := holding(t, `namespace "a" { policy = "read" }`)
	assert.True(t, a.AnyNamespace(SubmitJob, ReadJob))
	assert.False(t, a.AnyNamespace(SubmitJob))
	assert.True(t, a.SeesNamespace("a"))
	assert.False(t, a.SeesNamespace("b"))
}

func TestVariables(t *testing.T) {
	t.Parallel()
	a := holding(t,
		`namespace "*" { variables { path "a/*" { capabilities = ["read"] } path "a/secret" { capabilities = ["deny"] } } }`,
		`namespace "a" { policy = "deny" }
		 namespace "b" { variables { path "*" { capabilities = ["write"] } path "*x" { capabilities = ["destroy"] } } }`)
	for _, test := range []struct {
		namespace, path string
		capability      Capability
		want            bool
	}{
		{"default", "a/b", ReadVariable, true},
		{"default", "a/b", ListVariable, true},
		{"default", "a/b", WriteVariable, false},
		{"default", "a/secret", ReadVariable, false},
		{"default", "b", ReadVariable, false},
		{"a", "a/b", ReadVariable, true}, // rules of a namespace without any for variables do not count
		{"b", "a/b", ReadVariable, false},
		{"b", "a/b", WriteVariable, true},
		{"b", "a/x", WriteVariable, false},
		{"b", "a/x", DestroyVariable, true},
	} {
		assert.Equal(t, test.want, a.Variable(test.namespace, test.path, test.capability), "%+v", test)
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		resource             Resource
		rules                []string
		lists, reads, writes bool
	}{
		{Node, nil, false, false, false},
		{Node, []string{`node { policy = "read" }`}, true, true, false},
		{Agent, []string{`agent { policy = "write" }`, `agent { policy = "read" }`}, true, true, true},
		{Quota, []string{`quota { policy = "write" }`, `quota { policy = "deny" }`}, false, false, false},
		{Operator, []string{`operator { policy = "read" }`}, true, true, false},
		{Plugin, []string{`plugin { policy = "list" }`}, true, false, false},
		{Plugin, []string{`plugin { policy = "list" }`, `plugin { policy = "read" }`}, true, true, false},
		{Plugin, []string{`plugin { policy = "write" }`, `plugin { policy = "read" }`}, false, false, false},
	} {
		a := holding(t, test.rules...)
		assert.Equal(t, test.lists, a.Allows(List, test.resource), "%+v", test)
		assert.Equal(t, test.reads, a.Allows(Read, test.resource), "%+v", test)
		assert.Equal(t, test.writes, a.Allows(Write, test.resource), "%+v", test)
	}
}

func TestNamedAndOperatorRules(t *testing.T) {
	t.Parallel()
	a := holding(t, `
		node_pool "prod-*" { policy = "write" }
		node_pool "prod-db" { policy = "read" }
		host_volume "*" { policy = "read" }
		host_volume "certs" { capabilities = ["deny"] }
		operator { capabilities = ["keyring-rotate"] }`)
	assert.True(t, a.NodePool("prod-web", DeleteNodePool))
	assert.False(t, a.NodePool("prod-db", DeleteNodePool))
	assert.True(t, a.NodePool("prod-db", ReadNodePool))
	assert.False(t, a.NodePool("dev", ReadNodePool))
	assert.True(t, a.HostVolume("data", MountReadOnly))
	assert.False(t, a.HostVolume("data", MountReadWrite))
	assert.False(t, a.HostVolume("certs", MountReadOnly))
	assert.True(t, a.Operator(KeyringRotate))
	assert.False(t, a.Operator(KeyringRead))
	assert.False(t, a.Allows(Read, Operator))
	assert.False(t, a.IsManagement())
}

func TestManagementMayEverything(t *testing.T) {
	t.Parallel()
	a := Management()
	assert.True(t, a.IsManagement() && a.Namespace("any", SentinelOverride) && a.AnyNamespace(SubmitJob) && a.SeesNamespace("any") &&
		a.Variable("any", "any", WriteVariable) && a.NodePool("any", WriteNodePool) && a.HostVolume("any", MountReadWrite) &&
		a.Operator(SnapshotSave) && a.Allows(Write, Plugin))
}
