package login

import (
	"testing"

	"github.com/stretchr/testify/assert"
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

func TestWhatKubernetesTells(t *testing.T) {
	t.Parallel()
	blank := kubernetesMethod{}.Blank()
	assert.NoError(t, blank.CheckSelector("serviceaccount.name == x"))
	assert.EqualError(t, blank.CheckSelector("serviceaccount.other == x"), `Selector "serviceaccount.other" is not valid`)
}
