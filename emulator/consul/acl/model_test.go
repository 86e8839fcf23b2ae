package acl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// modelRule is a key rule of any policy, in the model that is too simple to be
// wrong: it looks at all rules for every question.
type modelRule struct {
	prefix bool
	name   string
	policy string
}

func (r modelRule) String() string {
	kind := "key"
	if r.prefix {
		kind = "key_prefix"
	}
	return fmt.Sprintf("%s %q { policy = %q }", kind, r.name, r.policy)
}

// decide finds the policy that holds for a name, or that of the default.
func decide(rules []modelRule, name string, exactToo bool, otherwise string) string {
	strength := func(r modelRule) int {
		if !r.prefix {
			return 1000
		}
		return len(r.name)
	}
	order := []string{"read", "list", "write", "deny"}
	best, policy := -1, otherwise
	for _, precedence := range order { // later ones overwrite their equals
		for _, r := range rules {
			fits := r.name == name && exactToo && !r.prefix || r.prefix && strings.HasPrefix(name, r.name)
			if fits && r.policy == precedence && strength(r) >= best {
				best, policy = strength(r), r.policy
			}
		}
	}
	return policy
}

func grants(policy string, access Access) bool {
	includes := map[string][]Access{"read": {Read}, "list": {Read, List}, "write": {Read, List, Write}}
	for _, a := range includes[policy] {
		if a == access {
			return true
		}
	}
	return false
}

// allBelow asks for every name of the universe and every rule below prefix.
func allBelow(rules []modelRule, prefix string, access Access, otherwise string) bool {
	if !grants(decide(rules, prefix, false, otherwise), access) {
		return false
	}
	for _, r := range rules {
		if !strings.HasPrefix(r.name, prefix) {
			continue
		}
		same := []modelRule{}
		for _, other := range rules {
			if other.prefix == r.prefix && other.name == r.name {
				same = append(same, other)
			}
		}
		if !grants(decide(same, r.name, true, otherwise), access) {
			return false
		}
	}
	return true
}

func TestAuthorizerAgreesWithModel(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[ab/]{0,4}`)
	rule := rapid.Custom(func(t *rapid.T) modelRule {
		return modelRule{
			prefix: rapid.Bool().Draw(t, "prefix"),
			name:   name.Draw(t, "name"),
			policy: rapid.SampledFrom([]string{"read", "list", "write", "write", "deny"}).Draw(t, "policy"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		policies := rapid.SliceOfN(rapid.SliceOfN(rule, 0, 6), 0, 4).Draw(t, "policies")
		defaultAllow := rapid.Bool().Draw(t, "default allow")
		otherwise := map[bool]string{true: "write", false: "deny"}[defaultAllow]

		var all []modelRule
		var parsed []*Rules
		for _, policy := range policies {
			all = append(all, policy...)
			var text strings.Builder
			for _, r := range policy {
				fmt.Fprintln(&text, r)
			}
			rules, err := Parse(text.String())
			require.NoError(t, err)
			parsed = append(parsed, rules)
		}
		a := New(defaultAllow, parsed...)
		for _, asked := range rapid.SliceOfN(name, 1, 10).Draw(t, "asked") {
			for _, access := range []Access{Read, List, Write} {
				require.Equal(t, grants(decide(all, asked, true, otherwise), access), a.Allows(access, Key, asked), "%s %q", access, asked)
				require.Equal(t, allBelow(all, asked, access, otherwise), a.AllowsAllBelow(access, asked), "%s all below %q", access, asked)
			}
		}
	})
}
