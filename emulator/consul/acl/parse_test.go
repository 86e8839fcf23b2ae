package acl

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParseSaysWhatConsulSays compares with what Consul 1.22.3 answers to
// PUT /v1/acl/policy with these rules.
func TestParseSaysWhatConsulSays(t *testing.T) {
	t.Parallel()
	var cases []struct{ Rules, Error string }
	file, err := os.ReadFile("testdata/parse.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(file, &cases))
	require.NotEmpty(t, cases)
	for _, c := range cases {
		rules, err := Parse(c.Rules)
		if c.Error == "" {
			assert.NoError(t, err, c.Rules)
			assert.NotNil(t, rules, c.Rules)
			continue
		}
		assert.EqualError(t, err, c.Error, c.Rules)
		assert.Nil(t, rules, c.Rules)
	}
}

func TestParseErrorTypes(t *testing.T) {
	t.Parallel()
	var syntax *SyntaxError
	_, err := Parse(`key "a" {`)
	require.ErrorAs(t, err, &syntax)
	assert.Error(t, syntax.Unwrap())

	var policy *PolicyError
	_, err = Parse(`service "web" { policy = "read" intentions = "some" }`)
	require.ErrorAs(t, err, &policy)
	assert.Equal(t, "service intentions", policy.Kind)
}

func FuzzParse(f *testing.F) {
	var cases []struct{ Rules string }
	file, err := os.ReadFile("testdata/parse.json")
	require.NoError(f, err)
	require.NoError(f, json.Unmarshal(file, &cases))
	for _, c := range cases {
		f.Add(c.Rules)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := Parse(text)
		if err != nil {
			require.Nil(t, rules)
			return
		}
		nobody := New(false, rules)
		for resource := range resources {
			// What may be written may be read, whatever the rules are.
			if nobody.Allows(Write, resource, "a") {
				require.True(t, nobody.Allows(Read, resource, "a"), resource)
			}
		}
		if nobody.AllowsAllBelow(Write, "a") {
			require.True(t, nobody.Allows(Write, Key, "ab"))
		}
	})
}
