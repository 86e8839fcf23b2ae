package acl

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testdata/policies.json has rules, and what Nomad 1.11.3 makes of them.
func TestRulesAreReadAsNomadReadsThem(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/policies.json")
	require.NoError(t, err)
	var cases []struct {
		Rules  string
		Error  string
		Policy map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &cases))
	for _, c := range cases {
		policy, err := Parse(c.Rules)
		if c.Error != "" {
			assert.EqualError(t, err, c.Error, c.Rules)
			continue
		}
		if !assert.NoError(t, err, c.Rules) {
			continue
		}
		assert.Equal(t, c.Rules, policy.Raw)
		if c.Rules != "" {
			assert.Equal(t, c.Policy, told(t, policy), c.Rules)
		}
	}
}

// told is the policy as JSON tells it, without what is not there.
func told(t *testing.T, policy *Policy) map[string]any {
	t.Helper()
	text, err := json.Marshal(policy)
	require.NoError(t, err)
	var all map[string]any
	require.NoError(t, json.Unmarshal(text, &all))
	delete(all, "Raw")
	for key, value := range all {
		if value == nil {
			delete(all, key)
		}
	}
	return all
}

func FuzzParse(f *testing.F) {
	f.Add(`namespace "a*" { policy = "write" variables { path "x/*" { capabilities = ["read"] } } }`)
	f.Add(`{"node":{"policy":"read"}}`)
	f.Add(`operator { policy = "write" } host_volume "v" { capabilities = ["mount-readonly"] } node_pool "p" {}`)
	f.Fuzz(func(t *testing.T, rules string) {
		policy, err := Parse(rules)
		if err != nil {
			return
		}
		a := New(policy)
		for _, rule := range policy.Namespaces {
			a.Namespace(rule.Name, ReadJob)
		}
	})
}
