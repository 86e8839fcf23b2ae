package login

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConfigsThatAreRefused(t *testing.T) {
	t.Parallel()
	key := []any{newIssuer(t).public}
	const exactlyOne = "exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type \"jwt\""
	for _, test := range []struct {
		kind    string
		config  map[string]any
		refused string
	}{
		{"", nil, "Type should be one of: [aws-iam jwt kubernetes]"},
		{"oidc", nil, "Type should be one of: [aws-iam jwt kubernetes]"},
		{AWSIAM, nil, `type "aws-iam" is not emulated`},
		{JWT, nil, exactlyOne},
		{JWT, map[string]any{"JWTValidationPubKeys": key, "JWKSURL": "http://x"}, exactlyOne},
		{JWT, map[string]any{"B": 1, "A": 2}, "error decoding config: decoding failed due to the following error(s):\n\n'' has invalid keys: A, B"},
		{JWT, map[string]any{"JWTValidationPubKeys": []any{key[0], "x"}},
			"error parsing public key JWTValidationPubKeys[1]: data does not contain any valid RSA, ECDSA, or ED25519 public keys"},
		{JWT, map[string]any{"JWTValidationPubKeys": key, "JWTSupportedAlgs": []any{"HS256"}}, "Invalid supported algorithm: HS256"},
		{JWT, map[string]any{"JWTValidationPubKeys": key, "ClaimMappings": map[string]any{"a": "x", "b": "x"}},
			`ClaimMappings contains multiple mappings for key "x"`},
		{JWT, map[string]any{"JWKSURL": "http://x", "JWKSCACert": "x"}, "error checking JWKSCACert: could not parse CA PEM value successfully"},
		{JWT, map[string]any{"OIDCDiscoveryURL": "http://x", "OIDCDiscoveryCACert": "x"},
			"error checking OIDCDiscoveryCACert: could not parse CA PEM value successfully"},
		{Kubernetes, nil, "Config.Host is required"},
		{Kubernetes, map[string]any{"Host": "x"}, "Config.CACert is required"},
		{Kubernetes, map[string]any{"Host": "x", "CACert": "x"},
			"error parsing kubernetes ca cert: data does not contain any valid RSA or ECDSA certificates"},
	} {
		_, err := Parse(test.kind, test.config)
		assert.EqualError(t, err, test.refused)
	}
}

func TestBindingRulesAreCheckedBeforeAnybodyLogsIn(t *testing.T) {
	t.Parallel()
	blank := parsed(t, map[string]any{
		"JWTValidationPubKeys": []any{newIssuer(t).public},
		"ClaimMappings":        map[string]any{"name": "name"},
		"ListClaimMappings":    map[string]any{"groups": "groups"},
	}).Blank()
	for selector, refused := range map[string]string{
		"":                 "",
		"value.name == x":  "",
		"value.other == x": "",
		"x in list.groups or not list.groups is empty": "",
		"value is empty":    "",
		"other == x":        `Selector "other" is not valid`,
		"value.name.x == x": `Selector "value.name.x" is not valid`,
		"value == x":        `Invalid match operator "Equal" for selector "value"`,
		"list.groups == x":  `Invalid match operator "Equal" for selector "list.groups"`,
	} {
		if err := blank.CheckSelector(selector); refused == "" {
			assert.NoError(t, err, selector)
		} else {
			assert.EqualError(t, err, refused, selector)
		}
	}
	assert.Error(t, blank.CheckSelector("value.name =="))

	filled := blank.Filled("fake")
	for template, refused := range map[string]string{
		"plain":                "",
		"a-${value.name}":      "",
		"${value.other}":       "1:3: unknown variable accessed: value.other",
		"${list.groups}":       "1:3: unknown variable accessed: list.groups",
		"${lower(value.name)}": "1:3: unknown function called: lower",
		"${value.name":         `parse error at 1:13: expected "}" but found end of string`,
	} {
		text, err := filled.Fill(template)
		if refused == "" {
			require.NoError(t, err, template)
			assert.NotContains(t, text, "$")
		} else {
			assert.EqualError(t, err, refused, template)
		}
	}

	kubernetes := kubernetesMethod{}.Blank()
	assert.NoError(t, kubernetes.CheckSelector("serviceaccount.name == x"))
	assert.EqualError(t, kubernetes.CheckSelector("serviceaccount.other == x"), `Selector "serviceaccount.other" is not valid`)
}

// FuzzSelector: what CheckSelector accepts, Matches works out.
func FuzzSelector(f *testing.F) {
	for _, selector := range []string{"value.name == x", `"a" in list.groups`, "not (value.x is empty and value is not empty)", "value.name matches `(`"} {
		f.Add(selector)
	}
	identity := &Identity{
		texts: map[string]map[string]string{"value": {"name": "bob"}},
		lists: map[string]map[string][]string{"list": {"groups": {"a", "b"}}},
		open:  true,
	}
	f.Fuzz(func(t *testing.T, selector string) {
		if identity.CheckSelector(selector) != nil {
			return
		}
		_, err := identity.Matches(selector)
		assert.NoError(t, err)
	})
}

// FuzzTemplate: no template makes Fill panic, and one without ${ stays as it is.
func FuzzTemplate(f *testing.F) {
	for _, template := range []string{"a-${value.name}", "$${x}", "${1 + 2}", "${value.name"} {
		f.Add(template)
	}
	identity := &Identity{texts: map[string]map[string]string{"value": {"name": "bob"}}}
	f.Fuzz(func(t *testing.T, template string) {
		_, _ = identity.Fill(template)
	})
}
